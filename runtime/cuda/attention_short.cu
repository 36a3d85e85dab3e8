// attention_short.cu - attention over a few keys (dsprt_short.cuh) for any
// batch, read from where it lies.
//
// Needs:  bf16, at most 128 queries and 128 keys, heads of 32 to 128 channels,
//         rows aligned to 16 bytes.
// Leaves: o.
#include "attention.h"
#include "dsprt_short.cuh"

enum { TILE = 16, MOST_TILES = 8 };

struct Short {
  int nbatch;
  uint32_t batch[DSPRT_MAX_BATCH]; ///< sizes
  int64_t q_step[DSPRT_MAX_BATCH], k_step[DSPRT_MAX_BATCH];
  int64_t v_step[DSPRT_MAX_BATCH], o_step[DSPRT_MAX_BATCH];
  uint32_t queries, keys;
  int64_t q_row, k_row, v_row, o_row;
  float scale;
  const DsprtBf16 *q, *k, *v;
  DsprtBf16 *o;
  uint32_t groups; ///< batch elements, heads among them
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

template <int D, int TILES>
static __global__ void
    __launch_bounds__(DsprtShort<DsprtBf16, D, TILES * TILE>::THREADS)
        short_kernel(const Short p) {
  using Attention = DsprtShort<DsprtBf16, D, TILES * TILE>;
  uint32_t group = Attention::element();
  if (group >= p.groups) return;
  Short t = at_group(p, group);
  Attention::fetch(t.q, t.q_row, t.queries, t.k, t.k_row, t.v, t.v_row, t.keys);
  Attention::wait();
  Attention::attend(t.queries, t.keys, t.scale, t.o, t.o_row);
}

/// Returns 0 where a block has less shared memory than this takes.
template <int D, int TILES>
static int launch(DsprtRun *run, const Short &p) {
  using Attention = DsprtShort<DsprtBf16, D, TILES * TILE>;
  if (!dsprt_short_start<Attention>(run, short_kernel<D, TILES>, p.groups, p)) {
    cudaGetLastError(); // it was said here
    return 0;
  }
  dsprt_check_launch(run);
  return 1;
}

template <int D>
static int launch_for(DsprtRun *run, const Short &p) {
  uint32_t rows = p.queries > p.keys ? p.queries : p.keys;
  if (rows <= TILE) return launch<D, 1>(run, p);
  if (rows <= 2 * TILE) return launch<D, 2>(run, p);
  if (rows <= 4 * TILE) return launch<D, 4>(run, p);
  if (rows <= 6 * TILE) return launch<D, 6>(run, p);
  return launch<D, MOST_TILES>(run, p);
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
  p.scale = a->scale;
  p.q = (const DsprtBf16 *)call->q;
  p.k = (const DsprtBf16 *)call->k;
  p.v = (const DsprtBf16 *)call->v;
  p.o = (DsprtBf16 *)call->o;
  switch (a->dot) {
  case 32: return launch_for<32>(run, p);
  case 48: return launch_for<48>(run, p);
  case 64: return launch_for<64>(run, p);
  case 72: return launch_for<72>(run, p);
  case 80: return launch_for<80>(run, p);
  case 96: return launch_for<96>(run, p);
  case 128: return launch_for<128>(run, p);
  default: return 0;
  }
}
