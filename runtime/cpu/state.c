// state.c - the state of a run, and how a run ends badly.
//
// Needs:  MPI initialised.
// Leaves: errors of MPI that end all ranks with a message.
#include "state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "exchange.h"
#include "mesh.h"

/// MPI's error handler is told no more than a communicator.
static const DsprtRun *current;

static void on_mpi_error(MPI_Comm *comm, int *code, ...) {
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  (void)comm;
  if (MPI_Error_string(*code, text, &length) != MPI_SUCCESS) length = 0;
  dsprt_fail(current, "MPI: %.*s", length, text);
}

void dsprt_state_open(DsprtRun *run, DsprtState *state, MPI_Comm comm,
                      const DsprtProgram *program) {
  MPI_Errhandler handler;
  *state = (DsprtState){.comm = comm, .program = program};
  *run = (DsprtRun){.state = state, .stage = -1};
  MPI_Comm_rank(comm, &run->rank);
  MPI_Comm_size(comm, &run->ranks);
  dsprt_set_mesh(run, dsprt_mesh_of(program, run->ranks));
  current = run;
  MPI_Comm_create_errhandler(on_mpi_error, &handler);
  MPI_Comm_set_errhandler(comm, handler);
  MPI_Errhandler_free(&handler);
}

void dsprt_state_close(DsprtState *state) {
  dsprt_exchanges_free(state->exchanges);
  free(state->tiles);
  *state = (DsprtState){0};
  current = NULL;
}

void dsprt_fail(const DsprtRun *run, const char *format, ...) {
  char text[1024], where[256] = "";
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (run && run->stage >= 0)
    snprintf(where, sizeof where, ", stage '%s'",
             run->stage_name ? run->stage_name : "");
  fprintf(stderr, "error: rank %d of %d%s: %s\n", run ? run->rank : -1,
          run ? run->ranks : 0, where, text);
  fflush(stderr);
  MPI_Abort(MPI_COMM_WORLD, 1);
  exit(1);
}

float *dsprt_tiles(DsprtRun *run, int64_t bytes) {
  DsprtState *state = run->state;
  if (bytes <= state->tile_bytes) return state->tiles;
  int64_t padded =
      (bytes + DSPRT_ALIGNMENT - 1) / DSPRT_ALIGNMENT * DSPRT_ALIGNMENT;
  free(state->tiles);
  state->tiles = aligned_alloc(DSPRT_ALIGNMENT, (size_t)padded);
  if (!state->tiles)
    dsprt_fail(run, "out of memory: %lld bytes of tiles", (long long)padded);
  state->tile_bytes = padded;
  return state->tiles;
}
