// einsum.c - the product of two activations, summed over shared dims.
//
// Needs:  strides of a, b and y along every dim.
// Leaves: y.  A task is a tile of y of one element of the batch: tiles of a and
//         b are packed as f32 and multiplied by the BLAS, summed in f32.
//         Memory: three tiles a thread.
#include <cblas.h>
#include <omp.h>

#include "dsprt_compute.h"
#include "dsprt_math.h"
#include "state.h"
#include "work.h"

enum { TILE = 256, DEPTH = 512 };

/// Sizes of a call.
typedef struct Job {
  const DsprtEinsum *e;
  const unsigned char *a, *b;
  unsigned char *y;
  int64_t batches, rows, columns, depth;
} Job;

/// Which tensor an offset is into.
typedef enum Tensor { OF_A, OF_B, OF_Y } Tensor;

/// Offsets of a tile by row, column and summed position.
typedef struct Places {
  int64_t row_a[TILE], row_y[TILE], column_b[TILE], column_y[TILE];
  int64_t sum_a[DEPTH], sum_b[DEPTH];
} Places;

static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t offset_of(const DsprtEinsumDim *dims, int n, Tensor tensor,
                         int64_t index) {
  int64_t at = 0;
  for (int i = n; i-- > 0; index /= dims[i].size) {
    int64_t stride = tensor == OF_A   ? dims[i].a
                     : tensor == OF_B ? dims[i].b
                                      : dims[i].y;
    at += index % dims[i].size * stride;
  }
  return at;
}

/// The offsets of `count` positions from `first` on.
static void place(const DsprtEinsumDim *dims, int n, Tensor tensor,
                  int64_t first, int64_t count, int64_t *out) {
  for (int64_t i = 0; i < count; i++)
    out[i] = offset_of(dims, n, tensor, first + i);
}

static int64_t size_of(const DsprtEinsumDim *dims, int n) {
  int64_t size = 1;
  for (int i = 0; i < n; i++) size *= dims[i].size;
  return size;
}

/// out [count, depth], as f32: x at the sums of the offsets.
static void pack(DsprtType type, const unsigned char *x, int64_t base,
                 const int64_t *rows, int64_t count, const int64_t *sums,
                 int64_t depth, float *out) {
  for (int64_t i = 0; i < count; i++) {
    const float *f = (const float *)(const void *)x;
    const uint16_t *h = (const uint16_t *)(const void *)x;
    float *row = out + i * depth;
    if (type == DSPRT_F32)
      for (int64_t k = 0; k < depth; k++) row[k] = f[base + rows[i] + sums[k]];
    else
      for (int64_t k = 0; k < depth; k++)
        row[k] = dsprt_from_half(type, h[base + rows[i] + sums[k]]);
  }
}

static void store(const Job *job, int64_t base, const Places *at, int64_t rows,
                  int64_t columns, const float *tile) {
  float *f = (float *)(void *)job->y;
  uint16_t *h = (uint16_t *)(void *)job->y;
  for (int64_t i = 0; i < rows; i++) {
    int64_t row = base + at->row_y[i];
    for (int64_t j = 0; j < columns; j++) {
      float x = tile[i * columns + j];
      if (job->e->type == DSPRT_F32)
        f[row + at->column_y[j]] = x;
      else
        h[row + at->column_y[j]] = dsprt_to_half(job->e->type, x);
    }
  }
}

static int64_t base_of(const Job *job, Tensor tensor, int64_t batch) {
  return offset_of(job->e->batch, job->e->nbatch, tensor, batch);
}

static void do_tile(const Job *job, int64_t batch, int64_t row, int64_t column,
                    float *memory) {
  const DsprtEinsum *e = job->e;
  Places at;
  float *a = memory, *b = a + TILE * DEPTH, *y = b + TILE * DEPTH;
  int64_t rows = min(TILE, job->rows - row);
  int64_t columns = min(TILE, job->columns - column);
  place(e->row, e->nrow, OF_A, row, rows, at.row_a);
  place(e->row, e->nrow, OF_Y, row, rows, at.row_y);
  place(e->column, e->ncolumn, OF_B, column, columns, at.column_b);
  place(e->column, e->ncolumn, OF_Y, column, columns, at.column_y);
  for (int64_t k = 0; k == 0 || k < job->depth; k += DEPTH) {
    int64_t depth = min(DEPTH, job->depth - k);
    place(e->sum, e->nsum, OF_A, k, depth, at.sum_a);
    place(e->sum, e->nsum, OF_B, k, depth, at.sum_b);
    pack(e->type, job->a, base_of(job, OF_A, batch), at.row_a, rows, at.sum_a,
         depth, a);
    pack(e->type, job->b, base_of(job, OF_B, batch), at.column_b, columns,
         at.sum_b, depth, b);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)rows,
                (blasint)columns, (blasint)depth, 1.0f, a,
                (blasint)(depth ? depth : 1), b, (blasint)(depth ? depth : 1),
                k ? 1.0f : 0.0f, y, (blasint)columns);
  }
  store(job, base_of(job, OF_Y, batch), &at, rows, columns, y);
}

void dsprt_einsum(DsprtRun *run, const DsprtEinsum *einsum, const void *a,
                  const void *b, void *y) {
  DSPRT_SPAN(run, DSPRT_WORK_PRODUCT, "einsum", dsprt_einsum_flops(einsum),
             dsprt_einsum_bytes(einsum));
  Job job = {.e = einsum,
             .a = a,
             .b = b,
             .y = y,
             .batches = size_of(einsum->batch, einsum->nbatch),
             .rows = size_of(einsum->row, einsum->nrow),
             .columns = size_of(einsum->column, einsum->ncolumn),
             .depth = size_of(einsum->sum, einsum->nsum)};
  int64_t down = (job.rows + TILE - 1) / TILE;
  int64_t across = (job.columns + TILE - 1) / TILE;
  int64_t floats = TILE * (2 * DEPTH + TILE);
  int threads = omp_get_max_threads();
  if (job.batches * down * across == 0) return;
  float *memory = dsprt_tiles(run, floats * threads * (int64_t)sizeof(float));
#pragma omp parallel for schedule(dynamic) num_threads(threads)
  for (int64_t i = 0; i < job.batches * down * across; i++)
    do_tile(&job, i / (down * across), i / across % down * TILE,
            i % across * TILE, memory + omp_get_thread_num() * floats);
}
