// attention_call_test.c - the dims that attention on GPUs merges: every query
// still meets the same keys, values and biases.
#include "cmocka_all.h"

#include <string.h>

#include "attention.h"

static DsprtAttentionCall taken;

// The ways to run it, of which the first that is asked takes the call.
int dsprt_attention_tuned(DsprtRun *run, const DsprtAttentionCall *call) {
  (void)run;
  taken = *call;
  return 1;
}
int dsprt_attention_short(DsprtRun *run, const DsprtAttentionCall *call) {
  return dsprt_attention_tuned(run, call);
}
int dsprt_attention_cudnn(DsprtRun *run, const DsprtAttentionCall *call) {
  return dsprt_attention_tuned(run, call);
}
void dsprt_attention_any(DsprtRun *run, const DsprtAttentionCall *call) {
  dsprt_attention_tuned(run, call);
}
void dsprt_span_begin(DsprtRun *run, DsprtWorkKind work, const char *name,
                      double flops, double bytes) {
  (void)run, (void)work, (void)name, (void)flops, (void)bytes;
}
void dsprt_span_end(DsprtRun *run) { (void)run; }

static uint64_t mixed(uint64_t hash, int64_t x) {
  hash = (hash ^ (uint64_t)x) * 0x100000001b3u;
  return hash ^ hash >> 29;
}

/// A sum over all that a key gives to a query: the same in any order.
static uint64_t meetings(const DsprtAttention *a) {
  uint64_t sum = 0;
  int64_t batch = 1, queries = 1, keys = 1;
  for (int i = 0; i < a->nbatch; i++) batch *= a->batch[i].size;
  for (int i = 0; i < a->nquery; i++) queries *= a->query[i].size;
  for (int i = 0; i < a->nkey; i++) keys *= a->key[i].size;
  for (int64_t at = 0; at < batch * queries * keys; at++) {
    int64_t rest = at, q = 0, k = 0, v = 0, o = 0, bias = 0;
    for (int i = a->nkey; i-- > 0; rest /= a->key[i].size) {
      int64_t index = rest % a->key[i].size;
      k += index * a->key[i].k;
      v += index * a->key[i].v;
      bias += index * a->bias.key[i];
    }
    for (int i = a->nquery; i-- > 0; rest /= a->query[i].size) {
      int64_t index = rest % a->query[i].size;
      q += index * a->query[i].q;
      o += index * a->query[i].o;
      bias += index * a->bias.query[i];
    }
    for (int i = a->nbatch; i-- > 0; rest /= a->batch[i].size) {
      int64_t index = rest % a->batch[i].size;
      q += index * a->batch[i].q;
      k += index * a->batch[i].k;
      v += index * a->batch[i].v;
      o += index * a->batch[i].o;
      bias += index * a->bias.batch[i];
    }
    sum += mixed(mixed(mixed(mixed(mixed(7, q), k), v), o), bias);
  }
  return sum;
}

static void run(const DsprtAttention *a) {
  DsprtRun one = {.ranks = 1};
  memset(&taken, 0, sizeof taken);
  dsprt_attention_bf16(&one, a, NULL, NULL, NULL, NULL);
}

enum { B = 2, T = 3, ROWS = 4, COLS = 5, H = 2, D = 8, L = 7, C = H * D };

/// All tokens of a video attend to a text of which a bias hides the end.
static DsprtAttention text(const void *bias) {
  return (DsprtAttention){
      .nbatch = 2,
      .batch = {{B, T * ROWS * COLS * C, L * 2 * C, L * 2 * C,
                 T * ROWS * COLS * C},
                {H, D, D, D, D}},
      .nquery = 3,
      .query = {{T, ROWS * COLS * C, ROWS * COLS * C},
                {ROWS, COLS * C, COLS * C},
                {COLS, C, C}},
      .nkey = 1,
      .key = {{L, 2 * C, 2 * C}},
      .dot = D,
      .width = D,
      .scale = 1,
      .bias = {bias, {1, 0}, {0, 0, 0}, {B}}};
}

static void test_hidden_text(void **state) {
  (void)state;
  int some = 0;
  DsprtAttention a = text(&some);
  run(&a);
  assert_int_equal(taken.a.nquery, 1);
  assert_int_equal(taken.a.query[0].size, T * ROWS * COLS);
  assert_int_equal(taken.a.query[0].q, C);
  assert_int_equal(taken.a.bias.query[0], 0);
  assert_int_equal(taken.a.bias.key[0], B);
  assert_true(meetings(&taken.a) == meetings(&a));
}

/// A bias that moves with one of the query dims keeps it apart.
static void test_bias_of_rows(void **state) {
  (void)state;
  int some = 0;
  DsprtAttention a = text(&some);
  a.bias.query[0] = 100;
  run(&a);
  assert_int_equal(taken.a.nquery, 2);
  assert_true(meetings(&taken.a) == meetings(&a));
}

/// A causal mask counts the queries: they stay as they are.
static void test_mask(void **state) {
  (void)state;
  DsprtAttention a = text(NULL);
  memset(&a.bias, 0, sizeof a.bias);
  a.mask.causal = 1;
  run(&a);
  assert_int_equal(taken.a.nquery, 3);
  assert_true(meetings(&taken.a) == meetings(&a));
}

static int64_t next(uint64_t *seed, int64_t below) {
  *seed = mixed(*seed + 0x9e3779b97f4a7c15u, 5);
  return (int64_t)((*seed >> 20) % (uint64_t)below);
}

/// A stride of 0, or that of a dim right in front of `step` elements.
static int64_t stride(uint64_t *seed, int64_t *step, int64_t size) {
  static const int64_t gaps[] = {1, 1, 3};
  int64_t was = *step * gaps[next(seed, 3)];
  *step = was * size;
  return was;
}

static void test_random(void **state) {
  (void)state;
  int some = 0;
  uint64_t seed = 1;
  for (int round = 0; round < 2000; round++) {
    DsprtAttention a = {.nbatch = 1 + (int)next(&seed, 3),
                        .nquery = 1 + (int)next(&seed, 3),
                        .nkey = 1 + (int)next(&seed, 3),
                        .dot = 8,
                        .width = 8,
                        .scale = 1};
    int64_t q = 8, k = 8, v = 8, o = 8, bias = 1;
    if (next(&seed, 2)) a.bias.data = &some;
    for (int i = a.nkey; i-- > 0;) {
      int64_t n = a.key[i].size = 1 + next(&seed, 3);
      a.key[i].k = stride(&seed, &k, n);
      a.key[i].v = stride(&seed, &v, n);
      if (a.bias.data) a.bias.key[i] = stride(&seed, &bias, n);
    }
    for (int i = a.nquery; i-- > 0;) {
      int64_t n = a.query[i].size = 1 + next(&seed, 3);
      a.query[i].q = stride(&seed, &q, n);
      a.query[i].o = stride(&seed, &o, n);
      if (a.bias.data && next(&seed, 2))
        a.bias.query[i] = stride(&seed, &bias, n);
    }
    for (int i = a.nbatch; i-- > 0;) {
      int64_t n = a.batch[i].size = 1 + next(&seed, 3);
      a.batch[i].q = stride(&seed, &q, n);
      a.batch[i].o = stride(&seed, &o, n);
      if (next(&seed, 2)) a.batch[i].k = stride(&seed, &k, n);
      if (next(&seed, 2)) a.batch[i].v = stride(&seed, &v, n);
      if (a.bias.data && next(&seed, 2))
        a.bias.batch[i] = stride(&seed, &bias, n);
    }
    run(&a);
    assert_true(meetings(&taken.a) == meetings(&a));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_hidden_text), cmocka_unit_test(test_bias_of_rows),
      cmocka_unit_test(test_mask), cmocka_unit_test(test_random)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
