// session.c - the steps of a run but for what is compared and written.
//
// Needs:  options that fit together.
// Leaves: a forward pass done, its bytes counted, times taken.
#include "session.h"

#include <stdlib.h>

#include "ports.h"

static void check_ranks(DsprtSession *s) {
  if (s->run.ranks == s->program->ranks) return;
  dsprt_error(&s->errors,
              "compiled for %d rank%s, started with %d: use mpirun -n %d",
              s->program->ranks, s->program->ranks == 1 ? "" : "s",
              s->run.ranks, s->program->ranks);
}

void dsprt_step_prepare(DsprtSession *s) {
  check_ranks(s);
  if (s->errors.count) return;
  s->counted = calloc((size_t)s->run.ranks, sizeof *s->counted);
  s->seconds = calloc((size_t)s->options.bench + 1, sizeof *s->seconds);
  s->arena = dsprt_arena(s->program->arena_bytes);
  s->run.arena = s->arena.memory;
  if (!s->counted || !s->seconds || !s->arena.memory)
    dsprt_error(&s->errors, "out of memory: %lld bytes of activations",
                (long long)s->program->arena_bytes);
}

static void open_file(DsprtSession *s, DsprtTensors *file, const char *path) {
  if (path) dsprt_tensors_open(file, path, &s->errors);
}

void dsprt_step_open(DsprtSession *s) {
  open_file(s, &s->weights_file, s->options.weights);
  open_file(s, &s->input_file, s->options.input);
  open_file(s, &s->expected_file, s->options.verify);
}

void dsprt_step_load(DsprtSession *s) {
  if (s->options.weights)
    dsprt_weights_load(&s->weights, s->program, &s->weights_file,
                       s->options.allow_extra, &s->errors);
  else
    dsprt_weights_random(&s->weights, s->program, s->options.weights_seed,
                         &s->errors);
  if (s->options.input)
    dsprt_inputs_check(s->program, &s->input_file, s->options.allow_extra,
                       &s->errors);
  s->run.weights = s->weights.pointers;
}

static void set_inputs(DsprtSession *s) {
  if (s->options.input)
    dsprt_inputs_read(&s->run, s->program, &s->input_file);
  else
    dsprt_inputs_random(&s->run, s->program, s->options.input_seed);
}

static double forward(DsprtSession *s) {
  s->run.stage = -1;
  s->state.counted = 0;
  MPI_Barrier(s->state.comm);
  double begin = MPI_Wtime();
  s->program->forward(&s->run);
  double seconds = MPI_Wtime() - begin;
  s->run.stage = -1;
  return seconds;
}

void dsprt_step_forward(DsprtSession *s) {
  set_inputs(s);
  forward(s);
  MPI_Allgather(&s->state.counted, 1, MPI_INT64_T, s->counted, 1, MPI_INT64_T,
                s->state.comm);
}

void dsprt_step_bench(DsprtSession *s) {
  for (int i = 0; i < s->options.bench; i++) {
    if (s->run.rank == 0) dsprt_progress("forward", i, s->options.bench);
    set_inputs(s);
    s->seconds[i] = forward(s);
  }
  if (s->run.rank == 0)
    dsprt_progress("forward", s->options.bench, s->options.bench);
  MPI_Allreduce(MPI_IN_PLACE, s->seconds, s->options.bench, MPI_DOUBLE, MPI_MAX,
                s->state.comm);
  dsprt_report_times(&s->report, s->seconds, s->options.bench);
}

void dsprt_step_report(DsprtSession *s) {
  s->report.program = s->program;
  s->report.counted = s->counted;
  s->report.arena_bytes = s->arena.bytes;
  s->report.weights_mapped = s->weights.mapped_bytes;
  s->report.weights_copied = s->weights.buffer_bytes;
  if (s->run.rank == 0) {
    if (s->options.json)
      dsprt_report_json(&s->report, stdout);
    else
      dsprt_report_print(&s->report, stdout);
    if (s->options.stats)
      dsprt_report_save(&s->report, s->options.stats, &s->errors);
    fflush(stdout);
  }
  dsprt_report_check(&s->report, &s->errors);
}

void dsprt_session_close(DsprtSession *s) {
  dsprt_tensors_close(&s->weights_file);
  dsprt_tensors_close(&s->input_file);
  dsprt_tensors_close(&s->expected_file);
  dsprt_weights_free(&s->weights);
  dsprt_arena_free(&s->arena);
  dsprt_state_close(&s->state);
  dsprt_errors_free(&s->errors);
  free(s->counted);
  free(s->seconds);
}
