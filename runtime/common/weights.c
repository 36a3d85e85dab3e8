// weights.c - from the table of parameters to a struct of pointers.
//
// Needs:  a checked file, or a seed.
// Leaves: every pointer of the struct set: into the map, or into one buffer.
#include "weights.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "convert.h"
#include "param_cursor.h"
#include "random.h"
#include "shape.h"

static bool is_cut(const DsprtParam *param) {
  return param->cut.count || param->inner.count;
}

DsprtRuns dsprt_param_runs(const DsprtParam *param, DsprtMesh mesh, int rank) {
  const DsprtShape *dims = is_cut(param) ? &param->dims : &param->shape;
  return dsprt_mesh_runs(dims, (DsprtCuts){{param->cut, param->inner}}, mesh,
                         rank);
}

int64_t dsprt_param_bytes(const DsprtParam *param, DsprtMesh mesh, int rank) {
  DsprtRuns runs = dsprt_param_runs(param, mesh, rank);
  return runs.count * runs.length * dsprt_type_bytes(param->shape.type);
}

static DsprtRuns runs_of(const DsprtWeights *weights, const DsprtParam *param) {
  return dsprt_param_runs(param, weights->mesh, weights->rank);
}

static int64_t bytes_of(const DsprtWeights *weights, const DsprtParam *param) {
  return dsprt_param_bytes(param, weights->mesh, weights->rank);
}

static int64_t padded(int64_t bytes) {
  return (bytes + DSPRT_ALIGNMENT - 1) / DSPRT_ALIGNMENT * DSPRT_ALIGNMENT;
}

static bool fits_in_map(const DsprtWeights *weights, const DsprtParam *param,
                        const DsprtTensor *tensor) {
  uintptr_t size = (uintptr_t)dsprt_type_bytes(param->shape.type);
  return tensor->shape.type == param->shape.type &&
         (uintptr_t)tensor->data % size == 0 &&
         runs_of(weights, param).count <= 1;
}

static void check(const DsprtParamCursor *c, const DsprtTensors *file,
                  const DsprtTensor *tensor, DsprtErrors *errors) {
  char want[DSPRT_SHAPE_TEXT], have[DSPRT_SHAPE_TEXT];
  dsprt_shape_text(&c->param->shape, want);
  if (!tensor) {
    dsprt_error(errors, "%s: tensor '%s' is missing: %s%s", file->path, c->name,
                dsprt_type_name(c->param->shape.type), want);
    return;
  }
  dsprt_shape_text(&tensor->shape, have);
  if (!dsprt_same_dims(&tensor->shape, &c->param->shape))
    dsprt_error(errors,
                "%s: tensor '%s' has the shape %s in the file, the program "
                "needs %s",
                file->path, c->name, have, want);
  else if (!tensor->readable ||
           !dsprt_converts(tensor->shape.type, c->param->shape.type))
    dsprt_error(errors,
                "%s: tensor '%s' is %s%s in the file, the program "
                "needs %s",
                file->path, c->name, tensor->dtype, have,
                dsprt_type_name(c->param->shape.type));
}

/// Checks every tensor and adds up what the buffer must hold.
static void check_all(DsprtWeights *weights, const DsprtProgram *program,
                      const DsprtTensors *file, bool *used,
                      DsprtErrors *errors) {
  DsprtParamCursor c = dsprt_params(program);
  while (dsprt_next_param(&c)) {
    const DsprtTensor *tensor = dsprt_tensors_find(file, c.name);
    check(&c, file, tensor, errors);
    if (!tensor) continue;
    used[tensor - file->tensors] = true;
    int64_t bytes = bytes_of(weights, c.param);
    if (fits_in_map(weights, c.param, tensor))
      weights->mapped_bytes += bytes;
    else
      weights->buffer_bytes += padded(bytes);
  }
}

static void check_extra(const DsprtTensors *file, const bool *used,
                        DsprtErrors *errors) {
  char text[DSPRT_SHAPE_TEXT];
  for (size_t i = 0; i < file->count; i++)
    if (!used[i])
      dsprt_error(errors,
                  "%s: tensor '%s' %s is not a parameter of the program "
                  "(--allow-extra ignores it)",
                  file->path, file->tensors[i].name,
                  dsprt_shape_text(&file->tensors[i].shape, text));
}

static bool allocate(DsprtWeights *weights, const DsprtProgram *program,
                     DsprtErrors *errors) {
  weights->pointers = calloc(1, program->weights_bytes + 1);
  weights->buffer =
      aligned_alloc(DSPRT_ALIGNMENT, (size_t)padded(weights->buffer_bytes + 1));
  if (weights->pointers && weights->buffer) return true;
  dsprt_error(errors, "out of memory: %lld bytes of weights",
              (long long)weights->buffer_bytes);
  return false;
}

static void set_pointer(DsprtWeights *weights, size_t offset,
                        const void *data) {
  memcpy((unsigned char *)weights->pointers + offset, &data, sizeof data);
}

/// Converts this rank's part, run by run.
static void copy_part(const DsprtWeights *weights, const DsprtParam *param,
                      const DsprtTensor *tensor, unsigned char *out) {
  DsprtRuns runs = runs_of(weights, param);
  const unsigned char *in = tensor->data;
  int64_t from = dsprt_type_bytes(tensor->shape.type);
  int64_t to = dsprt_type_bytes(param->shape.type);
  for (int64_t i = 0; i < runs.count; i++)
    dsprt_convert(tensor->shape.type,
                  in + dsprt_run_begin(&runs, i) * from, param->shape.type,
                  out + i * runs.length * to, runs.length);
}

static void fill(DsprtWeights *weights, const DsprtProgram *program,
                 const DsprtTensors *file) {
  unsigned char *next = weights->buffer;
  DsprtParamCursor c = dsprt_params(program);
  while (dsprt_next_param(&c)) {
    const DsprtTensor *tensor = dsprt_tensors_find(file, c.name);
    DsprtRuns runs = runs_of(weights, c.param);
    const void *data = (const unsigned char *)tensor->data +
                       runs.first * dsprt_type_bytes(tensor->shape.type);
    if (!fits_in_map(weights, c.param, tensor)) {
      copy_part(weights, c.param, tensor, next);
      data = next;
      next += padded(bytes_of(weights, c.param));
    }
    set_pointer(weights, c.offset, data);
  }
}

bool dsprt_weights_load(DsprtWeights *weights, const DsprtProgram *program,
                        int rank, int ranks, const DsprtTensors *file,
                        bool allow_extra, DsprtErrors *errors) {
  int before = errors->count;
  *weights = (DsprtWeights){.rank = rank,
                            .mesh = dsprt_mesh_of(program, ranks)};
  bool *used = calloc(file->count + 1, sizeof *used);
  if (!used) {
    dsprt_error(errors, "out of memory");
    return false;
  }
  check_all(weights, program, file, used, errors);
  if (!allow_extra) check_extra(file, used, errors);
  free(used);
  if (errors->count == before && allocate(weights, program, errors))
    fill(weights, program, file);
  if (errors->count == before) return true;
  dsprt_weights_free(weights);
  return false;
}

static bool is_gain(const char *name) {
  size_t n = strlen(name), k = strlen("weight");
  return n >= k && strcmp(name + n - k, "weight") == 0;
}

/// Every rank makes the same tensor, of which it keeps its part.
static void fill_random(const DsprtWeights *weights, const DsprtParamCursor *c,
                        uint64_t seed, void *data) {
  const DsprtShape *shape = &c->param->shape;
  DsprtRuns runs = runs_of(weights, c->param);
  int64_t n = dsprt_elements(shape);
  int64_t row = shape->ndims > 1 && shape->dims[0] ? n / shape->dims[0] : 1;
  bool vector = row <= 1;
  float scale = vector ? 0.1f : 1.0f / sqrtf((float)row);
  float shift = vector && is_gain(c->name) ? 1.0f : 0.0f;
  uint64_t key = dsprt_random_key(seed, c->name);
  dsprt_random_runs(key, &runs, shift, scale, shape->type, data);
}

bool dsprt_weights_random(DsprtWeights *weights, const DsprtProgram *program,
                          int rank, int ranks, uint64_t seed,
                          DsprtErrors *errors) {
  *weights = (DsprtWeights){.rank = rank,
                            .mesh = dsprt_mesh_of(program, ranks)};
  DsprtParamCursor c = dsprt_params(program);
  while (dsprt_next_param(&c))
    weights->buffer_bytes += padded(bytes_of(weights, c.param));
  if (!allocate(weights, program, errors)) {
    dsprt_weights_free(weights);
    return false;
  }
  unsigned char *next = weights->buffer;
  c = dsprt_params(program);
  while (dsprt_next_param(&c)) {
    fill_random(weights, &c, seed, next);
    set_pointer(weights, c.offset, next);
    next += padded(bytes_of(weights, c.param));
  }
  return true;
}

void dsprt_weights_free(DsprtWeights *weights) {
  free(weights->pointers);
  free(weights->buffer);
  *weights = (DsprtWeights){0};
}
