// session.c - the steps of a run but for what is compared and written.
//
// Needs:  options that fit together.
// Leaves: a forward pass done, its bytes counted, times taken.
#include "session.h"

#include <stdlib.h>

#include "ports.h"
#include "shape.h"

static void check_ranks(DsprtSession *s) {
  if (s->run.ranks == s->program->ranks) return;
  dsprt_error(&s->errors,
              "compiled for %d rank%s, started with %d: use mpirun -n %d",
              s->program->ranks, s->program->ranks == 1 ? "" : "s",
              s->run.ranks, s->program->ranks);
}

void dsprt_step_prepare(DsprtSession *s) {
  check_ranks(s);
  if (s->options.tf32 && !dsprt_backend_allow_tf32(&s->run))
    dsprt_error(&s->errors, "--tf32: only GPUs have it, this program is for "
                            "CPU ranks");
  if (s->errors.count) return;
  s->counted = calloc((size_t)s->run.ranks, sizeof *s->counted);
  s->seconds = calloc((size_t)s->options.bench + 1, sizeof *s->seconds);
  unsigned char *memory =
      dsprt_backend_arena(&s->run, s->program->arena_bytes);
  s->host = s->run;
  s->host.arena = memory;
  if (!s->counted || !s->seconds || !memory)
    dsprt_error(&s->errors, "out of memory: %lld bytes of activations",
                (long long)s->program->arena_bytes);
}

static void open_file(DsprtSession *s, DsprtTensors *file, const char *path) {
  if (path) dsprt_tensors_open(file, path, &s->errors);
}

void dsprt_step_open(DsprtSession *s) {
  const char *weights = s->options.weights;
  if (weights && dsprt_is_index(weights))
    dsprt_tensors_open_index(&s->weights_file, weights, &s->errors);
  else
    open_file(s, &s->weights_file, weights);
  open_file(s, &s->input_file, s->options.input);
  open_file(s, &s->expected_file, s->options.verify);
}

void dsprt_step_load(DsprtSession *s) {
  if (s->options.weights)
    dsprt_weights_load(&s->weights, s->program, s->run.rank, s->run.ranks,
                       &s->weights_file, s->options.allow_extra, &s->errors);
  else
    dsprt_weights_random(&s->weights, s->program, s->run.rank, s->run.ranks,
                         s->options.weights_seed, &s->errors);
  if (s->options.input)
    dsprt_inputs_check(s->program, &s->input_file, s->options.allow_extra,
                       &s->errors);
  if (!s->errors.count && !dsprt_backend_weights(&s->run, &s->weights))
    dsprt_error(&s->errors, "out of memory: no room for the weights");
}

/// Bytes of this rank's part of a port.
static int64_t port_bytes(const DsprtSession *s, const DsprtPort *port) {
  DsprtRuns runs = dsprt_port_runs(&s->run, port);
  return runs.count * runs.length * dsprt_type_bytes(port->shape.type);
}

static void read_inputs(DsprtSession *s) {
  if (s->options.input)
    dsprt_inputs_read(&s->host, s->program, &s->input_file);
  else
    dsprt_inputs_random(&s->host, s->program, s->options.input_seed);
}

/// Passes overwrite the arena, inputs too.
static void set_inputs(DsprtSession *s) {
  read_inputs(s);
  for (int i = 0; i < s->program->ninputs; i++) {
    const DsprtPort *port = &s->program->inputs[i];
    dsprt_backend_put(&s->run, port->offset, port_bytes(s, port));
  }
}

static void get_outputs(DsprtSession *s) {
  for (int i = 0; i < s->program->noutputs; i++) {
    const DsprtPort *port = &s->program->outputs[i];
    dsprt_backend_get(&s->run, port->offset, port_bytes(s, port));
  }
}

void dsprt_step_forward(DsprtSession *s) {
  set_inputs(s);
  dsprt_backend_forward(&s->run, true);
  dsprt_backend_gather(&s->run, dsprt_backend_counted(&s->run), s->counted);
  get_outputs(s);
}

void dsprt_step_bench(DsprtSession *s) {
  for (int i = 0; i < s->options.bench; i++) {
    if (s->run.rank == 0) dsprt_progress("forward", i, s->options.bench);
    set_inputs(s);
    s->seconds[i] = dsprt_backend_forward(&s->run, false);
  }
  if (s->run.rank == 0)
    dsprt_progress("forward", s->options.bench, s->options.bench);
  dsprt_backend_largest(&s->run, s->seconds, s->options.bench);
  dsprt_report_times(&s->report, s->seconds, s->options.bench);
}

/// The type of most of the weights: products compute in it.
static DsprtType type_of_products(const DsprtProgram *program) {
  int64_t bytes[DSPRT_I32 + 1] = {0};
  DsprtType most = DSPRT_F32;
  for (int i = 0; i < program->nparams; i++) {
    const DsprtShape *shape = &program->params[i].shape;
    bytes[shape->type] += dsprt_elements(shape);
    if (bytes[shape->type] > bytes[most]) most = shape->type;
  }
  return most;
}

/// The second of two passes: the first one makes what marks need.
void dsprt_step_profile(DsprtSession *s) {
  bool speed = s->options.bench && s->run.ranks > 1;
  if (!s->options.profile && !speed) return;
  for (int i = 0; i < 2; i++) {
    dsprt_profile_free(&s->profile);
    set_inputs(s);
    dsprt_profile_pass(&s->profile, &s->run);
  }
  s->profile.limits =
      dsprt_backend_limits(&s->run, type_of_products(s->program));
  s->report.profile = &s->profile;
  s->report.tables = s->options.profile != NULL;
  if (s->options.profile && s->run.rank == 0)
    dsprt_profile_save(&s->profile, s->options.profile, &s->errors);
}

static DsprtDeviceMemory memory_of_all(const DsprtSession *s) {
  DsprtDeviceMemory memory = dsprt_backend_memory(&s->run);
  double most[] = {(double)memory.predicted, (double)memory.taken};
  dsprt_backend_largest(&s->run, most, 2);
  return (DsprtDeviceMemory){(int64_t)most[0], (int64_t)most[1]};
}

void dsprt_step_report(DsprtSession *s) {
  s->report.program = s->program;
  s->report.counted = s->counted;
  s->report.arena_bytes = dsprt_backend_arena_bytes(&s->run);
  s->report.weights_mapped = s->weights.mapped_bytes;
  s->report.weights_copied = s->weights.buffer_bytes;
  s->report.memory = memory_of_all(s);
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
  dsprt_errors_free(&s->errors);
  dsprt_profile_free(&s->profile);
  free(s->counted);
  free(s->seconds);
}
