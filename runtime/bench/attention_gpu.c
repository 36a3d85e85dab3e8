// attention_gpu.c - attention on a GPU: the kernel for Hopper, cuDNN and the
// kernel for few keys against the kernel that takes anything, in f32, and
// TFLOP/s; masks and biases beside that kernel, which they had before.
//
//   bench_attention_gpu [check|few]      exit status 1 when a number is wrong;
//                                        few: times of 128 keys at most
//
// Inputs are random, outputs begin as NaNs with NaNs around them, so that what
// was not written shows, and what was written beside them, too.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attention.h"
#include "dsprt_math.h"
#include "state.h"

enum { GUARD = 4096, TIMES = 9, CAUSAL = 1, WINDOW = 2, BIAS = 4, TEXT = 8 };

/// bf16 weights are rounded once, o once.
static const double most_error = 6e-3;

typedef struct Case {
  int64_t batch, queries, keys, heads, channels;
  int kind; ///< CAUSAL, WINDOW, BIAS; TEXT: one that hides the last keys
} Case;

static const Case checks[] = {
    {1, 65, 65, 2, 72, 0},        {2, 300, 300, 3, 72, 0},
    {3, 1000, 1000, 2, 72, 0},    {3, 920, 920, 5, 72, 0},
    {2, 920, 300, 4, 72, 0},      {1, 1, 129, 40, 72, 0},
    {1, 2048, 2048, 2, 72, 0},    {2, 920, 300, 3, 64, 0},
    {2, 300, 333, 3, 80, 0},      {2, 300, 333, 3, 96, 0},
    {3, 1000, 300, 2, 128, 0},    {2, 300, 300, 3, 72, CAUSAL},
    {2, 920, 920, 2, 72, WINDOW}, {2, 300, 1111, 2, 72, CAUSAL},
    {2, 700, 700, 2, 64, 3},      {2, 700, 700, 2, 128, CAUSAL},
    {2, 333, 77, 3, 72, BIAS},    {2, 300, 300, 3, 64, BIAS},
    {2, 500, 500, 3, 128, 5},     {2, 300, 400, 2, 80, BIAS},
    {2, 300, 400, 2, 96, CAUSAL}, {65, 16, 16, 3, 72, 0},
    {7, 33, 20, 2, 64, 0},        {40, 64, 64, 3, 72, 0},
    {40, 65, 65, 3, 72, 0},       {9, 96, 96, 2, 32, 0},
    {9, 81, 96, 2, 48, 0},        {9, 97, 5, 2, 64, 0},
    {9, 128, 128, 3, 72, 0},      {9, 100, 127, 3, 72, 0},
    {9, 120, 113, 2, 80, 0},      {9, 3, 128, 2, 96, 0},
    {9, 128, 128, 2, 96, 0},      {9, 128, 90, 2, 128, 0},
    {9, 111, 128, 2, 128, 0},     {3, 920, 300, 3, 72, TEXT},
    {5, 300, 77, 2, 64, TEXT},
};

static const Case times[] = {
    {8, 4096, 4096, 16, 72, 0},  {32, 4096, 4096, 16, 72, 0},
    {30, 920, 920, 16, 72, 0},   {8, 4096, 300, 16, 72, 0},
    {16, 4096, 4096, 16, 64, 0}, {8, 4096, 4096, 16, 80, 0},
    {8, 4096, 4096, 16, 96, 0},  {8, 4096, 4096, 16, 128, 0},
    {1024, 16, 16, 16, 72, 0},   {512, 60, 60, 16, 72, 0},
    {512, 64, 64, 16, 72, 0},    {400, 80, 80, 16, 72, 0},
    {340, 96, 96, 16, 72, 0},    {300, 112, 112, 16, 72, 0},
    {256, 128, 128, 16, 72, 0},  {256, 128, 128, 16, 64, 0},
    {256, 128, 128, 16, 128, 0}, {4, 2048, 2048, 16, 72, CAUSAL},
    {8, 1024, 1024, 16, 64, 3},  {8, 1024, 1024, 8, 64, BIAS},
    {4, 1024, 1024, 8, 128, 5},  {1, 54000, 300, 16, 72, TEXT},
};

static DsprtState state;
static DsprtRun run = {.ranks = 1, .stage = -1, .state = &state};

/// Normal enough: the sum of four uniform numbers, variance 1.
static float next_random(uint64_t *seed) {
  float sum = 0;
  for (int i = 0; i < 4; i++) {
    *seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
    sum += (float)(*seed >> 40) / (float)(1 << 24) - 0.5f;
  }
  return sum * 1.7320508f;
}

static void *device(size_t bytes) {
  void *out = NULL;
  dsprt_check_cuda(&run, cudaMalloc(&out, bytes), "memory");
  return out;
}

/// `elements` random numbers as bf16 and, when `wide` is not NULL, as f32.
static void *random_tensor(int64_t elements, uint64_t seed, void **wide) {
  size_t n = (size_t)elements;
  DsprtBf16 *host = malloc(n * sizeof *host);
  float *floats = malloc(wide ? n * sizeof *floats : 1);
  if (!host || !floats) dsprt_fail(&run, "out of memory");
  for (size_t i = 0; i < n; i++) {
    host[i] = dsprt_to_bf16(next_random(&seed));
    if (wide) floats[i] = dsprt_from_bf16(host[i]);
  }
  void *out = device(n * sizeof *host);
  cudaMemcpy(out, host, n * sizeof *host, cudaMemcpyHostToDevice);
  if (wide) {
    *wide = device(n * sizeof *floats);
    cudaMemcpy(*wide, floats, n * sizeof *floats, cudaMemcpyHostToDevice);
  }
  free(host);
  free(floats);
  return out;
}

/// q [batch, queries, H, D], k and v [batch, keys, 2, H, D], bias [H, queries,
/// keys], o like q.
static DsprtAttention attention_of(const Case *c) {
  int64_t row = c->heads * c->channels;
  DsprtAttention a = {.nbatch = 2, .nquery = 1, .nkey = 1};
  a.batch[0].size = c->batch;
  a.batch[0].q = a.batch[0].o = c->queries * row;
  a.batch[0].k = a.batch[0].v = c->keys * 2 * row;
  a.batch[1].size = c->heads;
  a.batch[1].q = a.batch[1].k = a.batch[1].v = a.batch[1].o = c->channels;
  a.query[0].size = c->queries;
  a.query[0].q = a.query[0].o = row;
  a.key[0].size = c->keys;
  a.key[0].k = a.key[0].v = 2 * row;
  a.dot = a.width = c->channels;
  a.scale = 1 / sqrtf((float)c->channels);
  a.mask.causal = c->kind & CAUSAL;
  a.mask.window = c->kind & WINDOW ? 100 : 0;
  a.mask.begin = c->keys > c->queries ? c->keys - c->queries : 0;
  a.bias.batch[1] = c->queries * c->keys;
  a.bias.query[0] = c->keys;
  a.bias.key[0] = 1;
  if (c->kind & TEXT) {
    memset(&a.bias, 0, sizeof a.bias);
    a.bias.batch[0] = 1; // [keys, batch]
    a.bias.key[0] = c->batch;
  }
  if (!(c->kind & (BIAS | TEXT))) memset(&a.bias, 0, sizeof a.bias);
  return a;
}

/// 0, or -INFINITY for a key that element `b` of the batch does not see: the
/// first one sees all, the last one none when there are several.
static void *text_bias(const Case *c, void **wide) {
  size_t n = (size_t)(c->keys * c->batch);
  DsprtBf16 *host = malloc(n * sizeof *host);
  float *floats = malloc(n * sizeof *floats);
  if (!host || !floats) dsprt_fail(&run, "out of memory");
  for (size_t i = 0; i < n; i++) {
    int64_t key = (int64_t)i / c->batch, b = (int64_t)i % c->batch;
    int64_t seen = b ? c->keys * (c->batch - 1 - b) / c->batch : c->keys;
    floats[i] = key < seen ? 0 : -INFINITY;
    host[i] = dsprt_to_bf16(floats[i]);
  }
  void *out = device(n * sizeof *host);
  *wide = device(n * sizeof *floats);
  cudaMemcpy(out, host, n * sizeof *host, cudaMemcpyHostToDevice);
  cudaMemcpy(*wide, floats, n * sizeof *floats, cudaMemcpyHostToDevice);
  free(host);
  free(floats);
  return out;
}

typedef struct Data {
  DsprtAttentionCall call, exact; ///< the same in bf16 and in f32
  void *o;                        ///< with its guards
  int64_t elements;               ///< of o
} Data;

static Data make(const Case *c, bool check) {
  Data d = {.call = {.a = attention_of(c), .type = DSPRT_BF16}};
  static uint64_t seed = 1;
  int64_t row = c->heads * c->channels;
  void *q = NULL, *kv = NULL, *bias = NULL;
  d.elements = c->batch * c->queries * row;
  d.exact = d.call;
  d.exact.type = DSPRT_F32;
  d.call.q = random_tensor(d.elements, seed++, check ? &q : NULL);
  d.call.k =
      random_tensor(c->batch * c->keys * 2 * row, seed++, check ? &kv : NULL);
  d.call.v = (const DsprtBf16 *)d.call.k + row;
  if (c->kind & BIAS)
    d.call.a.bias.data =
        random_tensor(c->heads * c->queries * c->keys, seed++, &bias);
  if (c->kind & TEXT) d.call.a.bias.data = text_bias(c, &bias);
  d.exact.q = q, d.exact.k = kv, d.exact.a.bias.data = bias;
  if (check) d.exact.v = (const float *)kv + row;
  if (check) d.exact.o = device((size_t)d.elements * sizeof(float));
  d.o = device((size_t)(d.elements + 2 * GUARD) * sizeof(DsprtBf16));
  d.call.o = (DsprtBf16 *)d.o + GUARD;
  return d;
}

static void release(const Data *d) {
  cudaFree((void *)d->call.q), cudaFree((void *)d->call.k), cudaFree(d->o);
  cudaFree((void *)d->call.a.bias.data);
  cudaFree((void *)d->exact.q), cudaFree((void *)d->exact.k);
  cudaFree((void *)d->exact.a.bias.data), cudaFree(d->exact.o);
}

typedef int Way(DsprtRun *, const DsprtAttentionCall *);

/// The relative error of the whole, NaN when an element was not written or one
/// beside o was; -1 when the call is not of this kind.
static double error_of(Way *way, const Data *d) {
  size_t n = (size_t)d->elements, all = n + 2 * GUARD;
  dsprt_check_cuda(&run, cudaMemset(d->o, 0xff, all * sizeof(DsprtBf16)),
                   "poison");
  if (!way(&run, &d->call)) return -1;
  dsprt_check_cuda(&run, cudaStreamSynchronize(state.stream), "an attention");
  DsprtBf16 *got = malloc(all * sizeof *got);
  float *want = malloc(n * sizeof *want);
  if (!got || !want) dsprt_fail(&run, "out of memory");
  cudaMemcpy(got, d->o, all * sizeof *got, cudaMemcpyDeviceToHost);
  cudaMemcpy(want, d->exact.o, n * sizeof *want, cudaMemcpyDeviceToHost);
  double difference = 0, sum = 0;
  for (size_t i = 0; i < n; i++) {
    double x = dsprt_from_bf16(got[GUARD + i]), y = want[i];
    difference += (x - y) * (x - y), sum += y * y;
  }
  for (size_t i = 0; i < GUARD; i++)
    if (got[i] != 0xffff || got[all - 1 - i] != 0xffff) difference = NAN;
  free(got);
  free(want);
  return sqrt(difference / sum);
}

static bool is_for_short(const Case *c) {
  return !c->kind && c->queries <= DSPRT_SHORT_MOST &&
         c->keys <= DSPRT_SHORT_MOST;
}

/// Returns false when a kernel of ours is wrong.
static bool check(const Case *c) {
  Data d = make(c, true);
  dsprt_attention_any(&run, &d.exact);
  double ours = error_of(dsprt_attention_long, &d);
  double theirs = c->kind ? -1 : error_of(dsprt_attention_cudnn, &d);
  double few = is_for_short(c) ? error_of(dsprt_attention_short, &d) : -1;
  bool fine = ours < most_error && // -1 where there is no Hopper
              few < most_error && is_for_short(c) == (few >= 0);
  printf("%5lld %6lld %6lld %5lld %8lld %4d %10.2e %10.2e %10.2e%s\n",
         (long long)c->batch, (long long)c->queries, (long long)c->keys,
         (long long)c->heads, (long long)c->channels, c->kind, ours, theirs,
         few, fine ? "" : "   wrong");
  release(&d);
  return fine;
}

static int ascending(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

static float time_of(Way *way, const Data *d) {
  float ms[TIMES];
  cudaEvent_t begin, end;
  if (!way(&run, &d->call)) return INFINITY;
  cudaEventCreate(&begin);
  cudaEventCreate(&end);
  for (int i = 0; i < TIMES; i++) {
    cudaEventRecord(begin, state.stream);
    way(&run, &d->call);
    cudaEventRecord(end, state.stream);
    dsprt_check_cuda(&run, cudaEventSynchronize(end), "timing");
    cudaEventElapsedTime(&ms[i], begin, end);
  }
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  qsort(ms, TIMES, sizeof *ms, ascending);
  return ms[TIMES / 2];
}

static int by_warps(DsprtRun *one, const DsprtAttentionCall *call) {
  dsprt_attention_any(one, call);
  return 1;
}

static void measure(const Case *c) {
  Data d = make(c, false);
  float ours = time_of(dsprt_attention_long, &d);
  float theirs = c->kind ? INFINITY : time_of(dsprt_attention_cudnn, &d);
  float few = is_for_short(c) ? time_of(dsprt_attention_short, &d) : INFINITY;
  float any = c->kind ? time_of(by_warps, &d) : INFINITY;
  double flops = 4.0 * (double)(c->batch * c->heads * c->channels) *
                 (double)c->queries * (double)c->keys;
  printf("%5lld %6lld %6lld %5lld %8lld %4d %10.3f %8.0f %10.3f %8.0f %10.3f "
         "%8.0f %10.3f\n",
         (long long)c->batch, (long long)c->queries, (long long)c->keys,
         (long long)c->heads, (long long)c->channels, c->kind, ours,
         flops / ours * 1e-9, theirs, flops / theirs * 1e-9, few,
         flops / few * 1e-9, any);
  release(&d);
}

int main(int argc, char **argv) {
  bool fine = true;
  dsprt_check_cuda(&run, cudaStreamCreate(&state.stream), "a stream");
  state.workspace = device(DSPRT_WORKSPACE_BYTES);
  state.warming = true;
  printf("relative errors; kind: 1 causal, 2 window, 4 bias, 8 a text\n"
         "batch queries keys heads channels kind  ours  cuDNN  few\n");
  for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
    fine &= check(&checks[i]);
  if (argc > 1 && strcmp(argv[1], "check") == 0) return !fine;
  printf("batch queries keys heads channels kind  ours ms  TFLOP/s  cuDNN ms  "
         "TFLOP/s  few ms  TFLOP/s  any ms\n");
  bool few = argc > 1 && strcmp(argv[1], "few") == 0;
  for (size_t i = 0; i < sizeof times / sizeof *times; i++)
    if (!few || is_for_short(&times[i])) measure(&times[i]);
  return !fine;
}
