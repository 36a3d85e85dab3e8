// dsprt_kernels.cuh - what emitted kernels include.
//
// A kernel has one thread for each element, or for each 16 bytes of them: it
// loads DsprtFloats, computes in f32 and stores them.
#ifndef DSPRT_KERNELS_CUH
#define DSPRT_KERNELS_CUH

#include <cuda_runtime.h>

extern "C" {
#include "dsprt_profile.h"
#include "dsprt_program.h"
}
#include "dsprt_math.h"
#include "dsprt_types.h"

enum { DSPRT_THREADS = 256 }; ///< of a block

extern "C" {
/// The stream on which everything of a run is enqueued.
cudaStream_t dsprt_stream(DsprtRun *run);
/// Ends all ranks when the last launch failed.
void dsprt_check_launch(DsprtRun *run);
}

static inline unsigned dsprt_blocks(int64_t threads) {
  return (unsigned)((threads + DSPRT_THREADS - 1) / DSPRT_THREADS);
}

static __device__ inline int64_t dsprt_thread(void) {
  return (int64_t)blockIdx.x * DSPRT_THREADS + threadIdx.x;
}

/// One element as f32, and back.
static __device__ inline float dsprt_load_one(const float *x) { return *x; }
static __device__ inline float dsprt_load_one(const DsprtBf16 *x) {
  return dsprt_from_bf16(*x);
}
static __device__ inline float dsprt_load_one(const DsprtF16 *x) {
  return dsprt_from_f16(*x);
}
static __device__ inline void dsprt_store_one(float *y, float x) { *y = x; }
static __device__ inline void dsprt_store_one(DsprtBf16 *y, float x) {
  *y = dsprt_to_bf16(x);
}

static __device__ inline void dsprt_store_one(DsprtF16 *y, float x) {
  *y = dsprt_to_f16(x);
}

/// N neighbours in registers.
template <int N>
struct DsprtFloats {
  float v[N];
};

/// Loads N floats; `x` is aligned to min(16, 4 N) bytes.
template <int N>
static __device__ inline DsprtFloats<N> dsprt_load(const float *x) {
  DsprtFloats<N> out;
  if constexpr (N % 4 == 0) {
    for (int i = 0; i < N; i += 4) {
      const float4 four = *reinterpret_cast<const float4 *>(x + i);
      out.v[i] = four.x, out.v[i + 1] = four.y;
      out.v[i + 2] = four.z, out.v[i + 3] = four.w;
    }
  } else {
    for (int i = 0; i < N; i++) out.v[i] = x[i];
  }
  return out;
}

/// Words that hold N bf16 or f16.
template <int N>
struct alignas(2 * N) DsprtHalves {
  uint32_t words[N / 2];
};

/// Loads N bf16; `x` is aligned to 2 N bytes.
template <int N>
static __device__ inline DsprtFloats<N> dsprt_load(const DsprtBf16 *x) {
  const DsprtHalves<N> in = *reinterpret_cast<const DsprtHalves<N> *>(x);
  DsprtFloats<N> out;
  for (int i = 0; i < N / 2; i++) {
    out.v[2 * i] = dsprt_of_bits(in.words[i] << 16);
    out.v[2 * i + 1] = dsprt_of_bits(in.words[i] & 0xffff0000u);
  }
  return out;
}

/// Loads N f16; `x` is aligned to 2 N bytes.
template <int N>
static __device__ inline DsprtFloats<N> dsprt_load(const DsprtF16 *x) {
  const DsprtHalves<N> in = *reinterpret_cast<const DsprtHalves<N> *>(x);
  DsprtFloats<N> out;
  for (int i = 0; i < N / 2; i++) {
    out.v[2 * i] = dsprt_from_f16({(uint16_t)in.words[i]});
    out.v[2 * i + 1] = dsprt_from_f16({(uint16_t)(in.words[i] >> 16)});
  }
  return out;
}

template <int N>
static __device__ inline void dsprt_store(float *x, const DsprtFloats<N> &in) {
  if constexpr (N % 4 == 0) {
    for (int i = 0; i < N; i += 4)
      *reinterpret_cast<float4 *>(x + i) =
          make_float4(in.v[i], in.v[i + 1], in.v[i + 2], in.v[i + 3]);
  } else {
    for (int i = 0; i < N; i++) x[i] = in.v[i];
  }
}

template <int N>
static __device__ inline void dsprt_store(DsprtBf16 *x,
                                          const DsprtFloats<N> &in) {
  DsprtHalves<N> out;
  for (int i = 0; i < N / 2; i++)
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;"
        : "=r"(out.words[i])
        : "f"(in.v[2 * i + 1]), "f"(in.v[2 * i]));
  *reinterpret_cast<DsprtHalves<N> *>(x) = out;
}

template <int N>
static __device__ inline void dsprt_store(DsprtF16 *x,
                                          const DsprtFloats<N> &in) {
  DsprtHalves<N> out;
  for (int i = 0; i < N / 2; i++)
    asm("cvt.rn.f16x2.f32 %0, %1, %2;"
        : "=r"(out.words[i])
        : "f"(in.v[2 * i + 1]), "f"(in.v[2 * i]));
  *reinterpret_cast<DsprtHalves<N> *>(x) = out;
}

#endif
