// reached.h - the stage that the GPU is at.
#ifndef DSPRT_CUDA_REACHED_H
#define DSPRT_CUDA_REACHED_H

#include <stdint.h>

#ifdef __cplusplus
extern "C"
#endif
    /// Enqueues: reached[0] = stage, and reached[1] counts on.  `reached` is
    /// memory of the host.  Returns an error of CUDA.
    int
    dsprt_launch_reach(void *stream, int32_t *reached, int32_t stage);

#endif
