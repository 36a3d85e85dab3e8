// exchange.h - who sends which elements to whom, as MPI types.
//
// Every collective of the runtime is one or two exchanges: each rank sends
// some elements of one buffer to each rank, which puts them somewhere in
// another buffer.  Nothing is packed by us.
#ifndef DSPRT_CPU_EXCHANGE_H
#define DSPRT_CPU_EXCHANGE_H

#include <mpi.h>

#include "dsprt_program.h"

typedef enum DsprtExchangeKind {
  DSPRT_MOVE,   ///< from any cuts to any others
  DSPRT_SPREAD, ///< parts to their owners along the axis, one slot a sender
  DSPRT_GATHER_IN_PLACE, ///< my part of the whole to everyone's, likewise
} DsprtExchangeKind;

/// What an exchange is made from; two with the same are the same.
typedef struct DsprtExchangeKey {
  DsprtExchangeKind kind;
  DsprtShape shape;
  DsprtCuts from, to;
  int axis; ///< of the mesh; not of a move
} DsprtExchangeKey;

typedef struct DsprtExchange {
  struct DsprtExchange *next;
  DsprtExchangeKey key;
  int ranks;
  int64_t leaving;     ///< bytes to other ranks
  int *one_or_none;    ///< [2 * ranks] counts of sends, then of receives
  int *zeros;          ///< [ranks]
  MPI_Datatype *types; ///< [2 * ranks] of sends, then of receives
} DsprtExchange;

/// Does the exchange and counts it.  Types are made once per key.
void dsprt_exchange(DsprtRun *run, const DsprtExchangeKey *key, const void *in,
                    void *out);

void dsprt_exchanges_free(DsprtExchange *list);

#endif
