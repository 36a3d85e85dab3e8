// norm.cu - layer norm and RMS norm, a warp or a block for each row.
//
// Needs:  rows whose channels lie side by side.
// Leaves: y.  Statistics are f32; the variance is that of the second pass over
//         values that stay in registers.
#include "dsprt_kernels.cuh"
extern "C" {
#include "dsprt_compute.h"
}

enum { WARP = 32 };

/// The sum over a warp's or block's threads, in all of them.
template <int THREADS>
static __device__ float sum_of(float x, float *shared) {
  for (int step = WARP / 2; step > 0; step /= 2)
    x += __shfl_xor_sync(0xffffffffu, x, step);
  if (THREADS == WARP) return x;
  int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
  __syncthreads();
  if (lane == 0) shared[warp] = x;
  __syncthreads();
  float all = 0;
  for (int i = 0; i < THREADS / WARP; i++) all += shared[i];
  return all;
}

template <typename T>
struct Norm {
  int64_t rows;
  int channels;
  int64_t ldx, ldy;
  float eps;
  const T *x, *weight, *bias;
  T *y;
};

/// Rows in registers: K times N channels a thread, all loads under way at once.
template <typename T, int N, int THREADS, int K, bool LAYER>
static __global__ void __launch_bounds__(DSPRT_THREADS)
    norm_kernel(const Norm<T> p) {
  __shared__ float shared[DSPRT_THREADS / WARP];
  constexpr int ROWS = DSPRT_THREADS / THREADS;
  int64_t row = (int64_t)blockIdx.x * ROWS + threadIdx.x / THREADS;
  int lane = threadIdx.x % THREADS;
  if (row >= p.rows) return; // all threads of a row
  const T *x = p.x + row * p.ldx;
  T *y = p.y + row * p.ldy;
  DsprtFloats<N> v[K];
  float sum = 0, squares = 0;
#pragma unroll
  for (int k = 0; k < K; k++) {
    int at = (k * THREADS + lane) * N;
    if (at < p.channels)
      v[k] = dsprt_load<N>(x + at);
    else
      for (int i = 0; i < N; i++) v[k].v[i] = 0;
    for (int i = 0; i < N; i++) sum += v[k].v[i];
  }
  float mean = LAYER ? sum_of<THREADS>(sum, shared) / (float)p.channels : 0;
#pragma unroll
  for (int k = 0; k < K; k++) {
    bool there = (k * THREADS + lane) * N < p.channels;
    for (int i = 0; i < N; i++) {
      float d = there ? v[k].v[i] - mean : 0;
      squares += d * d;
    }
  }
  float variance = sum_of<THREADS>(squares, shared) / (float)p.channels;
  float scale = rsqrtf(variance + p.eps);
#pragma unroll
  for (int k = 0; k < K; k++) {
    int at = (k * THREADS + lane) * N;
    if (at >= p.channels) break;
    for (int i = 0; i < N; i++) v[k].v[i] = (v[k].v[i] - mean) * scale;
    if (p.weight) {
      DsprtFloats<N> w = dsprt_load<N>(p.weight + at);
      for (int i = 0; i < N; i++) v[k].v[i] *= w.v[i];
    }
    if (p.bias) {
      DsprtFloats<N> b = dsprt_load<N>(p.bias + at);
      for (int i = 0; i < N; i++) v[k].v[i] += b.v[i];
    }
    dsprt_store(y + at, v[k]);
  }
}

/// Rows of any size and alignment, read from memory each time.
template <typename T, bool LAYER>
static __global__ void any_norm_kernel(Norm<T> p) {
  __shared__ float shared[32];
  const T *x = p.x + blockIdx.x * p.ldx;
  T *y = p.y + blockIdx.x * p.ldy;
  float sum = 0, squares = 0;
  for (int c = threadIdx.x; LAYER && c < p.channels; c += DSPRT_THREADS)
    sum += dsprt_load_one(x + c);
  float mean =
      LAYER ? sum_of<DSPRT_THREADS>(sum, shared) / (float)p.channels : 0;
  for (int c = threadIdx.x; c < p.channels; c += DSPRT_THREADS) {
    float d = dsprt_load_one(x + c) - mean;
    squares += d * d;
  }
  float variance = sum_of<DSPRT_THREADS>(squares, shared) / (float)p.channels;
  float scale = 1.0f / sqrtf(variance + p.eps);
  for (int c = threadIdx.x; c < p.channels; c += DSPRT_THREADS) {
    float out = (dsprt_load_one(x + c) - mean) * scale;
    if (p.weight) out *= dsprt_load_one(p.weight + c);
    if (p.bias) out += dsprt_load_one(p.bias + c);
    dsprt_store_one(y + c, out);
  }
}

template <typename T, int N>
static bool is_aligned(const Norm<T> &p) {
  uintptr_t size = N * sizeof(T) > 16 ? 16 : N * sizeof(T);
  return p.channels % N == 0 && p.ldx % N == 0 && p.ldy % N == 0 &&
         (uintptr_t)p.x % size == 0 && (uintptr_t)p.y % size == 0 &&
         (uintptr_t)p.weight % size == 0 && (uintptr_t)p.bias % size == 0;
}

template <typename T, int N, int THREADS, int K, bool LAYER>
static void launch(DsprtRun *run, const Norm<T> &p) {
  norm_kernel<T, N, THREADS, K, LAYER>
      <<<dsprt_blocks(p.rows * THREADS), DSPRT_THREADS, 0,
         dsprt_stream(run)>>>(p);
}

/// A warp a row while a thread holds at most 48 channels, else a block a row.
template <typename T, bool LAYER>
static bool launch_aligned(DsprtRun *run, const Norm<T> &p) {
  constexpr int N = 16 / sizeof(T), MOST = 48 / N;
  int turns = (p.channels + WARP * N - 1) / (WARP * N);
  int block_turns = (p.channels + DSPRT_THREADS * N - 1) / (DSPRT_THREADS * N);
  if (!is_aligned<T, N>(p) || block_turns > MOST) return false;
  if (turns <= 1)
    launch<T, N, WARP, 1, LAYER>(run, p);
  else if (turns <= 2)
    launch<T, N, WARP, 2, LAYER>(run, p);
  else if (turns <= 3)
    launch<T, N, WARP, 3, LAYER>(run, p);
  else if (turns <= 5)
    launch<T, N, WARP, 5, LAYER>(run, p);
  else if (turns <= MOST)
    launch<T, N, WARP, MOST, LAYER>(run, p);
  else
    launch<T, N, DSPRT_THREADS, MOST, LAYER>(run, p);
  return true;
}

template <typename T, bool LAYER>
static void run_norm(DsprtRun *run, const Norm<T> &p) {
  DSPRT_SPAN(run, DSPRT_WORK_NORM, LAYER ? "layer_norm" : "rms_norm", 0,
             2.0 * sizeof(T) * (double)p.rows * p.channels);
  if (p.rows == 0 || p.channels == 0) return;
  if (!launch_aligned<T, LAYER>(run, p))
    any_norm_kernel<T, LAYER>
        <<<(unsigned)p.rows, DSPRT_THREADS, 0, dsprt_stream(run)>>>(p);
  dsprt_check_launch(run);
}

template <typename T>
static Norm<T> norm_of(const DsprtNorm *norm, const T *x, const T *weight,
                       const T *bias, T *y) {
  return {norm->rows, (int)norm->channels,
          norm->ldx ? norm->ldx : norm->channels,
          norm->ldy ? norm->ldy : norm->channels,
          norm->eps, x, weight, bias, y};
}

void dsprt_layer_norm_f32(DsprtRun *run, const DsprtNorm *norm, const float *x,
                          const float *weight, const float *bias, float *y) {
  run_norm<float, true>(run, norm_of(norm, x, weight, bias, y));
}

void dsprt_layer_norm_bf16(DsprtRun *run, const DsprtNorm *norm,
                           const DsprtBf16 *x, const DsprtBf16 *weight,
                           const DsprtBf16 *bias, DsprtBf16 *y) {
  run_norm<DsprtBf16, true>(run, norm_of(norm, x, weight, bias, y));
}

void dsprt_layer_norm_f16(DsprtRun *run, const DsprtNorm *norm,
                           const DsprtF16 *x, const DsprtF16 *weight,
                           const DsprtF16 *bias, DsprtF16 *y) {
  run_norm<DsprtF16, true>(run, norm_of(norm, x, weight, bias, y));
}

void dsprt_rms_norm_f32(DsprtRun *run, const DsprtNorm *norm, const float *x,
                        const float *weight, float *y) {
  run_norm<float, false>(run, norm_of<float>(norm, x, weight, nullptr, y));
}

void dsprt_rms_norm_bf16(DsprtRun *run, const DsprtNorm *norm,
                         const DsprtBf16 *x, const DsprtBf16 *weight,
                         DsprtBf16 *y) {
  run_norm<DsprtBf16, false>(run,
                             norm_of<DsprtBf16>(norm, x, weight, nullptr, y));
}

void dsprt_rms_norm_f16(DsprtRun *run, const DsprtNorm *norm,
                         const DsprtF16 *x, const DsprtF16 *weight,
                         DsprtF16 *y) {
  run_norm<DsprtF16, false>(run,
                             norm_of<DsprtF16>(norm, x, weight, nullptr, y));
}
