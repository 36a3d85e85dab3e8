// graph_test.c - what the planner says about models that are known.
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "models.h"

static const ModelSizes transformer2d = {
  .B = 1, .T = 16, .S = 256, .H = 6, .D = 64, .pairs = 14};
static const ModelSizes stdit = {
  .B = 2, .T = 30, .S = 3600, .H = 16, .D = 72, .L = 300, .pairs = 28};

/// Bytes of one [B, T, S, C] in bf16.
static int64_t bytes_of_x(ModelSizes s) {
  return 2 * s.B * s.T * s.S * s.H * s.D;
}

static DspPlan plan_of(DspArena *arena, DspPlanGraph graph, int64_t ranks) {
  DspPlanOptions options = {.mesh = dsp_plan_mesh(ranks)};
  DspPlan plan;
  assert_int_equal(dsp_plan_graph(arena, &graph, &options, &plan, NULL),
                   DSP_PLAN_OK);
  return plan;
}

static size_t count_steps(const DspPlan *plan, DspCollective collective) {
  size_t count = 0;
  for (size_t i = 0; i < plan->nsteps; ++i)
    count += plan->steps[i].collective == collective;
  return count;
}

/// The first layout is chosen, the last is not switched back; every switch
/// moves (N-1)/N of the M/N bytes that a rank holds.
static void transformer2d_has_27_switches(void **state) {
  (void)state;
  DspArena *arena = dsp_arena_create();
  DspPlan plan = plan_of(arena, model_transformer2d(arena, transformer2d), 4);
  assert_int_equal(count_steps(&plan, DSP_COLLECTIVE_ALL_TO_ALL), 27);
  assert_int_equal(plan.nsteps, 27);
  int64_t m = bytes_of_x(transformer2d);
  for (size_t i = 0; i < plan.nsteps; ++i)
    for (size_t rank = 0; rank < 4; ++rank)
      assert_int_equal(plan.steps[i].per_rank[rank], m / 4 * 3 / 4);
  assert_int_equal(plan.certificate.found.bytes, 27 * m * 3 / 4);
  assert_int_equal(plan.certificate.lower_bound, 27 * m * 3 / 4);
  assert_true(plan.certificate.exact);
  dsp_arena_destroy(arena);
}

/// Two more switches of M/N per rank for every pair of blocks.
static void a_pair_costs_two_switches(void **state) {
  (void)state;
  DspArena *arena = dsp_arena_create();
  ModelSizes more = transformer2d;
  ++more.pairs;
  for (int64_t ranks = 2; ranks <= 16; ranks *= 2) {
    DspPlan a = plan_of(arena, model_transformer2d(arena, transformer2d),
                        ranks);
    DspPlan b = plan_of(arena, model_transformer2d(arena, more), ranks);
    int64_t m = bytes_of_x(transformer2d);
    assert_int_equal(b.certificate.found.bytes - a.certificate.found.bytes,
                     2 * m * (ranks - 1) / ranks);
  }
  dsp_arena_destroy(arena);
}

static void stdit_switches_55_times(void **state) {
  (void)state;
  DspArena *arena = dsp_arena_create();
  DspPlanGraph graph = model_stdit(arena, stdit);
  DspPlan plan = plan_of(arena, graph, 4);
  assert_int_equal(count_steps(&plan, DSP_COLLECTIVE_ALL_TO_ALL), 55);
  assert_int_equal(plan.certificate.found.collectives, 55);
  assert_true(plan.certificate.exact);
  dsp_arena_destroy(arena);
}

/// What is remembered of the search does not change its answer.
static void frontiers_too_large_to_keep(void **state) {
  (void)state;
  DspArena *arena = dsp_arena_create();
  DspPlanGraph graph = model_stdit(arena, stdit);
  for (size_t kept = 1; kept <= 64; kept *= 4) {
    DspPlanOptions options = {.mesh = dsp_plan_mesh(4), .allow_tensor = true,
                              .limits = {.kept_states = kept}};
    DspPlan plan;
    assert_int_equal(dsp_plan_graph(arena, &graph, &options, &plan, NULL),
                     DSP_PLAN_OK);
    assert_int_equal(plan.certificate.found.collectives, 55);
  }
  dsp_arena_destroy(arena);
}

/// Per pair and rank, without the factor (N-1)/N: 2M/N, 4M/N, 8M, 2M.
static void volumes_of_the_methods(void **state) {
  (void)state;
  static const struct {
    DspPlanMethod method;
    int64_t quarters_of_m; ///< leaving 4 ranks, for one pair more
  } known[] = {{DSP_METHOD_DSP, 2 * 3}, {DSP_METHOD_ULYSSES, 4 * 3},
               {DSP_METHOD_RING, 8 * 3}, {DSP_METHOD_MEGATRON_SP, 32 * 3}};
  DspArena *arena = dsp_arena_create();
  ModelSizes sizes = transformer2d, more;
  sizes.H = 8;
  more = sizes;
  ++more.pairs;
  for (size_t i = 0; i < sizeof known / sizeof known[0]; ++i) {
    DspPlanOptions options = {.mesh = dsp_plan_mesh(4), .method = known[i].method};
    DspPlan a, b;
    DspPlanGraph graph = model_transformer2d(arena, sizes);
    DspPlanGraph next = model_transformer2d(arena, more);
    assert_int_equal(dsp_plan_graph(arena, &graph, &options, &a, NULL), 0);
    assert_int_equal(dsp_plan_graph(arena, &next, &options, &b, NULL), 0);
    assert_int_equal(4 * (b.certificate.found.bytes -
                          a.certificate.found.bytes),
                     known[i].quarters_of_m * bytes_of_x(sizes));
    assert_true(a.certificate.exact && b.certificate.exact);
  }
  dsp_arena_destroy(arena);
}

static void one_rank_moves_nothing(void **state) {
  (void)state;
  DspArena *arena = dsp_arena_create();
  DspPlan plan = plan_of(arena, model_transformer2d(arena, transformer2d), 1);
  assert_int_equal(plan.nsteps, 0);
  assert_int_equal(plan.certificate.found.bytes, 0);
  dsp_arena_destroy(arena);
}

/// Sizes that no number of ranks divides: exact counts that add up.
static void uneven_parts_add_up(void **state) {
  (void)state;
  ModelSizes odd = {.B = 1, .T = 5, .S = 7, .H = 3, .D = 4, .pairs = 3};
  DspArena *arena = dsp_arena_create();
  for (int64_t ranks = 2; ranks <= 5; ++ranks) {
    DspPlan plan = plan_of(arena, model_transformer2d(arena, odd), ranks);
    int64_t total = 0;
    for (size_t i = 0; i < plan.nsteps; ++i)
      for (int64_t rank = 0; rank < ranks; ++rank)
        total += plan.steps[i].per_rank[rank];
    assert_int_equal(total, plan.certificate.found.bytes);
    assert_true(plan.certificate.exact);
  }
  dsp_arena_destroy(arena);
}

static bool same_steps(const DspPlan *a, const DspPlan *b) {
  if (a->nsteps != b->nsteps)
    return false;
  for (size_t i = 0; i < a->nsteps; ++i)
    if (a->steps[i].value != b->steps[i].value ||
        a->steps[i].before != b->steps[i].before ||
        !dsp_plan_layout_equal(a->steps[i].from, b->steps[i].from) ||
        !dsp_plan_layout_equal(a->steps[i].to, b->steps[i].to))
      return false;
  return true;
}

static void same_plan_every_time(void **state) {
  (void)state;
  DspArena *arena = dsp_arena_create();
  ModelSizes sizes = stdit;
  sizes.pairs = 2;
  DspPlanGraph graph = model_stdit(arena, sizes);
  DspPlan first = plan_of(arena, graph, 4);
  for (int run = 0; run < 100; ++run) {
    DspPlan plan = plan_of(arena, graph, 4);
    assert_true(same_steps(&first, &plan));
    for (size_t op = 0; op < graph.nops; ++op)
      assert_int_equal(first.picks[op].axes[0].dim, plan.picks[op].axes[0].dim);
  }
  dsp_arena_destroy(arena);
}

/// Where a limit is met, the plan is not called the best, and the bound holds.
static void a_beam_is_not_a_proof(void **state) {
  (void)state;
  DspArena *arena = dsp_arena_create();
  ModelSizes sizes = {.B = 4, .T = 8, .S = 12, .H = 4, .D = 8};
  DspPlanGraph graph = model_wide(arena, sizes, 5);
  DspPlan best = plan_of(arena, graph, 4), plan;
  assert_true(best.certificate.exact);
  for (size_t width = 1; width <= 4; ++width) {
    DspPlanOptions options = {.mesh = dsp_plan_mesh(4),
                              .limits = {.max_width = width, .beam = width}};
    DspPlanStatus status = dsp_plan_graph(arena, &graph, &options, &plan, NULL);
    assert_int_equal(status, DSP_PLAN_OK);
    assert_true(plan.certificate.exact ==
                (best.certificate.max_width <= width));
    assert_true(plan.certificate.found.bytes >= best.certificate.found.bytes);
    assert_true(plan.certificate.lower_bound <= best.certificate.found.bytes);
  }
  dsp_arena_destroy(arena);
}

/// A pin is obeyed where it can be, and blamed on its op where it cannot.
static void pins_are_obeyed(void **state) {
  (void)state;
  DspArena *arena = dsp_arena_create();
  DspPlanGraph graph = model_transformer2d(arena, transformer2d);
  DspPlanOp *ops = dsp_arena_alloc(arena, graph.nops * sizeof *ops);
  memcpy(ops, graph.ops, graph.nops * sizeof *ops);
  graph.ops = ops;
  DspPlan free_plan = plan_of(arena, graph, 4);
  ops[0].pin = MODEL_S; // the first block attends over S
  DspPlan plan = plan_of(arena, graph, 4);
  assert_int_equal(plan.picks[0].axes[0].dim, MODEL_S);
  assert_int_equal(count_steps(&plan, DSP_COLLECTIVE_ALL_TO_ALL), 28);
  assert_int_equal(free_plan.picks[0].axes[0].dim, MODEL_T);
  ops[0].pin = MODEL_L;
  size_t culprit = 99;
  DspPlanOptions options = {.mesh = dsp_plan_mesh(4)};
  assert_int_equal(dsp_plan_graph(arena, &graph, &options, &plan, &culprit),
                   DSP_PLAN_BAD_PIN);
  assert_int_equal(culprit, 0);
  dsp_arena_destroy(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(transformer2d_has_27_switches),
    cmocka_unit_test(a_pair_costs_two_switches),
    cmocka_unit_test(stdit_switches_55_times),
    cmocka_unit_test(frontiers_too_large_to_keep),
    cmocka_unit_test(volumes_of_the_methods),
    cmocka_unit_test(one_rank_moves_nothing),
    cmocka_unit_test(uneven_parts_add_up),
    cmocka_unit_test(same_plan_every_time),
    cmocka_unit_test(a_beam_is_not_a_proof),
    cmocka_unit_test(pins_are_obeyed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
