// dsprt_profile.h - spans of a pass: what was done, and how much of it.
//
// Every call of the runtime and every emitted kernel or loop is a span.  They
// are recorded only while run->profile is set (--profile, --bench on several
// ranks); else a span costs one test.  Spans within spans are not recorded: a
// switch is one, whatever it copies.
#ifndef DSPRT_PROFILE_H
#define DSPRT_PROFILE_H

#include "dsprt_program.h"

/// What a span is spent on.
typedef enum DsprtWorkKind {
  DSPRT_WORK_PRODUCT,
  DSPRT_WORK_ATTENTION,
  DSPRT_WORK_NORM,
  DSPRT_WORK_FUSED, ///< emitted kernels and loops
  DSPRT_WORK_COPY,
  DSPRT_WORK_SWITCH,     ///< this one and the next: between ranks
  DSPRT_WORK_COLLECTIVE, ///< others than switches
  DSPRT_WORK_STAGE,      ///< no span: where a stage begins
} DsprtWorkKind;

#ifdef __cplusplus
extern "C" {
#endif
/// Begins a span.  `name` says how the work is done and outlives the run;
/// `flops` are useful operations, `bytes` what is read and written at least.
/// Bytes between ranks are counted where they are sent and need no value.
void dsprt_span_begin(DsprtRun *run, DsprtWorkKind work, const char *name,
                      double flops, double bytes);
void dsprt_span_end(DsprtRun *run);
#ifdef __cplusplus
}
#endif

/// Says what is computed next: the line of the source, and the value's name.
static inline void dsprt_at(DsprtRun *run, int line, const char *value) {
  run->line = line;
  run->value = value;
}

/// A loop that the program writes itself stands between these two.
static inline void dsprt_loop_begin(DsprtRun *run, double bytes) {
  if (run->profile)
    dsprt_span_begin(run, DSPRT_WORK_FUSED, "loop", 0, bytes);
}
static inline void dsprt_loop_end(DsprtRun *run) {
  if (run->profile) dsprt_span_end(run);
}

/// A span from here to the end of the block.
#ifdef __cplusplus
struct DsprtSpan {
  DsprtRun *run;
  DsprtSpan(const DsprtSpan &) = delete;
  ~DsprtSpan() {
    if (run) dsprt_span_end(run);
  }
};
#define DSPRT_SPAN(run, work, name, flops, bytes)                              \
  const DsprtSpan dsprt_span{                                                  \
      (run)->profile                                                           \
          ? (dsprt_span_begin(run, work, name, flops, bytes), (run))           \
          : nullptr}
#else
static inline void dsprt_span_close(DsprtRun **run) {
  if (*run) dsprt_span_end(*run);
}
#define DSPRT_SPAN(run, work, name, flops, bytes)                              \
  DsprtRun *dsprt_span __attribute__((cleanup(dsprt_span_close))) =            \
      (run)->profile                                                           \
          ? (dsprt_span_begin(run, work, name, flops, bytes), (run))           \
          : NULL
#endif

#endif
