// kernel.h - a CUDA kernel under construction.
#ifndef DSPC_LIB_EMIT_KERNEL_H
#define DSPC_LIB_EMIT_KERNEL_H

#include "nest.h"

enum { DSP_KERNEL_WIDEST = 8 }; ///< elements that a thread loads at once

/// A kernel whose threads share out the loops of a nest.
typedef struct DspKernel {
  DspEmitter *e;
  const DspNest *nest;
  const DspAccess *out, *in;
  const DspAccess *sum; ///< a second result, of the type of `out`, or NULL
  size_t nin;
  DspNames names;
  const char *bases[DSP_NEST_IN + 2];  ///< distinct pointers of the host
  const char *params[DSP_NEST_IN + 2]; ///< what the kernel calls them
  bool written[DSP_NEST_IN + 2];
  MlirType types[DSP_NEST_IN + 2];
  size_t nparams;
  const char *index; ///< C type of indices
  int width;         ///< elements of a thread
} DspKernel;

/// How many threads a kernel needs: one an item, or `team` of them; with
/// `attention`, the C++ type of an attention over a few keys (dsprt_short.cuh),
/// one of its groups.
typedef struct DspKernelCount {
  const char *items;
  const char *team;      ///< a text, or NULL
  const char *attention; ///< likewise
  const char *flops;     ///< of an attention
} DspKernelCount;

/// An element type that kernels load and store several of at once.
bool dsp_is_float(MlirType type);

DspKernel dsp_kernel_begin(DspEmitter *e, const DspNest *nest,
                           const DspAccess *out, const DspAccess *in,
                           size_t nin);
/// The kernel writes `sum` as well, which must outlive it.
void dsp_kernel_add_sum(DspKernel *k, const DspAccess *sum);
/// `a` as the kernel sees it.
DspAccess dsp_kernel_access(DspKernel *k, const DspAccess *a);
/// The product of the loops [0, count), over the width, as text.
const char *dsp_kernel_count(const DspKernel *k, size_t count);
/// Turns the number `at` into the indices of the loops [0, count).
void dsp_kernel_indices(const DspKernel *k, DspText *out, size_t count);
/// "add_mul": the functions of an expression, innermost last; "" without.
const char *dsp_kernel_words(DspEmitter *e, MlirAttribute expr);
/// Writes the kernel around `body`, which it frees, the function that starts
/// it, and its declaration; then the call.
void dsp_kernel_finish(DspKernel *k, DspText *body, const char *wish,
                       DspKernelCount count);

// rows.c
/// "rms_norm_rope": what a dsp.fused_norm does to its rows.
const char *dsp_row_norm_words(DspEmitter *e, MlirOperation norm);
/// The loop that does it to the rows along an axis where they lie in shared
/// memory: those of `which`, 'q' or 'k', of an `Attention`.  The other operands
/// have no dims but that one and the channels.
void dsp_emit_rows_in_place(DspKernel *k, MlirOperation norm,
                            const DspAxis *along, char which, DspText *out);

#endif
