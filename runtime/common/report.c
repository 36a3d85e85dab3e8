// report.c - what a run found out, for people and for programs.
//
// Needs:  the counted bytes of all ranks.
// Leaves: text; no more than one line a fact.
#include "report.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int by_value(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

void dsprt_report_times(DsprtReport *report, double *seconds, int count) {
  report->passes = count;
  if (count == 0) return;
  qsort(seconds, (size_t)count, sizeof *seconds, by_value);
  report->least = seconds[0];
  report->median = (seconds[(count - 1) / 2] + seconds[count / 2]) / 2;
}

/// Do all ranks send the same, and what was predicted?
static bool all_alike(const DsprtReport *r) {
  const int64_t *predicted = r->program->predicted_bytes;
  for (int i = 0; i < r->program->ranks; i++)
    if (r->counted[i] != predicted[i] || predicted[i] != predicted[0])
      return false;
  return true;
}

static void print_bytes(const DsprtReport *r, FILE *to) {
  const int64_t *predicted = r->program->predicted_bytes;
  if (all_alike(r) && r->program->ranks > 1) {
    fprintf(
        to, "bytes leaving each of %d ranks: counted %lld, predicted %lld\n",
        r->program->ranks, (long long)r->counted[0], (long long)predicted[0]);
    return;
  }
  for (int i = 0; i < r->program->ranks; i++)
    fprintf(to, "bytes leaving rank %d: counted %lld, predicted %lld\n", i,
            (long long)r->counted[i], (long long)predicted[i]);
}

static void print_times(const DsprtReport *r, FILE *to) {
  if (r->passes == 0) return;
  fprintf(to,
          "forward pass: median %.3f ms, least %.3f ms of %d passes, %d "
          "thread%s a rank",
          r->median * 1e3, r->least * 1e3, r->passes, r->threads,
          r->threads == 1 ? "" : "s");
  double flops = r->program->flops / r->median;
  if (flops > 0)
    fprintf(to, ", %.1f %cFLOP/s useful", flops / (flops >= 1e12 ? 1e12 : 1e9),
            flops >= 1e12 ? 'T' : 'G');
  fprintf(to, "\n");
}

/// More than 2 % off is worth a line of its own.
static bool is_off(const DsprtDeviceMemory *m) {
  int64_t off = m->taken - m->predicted;
  return (off < 0 ? -off : off) > m->predicted / 50;
}

static void print_device(const DsprtDeviceMemory *m, FILE *to) {
  if (!m->taken) return;
  fprintf(to, "peak device memory: %lld bytes (predicted %lld)\n",
          (long long)m->taken, (long long)m->predicted);
  if (is_off(m))
    fprintf(to, "warning: this is %.1f %% off the prediction\n",
            100.0 * (double)(m->taken - m->predicted) / (double)m->predicted);
}

void dsprt_report_print(const DsprtReport *r, FILE *to) {
  print_bytes(r, to);
  fprintf(to, "peak activation memory: %lld bytes (predicted %lld)\n",
          (long long)r->arena_bytes, (long long)r->program->arena_bytes);
  fprintf(to, "weights: %lld bytes used in the file, %lld bytes copied\n",
          (long long)r->weights_mapped, (long long)r->weights_copied);
  print_device(&r->memory, to);
  print_times(r, to);
  if (r->profile) dsprt_profile_print_collectives(r->profile, to);
  if (r->tables) dsprt_profile_print(r->profile, to);
}

static json_t *list(const int64_t *values, int count) {
  json_t *array = json_array();
  for (int i = 0; i < count; i++)
    json_array_append_new(array, json_integer(values[i]));
  return array;
}

static json_t *to_json(const DsprtReport *r) {
  const DsprtProgram *p = r->program;
  json_t *all = json_pack(
      "{s:s, s:s, s:i, s:i, s:o, s:o, s:I, s:I, s:I, s:I}", "model", p->model,
      "source", p->source, "ranks", p->ranks, "threads", r->threads,
      "predicted_bytes", list(p->predicted_bytes, p->ranks), "counted_bytes",
      list(r->counted, p->ranks), "predicted_arena_bytes",
      (json_int_t)p->arena_bytes, "arena_bytes", (json_int_t)r->arena_bytes,
      "weights_mapped_bytes", (json_int_t)r->weights_mapped,
      "weights_copied_bytes", (json_int_t)r->weights_copied);
  if (all && r->passes)
    json_object_set_new(all, "forward_seconds",
                        json_pack("{s:i, s:f, s:f}", "passes", r->passes,
                                  "median", r->median, "least", r->least));
  if (all && p->flops > 0)
    json_object_set_new(all, "flops", json_real(p->flops));
  if (all && r->memory.taken)
    json_object_set_new(all, "device_memory",
                        json_pack("{s:I, s:I}", "predicted",
                                  (json_int_t)r->memory.predicted, "taken",
                                  (json_int_t)r->memory.taken));
  if (all && r->profile)
    json_object_set_new(all, "profile", dsprt_profile_json(r->profile));
  return all;
}

bool dsprt_report_json(const DsprtReport *report, FILE *to) {
  json_t *all = to_json(report);
  bool ok =
      all && json_dumpf(all, to, JSON_INDENT(2)) == 0 && fputc('\n', to) != EOF;
  json_decref(all);
  return ok;
}

bool dsprt_report_save(const DsprtReport *report, const char *path,
                       DsprtErrors *errors) {
  FILE *to = fopen(path, "we");
  bool ok = to && dsprt_report_json(report, to);
  if (to) ok = fclose(to) == 0 && ok;
  if (!ok) dsprt_error(errors, "%s: %s", path, strerror(errno));
  return ok;
}

bool dsprt_report_check(const DsprtReport *r, DsprtErrors *errors) {
  int before = errors->count;
  for (int i = 0; i < r->program->ranks; i++)
    if (r->counted[i] != r->program->predicted_bytes[i])
      dsprt_error(errors,
                  "rank %d sent %lld bytes, the plan predicts %lld: this is a "
                  "bug of dspc",
                  i, (long long)r->counted[i],
                  (long long)r->program->predicted_bytes[i]);
  return errors->count == before;
}

void dsprt_progress(const char *what, int done, int all) {
  enum { WIDTH = 30 };
  if (!isatty(STDERR_FILENO) || all <= 0) return;
  if (done >= all) {
    fprintf(stderr, "\r\033[K");
    return;
  }
  int filled = (int)((long long)WIDTH * done / all);
  fprintf(stderr, "\r%s [%-*.*s] %d of %d", what, WIDTH, filled,
          "##############################", done, all);
  fflush(stderr);
}
