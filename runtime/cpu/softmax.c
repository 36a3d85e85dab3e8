// softmax.c - a softmax whose columns come tile by tile.
//
// Needs:  scores that are finite, or -INFINITY.
// Leaves: weights relative to the largest score so far.
// Source: Milakov, Gimelshein, arXiv:1805.02867.
#include "softmax.h"

#include <float.h>
#include <math.h>

DsprtSoftmax dsprt_softmax_begin(void) {
  return (DsprtSoftmax){.most = -FLT_MAX};
}

static float largest(const float *x, int64_t n, float most) {
#pragma omp simd reduction(max : most)
  for (int64_t i = 0; i < n; i++) most = x[i] > most ? x[i] : most;
  return most;
}

static float exponentials(float *x, int64_t n, float most) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; i++) {
    x[i] = expf(x[i] - most);
    sum += x[i];
  }
  return sum;
}

float dsprt_softmax_next(DsprtSoftmax *row, float *scores, int64_t n) {
  float most = largest(scores, n, row->most);
  float shrink = expf(row->most - most);
  row->sum = row->sum * shrink + exponentials(scores, n, most);
  row->most = most;
  return shrink;
}
