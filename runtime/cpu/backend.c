// backend.c - MPI ranks on CPUs.
//
// Needs:  mpirun, srun or nothing (one rank).
// Leaves: see common/backend.h.  The host's memory is where programs compute.
#include "backend.h"

#include "arena.h"
#include "init.h"
#include "state.h"
#include "threads.h"

/// One run at a time.
static DsprtState state;
static DsprtArena arena;
static int64_t counted;

void dsprt_backend_open(DsprtRun *run, int *argc, char ***argv,
                        const DsprtProgram *program) {
  dsprt_init(argc, argv);
  dsprt_state_open(run, &state, MPI_COMM_WORLD, program);
}

void dsprt_backend_close(DsprtRun *run) {
  (void)run;
  dsprt_arena_free(&arena);
  dsprt_state_close(&state);
  MPI_Finalize();
}

int dsprt_backend_prepare(DsprtRun *run) {
  return dsprt_threads_set(run->state->comm);
}

unsigned char *dsprt_backend_arena(DsprtRun *run, int64_t bytes) {
  arena = dsprt_arena(bytes);
  return run->arena = arena.memory;
}

int64_t dsprt_backend_arena_bytes(const DsprtRun *run) {
  (void)run;
  return arena.bytes;
}

bool dsprt_backend_weights(DsprtRun *run, DsprtWeights *weights) {
  run->weights = weights->pointers;
  return true;
}

void dsprt_backend_put(DsprtRun *run, int64_t offset, int64_t bytes) {
  (void)run, (void)offset, (void)bytes;
}

void dsprt_backend_get(DsprtRun *run, int64_t offset, int64_t bytes) {
  (void)run, (void)offset, (void)bytes;
}

double dsprt_backend_forward(DsprtRun *run, bool first) {
  run->stage = -1;
  state.counted = 0;
  MPI_Barrier(state.comm);
  double begin = MPI_Wtime();
  state.program->forward(run);
  double seconds = MPI_Wtime() - begin;
  run->stage = -1;
  if (first) counted = state.counted;
  return seconds;
}

int64_t dsprt_backend_counted(const DsprtRun *run) {
  (void)run;
  return counted;
}

void dsprt_backend_gather(const DsprtRun *run, int64_t mine, int64_t *all) {
  MPI_Allgather(&mine, 1, MPI_INT64_T, all, 1, MPI_INT64_T, run->state->comm);
}

void dsprt_backend_largest(const DsprtRun *run, double *values, int count) {
  MPI_Allreduce(MPI_IN_PLACE, values, count, MPI_DOUBLE, MPI_MAX,
                run->state->comm);
}
