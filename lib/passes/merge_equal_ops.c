// merge_equal_ops.c - compute every value once; remove what nobody reads.
//
// Needs:  nothing.
// Leaves: no two ops of a stage that compute the same value; no op without a
//         use but inputs, outputs and pins.
//
// MLIR's own cse and canonicalize leave dsp ops alone, because IRDL cannot
// say that they have no side effects.  Ops of different stages are not
// merged: a stage must not depend on another one for a value that it can
// compute, or equal layers would no longer share one function.
#include "ir.h"
#include "pass_list.h"

#include <stdint.h>

static bool is_bookkeeping(MlirIdentifier name) {
  return dsp_str_is(mlirIdentifierStr(name), "name");
}

static bool has_effect(MlirOperation op) {
  return dsp_is(op, "dsp.input") || dsp_is(op, "dsp.output") ||
         dsp_is(op, "dsp.pin");
}

static uint64_t mix(uint64_t hash, const void *pointer) {
  hash ^= (uint64_t)(uintptr_t)pointer;
  return (hash ^ (hash >> 29)) * 0xBF58476D1CE4E5B9u;
}

/// Operands, name and attributes; "name" is for readers only.
static uint64_t hash_op(MlirOperation op) {
  uint64_t hash = mix(1, mlirOperationGetName(op).ptr);
  for (intptr_t i = 0; i < mlirOperationGetNumOperands(op); i++)
    hash = mix(hash, mlirOperationGetOperand(op, i).ptr);
  for (intptr_t i = 0; i < mlirOperationGetNumAttributes(op); i++) {
    MlirNamedAttribute attr = mlirOperationGetAttribute(op, i);
    if (!is_bookkeeping(attr.name)) hash = mix(hash, attr.attribute.ptr);
  }
  return hash;
}

static bool equal_attributes(MlirOperation a, MlirOperation b) {
  for (intptr_t i = 0; i < mlirOperationGetNumAttributes(a); i++) {
    MlirNamedAttribute attr = mlirOperationGetAttribute(a, i);
    if (is_bookkeeping(attr.name)) continue;
    MlirAttribute other = mlirOperationGetAttributeByName(
        b, mlirIdentifierStr(attr.name));
    if (other.ptr != attr.attribute.ptr) return false;
  }
  return true;
}

static bool equal_ops(MlirOperation a, MlirOperation b) {
  intptr_t noperands = mlirOperationGetNumOperands(a);
  if (mlirOperationGetName(a).ptr != mlirOperationGetName(b).ptr ||
      noperands != mlirOperationGetNumOperands(b) ||
      mlirOperationGetNumResults(a) != mlirOperationGetNumResults(b))
    return false;
  for (intptr_t i = 0; i < noperands; i++)
    if (!mlirValueEqual(mlirOperationGetOperand(a, i),
                        mlirOperationGetOperand(b, i)))
      return false;
  for (intptr_t i = 0; i < mlirOperationGetNumResults(a); i++)
    if (!mlirTypeEqual(mlirValueGetType(mlirOperationGetResult(a, i)),
                       mlirValueGetType(mlirOperationGetResult(b, i))))
      return false;
  return equal_attributes(a, b) && equal_attributes(b, a);
}

static void replace(MlirOperation op, MlirOperation by) {
  for (intptr_t i = 0; i < mlirOperationGetNumResults(op); i++)
    dsp_replace_uses(mlirOperationGetResult(op, i),
                     mlirOperationGetResult(by, i));
  mlirOperationDestroy(op);
}

/// One bucket per hash holds the last op with it: equal ops that are kept
/// apart by a collision stay apart, which costs time, never truth.
static void merge(DspArena *arena, DspOpList *list) {
  DspPtrMap seen = dsp_ptr_map(arena);
  for (size_t i = 0; i < list->count; i++) {
    MlirOperation op = list->ops[i];
    if (has_effect(op)) continue;
    const void *key = (const void *)(uintptr_t)(hash_op(op) | 1);
    int64_t first = dsp_ptr_map_get(&seen, key, -1);
    if (first >= 0 && equal_ops(list->ops[first], op)) {
      replace(op, list->ops[first]);
      list->ops[i].ptr = NULL;
    } else {
      dsp_ptr_map_set(&seen, key, (int64_t)i);
    }
  }
}

static void remove_unused(DspOpList *list) {
  for (size_t i = list->count; i-- > 0;) {
    MlirOperation op = list->ops[i];
    if (mlirOperationIsNull(op) || has_effect(op)) continue;
    bool used = false;
    for (intptr_t r = 0; r < mlirOperationGetNumResults(op); r++)
      used |= dsp_has_uses(mlirOperationGetResult(op, r));
    if (!used) mlirOperationDestroy(op);
  }
}

bool dsp_pass_merge_equal_ops(MlirModule module,
                              const DspPassOptions *options) {
  (void)options;
  MlirOperation func = dsp_model_func(module);
  if (mlirOperationIsNull(func)) return false;
  DspArena *arena = dsp_arena_create();
  DspOpList list = dsp_list_ops(arena, dsp_body(func));
  merge(arena, &list);
  remove_unused(&list);
  dsp_arena_destroy(arena);
  return true;
}
