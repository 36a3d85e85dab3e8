// profile_print.c - a profile as text and as JSON for the report.
//
// Needs:  the events of all ranks.
// Leaves: times and rates of a rank, the mean of all ranks.
#include <stdlib.h>
#include <string.h>

#include "profile.h"

enum { MOST_ROWS = 24 };

static const char *work_name(int work) {
  static const char *const names[] = {"products",      "attention", "norms",
                                      "fused kernels", "copies",    "switches",
                                      "collectives"};
  return names[work];
}

/// "612.3 TFLOP/s, 62 % of the limit"
static void rate_text(const DsprtRow *row, const DsprtLimits *limits,
                      char *text, size_t room) {
  double flops = row->flops / row->seconds, limit = 0, rate = 0;
  text[0] = '\0';
  if (row->seconds <= 0) return;
  if (row->leaving > 0) {
    snprintf(text, room, "%.1f GB/s leaving",
             row->leaving / row->seconds / 1e9);
  } else if (row->flops > 0) {
    bool tera = flops >= 1e12;
    snprintf(text, room, "%.1f %cFLOP/s", flops / (tera ? 1e12 : 1e9),
             tera ? 'T' : 'G');
    rate = flops, limit = limits->flops;
  } else if (row->bytes > 0) {
    rate = row->bytes / row->seconds, limit = limits->bytes;
    snprintf(text, room, "%.1f GB/s", rate / 1e9);
  }
  size_t n = strlen(text);
  if (limit > 0)
    snprintf(text + n, room - n, ", %.0f %% of the limit", 100 * rate / limit);
}

static void print_row(const DsprtProfile *p, const DsprtRow *row, double all,
                      FILE *to) {
  char rate[96], what[128];
  rate_text(row, &p->limits, rate, sizeof rate);
  if (row->name)
    snprintf(what, sizeof what, "%s: %s", row->stage, row->name);
  else
    snprintf(what, sizeof what, "%s", work_name(row->work));
  double seconds = row->seconds / p->ranks;
  fprintf(to, "  %-44.44s %5lld %10.3f %5.1f %%  %s\n", what,
          (long long)(row->calls / p->ranks), seconds * 1e3,
          100 * seconds / all, rate);
}

static void print_limits(const DsprtProfile *p, FILE *to) {
  if (p->limits.flops > 0)
    fprintf(to,
            "  limits: %.0f TFLOP/s by units and clock, %.0f GB/s of memory\n",
            p->limits.flops / 1e12, p->limits.bytes / 1e9);
}

static void print_rows(const DsprtProfile *p, const char *title, bool by_stage,
                       FILE *to) {
  DsprtRows rows = dsprt_profile_rows(p, by_stage);
  double rest = 0;
  fprintf(to, "  %-44s %5s %10s %7s  %s\n", title, "calls", "ms", "share",
          "rate");
  for (int i = 0; i < rows.count; i++)
    if (i < MOST_ROWS)
      print_row(p, &rows.rows[i], rows.seconds, to);
    else
      rest += rows.rows[i].seconds / p->ranks;
  if (rest > 0)
    fprintf(to, "  %-44s %5s %10.3f %5.1f %%\n", "others", "", rest * 1e3,
            100 * rest / rows.seconds);
  if (!by_stage)
    fprintf(to, "  %-44s %5s %10.3f %5.1f %%\n", "gaps", "", rows.gaps * 1e3,
            100 * rows.gaps / rows.seconds);
  free(rows.rows);
}

void dsprt_profile_print(const DsprtProfile *p, FILE *to) {
  double seconds = 0;
  for (int r = 0; r < p->ranks; r++) {
    const DsprtEvent *pass = dsprt_event(p, r, p->counts[r] - 1);
    if (pass->end - pass->begin > seconds) seconds = pass->end - pass->begin;
  }
  fprintf(to, "profile of one pass, call by call: %.3f ms", seconds * 1e3);
  if (p->ranks > 1)
    fprintf(to, "; means of %d ranks, clocks within %.0f us", p->ranks,
            p->misaligned * 1e6);
  fprintf(to, "\n");
  print_limits(p, to);
  print_rows(p, "work", false, to);
  print_rows(p, "stage", true, to);
}

void dsprt_profile_print_collectives(const DsprtProfile *p, FILE *to) {
  int count;
  DsprtCollective *all = dsprt_profile_collectives(p, &count);
  for (int i = 0; i < count; i++) {
    const DsprtCollective *c = &all[i];
    fprintf(to, "%s of '%s', line %d: %lld call%s, %lld bytes leave a rank",
            c->name, c->value, (int)c->line, (long long)c->count,
            c->count == 1 ? "" : "s", (long long)c->leaving);
    if (c->seconds > 0)
      fprintf(to, ", %.3f ms, %.1f GB/s", c->seconds * 1e3,
              (double)c->leaving / c->seconds / 1e9);
    fprintf(to, "\n");
  }
  free(all);
}

static json_t *collectives_json(const DsprtProfile *p) {
  int count;
  DsprtCollective *all = dsprt_profile_collectives(p, &count);
  json_t *array = json_array();
  for (int i = 0; i < count; i++)
    json_array_append_new(
        array,
        json_pack("{s:s, s:s, s:i, s:I, s:I, s:f}", "name", all[i].name,
                  "value", all[i].value, "line", (int)all[i].line, "calls",
                  (json_int_t)all[i].count, "bytes", (json_int_t)all[i].leaving,
                  "seconds", all[i].seconds));
  free(all);
  return array;
}

static json_t *work_json(const DsprtProfile *p) {
  DsprtRows rows = dsprt_profile_rows(p, false);
  json_t *all = json_object();
  for (int i = 0; i < rows.count; i++) {
    const DsprtRow *row = &rows.rows[i];
    json_object_set_new(all, work_name(row->work),
                        json_pack("{s:I, s:f, s:f, s:f, s:f}", "calls",
                                  (json_int_t)(row->calls / p->ranks),
                                  "seconds", row->seconds / p->ranks, "flops",
                                  row->flops / p->ranks, "bytes",
                                  row->bytes / p->ranks, "leaving",
                                  row->leaving / p->ranks));
  }
  json_object_set_new(all, "gaps", json_pack("{s:f}", "seconds", rows.gaps));
  free(rows.rows);
  return all;
}

json_t *dsprt_profile_json(const DsprtProfile *p) {
  return json_pack("{s:o, s:o}", "collectives", collectives_json(p), "work",
                   work_json(p));
}
