// search_test.c - the search equals brute force, and says so only when it does.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "problems.h"
#include "tiers.h"

enum { GRAPHS = 1000, COMBINATIONS = 3000 };

static void check_one(uint64_t seed, size_t *plans) {
  DspArena *arena = dsp_arena_create();
  Random random = {seed};
  DspSearchProblem problem =
      random_problem(arena, &random, 2 + random_below(&random, 9), 4);
  if (count_combinations(&problem, COMBINATIONS) < COMBINATIONS) {
    DspPlanCost best = {0}, cost = {0};
    DspSearchResult result;
    bool possible = brute_force(arena, &problem, &best);
    DspSearchStatus status = dsp_search(arena, &problem, NULL, &result);
    assert_int_equal(status, possible ? DSP_SEARCH_OK : DSP_SEARCH_NO_PLAN);
    assert_true(result.certificate.exact);
    if (possible) {
      assert_null(replay(arena, &problem, &result, &cost));
      assert_int_equal(dsp_plan_cost_compare(cost, best), 0);
      assert_int_equal(
          dsp_plan_cost_compare(cost, result.certificate.found), 0);
      assert_int_equal(result.certificate.lower_bound, cost.bytes);
      ++*plans;
    }
  }
  dsp_arena_destroy(arena);
}

/// As many graphs that have a plan as tiers.h says.
static void equals_brute_force(void **state) {
  (void)state;
  size_t graphs = graphs_to_try(GRAPHS), plans = 0;
  uint64_t first = first_seed(), seed = first;
  for (; plans < graphs; ++seed)
    check_one(seed, &plans);
  printf("seeds %llu to %llu: %zu plans equal brute force\n",
         (unsigned long long)first, (unsigned long long)(seed - 1), plans);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(equals_brute_force),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
