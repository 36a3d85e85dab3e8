// ring.c - the blocks of keys and values that travel round the ranks.
//
// Needs:  the attention of this rank; k and v with any strides.
// Leaves: dense blocks.
#include "ring.h"

#include "mesh.h"
#include "work.h"

int dsprt_ring_ranks(const DsprtRun *run, const DsprtRing *ring) {
  return ring->ranks == DSPRT_RING_ALL ? run->ranks
                                       : run->mesh.sizes[ring->ranks];
}

int dsprt_ring_number(const DsprtRun *run, const DsprtRing *ring) {
  return ring->ranks == DSPRT_RING_ALL ? run->rank : run->at[ring->ranks];
}

int dsprt_ring_rank(const DsprtRun *run, const DsprtRing *ring, int i) {
  if (ring->ranks == DSPRT_RING_ALL) return i;
  return dsprt_rank_along(run->mesh, run->rank, (int)ring->ranks, i);
}

int64_t dsprt_ring_part(const DsprtRun *run, const DsprtRing *ring, int owner) {
  bool all = ring->ranks == DSPRT_RING_ALL;
  bool on[] = {all || ring->ranks == DSPRT_RING_AXIS_0,
               all || ring->ranks == DSPRT_RING_AXIS_1};
  int rank = dsprt_ring_rank(run, ring, owner);
  return dsprt_range(ring->size, on, run->mesh, rank).size;
}

/// Do k and v have this dim of the batch?  Their strides do not tell: a rank
/// whose part is empty has strides of 0.
static bool has_batch(const DsprtRing *ring, int i) {
  return !(ring->alone >> i & 1);
}

DsprtBlock dsprt_ring_block(const DsprtAttention *a, const DsprtRing *ring,
                            int64_t part) {
  DsprtBlock block = {.keys = 1, .batches = 1};
  for (int i = 0; i < a->nkey; i++)
    block.keys *= i == ring->key ? part : a->key[i].size;
  for (int i = 0; i < a->nbatch; i++)
    if (has_batch(ring, i)) block.batches *= a->batch[i].size;
  block.k_elements = block.batches * block.keys * a->dot;
  block.elements = block.batches * block.keys * (a->dot + a->width);
  return block;
}

/// Copies k or v of this rank; `out` is dense.
static void pack(DsprtRun *run, const DsprtAttention *a, const DsprtRing *ring,
                 DsprtType type, bool values, const void *in, void *out) {
  DsprtCopy copy = {0};
  int64_t width = values ? a->width : a->dot;
  for (int i = 0; i < a->nbatch; i++)
    if (has_batch(ring, i)) {
      copy.dims[copy.ndims].size = a->batch[i].size;
      copy.dims[copy.ndims++].in = values ? a->batch[i].v : a->batch[i].k;
    }
  for (int i = 0; i < a->nkey; i++) {
    copy.dims[copy.ndims].size = a->key[i].size;
    copy.dims[copy.ndims++].in = values ? a->key[i].v : a->key[i].k;
  }
  copy.dims[copy.ndims].size = width;
  copy.dims[copy.ndims++].in = 1;
  int64_t stride = 1;
  for (int i = copy.ndims; i-- > 0; stride *= copy.dims[i].size)
    copy.dims[i].out = stride;
  dsprt_copy(run, type, &copy, in, out);
}

void dsprt_ring_pack(DsprtRun *run, const DsprtAttention *a,
                     const DsprtRing *ring, DsprtType type, const void *k,
                     const void *v, const DsprtBlock *block, void *out) {
  unsigned char *values = out;
  if (block->elements == 0) return;
  values += block->k_elements * dsprt_type_bytes(type);
  pack(run, a, ring, type, false, k, out);
  pack(run, a, ring, type, true, v, values);
}

DsprtAttention dsprt_ring_attention(const DsprtAttention *attention,
                                    const DsprtRing *ring,
                                    const DsprtBlock *block) {
  DsprtAttention a = *attention;
  int64_t at = block->keys;
  for (int i = a.nbatch; i-- > 0;) {
    bool has = has_batch(ring, i);
    a.batch[i].k = has ? at * a.dot : 0;
    a.batch[i].v = has ? at * a.width : 0;
    at *= has ? a.batch[i].size : 1;
  }
  a.nkey = 1;
  a.key[0].size = block->keys;
  a.key[0].k = a.dot;
  a.key[0].v = a.width;
  return a;
}

int64_t dsprt_ring_rows(const DsprtAttention *a) {
  int64_t n = 1;
  for (int i = 0; i < a->nbatch; i++) n *= a->batch[i].size;
  for (int i = 0; i < a->nquery; i++) n *= a->query[i].size;
  return n;
}

double dsprt_ring_flops(const DsprtRun *run, const DsprtAttention *a,
                        const DsprtRing *ring) {
  DsprtAttention all = *a;
  all.key[ring->key].size = 0;
  for (int i = 0; i < dsprt_ring_ranks(run, ring); i++)
    all.key[ring->key].size += dsprt_ring_part(run, ring, i);
  return dsprt_attention_flops(&all);
}

int64_t dsprt_ring_room(const DsprtBlock *block, DsprtType type) {
  int64_t bytes = block->elements * dsprt_type_bytes(type);
  return (bytes + DSPRT_ALIGNMENT - 1) / DSPRT_ALIGNMENT * DSPRT_ALIGNMENT;
}

void dsprt_ring_attention_f32(DsprtRun *run, const DsprtAttention *attention,
                              const DsprtRing *ring, const float *q,
                              const float *k, const float *v, float *o,
                              void *scratch) {
  dsprt_ring_run(run, attention, ring, DSPRT_F32, q, k, v, o, scratch);
}

void dsprt_ring_attention_bf16(DsprtRun *run, const DsprtAttention *attention,
                               const DsprtRing *ring, const DsprtBf16 *q,
                               const DsprtBf16 *k, const DsprtBf16 *v,
                               DsprtBf16 *o, void *scratch) {
  dsprt_ring_run(run, attention, ring, DSPRT_BF16, q, k, v, o, scratch);
}

void dsprt_ring_attention_f16(DsprtRun *run, const DsprtAttention *attention,
                              const DsprtRing *ring, const DsprtF16 *q,
                              const DsprtF16 *k, const DsprtF16 *v,
                              DsprtF16 *o, void *scratch) {
  dsprt_ring_run(run, attention, ring, DSPRT_F16, q, k, v, o, scratch);
}
