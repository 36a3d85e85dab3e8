// dsprt_short.cuh - attention over a few keys, bound by memory traffic.
//
// cuDNN and FlashAttention work in tiles of 64 or 128 keys; temporal attention
// over 16 frames would compute and wait for eight times of what it needs.
// Here a warp holds 16 queries of one head and all their scores.  A group of
// warps has one element of the batch (a head is one): it copies q, k and v from
// where the linear left them to shared memory, 16 bytes at a time, and many
// groups share a multiprocessor, so that while some wait for memory others
// compute.  Between the copy and the products a kernel may change the rows of q
// and k where they lie: emitted kernels norm and rotate them
// (dsprt_tile.cuh).
//
// A kernel of THREADS threads a block and BYTES of shared memory does
//
//   fetch q, k and v; wait; change rows of q and k, and sync; attend
//
// Needs:  bf16, f16 or f32; heads of D channels, a multiple of 8 up to 128; at
//         most MOST queries and as many keys; rows aligned to 16 bytes.
// Leaves: o.  Scores, softmax and sums in f32; for the second product the
//         probabilities are rounded to the type of v.
#ifndef DSPRT_SHORT_CUH
#define DSPRT_SHORT_CUH

#include <type_traits>

#include "dsprt_kernels.cuh"

// Tiles of 8 rows of 16 bytes from shared memory to registers.

static __device__ inline void dsprt_tiles4(uint32_t (&r)[4], uint32_t at) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(at)
               : "memory");
}

static __device__ inline void dsprt_tiles2(uint32_t &r0, uint32_t &r1,
                                           uint32_t at) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0,%1}, [%2];"
               : "=r"(r0), "=r"(r1)
               : "r"(at)
               : "memory");
}

static __device__ inline void dsprt_tiles4_turned(uint32_t (&r)[4],
                                                  uint32_t at) {
  asm volatile(
      "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
      : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
      : "r"(at)
      : "memory");
}

static __device__ inline void dsprt_tiles2_turned(uint32_t &r0, uint32_t &r1,
                                                  uint32_t at) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];"
               : "=r"(r0), "=r"(r1)
               : "r"(at)
               : "memory");
}

/// c += a b for 16 rows, 8 columns and 16 terms; two elements in a register.
template <typename E>
static __device__ inline void dsprt_multiply(float (&c)[4],
                                             const uint32_t (&a)[4],
                                             uint32_t b0, uint32_t b1) {
  if constexpr (std::is_same_v<E, DsprtBf16>)
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
        "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  else
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
        "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

/// Two elements in one register, the first in the low half.
template <typename E>
static __device__ inline uint32_t dsprt_pair(float low, float high) {
  uint32_t out;
  if constexpr (std::is_same_v<E, DsprtBf16>)
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(out) : "f"(high), "f"(low));
  else
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(out) : "f"(high), "f"(low));
  return out;
}

template <typename E, int D, int MOST>
struct DsprtShort {
  static_assert(D % 8 == 0 && D <= 128, "rows of 16 bytes, held in registers");
  using Element = E;
  static constexpr int CHANNELS = D;
  static constexpr int LANES = 32, TILE = 16, WARPS = 4;
  static constexpr int TILES = (MOST + TILE - 1) / TILE; ///< a warp each
  static constexpr int ROWS = TILES * TILE;
  static constexpr int WIDTH = 16 / (int)sizeof(E); ///< of 16 bytes
  static constexpr int CHUNKS = D / WIDTH;
  /// An odd number of 16 bytes a row: eight rows lie in different banks.
  static constexpr int STRIDE = (CHUNKS | 1) * 16;
  static constexpr int MATRIX = ROWS * STRIDE;
  static constexpr int GROUP = TILES * LANES; ///< threads, of whole warps
  static constexpr int GROUPS = TILES < WARPS ? WARPS / TILES : 1; ///< a block
  static constexpr int THREADS = GROUPS * GROUP;
  static constexpr int BYTES = GROUPS * 3 * MATRIX;

  static __device__ uint32_t thread() { return threadIdx.x % GROUP; }
  static __device__ uint32_t group() { return threadIdx.x / GROUP; }
  /// The element of the batch that is this group's.
  static __device__ uint32_t element() {
    return blockIdx.x * GROUPS + group();
  }

  /// Where q, k and v lie in shared memory, rows STRIDE bytes apart.
  static __device__ unsigned char *matrix(int number) {
    extern __shared__ uint4 dsprt_short_memory[];
    return reinterpret_cast<unsigned char *>(dsprt_short_memory) +
           (group() * 3 + number) * MATRIX;
  }
  static __device__ E *row(int number, uint32_t at) {
    return reinterpret_cast<E *>(matrix(number) + at * STRIDE);
  }
  static __device__ E *q(uint32_t at) { return row(0, at); }
  static __device__ E *k(uint32_t at) { return row(1, at); }
  static __device__ E *v(uint32_t at) { return row(2, at); }

  /// All threads of the group are here, and see what they wrote.
  static __device__ void sync() {
    if constexpr (TILES == 1)
      __syncwarp();
    else if constexpr (GROUPS == 1)
      __syncthreads();
    else if (group() == 0) // two groups, for three tiles have a block
      asm volatile("bar.sync 1, %0;" ::"n"(GROUP) : "memory");
    else
      asm volatile("bar.sync 2, %0;" ::"n"(GROUP) : "memory");
  }

  /// Begins to copy queries and keys, rows of which lie steps of elements
  /// apart; the other rows up to ROWS become zeros.
  template <typename I>
  static __device__ void fetch(const E *q_from, I q_step, uint32_t queries,
                               const E *k_from, I k_step, const E *v_from,
                               I v_step, uint32_t keys) {
    const uint32_t to = address(matrix(0));
#pragma unroll
    for (uint32_t begin = 0; begin < ROWS * CHUNKS; begin += GROUP) {
      const uint32_t i = begin + thread(), row = i / CHUNKS;
      const uint32_t chunk = i - row * CHUNKS;
      if (ROWS * CHUNKS % GROUP && i >= ROWS * CHUNKS) break;
      const uint32_t at = to + row * STRIDE + chunk * 16;
      const bool query = queries == ROWS || row < queries;
      const bool key = keys == ROWS || row < keys;
      const I q_row = query ? row : 0, k_row = key ? row : 0;
      copy(at, q_from + (q_row * q_step + (I)(chunk * WIDTH)), query);
      copy(at + MATRIX, k_from + (k_row * k_step + (I)(chunk * WIDTH)), key);
      copy(at + 2 * MATRIX, v_from + (k_row * v_step + (I)(chunk * WIDTH)),
           key);
    }
  }
  /// What was fetched is there.
  static __device__ void wait() {
    asm volatile("cp.async.wait_all;" ::: "memory");
    sync();
  }

  /// o = softmax(scale * q k^T) v for rows `step` elements apart.  What follows
  /// may not read q, k or v.
  template <typename I>
  static __device__ void attend(uint32_t queries, uint32_t keys, float scale,
                                E *o, I step) {
    const float in_bits = scale * 1.4426950408889634f; // of powers of two
    if constexpr (sizeof(E) == 4)
      attend_in_f32(queries, keys, in_bits, o, step);
    else
      attend_in_tiles(queries, keys, in_bits, o, step);
  }

private:
  static constexpr unsigned ALL = 0xffffffffu;
  static constexpr int STEPS = (D / 8 + 1) / 2; ///< of 16 channels
  static constexpr int EIGHTS = D / 8;

  static __device__ uint32_t address(const void *at) {
    return (uint32_t)__cvta_generic_to_shared(at);
  }

  /// Copies 16 bytes, or zeros.
  static __device__ void copy(uint32_t to, const E *from, bool there) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to),
                 "l"(from), "r"(there ? 16 : 0)
                 : "memory");
  }

  // Two bytes an element: products of 16 rows, 8 columns and 16 terms.

  /// Softmax of 16 rows of scores; probabilities as operands of the second
  /// product, and 1 / sum for rows `lane / 4` and 8 further.
  static __device__ void softmax(float (&score)[2 * TILES][4],
                                 uint32_t (&weight)[2 * TILES][2],
                                 float (&part)[2], uint32_t keys,
                                 float scale) {
    const uint32_t two = threadIdx.x % 4 * 2;
    float top[2] = {-INFINITY, -INFINITY}, sum[2] = {0, 0};
#pragma unroll
    for (int n = 0; n < 2 * TILES; n++)
#pragma unroll
      for (int i = 0; i < 4; i++) {
        const bool there = n * 8 + two + i % 2 < keys;
        score[n][i] = there ? score[n][i] * scale : -INFINITY;
        top[i / 2] = fmaxf(top[i / 2], score[n][i]);
      }
#pragma unroll
    for (int step = 1; step < 4; step *= 2)
#pragma unroll
      for (int i = 0; i < 2; i++)
        top[i] = fmaxf(top[i], __shfl_xor_sync(ALL, top[i], step));
#pragma unroll
    for (int n = 0; n < 2 * TILES; n++)
#pragma unroll
      for (int i = 0; i < 2; i++) {
        const float low = exp2f(score[n][2 * i] - top[i]);
        const float high = exp2f(score[n][2 * i + 1] - top[i]);
        sum[i] += low + high;
        weight[n][i] = dsprt_pair<E>(low, high);
      }
#pragma unroll
    for (int step = 1; step < 4; step *= 2)
#pragma unroll
      for (int i = 0; i < 2; i++)
        sum[i] += __shfl_xor_sync(ALL, sum[i], step);
    part[0] = 1.0f / sum[0];
    part[1] = 1.0f / sum[1];
  }

  /// score = q k^T for the 16 queries from `q` on and all keys.
  static __device__ void first_product(float (&score)[2 * TILES][4],
                                       uint32_t q, uint32_t k) {
    const int lane = threadIdx.x % LANES;
    const uint32_t a_at = q + lane % 16 * STRIDE + lane / 16 * 16;
    const uint32_t b_at =
        k + (lane % 8 + lane / 16 * 8) * STRIDE + lane / 8 % 2 * 16;
    const uint32_t b2_at = k + lane % 16 * STRIDE;
#pragma unroll
    for (int s = 0; s < STEPS; s++) {
      const bool half = 2 * s + 1 == EIGHTS; // 8 channels are left
      uint32_t a[4] = {0, 0, 0, 0};
      if (half)
        dsprt_tiles2(a[0], a[1], a_at + s * 32);
      else
        dsprt_tiles4(a, a_at + s * 32);
#pragma unroll
      for (int t = 0; t < TILES; t++) {
        uint32_t b[4] = {0, 0, 0, 0};
        if (half)
          dsprt_tiles2(b[0], b[2], b2_at + t * TILE * STRIDE + s * 32);
        else
          dsprt_tiles4(b, b_at + t * TILE * STRIDE + s * 32);
        dsprt_multiply<E>(score[2 * t], a, b[0], b[1]);
        dsprt_multiply<E>(score[2 * t + 1], a, b[2], b[3]);
      }
    }
  }

  /// 8 channels of o for 16 queries to shared memory.
  static __device__ void put(uint32_t o, int n, const float (&out)[4],
                             const float (&part)[2]) {
    const int lane = threadIdx.x % LANES;
    const uint32_t at = o + lane / 4 * STRIDE + n * 16 + lane % 4 * 4;
    asm volatile(
        "st.shared.b32 [%0], %1;" ::"r"(at),
        "r"(dsprt_pair<E>(out[0] * part[0], out[1] * part[0]))
        : "memory");
    asm volatile(
        "st.shared.b32 [%0], %1;" ::"r"(at + 8 * STRIDE),
        "r"(dsprt_pair<E>(out[2] * part[1], out[3] * part[1]))
        : "memory");
  }

  /// o = weight v, 16 channels at a time.
  static __device__ void second_product(const uint32_t (&weight)[2 * TILES][2],
                                        const float (&part)[2], uint32_t v,
                                        uint32_t o) {
    const int lane = threadIdx.x % LANES;
    const uint32_t b_at = v + lane % 16 * STRIDE + lane / 16 * 16;
#pragma unroll
    for (int n = 0; n < EIGHTS; n += 2) {
      float out[2][4] = {};
      const bool half = n + 1 == EIGHTS;
#pragma unroll
      for (int t = 0; t < TILES; t++) {
        const uint32_t a[4] = {weight[2 * t][0], weight[2 * t][1],
                               weight[2 * t + 1][0], weight[2 * t + 1][1]};
        uint32_t b[4] = {0, 0, 0, 0};
        if (half)
          dsprt_tiles2_turned(b[0], b[1], b_at + t * TILE * STRIDE + n * 16);
        else
          dsprt_tiles4_turned(b, b_at + t * TILE * STRIDE + n * 16);
        dsprt_multiply<E>(out[0], a, b[0], b[1]);
        if (!half) dsprt_multiply<E>(out[1], a, b[2], b[3]);
      }
      put(o, n, out[0], part);
      if (!half) put(o, n + 1, out[1], part);
    }
  }

  template <typename I>
  static __device__ void attend_in_tiles(uint32_t queries, uint32_t keys,
                                         float scale, E *o, I step) {
    const uint32_t first = thread() / LANES * TILE;
    if (first >= queries) return;
    float score[2 * TILES][4] = {}, part[2];
    uint32_t weight[2 * TILES][2];
    const uint32_t rows = address(q(first)); // this warp's queries, then its o
    first_product(score, rows, address(k(0)));
    softmax(score, weight, part, keys, scale);
    __syncwarp();
    second_product(weight, part, address(v(0)), rows);
    __syncwarp();
    for (uint32_t i = threadIdx.x % LANES; i < TILE * CHUNKS; i += LANES) {
      const uint32_t row = first + i / CHUNKS, chunk = i % CHUNKS;
      if (row >= queries) break;
      *reinterpret_cast<uint4 *>(o + (I)row * step + chunk * WIDTH) =
          *reinterpret_cast<const uint4 *>(q(row) + chunk * WIDTH);
    }
  }

  // Four bytes an element: a warp has one query, a lane every 32nd key, then
  // every 32nd channel.

  static __device__ float dot(const float *x, const float *y) {
    float sum = 0;
#pragma unroll
    for (int c = 0; c < D; c += 4) {
      const float4 a = *reinterpret_cast<const float4 *>(x + c);
      const float4 b = *reinterpret_cast<const float4 *>(y + c);
      sum += a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w;
    }
    return sum;
  }

  template <typename I>
  static __device__ void attend_in_f32(uint32_t queries, uint32_t keys,
                                       float scale, float *o, I step) {
    constexpr int BLOCKS = (ROWS + LANES - 1) / LANES; // of keys
    constexpr int COLUMNS = (D + LANES - 1) / LANES;   // of channels
    const uint32_t lane = threadIdx.x % LANES;
    for (uint32_t row = thread() / LANES; row < queries; row += TILES) {
      float score[BLOCKS], out[COLUMNS] = {}, top = -INFINITY, sum = 0;
#pragma unroll
      for (int b = 0; b < BLOCKS; b++) {
        const uint32_t key = b * LANES + lane;
        score[b] = key < keys ? dot(q(row), k(key)) * scale : -INFINITY;
        top = fmaxf(top, score[b]);
      }
      for (int far = LANES / 2; far > 0; far /= 2)
        top = fmaxf(top, __shfl_xor_sync(ALL, top, far));
#pragma unroll
      for (int b = 0; b < BLOCKS; b++) sum += score[b] = exp2f(score[b] - top);
      for (int far = LANES / 2; far > 0; far /= 2)
        sum += __shfl_xor_sync(ALL, sum, far);
#pragma unroll
      for (int b = 0; b < BLOCKS; b++)
        for (uint32_t i = 0; i < LANES && b * LANES + i < keys; i++) {
          const float weight = __shfl_sync(ALL, score[b], i);
#pragma unroll
          for (int c = 0; c < COLUMNS; c++)
            if (c * LANES + lane < D)
              out[c] += weight * v(b * LANES + i)[c * LANES + lane];
        }
#pragma unroll
      for (int c = 0; c < COLUMNS; c++)
        if (c * LANES + lane < D)
          o[(I)row * step + c * LANES + lane] = out[c] / sum;
    }
  }
};

/// Starts a kernel with a group of threads for each of `elements`, of which
/// there is one.  False, and nothing is started, where a block has less shared
/// memory than it takes: then that is the last error of CUDA.
template <typename S, typename... P, typename... A>
static bool dsprt_short_start(DsprtRun *run, void (*kernel)(P...),
                              int64_t elements, A... arguments) {
  const int64_t blocks = (elements + S::GROUPS - 1) / S::GROUPS;
  if (S::BYTES > 48 << 10 && // more than a kernel gets unasked
      cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                           S::BYTES) != cudaSuccess)
    return false;
  kernel<<<(unsigned)blocks, S::THREADS, S::BYTES, dsprt_stream(run)>>>(
      arguments...);
  return true;
}

#endif
