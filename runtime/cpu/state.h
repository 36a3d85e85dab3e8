// state.h - what the CPU runtime knows during a run.
#ifndef DSPRT_CPU_STATE_H
#define DSPRT_CPU_STATE_H

#include <mpi.h>

#include "backend.h"

struct DsprtExchange;

typedef struct DsprtState {
  MPI_Comm comm;
  const DsprtProgram *program;
  int64_t counted; ///< bytes that left this rank since it was set to 0
  struct DsprtExchange *exchanges; ///< made so far, a list
  float *tiles;                    ///< attention's tiles of all threads
  int64_t tile_bytes;
} DsprtState;

/// Makes `run` ready for collectives and compute on `comm`; no arena yet.
void dsprt_state_open(DsprtRun *run, DsprtState *state, MPI_Comm comm,
                      const DsprtProgram *program);
void dsprt_state_close(DsprtState *state);

/// At least `bytes` of memory for tiles; lasts until the next call.
float *dsprt_tiles(DsprtRun *run, int64_t bytes);

#endif
