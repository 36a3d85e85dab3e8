// einsum.cu - the product of two activations, summed over shared dims.
//
// Needs:  strides of a, b and y along every dim.
// Leaves: y.  A block makes a tile of 32 x 32 results from tiles of a and b in
//         shared memory, summed in f32.
extern "C" {
#include "backend.h"
#include "dsprt_compute.h"
#include "work.h"
}
#include "dsprt_kernels.cuh"

#include <type_traits>

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

template <typename T>
static __global__ void einsum_kernel(DsprtEinsum e, const T *a, const T *b,
                                     T *y, int64_t rows, int64_t columns,
                                     int64_t depth, int64_t down,
                                     int64_t across) {
  __shared__ float of_a[TILE][TILE + 1], of_b[TILE][TILE + 1];
  int64_t row = blockIdx.x / across % down * TILE;
  int64_t column = blockIdx.x % across * TILE;
  Place base = place_of(e.batch, e.nbatch, blockIdx.x / across / down);
  float sums[TILE / STRIP] = {};
  for (int64_t k = 0; k < depth; k += TILE) {
    Place sum = place_of(e.sum, e.nsum, k + threadIdx.x);
    bool in = k + threadIdx.x < depth;
    for (int i = threadIdx.y; i < TILE; i += STRIP) {
      Place r = place_of(e.row, e.nrow, row + i);
      Place c = place_of(e.column, e.ncolumn, column + i);
      of_a[i][threadIdx.x] = in && row + i < rows
                                 ? dsprt_load_one(a + base.a + r.a + sum.a)
                                 : 0.0f;
      of_b[i][threadIdx.x] = in && column + i < columns
                                 ? dsprt_load_one(b + base.b + c.b + sum.b)
                                 : 0.0f;
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
      dsprt_store_one(y + base.y + place_of(e.row, e.nrow, at).y + c.y,
                      sums[i]);
  }
}

static int64_t size_of(const DsprtEinsumDim *dims, int n) {
  int64_t size = 1;
  for (int i = 0; i < n; i++) size *= dims[i].size;
  return size;
}

extern "C" void dsprt_einsum(DsprtRun *run, const DsprtEinsum *einsum,
                             const void *a, const void *b, void *y) {
  DSPRT_SPAN(run, DSPRT_WORK_PRODUCT, "einsum", dsprt_einsum_flops(einsum),
             dsprt_einsum_bytes(einsum));
  const DsprtEinsum &e = *einsum;
  int64_t batches = size_of(e.batch, e.nbatch), rows = size_of(e.row, e.nrow);
  int64_t columns = size_of(e.column, e.ncolumn);
  int64_t depth = size_of(e.sum, e.nsum);
  int64_t down = (rows + TILE - 1) / TILE;
  int64_t across = (columns + TILE - 1) / TILE;
  int64_t blocks = batches * down * across;
  if (blocks == 0) return;
  if (blocks > INT32_MAX)
    dsprt_fail(run, "an einsum of %lld tiles of 32 x 32 is not supported on "
                    "GPUs: at most %d", (long long)blocks, INT32_MAX);
  dim3 threads(TILE, STRIP);
  cudaStream_t stream = dsprt_stream(run);
  auto launch = [&](auto *out) {
    using T = typename std::remove_pointer<decltype(out)>::type;
    einsum_kernel<T><<<(unsigned)blocks, threads, 0, stream>>>(
        e, (const T *)a, (const T *)b, out, rows, columns, depth, down, across);
  };
  if (e.type == DSPRT_F32)
    launch((float *)y);
  else if (e.type == DSPRT_BF16)
    launch((DsprtBf16 *)y);
  else
    launch((DsprtF16 *)y);
  dsprt_check_launch(run);
}
