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

enum { TILE = 256, DEPTH = 512 };

/// Sizes of a call.
typedef struct Job {
  const DsprtEinsum *e;
  const unsigned char *a, *b;
  unsigned char *y;
  int64_t batches, rows, columns, depth;
} Job;

/// Where a tile lies: offsets of a and b by row or column, and of y.
typedef struct Place {
  int64_t a, b, y;
} Place;

static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

static Place place_of(const DsprtEinsumDim *dims, int n, int64_t index) {
  Place at = {0};
  for (int i = n; i-- > 0; index /= dims[i].size) {
    int64_t k = index % dims[i].size;
    at.a += k * dims[i].a;
    at.b += k * dims[i].b;
    at.y += k * dims[i].y;
  }
  return at;
}

static int64_t size_of(const DsprtEinsumDim *dims, int n) {
  int64_t size = 1;
  for (int i = 0; i < n; i++) size *= dims[i].size;
  return size;
}

static float element(DsprtType type, const unsigned char *x, int64_t at) {
  if (type == DSPRT_F32) return ((const float *)(const void *)x)[at];
  return dsprt_from_bf16(((const DsprtBf16 *)(const void *)x)[at]);
}

/// out [count, depth]: rows of a, or columns of b, from `first` on.
static void pack(const Job *job, bool of_a, Place base, int64_t first,
                 int64_t count, int64_t depth_first, int64_t depth,
                 float *out) {
  const DsprtEinsum *e = job->e;
  for (int64_t i = 0; i < count; i++) {
    Place row = of_a ? place_of(e->row, e->nrow, first + i)
                     : place_of(e->column, e->ncolumn, first + i);
    for (int64_t k = 0; k < depth; k++) {
      Place sum = place_of(e->sum, e->nsum, depth_first + k);
      out[i * depth + k] =
          of_a ? element(e->type, job->a, base.a + row.a + sum.a)
               : element(e->type, job->b, base.b + row.b + sum.b);
    }
  }
}

static void store(const Job *job, Place base, int64_t row, int64_t rows,
                  int64_t column, int64_t columns, const float *tile) {
  const DsprtEinsum *e = job->e;
  for (int64_t i = 0; i < rows; i++) {
    int64_t of_row = base.y + place_of(e->row, e->nrow, row + i).y;
    for (int64_t j = 0; j < columns; j++) {
      int64_t at =
          of_row + place_of(e->column, e->ncolumn, column + j).y;
      float x = tile[i * columns + j];
      if (e->type == DSPRT_F32)
        ((float *)(void *)job->y)[at] = x;
      else
        ((DsprtBf16 *)(void *)job->y)[at] = dsprt_to_bf16(x);
    }
  }
}

static void do_tile(const Job *job, int64_t batch, int64_t row, int64_t column,
                    float *memory) {
  float *a = memory, *b = a + TILE * DEPTH, *y = b + TILE * DEPTH;
  int64_t rows = min(TILE, job->rows - row);
  int64_t columns = min(TILE, job->columns - column);
  Place base = place_of(job->e->batch, job->e->nbatch, batch);
  for (int64_t k = 0; k == 0 || k < job->depth; k += DEPTH) {
    int64_t depth = min(DEPTH, job->depth - k);
    pack(job, true, base, row, rows, k, depth, a);
    pack(job, false, base, column, columns, k, depth, b);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)rows,
                (blasint)columns, (blasint)depth, 1.0f, a,
                (blasint)(depth ? depth : 1), b, (blasint)(depth ? depth : 1),
                k ? 1.0f : 0.0f, y, (blasint)columns);
  }
  store(job, base, row, rows, column, columns, y);
}

void dsprt_einsum(DsprtRun *run, const DsprtEinsum *einsum, const void *a,
                  const void *b, void *y) {
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
