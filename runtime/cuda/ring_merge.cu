// ring_merge.cu - merges attention over some keys with attention over others.
//
// Two softmaxes over different keys, each divided by its own sum, become one
// when they are weighted with their shares of the sum of both.
//
// Needs:  o and the log-sum-exp over the new keys.
// Leaves: those over all keys so far, in f32; o of the last step.
#include "dsprt_kernels.cuh"

extern "C" {
#include "backend.h"
}
#include "ring_merge.h"

enum { LANES = 32, WARPS = DSPRT_THREADS / LANES };

/// Where row `at` of o begins.
static __device__ int64_t row_of(const DsprtAttention &a, int64_t at) {
  int64_t offset = 0;
  for (int i = a.nquery; i-- > 0;) {
    offset += at % a.query[i].size * a.query[i].o;
    at /= a.query[i].size;
  }
  for (int i = a.nbatch; i-- > 0;) {
    offset += at % a.batch[i].size * a.batch[i].o;
    at /= a.batch[i].size;
  }
  return offset;
}

template <typename T>
static __global__ void merge_kernel(DsprtAttention a, DsprtRingSums sums, T *o,
                                    bool first, bool last) {
  int lane = threadIdx.x % LANES;
  int64_t at = (int64_t)blockIdx.x * WARPS + threadIdx.x / LANES;
  if (at >= sums.rows) return;
  o += row_of(a, at);
  float *sum = sums.o + at * a.width;
  float before = first ? -INFINITY : sums.total[at], now = sums.step[at];
  float top = fmaxf(before, now);
  float total = top + logf(expf(before - top) + expf(now - top));
  float keep = expf(before - total), add = expf(now - total);
  for (int64_t c = lane; c < a.width; c += LANES) {
    float x = add * dsprt_load_one(o + c);
    if (!first) x += keep * sum[c];
    if (last)
      dsprt_store_one(o + c, x);
    else
      sum[c] = x;
  }
  __syncwarp();
  if (lane == 0) sums.total[at] = total;
}

template <typename T>
static void launch(DsprtRun *run, const DsprtAttentionCall *call,
                   const DsprtRingSums *sums, bool first, bool last) {
  unsigned blocks = (unsigned)((sums->rows + WARPS - 1) / WARPS);
  merge_kernel<<<blocks, DSPRT_THREADS, 0, dsprt_stream(run)>>>(
      call->a, *sums, (T *)call->o, first, last);
  dsprt_check_launch(run);
}

void dsprt_ring_merge(DsprtRun *run, const DsprtAttentionCall *call,
                      const DsprtRingSums *sums, bool first, bool last) {
  if (sums->rows == 0) return;
  if (call->type == DSPRT_F32)
    launch<float>(run, call, sums, first, last);
  else if (call->type == DSPRT_BF16)
    launch<DsprtBf16>(run, call, sums, first, last);
  else
    launch<DsprtF16>(run, call, sums, first, last);
}
