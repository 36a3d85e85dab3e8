// norm.cu - layer norm and RMS norm, a warp or a block for each row.
//
// Needs:  rows whose channels lie side by side.
// Leaves: y.  Statistics are f32; the variance is that of the second pass over
//         values that stay in registers.
#include "dsprt_kernels.cuh"
extern "C" {
#include "dsprt_compute.h"
}

enum { WARP = 32, MAX_PER_THREAD = 8 };

static __device__ inline float load_one(const float *x) { return *x; }
static __device__ inline float load_one(const DsprtBf16 *x) {
  return dsprt_from_bf16(*x);
}
static __device__ inline void store_one(float *y, float x) { *y = x; }
static __device__ inline void store_one(DsprtBf16 *y, float x) {
  *y = dsprt_to_bf16(x);
}

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

/// Rows of at most 8 x 8 x THREADS channels in registers, N at a time.
template <typename T, int N, int THREADS, bool LAYER>
static __global__ void norm_kernel(Norm<T> p) {
  __shared__ float shared[32];
  constexpr int ROWS = THREADS == WARP ? DSPRT_THREADS / WARP : 1;
  int64_t row = (int64_t)blockIdx.x * ROWS + threadIdx.x / THREADS;
  int lane = threadIdx.x % THREADS;
  if (row >= p.rows) return; // all threads of a row
  const T *x = p.x + row * p.ldx;
  T *y = p.y + row * p.ldy;
  DsprtFloats<N> v[MAX_PER_THREAD];
  float sum = 0;
#pragma unroll
  for (int k = 0; k < MAX_PER_THREAD; k++) {
    int at = (k * THREADS + lane) * N;
    if (at >= p.channels) break;
    v[k] = dsprt_load<N>(x + at);
    for (int i = 0; i < N; i++) sum += v[k].v[i];
  }
  float mean = LAYER ? sum_of<THREADS>(sum, shared) / (float)p.channels : 0;
  float squares = 0;
#pragma unroll
  for (int k = 0; k < MAX_PER_THREAD; k++) {
    if ((k * THREADS + lane) * N >= p.channels) break;
    for (int i = 0; i < N; i++) {
      float d = v[k].v[i] - mean;
      squares += d * d;
    }
  }
  float variance = sum_of<THREADS>(squares, shared) / (float)p.channels;
  float scale = 1.0f / sqrtf(variance + p.eps);
#pragma unroll
  for (int k = 0; k < MAX_PER_THREAD; k++) {
    int at = (k * THREADS + lane) * N;
    if (at >= p.channels) break;
    DsprtFloats<N> w, b;
    if (p.weight) w = dsprt_load<N>(p.weight + at);
    if (p.bias) b = dsprt_load<N>(p.bias + at);
    for (int i = 0; i < N; i++) {
      float out = (v[k].v[i] - mean) * scale;
      if (p.weight) out *= w.v[i];
      if (p.bias) out += b.v[i];
      v[k].v[i] = out;
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
    sum += load_one(x + c);
  float mean =
      LAYER ? sum_of<DSPRT_THREADS>(sum, shared) / (float)p.channels : 0;
  for (int c = threadIdx.x; c < p.channels; c += DSPRT_THREADS) {
    float d = load_one(x + c) - mean;
    squares += d * d;
  }
  float variance = sum_of<DSPRT_THREADS>(squares, shared) / (float)p.channels;
  float scale = 1.0f / sqrtf(variance + p.eps);
  for (int c = threadIdx.x; c < p.channels; c += DSPRT_THREADS) {
    float out = (load_one(x + c) - mean) * scale;
    if (p.weight) out *= load_one(p.weight + c);
    if (p.bias) out += load_one(p.bias + c);
    store_one(y + c, out);
  }
}

template <typename T, int N>
static bool is_aligned(const Norm<T> &p) {
  uintptr_t size = N * sizeof(T) > 16 ? 16 : N * sizeof(T);
  return p.channels % N == 0 && p.ldx % N == 0 && p.ldy % N == 0 &&
         (uintptr_t)p.x % size == 0 && (uintptr_t)p.y % size == 0 &&
         (uintptr_t)p.weight % size == 0 && (uintptr_t)p.bias % size == 0;
}

template <typename T, bool LAYER>
static void run_norm(DsprtRun *run, const Norm<T> &p) {
  constexpr int N = 16 / sizeof(T);
  cudaStream_t stream = dsprt_stream(run);
  if (p.rows == 0 || p.channels == 0) return;
  if (is_aligned<T, N>(p) && p.channels <= MAX_PER_THREAD * WARP * N) {
    unsigned blocks = dsprt_blocks(p.rows * WARP);
    norm_kernel<T, N, WARP, LAYER>
        <<<blocks, DSPRT_THREADS, 0, stream>>>(p);
  } else if (is_aligned<T, N>(p) &&
             p.channels <= MAX_PER_THREAD * DSPRT_THREADS * N) {
    norm_kernel<T, N, DSPRT_THREADS, LAYER>
        <<<(unsigned)p.rows, DSPRT_THREADS, 0, stream>>>(p);
  } else {
    any_norm_kernel<T, LAYER>
        <<<(unsigned)p.rows, DSPRT_THREADS, 0, stream>>>(p);
  }
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
