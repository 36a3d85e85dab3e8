// mesh_test.c - plans of random graphs, on one axis and on two: what they say
// is true element by element, and where they are said to be the cheapest there
// is no cheaper one.
//
// How many graphs, and which: tiers.h.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "judge.h"
#include "nests.h"
#include "rival.h"
#include "tiers.h"

enum { GRAPHS = 1000, LIMIT = 100000 };

/// How often what happened.
typedef struct Tally {
  size_t plans, proved, two_axes, moving, rings, sums;
} Tally;

static DspPlanOptions random_options(Random *random) {
  DspPlanOptions options = {.allow_tensor = random_once_in(random, 2)};
  options.mesh = dsp_plan_mesh(2 + random_below(random, 3));
  if (random_once_in(random, 3)) // soon met
    options.limits = (DspSearchLimits){.max_width = 4 + random_below(random, 8),
                                       .max_explored =
                                           4 + random_below(random, 64),
                                       .beam = 4};
  if (random_once_in(random, 3))
    return options;
  options.mesh.naxes = 2;
  options.mesh.sizes[0] = 1 + random_below(random, 3);
  options.mesh.sizes[1] = 2 + random_below(random, 2);
  return options;
}

static void fail_at(uint64_t seed, const char *what) {
  fail_msg("seed %llu: %s", (unsigned long long)seed, what);
}

static void count(Tally *tally, const DspPlanGraph *graph,
                  const DspPlanOptions *options, const DspPlan *plan) {
  bool ring = false, sum = false;
  for (size_t i = 0; i < graph->nops; ++i)
    for (int a = 0; a < DSP_PLAN_AXES; ++a) {
      ring |= plan->picks[i].axes[a].ring;
      sum |= plan->picks[i].axes[a].contracted;
    }
  ++tally->plans;
  tally->two_axes += options->mesh.sizes[0] > 1 && options->mesh.sizes[1] > 1;
  tally->moving += plan->bytes > 0;
  tally->rings += ring;
  tally->sums += sum;
}

static void check_cost(uint64_t seed, const DspPlan *plan, Bill bill) {
  const DspCertificate *c = &plan->certificate;
  if (c->found.bytes != bill.bytes || c->found.collectives != bill.collectives)
    fail_at(seed, "the certificate's plan is not the plan");
  if (c->lower_bound > bill.bytes || (c->exact && c->lower_bound != bill.bytes))
    fail_at(seed, "a bound that is none");
}

static void check_one(uint64_t seed, Tally *tally) {
  DspArena *arena = dsp_arena_create();
  Random random = {seed};
  DspPlanGraph graph = random_nests(arena, &random,
                                    3 + random_below(&random, 8));
  DspPlanOptions options = random_options(&random);
  DspPlan plan;
  DspLowered low;
  Bill bill;
  if (dsp_plan_graph(arena, &graph, &options, &plan, NULL) != DSP_PLAN_OK)
    fail_at(seed, "no plan");
  const char *wrong = judge_plan(arena, &graph, &options, &plan, &bill);
  if (wrong)
    fail_at(seed, wrong);
  check_cost(seed, &plan, bill);
  dsp_plan_lower(arena, &graph, &options, DSP_PLAN_NO_DIM, &low, NULL);
  Bill bound = {plan.certificate.lower_bound,
                plan.certificate.exact ? bill.collectives : 0};
  RivalResult result =
      find_cheaper(arena, &graph, &options, &low, bound, LIMIT);
  if (result == RIVAL_WINS)
    fail_at(seed, "there is a plan below what is said to be proved");
  tally->proved += result == RIVAL_LOSES && plan.certificate.exact;
  count(tally, &graph, &options, &plan);
  dsp_arena_destroy(arena);
}

static void plans_are_true_and_cheapest(void **state) {
  (void)state;
  uint64_t first = first_seed();
  size_t graphs = graphs_to_try(GRAPHS);
  Tally t = {0};
  for (uint64_t seed = first; seed < first + graphs; ++seed)
    check_one(seed, &t);
  printf("seeds %llu to %llu: %zu plans, %zu proved by brute force, "
         "%zu on two axes, %zu move bytes, %zu with rings, %zu with sums\n",
         (unsigned long long)first, (unsigned long long)(first + graphs - 1),
         t.plans, t.proved, t.two_axes, t.moving, t.rings, t.sums);
  assert_true(t.proved > graphs * 9 / 10);
  assert_true(t.two_axes > graphs / 3 && t.moving > graphs / 4);
  assert_true(t.sums > graphs / 20);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(plans_are_true_and_cheapest),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
