// convert_test.c - element types, against arithmetic done another way.
#include "cmocka_all.h"

#include <math.h>

#include "convert.h"
#include "dsprt_math.h"

/// Every bf16 and f16 comes back as it was.
static void round_trips(void **state) {
  (void)state;
  for (uint32_t i = 0; i <= 0xffff; i++) {
    uint16_t x = (uint16_t)i;
    float b = dsprt_from_bf16(x), h = dsprt_from_f16(x);
    if (!isnan(b)) assert_int_equal(dsprt_to_bf16(b), x);
    if (!isnan(h)) assert_int_equal(dsprt_to_f16(h), x);
    assert_int_equal(isnan(b), (i & 0x7fff) > 0x7f80);
    assert_int_equal(isnan(h), (i & 0x7fff) > 0x7c00);
    assert_true(!isnan(b) || isnan(dsprt_from_bf16(dsprt_to_bf16(b))));
    assert_true(!isnan(h) || isnan(dsprt_from_f16(dsprt_to_f16(h))));
  }
}

/// Is `is` the neighbour of x that is nearest, and even when two are?
static void check_f16(float x) {
  DsprtF16 is = dsprt_to_f16(x);
  double best = fabs((double)dsprt_from_f16(is) - (double)x);
  for (int d = -1; d <= 1; d += 2) {
    DsprtF16 other = (DsprtF16)(is + d);
    double value = (double)dsprt_from_f16(other);
    if (!isfinite(value)) continue;
    double distance = fabs(value - (double)x);
    assert_false(distance < best);
    if (distance == best) assert_int_equal(is & 1, 0);
  }
}

static void nearest(void **state) {
  (void)state;
  uint32_t random = 7;
  for (int i = 0; i < 100000; i++) {
    random = random * 1664525u + 1013904223u;
    float x = dsprt_of_bits(random);
    if (isfinite(x) && fabsf(x) < 65519.0f) check_f16(x);
  }
  assert_int_equal(dsprt_to_f16(65519.0f), 0x7bff);
  assert_int_equal(dsprt_to_f16(65520.0f), 0x7c00);
  assert_int_equal(dsprt_to_f16(-1e30f), 0xfc00);
  assert_int_equal(dsprt_to_bf16(1.00390625f), 0x3f80); // a tie, to even
  assert_int_equal(dsprt_to_bf16(1.01171875f), 0x3f82); // a tie, to even
  assert_int_equal(dsprt_to_bf16(1.004f), 0x3f81);
}

static void arrays(void **state) {
  (void)state;
  unsigned char unaligned[9] = {0xff, 0x80, 0x3f, 0x00, 0xc0};
  float out[2];
  dsprt_convert(DSPRT_BF16, unaligned + 1, DSPRT_F32, out, 2);
  assert_true(out[0] == 1.0f && out[1] == -2.0f);
  assert_true(dsprt_converts(DSPRT_F16, DSPRT_BF16));
  assert_false(dsprt_converts(DSPRT_F32, DSPRT_I32));
}

static void functions(void **state) {
  (void)state;
  for (float x = -9.0f; x < 9.0f; x += 0.01f) {
    double d = (double)x;
    double gelu = 0.5 * d * (1 + erf(d / sqrt(2.0)));
    double inner = sqrt(2.0 / 3.14159265358979) * (d + 0.044715 * d * d * d);
    double gelu_tanh = 0.5 * d * (1 + tanh(inner));
    assert_true(fabs((double)dsprt_gelu(x) - gelu) < 2e-6);
    assert_true(fabs((double)dsprt_gelu_tanh(x) - gelu_tanh) < 2e-6);
    assert_true(fabs((double)dsprt_silu(x) - d / (1 + exp(-d))) < 2e-6);
  }
  assert_true(dsprt_gelu_tanh(-100.0f) == 0.0f);
  assert_true(dsprt_gelu_tanh(100.0f) == 100.0f);
  assert_true(dsprt_relu(-1.0f) == 0.0f);
  assert_true(dsprt_rsqrt(4.0f) == 0.5f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(round_trips),
      cmocka_unit_test(nearest),
      cmocka_unit_test(arrays),
      cmocka_unit_test(functions),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
