// rows.h - what the passes that make dsp.fused_norm share.
#ifndef DSPC_LIB_PASSES_ROWS_H
#define DSPC_LIB_PASSES_ROWS_H

#include "dspc/dialect/dialect.h"
#include "ir.h"

/// The operands of a fused norm under construction.
typedef struct DspRowOperands {
  MlirValue values[DSP_MAX_OPERANDS];
  int64_t count, own; ///< the first `own` are those of the norm
} DspRowOperands;

/// Does the module become a program for GPUs?
bool dsp_is_for_gpu(MlirModule module);

/// A layer norm, an RMS norm or a fused norm whose rows a kernel can hold.
bool dsp_is_row_norm(MlirOperation norm);

/// Has the value all dims of `over`, innermost and in order, or none of them?
bool dsp_walks_along(MlirValue value, MlirAttribute over);

/// A slice, a shard or a rename: it has no memory of its own.
bool dsp_is_view(MlirOperation op);
/// Does a slice of the view take a part of the last `count` dims, or of a dim
/// behind one of them, so that rows of these lie in pieces?
bool dsp_has_broken_rows(MlirOperation view, size_t count);

/// The operands of a norm, fused or not.
DspRowOperands dsp_row_operands(MlirOperation norm);
/// The number of `value` as an operand of the expression, which is added when
/// it is new; -1 when there are too many.
int64_t dsp_row_operand(DspRowOperands *list, MlirValue value);
/// The expression of a norm: operand 0 when it is not fused.
MlirAttribute dsp_norm_expr(MlirOperation norm);

/// Builds the fused norm in front of `last`, whose result it gives; all but
/// the operands and the expression is that of `norm`.
MlirOperation dsp_build_fused_norm(MlirOperation last, MlirOperation norm,
                                   const DspRowOperands *list,
                                   MlirAttribute expr);
/// The same of what `before` makes of operand 0, as the map `sum` did, which is
/// the second result; in front of the norm.
MlirOperation dsp_build_summed_norm(MlirOperation norm, MlirOperation sum,
                                    const DspRowOperands *list,
                                    MlirAttribute before);
/// The same with the pairs along `rope` rotated: a norm that is not fused, its
/// cosines and sines.
MlirOperation dsp_build_rotated_norm(MlirOperation last, MlirOperation norm,
                                     MlirStringRef rope, MlirValue cosines,
                                     MlirValue sines);

/// The same as `norm`, which it replaces, fused or not.
MlirOperation dsp_as_fused_norm(MlirOperation norm);

#endif
