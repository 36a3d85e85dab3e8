// exchange.c - one MPI_Alltoallw with types that were made before.
//
// Needs:  the same key on every rank.
// Leaves: the elements at their places; the bytes to other ranks counted from
//         the sizes of the types that MPI was given.
#include "exchange.h"

#include <stdlib.h>

#include "elements.h"
#include "shape.h"
#include "state.h"

static bool same_cuts(DsprtCuts a, DsprtCuts b) {
  return dsprt_same_cut(a.axes[0], b.axes[0]) &&
         dsprt_same_cut(a.axes[1], b.axes[1]);
}

static bool same_key(const DsprtExchangeKey *a, const DsprtExchangeKey *b) {
  return a->kind == b->kind && a->axis == b->axis &&
         a->shape.type == b->shape.type &&
         dsprt_same_dims(&a->shape, &b->shape) && same_cuts(a->from, b->from) &&
         same_cuts(a->to, b->to);
}

/// `length` neighbours from `first` on.
static MPI_Datatype flat_type(const DsprtRun *run, const DsprtExchangeKey *key,
                              int64_t first, int64_t length) {
  return dsprt_box_type(run, (DsprtBox){1, length, length, first},
                        dsprt_type_bytes(key->shape.type));
}

/// The part of a flat shape that `rank` holds, in the whole.
static MPI_Datatype part_type(const DsprtRun *run, const DsprtExchangeKey *key,
                              int rank) {
  DsprtRuns runs = dsprt_mesh_runs(&key->shape, key->from, run->mesh, rank);
  return flat_type(run, key, runs.first, runs.length);
}

/// Slot `peer` of those that hold one part of this rank's each.
static MPI_Datatype slot_type(const DsprtRun *run, const DsprtExchangeKey *key,
                              int peer) {
  DsprtRuns runs = dsprt_mesh_runs(&key->shape, key->to, run->mesh, run->rank);
  int64_t n = runs.count * runs.length;
  return flat_type(run, key, dsprt_index_on(run->mesh, peer, key->axis) * n, n);
}

/// Does the exchange give something of `holder` to `owner`?
static bool concerns(const DsprtRun *run, const DsprtExchangeKey *key,
                     int holder, int owner) {
  switch (key->kind) {
  case DSPRT_MOVE: return dsprt_sends(run->mesh, key->from, holder, owner);
  case DSPRT_SPREAD:
    return dsprt_same_group(run->mesh, holder, owner, key->axis);
  case DSPRT_GATHER_IN_PLACE:
    return holder != owner &&
           dsprt_same_group(run->mesh, holder, owner, key->axis);
  }
  return false;
}

static MPI_Datatype send_type(const DsprtRun *run, const DsprtExchangeKey *key,
                              int peer) {
  if (!concerns(run, key, run->rank, peer)) return MPI_DATATYPE_NULL;
  if (key->kind == DSPRT_GATHER_IN_PLACE) return part_type(run, key, run->rank);
  return dsprt_common_type(run, &key->shape, key->from, run->rank, key->to,
                           peer, DSPRT_BEFORE);
}

static MPI_Datatype receive_type(const DsprtRun *run,
                                 const DsprtExchangeKey *key, int peer) {
  if (!concerns(run, key, peer, run->rank)) return MPI_DATATYPE_NULL;
  if (key->kind == DSPRT_GATHER_IN_PLACE) return part_type(run, key, peer);
  if (key->kind == DSPRT_SPREAD) return slot_type(run, key, peer);
  return dsprt_common_type(run, &key->shape, key->from, peer, key->to,
                           run->rank, DSPRT_AFTER);
}

/// Alltoallw wants a valid type even where it moves nothing.
static void set_type(DsprtExchange *x, int slot, MPI_Datatype type) {
  x->one_or_none[slot] = type != MPI_DATATYPE_NULL;
  x->types[slot] = type != MPI_DATATYPE_NULL ? type : MPI_BYTE;
}

static void count_leaving(DsprtExchange *x, int me) {
  for (int peer = 0; peer < x->ranks; peer++) {
    MPI_Count bytes = 0;
    if (peer == me || !x->one_or_none[peer]) continue;
    MPI_Type_size_x(x->types[peer], &bytes);
    x->leaving += (int64_t)bytes;
  }
}

static DsprtExchange *make(DsprtRun *run, const DsprtExchangeKey *key) {
  size_t n = (size_t)run->ranks;
  DsprtExchange *x = calloc(1, sizeof *x);
  if (!x) dsprt_fail(run, "out of memory for the types of a collective");
  *x = (DsprtExchange){.key = *key,
                       .ranks = run->ranks,
                       .one_or_none = calloc(2 * n, sizeof(int)),
                       .zeros = calloc(n, sizeof(int)),
                       .types = calloc(2 * n, sizeof(MPI_Datatype))};
  if (!x->one_or_none || !x->zeros || !x->types)
    dsprt_fail(run, "out of memory for the types of a collective");
  for (int peer = 0; peer < run->ranks; peer++) {
    set_type(x, peer, send_type(run, key, peer));
    set_type(x, run->ranks + peer, receive_type(run, key, peer));
  }
  count_leaving(x, run->rank);
  return x;
}

static DsprtExchange *find(DsprtRun *run, const DsprtExchangeKey *key) {
  DsprtExchange *x = run->state->exchanges;
  while (x && !same_key(&x->key, key)) x = x->next;
  if (x) return x;
  x = make(run, key);
  x->next = run->state->exchanges;
  run->state->exchanges = x;
  return x;
}

void dsprt_exchange(DsprtRun *run, const DsprtExchangeKey *key, const void *in,
                    void *out) {
  DsprtExchange *x = find(run, key);
  MPI_Alltoallw(in, x->one_or_none, x->zeros, x->types, out,
                x->one_or_none + x->ranks, x->zeros, x->types + x->ranks,
                run->state->comm);
  run->state->counted += x->leaving;
}

void dsprt_exchanges_free(DsprtExchange *list) {
  while (list) {
    DsprtExchange *next = list->next;
    for (int i = 0; i < 2 * list->ranks; i++)
      if (list->types[i] != MPI_BYTE) MPI_Type_free(&list->types[i]);
    free(list->one_or_none);
    free(list->zeros);
    free(list->types);
    free(list);
    list = next;
  }
}
