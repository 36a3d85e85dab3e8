// fuse_norms.c - one kernel for a norm and what is done to its rows.
//
// Needs:  planned ops, maps fused, ropes lowered; dsp.target is "cuda", else
//         nothing is done: the norms of the CPU runtime are functions.
// Leaves: no norm, fused or not, whose only reader is a dsp.map of the same
//         dims that the row kernel can do (modulation by a scale and a shift),
//         and no norm that would have its rows copied first because they lie
//         in a slice: they are a dsp.fused_norm.  What was rounded between the
//         two is kept in f32.
#include "rows.h"

#include "pass_list.h"

/// The expression of the map over the operands of the fused norm: operand
/// `inner` becomes the norm's own expression, the others are added to `list`.
static MlirAttribute rebuild(MlirContext context, MlirOperation map,
                             MlirAttribute expr, int64_t inner,
                             MlirAttribute norm, DspRowOperands *list) {
  if (mlirAttributeIsAInteger(expr)) {
    int64_t operand = mlirIntegerAttrGetValueInt(expr);
    if (operand == inner) return norm;
    int64_t number =
        dsp_row_operand(list, mlirOperationGetOperand(map, operand));
    return number < 0 ? mlirAttributeGetNull() : dsp_int(context, number);
  }
  if (!mlirAttributeIsAArray(expr)) return expr;
  MlirAttribute parts[4];
  intptr_t n = mlirArrayAttrGetNumElements(expr);
  for (intptr_t i = 0; i < n && i < 4; i++) {
    parts[i] = rebuild(context, map, mlirArrayAttrGetElement(expr, i), inner,
                       norm, list);
    if (mlirAttributeIsNull(parts[i])) return parts[i];
  }
  return mlirArrayAttrGet(context, n, parts);
}

/// How often the expression reads operand `number`.
static int count_reads(MlirAttribute expr, int64_t number) {
  if (mlirAttributeIsAInteger(expr))
    return mlirIntegerAttrGetValueInt(expr) == number;
  int count = 0;
  for (intptr_t i = 1;
       mlirAttributeIsAArray(expr) && i < mlirArrayAttrGetNumElements(expr);
       i++)
    count += count_reads(mlirArrayAttrGetElement(expr, i), number);
  return count;
}

/// May the map be done to the rows of the norm?
static bool fits(MlirOperation norm, MlirOperation map, int64_t inner) {
  MlirValue x = mlirOperationGetResult(norm, 0);
  if (!mlirTypeEqual(mlirValueGetType(x),
                     mlirValueGetType(mlirOperationGetResult(map, 0))) ||
      dsp_int_attr(norm, "stage", -1) != dsp_int_attr(map, "stage", -1))
    return false;
  bool plain = mlirAttributeIsAInteger(dsp_norm_expr(norm));
  if (!plain && count_reads(dsp_attr(map, "expr"), inner) != 1) return false;
  MlirAttribute over = dsp_attr(norm, "over");
  for (intptr_t i = 0; i < mlirOperationGetNumOperands(map); i++)
    if (!dsp_walks_along(mlirOperationGetOperand(map, i), over)) return false;
  return true;
}

/// Fuses the map into the norm that makes its operand `inner`; returns the new
/// op, or null.
static MlirOperation fuse(MlirOperation norm, MlirOperation map,
                          int64_t inner) {
  DspRowOperands list = dsp_row_operands(norm);
  MlirAttribute expr =
      rebuild(mlirOperationGetContext(map), map, dsp_attr(map, "expr"), inner,
              dsp_norm_expr(norm), &list);
  if (mlirAttributeIsNull(expr)) return (MlirOperation){NULL};
  MlirOperation fused = dsp_build_fused_norm(map, norm, &list, expr);
  dsp_replace_uses(mlirOperationGetResult(map, 0),
                   mlirOperationGetResult(fused, 0));
  mlirOperationDestroy(map);
  mlirOperationDestroy(norm);
  return fused;
}

static void try_map(MlirOperation map) {
  for (intptr_t i = 0; i < mlirOperationGetNumOperands(map); i++) {
    MlirValue x = mlirOperationGetOperand(map, i);
    if (!mlirValueIsAOpResult(x) || !dsp_has_one_use(x)) continue;
    MlirOperation norm = mlirOpResultGetOwner(x);
    if (!dsp_is_row_norm(norm) || !fits(norm, map, i)) continue;
    if (fuse(norm, map, i).ptr) return;
  }
}

/// A norm of a slice reads it in place.
static void try_slice(MlirOperation norm) {
  MlirValue x = mlirOperationGetOperand(norm, 0);
  if (dsp_is(norm, "dsp.fused_norm") || !mlirValueIsAOpResult(x) ||
      !dsp_is(mlirOpResultGetOwner(x), "dsp.slice"))
    return;
  DspRowOperands list = dsp_row_operands(norm);
  MlirOperation fused =
      dsp_build_fused_norm(norm, norm, &list, dsp_norm_expr(norm));
  dsp_replace_uses(mlirOperationGetResult(norm, 0),
                   mlirOperationGetResult(fused, 0));
  mlirOperationDestroy(norm);
}

bool dsp_pass_fuse_norms(MlirModule module, const DspPassOptions *options) {
  (void)options;
  MlirOperation func = dsp_model_func(module);
  if (mlirOperationIsNull(func)) return false;
  if (!dsp_is_for_gpu(module)) return true;
  DspArena *arena = dsp_arena_create();
  DspOpList list = dsp_list_ops(arena, dsp_body(func));
  for (size_t i = 0; i < list.count; i++)
    if (dsp_is(list.ops[i], "dsp.map")) try_map(list.ops[i]);
  list = dsp_list_ops(arena, dsp_body(func));
  for (size_t i = 0; i < list.count; i++)
    if (dsp_is_row_norm(list.ops[i])) try_slice(list.ops[i]);
  dsp_arena_destroy(arena);
  return true;
}
