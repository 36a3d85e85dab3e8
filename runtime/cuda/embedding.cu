// embedding.cu - rows of a table that ids name.
//
// Needs:  dense tensors.
// Leaves: y; or a failed launch when an id names no row.
extern "C" {
#include "backend.h"
#include "dsprt_compute.h"
#include "work.h"
}
#include "dsprt_kernels.cuh"

enum { THREADS = 256, MOST_BLOCKS = 4096 };

/// A thread an element; T has the size of one.
template <typename T>
static __global__ void embedding_kernel(DsprtEmbedding e, const int32_t *ids,
                                        const T *w, T *y) {
  int64_t count = e.rows * e.channels;
  int64_t step = (int64_t)gridDim.x * THREADS;
  for (int64_t i = (int64_t)blockIdx.x * THREADS + threadIdx.x; i < count;
       i += step) {
    int64_t id = ids[i / e.channels];
    if (id < 0 || id >= e.entries) __trap();
    y[i] = w[id * e.channels + i % e.channels];
  }
}

extern "C" void dsprt_embedding(DsprtRun *run, const DsprtEmbedding *embedding,
                                const int32_t *ids, const void *w, void *y) {
  DSPRT_SPAN(run, DSPRT_WORK_COPY, "embedding", 0,
             dsprt_embedding_bytes(embedding));
  const DsprtEmbedding &e = *embedding;
  int64_t blocks = (e.rows * e.channels + THREADS - 1) / THREADS;
  if (blocks == 0) return;
  if (blocks > MOST_BLOCKS) blocks = MOST_BLOCKS;
  cudaStream_t stream = dsprt_stream(run);
  if (dsprt_type_bytes(e.type) == 4)
    embedding_kernel<uint32_t><<<(unsigned)blocks, THREADS, 0, stream>>>(
        e, ids, (const uint32_t *)w, (uint32_t *)y);
  else
    embedding_kernel<uint16_t><<<(unsigned)blocks, THREADS, 0, stream>>>(
        e, ids, (const uint16_t *)w, (uint16_t *)y);
  dsprt_check_launch(run);
}
