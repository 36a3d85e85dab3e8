// ring.h - the blocks of keys and values that travel round the ranks.
#ifndef DSPRT_COMMON_RING_H
#define DSPRT_COMMON_RING_H

#include "dsprt_compute.h"

/// The block of one rank: k [batch.., keys, dot], then v [batch.., keys,
/// width], dense; batch dims that k and v lack are left out.
typedef struct DsprtBlock {
  int64_t keys;    ///< of one element of the batch
  int64_t batches; ///< that k and v have
  int64_t k_elements, elements;
} DsprtBlock;

/// The ranks of a ring, and the number of this one among them.
int dsprt_ring_ranks(const DsprtRun *run, const DsprtRing *ring);
int dsprt_ring_number(const DsprtRun *run, const DsprtRing *ring);
/// The rank that is number `i` of the ring.
int dsprt_ring_rank(const DsprtRun *run, const DsprtRing *ring, int i);
/// The keys that number `owner` of the ring holds of the dim that is cut.
int64_t dsprt_ring_part(const DsprtRun *run, const DsprtRing *ring, int owner);

/// The block of a rank that holds `part` of the dim that is cut.
DsprtBlock dsprt_ring_block(const DsprtAttention *a, const DsprtRing *ring,
                            int64_t part);
/// Copies k and v of this rank into its block, `out`.
void dsprt_ring_pack(DsprtRun *run, const DsprtAttention *a,
                     const DsprtRing *ring, DsprtType type, const void *k,
                     const void *v, const DsprtBlock *block, void *out);
/// The attention of this rank's queries to a block.
DsprtAttention dsprt_ring_attention(const DsprtAttention *a,
                                    const DsprtRing *ring,
                                    const DsprtBlock *block);
/// The queries of all elements of the batch: rows of o.
int64_t dsprt_ring_rows(const DsprtAttention *a);
/// Useful operations of this rank's queries to the keys of all its ranks.
double dsprt_ring_flops(const DsprtRun *run, const DsprtAttention *a,
                        const DsprtRing *ring);
/// Bytes of a block in the scratch memory.
int64_t dsprt_ring_room(const DsprtBlock *block, DsprtType type);

/// Of the target: the attention, for one type of elements.
void dsprt_ring_run(DsprtRun *run, const DsprtAttention *a,
                    const DsprtRing *ring, DsprtType type, const void *q,
                    const void *k, const void *v, void *o, void *scratch);

#endif
