// fuse_epilogues.c - let a product of a GPU library do what follows it.
//
// Needs:  planned ops, maps fused; dsp.target is "cuda", else nothing is done:
//         a BLAS of the host has no epilogues.
// Leaves: no linear with a bias whose only reader is the tanh form of GELU, or
//         an addition to a value of the same type: the two are a
//         dsp.fused_linear.  What was rounded between them is kept in f32.
#include "ir.h"
#include "pass_list.h"

#include "dspc/dialect/dialect.h"

/// The linear that makes operand `i` of the map, and nothing else reads; or
/// none.
static MlirOperation linear_of(MlirOperation map, intptr_t i) {
  MlirOperation none = {NULL};
  MlirValue operand = mlirOperationGetOperand(map, i);
  if (!mlirValueIsAOpResult(operand) || !dsp_has_one_use(operand)) return none;
  MlirOperation linear = mlirOpResultGetOwner(operand);
  if (!dsp_is(linear, "dsp.linear") ||
      mlirOperationGetNumOperands(linear) != 3 ||
      dsp_int_attr(linear, "stage", -1) != dsp_int_attr(map, "stage", -1) ||
      dsp_str_is(dsp_tensor_layout(mlirValueGetType(operand)), "+"))
    return none;
  MlirType type = mlirValueGetType(mlirOperationGetResult(map, 0));
  return mlirTypeEqual(mlirValueGetType(operand), type) ? linear : none;
}

static bool is_function(MlirAttribute expr, const char *name, intptr_t nargs) {
  return mlirAttributeIsAArray(expr) &&
         mlirArrayAttrGetNumElements(expr) == nargs + 1 &&
         dsp_str_is(mlirStringAttrGetValue(mlirArrayAttrGetElement(expr, 0)),
                    name);
}

static bool is_operand(MlirAttribute expr, intptr_t arg) {
  return mlirAttributeIsAInteger(mlirArrayAttrGetElement(expr, arg));
}

/// Replaces the linear and the map; `residual` may be null.
static void fuse(MlirOperation linear, MlirOperation map, MlirValue residual) {
  MlirValue operands[4];
  intptr_t count = mlirOperationGetNumOperands(linear);
  for (intptr_t i = 0; i < count; i++)
    operands[i] = mlirOperationGetOperand(linear, i);
  if (residual.ptr) operands[count++] = residual;
  MlirContext context = mlirOperationGetContext(map);
  MlirAttribute name = dsp_attr(map, "name");
  const char *names[] = {"contract", "out", "epilogue", "stage", "name"};
  MlirAttribute attributes[] = {
      dsp_attr(linear, "contract"), dsp_attr(linear, "out"),
      dsp_string(context, mlirStringRefCreateFromCString(
                              residual.ptr ? "add" : "gelu_tanh")),
      dsp_attr(map, "stage"), name};
  MlirValue result = mlirOperationGetResult(map, 0);
  MlirOperation fused = dsp_build_before(
      map, "dsp.fused_linear", mlirOperationGetLocation(linear), count,
      operands, mlirValueGetType(result), mlirAttributeIsNull(name) ? 4 : 5,
      names, attributes);
  dsp_replace_uses(result, mlirOperationGetResult(fused, 0));
  mlirOperationDestroy(map);
  mlirOperationDestroy(linear);
}

static void try_map(MlirOperation map) {
  MlirAttribute expr = dsp_attr(map, "expr");
  if (is_function(expr, "gelu_tanh", 1) && is_operand(expr, 1) &&
      mlirOperationGetNumOperands(map) == 1) {
    MlirOperation linear = linear_of(map, 0);
    if (linear.ptr) fuse(linear, map, (MlirValue){NULL});
    return;
  }
  if (!is_function(expr, "add", 2) || !is_operand(expr, 1) ||
      !is_operand(expr, 2) || mlirOperationGetNumOperands(map) != 2)
    return;
  MlirType type = mlirValueGetType(mlirOperationGetResult(map, 0));
  for (intptr_t i = 2; i-- > 0;) {
    MlirOperation linear = linear_of(map, i);
    MlirValue residual = mlirOperationGetOperand(map, 1 - i);
    if (!linear.ptr || !mlirTypeEqual(mlirValueGetType(residual), type))
      continue;
    fuse(linear, map, residual);
    return;
  }
}

bool dsp_pass_fuse_epilogues(MlirModule module,
                             const DspPassOptions *options) {
  (void)options;
  MlirOperation func = dsp_model_func(module);
  if (mlirOperationIsNull(func)) return false;
  MlirOperation top = mlirModuleGetOperation(module);
  if (!dsp_str_is(dsp_string_attr(top, "dsp.target"), "cuda")) return true;
  DspArena *arena = dsp_arena_create();
  DspOpList list = dsp_list_ops(arena, dsp_body(func));
  for (size_t i = 0; i < list.count; i++)
    if (dsp_is(list.ops[i], "dsp.map")) try_map(list.ops[i]);
  dsp_arena_destroy(arena);
  return true;
}
