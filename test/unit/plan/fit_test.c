// fit_test.c - plans of random graphs under a limit of memory: they fit, what
// is proved of them is true, and brute force says how often they are the
// cheapest.
//
// How many graphs, and which: tiers.h.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "dspc/plan/fit.h"
#include "nests.h"
#include "rival.h"
#include "tiers.h"

enum { GRAPHS = 250, LIMIT = 30000, MOST_PLANS = 48 };

/// How often what happened.
typedef struct Tally {
  size_t plans, limited, proved, cheapest, dearer, unknown, missed, none;
} Tally;

/// A graph, and who plans it.
typedef struct Case {
  DspArena *arena;
  DspPlanGraph graph;
  DspPlanOptions options;
  bool all; ///< memory is more than what is charged
  uint64_t seed;
} Case;

static void fail_at(const Case *c, const char *what) {
  fail_msg("seed %llu: %s", (unsigned long long)c->seed, what);
}

static int64_t memory_of(const Case *c, const DspPlan *plan, bool all) {
  Memory memory =
      holds_of_plan(c->arena, &c->graph, &c->options.mesh, plan, all);
  return memory.weights + memory.most;
}

static bool plan(void *user, const int64_t *prices, DspPriced *out) {
  Case *c = user;
  DspPlan found;
  Bill bill;
  c->options.prices = prices;
  if (dsp_plan_graph(c->arena, &c->graph, &c->options, &found, NULL) !=
      DSP_PLAN_OK)
    return false;
  const char *wrong =
      judge_plan(c->arena, &c->graph, &c->options, &found, &bill);
  if (wrong)
    fail_at(c, wrong);
  if (found.certificate.found.bytes != bill.bytes)
    fail_at(c, "what was charged is not what was taken off");
  *out = (DspPriced){.cost = bill.bytes,
                     .bound = found.priced_bound,
                     .memory = memory_of(c, &found, c->all)};
  out->holds =
      dsp_plan_holds(c->arena, &c->graph, &c->options.mesh, &found);
  out->floor = dsp_holds_floor(c->arena, &out->holds);
  if (out->floor > memory_of(c, &found, false))
    fail_at(c, "a floor above what the ops hold");
  return true;
}

static Case random_case(DspArena *arena, uint64_t seed) {
  Random random = {seed};
  Case c = {.arena = arena, .seed = seed};
  c.graph = random_nests(arena, &random, 4 + random_below(&random, 8));
  c.options = (DspPlanOptions){.allow_tensor = true};
  c.options.mesh = dsp_plan_mesh(2 + random_below(&random, 3));
  if (random_once_in(&random, 4)) {
    c.options.mesh.naxes = 2;
    c.options.mesh.sizes[0] = 2;
    c.options.mesh.sizes[1] = 2;
  }
  c.all = random_once_in(&random, 2);
  return c;
}

/// What brute force knows better.
static void compare(const Case *c, const DspFitter *fitter, const DspFit *fit,
                    Tally *t) {
  DspPlanOptions options = c->options;
  DspLowered low;
  Bill known = {fit->fits ? fit->plan.cost : INT64_MAX / 8, 0}, bill;
  options.prices = NULL;
  dsp_plan_lower(c->arena, &c->graph, &options, DSP_PLAN_NO_DIM, &low, NULL);
  RivalResult result =
      find_cheaper_within(c->arena, &c->graph, &options, &low, known, LIMIT,
                          fitter->limit, c->all, &bill);
  if (result == RIVAL_WINS && bill.bytes < fit->bound)
    fail_at(c, "a plan that fits below what is said to be proved");
  if (result == RIVAL_WINS && fit->fits && fit->bound == fit->plan.cost)
    fail_at(c, "a plan that is said to be the cheapest and is not");
  if (result == RIVAL_GIVES_UP)
    ++t->unknown;
  else if (fit->fits && !fit->prices)
    return; // the cheapest plan of all: mesh_test.c
  else if (!fit->fits)
    ++*(result == RIVAL_WINS ? &t->missed : &t->none);
  else
    ++*(result == RIVAL_WINS ? &t->dearer : &t->cheapest);
}

/// What a plan needs to which memory is all that counts.
static int64_t lean_memory(Case *c) {
  DspPriced lean;
  int64_t *prices = dsp_arena_alloc(c->arena, c->graph.nops * sizeof *prices);
  for (size_t o = 0; o < c->graph.nops; ++o)
    prices[o] = 4096 * DSP_PRICE_ONE;
  return plan(c, prices, &lean) ? lean.memory : 0;
}

/// Most often between what a lean plan needs and what the cheapest does.
static int64_t random_limit(Case *c, Random *random, int64_t cheapest) {
  int64_t lean = lean_memory(c);
  if (random_once_in(random, 5) || lean > cheapest)
    return cheapest * (6 + random_below(random, 5)) / 10;
  return lean + (cheapest - lean) * random_below(random, 10) / 10;
}

static void check_one(uint64_t seed, Tally *t) {
  DspArena *arena = dsp_arena_create();
  Random random = {~seed};
  Case c = random_case(arena, seed);
  DspPriced free;
  if (!plan(&c, NULL, &free))
    fail_at(&c, "no plan");
  DspFitter fitter = {.most = MOST_PLANS, .plan = plan, .user = &c};
  fitter.limit = random_limit(&c, &random, free.memory);
  DspFit fit = dsp_plan_fit(arena, &fitter, false);
  if (fit.fits && fit.plan.memory > fitter.limit)
    fail_at(&c, "a plan that does not fit");
  if (fit.fits && fit.bound > fit.plan.cost)
    fail_at(&c, "a bound above the plan");
  if (fit.fits && fit.plan.cost < free.cost)
    fail_at(&c, "less memory, fewer bytes");
  if (fit.plans > MOST_PLANS)
    fail_at(&c, "more plans than asked for");
  ++t->plans;
  t->limited += fitter.limit < free.memory;
  t->proved +=
      fit.fits && fit.prices != NULL && fit.bound == fit.plan.cost;
  compare(&c, &fitter, &fit, t);
  dsp_arena_destroy(arena);
}

static void plans_fit(void **state) {
  (void)state;
  uint64_t first = first_seed();
  size_t graphs = graphs_to_try(GRAPHS);
  Tally t = {0};
  for (uint64_t seed = first; seed < first + graphs; ++seed)
    check_one(seed, &t);
  printf("seeds %llu to %llu: %zu plans, %zu with too little for the cheapest: "
         "%zu are the cheapest that fits, %zu of them proved, %zu are dearer, "
         "%zu not found, %zu where none fits, %zu too many to try\n",
         (unsigned long long)first, (unsigned long long)(first + graphs - 1),
         t.plans, t.limited, t.cheapest, t.proved, t.dearer, t.missed, t.none,
         t.unknown);
  assert_true(t.limited > graphs / 4 && t.proved > graphs / 100);
  assert_true((t.dearer + t.missed) * 6 < t.cheapest);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(plans_fit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
