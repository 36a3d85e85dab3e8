// ring_attention.c - attention whose keys and values travel round the GPUs.
//
// Every rank packs its part of k and v, then in ranks - 1 steps passes on the
// block that it has while it attends to it: the blocks travel on a stream of
// their own.  Each step leaves o and the log-sum-exp over its keys, which are
// merged with those of the steps before.
//
// Needs:  the same call on every rank, with this rank's sizes.
// Leaves: o; the bytes that were passed on, counted.
// Source: Liu, Zaharia, Abbeel, Ring Attention, arXiv:2310.01889.
#include <stdlib.h>

#include "exchange.h"
#include "ring.h"
#include "ring_merge.h"
#include "state.h"
#include "work.h"

typedef struct Ring {
  DsprtRun *run;
  const DsprtAttention *a;
  const DsprtRing *ring;
  int ranks, me; ///< of the ring
  DsprtType type;
  unsigned char *blocks[2];
  DsprtRingSums sums;
} Ring;

static DsprtBlock block_of(const Ring *r, int owner) {
  return dsprt_ring_block(r->a, r->ring,
                          dsprt_ring_part(r->run, r->ring, owner));
}

/// Whose block this rank has in a step.
static int owner_at(const Ring *r, int step) {
  return (r->me - step + r->ranks) % r->ranks;
}

static DsprtBox flat_box(int64_t elements) {
  return (DsprtBox){0, {1, 1, 1, 1, elements}, {0, 0, 0, 0, 1}};
}

/// The block of `step` to the next rank, the next step's block from the one
/// before.
static void exchange_blocks(const Ring *r, int step) {
  int next = dsprt_ring_rank(r->run, r->ring, (r->me + 1) % r->ranks);
  int before =
      dsprt_ring_rank(r->run, r->ring, (r->me - 1 + r->ranks) % r->ranks);
  int64_t out = block_of(r, owner_at(r, step)).elements;
  int64_t in = block_of(r, owner_at(r, step + 1)).elements;
  DsprtMessage *messages = malloc((size_t)r->run->ranks * sizeof *messages);
  if (!messages) dsprt_fail(r->run, "out of memory");
  for (int peer = 0; peer < r->run->ranks; peer++)
    messages[peer] = (DsprtMessage){flat_box(0), flat_box(0), flat_box(0)};
  messages[next].send = flat_box(out);
  messages[next].there = flat_box(out);
  messages[before].receive = flat_box(in);
  dsprt_exchange(r->run, r->type, r->blocks[step % 2],
                 r->blocks[(step + 1) % 2], messages);
  free(messages);
}

static void open_stream(DsprtRun *run) {
  DsprtState *state = run->state;
  if (state->travel) return;
  dsprt_check_cuda(
      run, cudaStreamCreateWithFlags(&state->travel, cudaStreamNonBlocking),
      "a stream");
  dsprt_check_cuda(
      run, cudaEventCreateWithFlags(&state->leaves, cudaEventDisableTiming),
      "an event");
  dsprt_check_cuda(
      run, cudaEventCreateWithFlags(&state->arrives, cudaEventDisableTiming),
      "an event");
}

/// Begins to pass the block of `step` on, behind what is enqueued so far: the
/// other block is then read by nobody.
static void pass_on(const Ring *r, int step) {
  DsprtState *state = r->run->state;
  cudaStream_t stream = state->stream;
  dsprt_check_cuda(r->run, cudaEventRecord(state->leaves, stream), "an event");
  dsprt_check_cuda(r->run, cudaStreamWaitEvent(state->travel, state->leaves, 0),
                   "an event");
  state->stream = state->travel;
  exchange_blocks(r, step);
  state->stream = stream;
  dsprt_check_cuda(r->run, cudaEventRecord(state->arrives, state->travel),
                   "an event");
}

static void wait_for_block(const Ring *r) {
  DsprtState *state = r->run->state;
  dsprt_check_cuda(r->run,
                   cudaStreamWaitEvent(state->stream, state->arrives, 0),
                   "an event");
}

/// This rank's queries to the keys of one block.
static void attend(const Ring *r, int step, const void *q, void *o, bool last) {
  DsprtBlock block = block_of(r, owner_at(r, step));
  const unsigned char *k = r->blocks[step % 2];
  DsprtAttentionCall call = {dsprt_ring_attention(r->a, r->ring, &block),
                             r->type,
                             q,
                             k,
                             k + block.k_elements * dsprt_type_bytes(r->type),
                             o,
                             r->sums.step};
  if (r->sums.rows == 0 || block.keys == 0) return;
  dsprt_attend_some(r->run, &call);
  dsprt_ring_merge(r->run, &call, &r->sums, step == 0, last);
}

static void go_round(const Ring *r, const void *q, void *o) {
  int ranks = r->ranks, last = ranks - 1;
  while (last > 0 && block_of(r, owner_at(r, last)).keys == 0) last--;
  for (int step = 0; step < ranks; step++) {
    bool passes = step + 1 < ranks;
    if (passes) pass_on(r, step);
    attend(r, step, q, o, step == last);
    if (passes) wait_for_block(r);
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
  r.blocks[0] = scratch;
  r.blocks[1] = r.blocks[0] + room;
  r.sums.rows = dsprt_ring_rows(a);
  r.sums.o = (float *)(void *)(r.blocks[1] + room);
  r.sums.step = r.sums.o + r.sums.rows * a->width;
  r.sums.total = r.sums.step + r.sums.rows;
  open_stream(run);
  dsprt_ring_pack(run, a, ring, type, k, v, &own, r.blocks[0]);
  go_round(&r, q, o);
}
