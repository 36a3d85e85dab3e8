// count_flops.c - the useful operations of a forward pass.
//
// Needs:  masks are on attention.
// Leaves: dsp.flops on the module: two for each product of linears, einsums and
//         attention, of all ranks together.  What several ranks compute alike
//         counts once, keys that a mask hides do not count.
#include "dspc/dialect/dialect.h"
#include "ir.h"
#include "pass_list.h"

/// Elements of a value of all ranks.
static double elements(MlirValue value) {
  MlirType type = mlirValueGetType(value);
  double n = 1;
  for (intptr_t i = 0; i < mlirShapedTypeGetRank(type); i++)
    n *= (double)mlirShapedTypeGetDimSize(type, i);
  return n;
}

/// The product of the sizes that dims of `list` have in a value.
static double extent(MlirValue value, MlirAttribute list) {
  DspTensorInfo info;
  double n = 1;
  if (!dsp_tensor_read(mlirValueGetType(value), &info)) return 0;
  for (intptr_t i = 0; i < mlirArrayAttrGetNumElements(list); i++) {
    ptrdiff_t at = dsp_tensor_find(
        &info, mlirStringAttrGetValue(mlirArrayAttrGetElement(list, i)));
    if (at >= 0) n *= (double)info.sizes[at];
  }
  return n;
}

/// How many of `keys` the queries see in the mean: they stand among them.
static double keys_seen(double keys, bool causal, int64_t window) {
  double pairs = 0;
  if (!causal && !window) return keys;
  for (int64_t at = 0; at < (int64_t)keys; at++) {
    int64_t begin = window && at >= window ? at - window + 1 : 0;
    int64_t end = causal ? at + 1 : at + window;
    pairs += (end < (int64_t)keys ? (double)end : keys) - (double)begin;
  }
  return keys > 0 ? pairs / keys : 0;
}

static double flops_of(MlirOperation op) {
  MlirValue y = mlirOperationGetResult(op, 0);
  switch (dsp_op_kind(op)) {
  case DSP_OP_LINEAR:
  case DSP_OP_FUSED_LINEAR:
    return 2 * elements(y) *
           extent(mlirOperationGetOperand(op, 0), dsp_attr(op, "contract"));
  case DSP_OP_EINSUM:
    return 2 * elements(y) *
           extent(mlirOperationGetOperand(op, 0), dsp_attr(op, "over"));
  case DSP_OP_ATTENTION: {
    double keys = extent(mlirOperationGetOperand(op, 1), dsp_attr(op, "over"));
    return 4 * elements(y) *
           keys_seen(keys, dsp_int_attr(op, "causal", 0),
                     dsp_int_attr(op, "window", 0));
  }
  default: return 0;
  }
}

bool dsp_pass_count_flops(MlirModule module, const DspPassOptions *options) {
  (void)options;
  MlirOperation model = dsp_model_func(module);
  if (mlirOperationIsNull(model)) return false;
  MlirOperation top = mlirModuleGetOperation(module);
  double flops = 0;
  for (MlirOperation op = mlirBlockGetFirstOperation(dsp_body(model)); op.ptr;
       op = mlirOperationGetNextInBlock(op))
    if (mlirOperationGetNumResults(op)) flops += flops_of(op);
  MlirContext context = mlirModuleGetContext(module);
  dsp_set_attr(top, "dsp.flops",
               mlirFloatAttrDoubleGet(context, mlirF64TypeGet(context), flops));
  return true;
}
