// boxes_test.c - the boxes that GPUs exchange, copied here by one process.
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "exchange.h"
#include "layouts.h"
#include "shape.h"

enum { MAX_RANKS = 8, MAX_ELEMENTS = 512 };

static const DsprtMesh meshes[] = {{{3, 1}}, {{2, 2}}, {{2, 3}}, {{4, 2}}};
static const DsprtShape shapes[] = {
    {DSPRT_I32, 1, {7}},
    {DSPRT_I32, 3, {5, 7, 2}},
    {DSPRT_I32, 4, {2, 5, 4, 3}},
    {DSPRT_I32, 5, {2, 3, 2, 3, 4}},
};

static int ranks_of(DsprtMesh mesh) { return mesh.sizes[0] * mesh.sizes[1]; }

/// What a rank holds, in order: flat indices, times `factor`.
static int64_t fill(DsprtMesh mesh, const DsprtShape *shape, DsprtCuts cuts,
                    int rank, int factor, int *out) {
  int64_t n = 0, all = dsprt_elements(shape);
  for (int64_t i = 0; i < all; i++)
    if (rank_holds(mesh, shape, cuts, rank, i)) out[n++] = factor * (int)i;
  return n;
}

/// Where element `k` of a box lies.
static int64_t at(const DsprtBox *box, int64_t k) {
  int64_t index = box->offset;
  for (int i = DSPRT_BOX_DIMS; i-- > 0; k /= box->size[i])
    index += k % box->size[i] * box->stride[i];
  return index;
}

static int in[MAX_RANKS][MAX_ELEMENTS], out[MAX_RANKS][4 * MAX_ELEMENTS];

/// What the move does, each message copied; returns elements between ranks.
static int64_t copy_all(const DsprtMove *move, DsprtMesh mesh) {
  int64_t moved = 0, rounds = dsprt_rounds(move, mesh);
  memset(out, 0xff, sizeof out);
  for (int64_t round = 0; round < rounds; round++)
    for (int rank = 0; rank < ranks_of(mesh); rank++)
      for (int peer = 0; peer < ranks_of(mesh); peer++) {
        DsprtMessage here, there;
        assert_true(dsprt_message(move, mesh, rank, peer, round, &here));
        assert_true(dsprt_message(move, mesh, peer, rank, round, &there));
        assert_memory_equal(&here.there, &there.receive, sizeof(DsprtBox));
        int64_t n = dsprt_box_elements(&here.send);
        assert_int_equal(n, dsprt_box_elements(&here.there));
        for (int64_t k = 0; k < n; k++)
          out[peer][at(&here.there, k)] = in[rank][at(&here.send, k)];
        if (peer != rank) moved += n;
      }
  return moved;
}

static int64_t check_move(DsprtMesh mesh, const DsprtShape *shape,
                          DsprtCuts from, DsprtCuts to) {
  DsprtMove move = {DSPRT_MOVE, *shape, from, to, 0};
  int want[MAX_ELEMENTS];
  int64_t lacking = 0;
  for (int rank = 0; rank < ranks_of(mesh); rank++)
    fill(mesh, shape, from, rank, 1, in[rank]);
  int64_t moved = copy_all(&move, mesh);
  for (int rank = 0; rank < ranks_of(mesh); rank++) {
    int64_t n = fill(mesh, shape, to, rank, 1, want);
    assert_memory_equal(out[rank], want, (size_t)n * sizeof *want);
    for (int64_t i = 0; i < n; i++)
      lacking += !rank_holds(mesh, shape, from, rank, want[i]);
  }
  assert_int_equal(moved, lacking);
  return dsprt_rounds(&move, mesh);
}

/// Every element gets where it belongs, and none moves that is there already.
static void moves(void **state) {
  DsprtCuts list[MAX_LAYOUTS];
  (void)state;
  for (size_t m = 0; m < sizeof meshes / sizeof *meshes; m++)
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
      int n = layouts_of(&shapes[s], list), step = n > 60 ? 17 : 1;
      for (int a = 0; a < n; a++)
        for (int b = a % step; b < n; b += step)
          check_move(meshes[m], &shapes[s], list[a], list[b]);
    }
}

/// Slot i of a spread is what number i along the axis has of a part.
static void check_spread(DsprtMesh mesh, const DsprtShape *shape, DsprtCuts to,
                         int axis) {
  DsprtMove move = {DSPRT_SPREAD, *shape, dsprt_without(to, axis), to, axis};
  int want[MAX_ELEMENTS];
  for (int rank = 0; rank < ranks_of(mesh); rank++)
    fill(mesh, shape, move.from, rank, dsprt_index_on(mesh, rank, axis) + 1,
         in[rank]);
  copy_all(&move, mesh);
  for (int rank = 0; rank < ranks_of(mesh); rank++)
    for (int slot = 0; slot < mesh.sizes[axis]; slot++) {
      int64_t n = fill(mesh, shape, to, rank, slot + 1, want);
      assert_memory_equal(out[rank] + slot * n, want, (size_t)n * sizeof *want);
    }
}

static void spreads(void **state) {
  DsprtCuts list[MAX_LAYOUTS];
  const DsprtShape *shape = &shapes[1];
  int n = layouts_of(shape, list);
  (void)state;
  for (size_t m = 0; m < sizeof meshes / sizeof *meshes; m++)
    for (int i = 0; i < n; i++)
      for (int axis = 0; axis < DSPRT_MAX_AXES; axis++)
        if (list[i].axes[axis].count &&
            dsprt_can_scatter(meshes[m], list[i], axis))
          check_spread(meshes[m], shape, list[i], axis);
}

/// A switch, an axis swap and a gather are one message a pair of ranks.
static void one_round(void **state) {
  DsprtShape x = {DSPRT_I32, 4, {2, 5, 4, 3}};
  DsprtCut t = {1, 1}, s = {2, 1}, c = {3, 1};
  DsprtCuts ts = {{t, s}}, st = {{s, t}}, bc = {{{0, 1}, c}};
  DsprtCuts tt = {{t, t}}, none = {{DSPRT_WHOLE, DSPRT_WHOLE}};
  DsprtMesh mesh = {{2, 2}};
  (void)state;
  assert_int_equal(check_move(mesh, &x, ts, st), 1);
  assert_int_equal(check_move(mesh, &x, ts, bc), 1);
  assert_int_equal(check_move(mesh, &x, tt, st), 1);
  assert_int_equal(check_move(mesh, &x, ts, none), 1);
  assert_int_equal(check_move(mesh, &x, none, tt), 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(moves),
      cmocka_unit_test(spreads),
      cmocka_unit_test(one_round),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
