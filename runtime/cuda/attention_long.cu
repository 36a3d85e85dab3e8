// attention_long.cu - which kernel of attention_long.cuh takes a call.
//
// Needs:  bf16, one query and one key dim, at most three batch dims, rows
//         aligned to 16 bytes, a GPU of compute capability 9.0.
// Leaves: o, or nothing when the call is not of this kind.
#include <string.h>

#include "attention.h"
#include "attention_long.cuh"
#include "dsprt_kernels.cuh"

#include "attention_long_launch.cuh"
