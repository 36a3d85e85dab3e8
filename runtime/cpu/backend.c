// backend.c - MPI ranks on CPUs.
//
// Needs:  mpirun, srun or nothing (one rank).
// Leaves: see common/backend.h.  The host's memory is where programs compute.
#include "backend.h"

#include <stdlib.h>
#include <time.h>

#include "arena.h"
#include "init.h"
#include "state.h"
#include "threads.h"

/// One run at a time.
static DsprtState state;
static DsprtArena arena;
static int64_t counted;
static double *marks; ///< of a profile
static int64_t marks_capacity;

void dsprt_backend_open(DsprtRun *run, int *argc, char ***argv,
                        const DsprtProgram *program) {
  dsprt_init(argc, argv);
  dsprt_state_open(run, &state, MPI_COMM_WORLD, program);
}

void dsprt_backend_close(DsprtRun *run) {
  (void)run;
  free(marks);
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

int64_t dsprt_backend_leaving(const DsprtRun *run) {
  return run->state->counted;
}

void dsprt_backend_stepwise(DsprtRun *run) {
  run->stage = -1;
  MPI_Barrier(state.comm);
  dsprt_backend_mark(run, 0);
  state.program->forward(run);
  run->stage = -1;
}

void dsprt_backend_mark(DsprtRun *run, int64_t index) {
  struct timespec t;
  if (index >= marks_capacity) {
    marks_capacity = 2 * index + 256;
    marks = realloc(marks, (size_t)marks_capacity * sizeof *marks);
    if (!marks) dsprt_fail(run, "out of memory for a profile");
  }
  clock_gettime(CLOCK_MONOTONIC, &t);
  marks[index] = (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double dsprt_backend_marks(DsprtRun *run, int64_t count, double *seconds) {
  (void)run;
  for (int64_t i = 0; i < count; i++) seconds[i] = marks[i] - marks[0];
  return marks[0];
}

bool dsprt_backend_allow_tf32(DsprtRun *run) {
  (void)run;
  return false;
}

DsprtDeviceMemory dsprt_backend_memory(const DsprtRun *run) {
  (void)run;
  return (DsprtDeviceMemory){0};
}

DsprtLimits dsprt_backend_limits(const DsprtRun *run, DsprtType type) {
  (void)run, (void)type;
  return (DsprtLimits){0};
}

void dsprt_backend_gather_bytes(const DsprtRun *run, const void *mine,
                                int64_t bytes, void *all) {
  MPI_Datatype piece; // a count is an int, and so may be too small
  MPI_Type_contiguous((int)bytes, MPI_BYTE, &piece);
  MPI_Type_commit(&piece);
  MPI_Allgather(mine, 1, piece, all, 1, piece, run->state->comm);
  MPI_Type_free(&piece);
}
