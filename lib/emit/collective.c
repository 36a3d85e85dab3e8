// collective.c - the calls that change a layout.
//
// Needs:  placed operands and results, in contiguous memory.
// Leaves: a comment that says what changes, why, and how many bytes leave; and
//         one call.
#include "op.h"

/// "nodes: T to *, gpus: * to T; ", of a mesh of two axes.
static const char *change_text(DspEmitter *e, MlirOperation op) {
  DspTensorInfo from, to;
  const char *text = "";
  dsp_tensor_read(mlirValueGetType(mlirOperationGetOperand(op, 0)), &from);
  dsp_tensor_read(mlirValueGetType(mlirOperationGetResult(op, 0)), &to);
  for (size_t a = 0; e->dims.mesh.naxes > 1 && a < to.naxes; a++)
    if (!mlirStringRefEqual(from.layout[a], to.layout[a]))
      text = dsp_format(e->arena, "%s%s%s: %.*s to %.*s", text,
                        *text ? ", " : "", e->dims.axis_names[a],
                        (int)from.layout[a].length, from.layout[a].data,
                        (int)to.layout[a].length, to.layout[a].data);
  return *text ? dsp_format(e->arena, "%s; ", text) : "";
}

static void emit_reason(DspEmitter *e, MlirOperation op) {
  MlirStringRef reason = dsp_get_text(op, "reason");
  dsp_comment(&e->text, "%s%.*s; %s", change_text(e, op), (int)reason.length,
              reason.data, dsp_leaving_text(e, op));
}

/// The arguments behind the shape, on a mesh of one axis.
static const char *row_arguments(DspEmitter *e, DspOpKind kind,
                                 const DspAccess *in, const DspAccess *out,
                                 const char *scratch) {
  if (kind == DSP_OP_ALL_TO_ALL)
    return dsp_format(e->arena, ", (DsprtCut)%s, (DsprtCut)%s",
                      dsp_emit_cut(e, in, 0), dsp_emit_cut(e, out, 0));
  if (kind == DSP_OP_ALL_GATHER)
    return dsp_format(e->arena, ", (DsprtCut)%s", dsp_emit_cut(e, in, 0));
  if (kind == DSP_OP_REDUCE_SCATTER)
    return dsp_format(e->arena, ", (DsprtCut)%s, DSPRT_SUM, %s",
                      dsp_emit_cut(e, out, 0), scratch);
  return dsp_format(e->arena, ", DSPRT_SUM, %s", scratch);
}

/// "(DsprtCuts){{{1, 1}, {0, 0}}}": what each axis cuts.
static const char *cuts_text(DspEmitter *e, const DspAccess *a) {
  return dsp_format(e->arena, "(DsprtCuts){{%s, %s}}", dsp_emit_cut(e, a, 0),
                    dsp_emit_cut(e, a, 1));
}

/// The call on a mesh of two axes: one move, or a sum along one axis.
static void emit_on_mesh(DspEmitter *e, DspOpKind kind, const DspAccess *in,
                         const DspAccess *out, const char *scratch) {
  bool sums = kind == DSP_OP_REDUCE_SCATTER || kind == DSP_OP_ALL_REDUCE;
  DspAxes summed = in->shape.partial & ~out->shape.partial;
  const char *args = dsp_format(
      e->arena, "%s, %s, &(DsprtShape)%s", dsp_argument(e, in),
      dsp_argument(e, out), dsp_emit_shape(e, out));
  if (!sums)
    dsp_statement(&e->text, "dsprt_redistribute(run, %s, %s, %s);", args,
                  cuts_text(e, in), cuts_text(e, out));
  else
    dsp_statement(&e->text, "dsprt_axis_%s(run, %u, %s, %s, DSPRT_SUM, %s);",
                  dsp_op_name(kind) + 4, summed >> 1, args, cuts_text(e, out),
                  scratch);
}

void dsp_emit_collective(DspEmitter *e, MlirOperation op, const DspAccess *out,
                         const char *frame) {
  const DspAccess *in = dsp_operand(e, op, 0);
  DspOpKind kind = dsp_op_kind(op);
  emit_reason(e, op);
  bool sums = kind == DSP_OP_REDUCE_SCATTER || kind == DSP_OP_ALL_REDUCE;
  const char *scratch =
      dsp_format(e->arena, "%s + %lld", frame,
                 (long long)(sums ? dsp_get_int(op, "workspace") : 0));
  if (e->dims.mesh.naxes > 1)
    emit_on_mesh(e, kind, in, out, scratch);
  else
    dsp_statement(&e->text, "dsprt_%s(run, %s, %s, &(DsprtShape)%s%s);",
                  dsp_op_name(kind) + 4, dsp_argument(e, in),
                  dsp_argument(e, out), dsp_emit_shape(e, out),
                  row_arguments(e, kind, in, out, scratch));
}
