// report.c - dspc plan as tables.
//
// Needs:  a study and the memory of the plan.
// Leaves: text for people.
#include "report.h"

#include "memory.h"

#include <string.h>

static const char *seconds_text(double seconds, char *text, size_t size) {
  if (seconds >= 1)
    snprintf(text, size, "%.3g s", seconds);
  else if (seconds >= 1e-3)
    snprintf(text, size, "%.3g ms", seconds * 1e3);
  else
    snprintf(text, size, "%.3g us", seconds * 1e6);
  return text;
}

/// The dims that are cut: "cut", or on two axes their names.
static void print_head(const DspStudy *study, int width, FILE *out) {
  const DspPlanMesh *mesh = &study->mesh;
  char cut[2 * DSP_PLAN_AXIS_NAME + 1] = "cut";
  if (mesh->naxes > 1)
    snprintf(cut, sizeof cut, "%s/%s", mesh->names[0], mesh->names[1]);
  fprintf(out, "%5s  %-26s %-20s %-*s %-34s %14s %9s\n", "stage", "what",
          "dims", width, cut, "collectives", "bytes", "time");
}

enum { MOVES_WIDTH = 34 }; // of the column of collectives

// Inputs, parameters and outputs are stages too, in which nothing happens.
static bool is_idle(const DspStudyStage *stage) {
  return stage->bytes == 0 && stage->compute + stage->communication == 0 &&
         strcmp(stage->collectives, "-") == 0;
}

/// Bytes of `text`, a list with ", " between its items, that fit into `width`:
/// as many items as do, at least one.
static int fitting(const char *text, int width) {
  int fits = 0;
  for (int i = 0;; i++) {
    bool ends = !text[i] || (text[i] == ',' && text[i + 1] == ' ');
    int length = text[i] == ',' ? i + 1 : i;
    if (ends && fits && length > width) return fits;
    if (ends) fits = length;
    if (!text[i]) return fits;
  }
}

/// What is left of a list behind its first `length` bytes.
static const char *behind(const char *text, int length) {
  return text + length + (text[length] == ' ');
}

/// The items of the lists that the first line of a stage had no room for.
static void print_more(const char *cut, const char *moves, int width,
                       FILE *out) {
  while (*cut || *moves) {
    int ncut = fitting(cut, width), nmoves = fitting(moves, MOVES_WIDTH);
    fprintf(out, "%5s  %-26s %-20s %-*.*s %.*s\n", "", "", "", width, ncut, cut,
            nmoves, moves);
    cut = behind(cut, ncut);
    moves = behind(moves, nmoves);
  }
}

static void print_stages(const DspStudy *study, FILE *out) {
  char time[32];
  int width = study->mesh.naxes > 1 ? 14 : 6;
  print_head(study, width, out);
  for (size_t i = 0; i < study->nstages; i++) {
    const DspStudyStage *s = &study->stages[i];
    if (is_idle(s)) continue;
    int cut = fitting(s->cut, width);
    int moves = fitting(s->collectives, MOVES_WIDTH);
    fprintf(out, "%5lld  %-26s %-20s %-*.*s %-*.*s %14lld %9s\n",
            (long long)s->number, s->what, s->dims, width, cut, s->cut,
            MOVES_WIDTH, moves, s->collectives, (long long)s->bytes,
            seconds_text(s->compute + s->communication, time, sizeof time));
    print_more(behind(s->cut, cut), behind(s->collectives, moves), width, out);
  }
}

static void print_total(const DspStudy *study, FILE *out) {
  const DspPlanMesh *mesh = &study->mesh;
  fprintf(out, "total: %lld collectives, %lld bytes leave %lld ranks\n",
          (long long)study->plan.collectives, (long long)study->plan.bytes,
          (long long)study->ranks);
  if (mesh->naxes > 1)
    fprintf(out, "mesh: %s %lld, %s %lld; %lld of the bytes go to other %s\n",
            mesh->names[0], (long long)mesh->sizes[0], mesh->names[1],
            (long long)mesh->sizes[1], (long long)study->plan.far,
            mesh->nodes ? "nodes" : "ranks of the first axis");
}

/// A method may do what the plan may not: see "What is allowed" in
/// docs/planner.md.
static bool is_unbalanced(const DspStudy *study, const DspStudyMethod *m) {
  return study->found == study->plan.bytes && m->bytes < study->plan.bytes;
}

static const char *verdict_of(const DspStudy *study, bool by_time) {
  bool proved = study->found == study->bound;
  if (study->limited && !proved) return "not proved the best that fits";
  if (study->limited)
    return by_time ? "no plan that fits is faster"
                   : "no plan that fits moves fewer";
  if (!proved) return "not proved optimal";
  if (by_time) return "no plan is faster";
  for (size_t i = 0; i < study->nmethods; i++) {
    const DspStudyMethod *m = &study->methods[i];
    if (m->fits && is_unbalanced(study, m))
      return "no plan that shares all work moves fewer";
  }
  return "no plan moves fewer";
}

static void print_certificate(const DspStudy *study, bool by_time, FILE *out) {
  const char *verdict = verdict_of(study, by_time);
  if (by_time)
    fprintf(out, "certificate: plan %.3f us, proved lower bound %.3f us: %s\n",
            (double)study->found * 1e-6, (double)study->bound * 1e-6, verdict);
  else
    fprintf(out, "certificate: plan %lld bytes, proved lower bound %lld: %s\n",
            (long long)study->found, (long long)study->bound, verdict);
  if (study->found != study->bound && !study->limited)
    fprintf(out, "width: the search saw up to %lld states between two ops, "
            "not all there are\n", (long long)study->width);
}

/// What the user should know of a method that the plan did not follow.
static void print_remark(const DspJob *job, const DspStudyMethod *m,
                         FILE *out) {
  const DspStudy *study = &job->measure.study;
  if (job->options.memory && m->floor > job->options.memory)
    fprintf(out, "; does not fit");
  else if (!study->limited && is_unbalanced(study, m))
    fprintf(out, "; ranks idle or repeat work");
}

static void print_method(const DspJob *job, const DspStudyMethod *m,
                         FILE *out) {
  const DspStudy *study = &job->measure.study;
  char compute[32], moving[32];
  const char *name = dsp_plan_method_name(m->method);
  if (!m->fits) {
    fprintf(out, "%-12s %14s  cannot run %s\n", name, "-", m->misfit);
    return;
  }
  fprintf(out, "%-12s %14lld %11lld %9s %9s", name, (long long)m->bytes,
          (long long)m->collectives,
          seconds_text(m->compute, compute, sizeof compute),
          seconds_text(m->communication, moving, sizeof moving));
  if (study->plan.bytes > 0)
    fprintf(out, " %6.2fx", (double)m->bytes / (double)study->plan.bytes);
  if (m->residual) fprintf(out, "  residual stream on %s", m->residual);
  print_remark(job, m, out);
  fputc('\n', out);
}

static void print_methods(const DspJob *job, FILE *out) {
  const DspStudy *study = &job->measure.study;
  fprintf(out, "\nmethods on %lld ranks, times modelled for %s:\n",
          (long long)study->ranks, job->machine.name);
  fprintf(out, "%-12s %14s %11s %9s %9s\n", "method", "bytes", "collectives",
          "compute", "moving");
  for (size_t i = 0; i < study->nmethods; i++)
    print_method(job, &study->methods[i], out);
}

static bool is_short(const DspJob *job, const DspStudyChoice *c) {
  return job->options.memory && c->floor > job->options.memory;
}

static void print_choices(const DspJob *job, FILE *out) {
  const DspStudy *study = &job->measure.study;
  char time[32];
  if (job->options.why < 0) return;
  const DspStudyStage *stage = NULL;
  for (size_t i = 0; i < study->nstages; i++)
    if (study->stages[i].number == job->options.why)
      stage = &study->stages[i];
  fprintf(out, "\nstage %lld, %s, cut on another dim, all other stages free:\n",
          (long long)job->options.why, stage ? stage->what : "-");
  for (size_t i = 0; i < study->nchoices; i++) {
    const DspStudyChoice *c = &study->choices[i];
    if (!c->fits) {
      fprintf(out, "  %-6s impossible\n", c->dim);
      continue;
    }
    fprintf(out, "  %-6s %14lld bytes (%+lld), %lld collectives, %s%s\n",
            c->dim, (long long)c->bytes,
            (long long)(c->bytes - study->plan.bytes),
            (long long)c->collectives,
            seconds_text(c->seconds, time, sizeof time),
            c->chosen ? "  <- the plan" : is_short(job, c) ? "; does not fit"
                                                           : "");
  }
}

/// What --memory made of the plan.
static void print_limit(const DspJob *job, FILE *out) {
  const DspMeasure *m = &job->measure;
  int64_t free = job->fit.free.cost;
  if (!job->options.memory) return;
  fprintf(out, "memory: %lld of %lld bytes", (long long)dsp_memory_of(m),
          (long long)job->options.memory);
  if (!m->study.limited)
    fprintf(out, "; the limit changes nothing\n");
  else if (job->options.by_time)
    fprintf(out, "; the fastest plan without a limit takes %.3f us\n",
            (double)free * 1e-6);
  else
    fprintf(out, "; the cheapest plan without a limit moves %lld\n",
            (long long)free);
}

static void print_memory(const DspJob *job, FILE *out) {
  const DspMeasure *m = &job->measure;
  fprintf(out, "peak activation memory: %lld bytes on the largest rank\n",
          (long long)m->activation_bytes);
  fprintf(out, "weights: %lld bytes on each rank\n",
          (long long)m->study.weight_bytes);
  if (m->device_bytes)
    fprintf(out,
            "peak device memory: %lld bytes on the largest rank: these, %lld "
            "for exchanges, %d for libraries\n",
            (long long)m->device_bytes, (long long)m->staging_bytes,
            DSP_DEVICE_WORKSPACE);
}

void dsp_report_plan(const DspJob *job, FILE *out) {
  const DspStudy *study = &job->measure.study;
  print_stages(study, out);
  print_total(study, out);
  print_certificate(study, job->options.by_time, out);
  print_memory(job, out);
  print_limit(job, out);
  print_choices(job, out);
  if (job->options.command == DSP_COMMAND_PLAN)
    print_methods(job, out);
}
