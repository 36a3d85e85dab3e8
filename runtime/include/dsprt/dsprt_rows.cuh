// dsprt_rows.cuh - rows in registers, for emitted kernels that normalise them.
//
// A row of CHANNELS elements that lie side by side belongs to THREADS threads
// with consecutive numbers: a power of two up to a warp, or a whole block.  A
// thread holds chunks of WIDTH channels, THREADS * WIDTH apart, as f32.
#ifndef DSPRT_ROWS_CUH
#define DSPRT_ROWS_CUH

#include "dsprt_kernels.cuh"

template <int CHANNELS, int WIDTH, int THREADS>
struct DsprtRow {
  static constexpr int CHUNKS =
      (CHANNELS + WIDTH * THREADS - 1) / (WIDTH * THREADS);
  static constexpr int WARP = 32;
  DsprtFloats<WIDTH> x[CHUNKS];
  float mean, factor; ///< what the norm subtracted and multiplied by

  /// The first channel of chunk `k`, and whether there is one.
  static __device__ int channel(int k) {
    return (k * THREADS + (int)threadIdx.x % THREADS) * WIDTH;
  }
  static __device__ bool has(int k) { return channel(k) < CHANNELS; }

  /// One chunk from memory or to it.
  template <typename T>
  static __device__ DsprtFloats<WIDTH> chunk(const T *at) {
    if constexpr (WIDTH > 1) return dsprt_load<WIDTH>(at);
    return {{dsprt_load_one(at)}};
  }
  template <typename T>
  static __device__ void put(T *at, const DsprtFloats<WIDTH> &in) {
    if constexpr (WIDTH > 1)
      dsprt_store(at, in);
    else
      dsprt_store_one(at, in.v[0]);
  }

  template <typename T>
  __device__ void load(const T *from) {
#pragma unroll
    for (int k = 0; k < CHUNKS; k++)
      x[k] = has(k) ? chunk(from + channel(k)) : DsprtFloats<WIDTH>{};
  }

  template <typename T>
  __device__ void store(T *to) const {
#pragma unroll
    for (int k = 0; k < CHUNKS; k++)
      if (has(k)) put(to + channel(k), x[k]);
  }

  /// The sum over the threads of the row, in all of them.
  static __device__ float sum_of(float part) {
    constexpr int GROUP = THREADS < WARP ? THREADS : WARP;
    const int lane = threadIdx.x % WARP;
    const unsigned group = GROUP == WARP ? 0xffffffffu : (1u << GROUP) - 1;
    const unsigned mask = group << (lane - lane % GROUP);
#pragma unroll
    for (int step = GROUP / 2; step > 0; step /= 2)
      part += __shfl_xor_sync(mask, part, step);
    if constexpr (THREADS <= WARP) {
      return part;
    } else {
      __shared__ float shared[THREADS / WARP];
      __syncthreads(); // an earlier sum has been read
      if (lane == 0) shared[threadIdx.x / WARP] = part;
      __syncthreads();
      float sum = 0;
      for (int i = 0; i < THREADS / WARP; i++) sum += shared[i];
      return sum;
    }
  }

  __device__ float sum_of_squares() const {
    float part = 0;
#pragma unroll
    for (int k = 0; k < CHUNKS; k++)
      for (int v = 0; v < WIDTH; v++) {
        const float d = has(k) ? x[k].v[v] - mean : 0;
        part += d * d;
      }
    return sum_of(part);
  }

  __device__ void normalize(float eps) {
    factor = rsqrtf(sum_of_squares() / CHANNELS + eps);
#pragma unroll
    for (int k = 0; k < CHUNKS; k++)
      for (int v = 0; v < WIDTH; v++) x[k].v[v] = (x[k].v[v] - mean) * factor;
  }

  /// (x - mean) / sqrt(variance + eps); the variance is that of a second pass.
  __device__ void layer_norm(float eps) {
    float part = 0;
#pragma unroll
    for (int k = 0; k < CHUNKS; k++)
      for (int v = 0; v < WIDTH; v++) part += x[k].v[v];
    mean = sum_of(part) / CHANNELS;
    normalize(eps);
  }

  /// x / sqrt(mean of x^2 + eps)
  __device__ void rms_norm(float eps) {
    mean = 0;
    normalize(eps);
  }

  /// Multiplies by a weight, adds a bias: one element a channel.
  template <typename T>
  __device__ void scale(const T *weight) {
#pragma unroll
    for (int k = 0; k < CHUNKS; k++) {
      if (!has(k)) break;
      const DsprtFloats<WIDTH> w = chunk(weight + channel(k));
      for (int v = 0; v < WIDTH; v++) x[k].v[v] *= w.v[v];
    }
  }
  template <typename T>
  __device__ void shift(const T *bias) {
#pragma unroll
    for (int k = 0; k < CHUNKS; k++) {
      if (!has(k)) break;
      const DsprtFloats<WIDTH> b = chunk(bias + channel(k));
      for (int v = 0; v < WIDTH; v++) x[k].v[v] += b.v[v];
    }
  }

  /// Rotates channels 2 i and 2 i + 1 by angle i, of whose CHANNELS / 2 the
  /// cosines and sines are given.
  __device__ void rotate_neighbours(const float *cosines, const float *sines) {
    static_assert(WIDTH % 2 == 0, "a pair belongs to one thread");
#pragma unroll
    for (int k = 0; k < CHUNKS; k++) {
      if (!has(k)) break;
      const DsprtFloats<WIDTH / 2> c =
          dsprt_load<WIDTH / 2>(cosines + channel(k) / 2);
      const DsprtFloats<WIDTH / 2> s =
          dsprt_load<WIDTH / 2>(sines + channel(k) / 2);
      for (int v = 0; v < WIDTH / 2; v++) {
        const float a = x[k].v[2 * v], b = x[k].v[2 * v + 1];
        x[k].v[2 * v] = a * c.v[v] - b * s.v[v];
        x[k].v[2 * v + 1] = b * c.v[v] + a * s.v[v];
      }
    }
  }

  /// Rotates channels i and i + CHANNELS / 2 by angle i.  The other channel of
  /// a pair belongs to another thread: it is read and normalised once more.
  template <typename T>
  __device__ void rotate_halves(const T *from, const T *weight, const T *bias,
                                const float *cosines, const float *sines) {
    constexpr int HALF = CHANNELS / 2;
    static_assert(HALF % WIDTH == 0, "a chunk belongs to one half");
#pragma unroll
    for (int k = 0; k < CHUNKS; k++) {
      if (!has(k)) break;
      const bool first = channel(k) < HALF;
      const int other = channel(k) + (first ? HALF : -HALF);
      const int angle = first ? channel(k) : other;
      DsprtFloats<WIDTH> y = chunk(from + other);
      for (int v = 0; v < WIDTH; v++) y.v[v] = (y.v[v] - mean) * factor;
      if (weight) {
        const DsprtFloats<WIDTH> w = chunk(weight + other);
        for (int v = 0; v < WIDTH; v++) y.v[v] *= w.v[v];
      }
      if (bias) {
        const DsprtFloats<WIDTH> b = chunk(bias + other);
        for (int v = 0; v < WIDTH; v++) y.v[v] += b.v[v];
      }
      const DsprtFloats<WIDTH> c = chunk(cosines + angle);
      const DsprtFloats<WIDTH> s = chunk(sines + angle);
      for (int v = 0; v < WIDTH; v++) {
        const float turned = first ? -y.v[v] * s.v[v] : y.v[v] * s.v[v];
        x[k].v[v] = x[k].v[v] * c.v[v] + turned;
      }
    }
  }
  template <typename T>
  __device__ void rotate_halves(const T *from, const T *weight,
                                const float *cosines, const float *sines) {
    rotate_halves(from, weight, (const T *)nullptr, cosines, sines);
  }
  template <typename T>
  __device__ void rotate_halves(const T *from, const float *cosines,
                                const float *sines) {
    rotate_halves(from, (const T *)nullptr, cosines, sines);
  }
};

#endif
