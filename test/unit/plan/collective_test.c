// collective_test.c - byte counts equal those of element by element counting.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#include "dspc/plan/collective.h"
#include "random.h"

enum { CASES = 4000, MAX_DIMS = 5 };

/// Whether `rank` holds the element with these indices.
static bool holds(const DspPlanShape *shape, const int64_t *index,
                  DspPlanLayout layout, int64_t rank, int64_t ranks) {
  if (layout.kind != DSP_LAYOUT_CUT)
    return true;
  int64_t flat = 0, size = 1;
  for (size_t i = layout.first; i < (size_t)layout.first + layout.count; ++i) {
    flat = flat * shape->sizes[i] + index[i];
    size *= shape->sizes[i];
  }
  int64_t begin = dsp_plan_part_begin(size, rank, ranks);
  return flat >= begin && flat < begin + dsp_plan_part(size, rank, ranks);
}

static bool next_index(const DspPlanShape *shape, int64_t *index) {
  for (size_t i = shape->ndims; i-- > 0;) {
    if (++index[i] < shape->sizes[i])
      return true;
    index[i] = 0;
  }
  return false;
}

/// What leaves `rank`, copy by copy.  A sum of the whole is first scattered
/// over the flat elements, then gathered.
static int64_t count_sent(const DspPlanShape *shape, DspPlanLayout from,
                          DspPlanLayout to, int64_t rank, int64_t ranks) {
  int64_t index[MAX_DIMS] = {0}, sent = 0, flat = 0, all = 1;
  for (size_t i = 0; i < shape->ndims; ++i)
    all *= shape->sizes[i];
  DspPlanShape line = {1, &all, shape->element_bytes};
  DspPlanLayout cut = {DSP_LAYOUT_CUT, 0, 0, 1};
  do {
    bool sum = from.kind == DSP_LAYOUT_PARTIAL;
    bool all_reduce = sum && to.kind == DSP_LAYOUT_WHOLE;
    for (int64_t peer = 0; peer < ranks; ++peer) {
      if (peer == rank)
        continue;
      if (all_reduce)
        sent += holds(&line, &flat, cut, peer, ranks) +
                holds(&line, &flat, cut, rank, ranks);
      else if (from.kind != DSP_LAYOUT_WHOLE)
        sent += holds(shape, index, from, rank, ranks) &&
                holds(shape, index, to, peer, ranks);
    }
    ++flat;
  } while (next_index(shape, index));
  return sent * shape->element_bytes;
}

static DspPlanLayout random_layout(Random *random, size_t ndims, bool sums) {
  if (random_once_in(random, 5))
    return (DspPlanLayout){sums && random_once_in(random, 2)
                               ? DSP_LAYOUT_PARTIAL
                               : DSP_LAYOUT_WHOLE,
                           DSP_PLAN_NO_DIM, 0, 0};
  uint32_t first = random_below(random, (uint32_t)ndims);
  uint32_t count = 1 + random_below(random, (uint32_t)ndims - first);
  return (DspPlanLayout){DSP_LAYOUT_CUT, first, (uint16_t)first,
                         (uint16_t)count};
}

static void equals_counting(void **state) {
  (void)state;
  Random random = {7};
  for (int i = 0; i < CASES; ++i) {
    int64_t sizes[MAX_DIMS], per_rank[9], total = 0;
    DspPlanShape shape = {1 + random_below(&random, MAX_DIMS), sizes, 2};
    for (size_t k = 0; k < shape.ndims; ++k)
      sizes[k] = 1 + random_below(&random, 5);
    int64_t ranks = 1 + random_below(&random, 9);
    DspPlanLayout from = random_layout(&random, shape.ndims, true);
    DspPlanLayout to = random_layout(&random, shape.ndims, false);
    int64_t bytes =
        dsp_plan_collective_bytes(&shape, from, to, ranks, per_rank);
    for (int64_t rank = 0; rank < ranks; ++rank) {
      assert_int_equal(per_rank[rank],
                       count_sent(&shape, from, to, rank, ranks));
      total += per_rank[rank];
    }
    assert_int_equal(bytes, total);
  }
}

/// No way round is cheaper than the direct one, but for what a stop in R,
/// which only costs more, gives for nothing afterwards.
static void no_detour_is_cheaper(void **state) {
  (void)state;
  Random random = {11};
  for (int i = 0; i < CASES; ++i) {
    int64_t sizes[3], ranks = 1 + random_below(&random, 8);
    DspPlanShape shape = {3, sizes, 4};
    for (size_t k = 0; k < 3; ++k)
      sizes[k] = ranks * (1 + random_below(&random, 3)); // even parts
    DspPlanLayout a[3];
    for (size_t k = 0; k < 3; ++k)
      a[k] = (DspPlanLayout){DSP_LAYOUT_CUT, (uint32_t)k, (uint16_t)k, 1};
    a[random_below(&random, 3)] = random_layout(&random, 1, false);
    int64_t direct =
        dsp_plan_collective_bytes(&shape, a[0], a[2], ranks, NULL);
    int64_t first = dsp_plan_collective_bytes(&shape, a[0], a[1], ranks, NULL);
    int64_t second = dsp_plan_collective_bytes(&shape, a[1], a[2], ranks, NULL);
    assert_true(direct <= first + second);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(equals_counting),
    cmocka_unit_test(no_detour_is_cheaper),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
