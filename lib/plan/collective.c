// collective.c - the parts of a cut dim and the bytes that a conversion moves.
//
// Needs:  layouts whose positions lie within the value.
// Leaves: exact counts, for parts that differ and for cuts that share dims.
#include "dspc/plan/collective.h"

#include <assert.h>
#include <stdbool.h>

#include "dspc/plan/plan.h"

/// A half-open range of flat indices.
typedef struct Range {
  int64_t begin, end;
} Range;

static int64_t min64(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static int64_t max64(int64_t a, int64_t b) {
  return a > b ? a : b;
}

int64_t dsp_plan_part(int64_t size, int64_t rank, int64_t ranks) {
  return size / ranks + (rank < size % ranks);
}

int64_t dsp_plan_part_begin(int64_t size, int64_t rank, int64_t ranks) {
  return rank * (size / ranks) + min64(rank, size % ranks);
}

static int64_t product(const DspPlanShape *shape, size_t begin, size_t end) {
  int64_t size = 1;
  for (size_t i = begin; i < end; ++i)
    size *= shape->sizes[i];
  return size;
}

static Range part_range(int64_t size, int64_t rank, int64_t ranks) {
  int64_t begin = dsp_plan_part_begin(size, rank, ranks);
  return (Range){begin, begin + dsp_plan_part(size, rank, ranks)};
}

/// How many of the indices below `end` lie in `range` when their quotient by
/// `inner` is taken modulo `n`.
static int64_t count_below(int64_t end, int64_t n, int64_t inner, Range range) {
  int64_t wanted = (range.end - range.begin) * inner;
  int64_t rest = end % (n * inner) - range.begin * inner;
  return end / (n * inner) * wanted + max64(0, min64(rest, wanted));
}

/// Cut `b` takes some of the positions of cut `a`.
static int64_t count_nested(const DspPlanShape *shape, DspPlanLayout a,
                            Range ra, DspPlanLayout b, Range rb) {
  size_t a_end = (size_t)a.first + a.count, b_end = (size_t)b.first + b.count;
  int64_t n = product(shape, b.first, b_end);
  int64_t inner = product(shape, b_end, a_end);
  return count_below(ra.end, n, inner, rb) -
         count_below(ra.begin, n, inner, rb);
}

/// How many x >= 0 have x * step + offset < end.
static int64_t count_steps(int64_t end, int64_t step, int64_t offset) {
  return end <= offset ? 0 : (end - offset - 1) / step + 1;
}

/// Cut `a` ends inside cut `b`: the positions are x, y of `a` and y, z of `b`.
static int64_t count_crossing(const DspPlanShape *shape, DspPlanLayout a,
                              Range ra, DspPlanLayout b, Range rb) {
  size_t a_end = (size_t)a.first + a.count, b_end = (size_t)b.first + b.count;
  int64_t ny = product(shape, b.first, a_end);
  int64_t nz = product(shape, a_end, b_end);
  int64_t count = 0;
  for (int64_t y = 0; y < ny; ++y) {
    int64_t x = count_steps(ra.end, ny, y) - count_steps(ra.begin, ny, y);
    int64_t z = min64(rb.end, (y + 1) * nz) - max64(rb.begin, y * nz);
    count += x * max64(0, z);
  }
  return count;
}

/// The elements that `rank` holds in both cuts.
static int64_t count_both(const DspPlanShape *shape, DspPlanLayout a,
                          DspPlanLayout b, int64_t rank, int64_t ranks) {
  if (b.first < a.first || (b.first == a.first && b.count > a.count)) {
    DspPlanLayout swap = a;
    a = b;
    b = swap;
  }
  size_t a_end = (size_t)a.first + a.count, b_end = (size_t)b.first + b.count;
  int64_t na = product(shape, a.first, a_end);
  int64_t nb = product(shape, b.first, b_end);
  int64_t all = product(shape, 0, shape->ndims);
  Range ra = part_range(na, rank, ranks), rb = part_range(nb, rank, ranks);
  if (b.first >= a_end)
    return (ra.end - ra.begin) * (rb.end - rb.begin) * (all / na / nb);
  if (b_end <= a_end)
    return count_nested(shape, a, ra, b, rb) * (all / na);
  int64_t united = product(shape, a.first, b_end);
  return count_crossing(shape, a, ra, b, rb) * (all / united);
}

static int64_t count_held(const DspPlanShape *shape, DspPlanLayout layout,
                          int64_t rank, int64_t ranks) {
  size_t end = (size_t)layout.first + layout.count;
  int64_t size = product(shape, layout.first, end);
  int64_t all = product(shape, 0, shape->ndims);
  return dsp_plan_part(size, rank, ranks) * (all / size);
}

DspCollective dsp_plan_collective(DspPlanLayout from, DspPlanLayout to) {
  static const DspCollective table[3][3] = {
    {DSP_COLLECTIVE_NONE, DSP_COLLECTIVE_SPLIT, DSP_COLLECTIVE_IMPOSSIBLE},
    {DSP_COLLECTIVE_ALL_GATHER, DSP_COLLECTIVE_ALL_TO_ALL,
     DSP_COLLECTIVE_IMPOSSIBLE},
    {DSP_COLLECTIVE_ALL_REDUCE, DSP_COLLECTIVE_REDUCE_SCATTER,
     DSP_COLLECTIVE_NONE},
  };
  bool same = from.kind == DSP_LAYOUT_CUT && to.kind == DSP_LAYOUT_CUT &&
              from.first == to.first && from.count == to.count;
  return same ? DSP_COLLECTIVE_NONE : table[from.kind][to.kind];
}

/// Elements that leave `rank`.
static int64_t count_sent(const DspPlanShape *shape, DspPlanLayout from,
                          DspPlanLayout to, int64_t rank, int64_t ranks) {
  int64_t all = product(shape, 0, shape->ndims);
  int64_t flat = dsp_plan_part(all, rank, ranks);
  switch (dsp_plan_collective(from, to)) {
  case DSP_COLLECTIVE_ALL_TO_ALL:
    return count_held(shape, from, rank, ranks) -
           count_both(shape, from, to, rank, ranks);
  case DSP_COLLECTIVE_ALL_GATHER:
    return (ranks - 1) * count_held(shape, from, rank, ranks);
  case DSP_COLLECTIVE_REDUCE_SCATTER:
    return all - count_held(shape, to, rank, ranks);
  case DSP_COLLECTIVE_ALL_REDUCE:
    return all - flat + (ranks - 1) * flat;
  case DSP_COLLECTIVE_NONE:
  case DSP_COLLECTIVE_SPLIT:
  case DSP_COLLECTIVE_IMPOSSIBLE:
    break;
  }
  return 0;
}

int64_t dsp_plan_collective_bytes(const DspPlanShape *shape,
                                  DspPlanLayout from, DspPlanLayout to,
                                  int64_t ranks, int64_t *per_rank) {
  if (dsp_plan_collective(from, to) == DSP_COLLECTIVE_IMPOSSIBLE)
    return DSP_PLAN_NEVER;
  int64_t total = 0;
  for (int64_t rank = 0; rank < ranks; ++rank) {
    int64_t bytes =
        count_sent(shape, from, to, rank, ranks) * shape->element_bytes;
    if (per_rank)
      per_rank[rank] = bytes;
    total += bytes;
  }
  return total;
}

const char *dsp_plan_collective_name(DspCollective collective) {
  static const char *const names[] = {
    [DSP_COLLECTIVE_NONE] = "none",
    [DSP_COLLECTIVE_SPLIT] = "split",
    [DSP_COLLECTIVE_ALL_TO_ALL] = "all-to-all",
    [DSP_COLLECTIVE_ALL_GATHER] = "all-gather",
    [DSP_COLLECTIVE_REDUCE_SCATTER] = "reduce-scatter",
    [DSP_COLLECTIVE_ALL_REDUCE] = "all-reduce",
    [DSP_COLLECTIVE_IMPOSSIBLE] = "impossible",
  };
  assert(collective <= DSP_COLLECTIVE_IMPOSSIBLE);
  return names[collective];
}
