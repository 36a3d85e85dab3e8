// bound_test.c - a lower bound is at most what the cheapest plan costs, by
// brute force; and dropping what costs more than a plan that is known, or than
// a guess, loses no cheapest plan.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dual.h"
#include "problems.h"

enum { GRAPHS = 1000, COMBINATIONS = 3000 };

/// A random problem with a plan, and the truth about it.
typedef struct Case {
  DspArena *arena;
  Random random;
  DspSearchProblem problem;
  DspPlanCost best;
} Case;

static size_t wanted_graphs(void) {
  const char *wish = getenv("DSPC_TEST_GRAPHS");
  return wish ? strtoul(wish, NULL, 10) : GRAPHS;
}

/// Calls `check` on as many cases as are wanted.
static void for_cases(void (*check)(Case *)) {
  size_t graphs = wanted_graphs(), done = 0;
  for (uint64_t seed = 0; done < graphs; ++seed) {
    Case c = {.arena = dsp_arena_create(), .random = {seed}};
    c.problem =
        random_problem(c.arena, &c.random, 2 + random_below(&c.random, 9), 4);
    if (count_combinations(&c.problem, COMBINATIONS) < COMBINATIONS &&
        brute_force(c.arena, &c.problem, &c.best)) {
      check(&c);
      ++done;
    }
    dsp_arena_destroy(c.arena);
  }
}

static size_t tight; ///< cases in which the dual bound is the optimum

/// The bound never falls, and is never above the truth; not even when what
/// costs more than the truth was dropped.
static void check_dual(Case *c) {
  DspSets sets = dsp_sets(c->arena, &c->problem);
  DspDual *dual = dsp_dual(c->arena, &c->problem, &sets);
  int64_t bound = dsp_dual_raise(dual, 0);
  for (int i = 0; i < 6; ++i) {
    int64_t next = dsp_dual_raise(dual, 1);
    assert_true(next >= bound);
    assert_true(next <= c->best.bytes);
    bound = next;
    if (i == 3) dsp_dual_drop(dual, c->best.bytes);
  }
  tight += bound == c->best.bytes;
}

static void dual_is_a_bound(void **state) {
  (void)state;
  tight = 0;
  for_cases(check_dual);
  assert_true(tight > wanted_graphs() * 3 / 4);
}

static void search_is_the_truth(Case *c, const DspSearchLimits *limits) {
  DspSearchResult result;
  DspPlanCost cost;
  assert_int_equal(dsp_search(c->arena, &c->problem, limits, &result),
                   DSP_SEARCH_OK);
  assert_null(replay(c->arena, &c->problem, &result, &cost));
  assert_int_equal(dsp_plan_cost_compare(cost, c->best), 0);
  assert_true(result.certificate.exact);
  assert_int_equal(result.certificate.lower_bound, c->best.bytes);
}

/// What is known is a plan's bytes, or more.
static void check_known(Case *c) {
  DspSearchLimits limits = {.known = c->best.bytes};
  search_is_the_truth(c, &limits);
  limits.known += random_below(&c->random, 30);
  search_is_the_truth(c, &limits);
}

static void known_plans_lose_nothing(void **state) {
  (void)state;
  for_cases(check_known);
}

/// A guess below the truth is not taken for it.
static void check_guess(Case *c) {
  DspSearchLimits limits = {.give_up = true};
  DspSearchResult result;
  limits.known = c->best.bytes - 1 - random_below(&c->random, 3);
  if (limits.known <= 0) return;
  DspSearchStatus status = dsp_search(c->arena, &c->problem, &limits, &result);
  assert_int_not_equal(status, DSP_SEARCH_GAVE_UP);
  if (status == DSP_SEARCH_NO_PLAN) return;
  assert_false(result.certificate.exact);
  assert_true(result.certificate.lower_bound <= c->best.bytes);
  assert_true(result.certificate.found.bytes >= c->best.bytes);
}

static void guesses_prove_no_more(void **state) {
  (void)state;
  for_cases(check_guess);
}

/// Limits that are met at once: the bound holds, and nothing is called exact
/// that is not.
static void check_limits(Case *c) {
  DspSearchLimits limits = {.max_width = 1 + random_below(&c->random, 4),
                            .max_explored = 1 + random_below(&c->random, 30),
                            .beam = 1 + random_below(&c->random, 3)};
  DspSearchResult result;
  DspPlanCost cost;
  for (int known = 0; known < 2; ++known) {
    limits.known = known ? c->best.bytes : 0;
    if (dsp_search(c->arena, &c->problem, &limits, &result) != DSP_SEARCH_OK) {
      assert_false(result.certificate.exact);
      continue;
    }
    assert_null(replay(c->arena, &c->problem, &result, &cost));
    assert_true(result.certificate.lower_bound <= c->best.bytes);
    int order = dsp_plan_cost_compare(cost, c->best);
    assert_true(order >= 0);
    assert_true(order == 0 || !result.certificate.exact);
  }
}

static void bounds_hold_at_limits(void **state) {
  (void)state;
  for_cases(check_limits);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dual_is_a_bound),
      cmocka_unit_test(known_plans_lose_nothing),
      cmocka_unit_test(guesses_prove_no_more),
      cmocka_unit_test(bounds_hold_at_limits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
