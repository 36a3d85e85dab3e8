// copies.h - strided copies and sums on the GPU.
#ifndef DSPRT_CUDA_COPIES_H
#define DSPRT_CUDA_COPIES_H

#include "dsprt_collectives.h"
#include "exchange.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The same sizes in one piece, from offset 0 on.
DsprtBox dsprt_packed_box(const DsprtBox *box);

/// Copies the elements of one box to those of another of the same sizes.
void dsprt_copy_box(DsprtRun *run, DsprtType type, const void *in,
                    const DsprtBox *from, void *out, const DsprtBox *to);

/// Reduces `count` slots of n elements each, in order, in f32 (i64 for i32);
/// `out` may be the first slot.
void dsprt_reduce_slots(DsprtRun *run, DsprtType type, DsprtReduction op,
                        int count, int64_t n, const void *slots, void *out);

#ifdef __cplusplus
}
#endif
#endif
