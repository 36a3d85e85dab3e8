// collectives.c - every collective against what each element must be.
//
// Needs:  any number of ranks.
// Leaves: exit status 0, or a message about the first element that is wrong.
//
// Elements of a value are its flat indices, so that every rank knows what it
// must hold after each change of layout, and how many bytes had to leave.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dsprt.h"
#include "init.h"
#include "shape.h"
#include "state.h"

enum { MAX_ELEMENTS = 4096 };

typedef struct Case {
  DsprtShape shape;
  DsprtCut from, to;
} Case;

/// Which dims are cut: all pairs of runs of adjacent dims of these.
static const DsprtShape shapes[] = {
    {DSPRT_F32, 1, {1}},          {DSPRT_F32, 2, {2, 3}},
    {DSPRT_F32, 3, {5, 7, 2}},    {DSPRT_BF16, 4, {2, 5, 3, 3}},
    {DSPRT_F32, 4, {3, 8, 4, 5}}, {DSPRT_I32, 5, {2, 3, 2, 3, 4}},
};

static void stop(const DsprtRun *run, const char *what, const Case *c) {
  char text[DSPRT_SHAPE_TEXT];
  dsprt_fail(run, "%s of %s, cut %d+%d to %d+%d", what,
             dsprt_shape_text(&c->shape, text), c->from.first, c->from.count,
             c->to.first, c->to.count);
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

/// What `rank` holds when `cut` is cut; every value times `factor`.
static int64_t fill(const DsprtShape *shape, DsprtCut cut, int rank, int ranks,
                    int64_t factor, void *out) {
  DsprtRuns runs = dsprt_runs(shape, cut, rank, ranks);
  int64_t n = 0;
  for (int64_t i = 0; i < runs.count; i++)
    for (int64_t k = 0; k < runs.length; k++) {
      int64_t index = runs.first + i * runs.stride + k;
      put(shape->type, out, n++, factor * value_of(index, shape->type));
    }
  return n;
}

static void expect(const DsprtRun *run, const Case *c, const char *what,
                   DsprtCut cut, int64_t factor, const void *is) {
  static float want[MAX_ELEMENTS];
  int64_t n = fill(&c->shape, cut, run->rank, run->ranks, factor, want);
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

static bool in_part(const DsprtShape *shape, DsprtCut cut, int rank, int ranks,
                    int64_t index) {
  DsprtRuns runs = dsprt_runs(shape, cut, rank, ranks);
  int64_t at = index % runs.stride - runs.first;
  return at >= 0 && at < runs.length;
}

/// Elements that the rank holds before and not after.
static int64_t count_moved(const DsprtRun *run, const Case *c) {
  int64_t n = 0, all = dsprt_elements(&c->shape);
  for (int64_t i = 0; i < all; i++)
    n += in_part(&c->shape, c->from, run->rank, run->ranks, i) &&
         !in_part(&c->shape, c->to, run->rank, run->ranks, i);
  return n;
}

static float in[MAX_ELEMENTS], out[MAX_ELEMENTS], scratch[8 * MAX_ELEMENTS];

static void test_switch(DsprtRun *run, const Case *c) {
  fill(&c->shape, c->from, run->rank, run->ranks, 1, in);
  memset(out, 0xff, sizeof out);
  dsprt_all_to_all(run, in, out, &c->shape, c->from, c->to);
  expect(run, c, "all-to-all", c->to, 1, out);
  expect_bytes(run, c, "bytes of the all-to-all", count_moved(run, c));
}

static void test_gather(DsprtRun *run, const Case *c) {
  int64_t own = fill(&c->shape, c->from, run->rank, run->ranks, 1, in);
  memset(out, 0xff, sizeof out);
  dsprt_all_gather(run, in, out, &c->shape, c->from);
  expect(run, c, "all-gather", DSPRT_WHOLE, 1, out);
  expect_bytes(run, c, "bytes of the all-gather", own * (run->ranks - 1));
}

static void test_reduce_scatter(DsprtRun *run, const Case *c,
                                DsprtReduction op) {
  int64_t ranks = run->ranks, all = dsprt_elements(&c->shape);
  int64_t sum = ranks * (ranks + 1) / 2;
  DsprtRuns own = dsprt_runs(&c->shape, c->to, run->rank, run->ranks);
  if (dsprt_reduce_scatter_scratch(&c->shape, c->to, run->ranks) >
      (int64_t)sizeof scratch)
    stop(run, "scratch", c);
  fill(&c->shape, DSPRT_WHOLE, 0, 1, run->rank + 1, in);
  memset(out, 0xff, sizeof out);
  dsprt_reduce_scatter(run, in, out, &c->shape, c->to, op, scratch);
  expect(run, c, "reduce-scatter", c->to, op == DSPRT_SUM ? sum : ranks, out);
  expect_bytes(run, c, "bytes of the reduce-scatter",
               all - own.count * own.length);
}

static void test_all_reduce(DsprtRun *run, const Case *c, DsprtReduction op,
                            void *to) {
  int64_t ranks = run->ranks, all = dsprt_elements(&c->shape);
  int64_t own = dsprt_part(all, run->rank, run->ranks);
  fill(&c->shape, DSPRT_WHOLE, 0, 1, run->rank + 1, in);
  dsprt_all_reduce(run, in, to, &c->shape, op, scratch);
  expect(run, c, "all-reduce", DSPRT_WHOLE,
         op == DSPRT_SUM ? ranks * (ranks + 1) / 2 : ranks, to);
  expect_bytes(run, c, "bytes of the all-reduce",
               all - own + own * (ranks - 1));
}

static void test_case(DsprtRun *run, const Case *c) {
  test_switch(run, c);
  test_switch(run, c); // with the types of the first time
  test_gather(run, c);
  test_reduce_scatter(run, c, DSPRT_SUM);
  test_reduce_scatter(run, c, DSPRT_MAX);
  test_all_reduce(run, c, DSPRT_SUM, out);
  test_all_reduce(run, c, DSPRT_MAX, in);
}

static int test_shape(DsprtRun *run, const DsprtShape *shape) {
  int cases = 0, n = shape->ndims;
  for (int a = 0; a < n; a++)
    for (int a_end = a + 1; a_end <= n; a_end++)
      for (int b = 0; b < n; b++)
        for (int b_end = b + 1; b_end <= n; b_end++, cases++)
          test_case(run, &(Case){*shape, {a, a_end - a}, {b, b_end - b}});
  return cases;
}

int main(int argc, char **argv) {
  DsprtRun run;
  DsprtState state;
  int cases = 0;
  dsprt_init(&argc, &argv);
  dsprt_state_open(&run, &state, MPI_COMM_WORLD, NULL);
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
    cases += test_shape(&run, &shapes[i]);
  if (run.rank == 0) printf("%d cases on %d ranks\n", cases, run.ranks);
  dsprt_state_close(&state);
  MPI_Finalize();
  return 0;
}
