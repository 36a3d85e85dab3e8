// print.c - the resolved model as text: dims, then ops with types and stages;
// and the tensors of its files.
#include "dspc/sema/model.h"

static const char *const op_names[] = {
    [DSP_MODEL_INPUT] = "input",
    [DSP_MODEL_PARAM] = "param",
    [DSP_MODEL_OUTPUT] = "output",
    [DSP_MODEL_LINEAR] = "linear",
    [DSP_MODEL_LAYER_NORM] = "layer_norm",
    [DSP_MODEL_RMS_NORM] = "rms_norm",
    [DSP_MODEL_ATTENTION] = "attention",
    [DSP_MODEL_MAP] = "map",
    [DSP_MODEL_SLICE] = "slice",
    [DSP_MODEL_CONCAT] = "concat",
    [DSP_MODEL_REARRANGE] = "rearrange",
    [DSP_MODEL_REDUCE] = "reduce",
    [DSP_MODEL_PIN] = "pin",
    [DSP_MODEL_EINSUM] = "einsum",
    [DSP_MODEL_EMBEDDING] = "embedding",
    [DSP_MODEL_ROPE] = "rope",
    [DSP_MODEL_RENAME] = "rename",
    [DSP_MODEL_INDEX] = "index",
};

static const char *const element_names[] = {
    [DSP_F32] = "f32",
    [DSP_BF16] = "bf16",
    [DSP_F16] = "f16",
    [DSP_I32] = "i32",
};

static void print_atoms(const DspModel *m, const DspAtoms *atoms, FILE *out) {
  fputc('[', out);
  for (size_t i = 0; i < atoms->count; i++)
    fprintf(out, "%s%.*s", i ? ", " : "",
            DSP_FMT(m->dims[atoms->ids[i]].name));
  fputc(']', out);
}

static void print_dim(const DspModel *m, const DspModelDim *dim, FILE *out) {
  fprintf(out, "dim %.*s = %lld", DSP_FMT(dim->name), (long long)dim->size);
  if (dim->kind == DSP_DIM_PRODUCT) {
    fputs(" = product ", out);
    print_atoms(m, &dim->factors, out);
  }
  for (size_t i = 0; dim->kind == DSP_DIM_SUM && i < dim->nterms; i++) {
    fputs(i ? " + " : " = sum ", out);
    print_atoms(m, &dim->terms[i], out);
  }
  fputc('\n', out);
}

static void print_details(const DspModel *m, const DspModelOp *op, FILE *out) {
  if (op->over.count) {
    fputs(" over ", out);
    print_atoms(m, &op->over, out);
  }
  if (op->kind == DSP_MODEL_LINEAR) {
    fputs(" -> ", out);
    print_atoms(m, &op->out, out);
  }
  if (op->function.length) fprintf(out, " %.*s", DSP_FMT(op->function));
  if (op->kind == DSP_MODEL_SLICE)
    fprintf(out, " %.*s: %lld + %lld", DSP_FMT(m->dims[op->dim].name),
            (long long)op->start, (long long)op->size);
  if (op->kind == DSP_MODEL_CONCAT || op->kind == DSP_MODEL_PIN)
    fprintf(out, " on %.*s", DSP_FMT(m->dims[op->dim].name));
  if (op->causal) fputs(" causal", out);
  if (op->window) fprintf(out, " window %lld", (long long)op->window);
  if (op->path.length) fprintf(out, " \"%.*s\"", DSP_FMT(op->path));
}

static void print_op(const DspModel *m, const DspModelOp *op, FILE *out) {
  DspPlaceInText place = dsp_source_place(m->source, op->range.begin);
  fputs("  ", out);
  if (op->kind != DSP_MODEL_OUTPUT) {
    const DspValueType *type = &m->values[op->result].type;
    fprintf(out, "%%%u: %s", op->result, element_names[type->element]);
    print_atoms(m, &type->atoms, out);
    fputs(" = ", out);
  }
  fputs(op_names[op->kind], out);
  if (op->name.length) fprintf(out, " '%.*s'", DSP_FMT(op->name));
  for (size_t i = 0; i < op->noperands; i++)
    fprintf(out, "%s%%%u", i ? ", " : " ", op->operands[i]);
  print_details(m, op, out);
  fprintf(out, "  // line %d\n", place.line);
}

void dsp_model_print(const DspModel *m, FILE *out) {
  fprintf(out, "model %.*s\n", DSP_FMT(m->name));
  for (size_t i = 0; i < m->ndims; i++) print_dim(m, &m->dims[i], out);
  uint32_t stage = UINT32_MAX;
  for (size_t i = 0; i < m->nops; i++) {
    if (m->ops[i].stage != stage) {
      stage = m->ops[i].stage;
      const DspStage *at = &m->stages[stage];
      fprintf(out, "stage %u %.*s(%.*s) at \"%.*s\"\n", stage,
              DSP_FMT(at->name), DSP_FMT(at->args), DSP_FMT(at->path));
    }
    print_op(m, &m->ops[i], out);
  }
}

static void print_tensor(const DspModel *m, const DspModelOp *op, FILE *out) {
  bool is_output = op->kind == DSP_MODEL_OUTPUT;
  uint32_t value = is_output ? op->operands[0] : op->result;
  DspStr name = op->kind == DSP_MODEL_PARAM ? op->path : op->name;
  fprintf(out, "%s %.*s %s [", op_names[op->kind], DSP_FMT(name),
          element_names[m->values[value].type.element]);
  for (size_t i = 0; i < op->nfile_shape; i++)
    fprintf(out, "%s%lld", i ? ", " : "", (long long)op->file_shape[i]);
  fputs("]\n", out);
}

void dsp_model_print_tensors(const DspModel *m, FILE *out) {
  for (size_t i = 0; i < m->nops; i++) {
    const DspModelOp *op = &m->ops[i];
    if (op->kind == DSP_MODEL_INPUT || op->kind == DSP_MODEL_OUTPUT ||
        (op->kind == DSP_MODEL_PARAM && !op->again))
      print_tensor(m, op, out);
  }
}
