// reached.cu - the stage that the GPU is at, written by the GPU.
//
// Needs:  memory of the host that the GPU can write.
// Leaves: after a failure, the stage of the work that was not done; what the
//         host calls is far ahead of it.
#include "reached.h"

#include <cuda_runtime.h>

static __device__ int32_t begun;

static __global__ void reach_kernel(volatile int32_t *reached, int32_t stage) {
  reached[0] = stage;
  reached[1] = ++begun;
}

extern "C" int dsprt_launch_reach(void *stream, int32_t *reached,
                                  int32_t stage) {
  reach_kernel<<<1, 1, 0, (cudaStream_t)stream>>>(reached, stage);
  return (int)cudaGetLastError();
}
