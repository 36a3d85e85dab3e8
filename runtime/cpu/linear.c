// linear.c - matrix products by a BLAS.
//
// Needs:  weights [out, in].
// Leaves: y.  bf16 and f16 go through f32 tiles: a tile of w is converted once,
//         a tile of x once for each tile of w.
#include <cblas.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "dsprt_compute.h"
#include "dsprt_math.h"
#include "state.h"
#include "work.h"

static blasint blas_size(const DsprtRun *run, int64_t n) {
  if (n > INT_MAX)
    dsprt_fail(run, "a matrix with a side of %lld is too large for the BLAS",
               (long long)n);
  return (blasint)n;
}

static int64_t min(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static void spread_bias(int64_t rows, int64_t n, const float *bias, float *y,
                        int64_t ldy) {
#pragma omp parallel for if (rows * n > 1 << 15)
  for (int64_t i = 0; i < rows; i++)
    memcpy(y + i * ldy, bias, (size_t)n * sizeof *y);
}

/// y = x w^T (+ what y holds, if `add`)
static void product(DsprtRun *run, int64_t rows, int64_t in, int64_t out,
                    const float *x, int64_t ldx, const float *w, int64_t ldw,
                    float *y, int64_t ldy, bool add) {
  blasint m = blas_size(run, rows), n = blas_size(run, out);
  blasint k = blas_size(run, in);
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, 1.0f, x,
              blas_size(run, ldx), w, blas_size(run, ldw), add ? 1.0f : 0.0f, y,
              blas_size(run, ldy));
}

static void clear_rows(int64_t rows, int64_t n, float *y, int64_t ldy) {
  for (int64_t i = 0; i < rows; i++)
    memset(y + i * ldy, 0, (size_t)n * sizeof *y);
}

void dsprt_linear_f32(DsprtRun *run, const DsprtLinear *l, const float *x,
                      const float *w, const float *bias, float *y) {
  DSPRT_SPAN(run, DSPRT_WORK_PRODUCT, "linear", dsprt_linear_flops(l),
             dsprt_linear_bytes(l, DSPRT_F32));
  int64_t ldx = l->ldx ? l->ldx : l->in, ldy = l->ldy ? l->ldy : l->out;
  if (l->rows == 0 || l->out == 0) return;
  if (bias)
    spread_bias(l->rows, l->out, bias, y, ldy);
  else if (l->in == 0)
    clear_rows(l->rows, l->out, y, ldy);
  if (l->in == 0) return;
  product(run, l->rows, l->in, l->out, x, ldx, w, l->ldw ? l->ldw : l->in, y,
          ldy, bias != NULL);
}

static void widen(DsprtType type, int64_t rows, int64_t n, const uint16_t *in,
                  int64_t ld, float *out) {
#pragma omp parallel for if (rows * n > 1 << 15)
  for (int64_t i = 0; i < rows; i++)
    for (int64_t k = 0; k < n; k++)
      out[i * n + k] = dsprt_from_half(type, in[i * ld + k]);
}

static void narrow(DsprtType type, int64_t rows, int64_t n, const float *in,
                   const uint16_t *bias, uint16_t *out, int64_t ld) {
#pragma omp parallel for if (rows * n > 1 << 15)
  for (int64_t i = 0; i < rows; i++)
    for (int64_t k = 0; k < n; k++) {
      float b = bias ? dsprt_from_half(type, bias[k]) : 0.0f;
      out[i * ld + k] = dsprt_to_half(type, in[i * n + k] + b);
    }
}

/// By tiles in f32.
static void linear_16(DsprtRun *run, DsprtType type, const DsprtLinear *l,
                      const uint16_t *x, const uint16_t *w,
                      const uint16_t *bias, uint16_t *y, void *workspace) {
  DSPRT_SPAN(run, DSPRT_WORK_PRODUCT, "linear", dsprt_linear_flops(l),
             dsprt_linear_bytes(l, type));
  int64_t ldx = l->ldx ? l->ldx : l->in, ldy = l->ldy ? l->ldy : l->out;
  int64_t ldw = l->ldw ? l->ldw : l->in;
  int64_t m = min(l->rows, DSPRT_LINEAR_TILE);
  int64_t n = min(l->out, DSPRT_LINEAR_TILE);
  float *x_tile = workspace, *w_tile = x_tile + m * l->in;
  float *y_tile = w_tile + n * l->in;
  for (int64_t j = 0; j < l->out; j += n) {
    int64_t cols = min(n, l->out - j);
    widen(type, cols, l->in, w + j * ldw, ldw, w_tile);
    for (int64_t i = 0; i < l->rows; i += m) {
      int64_t rows = min(m, l->rows - i);
      DsprtLinear tile = {.rows = rows, .in = l->in, .out = cols};
      widen(type, rows, l->in, x + i * ldx, ldx, x_tile);
      dsprt_linear_f32(run, &tile, x_tile, w_tile, NULL, y_tile);
      narrow(type, rows, cols, y_tile, bias ? bias + j : NULL, y + i * ldy + j,
             ldy);
    }
  }
}

void dsprt_linear_bf16(DsprtRun *run, const DsprtLinear *l, const DsprtBf16 *x,
                       const DsprtBf16 *w, const DsprtBf16 *bias, DsprtBf16 *y,
                       void *workspace) {
  linear_16(run, DSPRT_BF16, l, x, w, bias, y, workspace);
}

void dsprt_linear_f16(DsprtRun *run, const DsprtLinear *l, const DsprtF16 *x,
                      const DsprtF16 *w, const DsprtF16 *bias, DsprtF16 *y,
                      void *workspace) {
  linear_16(run, DSPRT_F16, l, x, w, bias, y, workspace);
}
