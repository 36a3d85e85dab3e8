// timing.c - the median time of something that is done again and again.
//
// Needs:  an open run.
// Leaves: nothing.
#include "timing.h"

#include <stdlib.h>

#include "random.h"

enum { TIMES = 9 };

static int by_value(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

double dsprt_time(DsprtRun *run, DsprtWork *work, void *data) {
  double seconds[TIMES];
  work(run, data);
  for (int i = 0; i < TIMES; i++) {
    MPI_Barrier(run->state->comm);
    double begin = MPI_Wtime();
    work(run, data);
    seconds[i] = MPI_Wtime() - begin;
  }
  MPI_Allreduce(MPI_IN_PLACE, seconds, TIMES, MPI_DOUBLE, MPI_MAX,
                run->state->comm);
  qsort(seconds, TIMES, sizeof *seconds, by_value);
  return seconds[TIMES / 2];
}

float *dsprt_random_floats(DsprtRun *run, int64_t n) {
  float *x = malloc((size_t)n * sizeof *x);
  if (!x) dsprt_fail(run, "out of memory");
  for (int64_t i = 0; i < n; i++) x[i] = dsprt_random(1, i);
  return x;
}
