// timing.h - the median time of something that is done again and again.
#ifndef DSPRT_BENCH_TIMING_H
#define DSPRT_BENCH_TIMING_H

#include "state.h"

typedef void DsprtWork(DsprtRun *run, void *data);

/// Seconds of one call on the slowest rank: the median of several, after one
/// that is not counted.  Collective.
double dsprt_time(DsprtRun *run, DsprtWork *work, void *data);

/// `n` random elements; ends the program when there is no memory.
float *dsprt_random_floats(DsprtRun *run, int64_t n);

#endif
