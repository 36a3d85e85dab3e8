// marks.c - times of a profile by events of the stream, and a GPU's limits.
//
// Needs:  a stream.
// Leaves: seconds on the host's monotonic clock.
#include <stdlib.h>
#include <time.h>

#include "state.h"

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int64_t dsprt_backend_leaving(const DsprtRun *run) {
  return run->state->counted;
}

void dsprt_backend_mark(DsprtRun *run, int64_t index) {
  DsprtState *state = run->state;
  while (index >= state->nmarks) {
    int64_t more = 2 * state->nmarks + 256;
    state->marks = realloc(state->marks, (size_t)more * sizeof *state->marks);
    if (!state->marks) dsprt_fail(run, "out of memory for a profile");
    for (; state->nmarks < more; state->nmarks++)
      dsprt_check_cuda(run, cudaEventCreate(&state->marks[state->nmarks]),
                       "a profile");
  }
  dsprt_check_cuda(run, cudaEventRecord(state->marks[index], state->stream),
                   "a profile");
}

/// One more event, of which the host knows the time, ties the two clocks.
double dsprt_backend_marks(DsprtRun *run, int64_t count, double *seconds) {
  DsprtState *state = run->state;
  float ms = 0;
  dsprt_wait(run);
  dsprt_watch_end(run);
  dsprt_backend_mark(run, count);
  double begin = now();
  dsprt_wait(run);
  double end = (begin + now()) / 2;
  for (int64_t i = 0; i < count; i++) {
    dsprt_check_cuda(
        run, cudaEventElapsedTime(&ms, state->marks[0], state->marks[i]),
        "a profile");
    seconds[i] = 1e-3 * (double)ms;
  }
  dsprt_check_cuda(
      run, cudaEventElapsedTime(&ms, state->marks[0], state->marks[count]),
      "a profile");
  return end - 1e-3 * (double)ms;
}

static double attribute(const DsprtRun *run, enum cudaDeviceAttr what) {
  int value = 0;
  cudaDeviceGetAttribute(&value, what, run->state->device);
  return value;
}

/// Operations of a multiprocessor in a cycle.
static double flops_of_cycle(const DsprtRun *run, DsprtType type) {
  double major = attribute(run, cudaDevAttrComputeCapabilityMajor);
  double half = major == 9 ? 4096 : major == 8 ? 2048 : 0;
  if (type != DSPRT_F32) return half;
  return run->state->tf32 ? half / 2 : half / 16;
}

DsprtLimits dsprt_backend_limits(const DsprtRun *run, DsprtType type) {
  return (DsprtLimits){
      .flops = flops_of_cycle(run, type) * 1e3 *
               attribute(run, cudaDevAttrClockRate) *
               attribute(run, cudaDevAttrMultiProcessorCount),
      .bytes = 2 * 1e3 * attribute(run, cudaDevAttrMemoryClockRate) *
               attribute(run, cudaDevAttrGlobalMemoryBusWidth) / 8};
}

void dsprt_marks_free(DsprtState *state) {
  for (int64_t i = 0; i < state->nmarks; i++) cudaEventDestroy(state->marks[i]);
  free(state->marks);
}
