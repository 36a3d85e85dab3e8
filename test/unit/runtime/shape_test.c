// shape_test.c - parts, runs and the layouts of files.
#include "cmocka_all.h"

#include <string.h>

#include "random.h"
#include "shape.h"

/// Parts follow each other, differ by one at most and leave nothing out.
static void parts(void **state) {
  (void)state;
  for (int ranks = 1; ranks <= 9; ranks++)
    for (int64_t n = 0; n <= 40; n++) {
      int64_t next = 0;
      for (int r = 0; r < ranks; r++) {
        assert_int_equal(dsprt_begin(n, r, ranks), next);
        next += dsprt_part(n, r, ranks);
        int64_t less = dsprt_part(n, 0, ranks) - dsprt_part(n, r, ranks);
        assert_true(less == 0 || less == 1);
      }
      assert_int_equal(next, n);
    }
}

/// The runs of all ranks cover each element once.
static void runs(void **state) {
  DsprtShape shape = {DSPRT_F32, 4, {3, 5, 2, 4}};
  (void)state;
  for (int first = 0; first < 4; first++)
    for (int count = 1; first + count <= 4; count++) {
      int seen[120] = {0};
      for (int r = 0; r < 7; r++) {
        DsprtRuns x = dsprt_runs(&shape, (DsprtCut){first, count}, r, 7);
        for (int64_t i = 0; i < x.count; i++)
          for (int64_t k = 0; k < x.length; k++)
            seen[x.first + i * x.stride + k]++;
      }
      for (int i = 0; i < 120; i++) assert_int_equal(seen[i], 1);
    }
}

static bool same(int an, const int64_t *a, int bn, const int64_t *b) {
  DsprtShape x = {DSPRT_F32, an, {0}}, y = {DSPRT_F32, bn, {0}};
  memcpy(x.dims, a, (size_t)an * sizeof *a);
  memcpy(y.dims, b, (size_t)bn * sizeof *b);
  return dsprt_same_layout(&x, &y);
}

#define DIMS(...)                                                           \
  (sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[]) { \
    __VA_ARGS__                                                             \
  }

static void layouts(void **state) {
  (void)state;
  assert_true(same(DIMS(2, 5, 3, 36, 36), DIMS(2, 5, 3, 3, 12, 3, 12)));
  assert_true(same(DIMS(2, 1, 9), DIMS(2, 3, 3)));
  assert_true(same(DIMS(6), DIMS(1, 6)));
  assert_true(same(DIMS(2, 3), DIMS(6)));
  assert_false(same(DIMS(3, 2), DIMS(2, 3)));
  assert_false(same(DIMS(4, 9), DIMS(6, 6)));
  assert_false(same(DIMS(2, 3), DIMS(2, 4)));
  assert_true(same(DIMS(0, 3), DIMS(0, 3)));
  assert_false(same(DIMS(0, 3), DIMS(0, 4)));
}

static void text(void **state) {
  char buffer[DSPRT_SHAPE_TEXT];
  DsprtShape shape = {DSPRT_F32, 16, {0}};
  (void)state;
  for (int i = 0; i < 16; i++) shape.dims[i] = INT64_MAX;
  assert_int_equal(strlen(dsprt_shape_text(&shape, buffer)), 16 * 21);
  shape = (DsprtShape){DSPRT_F32, 2, {2, 64}};
  assert_string_equal(dsprt_shape_text(&shape, buffer), "[2, 64]");
  shape.ndims = 0;
  assert_string_equal(dsprt_shape_text(&shape, buffer), "[]");
}

static void random_numbers(void **state) {
  double sum = 0, square = 0;
  enum { N = 100000 };
  (void)state;
  uint64_t key = dsprt_random_key(1, "x");
  for (int64_t i = 0; i < N; i++) {
    double x = (double)dsprt_random(key, i);
    sum += x;
    square += x * x;
  }
  assert_true(sum / N < 0.02 && sum / N > -0.02);
  assert_true(square / N < 1.02 && square / N > 0.98);
  assert_true(key != dsprt_random_key(2, "x"));
  assert_true(key != dsprt_random_key(1, "y"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(parts),          cmocka_unit_test(runs),
      cmocka_unit_test(layouts),        cmocka_unit_test(text),
      cmocka_unit_test(random_numbers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
