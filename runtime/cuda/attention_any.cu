// attention_any.cu - attention of any shape: a warp for each query.
//
// Needs:  at most 512 channels of a head.
// Leaves: o.  32 keys at a time, a running softmax, f32 throughout.
#include <float.h>

#include "attention.h"
#include "dsprt_kernels.cuh"

extern "C" {
#include "backend.h"
}

enum { LANES = 32, WARPS = DSPRT_THREADS / LANES, MOST_CHANNELS = 512 };

template <typename T>
struct Tensors {
  const T *q, *k, *v, *bias; // bias may be NULL
  T *o;
  float *lse; // NULL, or one for each query
};

/// Adds the offsets of batch element and query number `at`.
template <typename T>
static __device__ void find_query(const DsprtAttention &a, int64_t at,
                                  Tensors<T> *t) {
  for (int i = a.nquery; i-- > 0;) {
    int64_t index = at % a.query[i].size;
    at /= a.query[i].size;
    t->q += index * a.query[i].q;
    t->o += index * a.query[i].o;
    if (t->bias) t->bias += index * a.bias.query[i];
  }
  for (int i = a.nbatch; i-- > 0;) {
    int64_t index = at % a.batch[i].size;
    at /= a.batch[i].size;
    t->q += index * a.batch[i].q;
    t->k += index * a.batch[i].k;
    t->v += index * a.batch[i].v;
    t->o += index * a.batch[i].o;
    if (t->bias) t->bias += index * a.bias.batch[i];
  }
}

static __device__ void find_key(const DsprtAttention &a, int64_t at,
                                int64_t *k, int64_t *v, int64_t *bias) {
  *k = *v = *bias = 0;
  for (int i = a.nkey; i-- > 0;) {
    int64_t index = at % a.key[i].size;
    at /= a.key[i].size;
    *k += index * a.key[i].k;
    *v += index * a.key[i].v;
    *bias += index * a.bias.key[i];
  }
}

static __device__ float largest(float x) {
  for (int step = LANES / 2; step > 0; step /= 2)
    x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, step));
  return x;
}

static __device__ float sum(float x) {
  for (int step = LANES / 2; step > 0; step /= 2)
    x += __shfl_xor_sync(0xffffffffu, x, step);
  return x;
}

template <typename T>
static __global__ void any_kernel(DsprtAttention a, Tensors<T> t,
                                  int64_t queries, int64_t keys) {
  __shared__ float q_row[WARPS][MOST_CHANNELS];
  int warp = threadIdx.x / LANES, lane = threadIdx.x % LANES;
  int64_t at = (int64_t)blockIdx.x * WARPS + warp;
  if (at >= queries) return;
  find_query(a, at, &t);
  DsprtKeys seen = dsprt_keys_seen(&a, at);
  keys = seen.end < keys ? seen.end : keys;
  for (int c = lane; c < a.dot; c += LANES)
    q_row[warp][c] = dsprt_load_one(t.q + c) * a.scale;
  __syncwarp();
  float total = 0, top = -FLT_MAX, out[MOST_CHANNELS / LANES] = {};
  for (int64_t first = seen.begin; first < keys; first += LANES) {
    int64_t k_at = 0, v_at = 0, bias_at = 0;
    float score = -INFINITY;
    if (first + lane < keys) {
      find_key(a, first + lane, &k_at, &v_at, &bias_at);
      score = 0;
      for (int c = 0; c < a.dot; c++)
        score += q_row[warp][c] * dsprt_load_one(t.k + k_at + c);
      if (t.bias) score += dsprt_load_one(t.bias + bias_at);
    }
    float now = fmaxf(top, largest(score));
    float base = now == -INFINITY ? 0 : now; // a bias may hide all keys
    float weight = expf(score - base), keep = expf(top - base);
    total = total * keep + sum(weight);
    top = now;
    for (int i = 0; i < MOST_CHANNELS / LANES; i++) out[i] *= keep;
    for (int key = 0; key < LANES && first + key < keys; key++) {
      float p = __shfl_sync(0xffffffffu, weight, key);
      int64_t from = __shfl_sync(0xffffffffu, v_at, key);
      for (int i = 0; i * LANES + lane < a.width; i++)
        out[i] += p * dsprt_load_one(t.v + from + i * LANES + lane);
    }
  }
  float shrink = total > 0 ? 1 / total : 0; // 0: the query sees no key
  for (int i = 0; i * LANES + lane < a.width; i++)
    dsprt_store_one(t.o + i * LANES + lane, out[i] * shrink);
  if (t.lse && lane == 0) t.lse[at] = top + logf(total);
}

template <typename T>
static void launch(DsprtRun *run, const DsprtAttentionCall *call) {
  const DsprtAttention &a = call->a;
  int64_t queries = 1, keys = 1;
  for (int i = 0; i < a.nbatch; i++) queries *= a.batch[i].size;
  for (int i = 0; i < a.nquery; i++) queries *= a.query[i].size;
  for (int i = 0; i < a.nkey; i++) keys *= a.key[i].size;
  Tensors<T> t = {(const T *)call->q, (const T *)call->k, (const T *)call->v,
                  (const T *)a.bias.data, (T *)call->o, call->lse};
  unsigned blocks = (unsigned)((queries + WARPS - 1) / WARPS);
  any_kernel<<<blocks, DSPRT_THREADS, 0, dsprt_stream(run)>>>(a, t, queries,
                                                              keys);
  dsprt_check_launch(run);
}

void dsprt_attention_any(DsprtRun *run, const DsprtAttentionCall *call) {
  if (call->a.dot > MOST_CHANNELS || call->a.width > MOST_CHANNELS)
    dsprt_fail(run, "attention with more than %d channels of a head is not "
                    "supported on GPUs", (int)MOST_CHANNELS);
  if (call->type == DSPRT_F32)
    launch<float>(run, call);
  else if (call->type == DSPRT_BF16)
    launch<DsprtBf16>(run, call);
  else
    launch<DsprtF16>(run, call);
}
