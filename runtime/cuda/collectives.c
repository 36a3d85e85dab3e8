// collectives.c - changes of layout: pack, send and receive, unpack.
//
// Needs:  buffers as dsprt_collectives.h says, in device memory.
// Leaves: results that do not depend on timing: sums go in rank order.  What
//         lies in one piece is neither packed nor unpacked.
#include "dsprt_collectives.h"

#include <stdlib.h>

#include "copies.h"
#include "exchange.h"
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

/// Sends, receives, and frees.  The own message is a copy.
static void run_exchange(Exchange *x) {
  const DsprtMessage *own = &x->messages[x->run->rank];
  int64_t bytes = place(x);
  unsigned char *staging = dsprt_staging(x->run, bytes);
  pack(x, staging);
  if (dsprt_box_elements(&own->send) > 0)
    dsprt_copy_box(x->run, x->type, x->in, &own->send, x->out, &own->receive);
  if (x->run->ranks > 1) transfer(x, staging);
  unpack(x, staging);
  free(x->messages);
  free(x->sends);
}

void dsprt_all_to_all(DsprtRun *run, const void *in, void *out,
                      const DsprtShape *shape, DsprtCut from, DsprtCut to) {
  DSPRT_SPAN(run, DSPRT_WORK_SWITCH, "all-to-all", 0, 0);
  Exchange x = begin(run, in, out, shape->type);
  for (int peer = 0; peer < run->ranks; peer++)
    if (!dsprt_switch_boxes(shape, from, to, run->rank, peer, run->ranks,
                            &x.messages[peer]))
      dsprt_fail(run, "a switch between cuts that overlap in this way is not "
                      "supported on GPUs");
  run_exchange(&x);
}

/// The whole of this rank's part to everyone, parts to their places.
static void gather(DsprtRun *run, const void *in, void *out,
                   const DsprtShape *shape, DsprtCut cut) {
  Exchange x = begin(run, in, out, shape->type);
  for (int peer = 0; peer < run->ranks; peer++) {
    DsprtBox mine = dsprt_part_box(shape, cut, run->rank, run->ranks);
    x.messages[peer].send = dsprt_packed_box(&mine);
    x.messages[peer].receive = dsprt_part_box(shape, cut, peer, run->ranks);
  }
  run_exchange(&x);
}

void dsprt_all_gather(DsprtRun *run, const void *in, void *out,
                      const DsprtShape *shape, DsprtCut cut) {
  DSPRT_SPAN(run, DSPRT_WORK_COLLECTIVE, "all-gather", 0, 0);
  gather(run, in, out, shape, cut);
}

/// Everyone's values of this rank's part, one slot a rank, in `slots`.
static void spread(DsprtRun *run, const void *in, void *slots,
                   const DsprtShape *shape, DsprtCut cut) {
  Exchange x = begin(run, in, slots, shape->type);
  for (int peer = 0; peer < run->ranks; peer++) {
    DsprtBox mine = dsprt_part_box(shape, cut, run->rank, run->ranks);
    int64_t n = dsprt_box_elements(&mine);
    x.messages[peer].send = dsprt_part_box(shape, cut, peer, run->ranks);
    DsprtBox slot = dsprt_packed_box(&mine);
    slot.offset = peer * n;
    x.messages[peer].receive = slot;
  }
  run_exchange(&x);
}

void dsprt_reduce_scatter(DsprtRun *run, const void *in, void *out,
                          const DsprtShape *shape, DsprtCut cut,
                          DsprtReduction op, void *scratch) {
  DSPRT_SPAN(run, DSPRT_WORK_COLLECTIVE, "reduce-scatter", 0, 0);
  DsprtRuns mine = dsprt_runs(shape, cut, run->rank, run->ranks);
  spread(run, in, scratch, shape, cut);
  dsprt_reduce_slots(run, shape->type, op, mine.count * mine.length, scratch,
                     out);
}

void dsprt_all_reduce(DsprtRun *run, const void *in, void *out,
                      const DsprtShape *shape, DsprtReduction op,
                      void *scratch) {
  DSPRT_SPAN(run, DSPRT_WORK_COLLECTIVE, "all-reduce", 0, 0);
  DsprtShape flat = {shape->type, 1, {dsprt_elements(shape)}};
  DsprtCut cut = {0, 1};
  DsprtRuns mine = dsprt_runs(&flat, cut, run->rank, run->ranks);
  spread(run, in, scratch, &flat, cut);
  // The sum of the own part, then everyone's: by way of the own slot.
  unsigned char *own = scratch;
  dsprt_reduce_slots(run, shape->type, op, mine.length, scratch, own);
  gather(run, own, out, &flat, cut);
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
