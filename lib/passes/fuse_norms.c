// fuse_norms.c - one kernel for a norm and what is done to its rows.
//
// Needs:  planned ops, maps fused, ropes lowered; dsp.target is "cuda", else
//         nothing is done: the norms of the CPU runtime are functions.
// Leaves: no norm, fused or not, whose only reader is a dsp.map of the same
//         dims that the row kernel can do (modulation by a scale and a shift),
//         and no norm that would have its rows copied first because they lie
//         in a slice: they are a dsp.fused_norm.  Neither a dsp.map whose rows
//         such a norm and others read (a gate and the residual): the fused norm
//         has it as its second result.  It would be written and read again;
//         now it is written.  A sum that is the epilogue of a product is no
//         map any more and costs nothing there.  What was rounded between the
//         ops is kept in f32.
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
  dsp_as_fused_norm(norm);
}

/// Do all read `value`, which `norm` reads as operand 0 alone, behind it?
static bool is_read_behind(MlirValue value, MlirOperation norm) {
  for (intptr_t i = 1; i < mlirOperationGetNumOperands(norm); i++)
    if (mlirValueEqual(mlirOperationGetOperand(norm, i), value)) return false;
  MlirOpOperand use = mlirValueGetFirstUse(value);
  for (; !mlirOpOperandIsNull(use); use = mlirOpOperandGetNextUse(use)) {
    MlirOperation owner = mlirOpOperandGetOwner(use);
    if (!mlirOperationEqual(owner, norm) &&
        !mlirOperationIsBeforeInBlock(norm, owner))
      return false;
  }
  return true;
}

/// The operand of a map that its rows may take the place of, or -1: the map
/// walks along the rows of the norm.
static intptr_t row_of_map(MlirOperation map, MlirAttribute over) {
  MlirType type = mlirValueGetType(mlirOperationGetResult(map, 0));
  intptr_t row = -1;
  for (intptr_t i = mlirOperationGetNumOperands(map); i-- > 0;) {
    MlirValue x = mlirOperationGetOperand(map, i);
    if (!dsp_walks_along(x, over)) return -1;
    if (mlirTypeEqual(mlirValueGetType(x), type)) row = i;
  }
  return row;
}

/// The map that makes the rows of the norm and may go into its kernel, or null.
static MlirOperation sum_of(MlirOperation norm) {
  MlirOperation none = {NULL};
  MlirValue x = mlirOperationGetOperand(norm, 0);
  if (dsp_string_attr(norm, "rope").length || !mlirValueIsAOpResult(x) ||
      dsp_has_one_use(x))
    return none;
  MlirOperation map = mlirOpResultGetOwner(x);
  if (!dsp_is(map, "dsp.map") ||
      dsp_int_attr(norm, "stage", -1) != dsp_int_attr(map, "stage", -1))
    return none;
  return is_read_behind(x, norm) ? map : none;
}

/// The norm makes its rows itself, and writes them for the others.
static void try_sum(MlirOperation norm) {
  MlirOperation map = sum_of(norm);
  if (!map.ptr) return;
  intptr_t row = row_of_map(map, dsp_attr(norm, "over"));
  if (row < 0) return;
  MlirContext context = mlirOperationGetContext(norm);
  DspRowOperands list = dsp_row_operands(norm);
  list.values[0] = mlirOperationGetOperand(map, row);
  MlirAttribute before = rebuild(context, map, dsp_attr(map, "expr"), row,
                                 dsp_int(context, 0), &list);
  if (mlirAttributeIsNull(before)) return;
  MlirOperation fused = dsp_build_summed_norm(norm, map, &list, before);
  dsp_replace_uses(mlirOperationGetResult(norm, 0),
                   mlirOperationGetResult(fused, 0));
  dsp_replace_uses(mlirOperationGetResult(map, 0),
                   mlirOperationGetResult(fused, 1));
  mlirOperationDestroy(norm);
  mlirOperationDestroy(map);
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
  list = dsp_list_ops(arena, dsp_body(func));
  for (size_t i = 0; i < list.count; i++)
    if (dsp_is_row_norm(list.ops[i])) try_sum(list.ops[i]);
  dsp_arena_destroy(arena);
  return true;
}
