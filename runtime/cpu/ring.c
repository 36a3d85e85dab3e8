// ring.c - attention whose keys and values travel round the ranks.
//
// The ranks of a ring are those along an axis of the mesh, or all.  Every one
// packs its part of k and v, then in ranks - 1 steps passes on the block that
// it has while it attends to it.  The sums over the keys of all ranks are
// merged as in a softmax over tiles (log-sum-exp).
//
// Needs:  the same call on every rank, with this rank's sizes.
// Leaves: o; the bytes that were passed on, counted.
// Source: Liu, Zaharia, Abbeel, Ring Attention, arXiv:2310.01889.
#include <mpi.h>

#include "attention.h"
#include "elements.h"
#include "ring.h"
#include "state.h"
#include "work.h"

typedef struct Ring {
  DsprtRun *run;
  const DsprtAttention *a;
  const DsprtRing *ring;
  int ranks, me; ///< of the ring
  DsprtType type;
  unsigned char *blocks[2];
  DsprtPartial partial;
} Ring;

static DsprtBlock block_of(const Ring *r, int owner) {
  return dsprt_ring_block(r->a, r->ring,
                          dsprt_ring_part(r->run, r->ring, owner));
}

/// The attention of this rank's queries to the block of `owner`.
static void attend(Ring *r, int owner, const unsigned char *data, const void *q,
                   void *o) {
  DsprtBlock block = block_of(r, owner);
  DsprtAttention a = dsprt_ring_attention(r->a, r->ring, &block);
  const unsigned char *v = data + block.k_elements * dsprt_type_bytes(r->type);
  dsprt_attend(r->run, &a, r->type, q, data, v, o, &r->partial);
}

/// Begins to pass block `step` on and to receive the next one.
static int pass_on(Ring *r, int step, MPI_Request *requests) {
  int ranks = r->ranks, me = r->me, n = 0;
  int64_t bytes = dsprt_type_bytes(r->type);
  int owner = (me - step + ranks) % ranks;
  int64_t out = block_of(r, owner).elements;
  int64_t in = block_of(r, (owner - 1 + ranks) % ranks).elements;
  MPI_Datatype types[2] = {
      dsprt_box_type(r->run, (DsprtBox){1, in, in, 0}, bytes),
      dsprt_box_type(r->run, (DsprtBox){1, out, out, 0}, bytes)};
  if (in > 0)
    MPI_Irecv(r->blocks[(step + 1) % 2], 1, types[0],
              dsprt_ring_rank(r->run, r->ring, (me - 1 + ranks) % ranks), step,
              r->run->state->comm, &requests[n++]);
  if (out > 0)
    MPI_Isend(r->blocks[step % 2], 1, types[1],
              dsprt_ring_rank(r->run, r->ring, (me + 1) % ranks), step,
              r->run->state->comm, &requests[n++]);
  r->run->state->counted += out * bytes;
  for (int i = 0; i < 2; i++)
    if (types[i] != MPI_DATATYPE_NULL) MPI_Type_free(&types[i]);
  return n;
}

static void go_round(Ring *r, const void *q, void *o) {
  int ranks = r->ranks, me = r->me;
  for (int step = 0; step < ranks; step++) {
    MPI_Request requests[2];
    int n = step + 1 < ranks ? pass_on(r, step, requests) : 0;
    r->partial.first = step == 0;
    r->partial.last = step + 1 == ranks;
    attend(r, (me - step + ranks) % ranks, r->blocks[step % 2], q, o);
    MPI_Waitall(n, requests, MPI_STATUSES_IGNORE);
  }
}

void dsprt_ring_run(DsprtRun *run, const DsprtAttention *a,
                    const DsprtRing *ring, DsprtType type, const void *q,
                    const void *k, const void *v, void *o, void *scratch) {
  DSPRT_SPAN(run, DSPRT_WORK_ATTENTION, "ring attention",
             dsprt_ring_flops(run, a, ring), dsprt_attention_bytes(a, type));
  Ring r = {.run = run, .a = a, .ring = ring, .type = type};
  r.ranks = dsprt_ring_ranks(run, ring);
  r.me = dsprt_ring_number(run, ring);
  DsprtBlock largest = block_of(&r, 0), own = block_of(&r, r.me);
  int64_t room = dsprt_ring_room(&largest, type);
  unsigned char *at = scratch;
  r.blocks[0] = at;
  r.blocks[1] = at + room;
  r.partial.o = (float *)(void *)(at + 2 * room);
  r.partial.rows =
      (DsprtSoftmax *)(void *)(r.partial.o + dsprt_ring_rows(a) * a->width);
  dsprt_ring_pack(run, a, ring, type, k, v, &own, r.blocks[0]);
  go_round(&r, q, o);
}
