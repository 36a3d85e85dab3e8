// hand.c - a program as dspc emits it, written by hand: two pairs of layers
// over x [B, T, S, C], the first of a pair attending over S, the second over T.
//
// Needs:  RANKS, the number of ranks that it is compiled for.
// Leaves: an executable that test/runtime/hand.test runs.
#include "dsprt.h"

#ifndef RANKS
#define RANKS 2
#endif

enum {
  B = 2,
  T = 5,
  S = 7,
  H = 2,
  D = 8,
  C = H * D,
  F = 4 * C,
  PAIRS = 2,
};

typedef struct Layer {
  const float *norm1_weight, *norm1_bias; // [C]
  const float *qkv_weight, *qkv_bias;     // [3 * C, C], [3 * C]
  const float *proj_weight, *proj_bias;   // [C, C], [C]
  const float *norm2_weight;              // [C]
  const float *fc1_weight, *fc1_bias;     // [F, C], [F]
  const float *fc2_weight, *fc2_bias;     // [C, F], [C]
} Layer;

typedef struct Weights {
  Layer spatial[PAIRS], temporal[PAIRS];
} Weights;

// The largest part of any rank: bytes of [B, T, S, C] cut on T or S.
#define PART(n, r) ((n) / RANKS + ((r) < (n) % RANKS))
#define ROWS_T (B * PART(T, 0) * S)
#define ROWS_S (B * T * PART(S, 0))
#define ROWS (ROWS_T > ROWS_S ? ROWS_T : ROWS_S)
#define PADDED(floats) (((floats)*4 + 63) / 64 * 64)

#define AT_X 0
#define AT_Y (AT_X + PADDED(ROWS * C))
#define AT_H (AT_Y + PADDED(ROWS * C))
#define AT_QKV (AT_H + PADDED(ROWS * C))
#define AT_F (AT_QKV + PADDED(ROWS * 3 * C))
#define ARENA (AT_F + PADDED(ROWS * F))

static float *at(DsprtRun *run, int64_t offset) {
  return (float *)(void *)(run->arena + offset);
}

// x = x + h, [rows, C]
static void add(float *x, const float *h, int64_t n) {
#pragma omp parallel for simd
  for (int64_t i = 0; i < n; i++) x[i] += h[i];
}

static void attend_s(DsprtRun *run, const float *qkv, float *o) {
  int64_t T_r = dsprt_part(T, run->rank, run->ranks);
  dsprt_attention_f32(run,
                      &(DsprtAttention){.nbatch = 2,
                                        .batch = {{B * T_r, S * 3 * C,
                                                   S * 3 * C, S * 3 * C, S * C},
                                                  {H, D, D, D, D}},
                                        .nquery = 1,
                                        .query = {{S, 3 * C, C}},
                                        .nkey = 1,
                                        .key = {{S, 3 * C, 3 * C}},
                                        .dot = D,
                                        .width = D,
                                        .scale = 0.35355339f},
                      qkv, qkv + C, qkv + 2 * C, o);
}

static void attend_t(DsprtRun *run, const float *qkv, float *o) {
  int64_t S_r = dsprt_part(S, run->rank, run->ranks);
  dsprt_attention_f32(
      run,
      &(DsprtAttention){.nbatch = 3,
                        .batch = {{B, T * S_r * 3 * C, T * S_r * 3 * C,
                                   T * S_r * 3 * C, T * S_r * C},
                                  {S_r, 3 * C, 3 * C, 3 * C, C},
                                  {H, D, D, D, D}},
                        .nquery = 1,
                        .query = {{T, S_r * 3 * C, S_r * C}},
                        .nkey = 1,
                        .key = {{T, S_r * 3 * C, S_r * 3 * C}},
                        .dot = D,
                        .width = D,
                        .scale = 0.35355339f},
      qkv, qkv + C, qkv + 2 * C, o);
}

// x = x + mlp(rms_norm(x)), x [rows, C]
static void mlp(DsprtRun *run, const Layer *w, float *x, int64_t rows) {
  float *h = at(run, AT_H), *f = at(run, AT_F);
  DsprtNorm norm = {.rows = rows, .channels = C, .eps = 1e-6f};
  dsprt_rms_norm_f32(run, &norm, x, w->norm2_weight, h);
  dsprt_linear_f32(run, &(DsprtLinear){.rows = rows, .in = C, .out = F}, h,
                   w->fc1_weight, w->fc1_bias, f);
#pragma omp parallel for simd
  for (int64_t i = 0; i < rows * F; i++) f[i] = dsprt_gelu_tanh(f[i]);
  dsprt_linear_f32(run, &(DsprtLinear){.rows = rows, .in = F, .out = C}, f,
                   w->fc2_weight, w->fc2_bias, h);
  add(x, h, rows * C);
}

static void layer(DsprtRun *run, const Layer *w, float *x, int64_t rows,
                  void (*attend)(DsprtRun *, const float *, float *)) {
  float *h = at(run, AT_H), *qkv = at(run, AT_QKV), *o = at(run, AT_F);
  DsprtNorm norm = {.rows = rows, .channels = C, .eps = 1e-5f};
  dsprt_layer_norm_f32(run, &norm, x, w->norm1_weight, w->norm1_bias, h);
  dsprt_linear_f32(run, &(DsprtLinear){.rows = rows, .in = C, .out = 3 * C}, h,
                   w->qkv_weight, w->qkv_bias, qkv);
  attend(run, qkv, o);
  dsprt_linear_f32(run, &(DsprtLinear){.rows = rows, .in = C, .out = C}, o,
                   w->proj_weight, w->proj_bias, h);
  add(x, h, rows * C);
  mlp(run, w, x, rows);
}

static const DsprtShape x_shape = {DSPRT_F32, 4, {B, T, S, C}};
static const DsprtCut on_t = {1, 1}, on_s = {2, 1};

static void forward(DsprtRun *run) {
  const Weights *w = run->weights;
  int64_t rows_t = B * dsprt_part(T, run->rank, run->ranks) * S;
  int64_t rows_s = B * T * dsprt_part(S, run->rank, run->ranks);
  float *x = at(run, AT_X), *y = at(run, AT_Y);
  for (int i = 0; i < PAIRS; i++) {
    if (i) dsprt_all_to_all(run, y, x, &x_shape, on_s, on_t);
    dsprt_stage(run, 0, "spatial layer over S");
    layer(run, &w->spatial[i], x, rows_t, attend_s);
    dsprt_all_to_all(run, x, y, &x_shape, on_t, on_s);
    dsprt_stage(run, 1, "temporal layer over T");
    layer(run, &w->temporal[i], y, rows_s, attend_t);
  }
}

#define PARAM(kind, name, field, ...)                                        \
  {                                                                          \
    .path = #kind ".{0}." name, .nloops = 1,                                 \
    .loops = {{0, PAIRS, sizeof(Layer)}}, .shape = {DSPRT_F32, __VA_ARGS__}, \
    .offset = offsetof(Weights, kind) + offsetof(Layer, field)               \
  }
#define LAYER(kind)                                              \
  PARAM(kind, "norm1.weight", norm1_weight, 1, {C}),             \
      PARAM(kind, "norm1.bias", norm1_bias, 1, {C}),             \
      PARAM(kind, "attn.qkv.weight", qkv_weight, 2, {3 * C, C}), \
      PARAM(kind, "attn.qkv.bias", qkv_bias, 1, {3 * C}),        \
      PARAM(kind, "attn.proj.weight", proj_weight, 2, {C, C}),   \
      PARAM(kind, "attn.proj.bias", proj_bias, 1, {C}),          \
      PARAM(kind, "norm2.weight", norm2_weight, 1, {C}),         \
      PARAM(kind, "mlp.fc1.weight", fc1_weight, 2, {F, C}),      \
      PARAM(kind, "mlp.fc1.bias", fc1_bias, 1, {F}),             \
      PARAM(kind, "mlp.fc2.weight", fc2_weight, 2, {C, F}),      \
      PARAM(kind, "mlp.fc2.bias", fc2_bias, 1, {C})

static const DsprtParam params[] = {LAYER(spatial), LAYER(temporal)};
static const DsprtPort inputs[] = {{.name = "x",
                                    .shape = {DSPRT_F32, 4, {B, T, S, C}},
                                    .cut = {1, 1},
                                    .offset = AT_X,
                                    .file = {DSPRT_F32, 4, {B, T, S, C}}}};
static const DsprtPort outputs[] = {{.name = "x",
                                     .shape = {DSPRT_F32, 4, {B, T, S, C}},
                                     .cut = {2, 1},
                                     .offset = AT_Y,
                                     .file = {DSPRT_F32, 4, {B, T, S, C}}}};

// PAIRS switches from T to S, and PAIRS - 1 back.
#define T_TO_S(r) (B * PART(T, r) * (S - PART(S, r)) * C * 4)
#define S_TO_T(r) (B * PART(S, r) * (T - PART(T, r)) * C * 4)
#define LEAVING(r) (PAIRS * T_TO_S(r) + (PAIRS - 1) * S_TO_T(r))

static const int64_t predicted[] = {LEAVING(0), LEAVING(1), LEAVING(2),
                                    LEAVING(3), LEAVING(4), LEAVING(5),
                                    LEAVING(6), LEAVING(7)};

int main(int argc, char **argv) {
  static const DsprtProgram program = {
      .model = "hand",
      .source = "hand.c",
      .ranks = RANKS,
      .params = params,
      .nparams = sizeof params / sizeof params[0],
      .weights_bytes = sizeof(Weights),
      .inputs = inputs,
      .ninputs = 1,
      .outputs = outputs,
      .noutputs = 1,
      .nstages = 2,
      .arena_bytes = ARENA,
      .predicted_bytes = predicted,
      .forward = forward,
  };
  return dsprt_main(argc, argv, &program);
}
