// params_test.c - weights by name, their errors, and what a difference is.
#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "convert.h"
#include "param_cursor.h"
#include "verify.h"
#include "weights.h"

typedef struct Layer {
  const float *gain, *matrix;
} Layer;

typedef struct Table {
  Layer layers[2][3];
  const uint16_t *last;
} Table;

static const DsprtParam params[] = {
    {.path = "a.{0}.{1}.weight",
     .nloops = 2,
     .loops = {{4, 2, sizeof(Layer[3])}, {0, 3, sizeof(Layer)}},
     .shape = {DSPRT_F32, 1, {4}},
     .offset = offsetof(Layer, gain)},
    {.path = "a.{0}.{1}.m{1}",
     .nloops = 2,
     .loops = {{4, 2, sizeof(Layer[3])}, {0, 3, sizeof(Layer)}},
     .shape = {DSPRT_F32, 2, {2, 100}},
     .offset = offsetof(Layer, matrix)},
    {.path = "last.{0}",
     .shape = {DSPRT_BF16, 1, {2}},
     .offset = offsetof(Table, last)},
};

static const DsprtProgram program = {
    .params = params, .nparams = 3, .weights_bytes = sizeof(Table)};

static void names(void **state) {
  DsprtParamCursor c = dsprt_params(&program);
  int count = 0;
  (void)state;
  while (dsprt_next_param(&c)) {
    if (count == 4) assert_string_equal(c.name, "a.5.1.weight");
    if (count == 4)
      assert_int_equal(c.offset, offsetof(Table, layers[1][1].gain));
    if (count == 8) assert_string_equal(c.name, "a.4.2.m2");
    if (count == 12) assert_string_equal(c.name, "last.{0}");
    count++;
  }
  assert_int_equal(count, 13);
}

static void random_weights(void **state) {
  DsprtWeights weights;
  DsprtErrors errors = {0};
  (void)state;
  assert_true(dsprt_weights_random(&weights, &program, 0, 1, 3, &errors));
  const Table *t = weights.pointers;
  double square = 0;
  for (int i = 0; i < 200; i++)
    square += (double)t->layers[1][2].matrix[i] * t->layers[1][2].matrix[i];
  assert_true(square / 200 > 0.008 && square / 200 < 0.012);
  assert_true(fabsf(t->layers[0][1].gain[0] - 1.0f) < 0.2f);
  assert_true(t->layers[0][1].gain[0] != t->layers[0][2].gain[0]);
  assert_int_equal((uintptr_t)t->last % 64, 0);
  dsprt_weights_free(&weights);
}

static unsigned char data[64];

static DsprtTensor tensor(const char *name, DsprtShape shape, int at) {
  return (DsprtTensor){.name = name,
                       .dtype = "F32",
                       .readable = true,
                       .shape = shape,
                       .data = data + at};
}

static const DsprtParam one[] = {
    {.path = "x", .shape = {DSPRT_F32, 1, {2}}, .offset = 0},
    {.path = "y", .shape = {DSPRT_F32, 2, {1, 3}}, .offset = 8},
};
static const DsprtProgram two = {
    .params = one, .nparams = 2, .weights_bytes = 16};

static void mapped_or_copied(void **state) {
  DsprtTensor list[] = {tensor("x", (DsprtShape){DSPRT_F32, 1, {2}}, 8),
                        tensor("y", (DsprtShape){DSPRT_F32, 2, {1, 3}}, 17)};
  DsprtTensors file = {.path = "f", .tensors = list, .count = 2};
  DsprtWeights weights;
  DsprtErrors errors = {0};
  (void)state;
  memcpy(data + 17, (float[]){1, 2, 3}, 12);
  assert_true(dsprt_weights_load(&weights, &two, 0, 1, &file, false, &errors));
  const float *const *pointers = weights.pointers;
  assert_ptr_equal(pointers[0], data + 8);
  assert_true(pointers[1][0] == 1 && pointers[1][2] == 3);
  assert_int_equal(weights.mapped_bytes, 8);
  assert_int_equal(weights.buffer_bytes, 64);
  dsprt_weights_free(&weights);
}

/// All that is wrong is told at once, with both shapes.
static void all_errors(void **state) {
  DsprtTensor list[] = {tensor("extra", (DsprtShape){DSPRT_F32, 1, {2}}, 0),
                        tensor("y", (DsprtShape){DSPRT_F32, 1, {3}}, 16)};
  DsprtTensors file = {.path = "f", .tensors = list, .count = 2};
  DsprtWeights weights;
  DsprtErrors errors = {0};
  (void)state;
  assert_false(dsprt_weights_load(&weights, &two, 0, 1, &file, false, &errors));
  assert_int_equal(errors.count, 3);
  assert_non_null(strstr(errors.text, "'x' is missing: F32[2]"));
  assert_non_null(strstr(errors.text, "'y' has the shape [3] in the file, the "
                                      "program needs [1, 3]"));
  assert_non_null(strstr(errors.text, "'extra' [2] is not a parameter"));
  dsprt_errors_free(&errors);
  assert_false(dsprt_weights_load(&weights, &two, 0, 1, &file, true, &errors));
  assert_int_equal(errors.count, 2);
  dsprt_errors_free(&errors);
}

/// The difference of `is` and `want` on one rank.
static DsprtDifference compare(const float *is, const float *want) {
  DsprtPort port = {.shape = {DSPRT_F32, 1, {3}}};
  DsprtRun run = {.ranks = 1, .arena = (unsigned char *)malloc(12)};
  DsprtTensor expected = {.shape = port.shape,
                          .data = (const unsigned char *)want};
  memcpy(run.arena, is, 12);
  DsprtDifference d = dsprt_compare(&run, &port, &expected);
  free(run.arena);
  return d;
}

static void differences(void **state) {
  const float want[] = {1, -4, 2}, near[] = {1, -4.5f, 2};
  const float lost[] = {1, NAN, 2}, far[] = {1, INFINITY, 2};
  const float nothing[] = {0, 0, 0};
  (void)state;
  DsprtDifference d = compare(near, want);
  assert_true(d.error == 0.5 && d.expected == 4 && d.nans == 0);
  assert_true(dsprt_relative(&d) == 0.125);
  d = compare(lost, want);
  assert_true(d.nans == 1);
  d = compare(lost, lost);
  assert_true(d.nans == 1);
  d = compare(far, want);
  assert_true(d.nans == 1);
  d = compare(want, far);
  assert_true(d.nans == 1);
  d = compare(nothing, nothing);
  assert_true(dsprt_relative(&d) == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names),
      cmocka_unit_test(random_weights),
      cmocka_unit_test(mapped_or_copied),
      cmocka_unit_test(all_errors),
      cmocka_unit_test(differences),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
