// hopper.cuh - sm_90a: barriers and tensor copies in shared memory, and
// products of a warpgroup.
//
// Needs:  code for compute_90a.
// Leaves: thin names for PTX; no policy.
// Source: the PTX ISA, "Asynchronous Warpgroup Level Matrix Instructions".
#ifndef DSPRT_CUDA_HOPPER_CUH
#define DSPRT_CUDA_HOPPER_CUH

#include <cuda.h>
#include <stdint.h>

enum { WARPGROUP = 128 };

static __device__ inline uint32_t shared_address(const void *at) {
  return (uint32_t)__cvta_generic_to_shared(at);
}

// Barriers in shared memory: `count` arrivals, and bytes of copies, end a
// phase; whoever waits names the parity of the phase.

static __device__ inline void barrier_init(uint32_t barrier, uint32_t count) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier),
               "r"(count)
               : "memory");
}

/// Makes barriers that were just initialized known to the copy engine.
static __device__ inline void barriers_publish(void) {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}

static __device__ inline void barrier_arrive(uint32_t barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier)
               : "memory");
}

static __device__ inline void barrier_expect(uint32_t barrier, uint32_t bytes) {
  asm volatile(
      "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier),
      "r"(bytes)
      : "memory");
}

static __device__ inline void barrier_wait(uint32_t barrier, uint32_t parity) {
  asm volatile("{\n"
               ".reg .pred done;\n"
               "again:\n"
               "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
               "@!done bra again;\n"
               "}\n" ::"r"(barrier),
               "r"(parity)
               : "memory");
}

// Numbered barriers among `threads` threads.

static __device__ inline void group_sync(int barrier, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(barrier), "r"(threads) : "memory");
}

static __device__ inline void group_arrive(int barrier, int threads) {
  asm volatile("bar.arrive %0, %1;" ::"r"(barrier), "r"(threads) : "memory");
}

/// Copies one box of a tensor of five dims to shared memory; what lies outside
/// of the tensor becomes 0.
static __device__ inline void copy_box(uint32_t to, const CUtensorMap *map,
                                       uint32_t barrier, int column, int row,
                                       const int (&batch)[3]) {
  asm volatile(
      "cp.async.bulk.tensor.5d.shared::cluster.global.tile"
      ".mbarrier::complete_tx::bytes [%0], [%1, {%2, %3, %4, %5, %6}], [%7];" ::
          "r"(to),
      "l"(map), "r"(column), "r"(row), "r"(batch[0]), "r"(batch[1]),
      "r"(batch[2]), "r"(barrier)
      : "memory");
}

template <int REGISTERS> static __device__ inline void take_registers(void) {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(REGISTERS));
}

template <int REGISTERS> static __device__ inline void give_registers(void) {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(REGISTERS));
}

/// A matrix in shared memory whose rows of `width` bf16 are swizzled as the
/// copy engine leaves them (64: 128 bytes, 32: 64, 16: 32, 8: not).  `lead` and
/// `step` are in bytes; what they mean depends on the width and on which dim is
/// contiguous.
struct Matrix {
  uint32_t low, high;
};

static __device__ inline Matrix describe(uint32_t at, uint32_t lead,
                                         uint32_t step, int width) {
  uint32_t swizzle = width == 64 ? 1 : width == 32 ? 2 : width == 16 ? 3 : 0;
  return {(at & 0x3ffff) >> 4 | (lead >> 4) << 16, step >> 4 | swizzle << 30};
}

/// The descriptor of what lies `bytes` behind the matrix's begin.
static __device__ inline uint64_t at_bytes(Matrix m, uint32_t bytes) {
  uint64_t out;
  asm("mov.b64 %0, {%1, %2};"
      : "=l"(out)
      : "r"(m.low + (bytes >> 4)), "r"(m.high));
  return out;
}

// Products run by themselves once issued: products_begin after registers of
// theirs were written, products_commit to close a batch of them, products_wait
// until at most PENDING batches run.

static __device__ inline void products_begin(void) {
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}

static __device__ inline void products_commit(void) {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}

template <int PENDING> static __device__ inline void products_wait(void) {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(PENDING) : "memory");
}

/// Keeps the compiler from moving uses of registers across this line.
template <int N> static __device__ inline void hold(float (&x)[N][4]) {
#pragma unroll
  for (int n = 0; n < N; n++)
    asm volatile(""
                 : "+f"(x[n][0]), "+f"(x[n][1]), "+f"(x[n][2]),
                   "+f"(x[n][3])::"memory");
}

template <int N> static __device__ inline void hold(uint32_t (&x)[N][4]) {
#pragma unroll
  for (int n = 0; n < N; n++)
    asm volatile(""
                 : "+r"(x[n][0]), "+r"(x[n][1]), "+r"(x[n][2]),
                   "+r"(x[n][3])::"memory");
}

/// Two bf16 in one register, the first in the low half.
static __device__ inline uint32_t pack_bf16(float low, float high) {
  uint32_t out;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(out) : "f"(high), "f"(low));
  return out;
}

#endif
