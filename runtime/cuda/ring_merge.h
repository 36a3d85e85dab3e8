// ring_merge.h - merges attention over some keys with attention over others.
#ifndef DSPRT_CUDA_RING_MERGE_H
#define DSPRT_CUDA_RING_MERGE_H

#include <stdbool.h>

#include "attention.h"

/// What a ring has summed up so far; row r is query r of all elements of the
/// batch, in the order of the attention's dims.
typedef struct DsprtRingSums {
  int64_t rows;
  float *o;     ///< [rows, width]
  float *total; ///< [rows] the log-sum-exp of the scores
  float *step;  ///< [rows] the same of the keys that come now
} DsprtRingSums;

#ifdef __cplusplus
extern "C" {
#endif

/// Adds call->o and sums->step, over new keys, to the sums; `first`: there are
/// none yet; `last`: writes call->o.
void dsprt_ring_merge(DsprtRun *run, const DsprtAttentionCall *call,
                      const DsprtRingSums *sums, bool first, bool last);

#ifdef __cplusplus
}
#endif
#endif
