// norm.c - layer norm and RMS norm of rows.
//
// Needs:  rows of contiguous channels.
// Leaves: y; statistics in f32, the variance from the differences to the mean.
//         bf16 and f16 rows are widened into a tile a thread.
#include <omp.h>
#include <stdbool.h>
#include <stddef.h>

#include "dsprt_compute.h"
#include "dsprt_math.h"
#include "state.h"
#include "work.h"

enum { WORTH_THREADS = 1 << 14 }; ///< elements

static float mean_of(const float *x, int64_t n) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; i++) sum += x[i];
  return sum / (float)n;
}

static float square_of(const float *x, float mean, int64_t n) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; i++) sum += (x[i] - mean) * (x[i] - mean);
  return sum / (float)n;
}

/// y may be x.
static void norm_row(const float *x, int64_t n, bool centre, float eps,
                     const float *weight, const float *bias, float *y) {
  float mean = centre ? mean_of(x, n) : 0.0f;
  float scale = dsprt_rsqrt(square_of(x, mean, n) + eps);
  for (int64_t i = 0; i < n; i++) y[i] = (x[i] - mean) * scale;
  if (weight)
    for (int64_t i = 0; i < n; i++) y[i] *= weight[i];
  if (bias)
    for (int64_t i = 0; i < n; i++) y[i] += bias[i];
}

static void norm_f32(const DsprtNorm *norm, bool centre, const float *x,
                     const float *weight, const float *bias, float *y) {
  int64_t n = norm->channels;
  int64_t ldx = norm->ldx ? norm->ldx : n, ldy = norm->ldy ? norm->ldy : n;
#pragma omp parallel for if (norm->rows * n > WORTH_THREADS)
  for (int64_t i = 0; i < norm->rows; i++)
    norm_row(x + i * ldx, n, centre, norm->eps, weight, bias, y + i * ldy);
}

static const float *widen(DsprtType type, const uint16_t *in, int64_t n,
                          float *out) {
  if (!in) return NULL;
  for (int64_t i = 0; i < n; i++) out[i] = dsprt_from_half(type, in[i]);
  return out;
}

static void norm_16(DsprtRun *run, DsprtType type, const DsprtNorm *norm,
                    bool centre, const uint16_t *x, const uint16_t *weight,
                    const uint16_t *bias, uint16_t *y) {
  DSPRT_SPAN(run, DSPRT_WORK_NORM, centre ? "layer_norm" : "rms_norm", 0,
             dsprt_norm_bytes(norm, type));
  int64_t n = norm->channels;
  int64_t ldx = norm->ldx ? norm->ldx : n, ldy = norm->ldy ? norm->ldy : n;
  int64_t rows_of_tiles = 2 + omp_get_max_threads();
  float *tiles = dsprt_tiles(run, rows_of_tiles * n * (int64_t)sizeof *tiles);
  const float *w = widen(type, weight, n, tiles);
  const float *b = widen(type, bias, n, tiles + n);
#pragma omp parallel for if (norm->rows * n > WORTH_THREADS)
  for (int64_t i = 0; i < norm->rows; i++) {
    float *row = tiles + (2 + omp_get_thread_num()) * n;
    widen(type, x + i * ldx, n, row);
    norm_row(row, n, centre, norm->eps, w, b, row);
    for (int64_t k = 0; k < n; k++)
      y[i * ldy + k] = dsprt_to_half(type, row[k]);
  }
}

void dsprt_layer_norm_f32(DsprtRun *run, const DsprtNorm *norm, const float *x,
                          const float *weight, const float *bias, float *y) {
  DSPRT_SPAN(run, DSPRT_WORK_NORM, "layer_norm", 0,
             dsprt_norm_bytes(norm, DSPRT_F32));
  norm_f32(norm, true, x, weight, bias, y);
}

void dsprt_layer_norm_bf16(DsprtRun *run, const DsprtNorm *norm,
                           const DsprtBf16 *x, const DsprtBf16 *weight,
                           const DsprtBf16 *bias, DsprtBf16 *y) {
  norm_16(run, DSPRT_BF16, norm, true, x, weight, bias, y);
}

void dsprt_layer_norm_f16(DsprtRun *run, const DsprtNorm *norm,
                          const DsprtF16 *x, const DsprtF16 *weight,
                          const DsprtF16 *bias, DsprtF16 *y) {
  norm_16(run, DSPRT_F16, norm, true, x, weight, bias, y);
}

void dsprt_rms_norm_f32(DsprtRun *run, const DsprtNorm *norm, const float *x,
                        const float *weight, float *y) {
  DSPRT_SPAN(run, DSPRT_WORK_NORM, "rms_norm", 0,
             dsprt_norm_bytes(norm, DSPRT_F32));
  norm_f32(norm, false, x, weight, NULL, y);
}

void dsprt_rms_norm_bf16(DsprtRun *run, const DsprtNorm *norm,
                         const DsprtBf16 *x, const DsprtBf16 *weight,
                         DsprtBf16 *y) {
  norm_16(run, DSPRT_BF16, norm, false, x, weight, NULL, y);
}

void dsprt_rms_norm_f16(DsprtRun *run, const DsprtNorm *norm, const DsprtF16 *x,
                        const DsprtF16 *weight, DsprtF16 *y) {
  norm_16(run, DSPRT_F16, norm, false, x, weight, NULL, y);
}
