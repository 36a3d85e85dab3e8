// meshes.c - every change of cuts on a mesh of two axes, element by element and
// byte by byte.
//
// Needs:  the sizes of the mesh as arguments; as many ranks.
// Leaves: exit status 0, or a message about the first element that is wrong.
//
// Elements of a value are its flat indices.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dsprt.h"
#include "init.h"
#include "layouts.h"
#include "shape.h"
#include "state.h"

enum { MAX_ELEMENTS = 512 };

typedef struct Case {
  DsprtShape shape;
  DsprtCuts from, to;
} Case;

static const DsprtShape shapes[] = {
    {DSPRT_F32, 1, {7}},
    {DSPRT_I32, 2, {3, 5}},
    {DSPRT_F32, 3, {5, 7, 2}},
    {DSPRT_BF16, 3, {4, 1, 9}},
    {DSPRT_F32, 4, {2, 5, 4, 3}},
};

static void stop(const DsprtRun *run, const char *what, const Case *c) {
  char text[DSPRT_SHAPE_TEXT];
  const DsprtCut *f = c->from.axes, *t = c->to.axes;
  dsprt_fail(run, "%s of %s on %d x %d: cut %d+%d, %d+%d to %d+%d, %d+%d",
             what, dsprt_shape_text(&c->shape, text), run->mesh.sizes[0],
             run->mesh.sizes[1], f[0].first, f[0].count, f[1].first,
             f[1].count, t[0].first, t[0].count, t[1].first, t[1].count);
}

/// Small enough for bf16 to hold sums of eight of them.
static int64_t value_of(int64_t index, DsprtType type) {
  return type == DSPRT_BF16 ? index % 29 : index;
}

static void put(DsprtType type, void *out, int64_t at, int64_t value) {
  if (type == DSPRT_F32) ((float *)out)[at] = (float)value;
  if (type == DSPRT_I32) ((int32_t *)out)[at] = (int32_t)value;
  if (type == DSPRT_BF16) ((DsprtBf16 *)out)[at] = dsprt_to_bf16((float)value);
}

static int64_t get(DsprtType type, const void *in, int64_t at) {
  if (type == DSPRT_F32) return (int64_t)((const float *)in)[at];
  if (type == DSPRT_I32) return ((const int32_t *)in)[at];
  return (int64_t)dsprt_from_bf16(((const DsprtBf16 *)in)[at]);
}

/// What this rank holds, in order; every value times `factor`.
static int64_t fill(const DsprtRun *run, const DsprtShape *shape,
                    DsprtCuts cuts, int64_t factor, void *out) {
  int64_t n = 0, all = dsprt_elements(shape);
  for (int64_t i = 0; i < all; i++)
    if (rank_holds(run->mesh, shape, cuts, run->rank, i))
      put(shape->type, out, n++, factor * value_of(i, shape->type));
  return n;
}

static void expect(const DsprtRun *run, const Case *c, const char *what,
                   DsprtCuts cuts, int64_t factor, const void *is) {
  static float want[MAX_ELEMENTS];
  int64_t n = fill(run, &c->shape, cuts, factor, want);
  for (int64_t i = 0; i < n; i++)
    if (get(c->shape.type, is, i) != get(c->shape.type, want, i))
      stop(run, what, c);
}

static void expect_bytes(DsprtRun *run, const Case *c, const char *what,
                         int64_t elements) {
  int64_t bytes = elements * dsprt_type_bytes(c->shape.type);
  if (run->state->counted != bytes) stop(run, what, c);
  run->state->counted = 0;
}

/// The rank that gives an element to `owner`: itself, or the holder with its
/// index on each axis on which the value is whole.
static int giver(const DsprtRun *run, const Case *c, int owner,
                 int64_t element) {
  int n1 = run->mesh.sizes[1];
  if (rank_holds(run->mesh, &c->shape, c->from, owner, element)) return owner;
  for (int rank = 0; rank < run->ranks; rank++)
    if (rank_holds(run->mesh, &c->shape, c->from, rank, element) &&
        (c->from.axes[0].count || rank / n1 == owner / n1) &&
        (c->from.axes[1].count || rank % n1 == owner % n1))
      return rank;
  stop(run, "nobody holds an element", c);
  return -1;
}

static int64_t leaving(const DsprtRun *run, const Case *c) {
  int64_t n = 0, all = dsprt_elements(&c->shape);
  for (int64_t i = 0; i < all; i++) {
    if (!rank_holds(run->mesh, &c->shape, c->from, run->rank, i)) continue;
    for (int owner = 0; owner < run->ranks; owner++)
      n += owner != run->rank && rank_holds(run->mesh, &c->shape, c->to, owner, i) &&
           giver(run, c, owner, i) == run->rank;
  }
  return n;
}

static float in[MAX_ELEMENTS], out[MAX_ELEMENTS], scratch[8 * MAX_ELEMENTS];

static void test_move(DsprtRun *run, const Case *c) {
  fill(run, &c->shape, c->from, 1, in);
  memset(out, 0xff, sizeof out);
  dsprt_redistribute(run, in, out, &c->shape, c->from, c->to);
  expect(run, c, "a move", c->to, 1, out);
  expect_bytes(run, c, "bytes of a move", leaving(run, c));
}

static int64_t total(DsprtReduction op, int64_t ranks) {
  return op == DSPRT_SUM ? ranks * (ranks + 1) / 2 : ranks;
}

static void test_scatter(DsprtRun *run, const Case *c, int axis,
                         DsprtReduction op) {
  DsprtCuts from = dsprt_without(c->to, axis);
  int64_t n = run->mesh.sizes[axis];
  int64_t all = fill(run, &c->shape, from, run->at[axis] + 1, in);
  int64_t own = fill(run, &c->shape, c->to, 1, out);
  memset(out, 0xff, sizeof out);
  dsprt_axis_reduce_scatter(run, axis, in, out, &c->shape, c->to, op, scratch);
  expect(run, c, "a reduce-scatter", c->to, total(op, n), out);
  expect_bytes(run, c, "bytes of a reduce-scatter", all - own);
}

static void test_sum(DsprtRun *run, const Case *c, int axis, DsprtReduction op,
                     void *to) {
  DsprtCuts cuts = dsprt_without(c->to, axis);
  int64_t n = run->mesh.sizes[axis];
  int64_t all = fill(run, &c->shape, cuts, run->at[axis] + 1, in);
  int64_t own = dsprt_part(all, run->at[axis], run->mesh.sizes[axis]);
  dsprt_axis_all_reduce(run, axis, in, to, &c->shape, cuts, op, scratch);
  expect(run, c, "an all-reduce", cuts, total(op, n), to);
  expect_bytes(run, c, "bytes of an all-reduce", all - own + own * (n - 1));
}

static void test_sums(DsprtRun *run, const Case *c) {
  for (int axis = 0; axis < DSPRT_MAX_AXES; axis++) {
    if (c->to.axes[axis].count && dsprt_can_scatter(run->mesh, c->to, axis)) {
      test_scatter(run, c, axis, DSPRT_SUM);
      test_scatter(run, c, axis, DSPRT_MAX);
    }
    test_sum(run, c, axis, DSPRT_SUM, out);
    test_sum(run, c, axis, DSPRT_MAX, in);
  }
}

static int test_shape(DsprtRun *run, const DsprtShape *shape) {
  DsprtCuts list[MAX_LAYOUTS];
  int n = layouts_of(shape, list);
  int step = n > 60 ? 5 : 1, count = 0; // some of very many pairs
  for (int a = 0; a < n; a++) {
    test_sums(run, &(Case){*shape, list[a], list[a]});
    for (int b = a % step; b < n; b += step, count++)
      test_move(run, &(Case){*shape, list[a], list[b]});
  }
  return count;
}

int main(int argc, char **argv) {
  DsprtRun run;
  DsprtState state;
  int cases = 0;
  dsprt_init(&argc, &argv);
  dsprt_state_open(&run, &state, MPI_COMM_WORLD, NULL);
  DsprtMesh mesh = {{argc > 1 ? atoi(argv[1]) : run.ranks,
                     argc > 2 ? atoi(argv[2]) : 1}};
  if (mesh.sizes[0] * mesh.sizes[1] != run.ranks)
    dsprt_fail(&run, "%d ranks are no mesh of %d x %d", run.ranks,
               mesh.sizes[0], mesh.sizes[1]);
  dsprt_set_mesh(&run, mesh);
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
    cases += test_shape(&run, &shapes[i]);
  if (run.rank == 0)
    printf("%d moves on a mesh of %d x %d\n", cases, mesh.sizes[0],
           mesh.sizes[1]);
  dsprt_state_close(&state);
  MPI_Finalize();
  return 0;
}
