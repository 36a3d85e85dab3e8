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

/// The dims of a value as [outer, dims of a cut, inner].
typedef struct Around {
  int64_t outer, size, inner;
  DsprtRange range; ///< of `size`
} Around;

static Around around(const DsprtShape *shape, DsprtCuts cuts, int axis,
                     DsprtMesh mesh, int rank) {
  DsprtCut cut = cuts.axes[axis];
  int end = cut.first + cut.count;
  bool on[DSPRT_MAX_AXES];
  for (int i = 0; i < DSPRT_MAX_AXES; i++)
    on[i] = dsprt_same_cut(cuts.axes[i], cut);
  int64_t size = product(shape, cut.first, end);
  return (Around){product(shape, 0, cut.first), size,
                  product(shape, end, shape->ndims),
                  dsprt_range(size, on, mesh, rank)};
}

static DsprtRuns runs_of_one(Around a) {
  return (DsprtRuns){.count = a.outer,
                     .length = a.range.size * a.inner,
                     .first = a.range.begin * a.inner,
                     .stride = a.size * a.inner,
                     .block = a.outer ? a.outer : 1};
}

/// `a` lies before `b`: [.., dims of a, middle, dims of b, ..].
static DsprtRuns runs_of_two(Around a, Around b) {
  DsprtRuns runs = runs_of_one(b);
  int64_t middle = runs.stride ? a.inner / runs.stride : 0;
  runs.block = a.range.size * middle;
  runs.count = a.outer * runs.block;
  runs.first += a.range.begin * a.inner;
  runs.jump = a.size * a.inner;
  if (runs.block == 0) runs.block = 1;
  return runs;
}

DsprtRuns dsprt_mesh_runs(const DsprtShape *shape, DsprtCuts cuts,
                          DsprtMesh mesh, int rank) {
  int64_t all = dsprt_elements(shape);
  int axis = cuts.axes[0].count ? 0 : 1;
  if (!cuts.axes[axis].count)
    return (DsprtRuns){.count = 1, .length = all, .stride = all, .block = 1};
  Around a = around(shape, cuts, axis, mesh, rank);
  if (axis == 1 || !cuts.axes[1].count ||
      dsprt_same_cut(cuts.axes[0], cuts.axes[1]))
    return runs_of_one(a);
  Around b = around(shape, cuts, 1, mesh, rank);
  bool in_order = cuts.axes[0].first < cuts.axes[1].first;
  return in_order ? runs_of_two(a, b) : runs_of_two(b, a);
}

DsprtRuns dsprt_runs(const DsprtShape *shape, DsprtCut cut, int rank,
                     int ranks) {
  return dsprt_mesh_runs(shape, dsprt_cuts(cut), dsprt_row(ranks), rank);
}

int64_t dsprt_run_begin(const DsprtRuns *runs, int64_t i) {
  return runs->first + i / runs->block * runs->jump +
         i % runs->block * runs->stride;
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
