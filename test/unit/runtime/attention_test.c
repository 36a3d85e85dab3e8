// attention_test.c - attention against the definition, in double.
#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>

#include "convert.h"
#include "dsprt.h"
#include "random.h"
#include "state.h"

enum { FLOATS = 1 << 20 };

static DsprtState inner;
static DsprtRun run = {.ranks = 1, .state = &inner, .stage = -1};
static float q[FLOATS], k[FLOATS], v[FLOATS], o[FLOATS], want[FLOATS];
static double scores[1 << 16];

static int64_t size_of_queries(const DsprtAttention *a) {
  int64_t n = 1;
  for (int i = 0; i < a->nquery; i++) n *= a->query[i].size;
  return n;
}

static int64_t size_of_keys(const DsprtAttention *a) {
  int64_t n = 1;
  for (int i = 0; i < a->nkey; i++) n *= a->key[i].size;
  return n;
}

static int64_t at_query(const DsprtAttention *a, int64_t i, bool out) {
  int64_t at = 0;
  for (int d = a->nquery; d-- > 0; i /= a->query[d].size)
    at += i % a->query[d].size * (out ? a->query[d].o : a->query[d].q);
  return at;
}

static int64_t at_key(const DsprtAttention *a, int64_t i, bool value) {
  int64_t at = 0;
  for (int d = a->nkey; d-- > 0; i /= a->key[d].size)
    at += i % a->key[d].size * (value ? a->key[d].v : a->key[d].k);
  return at;
}

/// Does query number `i` see key number `key`?
static bool sees(const DsprtAttention *a, int64_t i, int64_t key) {
  for (int d = a->nquery; --d > a->mask.query;) i /= a->query[d].size;
  int64_t at = a->nquery ? i % a->query[a->mask.query].size : 0;
  int64_t apart = a->mask.begin + at - key;
  if (a->mask.causal && apart < 0) return false;
  return a->mask.window == 0 || llabs(apart) < a->mask.window;
}

/// Query number `at` by the definition.
static void attend_one(const DsprtAttention *a, int64_t at, const float *query,
                       const float *keys, const float *values, float *out) {
  int64_t n = size_of_keys(a);
  double most = -INFINITY, sum = 0;
  for (int64_t i = 0; i < n; i++) {
    scores[i] = 0;
    for (int64_t d = 0; d < a->dot; d++)
      scores[i] += (double)a->scale * (double)query[d] *
                   (double)keys[at_key(a, i, false) + d];
    if (!sees(a, at, i)) scores[i] = -INFINITY;
    most = fmax(most, scores[i]);
  }
  for (int64_t i = 0; i < n; i++) sum += exp(scores[i] - most);
  for (int64_t d = 0; d < a->width; d++) {
    double value = 0;
    for (int64_t i = 0; i < n; i++)
      value +=
          exp(scores[i] - most) / sum * (double)values[at_key(a, i, true) + d];
    out[d] = (float)value;
  }
}

static void define(const DsprtAttention *a) {
  int64_t batches = 1;
  for (int i = 0; i < a->nbatch; i++) batches *= a->batch[i].size;
  for (int64_t b = 0; b < batches; b++) {
    int64_t rest = b, bq = 0, bk = 0, bv = 0, bo = 0;
    for (int i = a->nbatch; i-- > 0; rest /= a->batch[i].size) {
      int64_t index = rest % a->batch[i].size;
      bq += index * a->batch[i].q;
      bk += index * a->batch[i].k;
      bv += index * a->batch[i].v;
      bo += index * a->batch[i].o;
    }
    for (int64_t i = 0; i < size_of_queries(a); i++)
      attend_one(a, i, q + bq + at_query(a, i, false), k + bk, v + bv,
                 want + bo + at_query(a, i, true));
  }
}

static void check(const DsprtAttention *a, float spread) {
  for (int64_t i = 0; i < FLOATS; i++) {
    q[i] = spread * dsprt_random(1, i);
    k[i] = dsprt_random(2, i);
    v[i] = dsprt_random(3, i);
    o[i] = want[i] = 7;
  }
  define(a);
  dsprt_attention_f32(&run, a, q, k, v, o);
  for (int64_t i = 0; i < FLOATS; i++)
    if (!(fabsf(o[i] - want[i]) <= 3e-5f)) {
      print_error("o[%lld] = %g, wanted %g\n", (long long)i, (double)o[i],
                  (double)want[i]);
      fail();
    }
}

static void check_bf16(const DsprtAttention *a) {
  static DsprtBf16 x[3][FLOATS], y[FLOATS];
  float *wide[] = {q, k, v};
  for (int t = 0; t < 3; t++) {
    for (int64_t i = 0; i < FLOATS; i++)
      x[t][i] = dsprt_to_bf16(dsprt_random((uint64_t)t, i));
    dsprt_convert(DSPRT_BF16, x[t], DSPRT_F32, wide[t], FLOATS);
  }
  for (int64_t i = 0; i < FLOATS; i++) want[i] = 7;
  for (int64_t i = 0; i < FLOATS; i++) y[i] = dsprt_to_bf16(7);
  define(a);
  dsprt_attention_bf16(&run, a, x[0], x[1], x[2], y);
  for (int64_t i = 0; i < FLOATS; i++)
    assert_true(fabsf(dsprt_from_bf16(y[i]) - want[i]) <= 0.01f);
}

/// Batch and heads of [batch, n, heads, d], self attention or not.
static DsprtAttention plain(int64_t batch, int64_t queries, int64_t keys,
                            int64_t heads, int64_t d, int64_t width) {
  int64_t c = heads * d, cv = heads * width;
  return (DsprtAttention){
      .nbatch = 2,
      .batch = {{batch, queries * c, keys * c, keys * cv, queries * cv},
                {heads, d, d, width, width}},
      .nquery = 1,
      .query = {{queries, c, cv}},
      .nkey = 1,
      .key = {{keys, c, cv}},
      .dot = d,
      .width = width,
      .scale = 1 / sqrtf((float)d)};
}

static void sizes(void **state) {
  static const int64_t list[][6] = {
      {1, 1, 1, 1, 1, 1},       {2, 5, 5, 2, 8, 8},
      {3, 16, 16, 2, 64, 64},   {1, 17, 63, 1, 72, 72},
      {1, 130, 64, 1, 8, 24},   {1, 3, 65, 2, 10, 6},
      {1, 257, 300, 1, 16, 16}, {1, 128, 513, 2, 64, 40},
      {0, 4, 4, 1, 8, 8},       {2, 0, 4, 1, 8, 8},
  };
  (void)state;
  for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
    const int64_t *s = list[i];
    DsprtAttention a = plain(s[0], s[1], s[2], s[3], s[4], s[5]);
    check(&a, 1);
    check(&a, 30); // scores that need the largest taken away
    check_bf16(&a);
  }
}

/// Over T of packed [B, T, S, 3, H, D]: strides everywhere.
static void packed(void **state) {
  enum { B = 2, T = 5, S = 7, H = 3, D = 8, P = 3 * H * D, C = H * D };
  DsprtAttention a = {.nbatch = 3,
                      .batch = {{B, T * S * P, T * S * P, T * S * P, T * S * C},
                                {S, P, P, P, C},
                                {H, D, D, D, D}},
                      .nquery = 1,
                      .query = {{T, S * P, S * C}},
                      .nkey = 1,
                      .key = {{T, S * P, S * P}},
                      .dot = D,
                      .width = D,
                      .scale = 0.3f};
  (void)state;
  check(&a, 1);
  check_bf16(&a);
}

/// Over two dims that are not neighbours in memory, and with three of them.
static void several_dims(void **state) {
  enum { N = 4, M = 6, K = 5, D = 8 };
  DsprtAttention a = {.nbatch = 1,
                      .batch = {{M, K * D, K * D, K * D, D}},
                      .nquery = 2,
                      .query = {{N, M * K * D, M * D}, {K, D, N * M * D}},
                      .nkey = 2,
                      .key = {{N, M * K * D, M * K * D}, {K, D, D}},
                      .dot = D,
                      .width = D,
                      .scale = 0.35f};
  DsprtAttention many = {
      .nquery = 1,
      .query = {{9, 16, 16}},
      .nkey = 3,
      .key = {{4, 16 * 75, 16 * 90}, {5, 16 * 15, 16 * 16}, {9, 16, 16}},
      .dot = 16,
      .width = 16,
      .scale = 0.25f};
  (void)state;
  check(&a, 1);
  check(&many, 1); // 180 keys: packed for the BLAS
  check_bf16(&many);
}

/// Queries at `begin` and behind among more keys, in tiles of both; queries of
/// other dims on both sides of the masked one.
static void masks(void **state) {
  static const int64_t list[][5] = {
      // queries, keys, causal, window, begin
      {7, 7, 1, 0, 0},       {40, 64, 1, 0, 24},   {300, 300, 1, 0, 0},
      {300, 300, 0, 1, 0},   {300, 300, 1, 17, 0}, {300, 700, 0, 90, 310},
      {150, 600, 1, 40, 450}};
  (void)state;
  for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
    const int64_t *s = list[i];
    DsprtAttention a = plain(2, s[0], s[1], 2, 8, 8);
    a.mask.causal = (int)s[2];
    a.mask.window = s[3];
    a.mask.begin = s[4];
    check(&a, 3);
    check_bf16(&a);
  }
  enum { S = 3, T = 90, L = 2, D = 8 };
  DsprtAttention a = {.nquery = 3,
                      .query = {{S, T * L * D, T * L * D},
                                {T, L * D, L * D},
                                {L, D, D}},
                      .nkey = 1,
                      .key = {{T, D, D}},
                      .dot = D,
                      .width = D,
                      .scale = 0.35f,
                      .mask = {.causal = 1, .window = 30, .query = 1}};
  check(&a, 3);
}

/// Keys that lack a batch dim, once as a batch dim and once as a query dim.
static void cross(void **state) {
  enum { B = 2, T = 3, S = 4, L = 70, D = 8 };
  DsprtAttention batch = {.nbatch = 2,
                          .batch = {{B, T * S * D, L * D, L * D, T * S * D},
                                    {T, S * D, 0, 0, S * D}},
                          .nquery = 1,
                          .query = {{S, D, D}},
                          .nkey = 1,
                          .key = {{L, D, D}},
                          .dot = D,
                          .width = D,
                          .scale = 0.35f};
  DsprtAttention query = {.nbatch = 1,
                          .batch = {{B, T * S * D, L * D, L * D, T * S * D}},
                          .nquery = 2,
                          .query = {{T, S * D, S * D}, {S, D, D}},
                          .nkey = 1,
                          .key = {{L, D, D}},
                          .dot = D,
                          .width = D,
                          .scale = 0.35f};
  DsprtAttention single = {.nbatch = 1,
                           .batch = {{B, D, L * D, L * D, D}},
                           .nkey = 1,
                           .key = {{L, D, D}},
                           .dot = D,
                           .width = D,
                           .scale = 0.35f};
  (void)state;
  check(&batch, 1);
  check(&query, 1);
  check(&single, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sizes),
      cmocka_unit_test(packed),
      cmocka_unit_test(several_dims),
      cmocka_unit_test(masks),
      cmocka_unit_test(cross),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  free(inner.tiles);
  return failed;
}
