// op.h - what the files that emit ops share.
#ifndef DSPC_LIB_EMIT_OP_H
#define DSPC_LIB_EMIT_OP_H

#include "emitter.h"

/// Where operand `i` lies, and the same as an argument: "x + offset".
const DspAccess *dsp_operand(DspEmitter *e, MlirOperation op, intptr_t i);
const char *dsp_argument(DspEmitter *e, const DspAccess *a);

/// The product of the dims in `names` as text.
const char *dsp_product_text(DspEmitter *e, MlirAttribute names);
bool dsp_is_in(MlirAttribute names, MlirStringRef name);

/// The axis of `a` over the same dim, cut alike; or NULL.
const DspAxis *dsp_axis_like(const DspAccess *a, const DspAxis *axis);
/// The stride of `a` along it; "0" when it has no such axis.
const char *dsp_stride_text(DspEmitter *e, const DspAccess *a,
                            const DspAxis *axis);

/// "3145728 bytes leave each rank", of an op with `bytes`.
const char *dsp_leaving_text(DspEmitter *e, MlirOperation op);
/// An MLIR error at the op; emission goes on to find the next one.
void dsp_unsupported(DspEmitter *e, MlirOperation op, const char *what);

// collective.c
void dsp_emit_collective(DspEmitter *e, MlirOperation op, const DspAccess *out,
                         const char *frame);

// attention.c
void dsp_emit_attention(DspEmitter *e, MlirOperation op, const DspAccess *o,
                        const char *frame);

// short.c
/// Are the rows of queries or of keys made inside the attention?
bool dsp_has_rows_inside(MlirOperation attention);
/// Such an attention as a kernel, and its call in the host code.
void dsp_emit_short_attention(DspEmitter *e, MlirOperation op,
                              const DspAccess *o);

// rows.c
/// A dsp.fused_norm as a kernel, and its call in the host code.
void dsp_emit_row_norm(DspEmitter *e, MlirOperation op, const DspAccess *y);

#endif
