// kernel.c - a small matrix product, 4 x 16 sums at a time in registers.
//
// Needs:  sizes that are multiples of the block's, aligned rows.
// Leaves: c.
#include "kernel.h"

typedef float V8 __attribute__((vector_size(32)));

static void block(int64_t depth, const float *a, int64_t lda, const float *b,
                  int64_t ldb, float *c, int64_t ldc) {
  V8 sum[DSPRT_KERNEL_ROWS][2] = {0};
  for (int64_t d = 0; d < depth; d++) {
    V8 b0 = *(const V8 *)(b + d * ldb), b1 = *(const V8 *)(b + d * ldb + 8);
    for (int r = 0; r < DSPRT_KERNEL_ROWS; r++) {
      sum[r][0] += a[r * lda + d] * b0;
      sum[r][1] += a[r * lda + d] * b1;
    }
  }
  for (int r = 0; r < DSPRT_KERNEL_ROWS; r++) {
    *(V8 *)(c + r * ldc) = sum[r][0];
    *(V8 *)(c + r * ldc + 8) = sum[r][1];
  }
}

void dsprt_multiply_small(int64_t rows, int64_t cols, int64_t depth,
                          const float *a, int64_t lda, const float *b,
                          int64_t ldb, float *c, int64_t ldc) {
  for (int64_t i = 0; i < rows; i += DSPRT_KERNEL_ROWS)
    for (int64_t j = 0; j < cols; j += DSPRT_KERNEL_COLS)
      block(depth, a + i * lda, lda, b + j, ldb, c + i * ldc + j, ldc);
}
