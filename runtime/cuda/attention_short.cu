// attention_short.cu - attention over a few keys, bound by memory traffic.
//
// cuDNN and FlashAttention work in tiles of 64 or 128 keys; temporal attention
// over 16 frames would compute and wait for eight times of what it needs.
// Here a warp holds 16 queries of one head and all their scores.  A block
// copies q, k and v from where the linear left them to shared memory, 16 bytes
// at a time, and many blocks share a multiprocessor, so that while some wait
// for memory others compute.
//
// Needs:  bf16, at most 128 queries and 128 keys, heads of 32 to 128 channels,
//         rows aligned to 16 bytes.
// Leaves: o.  Scores, softmax and sums in f32; probabilities rounded to bf16
//         for the second product.
#include "attention.h"
#include "dsprt_kernels.cuh"

enum { LANES = 32, TILE = 16, MOST_TILES = 8, WARPS = 4 };

struct Short {
  int nbatch;
  uint32_t batch[DSPRT_MAX_BATCH]; ///< sizes
  int64_t q_step[DSPRT_MAX_BATCH], k_step[DSPRT_MAX_BATCH];
  int64_t v_step[DSPRT_MAX_BATCH], o_step[DSPRT_MAX_BATCH];
  uint32_t queries, keys;
  int64_t q_row, k_row, v_row, o_row;
  float scale; ///< times log2(e)
  const DsprtBf16 *q, *k, *v;
  DsprtBf16 *o;
  uint32_t groups; ///< batch elements, heads among them
};

static __device__ inline void multiply(float (&c)[4], const uint32_t (&a)[4],
                                       uint32_t b0, uint32_t b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// Tiles of 8 rows of 16 bytes from shared memory to registers.

static __device__ inline void load4(uint32_t (&r)[4], uint32_t at) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(at));
}

static __device__ inline void load2(uint32_t &r0, uint32_t &r1, uint32_t at) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0,%1}, [%2];"
               : "=r"(r0), "=r"(r1)
               : "r"(at));
}

static __device__ inline void load4_turned(uint32_t (&r)[4], uint32_t at) {
  asm volatile(
      "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
      : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
      : "r"(at));
}

static __device__ inline void load2_turned(uint32_t &r0, uint32_t &r1,
                                           uint32_t at) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];"
               : "=r"(r0), "=r"(r1)
               : "r"(at));
}

/// Copies 16 bytes to shared memory, or zeros.
static __device__ inline void fetch(uint32_t to, const void *from, bool there) {
  int bytes = there ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to),
               "l"(from), "r"(bytes));
}

/// Two bf16 in one register, the first in the low half.
static __device__ inline uint32_t pack(float low, float high) {
  uint32_t out;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(out) : "f"(high), "f"(low));
  return out;
}

/// The sizes of a kernel.  D8: channels of a head / 8; TILES: of 16 queries,
/// and of 16 keys.
template <int D8, int TILES>
struct Shape {
  static constexpr int ROWS = TILES * TILE;
  /// An odd number of 16 bytes a row: eight rows lie in different banks.
  static constexpr int STRIDE = (D8 | 1) * 16;
  static constexpr int MATRIX = ROWS * STRIDE;
  static constexpr int GROUPS = TILES < WARPS ? WARPS / TILES : 1; ///< a block
  static constexpr int THREADS = GROUPS * TILES * LANES;
  static constexpr int BYTES = GROUPS * 3 * MATRIX;
  static constexpr int STEPS = (D8 + 1) / 2; ///< of 16 channels
};

/// Finds the tensors of one batch element and head.
static __device__ inline Short at_group(const Short &p, uint32_t group) {
  Short t = p;
#pragma unroll 1
  for (int i = p.nbatch - 1; i >= 0; i--) {
    uint32_t next = group / p.batch[i], index = group - next * p.batch[i];
    t.q += index * p.q_step[i];
    t.k += index * p.k_step[i];
    t.v += index * p.v_step[i];
    t.o += index * p.o_step[i];
    group = next;
  }
  return t;
}

template <int D8, int TILES>
static __device__ inline void fetch_rows(uint32_t to, const DsprtBf16 *from,
                                         int64_t row_step, uint32_t rows) {
  using S = Shape<D8, TILES>;
  for (int i = threadIdx.x % (TILES * LANES); i < S::ROWS * D8;
       i += TILES * LANES) {
    uint32_t row = i / D8, chunk = i % D8;
    bool there = row < rows;
    fetch(to + row * S::STRIDE + chunk * 16,
          from + (there ? row : 0) * row_step + chunk * 8, there);
  }
}

/// Softmax of 16 rows of scores; probabilities as operands of the second
/// product, and 1 / sum for rows `lane / 4` and 8 further.
template <int N>
static __device__ inline void softmax(float (&score)[N][4],
                                      uint32_t (&weight)[N][2],
                                      float (&part)[2], uint32_t keys,
                                      float scale) {
  int two = threadIdx.x % 4 * 2;
  float top[2] = {-INFINITY, -INFINITY}, sum[2] = {0, 0};
#pragma unroll
  for (int n = 0; n < N; n++)
#pragma unroll
    for (int i = 0; i < 4; i++) {
      bool there = n * 8 + two + i % 2 < keys;
      score[n][i] = there ? score[n][i] * scale : -INFINITY;
      top[i / 2] = fmaxf(top[i / 2], score[n][i]);
    }
#pragma unroll
  for (int step = 1; step < 4; step *= 2)
#pragma unroll
    for (int i = 0; i < 2; i++)
      top[i] = fmaxf(top[i], __shfl_xor_sync(0xffffffffu, top[i], step));
#pragma unroll
  for (int n = 0; n < N; n++)
#pragma unroll
    for (int i = 0; i < 2; i++) {
      float low = exp2f(score[n][2 * i] - top[i]);
      float high = exp2f(score[n][2 * i + 1] - top[i]);
      sum[i] += low + high;
      weight[n][i] = pack(low, high);
    }
#pragma unroll
  for (int step = 1; step < 4; step *= 2)
#pragma unroll
    for (int i = 0; i < 2; i++)
      sum[i] += __shfl_xor_sync(0xffffffffu, sum[i], step);
  part[0] = 1.0f / sum[0];
  part[1] = 1.0f / sum[1];
}

/// score = q k^T for the 16 queries at `q` and all keys.
template <int D8, int TILES>
static __device__ inline void first_product(float (&score)[2 * TILES][4],
                                            uint32_t q, uint32_t k) {
  using S = Shape<D8, TILES>;
  int lane = threadIdx.x % LANES;
  uint32_t a_at = q + lane % 16 * S::STRIDE + lane / 16 * 16;
  uint32_t b_at =
      k + (lane % 8 + lane / 16 * 8) * S::STRIDE + lane / 8 % 2 * 16;
  uint32_t b2_at = k + lane % 16 * S::STRIDE;
#pragma unroll
  for (int s = 0; s < S::STEPS; s++) {
    bool half = 2 * s + 1 == D8; // 8 channels are left
    uint32_t a[4] = {0, 0, 0, 0};
    if (half)
      load2(a[0], a[1], a_at + s * 32);
    else
      load4(a, a_at + s * 32);
#pragma unroll
    for (int t = 0; t < TILES; t++) {
      uint32_t b[4] = {0, 0, 0, 0};
      if (half)
        load2(b[0], b[2], b2_at + t * TILE * S::STRIDE + s * 32);
      else
        load4(b, b_at + t * TILE * S::STRIDE + s * 32);
      multiply(score[2 * t], a, b[0], b[1]);
      multiply(score[2 * t + 1], a, b[2], b[3]);
    }
  }
}

/// 8 channels of o for 16 queries to shared memory.
template <int STRIDE>
static __device__ inline void put(uint32_t o, int n, const float (&out)[4],
                                  const float (&part)[2]) {
  int lane = threadIdx.x % LANES;
  uint32_t at = o + lane / 4 * STRIDE + n * 16 + lane % 4 * 4;
  asm volatile("st.shared.b32 [%0], %1;" ::"r"(at),
               "r"(pack(out[0] * part[0], out[1] * part[0])));
  asm volatile("st.shared.b32 [%0], %1;" ::"r"(at + 8 * STRIDE),
               "r"(pack(out[2] * part[1], out[3] * part[1])));
}

/// o = weight v, 16 channels at a time.
template <int D8, int TILES>
static __device__ inline void
second_product(const uint32_t (&weight)[2 * TILES][2], const float (&part)[2],
               uint32_t v, uint32_t o) {
  using S = Shape<D8, TILES>;
  int lane = threadIdx.x % LANES;
  uint32_t b_at = v + lane % 16 * S::STRIDE + lane / 16 * 16;
#pragma unroll
  for (int n = 0; n < D8; n += 2) {
    float out[2][4] = {};
    bool half = n + 1 == D8;
#pragma unroll
    for (int t = 0; t < TILES; t++) {
      const uint32_t a[4] = {weight[2 * t][0], weight[2 * t][1],
                             weight[2 * t + 1][0], weight[2 * t + 1][1]};
      uint32_t b[4] = {0, 0, 0, 0};
      if (half)
        load2_turned(b[0], b[1], b_at + t * TILE * S::STRIDE + n * 16);
      else
        load4_turned(b, b_at + t * TILE * S::STRIDE + n * 16);
      multiply(out[0], a, b[0], b[1]);
      if (!half) multiply(out[1], a, b[2], b[3]);
    }
    put<S::STRIDE>(o, n, out[0], part);
    if (!half) put<S::STRIDE>(o, n + 1, out[1], part);
  }
}

template <int D8, int TILES>
static __global__ void __launch_bounds__(Shape<D8, TILES>::THREADS)
    short_kernel(const Short p) {
  using S = Shape<D8, TILES>;
  extern __shared__ uint4 memory[];
  int warp = threadIdx.x / LANES % TILES, lane = threadIdx.x % LANES;
  int own = threadIdx.x / (TILES * LANES);
  uint32_t group = blockIdx.x * S::GROUPS + own;
  bool there = group < p.groups;
  uint32_t q = (uint32_t)__cvta_generic_to_shared(memory) + own * 3 * S::MATRIX;
  uint32_t k = q + S::MATRIX, v = k + S::MATRIX;
  Short t = at_group(p, there ? group : 0);
  if (there) {
    fetch_rows<D8, TILES>(q, t.q, t.q_row, t.queries);
    fetch_rows<D8, TILES>(k, t.k, t.k_row, t.keys);
    fetch_rows<D8, TILES>(v, t.v, t.v_row, t.keys);
  }
  asm volatile("cp.async.wait_all;");
  __syncthreads();
  uint32_t first = warp * TILE;
  if (!there || first >= t.queries) return;
  float score[2 * TILES][4] = {}, part[2];
  uint32_t weight[2 * TILES][2];
  uint32_t rows = q + first * S::STRIDE; // this warp's queries, then its o
  first_product<D8, TILES>(score, rows, k);
  softmax(score, weight, part, t.keys, t.scale);
  __syncwarp();
  second_product<D8, TILES>(weight, part, v, rows);
  __syncwarp();
  for (int i = lane; i < TILE * D8; i += LANES) {
    uint32_t row = i / D8, chunk = i % D8;
    if (first + row >= t.queries) break;
    const unsigned char *from = (const unsigned char *)memory +
                                own * 3 * S::MATRIX +
                                (first + row) * S::STRIDE + chunk * 16;
    *reinterpret_cast<uint4 *>(t.o + (first + row) * t.o_row + chunk * 8) =
        *reinterpret_cast<const uint4 *>(from);
  }
}

/// Returns 0 where a block has less shared memory than this takes.
template <int D8, int TILES>
static int launch(DsprtRun *run, const Short &p) {
  using S = Shape<D8, TILES>;
  unsigned blocks = (p.groups + S::GROUPS - 1) / S::GROUPS;
  auto kernel = short_kernel<D8, TILES>;
  if (S::BYTES > 48 << 10 && // more than a kernel gets unasked
      cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                           S::BYTES) != cudaSuccess) {
    cudaGetLastError(); // it was said here
    return 0;
  }
  kernel<<<blocks, S::THREADS, S::BYTES, dsprt_stream(run)>>>(p);
  dsprt_check_launch(run);
  return 1;
}

template <int D8>
static int launch_for(DsprtRun *run, const Short &p) {
  uint32_t rows = p.queries > p.keys ? p.queries : p.keys;
  if (rows <= TILE) return launch<D8, 1>(run, p);
  if (rows <= 2 * TILE) return launch<D8, 2>(run, p);
  if (rows <= 4 * TILE) return launch<D8, 4>(run, p);
  if (rows <= 6 * TILE) return launch<D8, 6>(run, p);
  return launch<D8, MOST_TILES>(run, p);
}

static bool is_short(const DsprtAttentionCall *call) {
  const DsprtAttention *a = &call->a;
  return call->type == DSPRT_BF16 && a->nquery == 1 && a->nkey == 1 &&
         a->query[0].size <= MOST_TILES * TILE &&
         a->key[0].size <= MOST_TILES * TILE && a->dot == a->width &&
         dsprt_attention_is_aligned(call);
}

int dsprt_attention_short(DsprtRun *run, const DsprtAttentionCall *call) {
  if (!is_short(call)) return 0;
  const DsprtAttention *a = &call->a;
  Short p = {};
  int64_t groups = 1;
  p.nbatch = a->nbatch;
  for (int i = 0; i < a->nbatch; i++) {
    p.batch[i] = (uint32_t)a->batch[i].size;
    p.q_step[i] = a->batch[i].q;
    p.k_step[i] = a->batch[i].k;
    p.v_step[i] = a->batch[i].v;
    p.o_step[i] = a->batch[i].o;
    groups *= a->batch[i].size;
  }
  if (groups > INT32_MAX) return 0;
  p.groups = (uint32_t)groups;
  p.queries = (uint32_t)a->query[0].size;
  p.keys = (uint32_t)a->key[0].size;
  p.q_row = a->query[0].q;
  p.o_row = a->query[0].o;
  p.k_row = a->key[0].k;
  p.v_row = a->key[0].v;
  p.scale = a->scale * 1.4426950408889634f;
  p.q = (const DsprtBf16 *)call->q;
  p.k = (const DsprtBf16 *)call->k;
  p.v = (const DsprtBf16 *)call->v;
  p.o = (DsprtBf16 *)call->o;
  switch (a->dot) {
  case 32: return launch_for<4>(run, p);
  case 48: return launch_for<6>(run, p);
  case 64: return launch_for<8>(run, p);
  case 72: return launch_for<9>(run, p);
  case 80: return launch_for<10>(run, p);
  case 96: return launch_for<12>(run, p);
  case 128: return launch_for<16>(run, p);
  default: return 0;
  }
}
