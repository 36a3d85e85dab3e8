// softmax.h - a softmax whose columns come tile by tile.
#ifndef DSPRT_CPU_SOFTMAX_H
#define DSPRT_CPU_SOFTMAX_H

#include <stdint.h>

/// What is known of one row so far.
typedef struct DsprtSoftmax {
  float most; ///< largest score
  float sum;  ///< of exp(score - most)
} DsprtSoftmax;

DsprtSoftmax dsprt_softmax_begin(void);

/// Turns n scores into exp(score - most) and takes them into the row; -INFINITY
/// gives 0, and a row of nothing else the sum 0.  Returns the factor by which everything that was summed before must shrink.
float dsprt_softmax_next(DsprtSoftmax *row, float *scores, int64_t n);

#endif
