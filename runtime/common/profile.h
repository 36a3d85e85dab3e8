// profile.h - one pass, span by span, of all ranks.
#ifndef DSPRT_COMMON_PROFILE_H
#define DSPRT_COMMON_PROFILE_H

#include <jansson.h>
#include <stdio.h>

#include "backend.h"
#include "dsprt_profile.h"
#include "errors.h"

enum { DSPRT_PROFILE_NAME = 40 };

/// A span, or where a stage begins.  The last event of a rank is the pass.
typedef struct DsprtEvent {
  double begin, end; ///< seconds from the begin of rank 0's pass, on its clock
  double flops, bytes;
  int64_t leaving; ///< bytes that left the rank
  int32_t work, line;
  char name[DSPRT_PROFILE_NAME];  ///< of the work: "all-to-all"
  char value[DSPRT_PROFILE_NAME]; ///< of the model, that was computed
  char stage[DSPRT_PROFILE_NAME];
} DsprtEvent;

/// What is recorded; run->profile while it is.
typedef struct DsprtProfile {
  DsprtEvent *events; ///< of this rank
  int64_t count, capacity;
  int depth; ///< of spans within spans
  int ranks;
  void (*watch)(DsprtRun *run); ///< of the run, called too
  DsprtEvent *all;              ///< [ranks, most] once gathered
  int64_t *counts;              ///< [ranks]
  int64_t most;
  double misaligned; ///< seconds: the ranks' clocks are at most so far apart
  DsprtLimits limits;
} DsprtProfile;

/// Runs one pass, call by call, and gathers the events of all ranks on each.
/// Collective.
void dsprt_profile_pass(DsprtProfile *profile, DsprtRun *run);
void dsprt_profile_free(DsprtProfile *profile);

/// Event `i` of a rank.
static inline const DsprtEvent *dsprt_event(const DsprtProfile *p, int rank,
                                            int64_t i) {
  return &p->all[rank * p->most + i];
}
/// Does a span go between ranks?
static inline bool dsprt_is_between_ranks(const DsprtEvent *event) {
  return event->work == DSPRT_WORK_SWITCH ||
         event->work == DSPRT_WORK_COLLECTIVE;
}

/// A collective as the model has it, and all its calls in a pass.
typedef struct DsprtCollective {
  const char *name, *value; ///< lent by the profile
  int32_t line;
  int64_t count;
  int64_t leaving; ///< of a call, on the rank where most leave
  double seconds;  ///< of a call, on the rank that waits least; median
} DsprtCollective;

/// The distinct collectives in the order of their first calls; the caller
/// frees them.  NULL: none, or no memory.
DsprtCollective *dsprt_profile_collectives(const DsprtProfile *profile,
                                           int *count);

/// A line of a table: sums over the calls of all ranks.
typedef struct DsprtRow {
  const char *name, *stage; ///< lent by the profile; NULL by kind of work
  int32_t work;
  int64_t calls;
  double seconds, flops, bytes, leaving;
} DsprtRow;

typedef struct DsprtRows {
  DsprtRow *rows; ///< the caller frees them; NULL when there is no memory
  int count;
  double seconds, gaps; ///< of a pass, and in it between spans: means of ranks
} DsprtRows;

/// By kind of work; or by stage and what was called there, longest first.
DsprtRows dsprt_profile_rows(const DsprtProfile *profile, bool by_stage);

/// Tables: time by kind of work and by stage.
void dsprt_profile_print(const DsprtProfile *profile, FILE *to);
/// A line for each distinct collective.
void dsprt_profile_print_collectives(const DsprtProfile *profile, FILE *to);
/// {"collectives": [..], "work": {..}}; the caller's.
json_t *dsprt_profile_json(const DsprtProfile *profile);
/// A trace for Perfetto or chrome://tracing: a process a rank, one track for
/// compute and one for communication.
bool dsprt_profile_save(const DsprtProfile *profile, const char *path,
                        DsprtErrors *errors);

#endif
