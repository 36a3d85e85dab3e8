// verify.h - are the outputs those of a file?
#ifndef DSPRT_COMMON_VERIFY_H
#define DSPRT_COMMON_VERIFY_H

#include "ports.h"

/// What one rank sees of one output; the largest of all ranks counts.
typedef struct DsprtDifference {
  double error;    ///< largest distance from what was expected
  double expected; ///< largest expected value
  double nans;     ///< elements without a finite error, on either side
} DsprtDifference;

/// Compares this rank's part of `port` with the tensor.
DsprtDifference dsprt_compare(const DsprtRun *run, const DsprtPort *port,
                              const DsprtTensor *expected);

/// The error relative to the largest expected value.
double dsprt_relative(const DsprtDifference *difference);

#endif
