// dialect.h - the `dsp` dialect: contexts that know it, its ops and its types.
//
// The dialect is defined in IRDL (lib/dialect/dsp.irdl.mlir, embedded).  Ops
// are leaves inside func.func; a value is a builtin ranked tensor of global
// sizes whose encoding holds the names of its dims and, once planned, its
// layout:  tensor<2x16x64xf32, {dims = ["B", "T", "C"], layout = ["T"]}>
#ifndef DSPC_DIALECT_DIALECT_H
#define DSPC_DIALECT_DIALECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mlir-c/IR.h>

#include "dspc/dialect/local_shape.h"

enum {
  DSP_MAX_OPERANDS = 12, ///< most operands of dsp.map and dsp.concat
};

/// Creates a context, without threads, that has func, arith, scf and dsp.
/// Null when the embedded dialect does not load.  mlirContextDestroy ends it.
MlirContext dsp_context_create(void);

/// Loads the dialect into `context`: once, for a second load of one dialect
/// ends the process.  Returns false after an MLIR error.
bool dsp_dialect_load(MlirContext context);

/// The definition of the dialect, as `mlir-opt --irdl-file` reads it.
MlirStringRef dsp_dialect_irdl(void);

/// The ops: DSP_OP_LINEAR is "dsp.linear".
typedef enum DspOpKind {
  DSP_OP_NONE, ///< no op of this dialect
#define DSP_OP(id, name, fewest, most, results) DSP_OP_##id,
#include "dspc/dialect/ops.def"
  DSP_OP_COUNT
} DspOpKind;

/// Returns which op `op` is, or DSP_OP_NONE.
DspOpKind dsp_op_kind(MlirOperation op);

/// Writes operandSegmentSizes, which MLIR asks of ops with several optional
/// operands (dsp.map, dsp.concat) and nobody else reads.  dsp_verify calls it
/// for every op, so that builders of ops need not.
void dsp_op_set_segments(MlirOperation op);

/// "dsp.linear" for DSP_OP_LINEAR.
const char *dsp_op_name(DspOpKind kind);

/// True for all_to_all, all_gather, reduce_scatter, all_reduce and shard: the
/// only ops that may change a layout.
bool dsp_op_changes_layout(DspOpKind kind);

/// Does the expression of a dsp.map or dsp.fused_norm read that operand?
bool dsp_expr_reads(MlirAttribute expr, int64_t operand);

/// A tensor type, read.  The strings belong to the context.
typedef struct DspTensorInfo {
  MlirType element;
  size_t ndims;
  int64_t sizes[DSP_MAX_RANK];        ///< global
  MlirStringRef dims[DSP_MAX_RANK];   ///< names of atoms
  size_t naxes;                       ///< 0 before planning
  MlirStringRef layout[DSP_MAX_AXES]; ///< a dim, "*" (whole), "+" or
                                       ///< "^" (partial sums, maxima)
} DspTensorInfo;

/// Reads a tensor type of the dialect; false when `type` is not one.
bool dsp_tensor_read(MlirType type, DspTensorInfo *info);

/// Builds the type that `info` describes.
MlirType dsp_tensor_type(MlirContext context, const DspTensorInfo *info);

/// The same type with another layout of mesh axis 0; a null `layout` removes
/// all of it.
MlirType dsp_tensor_with_layout(MlirType type, MlirStringRef layout);

/// A layout names the dim that is cut, "H", or where a weight has the dim
/// twice its second occurrence, "H.2".  Returns the occurrence, from 1 on;
/// `*dim` receives the name.
size_t dsp_layout_dim(MlirStringRef layout, MlirStringRef *dim);

/// The layout of mesh axis 0; length 0 before planning.
MlirStringRef dsp_tensor_layout(MlirType type);

/// Position of atom `dim` in the type, or -1.
ptrdiff_t dsp_tensor_find(const DspTensorInfo *info, MlirStringRef dim);

/// Elements of the whole tensor.
int64_t dsp_tensor_elements(const DspTensorInfo *info);

/// Array attributes from C arrays and back.  The readers return the number of
/// elements, at most `limit` of which are stored.
MlirAttribute dsp_attr_strings(MlirContext context, size_t count,
                               const MlirStringRef *strings);
MlirAttribute dsp_attr_ints(MlirContext context, size_t count,
                            const int64_t *numbers);
size_t dsp_attr_read_strings(MlirAttribute array, MlirStringRef *strings,
                             size_t limit);
size_t dsp_attr_read_ints(MlirAttribute array, int64_t *numbers, size_t limit);

#endif
