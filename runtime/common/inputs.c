// inputs.c - a rank's part of every input.
//
// Needs:  a checked file, or a seed.
// Leaves: the inputs in the arena.
#include <stdlib.h>
#include <string.h>

#include "convert.h"
#include "ports.h"
#include "random.h"
#include "shape.h"

void *dsprt_port_data(const DsprtRun *run, const DsprtPort *port) {
  return run->arena + port->offset;
}

DsprtRuns dsprt_port_runs(const DsprtRun *run, const DsprtPort *port) {
  DsprtCuts cuts = {{port->cut, port->inner}};
  return dsprt_mesh_runs(&port->shape, cuts, run->mesh, run->rank);
}

const DsprtTensor *dsprt_port_tensor(const DsprtPort *port,
                                     const DsprtTensors *file,
                                     DsprtErrors *errors) {
  char want[DSPRT_SHAPE_TEXT], have[DSPRT_SHAPE_TEXT];
  const DsprtTensor *tensor = dsprt_tensors_find(file, port->name);
  dsprt_shape_text(&port->file, want);
  if (!tensor) {
    dsprt_error(errors, "%s: tensor '%s' is missing: %s%s", file->path,
                port->name, dsprt_type_name(port->shape.type), want);
    return NULL;
  }
  dsprt_shape_text(&tensor->shape, have);
  if (!dsprt_same_dims(&tensor->shape, &port->file) &&
      !dsprt_same_layout(&tensor->shape, &port->shape)) {
    dsprt_error(errors,
                "%s: tensor '%s' has the shape %s in the file, the program "
                "has %s",
                file->path, port->name, have, want);
    return NULL;
  }
  if (!tensor->readable ||
      !dsprt_converts(tensor->shape.type, port->shape.type)) {
    dsprt_error(errors,
                "%s: tensor '%s' is %s in the file, the program has "
                "%s",
                file->path, port->name, tensor->dtype,
                dsprt_type_name(port->shape.type));
    return NULL;
  }
  return tensor;
}

static bool is_input(const DsprtProgram *program, const char *name) {
  for (int i = 0; i < program->ninputs; i++)
    if (strcmp(program->inputs[i].name, name) == 0) return true;
  return false;
}

bool dsprt_inputs_check(const DsprtProgram *program, const DsprtTensors *file,
                        bool allow_extra, DsprtErrors *errors) {
  int before = errors->count;
  for (int i = 0; i < program->ninputs; i++)
    dsprt_port_tensor(&program->inputs[i], file, errors);
  for (size_t i = 0; i < file->count; i++)
    if (!allow_extra && !is_input(program, file->tensors[i].name))
      dsprt_error(errors,
                  "%s: tensor '%s' is not an input of the program "
                  "(--allow-extra ignores it)",
                  file->path, file->tensors[i].name);
  return errors->count == before;
}

static void read_part(const DsprtRun *run, const DsprtPort *port,
                      const DsprtTensor *tensor) {
  DsprtRuns runs = dsprt_port_runs(run, port);
  int64_t from = dsprt_type_bytes(tensor->shape.type);
  int64_t to = dsprt_type_bytes(port->shape.type);
  unsigned char *out = dsprt_port_data(run, port);
  for (int64_t i = 0; i < runs.count; i++)
    dsprt_convert(tensor->shape.type,
                  tensor->data + dsprt_run_begin(&runs, i) * from,
                  port->shape.type, out + i * runs.length * to, runs.length);
}

void dsprt_inputs_read(const DsprtRun *run, const DsprtProgram *program,
                       const DsprtTensors *file) {
  for (int i = 0; i < program->ninputs; i++) {
    const DsprtPort *port = &program->inputs[i];
    read_part(run, port, dsprt_tensors_find(file, port->name));
  }
}

void dsprt_inputs_random(const DsprtRun *run, const DsprtProgram *program,
                         uint64_t seed) {
  for (int i = 0; i < program->ninputs; i++) {
    const DsprtPort *port = &program->inputs[i];
    DsprtRuns runs = dsprt_port_runs(run, port);
    dsprt_random_runs(dsprt_random_key(seed, port->name), &runs, 0, 1,
                      port->shape.type, dsprt_port_data(run, port));
  }
}
