// shape.c - shapes as text and numbers, and the part of one rank as runs.
//
// Needs:  shapes whose element count fits in 63 bits.
// Leaves: nothing but its results.
#include "shape.h"

#include <stdio.h>

static int64_t product(const DsprtShape *shape, int begin, int end) {
  int64_t n = 1;
  for (int i = begin; i < end; i++) n *= shape->dims[i];
  return n;
}

int64_t dsprt_elements(const DsprtShape *shape) {
  return product(shape, 0, shape->ndims);
}

DsprtRuns dsprt_runs(const DsprtShape *shape, DsprtCut cut, int rank,
                     int ranks) {
  int64_t all = dsprt_elements(shape);
  if (cut.count == 0) return (DsprtRuns){1, all, 0, all};
  int end = cut.first + cut.count;
  int64_t n = product(shape, cut.first, end);
  int64_t inner = product(shape, end, shape->ndims);
  return (DsprtRuns){.count = product(shape, 0, cut.first),
                     .length = dsprt_part(n, rank, ranks) * inner,
                     .first = dsprt_begin(n, rank, ranks) * inner,
                     .stride = n * inner};
}

bool dsprt_same_dims(const DsprtShape *a, const DsprtShape *b) {
  if (a->ndims != b->ndims) return false;
  for (int i = 0; i < a->ndims; i++)
    if (a->dims[i] != b->dims[i]) return false;
  return true;
}

/// Every place where `coarse` has a border must be a border of `fine`.
static bool refines(const DsprtShape *fine, const DsprtShape *coarse) {
  int64_t seen = 1, want = 1;
  for (int i = 0, k = 0; i < coarse->ndims; i++) {
    want *= coarse->dims[i];
    while (seen < want && k < fine->ndims) seen *= fine->dims[k++];
    if (seen != want) return false;
  }
  return true;
}

bool dsprt_same_layout(const DsprtShape *file, const DsprtShape *shape) {
  if (dsprt_elements(file) != dsprt_elements(shape)) return false;
  if (dsprt_elements(file) == 0) return dsprt_same_dims(file, shape);
  return refines(shape, file) || refines(file, shape);
}

const char *dsprt_shape_text(const DsprtShape *shape, char *text) {
  size_t room = DSPRT_SHAPE_TEXT, n = 0;
  n += (size_t)snprintf(text, room, "[");
  for (int i = 0; i < shape->ndims; i++)
    n += (size_t)snprintf(text + n, room - n, "%s%lld", i ? ", " : "",
                          (long long)shape->dims[i]);
  snprintf(text + n, room - n, "]");
  return text;
}

const char *dsprt_type_name(DsprtType type) {
  static const char *const names[] = {"F32", "BF16", "F16", "I32"};
  return names[type];
}
