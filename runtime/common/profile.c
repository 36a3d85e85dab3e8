// profile.c - records the spans of a pass and brings all ranks' together.
//
// Needs:  a first pass done.
// Leaves: events of all ranks on rank 0's clock.  The ranks' clocks are
//         compared by messages: a message cannot arrive before it was sent,
//         which bounds their difference from both sides; the middle of the
//         narrowest bounds is taken, half their width is the error.
#include "profile.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 32 };

static void copy_name(char *to, const char *from) {
  strncpy(to, from ? from : "", DSPRT_PROFILE_NAME - 1);
}

static DsprtEvent *add_event(DsprtRun *run, DsprtWorkKind work,
                             const char *name) {
  DsprtProfile *p = run->profile;
  if (p->count == p->capacity) {
    p->capacity = p->capacity ? 2 * p->capacity : 256;
    p->events = realloc(p->events, (size_t)p->capacity * sizeof *p->events);
    if (!p->events) dsprt_fail(run, "out of memory for a profile");
  }
  DsprtEvent *event = &p->events[p->count++];
  memset(event, 0, sizeof *event);
  event->work = (int32_t)work;
  event->line = run->line;
  copy_name(event->name, name);
  copy_name(event->value, run->value);
  copy_name(event->stage, run->stage_name);
  return event;
}

void dsprt_span_begin(DsprtRun *run, DsprtWorkKind work, const char *name,
                      double flops, double bytes) {
  DsprtProfile *p = run->profile;
  if (p->depth++ > 0) return;
  DsprtEvent *event = add_event(run, work, name);
  event->flops = flops;
  event->bytes = bytes;
  event->leaving = -dsprt_backend_leaving(run);
  dsprt_backend_mark(run, 2 * p->count - 1);
}

void dsprt_span_end(DsprtRun *run) {
  DsprtProfile *p = run->profile;
  if (--p->depth > 0) return;
  dsprt_backend_mark(run, 2 * p->count);
  p->events[p->count - 1].leaving += dsprt_backend_leaving(run);
}

static void on_stage(DsprtRun *run) {
  if (run->profile->watch) run->profile->watch(run);
  add_event(run, DSPRT_WORK_STAGE, run->stage_name);
  dsprt_backend_mark(run, 2 * run->profile->count - 1);
  dsprt_backend_mark(run, 2 * run->profile->count);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/// Seconds by which this rank's clock is ahead of rank 0's.
static double align(DsprtProfile *p, DsprtRun *run) {
  double least = -1e300, most = 1e300;
  double *all = calloc((size_t)run->ranks, sizeof *all);
  if (!all) dsprt_fail(run, "out of memory for a profile");
  for (int i = 0; i < ROUNDS; i++) {
    double begin = now();
    dsprt_backend_gather_bytes(run, &begin, sizeof begin, all);
    double begin_0 = all[0], end = now();
    dsprt_backend_gather_bytes(run, &end, sizeof end, all);
    if (begin - all[0] > least) least = begin - all[0];
    if (end - begin_0 < most) most = end - begin_0;
  }
  free(all);
  double error = run->rank ? (most - least) / 2 : 0;
  dsprt_backend_largest(run, &error, 1);
  p->misaligned = error;
  return run->rank ? (most + least) / 2 : 0;
}

/// Puts times in place of marks, on rank 0's clock.
static void set_times(DsprtProfile *p, DsprtRun *run, double ahead) {
  double *marks = calloc((size_t)(2 * p->count + 2), sizeof *marks);
  double *starts = calloc((size_t)run->ranks, sizeof *starts);
  if (!marks || !starts) dsprt_fail(run, "out of memory for a profile");
  double start = dsprt_backend_marks(run, 2 * p->count + 2, marks) - ahead;
  dsprt_backend_gather_bytes(run, &start, sizeof start, starts);
  double ahead_of_0 = start - starts[0];
  for (int64_t i = 0; i < p->count; i++) {
    p->events[i].begin = ahead_of_0 + marks[2 * i + 1];
    p->events[i].end = ahead_of_0 + marks[2 * i + 2];
  }
  int64_t last = 2 * p->count + 1;
  DsprtEvent *pass = add_event(run, DSPRT_WORK_STAGE, "forward pass");
  pass->begin = ahead_of_0;
  pass->end = ahead_of_0 + marks[last];
  free(marks);
  free(starts);
}

static void gather(DsprtProfile *p, DsprtRun *run) {
  size_t ranks = (size_t)run->ranks;
  p->counts = calloc(ranks, sizeof *p->counts);
  if (!p->counts) dsprt_fail(run, "out of memory for a profile");
  dsprt_backend_gather(run, p->count, p->counts);
  for (size_t i = 0; i < ranks; i++)
    if (p->counts[i] > p->most) p->most = p->counts[i];
  size_t bytes = (size_t)p->most * sizeof *p->events;
  DsprtEvent *mine = calloc(1, bytes + 1);
  p->all = calloc(ranks, bytes + 1);
  if (!mine || !p->all) dsprt_fail(run, "out of memory for a profile");
  memcpy(mine, p->events, (size_t)p->count * sizeof *mine);
  dsprt_backend_gather_bytes(run, mine, (int64_t)bytes, p->all);
  free(mine);
}

void dsprt_profile_pass(DsprtProfile *p, DsprtRun *run) {
  *p = (DsprtProfile){.ranks = run->ranks, .watch = run->watch};
  double ahead = align(p, run);
  run->profile = p;
  run->watch = on_stage;
  dsprt_backend_stepwise(run);
  dsprt_backend_mark(run, 2 * p->count + 1); // where the pass ends
  set_times(p, run, ahead);
  run->profile = NULL;
  run->watch = p->watch;
  gather(p, run);
}

void dsprt_profile_free(DsprtProfile *p) {
  free(p->events);
  free(p->all);
  free(p->counts);
  *p = (DsprtProfile){0};
}
