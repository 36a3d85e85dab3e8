// compute_test.c - linear, norms and copies against plain loops in double.
#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>

#include "convert.h"
#include "dsprt.h"
#include "random.h"
#include "state.h"

static DsprtState inner;
static DsprtRun run = {.ranks = 1, .state = &inner, .stage = -1};

static float *some(uint64_t key, int64_t n) {
  float *x = malloc((size_t)(n + 1) * sizeof *x);
  for (int64_t i = 0; i < n; i++) x[i] = dsprt_random(key, i);
  return x;
}

static DsprtBf16 *some_bf16(uint64_t key, int64_t n) {
  DsprtBf16 *x = malloc((size_t)(n + 1) * sizeof *x);
  for (int64_t i = 0; i < n; i++) x[i] = dsprt_to_bf16(dsprt_random(key, i));
  return x;
}

static void check(double is, double want, double scale, double tolerance) {
  if (fabs(is - want) <= tolerance * scale) return;
  print_error("%.9g, wanted %.9g\n", is, want);
  fail();
}

static double linear_at(const DsprtLinear *l, const void *x, const void *w,
                        const void *bias, DsprtType type, int64_t i,
                        int64_t j) {
  int64_t ldx = l->ldx ? l->ldx : l->in, ldw = l->ldw ? l->ldw : l->in;
  double sum = bias ? (double)dsprt_element(type, bias, j) : 0;
  for (int64_t k = 0; k < l->in; k++)
    sum += (double)dsprt_element(type, x, i * ldx + k) *
           (double)dsprt_element(type, w, j * ldw + k);
  return sum;
}

static void check_linear(const DsprtLinear *l, bool with_bias) {
  int64_t ldx = l->ldx ? l->ldx : l->in, ldy = l->ldy ? l->ldy : l->out;
  int64_t ldw = l->ldw ? l->ldw : l->in;
  float *x = some(1, l->rows * ldx), *w = some(2, ldw * l->out);
  float *bias = with_bias ? some(3, l->out) : NULL;
  float *y = some(4, l->rows * ldy), *before = some(4, l->rows * ldy);
  dsprt_linear_f32(&run, l, x, w, bias, y);
  for (int64_t i = 0; i < l->rows; i++) {
    for (int64_t j = 0; j < l->out; j++)
      check((double)y[i * ldy + j], linear_at(l, x, w, bias, DSPRT_F32, i, j),
            1 + sqrt((double)l->in), 1e-5);
    for (int64_t j = l->out; j < ldy; j++)
      assert_true(y[i * ldy + j] == before[i * ldy + j]);
  }
  free(x), free(w), free(bias), free(y), free(before);
}

static void check_linear_bf16(const DsprtLinear *l, bool with_bias) {
  int64_t ldx = l->ldx ? l->ldx : l->in, ldy = l->ldy ? l->ldy : l->out;
  DsprtBf16 *x = some_bf16(1, l->rows * ldx);
  DsprtBf16 *w = some_bf16(2, (l->ldw ? l->ldw : l->in) * l->out);
  DsprtBf16 *bias = with_bias ? some_bf16(3, l->out) : NULL;
  DsprtBf16 *y = some_bf16(4, l->rows * ldy);
  int64_t bytes = dsprt_linear_workspace(l->rows, l->in, l->out);
  unsigned char *workspace = malloc((size_t)bytes + 1);
  workspace[bytes] = 77;
  dsprt_linear_bf16(&run, l, x, w, bias, y, workspace);
  assert_int_equal(workspace[bytes], 77);
  for (int64_t i = 0; i < l->rows; i++)
    for (int64_t j = 0; j < l->out; j++)
      check((double)dsprt_from_bf16(y[i * ldy + j]),
            linear_at(l, x, w, bias, DSPRT_BF16, i, j), 1 + sqrt((double)l->in),
            1.0 / 64);
  free(x), free(w), free(bias), free(y), free(workspace);
}

static void linear(void **state) {
  static const DsprtLinear sizes[] = {
      {.rows = 1, .in = 1, .out = 1},
      {.rows = 33, .in = 40, .out = 17},
      {.rows = 5, .in = 8, .out = 3, .ldx = 11, .ldw = 13, .ldy = 7},
      {.rows = 0, .in = 4, .out = 4},
      {.rows = 3, .in = 0, .out = 2},
      {.rows = 600, .in = 5, .out = 7},
      {.rows = 9, .in = 6, .out = 1100},
  };
  (void)state;
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
    for (int bias = 0; bias < 2; bias++) {
      check_linear(&sizes[i], bias);
      check_linear_bf16(&sizes[i], bias);
    }
}

/// Row i of x, normalised, in double.
static void norm_row(const DsprtNorm *norm, const float *x, bool centre,
                     const float *weight, const float *bias, double *y) {
  int64_t n = norm->channels;
  double mean = 0, square = 0;
  for (int64_t k = 0; centre && k < n; k++) mean += (double)x[k] / (double)n;
  for (int64_t k = 0; k < n; k++)
    square += ((double)x[k] - mean) * ((double)x[k] - mean) / (double)n;
  for (int64_t k = 0; k < n; k++)
    y[k] = ((double)x[k] - mean) / sqrt(square + (double)norm->eps) *
               (weight ? (double)weight[k] : 1) +
           (bias ? (double)bias[k] : 0);
}

static void check_norm(const DsprtNorm *norm, bool centre, bool affine) {
  int64_t n = norm->channels, ldx = norm->ldx ? norm->ldx : n;
  int64_t ldy = norm->ldy ? norm->ldy : n;
  float *x = some(1, norm->rows * ldx), *y = some(2, norm->rows * ldy);
  float *w = affine ? some(3, n) : NULL;
  float *b = affine && centre ? some(4, n) : NULL;
  double *want = malloc((size_t)n * sizeof *want);
  for (int64_t i = 0; i < norm->rows * ldx; i++) x[i] += 100;
  if (centre)
    dsprt_layer_norm_f32(&run, norm, x, w, b, y);
  else
    dsprt_rms_norm_f32(&run, norm, x, w, y);
  for (int64_t i = 0; i < norm->rows; i++) {
    norm_row(norm, x + i * ldx, centre, w, b, want);
    for (int64_t k = 0; k < n; k++)
      check((double)y[i * ldy + k], want[k], 1, 2e-4);
  }
  free(x), free(y), free(w), free(b), free(want);
}

static void check_norm_bf16(const DsprtNorm *norm, bool centre) {
  int64_t n = norm->channels;
  DsprtBf16 *x = some_bf16(1, norm->rows * n), *w = some_bf16(3, n);
  DsprtBf16 *b = centre ? some_bf16(4, n) : NULL;
  float *wide = malloc((size_t)(norm->rows * n + 2 * n + 1) * sizeof *wide);
  float *wide_w = wide + norm->rows * n, *wide_b = wide_w + n;
  double *want = malloc((size_t)n * sizeof *want);
  dsprt_convert(DSPRT_BF16, x, DSPRT_F32, wide, norm->rows * n);
  dsprt_convert(DSPRT_BF16, w, DSPRT_F32, wide_w, n);
  if (b) dsprt_convert(DSPRT_BF16, b, DSPRT_F32, wide_b, n);
  if (centre)
    dsprt_layer_norm_bf16(&run, norm, x, w, b, x);
  else
    dsprt_rms_norm_bf16(&run, norm, x, w, x);
  for (int64_t i = 0; i < norm->rows; i++) {
    norm_row(norm, wide + i * n, centre, wide_w, b ? wide_b : NULL, want);
    for (int64_t k = 0; k < n; k++)
      check((double)dsprt_from_bf16(x[i * n + k]), want[k], 1 + fabs(want[k]),
            1.0 / 250);
  }
  free(x), free(w), free(b), free(wide), free(want);
}

static void norms(void **state) {
  static const DsprtNorm sizes[] = {
      {.rows = 7, .channels = 64, .eps = 0.5f},
      {.rows = 300, .channels = 129, .eps = 1e-6f},
      {.rows = 4, .channels = 3, .ldx = 10, .ldy = 5, .eps = 1e-6f},
  };
  (void)state;
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
    for (int centre = 0; centre < 2; centre++)
      for (int affine = 0; affine < 2; affine++)
        check_norm(&sizes[i], centre, affine);
  for (int i = 0; i < 2; i++)
    for (int centre = 0; centre < 2; centre++)
      check_norm_bf16(&sizes[i], centre);
}

static int64_t offset(const DsprtCopy *copy, int64_t index, bool in) {
  int64_t at = 0;
  for (int i = copy->ndims; i-- > 0; index /= copy->dims[i].size)
    at += index % copy->dims[i].size *
          (in ? copy->dims[i].in : copy->dims[i].out);
  return at;
}

static void check_copy(const DsprtCopy *copy, DsprtType type) {
  static uint32_t in[4096], out[4096];
  int64_t n = 1;
  for (uint32_t i = 0; i < 4096; i++) {
    in[i] = i * 2654435761u;
    out[i] = 0;
  }
  for (int i = 0; i < copy->ndims; i++) n *= copy->dims[i].size;
  dsprt_copy(&run, type, copy, in, out);
  int64_t size = dsprt_type_bytes(type);
  for (int64_t i = 0; i < n; i++)
    assert_memory_equal((char *)out + offset(copy, i, false) * size,
                        (char *)in + offset(copy, i, true) * size,
                        (size_t)size);
}

static void copies(void **state) {
  static const DsprtCopy list[] = {
      {.ndims = 0},
      {.ndims = 1, .dims = {{100, 1, 1}}},
      {.ndims = 2, .dims = {{7, 1, 9}, {9, 7, 1}}},             // transpose
      {.ndims = 3, .dims = {{3, 40, 8}, {2, 4, 4}, {4, 1, 1}}}, // slice
      {.ndims = 3, .dims = {{3, 0, 20}, {5, 4, 4}, {4, 1, 1}}}, // repeat
      {.ndims = 4, .dims = {{2, 12, 12}, {1, 99, 99}, {3, 1, 4}, {4, 3, 1}}},
      {.ndims = 2, .dims = {{0, 1, 9}, {9, 7, 1}}},
  };
  (void)state;
  for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
    check_copy(&list[i], DSPRT_F32);
    check_copy(&list[i], DSPRT_BF16);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(linear),
      cmocka_unit_test(norms),
      cmocka_unit_test(copies),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  free(inner.tiles);
  return failed;
}
