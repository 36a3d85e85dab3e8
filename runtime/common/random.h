// random.h - numbers that depend on a seed, a name and a position, and on
// nothing else: every number of ranks sees the same.
#ifndef DSPRT_COMMON_RANDOM_H
#define DSPRT_COMMON_RANDOM_H

#include <stdint.h>

#include "shape.h"

/// The key of a tensor.
uint64_t dsprt_random_key(uint64_t seed, const char *name);

/// Element `index` of the tensor: evenly spread with mean 0 and variance 1.
float dsprt_random(uint64_t key, int64_t index);

/// The part of a rank, out [count * length] of `type`: shift + scale times the
/// elements of the tensor.  Integers are zeros.  All threads take part.
void dsprt_random_runs(uint64_t key, const DsprtRuns *runs, float shift,
                       float scale, DsprtType type, void *out);

#endif
