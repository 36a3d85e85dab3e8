// collectives.c - changes of layout: by stores into the other ranks' memory, or
// pack, send and receive, unpack.
//
// Needs:  buffers as dsprt_collectives.h says, in device memory.
// Leaves: results that do not depend on timing: sums go in rank order.  What
//         lies in one piece is neither packed nor unpacked.
#include "dsprt_collectives.h"

#include <stdlib.h>
#include <string.h>

#include "copies.h"
#include "exchange.h"
#include "peers.h"
#include "shape.h"
#include "state.h"

typedef struct Exchange {
  DsprtRun *run;
  const unsigned char *in;
  unsigned char *out;
  DsprtType type;
  DsprtMessage *messages; ///< [ranks]
  int64_t *sends, *receives; ///< [ranks] offsets into staging, or -1
} Exchange;

static Exchange begin(DsprtRun *run, const void *in, void *out,
                      DsprtType type) {
  size_t n = (size_t)run->ranks;
  Exchange x = {.run = run, .in = in, .out = out, .type = type};
  x.messages = calloc(n, sizeof *x.messages);
  x.sends = calloc(2 * n, sizeof *x.sends);
  if (!x.messages || !x.sends) dsprt_fail(run, "out of memory");
  x.receives = x.sends + n;
  return x;
}

/// Is the box one piece of memory?
static bool is_contiguous(const DsprtBox *box) {
  int64_t stride = 1;
  for (int i = DSPRT_BOX_DIMS; i-- > 0;) {
    if (box->size[i] != 1 && box->stride[i] != stride) return false;
    stride *= box->size[i];
  }
  return true;
}

/// Finds a place for everything that is in pieces; returns bytes.
static int64_t place(Exchange *x) {
  int64_t bytes = 0, size = dsprt_type_bytes(x->type);
  for (int peer = 0; peer < x->run->ranks; peer++) {
    DsprtMessage *m = &x->messages[peer];
    bool own = peer == x->run->rank;
    x->sends[peer] = x->receives[peer] = -1;
    if (!own && !is_contiguous(&m->send)) {
      x->sends[peer] = bytes;
      bytes += (dsprt_box_elements(&m->send) * size + 255) / 256 * 256;
    }
    if (!own && !is_contiguous(&m->receive)) {
      x->receives[peer] = bytes;
      bytes += (dsprt_box_elements(&m->receive) * size + 255) / 256 * 256;
    }
  }
  return bytes;
}

/// The k-th peer of this rank: each has another one at a time.
static int peer_at(const DsprtRun *run, int k) {
  return (run->rank + k) % run->ranks;
}

static void pack(Exchange *x, unsigned char *staging) {
  for (int k = 1; k < x->run->ranks; k++) {
    int peer = peer_at(x->run, k);
    const DsprtBox *box = &x->messages[peer].send;
    if (x->sends[peer] < 0) continue;
    DsprtBox flat = dsprt_packed_box(box);
    dsprt_copy_box(x->run, x->type, x->in, box, staging + x->sends[peer],
                   &flat);
  }
}

static void unpack(Exchange *x, const unsigned char *staging) {
  for (int k = 1; k < x->run->ranks; k++) {
    int peer = peer_at(x->run, k);
    const DsprtBox *box = &x->messages[peer].receive;
    if (x->receives[peer] < 0) continue;
    DsprtBox flat = dsprt_packed_box(box);
    dsprt_copy_box(x->run, x->type, staging + x->receives[peer], &flat, x->out,
                   box);
  }
}

static void transfer(Exchange *x, unsigned char *staging) {
  DsprtState *state = x->run->state;
  int64_t size = dsprt_type_bytes(x->type);
  dsprt_check_nccl(x->run, ncclGroupStart(), "a group");
  for (int k = 1; k < x->run->ranks; k++) {
    int peer = peer_at(x->run, k);
    const DsprtMessage *m = &x->messages[peer];
    int64_t out = dsprt_box_elements(&m->send) * size;
    int64_t in = dsprt_box_elements(&m->receive) * size;
    const unsigned char *from = x->sends[peer] < 0
                                    ? x->in + m->send.offset * size
                                    : staging + x->sends[peer];
    unsigned char *to = x->receives[peer] < 0
                            ? x->out + m->receive.offset * size
                            : staging + x->receives[peer];
    if (out > 0)
      dsprt_check_nccl(x->run,
                       ncclSend(from, (size_t)out, ncclInt8, peer, state->comm,
                                state->stream),
                       "sending");
    if (in > 0)
      dsprt_check_nccl(x->run,
                       ncclRecv(to, (size_t)in, ncclInt8, peer, state->comm,
                                state->stream),
                       "receiving");
    state->counted += out;
  }
  dsprt_check_nccl(x->run, ncclGroupEnd(), "a group");
}

/// By NCCL.  The own message is a copy.
static void send_and_receive(Exchange *x) {
  const DsprtMessage *own = &x->messages[x->run->rank];
  int64_t bytes = place(x);
  unsigned char *staging = dsprt_staging(x->run, bytes);
  pack(x, staging);
  if (dsprt_box_elements(&own->send) > 0)
    dsprt_copy_box(x->run, x->type, x->in, &own->send, x->out, &own->receive);
  if (x->run->ranks > 1) transfer(x, staging);
  unpack(x, staging);
}

/// Exchanges, and frees.
static void run_exchange(Exchange *x) {
  if (!dsprt_peers_exchange(x->run, x->type, x->in, x->out, x->messages))
    send_and_receive(x);
  free(x->messages);
  free(x->sends);
}

void dsprt_exchange(DsprtRun *run, DsprtType type, const void *in, void *out,
                    const DsprtMessage *messages) {
  Exchange x = begin(run, in, out, type);
  memcpy(x.messages, messages, (size_t)run->ranks * sizeof *messages);
  run_exchange(&x);
}

/// One exchange for each box of the pair of ranks that has most of them.
static void run_move(DsprtRun *run, const DsprtMove *move, const void *in,
                     void *out) {
  int64_t rounds = dsprt_rounds(move, run->mesh);
  bool ok = rounds >= 0;
  for (int64_t round = 0; round < rounds; round++) {
    Exchange x = begin(run, in, out, move->shape.type);
    for (int peer = 0; peer < run->ranks; peer++)
      ok &= dsprt_message(move, run->mesh, run->rank, peer, round,
                          &x.messages[peer]);
    if (ok) run_exchange(&x);
  }
  if (!ok) dsprt_fail(run, "out of memory for the boxes of a collective");
}

void dsprt_redistribute(DsprtRun *run, const void *in, void *out,
                        const DsprtShape *shape, DsprtCuts from, DsprtCuts to) {
  DSPRT_SPAN(run, DSPRT_WORK_SWITCH, "redistribute", 0, 0);
  DsprtMove move = {DSPRT_MOVE, *shape, from, to, 0};
  run_move(run, &move, in, out);
}

void dsprt_axis_reduce_scatter(DsprtRun *run, int axis, const void *in,
                               void *out, const DsprtShape *shape, DsprtCuts to,
                               DsprtReduction op, void *scratch) {
  DSPRT_SPAN(run, DSPRT_WORK_COLLECTIVE, "reduce-scatter", 0, 0);
  DsprtMove spread = {DSPRT_SPREAD, *shape, dsprt_without(to, axis), to, axis};
  DsprtRuns mine = dsprt_mesh_runs(shape, to, run->mesh, run->rank);
  if (!dsprt_can_scatter(run->mesh, to, axis))
    dsprt_fail(run, "a reduce-scatter on axis 0 of what axis 1 cuts");
  run_move(run, &spread, in, scratch);
  dsprt_reduce_slots(run, shape->type, op, run->mesh.sizes[axis],
                     mine.count * mine.length, scratch, out);
}

void dsprt_axis_all_reduce(DsprtRun *run, int axis, const void *in, void *out,
                           const DsprtShape *shape, DsprtCuts cuts,
                           DsprtReduction op, void *scratch) {
  DSPRT_SPAN(run, DSPRT_WORK_COLLECTIVE, "all-reduce", 0, 0);
  DsprtRuns all = dsprt_mesh_runs(shape, cuts, run->mesh, run->rank);
  DsprtShape flat = {shape->type, 1, {all.count * all.length}};
  DsprtCuts whole = dsprt_cuts(DSPRT_WHOLE), parts = whole;
  parts.axes[axis] = (DsprtCut){0, 1};
  DsprtMove spread = {DSPRT_SPREAD, flat, whole, parts, axis};
  DsprtMove gather = {DSPRT_GATHER, flat, parts, whole, axis};
  DsprtRuns mine = dsprt_mesh_runs(&flat, parts, run->mesh, run->rank);
  run_move(run, &spread, in, scratch);
  // The sum of the own part, then everyone's: by way of the first slot.
  dsprt_reduce_slots(run, shape->type, op, run->mesh.sizes[axis], mine.length,
                     scratch, scratch);
  run_move(run, &gather, scratch, out);
}

int64_t dsprt_reduce_scatter_scratch(const DsprtShape *shape, DsprtCut cut,
                                     int ranks) {
  DsprtRuns largest = dsprt_runs(shape, cut, 0, ranks);
  return ranks * largest.count * largest.length * dsprt_type_bytes(shape->type);
}

int64_t dsprt_all_reduce_scratch(const DsprtShape *shape, int ranks) {
  int64_t n = dsprt_elements(shape);
  return ranks * dsprt_part(n, 0, ranks) * dsprt_type_bytes(shape->type);
}
