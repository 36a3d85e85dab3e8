// regions.c - counts elements within cuts, without looking at elements.
//
// Runs of positions that have none in common count each by themselves.  Where
// two runs share positions, one holds the other or they cross, and both can be
// counted; where three or four do, the outer indices are gone through.
//
// Needs:  bounds whose positions lie within the value.
// Leaves: exact counts.
#include "regions.h"

#include <stdbool.h>

static int64_t min64(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static int64_t max64(int64_t a, int64_t b) {
  return a > b ? a : b;
}

static int64_t product(const DspPlanShape *shape, size_t begin, size_t end) {
  int64_t size = 1;
  for (size_t i = begin; i < end; ++i)
    size *= shape->sizes[i];
  return size;
}

/// Narrows the bound on the same run, or adds one; kept in order of `first`,
/// the longer run before the shorter.
static void add_bound(DspRegion *region, DspBound bound) {
  uint32_t at = region->count;
  for (uint32_t i = 0; i < region->count; ++i) {
    DspBound *old = &region->bounds[i];
    if (old->first != bound.first || old->end != bound.end)
      continue;
    old->from = max64(old->from, bound.from);
    old->to = max64(old->from, min64(old->to, bound.to));
    return;
  }
  ++region->count;
  for (; at > 0; --at) {
    const DspBound *before = &region->bounds[at - 1];
    if (before->first < bound.first ||
        (before->first == bound.first && before->end > bound.end))
      break;
    region->bounds[at] = *before;
  }
  region->bounds[at] = bound;
}

void dsp_region_add(DspRegion *region, const DspPlanShape *shape,
                    const DspPlanMesh *mesh, DspPlanLayout layout,
                    const int64_t *at, uint32_t axes) {
  for (uint32_t a = 0; a < axes; ++a) {
    DspPlanCut cut = layout.axes[a];
    if (cut.kind != DSP_LAYOUT_CUT)
      continue;
    DspBound bound = {cut.first, (uint32_t)cut.first + cut.count, 0, 0};
    int64_t size = product(shape, bound.first, bound.end), begin = 0;
    if (a > 0 && layout.axes[0].kind == DSP_LAYOUT_CUT &&
        layout.axes[0].first == cut.first) {
      begin = dsp_plan_part_begin(size, at[0], mesh->sizes[0]);
      size = dsp_plan_part(size, at[0], mesh->sizes[0]);
    }
    bound.from = begin + dsp_plan_part_begin(size, at[a], mesh->sizes[a]);
    bound.to = bound.from + dsp_plan_part(size, at[a], mesh->sizes[a]);
    add_bound(region, bound);
  }
}

/// How many of the indices below `end` lie in `b` when their quotient by
/// `inner` is taken modulo `n`.
static int64_t count_below(int64_t end, int64_t n, int64_t inner,
                           const DspBound *b) {
  int64_t wanted = (b->to - b->from) * inner;
  int64_t rest = end % (n * inner) - b->from * inner;
  return end / (n * inner) * wanted + max64(0, min64(rest, wanted));
}

/// Run `b` takes some of the positions of run `a`.
static int64_t count_nested(const DspPlanShape *shape, const DspBound *a,
                            const DspBound *b) {
  int64_t n = product(shape, b->first, b->end);
  int64_t inner = product(shape, b->end, a->end);
  return count_below(a->to, n, inner, b) - count_below(a->from, n, inner, b);
}

/// How many x >= 0 have x * step + offset < end.
static int64_t count_steps(int64_t end, int64_t step, int64_t offset) {
  return end <= offset ? 0 : (end - offset - 1) / step + 1;
}

/// Run `a` ends inside run `b`: the positions are x, y of `a` and y, z of `b`.
static int64_t count_crossing(const DspPlanShape *shape, const DspBound *a,
                              const DspBound *b) {
  int64_t ny = product(shape, b->first, a->end);
  int64_t nz = product(shape, a->end, b->end);
  int64_t count = 0;
  for (int64_t y = 0; y < ny; ++y) {
    int64_t x = count_steps(a->to, ny, y) - count_steps(a->from, ny, y);
    int64_t z = min64(b->to, (y + 1) * nz) - max64(b->from, y * nz);
    count += x * max64(0, z);
  }
  return count;
}

/// How many indices of position `last` lie within all bounds when the flat
/// index of the positions begin .. last - 1 is `outer`.
static int64_t count_line(const DspPlanShape *shape, const DspBound *bounds,
                          uint32_t count, uint32_t last, int64_t outer) {
  int64_t from = 0, to = shape->sizes[last];
  for (uint32_t i = 0; i < count; ++i) {
    const DspBound *b = &bounds[i];
    bool inner = b->end > last;
    uint32_t end = inner ? last : b->end;
    int64_t index = outer / product(shape, end, last) %
                    product(shape, b->first, end);
    int64_t base = index * shape->sizes[last];
    if (inner) {
      from = max64(from, b->from - base);
      to = min64(to, b->to - base);
    } else if (index < b->from || index >= b->to) {
      return 0;
    }
  }
  return max64(0, to - from);
}

/// Three or four runs over the positions begin .. end - 1.
static int64_t count_many(const DspPlanShape *shape, const DspBound *bounds,
                          uint32_t count, uint32_t begin, uint32_t end) {
  int64_t lines = product(shape, begin, end - 1), sum = 0;
  for (int64_t outer = 0; outer < lines; ++outer)
    sum += count_line(shape, bounds, count, end - 1, outer);
  return sum;
}

/// The indices of the positions begin .. end - 1 that some runs leave.
static int64_t count_group(const DspPlanShape *shape, const DspBound *bounds,
                           uint32_t count, uint32_t end) {
  if (count == 1)
    return bounds[0].to - bounds[0].from;
  if (count > 2)
    return count_many(shape, bounds, count, bounds[0].first, end);
  if (bounds[1].end <= bounds[0].end)
    return count_nested(shape, &bounds[0], &bounds[1]);
  return count_crossing(shape, &bounds[0], &bounds[1]);
}

int64_t dsp_region_count(const DspRegion *region, const DspPlanShape *shape) {
  int64_t count = 1;
  size_t done = 0;
  for (uint32_t i = 0; i < region->count;) {
    const DspBound *first = &region->bounds[i];
    uint32_t begin = i, end = first->end;
    for (++i; i < region->count && region->bounds[i].first < end; ++i)
      if (region->bounds[i].end > end)
        end = region->bounds[i].end;
    count *= product(shape, done, first->first) *
             count_group(shape, first, i - begin, end);
    done = end;
  }
  return count * product(shape, done, shape->ndims);
}
