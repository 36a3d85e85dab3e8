// agree.c - all ranks go on, or none.
//
// Needs:  every rank to call it at the same point.
// Leaves: one printed copy of errors that many ranks have.
#include "agree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"

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
  int failures = 0, first = run->ranks;
  int64_t *failed = calloc((size_t)run->ranks, sizeof *failed);
  if (!failed) dsprt_fail(run, "out of memory");
  dsprt_backend_gather(run, errors->count > 0, failed);
  for (int i = run->ranks; i-- > 0;) {
    failures += failed[i] != 0;
    if (failed[i]) first = i;
  }
  free(failed);
  if (failures == 0) return true;
  char who[64] = "";
  if (failures < run->ranks)
    snprintf(who, sizeof who, "rank %d of %d: ", run->rank, run->ranks);
  if (first == run->rank) print_lines(errors, who);
  dsprt_errors_free(errors);
  return false;
}
