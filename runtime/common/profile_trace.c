// profile_trace.c - a profile as a trace of Chrome's format.
//
// Needs:  the events of all ranks.
// Leaves: a file for Perfetto (ui.perfetto.dev) or chrome://tracing: a process
//         a rank, in it a track of compute, whose spans lie in their stages,
//         and one of communication.
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "profile.h"

enum { COMPUTE = 0, COMMUNICATION = 1 };

typedef struct Trace {
  const DsprtProfile *p;
  json_t *events;
  double first; ///< the earliest begin
} Trace;

static void add_name(Trace *t, const char *what, int rank, int track,
                     const char *name) {
  json_array_append_new(t->events,
                        json_pack("{s:s, s:s, s:i, s:i, s:{s:s}}", "name", what,
                                  "ph", "M", "pid", rank, "tid", track, "args",
                                  "name", name));
}

static void add_slice(Trace *t, int rank, int track, const char *name,
                      const char *category, double begin, double end,
                      json_t *args) {
  json_array_append_new(
      t->events, json_pack("{s:s, s:s, s:s, s:i, s:i, s:f, s:f, s:o}", "name",
                           name, "cat", category, "ph", "X", "pid", rank, "tid",
                           track, "ts", 1e6 * (begin - t->first), "dur",
                           1e6 * (end - begin), "args", args));
}

/// A stage lasts until its last span of compute.
static void add_stage(Trace *t, int rank, int64_t at) {
  const DsprtEvent *stage = dsprt_event(t->p, rank, at);
  double begin = -1, end = stage->begin;
  for (at++; at < t->p->counts[rank]; at++) {
    const DsprtEvent *event = dsprt_event(t->p, rank, at);
    if (event->work == DSPRT_WORK_STAGE) break;
    if (dsprt_is_between_ranks(event)) continue;
    if (strcmp(event->stage, stage->stage) != 0) break;
    if (begin < 0) begin = event->begin;
    end = event->end;
  }
  if (begin >= 0)
    add_slice(t, rank, COMPUTE, stage->name, "stage", begin, end,
              json_object());
}

static void add_span(Trace *t, int rank, const DsprtEvent *e) {
  static const char *const categories[] = {
      "product", "attention", "norm", "fused", "copy", "switch", "collective"};
  double seconds = e->end - e->begin;
  bool between = dsprt_is_between_ranks(e);
  char name[2 * DSPRT_PROFILE_NAME + 2];
  json_t *args = json_pack("{s:s, s:i, s:s}", "value", e->value, "line",
                           (int)e->line, "stage", e->stage);
  double bytes = between ? (double)e->leaving : e->bytes;
  if (between || e->leaving)
    json_object_set_new(args, "bytes leaving the rank",
                        json_integer((json_int_t)e->leaving));
  if (!between && e->bytes > 0)
    json_object_set_new(args, "bytes", json_integer((json_int_t)e->bytes));
  if (e->flops > 0) json_object_set_new(args, "flops", json_real(e->flops));
  if (e->flops > 0 && seconds > 0)
    json_object_set_new(args, "TFLOP/s", json_real(e->flops / seconds / 1e12));
  if (bytes > 0 && seconds > 0)
    json_object_set_new(args, "GB/s", json_real(bytes / seconds / 1e9));
  snprintf(name, sizeof name, "%s: %s", e->value, e->name);
  add_slice(t, rank, between ? COMMUNICATION : COMPUTE, name,
            categories[e->work], e->begin, e->end, args);
}

static void add_rank(Trace *t, int rank) {
  char name[32];
  int64_t last = t->p->counts[rank] - 1;
  const DsprtEvent *pass = dsprt_event(t->p, rank, last);
  snprintf(name, sizeof name, "rank %d", rank);
  add_name(t, "process_name", rank, COMPUTE, name);
  add_name(t, "thread_name", rank, COMPUTE, "compute");
  add_name(t, "thread_name", rank, COMMUNICATION, "communication");
  add_slice(t, rank, COMPUTE, pass->name, "pass", pass->begin, pass->end,
            json_object());
  for (int64_t i = 0; i < last; i++) {
    const DsprtEvent *event = dsprt_event(t->p, rank, i);
    if (event->work == DSPRT_WORK_STAGE)
      add_stage(t, rank, i);
    else
      add_span(t, rank, event);
  }
}

static json_t *trace_of(const DsprtProfile *p) {
  Trace t = {.p = p, .events = json_array()};
  for (int r = 0; r < p->ranks; r++) {
    double begin = dsprt_event(p, r, p->counts[r] - 1)->begin;
    if (begin < t.first) t.first = begin;
  }
  for (int r = 0; r < p->ranks; r++) add_rank(&t, r);
  return json_pack("{s:o, s:s, s:{s:f}}", "traceEvents", t.events,
                   "displayTimeUnit", "ms", "otherData",
                   "clocks agree within seconds", p->misaligned);
}

bool dsprt_profile_save(const DsprtProfile *p, const char *path,
                        DsprtErrors *errors) {
  json_t *trace = trace_of(p);
  bool ok = trace && json_dump_file(trace, path, JSON_COMPACT) == 0;
  if (!ok) dsprt_error(errors, "%s: %s", path, strerror(errno));
  json_decref(trace);
  return ok;
}
