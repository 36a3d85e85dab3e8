// collectives.c - the changes of layout, each one or two exchanges.
//
// Needs:  buffers as dsprt_collectives.h says.
// Leaves: results that do not depend on timing: sums go in rank order.
#include "dsprt_collectives.h"

#include "convert.h"
#include "dsprt_math.h"
#include "exchange.h"
#include "shape.h"
#include "state.h"

void dsprt_redistribute(DsprtRun *run, const void *in, void *out,
                        const DsprtShape *shape, DsprtCuts from, DsprtCuts to) {
  DSPRT_SPAN(run, DSPRT_WORK_SWITCH, "redistribute", 0, 0);
  DsprtExchangeKey key = {DSPRT_MOVE, *shape, from, to, 0};
  dsprt_exchange(run, &key, in, out);
}

static float merge(DsprtReduction op, float a, float b) {
  if (op == DSPRT_SUM) return a + b;
  return a < b || b != b ? b : a;
}

static void reduce_floats(DsprtReduction op, DsprtType type, int ranks,
                          int64_t n, const void *slots, void *out) {
#pragma omp parallel for
  for (int64_t i = 0; i < n; i++) {
    float all = dsprt_element(type, slots, i);
    for (int r = 1; r < ranks; r++)
      all = merge(op, all, dsprt_element(type, slots, r * n + i));
    dsprt_convert(DSPRT_F32, &all, type,
                  (unsigned char *)out + i * dsprt_type_bytes(type), 1);
  }
}

static void reduce_f32(DsprtReduction op, int ranks, int64_t n,
                       const float *slots, float *out) {
#pragma omp parallel for simd
  for (int64_t i = 0; i < n; i++) {
    float all = slots[i];
    for (int r = 1; r < ranks; r++) all = merge(op, all, slots[r * n + i]);
    out[i] = all;
  }
}

static void reduce_i32(DsprtReduction op, int ranks, int64_t n,
                       const int32_t *slots, int32_t *out) {
  for (int64_t i = 0; i < n; i++) {
    int64_t all = slots[i];
    for (int r = 1; r < ranks; r++) {
      int64_t next = slots[r * n + i];
      all = op == DSPRT_SUM ? all + next : all > next ? all : next;
    }
    out[i] = (int32_t)all;
  }
}

/// Reduces `ranks` slots of n elements each.
static void reduce(DsprtReduction op, DsprtType type, int ranks, int64_t n,
                   const void *slots, void *out) {
  if (type == DSPRT_F32)
    reduce_f32(op, ranks, n, slots, out);
  else if (type == DSPRT_I32)
    reduce_i32(op, ranks, n, slots, out);
  else
    reduce_floats(op, type, ranks, n, slots, out);
}

void dsprt_axis_reduce_scatter(DsprtRun *run, int axis, const void *in,
                               void *out, const DsprtShape *shape,
                               DsprtCuts to, DsprtReduction op, void *scratch) {
  DSPRT_SPAN(run, DSPRT_WORK_COLLECTIVE, "reduce-scatter", 0, 0);
  DsprtExchangeKey key = {DSPRT_SPREAD, *shape, dsprt_without(to, axis), to,
                          axis};
  DsprtRuns runs = dsprt_mesh_runs(shape, to, run->mesh, run->rank);
  if (!dsprt_can_scatter(run->mesh, to, axis))
    dsprt_fail(run, "a reduce-scatter on axis 0 of what axis 1 cuts");
  dsprt_exchange(run, &key, in, scratch);
  reduce(op, shape->type, run->mesh.sizes[axis], runs.count * runs.length,
         scratch, out);
}

void dsprt_axis_all_reduce(DsprtRun *run, int axis, const void *in, void *out,
                           const DsprtShape *shape, DsprtCuts cuts,
                           DsprtReduction op, void *scratch) {
  DSPRT_SPAN(run, DSPRT_WORK_COLLECTIVE, "all-reduce", 0, 0);
  DsprtRuns all = dsprt_mesh_runs(shape, cuts, run->mesh, run->rank);
  DsprtShape flat = {shape->type, 1, {all.count * all.length}};
  DsprtCuts whole = dsprt_cuts(DSPRT_WHOLE), parts = whole;
  parts.axes[axis] = (DsprtCut){0, 1};
  DsprtExchangeKey spread = {DSPRT_SPREAD, flat, whole, parts, axis};
  DsprtExchangeKey gather = {DSPRT_GATHER_IN_PLACE, flat, parts, whole, axis};
  DsprtRuns own = dsprt_mesh_runs(&flat, parts, run->mesh, run->rank);
  unsigned char *part =
      (unsigned char *)out + own.first * dsprt_type_bytes(shape->type);
  dsprt_exchange(run, &spread, in, scratch);
  reduce(op, shape->type, run->mesh.sizes[axis], own.length, scratch, part);
  dsprt_exchange(run, &gather, out, out);
}

int64_t dsprt_reduce_scatter_scratch(const DsprtShape *shape, DsprtCut cut,
                                     int ranks) {
  DsprtRuns largest = dsprt_runs(shape, cut, 0, ranks);
  return ranks * largest.count * largest.length * dsprt_type_bytes(shape->type);
}

int64_t dsprt_all_reduce_scratch(const DsprtShape *shape, int ranks) {
  int64_t n = dsprt_elements(shape);
  return ranks * dsprt_part(n, 0, ranks) * dsprt_type_bytes(shape->type);
}
