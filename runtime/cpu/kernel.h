// kernel.h - a small matrix product for matrices that a BLAS is too heavy for.
#ifndef DSPRT_CPU_KERNEL_H
#define DSPRT_CPU_KERNEL_H

#include <stdint.h>

enum { DSPRT_KERNEL_ROWS = 4, DSPRT_KERNEL_COLS = 16 };

/// c = a b, all row major.  rows is a multiple of 4 and cols one of 16; b and
/// c are 32-byte aligned, and so are their rows.
void dsprt_multiply_small(int64_t rows, int64_t cols, int64_t depth,
                          const float *a, int64_t lda, const float *b,
                          int64_t ldb, float *c, int64_t ldc);

#endif
