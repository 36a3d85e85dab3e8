// collective_test.c - byte counts equal those of element by element counting,
// on one axis and on two.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "dspc/plan/plan.h"
#include "owners.h"
#include "random.h"

enum { CASES = 12000, MAX_DIMS = 5, MOST = 16 };

static DspPlanCut random_cut(Random *random, size_t ndims, bool sums) {
  if (random_once_in(random, 4))
    return (DspPlanCut){sums && random_once_in(random, 2) ? DSP_LAYOUT_PARTIAL
                                                          : DSP_LAYOUT_WHOLE,
                        DSP_PLAN_NO_DIM, 0, 0};
  uint32_t first = random_below(random, (uint32_t)ndims);
  uint32_t most = (uint32_t)ndims - first;
  uint32_t count =
      random_once_in(random, 2) ? 1 : 1 + random_below(random, most);
  return (DspPlanCut){DSP_LAYOUT_CUT, first, (uint16_t)first, (uint16_t)count};
}

static DspPlanLayout random_layout(Random *random, const DspPlanMesh *mesh,
                                   size_t ndims, bool sums) {
  DspPlanLayout layout;
  do {
    layout.axes[0] = random_cut(random, ndims, sums);
    layout.axes[1] = random_cut(random, ndims, sums);
    for (int a = 0; a < DSP_PLAN_AXES; ++a)
      if (mesh->sizes[a] == 1)
        layout.axes[a] = (DspPlanCut){.dim = DSP_PLAN_NO_DIM};
  } while (!owners_fit(layout));
  return layout;
}

static DspPlanMesh random_mesh(Random *random) {
  DspPlanMesh mesh = dsp_plan_mesh(1 + random_below(random, 9));
  if (random_once_in(random, 3))
    return mesh;
  mesh.naxes = 2;
  mesh.sizes[0] = 1 + random_below(random, 4);
  mesh.sizes[1] = 1 + random_below(random, 4);
  return mesh;
}

static DspPlanShape random_shape(Random *random, int64_t *sizes) {
  DspPlanShape shape = {1 + random_below(random, MAX_DIMS), sizes, 2};
  for (size_t k = 0; k < shape.ndims; ++k)
    sizes[k] = 1 + random_below(random, shape.ndims > 3 ? 4 : 7);
  return shape;
}

/// One axis of two is what changes most often.
static DspPlanLayout random_target(Random *random, const DspPlanMesh *mesh,
                                   size_t ndims, DspPlanLayout from) {
  DspPlanLayout to;
  do {
    to = random_layout(random, mesh, ndims, false);
    if (!random_once_in(random, 3)) {
      uint32_t stays = random_below(random, DSP_PLAN_AXES);
      to.axes[stays] = from.axes[stays];
    }
  } while (!owners_fit(to));
  return to;
}

static void equals_counting(void **state) {
  (void)state;
  Random random = {7};
  int moved = 0, sums = 0;
  for (int i = 0; i < CASES; ++i) {
    int64_t sizes[MAX_DIMS], total = 0;
    int64_t per_rank[MOST], far[MOST], sent[MOST] = {0}, sent_far[MOST] = {0};
    DspPlanMesh mesh = random_mesh(&random);
    DspPlanShape shape = random_shape(&random, sizes);
    DspPlanLayout from = random_layout(&random, &mesh, shape.ndims, true);
    DspPlanLayout to = random_target(&random, &mesh, shape.ndims, from);
    bool possible = owners_move(&shape, &mesh, from, to, sent, sent_far);
    int64_t bytes =
        dsp_plan_collective_bytes(&shape, &mesh, from, to, per_rank, far);
    assert_int_equal(bytes, dsp_plan_collective_bytes(&shape, &mesh, from, to,
                                                      NULL, NULL));
    assert_int_equal(possible, bytes != DSP_PLAN_NEVER);
    if (!possible)
      continue;
    for (int64_t rank = 0; rank < dsp_plan_ranks(&mesh); ++rank) {
      assert_int_equal(per_rank[rank], sent[rank] * shape.element_bytes);
      assert_int_equal(far[rank], sent_far[rank] * shape.element_bytes);
      total += per_rank[rank];
    }
    assert_int_equal(bytes, total);
    moved += total > 0;
    sums += dsp_plan_collective(from, to) == DSP_COLLECTIVE_REDUCE_SCATTER;
  }
  assert_true(moved > CASES / 4 && sums > CASES / 50); // not all is trivial
}

/// A split moves nothing, whatever the sizes.
static void names_say_what_moves(void **state) {
  (void)state;
  Random random = {13};
  int splits = 0;
  for (int i = 0; i < CASES; ++i) {
    int64_t sizes[MAX_DIMS];
    DspPlanMesh mesh = random_mesh(&random);
    DspPlanShape shape = random_shape(&random, sizes);
    DspPlanLayout from = random_layout(&random, &mesh, shape.ndims, false);
    DspPlanLayout to = random_target(&random, &mesh, shape.ndims, from);
    int64_t sent[MOST] = {0}, far[MOST] = {0}, all = 0;
    owners_move(&shape, &mesh, from, to, sent, far);
    for (int64_t rank = 0; rank < dsp_plan_ranks(&mesh); ++rank)
      all += sent[rank];
    DspCollective collective = dsp_plan_collective(from, to);
    if (collective == DSP_COLLECTIVE_SPLIT ||
        collective == DSP_COLLECTIVE_NONE)
      assert_int_equal(all, 0);
    splits += collective == DSP_COLLECTIVE_SPLIT;
  }
  assert_true(splits > CASES / 100);
}

static void held_equals_counting(void **state) {
  (void)state;
  Random random = {17};
  for (int i = 0; i < CASES / 4; ++i) {
    int64_t sizes[MAX_DIMS];
    DspPlanMesh mesh = random_mesh(&random);
    DspPlanShape shape = random_shape(&random, sizes);
    DspPlanLayout layout = random_layout(&random, &mesh, shape.ndims, true);
    for (int64_t rank = 0; rank < dsp_plan_ranks(&mesh); ++rank) {
      int64_t count = 0;
      for (int64_t e = 0; e < owners_elements(&shape); ++e)
        count += owners_hold(&shape, &mesh, layout, rank, e);
      assert_int_equal(count, dsp_plan_held(&shape, &mesh, layout, rank));
    }
  }
}

static void rings_equal_counting(void **state) {
  (void)state;
  Random random = {19};
  for (int i = 0; i < CASES / 4; ++i) {
    int64_t sizes[MAX_DIMS], per_rank[MOST] = {0}, far[MOST] = {0};
    int64_t sent[MOST] = {0}, sent_far[MOST] = {0};
    DspPlanMesh mesh = random_mesh(&random);
    DspPlanShape shape = random_shape(&random, sizes);
    DspPlanLayout layout = random_layout(&random, &mesh, shape.ndims, false);
    uint32_t axis = random_below(&random, DSP_PLAN_AXES);
    bool nested = dsp_plan_cut_overlaps(layout.axes[0], layout.axes[1]);
    if (layout.axes[axis].kind != DSP_LAYOUT_CUT || nested)
      continue;
    owners_ring(&shape, &mesh, layout, axis, sent, sent_far);
    dsp_plan_ring_bytes(&shape, &mesh, layout, axis, per_rank, far);
    for (int64_t rank = 0; rank < dsp_plan_ranks(&mesh); ++rank) {
      assert_int_equal(per_rank[rank], sent[rank] * shape.element_bytes);
      assert_int_equal(far[rank], sent_far[rank] * shape.element_bytes);
    }
  }
}

/// No way round is cheaper than the direct one, where there is a direct one:
/// uneven parts, shared positions, two axes.  (A sum that is taken as a
/// reduce-scatter and an all-gather may save the odd element of an all-reduce
/// of flat elements that do not divide; so sums are compared on even parts.)
static void no_detour_is_cheaper(void **state) {
  (void)state;
  Random random = {11};
  int compared = 0;
  for (int i = 0; i < 8 * CASES; ++i) {
    int64_t sizes[3];
    DspPlanMesh mesh = random_mesh(&random);
    bool sums = random_once_in(&random, 2);
    DspPlanShape shape = {3, sizes, 4};
    for (size_t k = 0; k < 3; ++k)
      sizes[k] = sums ? dsp_plan_ranks(&mesh) * (1 + random_below(&random, 3))
                      : 1 + random_below(&random, 9);
    DspPlanLayout from = random_layout(&random, &mesh, 3, sums);
    DspPlanLayout via = random_target(&random, &mesh, 3, from);
    DspPlanLayout to = random_target(&random, &mesh, 3, via);
    int64_t direct =
        dsp_plan_collective_bytes(&shape, &mesh, from, to, NULL, NULL);
    int64_t first =
        dsp_plan_collective_bytes(&shape, &mesh, from, via, NULL, NULL);
    int64_t second =
        dsp_plan_collective_bytes(&shape, &mesh, via, to, NULL, NULL);
    if (direct == DSP_PLAN_NEVER || first == DSP_PLAN_NEVER ||
        second == DSP_PLAN_NEVER)
      continue;
    assert_true(direct <= first + second);
    ++compared;
  }
  assert_true(compared > CASES);
}

static void meshes_are_read_and_written(void **state) {
  (void)state;
  static const struct {
    const char *text, *written; ///< NULL: it is no mesh
  } cases[] = {
    {"4", "4"},         {"2x4", "outer:2,inner:4"},
    {"gpus:4", "4"},    {"nodes:2,gpus:4", "nodes:2,gpus:4"},
    {"nodes:2xgpus:4", "nodes:2,gpus:4"},
    {"", NULL},         {"0", NULL},    {"2x", NULL},   {"x2", NULL},
    {"2x2x2", NULL},    {"-2", NULL},   {"a:2,a:2", NULL}, {":2", NULL},
    {"a:", NULL},       {"64x65", NULL}, {"4097", NULL}, {"4 ", NULL},
    {"99999999999999999999", NULL}, {"a_name_far_too_long:2", NULL},
    {"2:2", NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    DspPlanMesh mesh;
    char text[64];
    bool fine = dsp_plan_mesh_read(cases[i].text, &mesh);
    assert_int_equal(fine, cases[i].written != NULL);
    if (!fine)
      continue;
    dsp_plan_mesh_write(&mesh, text, sizeof text);
    assert_string_equal(text, cases[i].written);
    assert_int_equal(mesh.nodes, strncmp(text, "nodes", 5) == 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(equals_counting),
    cmocka_unit_test(names_say_what_moves),
    cmocka_unit_test(held_equals_counting),
    cmocka_unit_test(rings_equal_counting),
    cmocka_unit_test(no_detour_is_cheaper),
    cmocka_unit_test(meshes_are_read_and_written),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
