// agree.c - all ranks go on, or none.
//
// Needs:  every rank to call it at the same point.
// Leaves: one printed copy of errors that many ranks have.
#include "agree.h"

#include <stdio.h>
#include <string.h>

#include "state.h"

static void print_lines(const DsprtErrors *errors, const char *who) {
  const char *at = errors->text ? errors->text : "out of memory\n";
  while (*at) {
    size_t length = strcspn(at, "\n");
    fprintf(stderr, "error: %s%.*s\n", who, (int)length, at);
    at += length + (at[length] == '\n');
  }
  fflush(stderr);
}

bool dsprt_agree(const DsprtRun *run, DsprtErrors *errors) {
  int failed = errors->count > 0, failures = 0, first = 0;
  int mine = failed ? run->rank : run->ranks;
  MPI_Allreduce(&failed, &failures, 1, MPI_INT, MPI_SUM, run->state->comm);
  MPI_Allreduce(&mine, &first, 1, MPI_INT, MPI_MIN, run->state->comm);
  if (failures == 0) return true;
  char who[64] = "";
  if (failures < run->ranks)
    snprintf(who, sizeof who, "rank %d of %d: ", run->rank, run->ranks);
  if (first == run->rank) print_lines(errors, who);
  dsprt_errors_free(errors);
  return false;
}
