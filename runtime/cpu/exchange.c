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

static bool same_cut(DsprtCut a, DsprtCut b) {
  return a.first == b.first && a.count == b.count;
}

static bool same_key(const DsprtExchangeKey *a, const DsprtExchangeKey *b) {
  return a->kind == b->kind && a->shape.type == b->shape.type &&
         dsprt_same_dims(&a->shape, &b->shape) && same_cut(a->from, b->from) &&
         same_cut(a->to, b->to);
}

static DsprtBox part_of_whole(const DsprtExchangeKey *key, DsprtCut cut,
                              int rank, int ranks) {
  DsprtRuns runs = dsprt_runs(&key->shape, cut, rank, ranks);
  return (DsprtBox){runs.count, runs.length, runs.stride, runs.first};
}

/// All of a part in a buffer that holds `slot` other parts of its size before.
static DsprtBox all_of_part(const DsprtExchangeKey *key, DsprtCut cut, int rank,
                            int ranks, int slot) {
  DsprtRuns runs = dsprt_runs(&key->shape, cut, rank, ranks);
  int64_t n = runs.count * runs.length;
  return (DsprtBox){1, n, n, slot * n};
}

static MPI_Datatype send_type(const DsprtRun *run, const DsprtExchangeKey *key,
                              int peer) {
  int me = run->rank, ranks = run->ranks;
  int64_t bytes = dsprt_type_bytes(key->shape.type);
  switch (key->kind) {
  case DSPRT_SWITCH:
    return dsprt_common_type(run, &key->shape, key->from, me, key->to, peer,
                             true);
  case DSPRT_GATHER:
    return dsprt_box_type(run, all_of_part(key, key->from, me, ranks, 0),
                          bytes);
  case DSPRT_SPREAD:
    return dsprt_box_type(run, part_of_whole(key, key->to, peer, ranks), bytes);
  case DSPRT_GATHER_IN_PLACE:
    if (peer == me) return MPI_DATATYPE_NULL;
    return dsprt_box_type(run, part_of_whole(key, key->from, me, ranks), bytes);
  }
  return MPI_DATATYPE_NULL;
}

static MPI_Datatype receive_type(const DsprtRun *run,
                                 const DsprtExchangeKey *key, int peer) {
  int me = run->rank, ranks = run->ranks;
  int64_t bytes = dsprt_type_bytes(key->shape.type);
  switch (key->kind) {
  case DSPRT_SWITCH:
    return dsprt_common_type(run, &key->shape, key->from, peer, key->to, me,
                             false);
  case DSPRT_SPREAD:
    return dsprt_box_type(run, all_of_part(key, key->to, me, ranks, peer),
                          bytes);
  case DSPRT_GATHER_IN_PLACE:
    if (peer == me) return MPI_DATATYPE_NULL;
    return dsprt_box_type(run, part_of_whole(key, key->from, peer, ranks),
                          bytes);
  case DSPRT_GATHER:
    return dsprt_box_type(run, part_of_whole(key, key->from, peer, ranks),
                          bytes);
  }
  return MPI_DATATYPE_NULL;
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
