// verify.c - are the outputs those of a file?
//
// Needs:  tensors that dsprt_port_tensor accepted; a build without
//         -ffast-math, which would not see a NaN.
// Leaves: nothing but its results.
#include "verify.h"

#include <math.h>

#include "convert.h"
#include "shape.h"

#ifdef __FAST_MATH__
#error "verify.c must see NaNs: compile it without -ffast-math"
#endif

static void compare_one(DsprtDifference *d, double is, double want) {
  double size = fabs(want), error = fabs(is - want);
  if (is == want) error = 0; // also of two infinities
  if (isnan(error) || isinf(error)) d->nans += 1;
  if (error > d->error) d->error = error;
  if (size > d->expected) d->expected = size;
}

DsprtDifference dsprt_compare(const DsprtRun *run, const DsprtPort *port,
                              const DsprtTensor *expected) {
  DsprtDifference d = {0};
  DsprtRuns runs = dsprt_port_runs(run, port);
  const void *data = dsprt_port_data(run, port);
  for (int64_t i = 0; i < runs.count; i++)
    for (int64_t k = 0; k < runs.length; k++)
      compare_one(
          &d,
          (double)dsprt_element(port->shape.type, data, i * runs.length + k),
          (double)dsprt_element(expected->shape.type, expected->data,
                                dsprt_run_begin(&runs, i) + k));
  return d;
}

double dsprt_relative(const DsprtDifference *difference) {
  if (difference->expected > 0) return difference->error / difference->expected;
  return difference->error;
}
