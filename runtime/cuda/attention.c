// attention.c - chooses how an attention runs.
//
// Needs:  tensors in device memory.
// Leaves: o.
#include "attention.h"

#include <stdbool.h>
#include <stddef.h>

#include "work.h"

static int is_one(const DsprtAttention *a, int i) {
  return a->bias.batch[i] == a->batch[i + 1].size * a->bias.batch[i + 1] &&
         a->batch[i].q == a->batch[i + 1].size * a->batch[i + 1].q &&
         a->batch[i].k == a->batch[i + 1].size * a->batch[i + 1].k &&
         a->batch[i].v == a->batch[i + 1].size * a->batch[i + 1].v &&
         a->batch[i].o == a->batch[i + 1].size * a->batch[i + 1].o;
}

static void drop_batch(DsprtAttention *a, int i) {
  a->nbatch--;
  for (; i < a->nbatch; i++) {
    a->batch[i] = a->batch[i + 1];
    a->bias.batch[i] = a->bias.batch[i + 1];
  }
}

/// Merges batch dims that every tensor walks through as one.
static void merge_batch(DsprtAttention *a) {
  for (int i = a->nbatch; i-- > 0;) {
    if (a->batch[i].size == 1) {
      drop_batch(a, i);
    } else if (i + 1 < a->nbatch && is_one(a, i)) {
      a->batch[i + 1].size *= a->batch[i].size;
      drop_batch(a, i);
    }
  }
}

/// Several query dims, or several key dims, that follow each other as one, in
/// the bias, too.
static void merge_over(DsprtAttention *a) {
  int64_t *query_bias = a->bias.query, *key_bias = a->bias.key;
  while (a->nquery > 1) {
    int i = a->nquery - 2;
    int64_t n = a->query[i + 1].size;
    if (a->query[i].q != n * a->query[i + 1].q ||
        a->query[i].o != n * a->query[i + 1].o ||
        query_bias[i] != n * query_bias[i + 1])
      break;
    a->query[i].size *= n;
    a->query[i].q = a->query[i + 1].q;
    a->query[i].o = a->query[i + 1].o;
    query_bias[i] = query_bias[i + 1];
    a->nquery--;
  }
  while (a->nkey > 1) {
    int i = a->nkey - 2;
    int64_t n = a->key[i + 1].size;
    if (a->key[i].k != n * a->key[i + 1].k ||
        a->key[i].v != n * a->key[i + 1].v ||
        key_bias[i] != n * key_bias[i + 1])
      break;
    a->key[i].size *= n;
    a->key[i].k = a->key[i + 1].k;
    a->key[i].v = a->key[i + 1].v;
    key_bias[i] = key_bias[i + 1];
    a->nkey--;
  }
}

static void move_query(DsprtAttention *a, int from, int to) {
  a->query[to].size = a->query[from].size;
  a->query[to].q = a->query[from].q;
  a->query[to].o = a->query[from].o;
  a->bias.query[to] = a->bias.query[from];
}

/// Batch dims along which k, v and the bias do not move are queries: keys are
/// then read once for all of them.
static void move_queries(DsprtAttention *a) {
  for (int i = 0; i < a->nbatch && a->nquery < DSPRT_MAX_OVER; i++) {
    if (a->batch[i].k || a->batch[i].v || a->bias.batch[i]) continue;
    for (int k = a->nquery; k > 0; k--) move_query(a, k - 1, k);
    a->query[0].size = a->batch[i].size;
    a->query[0].q = a->batch[i].q;
    a->query[0].o = a->batch[i].o;
    a->bias.query[0] = 0;
    a->nquery++;
    drop_batch(a, i--);
  }
}

/// Slower dims first, so that neighbours can be merged.
static void sort_queries(DsprtAttention *a) {
  for (int i = 1; i < a->nquery; i++)
    for (int k = i; k > 0 && a->query[k - 1].q < a->query[k].q; k--) {
      int64_t size = a->query[k].size, q = a->query[k].q, o = a->query[k].o;
      int64_t bias = a->bias.query[k];
      move_query(a, k - 1, k);
      a->query[k - 1].size = size;
      a->query[k - 1].q = q;
      a->query[k - 1].o = o;
      a->bias.query[k - 1] = bias;
    }
}

bool dsprt_attention_is_aligned(const DsprtAttentionCall *call) {
  const DsprtAttention *a = &call->a;
  uintptr_t all = (uintptr_t)call->q | (uintptr_t)call->k | (uintptr_t)call->v |
                  (uintptr_t)call->o;
  int64_t steps = a->query[0].q | a->query[0].o | a->key[0].k | a->key[0].v;
  for (int i = 0; i < a->nbatch; i++)
    steps |= a->batch[i].q | a->batch[i].k | a->batch[i].v | a->batch[i].o;
  return all % 16 == 0 && steps % 8 == 0;
}

static int is_empty(const DsprtAttention *a) {
  int empty = 0;
  for (int i = 0; i < a->nbatch; i++) empty |= a->batch[i].size == 0;
  for (int i = 0; i < a->nquery; i++) empty |= a->query[i].size == 0;
  return empty;
}

static void merge_dims(DsprtAttention *a) {
  move_queries(a);
  sort_queries(a);
  merge_batch(a);
  merge_over(a);
}

void dsprt_attend_some(DsprtRun *run, DsprtAttentionCall *call) {
  merge_dims(&call->a);
  if (!dsprt_attention_cudnn(run, call)) dsprt_attention_any(run, call);
}

/// So few queries and keys that the short kernel need not be timed.
static bool is_surely_short(const DsprtAttention *a) {
  return a->nquery == 1 && a->nkey == 1 &&
         a->query[0].size <= DSPRT_SHORT_SURE &&
         a->key[0].size <= DSPRT_SHORT_SURE;
}

static void attend(DsprtRun *run, DsprtType type, const DsprtAttention *a,
                   const void *q, const void *k, const void *v, void *o) {
  DSPRT_SPAN(run, DSPRT_WORK_ATTENTION, "attention", dsprt_attention_flops(a),
             dsprt_attention_bytes(a, type));
  DsprtAttentionCall call = {*a, type, q, k, v, o, NULL};
  if (is_empty(a)) return;
  bool masked = a->mask.causal || a->mask.window; // it counts the queries
  bool plain = !a->bias.data && !masked;
  if (masked)
    merge_batch(&call.a);
  else
    merge_dims(&call.a);
  if (type == DSPRT_F16 && plain && dsprt_attention_cudnn(run, &call)) return;
  if (plain && is_surely_short(&call.a) && dsprt_attention_short(run, &call))
    return;
  if (dsprt_attention_tuned(run, &call)) return;
  dsprt_attention_any(run, &call);
}

void dsprt_attention_f32(DsprtRun *run, const DsprtAttention *attention,
                         const float *q, const float *k, const float *v,
                         float *o) {
  attend(run, DSPRT_F32, attention, q, k, v, o);
}

void dsprt_attention_bf16(DsprtRun *run, const DsprtAttention *attention,
                          const DsprtBf16 *q, const DsprtBf16 *k,
                          const DsprtBf16 *v, DsprtBf16 *o) {
  attend(run, DSPRT_BF16, attention, q, k, v, o);
}

void dsprt_attention_f16(DsprtRun *run, const DsprtAttention *attention,
                         const DsprtF16 *q, const DsprtF16 *k,
                         const DsprtF16 *v, DsprtF16 *o) {
  attend(run, DSPRT_F16, attention, q, k, v, o);
}
