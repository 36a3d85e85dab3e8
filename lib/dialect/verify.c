// verify.c - what IRDL cannot state about a module of dsp ops.
//
// Needs:  any module of a context that has the dialect.
// Leaves: nothing changed; errors at the ops that break a rule.
//
// This file walks the ops and reads their types; the rules are in the other
// verify_*.c files.
#include "dspc/dialect/verify.h"

#include <mlir-c/BuiltinTypes.h>
#include <mlir-c/Diagnostics.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dspc/support/bug.h"
#include "verifier.h"

static const struct {
  size_t fewest, most, results;
} arity[DSP_OP_COUNT] = {
    {0, 0, 0},
#define DSP_OP(id, name, fewest, most, results) {fewest, most, results},
#include "dspc/dialect/ops.def"
};

bool dsp_verify_fail(DspVerifier *v, MlirOperation op, const char *format,
                     ...) {
  char text[1024];
  MlirStringRef name = mlirIdentifierStr(mlirOperationGetName(op));
  int n = snprintf(text, sizeof text, "'%.*s' op ", DSP_REF_FMT(name));
  va_list args;
  va_start(args, format);
  vsnprintf(text + n, sizeof text - (size_t)n, format, args);
  va_end(args);
  mlirEmitError(mlirOperationGetLocation(op), text);
  v->failed = true;
  return false;
}

static void *allocate(size_t count, size_t size) {
  void *memory = calloc(count, size);
  if (!memory) dsp_bug("out of memory in the verifier");
  return memory;
}

static DspTypeEntry **slot_of(const DspVerifier *v, const void *type) {
  uint64_t hash = (uint64_t)(uintptr_t)type * 0x9E3779B97F4A7C15u;
  size_t slot = (size_t)(hash >> 20) & (v->types_capacity - 1);
  while (v->types[slot] && v->types[slot]->type != type)
    slot = (slot + 1) & (v->types_capacity - 1);
  return &v->types[slot];
}

static void grow_types(DspVerifier *v) {
  DspTypeEntry **old = v->types;
  size_t capacity = v->types_capacity;
  v->types_capacity = capacity ? 2 * capacity : 64;
  v->types = allocate(v->types_capacity, sizeof *v->types);
  for (size_t i = 0; i < capacity; i++)
    if (old[i]) *slot_of(v, old[i]->type) = old[i];
  free(old);
}

static bool is_cut(MlirStringRef layout) {
  return !mlirStringRefEqual(layout, mlirStringRefCreateFromCString("*")) &&
         !mlirStringRefEqual(layout, mlirStringRefCreateFromCString("+")) &&
         !mlirStringRefEqual(layout, mlirStringRefCreateFromCString("^"));
}

/// Every axis cuts dims of the type; two cut the same ones, or others.
static bool verify_cuts(DspVerifier *v, MlirOperation op,
                        const DspTensorInfo *info) {
  size_t first[DSP_MAX_AXES] = {0}, count[DSP_MAX_AXES] = {0};
  for (size_t a = 0; a < info->naxes; a++) {
    if (!is_cut(info->layout[a]) ||
        dsp_verifier_cut(v, info, info->layout[a], &first[a], &count[a]))
      continue;
    DspNameText text;
    DspNameList dims = dsp_verifier_dims(info);
    return dsp_verify_fail(v, op, "has layout '%.*s', which is no dim of %s",
                           DSP_REF_FMT(info->layout[a]),
                           dsp_names_text(&dims, &text));
  }
  bool same = first[0] == first[1] && count[0] == count[1];
  if (same || !count[0] || !count[1] || first[0] + count[0] <= first[1] ||
      first[1] + count[1] <= first[0])
    return true;
  return dsp_verify_fail(v, op, "is cut on '%.*s' and '%.*s', which overlap",
                         DSP_REF_FMT(info->layout[0]),
                         DSP_REF_FMT(info->layout[1]));
}

/// The names and sizes of a type are those of dsp.dims, and its layout is a
/// cut that it can have.
static bool verify_type(DspVerifier *v, MlirOperation op,
                        const DspTensorInfo *info) {
  for (size_t i = 0; i < info->ndims; i++) {
    const DspDimEntry *dim = dsp_verifier_dim(v, info->dims[i]);
    if (!dim)
      return dsp_verify_fail(v, op, "has a dim '%.*s' that dsp.dims lacks",
                             DSP_REF_FMT(info->dims[i]));
    if (dim->nfactors)
      return dsp_verify_fail(v, op,
                             "has a dim '%.*s', which is a product: a type "
                             "holds its factors",
                             DSP_REF_FMT(info->dims[i]));
    if (dim->size != info->sizes[i])
      return dsp_verify_fail(v, op, "has %lld of dim '%.*s', which is %lld",
                             (long long)info->sizes[i],
                             DSP_REF_FMT(info->dims[i]), (long long)dim->size);
  }
  return verify_cuts(v, op, info);
}

/// Reads a type, once for all ops; NULL when it is not legal.
static const DspTensorInfo *read_type(DspVerifier *v, MlirOperation op,
                                      MlirType type) {
  if (2 * (v->types_count + 1) > v->types_capacity) grow_types(v);
  DspTypeEntry **slot = slot_of(v, type.ptr);
  if (*slot) return (*slot)->legal ? &(*slot)->info : NULL;
  DspTypeEntry *entry = allocate(1, sizeof *entry);
  *slot = entry;
  v->types_count++;
  entry->type = type.ptr;
  if (dsp_tensor_read(type, &entry->info))
    entry->legal = verify_type(v, op, &entry->info);
  else
    dsp_verify_fail(v, op,
                    "has a type that is not of the form "
                    "tensor<2x4xf32, {dims = [\"B\", \"C\"]}> or "
                    "{dims = [...], layout = [\"B\"]}, with one name a dim");
  return entry->legal ? &entry->info : NULL;
}

static bool read_op(DspVerifier *v, DspOpView *view) {
  size_t noperands = (size_t)mlirOperationGetNumOperands(view->op);
  size_t nresults = (size_t)mlirOperationGetNumResults(view->op);
  if (noperands < arity[view->kind].fewest ||
      noperands > arity[view->kind].most)
    return dsp_verify_fail(v, view->op, "has %zu operands, not %zu to %zu",
                           noperands, arity[view->kind].fewest,
                           arity[view->kind].most);
  bool sums = view->kind == DSP_OP_FUSED_NORM && nresults == 2;
  if (nresults != arity[view->kind].results && !sums)
    return dsp_verify_fail(v, view->op, "has %zu results, not %zu", nresults,
                           arity[view->kind].results);
  view->noperands = noperands;
  for (size_t i = 0; i < noperands; i++) {
    MlirValue operand = mlirOperationGetOperand(view->op, (intptr_t)i);
    view->operands[i] = read_type(v, view->op, mlirValueGetType(operand));
    if (!view->operands[i]) v->failed = true;
    if (!view->operands[i]) return false;
  }
  if (nresults == 0) return true;
  MlirValue result = mlirOperationGetResult(view->op, 0);
  view->result = read_type(v, view->op, mlirValueGetType(result));
  return view->result != NULL;
}

/// Ops of one block stand behind those whose results they read.
static bool verify_order(DspVerifier *v, MlirOperation op) {
  MlirBlock block = mlirOperationGetBlock(op);
  for (intptr_t i = 0; i < mlirOperationGetNumOperands(op); i++) {
    MlirValue operand = mlirOperationGetOperand(op, i);
    if (!mlirValueIsAOpResult(operand)) continue;
    MlirOperation owner = mlirOpResultGetOwner(operand);
    if (mlirBlockEqual(mlirOperationGetBlock(owner), block) &&
        !mlirOperationIsBeforeInBlock(owner, op))
      return dsp_verify_fail(v, op, "reads a value that is made behind it");
  }
  return true;
}

static MlirWalkResult verify_op(MlirOperation op, void *user) {
  DspVerifier *v = user;
  DspOpView view = {.op = op, .kind = dsp_op_kind(op)};
  MlirStringRef name = mlirIdentifierStr(mlirOperationGetName(op));
  if (view.kind == DSP_OP_NONE) {
    if (name.length > 4 && memcmp(name.data, "dsp.", 4) == 0)
      dsp_verify_fail(v, op, "is unknown");
    return MlirWalkResultAdvance;
  }
  if (!verify_order(v, op)) return MlirWalkResultAdvance;
  if (dsp_verify_memo_has(v->memo, op)) {
    dsp_verify_stage(v, op);
    return MlirWalkResultAdvance;
  }
  dsp_op_set_segments(op);
  if (!read_op(v, &view) || !dsp_verify_attributes(v, op, view.kind) ||
      !dsp_verify_shapes(v, &view))
    return MlirWalkResultAdvance;
  // plan-shards says what it needs; insert-switches brings it about.
  bool planned = mlirAttributeIsNull(mlirOperationGetAttributeByName(
      op, mlirStringRefCreateFromCString("needs")));
  if (!planned || dsp_verify_layouts(v, &view))
    dsp_verify_memo_add(v->memo, op);
  return MlirWalkResultAdvance;
}

static MlirWalkResult set_segments(MlirOperation op, void *user) {
  (void)user;
  dsp_op_set_segments(op);
  return MlirWalkResultAdvance;
}

static void release(DspVerifier *v) {
  for (size_t i = 0; i < v->types_capacity; i++) free(v->types[i]);
  free(v->types);
  free(v->dims);
  dsp_verify_memo_destroy(v->memo);
}

bool dsp_verify_ops(MlirModule module) {
  MlirOperation top = mlirModuleGetOperation(module);
  DspVerifier v = {.module = module, .nstages = -1,
                   .memo = dsp_verify_memo_create(
                       mlirModuleGetContext(module))};
  if (dsp_verify_module_attributes(&v))
    mlirOperationWalk(top, verify_op, &v, MlirWalkPreOrder);
  release(&v);
  return !v.failed;
}

bool dsp_verify(MlirModule module) {
  MlirOperation top = mlirModuleGetOperation(module);
  mlirOperationWalk(top, set_segments, NULL, MlirWalkPreOrder);
  return mlirOperationVerify(top) && dsp_verify_ops(module);
}
