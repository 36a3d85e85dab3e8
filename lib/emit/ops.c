// ops.c - one op of a stage: a call of the runtime, or loops.
#include <stdio.h>
#include <string.h>

#include "dspc/support/bug.h"
#include "nest.h"
#include "op.h"

static const char *optional(DspEmitter *e, MlirOperation op, intptr_t i) {
  return i < mlirOperationGetNumOperands(op)
             ? dsp_argument(e, dsp_operand(e, op, i))
             : "NULL";
}

/// The matrix that a linear sees in a value.
typedef struct Matrix {
  const char *rows, *columns;
} Matrix;

/// `names` are the columns: the innermost axes in order, some of them cut or
/// merged.  False when they lie otherwise.
static bool as_matrix(DspEmitter *e, const DspAccess *a, MlirAttribute names,
                      Matrix *matrix) {
  size_t left = (size_t)mlirArrayAttrGetNumElements(names), at = a->naxes;
  for (; left > 0 && at > 0; at--) {
    const DspAxis *axis = &a->axes[at - 1];
    if (axis->count > left) return false;
    left -= axis->count;
    for (size_t k = 0; k < axis->count; k++)
      if (!mlirStringRefEqual(a->shape.atoms[axis->first + k],
                              mlirStringAttrGetValue(mlirArrayAttrGetElement(
                                  names, (intptr_t)(left + k)))))
        return false;
  }
  matrix->rows = dsp_extent_text(&e->dims, dsp_extent_of(a->axes, at));
  matrix->columns = dsp_extent_text(
      &e->dims, dsp_extent_of(a->axes + at, a->naxes - at));
  return left == 0;
}

/// The rows of a value: its axes but those whose atoms are in `names`.
static const char *rows_text(DspEmitter *e, const DspAccess *a,
                             MlirAttribute names) {
  DspExtent rows = dsp_extent_one();
  for (size_t i = 0; i < a->naxes; i++)
    if (!dsp_is_in(names, a->shape.atoms[a->axes[i].first]))
      rows = dsp_extent_times(rows, a->axes[i].extent);
  return dsp_extent_text(&e->dims, rows);
}

/// x and y of a linear as matrices, or an error.
static bool linear_matrices(DspEmitter *e, MlirOperation op,
                            const DspAccess *x, const DspAccess *y,
                            Matrix *in, Matrix *out) {
  if (as_matrix(e, x, dsp_get(op, "contract"), in) &&
      as_matrix(e, y, dsp_get(op, "out"), out))
    return true;
  dsp_unsupported(e, op,
              "a linear needs the contracted dims innermost and in the order "
              "of the weight: put them last with rearrange(x, [...])");
  return false;
}

/// The bias of a linear; partial sums get it from one rank, along one axis from
/// the first.
static const char *linear_bias(DspEmitter *e, MlirOperation op,
                               const DspAccess *y) {
  DspAxes partial = y->shape.partial;
  const char *bias = optional(e, op, 2);
  if (!partial || mlirOperationGetNumOperands(op) < 3) return bias;
  if (e->dims.mesh.naxes == 1 || partial == 3)
    return dsp_format(e->arena, "run->rank == 0 ? %s : NULL", bias);
  return dsp_format(e->arena, "run->at[%u] == 0 ? %s : NULL", partial >> 1,
                    bias);
}

/// The scratch memory of a linear: none in f32; NULL where the target needs
/// none, for then a stage may have no frame either.
static const char *linear_workspace(DspEmitter *e, MlirOperation op,
                                    MlirType element, const char *frame) {
  MlirAttribute place = dsp_get(op, "workspace");
  if (mlirTypeIsAF32(element)) return "";
  if (mlirAttributeIsNull(place)) return ", NULL";
  return dsp_format(e->arena, ", %s + %lld", frame,
                    (long long)mlirIntegerAttrGetValueInt(place));
}

static void emit_linear(DspEmitter *e, MlirOperation op, const DspAccess *y,
                        const char *frame) {
  const DspAccess *x = dsp_operand(e, op, 0);
  Matrix in, out;
  if (!linear_matrices(e, op, x, y, &in, &out)) return;
  dsp_statement(
      &e->text,
      "dsprt_linear_%s(run, &(DsprtLinear){.rows = %s, .in = %s, .out = %s}, "
      "%s, %s, %s, %s%s);",
      dsp_c_suffix(x->shape.element), in.rows, in.columns, out.columns,
      dsp_argument(e, x), dsp_argument(e, dsp_operand(e, op, 1)),
      linear_bias(e, op, y), dsp_argument(e, y),
      linear_workspace(e, op, x->shape.element, frame));
}

static void emit_fused_linear(DspEmitter *e, MlirOperation op,
                              const DspAccess *y) {
  const DspAccess *x = dsp_operand(e, op, 0);
  Matrix in, out;
  if (!linear_matrices(e, op, x, y, &in, &out)) return;
  intptr_t n = mlirOperationGetNumOperands(op);
  bool adds = mlirStringRefEqual(dsp_get_text(op, "epilogue"),
                                 mlirStringRefCreateFromCString("add"));
  dsp_statement(
      &e->text,
      "dsprt_fused_linear(run, &(DsprtFusedLinear){.linear = {.rows = %s, "
      ".in = %s, .out = %s}, .type = %s%s}, %s, %s, %s, %s, %s);",
      in.rows, in.columns, out.columns, dsp_type_constant(x->shape.element),
      adds ? "" : ", .gelu_tanh = 1", dsp_argument(e, x),
      dsp_argument(e, dsp_operand(e, op, 1)),
      dsp_argument(e, dsp_operand(e, op, 2)),
      adds ? dsp_argument(e, dsp_operand(e, op, n - 1)) : "NULL",
      dsp_argument(e, y));
}

static void emit_norm(DspEmitter *e, MlirOperation op, const DspAccess *y,
                      bool layer) {
  const DspAccess *x = dsp_operand(e, op, 0);
  MlirAttribute over = dsp_get(op, "over");
  dsp_statement(&e->text,
                "dsprt_%s_norm_%s(run, &(DsprtNorm){.rows = %s, .channels = "
                "%s, .eps = %s}, %s, %s%s%s, %s);",
                layer ? "layer" : "rms", dsp_c_suffix(x->shape.element),
                rows_text(e, x, over), dsp_product_text(e, over),
                dsp_number(
                    e, mlirFloatAttrGetValueDouble(dsp_get(op, "eps"))),
                dsp_argument(e, x), optional(e, op, 1), layer ? ", " : "",
                layer ? optional(e, op, 2) : "", dsp_argument(e, y));
}

/// One nest for each operand, into its part of the result.
static void emit_concat(DspEmitter *e, MlirOperation op, const DspAccess *y) {
  MlirStringRef dim = dsp_get_text(op, "dim");
  int64_t starts[DSP_MAX_OPERANDS];
  size_t n =
      dsp_attr_read_ints(dsp_get(op, "starts"), starts, DSP_MAX_OPERANDS);
  MlirAttribute terms = dsp_entry(
      dsp_find_dim(e->dims.dims, dim), "terms");
  MlirContext context = mlirOperationGetContext(op);
  MlirAttribute same = mlirIntegerAttrGet(mlirIntegerTypeGet(context, 64), 0);
  MlirType type = mlirValueGetType(mlirOperationGetResult(op, 0));
  for (size_t i = 0; i < n; i++) {
    DspTensorInfo info;
    dsp_tensor_read(type, &info);
    ptrdiff_t at = dsp_tensor_find(&info, dim);
    MlirStringRef names[DSP_MAX_RANK];
    size_t count = 0; // a dim that is no sum: one position each
    if (!mlirAttributeIsNull(terms))
      count = dsp_attr_read_strings(
          mlirArrayAttrGetElement(terms, (intptr_t)i), names, DSP_MAX_RANK);
    DspTensorInfo part = info;
    part.ndims = 0;
    for (ptrdiff_t k = 0; k < (ptrdiff_t)info.ndims; k++) {
      if (k != at) {
        part.dims[part.ndims] = info.dims[k];
        part.sizes[part.ndims++] = info.sizes[k];
        continue;
      }
      for (size_t t = 0; t < count; t++) {
        part.dims[part.ndims] = names[t];
        part.sizes[part.ndims++] = dsp_dim_names(&e->dims, names[t])->size;
      }
    }
    DspAccess view = dsp_access_slice(&e->dims, y, dim, starts[i],
                                      dsp_tensor_type(context, &part));
    dsp_emit_nest(e, &view, same, dsp_operand(e, op, (intptr_t)i), 1);
  }
}

/// The axes of one kind of an einsum.
typedef struct EinsumDims {
  const char *text;
  int count;
} EinsumDims;

/// Adds {size, a, b, y}.
static void add_einsum_dim(DspEmitter *e, EinsumDims *dims,
                           const DspAxis *axis, const DspAccess *a,
                           const DspAccess *b, const DspAccess *y) {
  dims->text = dsp_format(
      e->arena, "%s%s{%s, %s, %s, %s}", dims->text, dims->count++ ? ", " : "",
      dsp_extent_text(&e->dims, axis->extent), dsp_stride_text(e, a, axis),
      dsp_stride_text(e, b, axis), dsp_stride_text(e, y, axis));
}

/// ".nrow = 1, .row = {{..}}, ", or nothing.
static const char *einsum_text(DspEmitter *e, const char *name,
                               const EinsumDims *dims) {
  if (!dims->count) return "";
  return dsp_format(e->arena, ".n%s = %d, .%s = {%s}, ", name, dims->count,
                    name, dims->text);
}

enum { MAX_EINSUM_DIMS = 8 }; // DSPRT_MAX_EINSUM

static void emit_einsum(DspEmitter *e, MlirOperation op, const DspAccess *y) {
  const DspAccess *a = dsp_operand(e, op, 0), *b = dsp_operand(e, op, 1);
  EinsumDims batch = {"", 0}, row = batch, column = batch, sum = batch;
  for (size_t i = 0; i < y->naxes; i++) {
    const DspAxis *axis = &y->axes[i];
    EinsumDims *dims = !dsp_axis_like(a, axis)   ? &column
                       : !dsp_axis_like(b, axis) ? &row
                                             : &batch;
    add_einsum_dim(e, dims, axis, a, b, y);
  }
  for (size_t i = 0; i < a->naxes; i++)
    if (!dsp_axis_like(y, &a->axes[i]))
      add_einsum_dim(e, &sum, &a->axes[i], a, b, y);
  if (batch.count > MAX_EINSUM_DIMS || row.count > MAX_EINSUM_DIMS ||
      column.count > MAX_EINSUM_DIMS || sum.count > MAX_EINSUM_DIMS) {
    dsp_unsupported(e, op, "an einsum over more dims than the runtime takes");
    return;
  }
  dsp_statement(&e->text,
                "dsprt_einsum(run, &(DsprtEinsum){%s%s%s%s.type = %s}, %s, %s, "
                "%s);",
                einsum_text(e, "batch", &batch), einsum_text(e, "row", &row),
                einsum_text(e, "column", &column), einsum_text(e, "sum", &sum),
                dsp_type_constant(y->shape.element), dsp_argument(e, a),
                dsp_argument(e, b), dsp_argument(e, y));
}

static void emit_embedding(DspEmitter *e, MlirOperation op,
                           const DspAccess *y) {
  const DspAccess *ids = dsp_operand(e, op, 0), *w = dsp_operand(e, op, 1);
  MlirAttribute none =
      mlirArrayAttrGet(mlirOperationGetContext(op), 0, NULL);
  MlirAttribute over = dsp_get(op, "over");
  DspExtent channels = dsp_extent_one();
  for (size_t i = 0; i < w->naxes; i++)
    if (!dsp_is_in(over, w->shape.atoms[w->axes[i].first]))
      channels = dsp_extent_times(channels, w->axes[i].extent);
  dsp_statement(&e->text,
                "dsprt_embedding(run, &(DsprtEmbedding){.rows = %s, .entries = "
                "%s, .channels = %s, .type = %s}, %s, %s, %s);",
                rows_text(e, ids, none), dsp_product_text(e, over),
                dsp_extent_text(&e->dims, channels),
                dsp_type_constant(y->shape.element), dsp_argument(e, ids),
                dsp_argument(e, w), dsp_argument(e, y));
}

/// y[i] = i: the expression of a map that has no operand.
static void emit_index(DspEmitter *e, MlirOperation op, const DspAccess *y) {
  MlirAttribute parts[] = {mlirStringAttrGet(
      mlirOperationGetContext(op), mlirStringRefCreateFromCString("index"))};
  dsp_emit_nest(e, y,
                mlirArrayAttrGet(mlirOperationGetContext(op), 1, parts), NULL,
                0);
}

static void emit_map(DspEmitter *e, MlirOperation op, const DspAccess *y) {
  DspAccess in[DSP_MAX_OPERANDS];
  size_t n = (size_t)mlirOperationGetNumOperands(op);
  for (size_t i = 0; i < n; i++) in[i] = *dsp_operand(e, op, (intptr_t)i);
  dsp_emit_nest(e, y, dsp_get(op, "expr"), in, n);
}

static bool is_view(DspOpKind kind) {
  return kind == DSP_OP_SLICE || kind == DSP_OP_SHARD ||
         kind == DSP_OP_RENAME;
}

static void place_view(DspEmitter *e, MlirOperation op) {
  const DspAccess *whole = dsp_operand(e, op, 0);
  MlirValue result = mlirOperationGetResult(op, 0);
  MlirType type = mlirValueGetType(result);
  if (dsp_op_kind(op) == DSP_OP_SHARD)
    dsp_place(e, result, dsp_access_shard(&e->dims, whole, type));
  else if (dsp_op_kind(op) == DSP_OP_RENAME)
    dsp_place(e, result, dsp_access_rename(&e->dims, whole, type));
  else
    dsp_place(e, result,
              dsp_access_slice(&e->dims, whole, dsp_get_text(op, "dim"),
                               dsp_get_int(op, "start"), type));
}

static void emit_copy_reason(DspEmitter *e, MlirOperation op) {
  MlirStringRef reason = dsp_get_text(op, "reason");
  if (reason.length)
    dsp_comment(&e->text, "%.*s", (int)reason.length, reason.data);
}

void dsp_emit_op(DspEmitter *e, MlirOperation op, const char *frame) {
  DspOpKind kind = dsp_op_kind(op);
  if (is_view(kind)) {
    place_view(e, op);
    return;
  }
  if (kind == DSP_OP_PARAM || kind == DSP_OP_INPUT || kind == DSP_OP_OUTPUT)
    return;
  dsp_emit_source(e, op);
  if (!mlirAttributeIsNull(dsp_get(op, "inside"))) return; // its reader's
  dsp_emit_at(e, op);
  const DspAccess *y = dsp_placed(e, mlirOperationGetResult(op, 0));
  MlirAttribute same = mlirIntegerAttrGet(
      mlirIntegerTypeGet(mlirOperationGetContext(op), 64), 0);
  switch (kind) {
  case DSP_OP_LINEAR: emit_linear(e, op, y, frame); break;
  case DSP_OP_FUSED_LINEAR: emit_fused_linear(e, op, y); break;
  case DSP_OP_LAYER_NORM: emit_norm(e, op, y, true); break;
  case DSP_OP_RMS_NORM: emit_norm(e, op, y, false); break;
  case DSP_OP_FUSED_NORM: dsp_emit_row_norm(e, op, y); break;
  case DSP_OP_ATTENTION:
    if (dsp_has_rows_inside(op))
      dsp_emit_short_attention(e, op, y);
    else
      dsp_emit_attention(e, op, y, frame);
    break;
  case DSP_OP_MAP: emit_map(e, op, y); break;
  case DSP_OP_CONCAT: emit_concat(e, op, y); break;
  case DSP_OP_COPY:
    emit_copy_reason(e, op);
    dsp_emit_nest(e, y, same, dsp_operand(e, op, 0), 1);
    break;
  case DSP_OP_REARRANGE:
    dsp_emit_nest(e, y, same, dsp_operand(e, op, 0), 1);
    break;
  case DSP_OP_EINSUM: emit_einsum(e, op, y); break;
  case DSP_OP_EMBEDDING: emit_embedding(e, op, y); break;
  case DSP_OP_INDEX: emit_index(e, op, y); break;
  case DSP_OP_REDUCE: dsp_emit_reduce(e, op, y, dsp_operand(e, op, 0)); break;
  default: dsp_emit_collective(e, op, y, frame); break;
  }
}
