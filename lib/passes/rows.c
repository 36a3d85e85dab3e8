// rows.c - dsp.fused_norm: what it may do, and how one is built.
#include "rows.h"

enum { MOST_CHANNELS = 12288 }; ///< that a block holds in registers

bool dsp_is_for_gpu(MlirModule module) {
  MlirOperation top = mlirModuleGetOperation(module);
  return dsp_str_is(dsp_string_attr(top, "dsp.target"), "cuda");
}

bool dsp_walks_along(MlirValue value, MlirAttribute over) {
  DspTensorInfo info;
  MlirStringRef names[DSP_MAX_RANK];
  size_t n = dsp_attr_read_strings(over, names, DSP_MAX_RANK), found = 0;
  if (!dsp_tensor_read(mlirValueGetType(value), &info)) return false;
  for (size_t i = 0; i < n; i++) found += dsp_tensor_find(&info, names[i]) >= 0;
  if (found == 0) return true;
  if (found < n || info.ndims < n) return false;
  for (size_t i = 0; i < n; i++)
    if (!mlirStringRefEqual(info.dims[info.ndims - n + i], names[i]))
      return false;
  return true;
}

bool dsp_is_view(MlirOperation op) {
  return dsp_is(op, "dsp.slice") || dsp_is(op, "dsp.shard") ||
         dsp_is(op, "dsp.rename");
}

bool dsp_has_broken_rows(MlirOperation view, size_t count) {
  for (bool renamed = false; dsp_is_view(view);) {
    MlirValue x = mlirOperationGetOperand(view, 0);
    DspTensorInfo info;
    dsp_tensor_read(mlirValueGetType(x), &info);
    if (dsp_is(view, "dsp.slice")) {
      ptrdiff_t at = dsp_tensor_find(&info, dsp_string_attr(view, "dim"));
      if (renamed || info.ndims - 1 - (size_t)at < count) return true;
    }
    renamed |= dsp_is(view, "dsp.rename");
    if (!mlirValueIsAOpResult(x)) return false;
    view = mlirOpResultGetOwner(x);
  }
  return false;
}

static int64_t channels_of(MlirOperation norm) {
  DspTensorInfo info;
  MlirStringRef names[DSP_MAX_RANK];
  size_t n = dsp_attr_read_strings(dsp_attr(norm, "over"), names, DSP_MAX_RANK);
  int64_t size = 1;
  if (!dsp_tensor_read(mlirValueGetType(mlirOperationGetOperand(norm, 0)),
                       &info))
    return INT64_MAX;
  for (size_t i = 0; i < n; i++)
    size *= info.sizes[dsp_tensor_find(&info, names[i])];
  return size;
}

bool dsp_is_row_norm(MlirOperation norm) {
  return (dsp_is(norm, "dsp.layer_norm") || dsp_is(norm, "dsp.rms_norm") ||
          dsp_is(norm, "dsp.fused_norm")) &&
         channels_of(norm) <= MOST_CHANNELS;
}

DspRowOperands dsp_row_operands(MlirOperation norm) {
  DspRowOperands list = {.count = mlirOperationGetNumOperands(norm)};
  for (int64_t i = 0; i < list.count; i++)
    list.values[i] = mlirOperationGetOperand(norm, i);
  list.own = list.count;
  if (dsp_is(norm, "dsp.fused_norm"))
    list.own = 1 + dsp_int_attr(norm, "params", 0) +
               (dsp_string_attr(norm, "rope").length ? 2 : 0);
  return list;
}

int64_t dsp_row_operand(DspRowOperands *list, MlirValue value) {
  for (int64_t i = list->own; i < list->count; i++)
    if (mlirValueEqual(list->values[i], value)) return i;
  if (list->count == DSP_MAX_OPERANDS) return -1;
  list->values[list->count] = value;
  return list->count++;
}

MlirAttribute dsp_norm_expr(MlirOperation norm) {
  if (dsp_is(norm, "dsp.fused_norm")) return dsp_attr(norm, "expr");
  return dsp_int(mlirOperationGetContext(norm), 0);
}

static MlirOperation build(MlirOperation last, MlirOperation norm,
                           const DspRowOperands *list, MlirAttribute expr,
                           MlirAttribute rope, MlirOperation sum,
                           MlirAttribute before) {
  MlirContext context = mlirOperationGetContext(norm);
  bool fused = dsp_is(norm, "dsp.fused_norm");
  MlirAttribute kind = dsp_string(
      context, mlirStringRefCreateFromCString(
                   dsp_is(norm, "dsp.layer_norm") ? "layer" : "rms"));
  MlirAttribute params =
      dsp_int(context, mlirOperationGetNumOperands(norm) - 1);
  const char *names[10] = {"norm", "over", "eps", "params", "expr", "stage"};
  MlirAttribute attributes[10] = {fused ? dsp_attr(norm, "norm") : kind,
                                 dsp_attr(norm, "over"),
                                 dsp_attr(norm, "eps"),
                                 fused ? dsp_attr(norm, "params") : params,
                                 expr,
                                 dsp_attr(last, "stage")};
  intptr_t n = 6;
  const char *optional[] = {"rope", "name", "before", "sum_name"};
  MlirAttribute values[] = {
      rope, dsp_attr(last, "name"), before,
      sum.ptr ? dsp_attr(sum, "name") : mlirAttributeGetNull()};
  for (int i = 0; i < 4; i++) {
    if (mlirAttributeIsNull(values[i])) continue;
    names[n] = optional[i];
    attributes[n++] = values[i];
  }
  MlirType type = mlirValueGetType(mlirOperationGetResult(last, 0));
  MlirType results[] = {type, mlirValueGetType(list->values[0])};
  return dsp_build_results_before(
      last, "dsp.fused_norm", mlirOperationGetLocation(norm), list->count,
      list->values, sum.ptr ? 2 : 1, results, n, names, attributes);
}

MlirOperation dsp_build_fused_norm(MlirOperation last, MlirOperation norm,
                                   const DspRowOperands *list,
                                   MlirAttribute expr) {
  return build(last, norm, list, expr, dsp_attr(norm, "rope"),
               (MlirOperation){NULL}, mlirAttributeGetNull());
}

MlirOperation dsp_build_summed_norm(MlirOperation norm, MlirOperation sum,
                                    const DspRowOperands *list,
                                    MlirAttribute before) {
  return build(norm, norm, list, dsp_norm_expr(norm), mlirAttributeGetNull(),
               sum, before);
}

MlirOperation dsp_build_rotated_norm(MlirOperation last, MlirOperation norm,
                                     MlirStringRef rope, MlirValue cosines,
                                     MlirValue sines) {
  DspRowOperands list = dsp_row_operands(norm);
  list.values[list.count++] = cosines;
  list.values[list.count++] = sines;
  return build(last, norm, &list, dsp_norm_expr(norm),
               dsp_string(mlirOperationGetContext(norm), rope),
               (MlirOperation){NULL}, mlirAttributeGetNull());
}

MlirOperation dsp_as_fused_norm(MlirOperation norm) {
  if (dsp_is(norm, "dsp.fused_norm")) return norm;
  DspRowOperands list = dsp_row_operands(norm);
  MlirOperation fused =
      dsp_build_fused_norm(norm, norm, &list, dsp_norm_expr(norm));
  dsp_replace_uses(mlirOperationGetResult(norm, 0),
                   mlirOperationGetResult(fused, 0));
  mlirOperationDestroy(norm);
  return fused;
}
