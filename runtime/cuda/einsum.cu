// einsum.cu - the product of two activations, summed over shared dims.
//
// Needs:  strides of a, b and y along every dim.
// Leaves: y.  A block makes a tile of 32 x 32 results from tiles of a and b in
//         shared memory, summed in f32.
extern "C" {
#include "backend.h"
#include "dsprt_compute.h"
}
#include "dsprt_kernels.cuh"

enum { TILE = 32, STRIP = 8 }; // threads of a block: TILE x STRIP

struct Place {
  int64_t a, b, y;
};

static __device__ Place place_of(const DsprtEinsumDim *dims, int n,
                                 int64_t index) {
  Place at = {0, 0, 0};
  for (int i = n; i-- > 0;) {
    int64_t k = index % dims[i].size;
    index /= dims[i].size;
    at.a += k * dims[i].a;
    at.b += k * dims[i].b;
    at.y += k * dims[i].y;
  }
  return at;
}

static __device__ inline float value(const float *x) { return *x; }
static __device__ inline float value(const DsprtBf16 *x) {
  return dsprt_from_bf16(*x);
}
static __device__ inline void put(float *y, float x) { *y = x; }
static __device__ inline void put(DsprtBf16 *y, float x) {
  *y = dsprt_to_bf16(x);
}

template <typename T>
static __global__ void einsum_kernel(DsprtEinsum e, const T *a, const T *b,
                                     T *y, int64_t rows, int64_t columns,
                                     int64_t depth, int64_t across) {
  __shared__ float of_a[TILE][TILE + 1], of_b[TILE][TILE + 1];
  int64_t row = (int64_t)(blockIdx.x / across) * TILE;
  int64_t column = (int64_t)(blockIdx.x % across) * TILE;
  Place base = place_of(e.batch, e.nbatch, blockIdx.y);
  float sums[TILE / STRIP] = {};
  for (int64_t k = 0; k < depth; k += TILE) {
    Place sum = place_of(e.sum, e.nsum, k + threadIdx.x);
    bool in = k + threadIdx.x < depth;
    for (int i = threadIdx.y; i < TILE; i += STRIP) {
      Place r = place_of(e.row, e.nrow, row + i);
      Place c = place_of(e.column, e.ncolumn, column + i);
      of_a[i][threadIdx.x] =
          in && row + i < rows ? value(a + base.a + r.a + sum.a) : 0.0f;
      of_b[i][threadIdx.x] =
          in && column + i < columns ? value(b + base.b + c.b + sum.b) : 0.0f;
    }
    __syncthreads();
    for (int d = 0; d < TILE; d++)
      for (int i = 0; i < TILE / STRIP; i++)
        sums[i] += of_a[threadIdx.y + i * STRIP][d] * of_b[threadIdx.x][d];
    __syncthreads();
  }
  if (column + threadIdx.x >= columns) return;
  Place c = place_of(e.column, e.ncolumn, column + threadIdx.x);
  for (int i = 0; i < TILE / STRIP; i++) {
    int64_t at = row + threadIdx.y + i * STRIP;
    if (at < rows)
      put(y + base.y + place_of(e.row, e.nrow, at).y + c.y, sums[i]);
  }
}

static int64_t size_of(const DsprtEinsumDim *dims, int n) {
  int64_t size = 1;
  for (int i = 0; i < n; i++) size *= dims[i].size;
  return size;
}

extern "C" void dsprt_einsum(DsprtRun *run, const DsprtEinsum *einsum,
                             const void *a, const void *b, void *y) {
  const DsprtEinsum &e = *einsum;
  int64_t batches = size_of(e.batch, e.nbatch), rows = size_of(e.row, e.nrow);
  int64_t columns = size_of(e.column, e.ncolumn);
  int64_t depth = size_of(e.sum, e.nsum);
  int64_t down = (rows + TILE - 1) / TILE;
  int64_t across = (columns + TILE - 1) / TILE;
  if (batches * down * across == 0) return;
  if (batches > 65535)
    dsprt_fail(run, "an einsum over %lld elements of a batch is not supported "
                    "on GPUs: at most 65535", (long long)batches);
  dim3 blocks((unsigned)(down * across), (unsigned)batches);
  dim3 threads(TILE, STRIP);
  cudaStream_t stream = dsprt_stream(run);
  if (e.type == DSPRT_F32)
    einsum_kernel<float><<<blocks, threads, 0, stream>>>(
        e, (const float *)a, (const float *)b, (float *)y, rows, columns,
        depth, across);
  else
    einsum_kernel<DsprtBf16><<<blocks, threads, 0, stream>>>(
        e, (const DsprtBf16 *)a, (const DsprtBf16 *)b, (DsprtBf16 *)y, rows,
        columns, depth, across);
  dsprt_check_launch(run);
}
