// attention.h - the ways to run attention on a GPU.
#ifndef DSPRT_CUDA_ATTENTION_H
#define DSPRT_CUDA_ATTENTION_H

#include <stdbool.h>

#include "dsprt_compute.h"

/// One call, its dims merged where all tensors walk through them as one.
typedef struct DsprtAttentionCall {
  DsprtAttention a;
  DsprtType type;
  const void *q, *k, *v;
  void *o;
  float *lse; ///< [rows of o] log-sum-exp of the scaled scores; or NULL
} DsprtAttentionCall;

#ifdef __cplusplus
extern "C" {
#endif

/// Attention with `lse`, in any way that gives it; no bias, no mask.  Merges
/// the dims of call->a: rows keep their order, which depends on those that k
/// and v lack, but not on the number of keys.
void dsprt_attend_some(DsprtRun *run, DsprtAttentionCall *call);

/// Do all rows of 16-bit elements begin at multiples of 16 bytes?  Of a call
/// with one query and one key dim.
bool dsprt_attention_is_aligned(const DsprtAttentionCall *call);

/// The most queries and keys that the short kernel takes, and those up to which
/// nothing else can be faster.
enum { DSPRT_SHORT_MOST = 128, DSPRT_SHORT_SURE = 64 };

/// A warp for 16 queries, all scores in registers: bf16, at most
/// DSPRT_SHORT_MOST queries and keys, neither mask nor bias.  Returns 0 when
/// the call is not of this kind.
int dsprt_attention_short(DsprtRun *run, const DsprtAttentionCall *call);
/// A kernel for Hopper: bf16, one query and one key dim, masks and a bias.
/// Returns 0 likewise.
int dsprt_attention_long(DsprtRun *run, const DsprtAttentionCall *call);
/// cuDNN: bf16, one query and one key dim, neither mask nor bias.  Returns 0
/// likewise.
int dsprt_attention_cudnn(DsprtRun *run, const DsprtAttentionCall *call);
/// The fastest that takes the call, timed once for each shape in the first
/// pass.  Returns 0 likewise.
int dsprt_attention_tuned(DsprtRun *run, const DsprtAttentionCall *call);
/// A warp for each query: anything.
void dsprt_attention_any(DsprtRun *run, const DsprtAttentionCall *call);

#ifdef __cplusplus
}
#endif
#endif
