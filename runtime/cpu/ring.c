// ring.c - attention whose keys and values travel round the ranks.
//
// Every rank packs its part of k and v, then in ranks - 1 steps passes on the
// block that it has while it attends to it.  The sums over the keys of all
// ranks are merged as in a softmax over tiles (log-sum-exp).
//
// Needs:  the same call on every rank, with this rank's sizes.
// Leaves: o; the bytes that were passed on, counted.
// Source: Liu, Zaharia, Abbeel, Ring Attention, arXiv:2310.01889.
#include <mpi.h>
#include <string.h>

#include "attention.h"
#include "elements.h"
#include "state.h"
#include "work.h"

/// The block of one rank: k [batch.., keys, dot], then v [batch.., keys,
/// width], dense; batch dims that k and v lack are left out.
typedef struct Block {
  int64_t keys;          ///< of one element of the batch
  int64_t batches;       ///< that k and v have
  int64_t k_elements, elements;
} Block;

typedef struct Ring {
  DsprtRun *run;
  const DsprtAttention *a;
  const DsprtRing *ring;
  DsprtType type;
  unsigned char *blocks[2];
  DsprtPartial partial;
} Ring;

static int64_t round_up(int64_t n) {
  return (n + DSPRT_ALIGNMENT - 1) / DSPRT_ALIGNMENT * DSPRT_ALIGNMENT;
}

static Block block_of(const Ring *r, int owner) {
  const DsprtAttention *a = r->a;
  Block block = {.keys = 1, .batches = 1};
  for (int i = 0; i < a->nkey; i++)
    block.keys *= i == r->ring->key
                      ? dsprt_part(r->ring->size, owner, r->run->ranks)
                      : a->key[i].size;
  for (int i = 0; i < a->nbatch; i++)
    if (a->batch[i].k || a->batch[i].v) block.batches *= a->batch[i].size;
  block.k_elements = block.batches * block.keys * a->dot;
  block.elements = block.batches * block.keys * (a->dot + a->width);
  return block;
}

/// Copies k or v of this rank; `out` is dense.
static void pack(const Ring *r, bool values, const void *in, void *out) {
  const DsprtAttention *a = r->a;
  DsprtCopy copy = {0};
  int64_t width = values ? a->width : a->dot;
  for (int i = 0; i < a->nbatch; i++)
    if (a->batch[i].k || a->batch[i].v) {
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
  dsprt_copy(r->run, r->type, &copy, in, out);
}

/// The attention of this rank's queries to the block of `owner`.
static void attend(Ring *r, int owner, const unsigned char *data,
                   const void *q, void *o) {
  Block block = block_of(r, owner);
  DsprtAttention a = *r->a;
  int64_t at = block.keys;
  for (int i = a.nbatch; i-- > 0;) {
    bool has = a.batch[i].k || a.batch[i].v;
    a.batch[i].k = has ? at * a.dot : 0;
    a.batch[i].v = has ? at * a.width : 0;
    at *= has ? a.batch[i].size : 1;
  }
  a.nkey = 1;
  a.key[0].size = block.keys;
  a.key[0].k = a.dot;
  a.key[0].v = a.width;
  const unsigned char *v =
      data + block.k_elements * dsprt_type_bytes(r->type);
  dsprt_attend(r->run, &a, r->type, q, data, v, o, &r->partial);
}

/// Begins to pass block `step` on and to receive the next one.
static int pass_on(Ring *r, int step, MPI_Request *requests) {
  int ranks = r->run->ranks, me = r->run->rank, n = 0;
  int64_t bytes = dsprt_type_bytes(r->type);
  int owner = (me - step + ranks) % ranks;
  int64_t out = block_of(r, owner).elements;
  int64_t in = block_of(r, (owner - 1 + ranks) % ranks).elements;
  MPI_Datatype types[2] = {
      dsprt_box_type(r->run, (DsprtBox){1, in, in, 0}, bytes),
      dsprt_box_type(r->run, (DsprtBox){1, out, out, 0}, bytes)};
  if (in > 0)
    MPI_Irecv(r->blocks[(step + 1) % 2], 1, types[0],
              (me - 1 + ranks) % ranks, step, r->run->state->comm,
              &requests[n++]);
  if (out > 0)
    MPI_Isend(r->blocks[step % 2], 1, types[1], (me + 1) % ranks, step,
              r->run->state->comm, &requests[n++]);
  r->run->state->counted += out * bytes;
  for (int i = 0; i < 2; i++)
    if (types[i] != MPI_DATATYPE_NULL) MPI_Type_free(&types[i]);
  return n;
}

static void go_round(Ring *r, const void *q, void *o) {
  int ranks = r->run->ranks, me = r->run->rank;
  for (int step = 0; step < ranks; step++) {
    MPI_Request requests[2];
    int n = step + 1 < ranks ? pass_on(r, step, requests) : 0;
    r->partial.first = step == 0;
    r->partial.last = step + 1 == ranks;
    attend(r, (me - step + ranks) % ranks, r->blocks[step % 2], q, o);
    MPI_Waitall(n, requests, MPI_STATUSES_IGNORE);
  }
}

static int64_t queries_of(const DsprtAttention *a) {
  int64_t n = 1;
  for (int i = 0; i < a->nbatch; i++) n *= a->batch[i].size;
  for (int i = 0; i < a->nquery; i++) n *= a->query[i].size;
  return n;
}

/// Of this rank's queries to the keys of all ranks.
static double ring_flops(const DsprtAttention *a, const DsprtRing *ring) {
  int64_t own = a->key[ring->key].size;
  return own ? dsprt_attention_flops(a) * (double)ring->size / (double)own : 0;
}

static void run_ring(DsprtRun *run, const DsprtAttention *a,
                     const DsprtRing *ring, DsprtType type, const void *q,
                     const void *k, const void *v, void *o, void *scratch) {
  DSPRT_SPAN(run, DSPRT_WORK_ATTENTION, "ring attention", ring_flops(a, ring),
             dsprt_attention_bytes(a, type));
  Ring r = {.run = run, .a = a, .ring = ring, .type = type};
  int64_t bytes = dsprt_type_bytes(type);
  int64_t room = round_up(block_of(&r, 0).elements * bytes);
  unsigned char *at = scratch;
  r.blocks[0] = at;
  r.blocks[1] = at + room;
  r.partial.o = (float *)(void *)(at + 2 * room);
  r.partial.rows =
      (DsprtSoftmax *)(void *)(r.partial.o + queries_of(a) * a->width);
  Block own = block_of(&r, run->rank);
  pack(&r, false, k, r.blocks[0]);
  pack(&r, true, v, r.blocks[0] + own.k_elements * bytes);
  go_round(&r, q, o);
}

void dsprt_ring_attention_f32(DsprtRun *run, const DsprtAttention *attention,
                              const DsprtRing *ring, const float *q,
                              const float *k, const float *v, float *o,
                              void *scratch) {
  run_ring(run, attention, ring, DSPRT_F32, q, k, v, o, scratch);
}

void dsprt_ring_attention_bf16(DsprtRun *run, const DsprtAttention *attention,
                               const DsprtRing *ring, const DsprtBf16 *q,
                               const DsprtBf16 *k, const DsprtBf16 *v,
                               DsprtBf16 *o, void *scratch) {
  run_ring(run, attention, ring, DSPRT_BF16, q, k, v, o, scratch);
}

void dsprt_ring_attention_f16(DsprtRun *run, const DsprtAttention *attention,
                              const DsprtRing *ring, const DsprtF16 *q,
                              const DsprtF16 *k, const DsprtF16 *v,
                              DsprtF16 *o, void *scratch) {
  run_ring(run, attention, ring, DSPRT_F16, q, k, v, o, scratch);
}
