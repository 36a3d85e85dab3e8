// param_cursor.c - one tensor after the other out of the parameter table.
//
// Needs:  tables as dspc emits them.
// Leaves: names with loop indices in place of "{0}", "{1}", "{2}".
#include "param_cursor.h"

#include <stdio.h>

DsprtParamCursor dsprt_params(const DsprtProgram *program) {
  return (DsprtParamCursor){.program = program};
}

static int64_t iterations_of(const DsprtParam *param) {
  int64_t n = 1;
  for (int i = 0; i < param->nloops; i++) n *= param->loops[i].count;
  return n;
}

/// The loops' indices, counted from 0, in `iteration` (the last is fastest).
static void split(const DsprtParam *param, int64_t iteration,
                  int64_t index[DSPRT_MAX_LOOPS]) {
  for (int i = param->nloops; i-- > 0;) {
    index[i] = iteration % param->loops[i].count;
    iteration /= param->loops[i].count;
  }
}

static int placeholder(const char *at, int nloops) {
  bool is =
      at[0] == '{' && at[1] >= '0' && at[1] < '0' + nloops && at[2] == '}';
  return is ? at[1] - '0' : -1;
}

static void write_name(DsprtParamCursor *c, const int64_t *index) {
  size_t room = sizeof c->name, n = 0;
  for (const char *at = c->param->path; *at && n + 24 < room; at++) {
    int loop = placeholder(at, c->param->nloops);
    if (loop < 0) {
      c->name[n++] = *at;
      continue;
    }
    int64_t number = c->param->loops[loop].first + index[loop];
    n += (size_t)snprintf(c->name + n, room - n, "%lld", (long long)number);
    at += 2;
  }
  c->name[n] = '\0';
}

bool dsprt_next_param(DsprtParamCursor *c) {
  while (c->iteration >= c->iterations) {
    if (c->next_param >= c->program->nparams) return false;
    c->param = &c->program->params[c->next_param++];
    c->iterations = iterations_of(c->param);
    c->iteration = 0;
  }
  int64_t index[DSPRT_MAX_LOOPS] = {0};
  split(c->param, c->iteration++, index);
  c->offset = c->param->offset;
  for (int i = 0; i < c->param->nloops; i++)
    c->offset += (size_t)(index[i] * c->param->loops[i].stride);
  write_name(c, index);
  return true;
}
