// loops.c - elementwise ops, copies and sums as nested loops of C.
#include <stdio.h>

#include "nest.h"

static void open_loops(DspEmitter *e, const DspNest *nest, size_t from,
                       size_t to) {
  for (size_t i = from; i < to; i++) {
    dsp_line(&e->text, "for (int64_t %s = 0; %s < %s; %s++)",
             nest->axes[i].index, nest->axes[i].index,
             dsp_extent_text(&e->dims, nest->axes[i].extent),
             nest->axes[i].index);
    e->text.indent++;
  }
}

static void pragma(DspEmitter *e, size_t loops) {
  if (loops > 2)
    dsp_text(&e->text, "#pragma omp parallel for collapse(%d)\n",
             loops > 3 ? 3 : 2);
  else if (loops == 2)
    dsp_text(&e->text, "#pragma omp parallel for\n");
  else if (loops == 1)
    dsp_text(&e->text, "#pragma omp parallel for simd\n");
}

void dsp_emit_nest(DspEmitter *e, const DspAccess *out, MlirAttribute expr,
                   const DspAccess *in, size_t nin) {
  if (e->options->target == DSP_TARGET_CUDA) {
    dsp_emit_nest_kernel(e, out, expr, in, nin);
    return;
  }
  DspNest nest = dsp_nest(e, out, out, in, nin);
  const char *operands[DSP_NEST_IN];
  bool copy = mlirAttributeIsAInteger(expr) &&
              mlirTypeEqual(in[0].shape.element, out->shape.element);
  for (size_t k = 0; k < nin; k++)
    operands[k] = copy ? dsp_nest_element(e, &in[k], &nest, (int)k)
                       : dsp_nest_load(e, &in[k], &nest, (int)k);
  if (nin == 0) operands[0] = dsp_nest_position(e, out, &nest);
  const char *value =
      dsp_without_parentheses(e, dsp_expression(e, expr, operands));
  if (!copy) value = dsp_nest_store(e, out->shape.element, value);
  dsp_statement(&e->text, "dsprt_loop_begin(run, %s);",
                dsp_nest_bytes(e, out, in, nin));
  pragma(e, nest.count);
  open_loops(e, &nest, 0, nest.count);
  dsp_statement(&e->text, "%s = %s;", dsp_nest_element(e, out, &nest, -1),
                value);
  e->text.indent -= (int)nest.count;
  dsp_line(&e->text, "dsprt_loop_end(run);");
}

void dsp_emit_reduce(DspEmitter *e, MlirOperation op, const DspAccess *out,
                     const DspAccess *in) {
  if (e->options->target == DSP_TARGET_CUDA) {
    dsp_emit_reduce_kernel(e, op, out, in);
    return;
  }
  MlirStringRef kind = dsp_get_text(op, "kind");
  bool max = kind.length == 3 && kind.data[0] == 'm', mean = kind.length == 4;
  size_t kept;
  int64_t count;
  DspNest nest = dsp_nest_of_reduce(e, op, out, in, &kept, &count);
  dsp_statement(&e->text, "dsprt_loop_begin(run, %s);",
                dsp_nest_bytes(e, out, in, 1));
  pragma(e, kept > 1 ? kept : 0);
  open_loops(e, &nest, 0, kept);
  dsp_line(&e->text, "{");
  e->text.indent++;
  dsp_line(&e->text, "float total = %s;", max ? "-INFINITY" : "0.0f");
  open_loops(e, &nest, kept, nest.count);
  const char *x = dsp_nest_load(e, in, &nest, 0);
  if (max)
    dsp_line(&e->text, "total = fmaxf(total, %s);", x);
  else
    dsp_line(&e->text, "total += %s;", x);
  e->text.indent -= (int)(nest.count - kept);
  const char *value =
      mean ? dsp_format(e->arena, "total * %s",
                        dsp_number(e, 1.0 / (double)count))
           : "total";
  dsp_statement(&e->text, "%s = %s;", dsp_nest_element(e, out, &nest, -1),
                dsp_nest_store(e, out->shape.element, value));
  e->text.indent--;
  dsp_line(&e->text, "}");
  e->text.indent -= (int)kept;
  dsp_line(&e->text, "dsprt_loop_end(run);");
}
