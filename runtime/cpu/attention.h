// attention.h - attention over keys that come in several calls.
#ifndef DSPRT_CPU_ATTENTION_H
#define DSPRT_CPU_ATTENTION_H

#include <stdbool.h>

#include "dsprt_compute.h"
#include "softmax.h"

/// What is known of every query after some of the keys.
typedef struct DsprtPartial {
  float *o;           ///< [batches, queries, width] not divided yet
  DsprtSoftmax *rows; ///< [batches, queries]
  bool first;         ///< no keys yet: the sums need no value
  bool last;          ///< these are the last keys: write the results
} DsprtPartial;

/// Attention of `type`; with `partial`, over these keys on top of those of the
/// calls before.  No keys at all are allowed then.
void dsprt_attend(DsprtRun *run, const DsprtAttention *attention,
                  DsprtType type, const void *q, const void *k, const void *v,
                  void *o, const DsprtPartial *partial);

#endif
