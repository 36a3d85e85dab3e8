// dialect.c - contexts that know the `dsp` dialect, and its ops by number.
#include "dspc/dialect/dialect.h"

#include <mlir-c/BuiltinAttributes.h>
#include <mlir-c/Dialect/Arith.h>
#include <mlir-c/Dialect/Func.h>
#include <mlir-c/Dialect/IRDL.h>
#include <mlir-c/Dialect/SCF.h>
#include <string.h>

extern const char dsp_irdl_text[]; // generated from dsp.irdl.mlir
extern const size_t dsp_irdl_text_length;

static const MlirStringRef op_names[DSP_OP_COUNT] = {
    {"", 0},
#define DSP_OP(id, name, fewest, most, results) {name, sizeof name - 1},
#include "dspc/dialect/ops.def"
};

MlirStringRef dsp_dialect_irdl(void) {
  return mlirStringRefCreate(dsp_irdl_text, dsp_irdl_text_length);
}

bool dsp_dialect_load(MlirContext context) {
  MlirDialectHandle irdl = mlirGetDialectHandle__irdl__();
  mlirDialectHandleRegisterDialect(irdl, context);
  mlirDialectHandleLoadDialect(irdl, context);
  MlirModule module = mlirModuleCreateParse(context, dsp_dialect_irdl());
  if (mlirModuleIsNull(module)) return false;
  bool loaded = mlirLogicalResultIsSuccess(mlirLoadIRDLDialects(module));
  mlirModuleDestroy(module);
  return loaded;
}

static void load_dialect(MlirDialectHandle handle, MlirContext context) {
  mlirDialectHandleRegisterDialect(handle, context);
  mlirDialectHandleLoadDialect(handle, context);
}

MlirContext dsp_context_create(void) {
  MlirContext context = mlirContextCreateWithThreading(false);
  load_dialect(mlirGetDialectHandle__func__(), context);
  load_dialect(mlirGetDialectHandle__arith__(), context);
  load_dialect(mlirGetDialectHandle__scf__(), context);
  if (dsp_dialect_load(context)) return context;
  mlirContextDestroy(context);
  return (MlirContext){NULL};
}

// Asked of every op by the verifier and by most passes: the length and the
// first letter rule out nearly all names before any is compared.
DspOpKind dsp_op_kind(MlirOperation op) {
  MlirStringRef name = mlirIdentifierStr(mlirOperationGetName(op));
  if (name.length < 5 || memcmp(name.data, "dsp.", 4) != 0) return DSP_OP_NONE;
  for (DspOpKind kind = DSP_OP_NONE + 1; kind < DSP_OP_COUNT; kind++)
    if (name.length == op_names[kind].length &&
        name.data[4] == op_names[kind].data[4] &&
        memcmp(name.data + 4, op_names[kind].data + 4, name.length - 4) == 0)
      return kind;
  return DSP_OP_NONE;
}

static bool has_segments(MlirOperation op, MlirStringRef name,
                         const int32_t *sizes) {
  MlirAttribute now = mlirOperationGetAttributeByName(op, name);
  if (mlirAttributeIsNull(now) || !mlirAttributeIsADenseI32Array(now) ||
      mlirDenseArrayGetNumElements(now) != DSP_MAX_OPERANDS)
    return false;
  for (intptr_t i = 0; i < DSP_MAX_OPERANDS; i++)
    if (mlirDenseI32ArrayGetElement(now, i) != sizes[i]) return false;
  return true;
}

void dsp_op_set_segments(MlirOperation op) {
  DspOpKind kind = dsp_op_kind(op);
  if (kind != DSP_OP_MAP && kind != DSP_OP_CONCAT &&
      kind != DSP_OP_FUSED_NORM)
    return;
  int32_t sizes[DSP_MAX_OPERANDS];
  intptr_t operands = mlirOperationGetNumOperands(op);
  for (intptr_t i = 0; i < DSP_MAX_OPERANDS; i++) sizes[i] = i < operands;
  MlirStringRef name = mlirStringRefCreateFromCString("operandSegmentSizes");
  if (!has_segments(op, name, sizes))
    mlirOperationSetAttributeByName(
        op, name,
        mlirDenseI32ArrayGet(mlirOperationGetContext(op), DSP_MAX_OPERANDS,
                             sizes));
}

const char *dsp_op_name(DspOpKind kind) {
  return op_names[kind].data;
}

bool dsp_op_changes_layout(DspOpKind kind) {
  return kind == DSP_OP_ALL_TO_ALL || kind == DSP_OP_ALL_GATHER ||
         kind == DSP_OP_REDUCE_SCATTER || kind == DSP_OP_ALL_REDUCE ||
         kind == DSP_OP_SHARD;
}

bool dsp_expr_reads(MlirAttribute expr, int64_t operand) {
  if (mlirAttributeIsAInteger(expr))
    return mlirIntegerAttrGetValueInt(expr) == operand;
  if (!mlirAttributeIsAArray(expr)) return false;
  for (intptr_t i = 1; i < mlirArrayAttrGetNumElements(expr); i++)
    if (dsp_expr_reads(mlirArrayAttrGetElement(expr, i), operand)) return true;
  return false;
}
