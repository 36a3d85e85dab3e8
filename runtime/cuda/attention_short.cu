// attention_short.cu - attention over a few keys, bound by memory traffic.
//
// cuDNN and FlashAttention work in tiles of 64 or 128 keys; temporal attention
// over 16 frames would compute and wait for eight times of what it needs.
// Here a warp holds 16 queries of one head, and all keys, in the registers of
// mma.sync, and reads q, k and v where the linear left them.
//
// Needs:  bf16, at most 64 keys, heads of 32 to 128 channels, one query and
//         one key dim, rows aligned to 4 bytes.
// Leaves: o.  Scores, softmax and sums in f32; probabilities rounded to bf16
//         for the second product.
#include "attention.h"
#include "dsprt_kernels.cuh"

enum { LANES = 32, WARPS = 4, TILE = 16 };

struct Short {
  int nbatch;
  uint32_t batch[DSPRT_MAX_BATCH]; ///< sizes
  int64_t q_step[DSPRT_MAX_BATCH], k_step[DSPRT_MAX_BATCH];
  int64_t v_step[DSPRT_MAX_BATCH], o_step[DSPRT_MAX_BATCH];
  uint32_t queries, keys, tiles; ///< of 16 queries
  int64_t q_row, k_row, v_row, o_row;
  float scale; ///< times log2(e)
  const DsprtBf16 *q, *k, *v;
  DsprtBf16 *o;
  uint32_t warps; ///< batch elements * tiles
};

static __device__ inline void multiply(float (&c)[4], const uint32_t (&a)[4],
                                       uint32_t b0, uint32_t b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

static __device__ inline uint32_t pair_at(const DsprtBf16 *x) {
  return *reinterpret_cast<const uint32_t *>(x);
}

/// Two bf16 in one register, the first in the low half.
static __device__ inline uint32_t pack(float low, float high) {
  uint32_t out;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(out) : "f"(high), "f"(low));
  return out;
}

static __device__ inline uint32_t join(DsprtBf16 low, DsprtBf16 high) {
  return (uint32_t)low | (uint32_t)high << 16;
}

/// D8: channels of a head / 8.  KEYS8: keys / 8, rounded up to even.
template <int D8, int KEYS8>
static __global__ void __launch_bounds__(LANES *WARPS)
    short_kernel(const Short p) {
  constexpr int STEPS = (D8 + 1) / 2; // of 16 channels
  uint32_t warp = blockIdx.x * WARPS + threadIdx.x / LANES;
  if (warp >= p.warps) return;
  int lane = threadIdx.x % LANES, group = lane / 4, two = lane % 4 * 2;
  uint32_t tile = warp % p.tiles, at = warp / p.tiles;
  const DsprtBf16 *q = p.q, *k = p.k, *v = p.v;
  DsprtBf16 *o = p.o;
  for (int i = p.nbatch - 1; i >= 0; i--) {
    uint32_t next = at / p.batch[i], index = at - next * p.batch[i];
    q += index * p.q_step[i];
    k += index * p.k_step[i];
    v += index * p.v_step[i];
    o += index * p.o_step[i];
    at = next;
  }
  uint32_t row0 = tile * TILE + group, row1 = row0 + 8;
  bool has0 = row0 < p.queries, has1 = row1 < p.queries;
  uint32_t a[STEPS][4];
#pragma unroll
  for (int s = 0; s < STEPS; s++) {
    int c = s * 16 + two;
    bool upper = 2 * s + 1 < D8;
    a[s][0] = has0 ? pair_at(q + row0 * p.q_row + c) : 0;
    a[s][1] = has1 ? pair_at(q + row1 * p.q_row + c) : 0;
    a[s][2] = has0 && upper ? pair_at(q + row0 * p.q_row + c + 8) : 0;
    a[s][3] = has1 && upper ? pair_at(q + row1 * p.q_row + c + 8) : 0;
  }
  float score[KEYS8][4] = {};
#pragma unroll
  for (int n = 0; n < KEYS8; n++) {
    uint32_t key = n * 8 + group;
    bool has = key < p.keys;
    const DsprtBf16 *row = k + key * p.k_row;
#pragma unroll
    for (int s = 0; s < STEPS; s++) {
      int c = s * 16 + two;
      uint32_t b0 = has ? pair_at(row + c) : 0;
      uint32_t b1 = has && 2 * s + 1 < D8 ? pair_at(row + c + 8) : 0;
      multiply(score[n], a[s], b0, b1);
    }
  }
  float top0 = -INFINITY, top1 = -INFINITY;
#pragma unroll
  for (int n = 0; n < KEYS8; n++)
#pragma unroll
    for (int i = 0; i < 2; i++) {
      bool has = n * 8 + two + i < p.keys;
      score[n][i] = has ? score[n][i] * p.scale : -INFINITY;
      score[n][2 + i] = has ? score[n][2 + i] * p.scale : -INFINITY;
      top0 = fmaxf(top0, score[n][i]);
      top1 = fmaxf(top1, score[n][2 + i]);
    }
#pragma unroll
  for (int step = 1; step < 4; step *= 2) {
    top0 = fmaxf(top0, __shfl_xor_sync(0xffffffffu, top0, step));
    top1 = fmaxf(top1, __shfl_xor_sync(0xffffffffu, top1, step));
  }
  float sum0 = 0, sum1 = 0;
  uint32_t weight[KEYS8][2];
#pragma unroll
  for (int n = 0; n < KEYS8; n++) {
    float w0 = exp2f(score[n][0] - top0), w1 = exp2f(score[n][1] - top0);
    float w2 = exp2f(score[n][2] - top1), w3 = exp2f(score[n][3] - top1);
    sum0 += w0 + w1;
    sum1 += w2 + w3;
    weight[n][0] = pack(w0, w1);
    weight[n][1] = pack(w2, w3);
  }
#pragma unroll
  for (int step = 1; step < 4; step *= 2) {
    sum0 += __shfl_xor_sync(0xffffffffu, sum0, step);
    sum1 += __shfl_xor_sync(0xffffffffu, sum1, step);
  }
  float part0 = 1.0f / sum0, part1 = 1.0f / sum1;
#pragma unroll
  for (int n = 0; n < D8; n++) {
    float out[4] = {};
    int c = n * 8 + group;
#pragma unroll
    for (int s = 0; s < KEYS8 / 2; s++) {
      uint32_t key = s * 16 + two;
      const DsprtBf16 *from = v + c;
      DsprtBf16 x0 = key < p.keys ? from[key * p.v_row] : 0;
      DsprtBf16 x1 = key + 1 < p.keys ? from[(key + 1) * p.v_row] : 0;
      DsprtBf16 x2 = key + 8 < p.keys ? from[(key + 8) * p.v_row] : 0;
      DsprtBf16 x3 = key + 9 < p.keys ? from[(key + 9) * p.v_row] : 0;
      const uint32_t w[4] = {weight[2 * s][0], weight[2 * s][1],
                             weight[2 * s + 1][0], weight[2 * s + 1][1]};
      multiply(out, w, join(x0, x1), join(x2, x3));
    }
    if (has0)
      *reinterpret_cast<uint32_t *>(o + row0 * p.o_row + n * 8 + two) =
          pack(out[0] * part0, out[1] * part0);
    if (has1)
      *reinterpret_cast<uint32_t *>(o + row1 * p.o_row + n * 8 + two) =
          pack(out[2] * part1, out[3] * part1);
  }
}

template <int D8>
static void launch(DsprtRun *run, const Short &p) {
  unsigned blocks = (p.warps + WARPS - 1) / WARPS;
  cudaStream_t stream = dsprt_stream(run);
  if (p.keys <= 16)
    short_kernel<D8, 2><<<blocks, LANES * WARPS, 0, stream>>>(p);
  else if (p.keys <= 32)
    short_kernel<D8, 4><<<blocks, LANES * WARPS, 0, stream>>>(p);
  else if (p.keys <= 48)
    short_kernel<D8, 6><<<blocks, LANES * WARPS, 0, stream>>>(p);
  else
    short_kernel<D8, 8><<<blocks, LANES * WARPS, 0, stream>>>(p);
  dsprt_check_launch(run);
}

static bool is_even(const DsprtAttentionCall *call) {
  const DsprtAttention *a = &call->a;
  uintptr_t all = (uintptr_t)call->q | (uintptr_t)call->k | (uintptr_t)call->v |
                  (uintptr_t)call->o;
  int64_t steps = a->query[0].q | a->query[0].o | a->key[0].k | a->key[0].v;
  for (int i = 0; i < a->nbatch; i++)
    steps |= a->batch[i].q | a->batch[i].k | a->batch[i].v | a->batch[i].o;
  return all % 4 == 0 && steps % 2 == 0;
}

int dsprt_attention_short(DsprtRun *run, const DsprtAttentionCall *call) {
  const DsprtAttention *a = &call->a;
  if (call->type != DSPRT_BF16 || a->nquery != 1 || a->nkey != 1 ||
      a->key[0].size > 64 || a->dot != a->width || !is_even(call))
    return 0;
  Short p = {};
  int64_t warps = p.tiles =
      (uint32_t)((a->query[0].size + TILE - 1) / TILE);
  p.nbatch = a->nbatch;
  for (int i = 0; i < a->nbatch; i++) {
    p.batch[i] = (uint32_t)a->batch[i].size;
    p.q_step[i] = a->batch[i].q;
    p.k_step[i] = a->batch[i].k;
    p.v_step[i] = a->batch[i].v;
    p.o_step[i] = a->batch[i].o;
    warps *= a->batch[i].size;
  }
  if (warps > UINT32_MAX - WARPS) return 0;
  p.warps = (uint32_t)warps;
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
  case 32: launch<4>(run, p); return 1;
  case 48: launch<6>(run, p); return 1;
  case 64: launch<8>(run, p); return 1;
  case 72: launch<9>(run, p); return 1;
  case 80: launch<10>(run, p); return 1;
  case 96: launch<12>(run, p); return 1;
  case 128: launch<16>(run, p); return 1;
  default: return 0;
  }
}
