// materialize_views.c - copy a view where its user needs contiguous memory.
//
// Needs:  collectives inserted.
// Leaves: results of dsp.slice, dsp.rename and dsp.shard are read only by ops
//         of their own stage that take strides; for the others there is a
//         dsp.copy.  No output reads a parameter: it is written from a buffer.
#include "ir.h"
#include "outline.h"
#include "pass_list.h"
#include "rows.h"

#include "dspc/dialect/dialect.h"

static bool is_innermost_slice(MlirOperation view) {
  if (!dsp_is(view, "dsp.slice")) return false;
  DspTensorInfo info;
  dsp_tensor_read(mlirValueGetType(mlirOperationGetOperand(view, 0)), &info);
  return info.ndims && mlirStringRefEqual(info.dims[info.ndims - 1],
                                          dsp_string_attr(view, "dim"));
}

/// Does the view, or a view that it is a view of, take a part of the innermost
/// dim, so that neighbours in the view are not neighbours in memory?
static bool has_gaps(MlirOperation view) {
  while (dsp_is_view(view)) {
    if (is_innermost_slice(view)) return true;
    MlirValue operand = mlirOperationGetOperand(view, 0);
    if (!mlirValueIsAOpResult(operand)) return false;
    view = mlirOpResultGetOwner(operand);
  }
  return false;
}

static bool takes_strides(MlirOperation user, MlirOperation view) {
  switch (dsp_op_kind(user)) {
  case DSP_OP_MAP:
  case DSP_OP_SLICE:
  case DSP_OP_SHARD:
  case DSP_OP_RENAME:
  case DSP_OP_EINSUM:
  case DSP_OP_CONCAT:
  case DSP_OP_REARRANGE:
  case DSP_OP_REDUCE:
  case DSP_OP_COPY: return true;
  case DSP_OP_FUSED_NORM:
    return !dsp_has_broken_rows(view, (size_t)mlirArrayAttrGetNumElements(
                                      dsp_attr(user, "over")));
  case DSP_OP_ATTENTION: return !has_gaps(view);
  default: return false;
  }
}

static MlirOperation copy_of(MlirOperation view) {
  MlirValue value = mlirOperationGetResult(view, 0);
  MlirAttribute name = dsp_attr(view, "name");
  const char *names[] = {"stage", "name"};
  MlirAttribute attributes[] = {dsp_attr(view, "stage"), name};
  return dsp_build_before(mlirOperationGetNextInBlock(view), "dsp.copy",
                          mlirOperationGetLocation(view), 1, &value,
                          mlirValueGetType(value),
                          mlirAttributeIsNull(name) ? 1 : 2, names, attributes);
}

/// `view` is a view or a parameter.
static void materialize(MlirOperation view) {
  MlirValue value = mlirOperationGetResult(view, 0);
  int64_t stage = dsp_int_attr(view, "stage", -1);
  bool outside = dsp_between_stages(view);
  MlirOperation copy = {NULL};
  MlirOpOperand use = mlirValueGetFirstUse(value);
  while (!mlirOpOperandIsNull(use)) {
    MlirOpOperand next = mlirOpOperandGetNextUse(use);
    MlirOperation user = mlirOpOperandGetOwner(use);
    intptr_t number = mlirOpOperandGetOperandNumber(use);
    use = next;
    bool far = outside || dsp_int_attr(user, "stage", -1) != stage;
    bool fine = dsp_is_view(view) ? !far && takes_strides(user, view)
                              : !dsp_is(user, "dsp.output");
    if (user.ptr == copy.ptr || fine) continue;
    if (!copy.ptr) copy = copy_of(view);
    mlirOperationSetOperand(user, number, mlirOperationGetResult(copy, 0));
  }
}

bool dsp_pass_materialize_views(MlirModule module,
                                const DspPassOptions *options) {
  (void)options;
  MlirOperation func = dsp_model_func(module);
  if (mlirOperationIsNull(func)) return false;
  DspArena *arena = dsp_arena_create();
  DspOpList list = dsp_list_ops(arena, dsp_body(func));
  for (size_t i = 0; i < list.count; i++)
    if (dsp_is_view(list.ops[i]) || dsp_is(list.ops[i], "dsp.param"))
      materialize(list.ops[i]);
  dsp_arena_destroy(arena);
  return true;
}
