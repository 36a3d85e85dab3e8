// sema.c - from the tree to the model: declarations first, then the body.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sema.h"

/// The number that -D gives to a const.
static bool define_number(DspSema *s, DspName name, DspStr define,
                          double *number) {
  char *end;
  DspStr copy = dsp_sema_text(s, "%.*s", DSP_FMT(define));
  *number = strtod(copy.data, &end);
  if (!*end && end != copy.data && isfinite(*number)) return true;
  dsp_sema_error(s, DSP_E0505, name.range, "-D %.*s=%s is no number",
                 DSP_FMT(name.text), copy.data);
  return false;
}

static void declare_const(DspSema *s, const DspStmt *stmt) {
  double number = 0;
  if (dsp_is_taken(s, stmt->names[0])) return;
  DspStr define = dsp_defined(s, stmt->names[0]);
  s->in_const = true;
  bool fine = dsp_eval_number(s, stmt->value, &number);
  s->in_const = false;
  if (define.data)
    fine = define_number(s, stmt->names[0], define, &number) && fine;
  dsp_bind(s, stmt->names[0], fine ? DSP_BOUND_CONST : DSP_BOUND_ERROR)
      ->number = number;
}

static void declare_type(DspSema *s, const DspStmt *stmt) {
  if (dsp_is_taken(s, stmt->names[0])) return;
  DspElement element = DSP_F32;
  DspStr text = dsp_defined(s, stmt->names[0]);
  if (!text.data) text = stmt->names[1].text;
  bool fine = dsp_parse_element(text, &element);
  if (!fine) dsp_no_element(s, stmt->names[1].range, text);
  dsp_bind(s, stmt->names[0], fine ? DSP_BOUND_TYPE : DSP_BOUND_ERROR)
      ->element = element;
}

static void declare_input(DspSema *s, const DspStmt *stmt, bool *first) {
  DspValueType type = {0};
  DspModelOp op = {.kind = DSP_MODEL_INPUT,
                   .range = stmt->names[0].range,
                   .name = stmt->names[0].text};
  bool has_element;
  if (dsp_is_taken(s, stmt->names[0])) return;
  bool fine = dsp_read_type(s, &stmt->type, true, &type, &op.file_shape,
                            &op.nfile_shape, &has_element);
  if (fine && !has_element)
    dsp_sema_error(s, DSP_E0305, stmt->type.range,
                   "an input needs an element type, as in f32[B, C]");
  if (!fine || !has_element) {
    dsp_bind(s, stmt->names[0], DSP_BOUND_ERROR);
    return;
  }
  if (*first && type.element != DSP_I32) {
    s->default_element = type.element;
    *first = false;
  }
  uint32_t value = dsp_add_op(s, op, type);
  dsp_bind(s, stmt->names[0], DSP_BOUND_VALUE)->value = value;
}

/// The sizes of a value with the user's products merged, as files have them.
static int64_t *file_shape(DspSema *s, const DspAtoms *atoms, size_t *count) {
  int64_t *sizes =
      dsp_arena_alloc(s->arena, (atoms->count + 1) * sizeof *sizes);
  *count = 0;
  for (size_t i = 0; i < atoms->count;) {
    size_t best = 1;
    for (size_t d = 0; d < s->model->ndims; d++) {
      const DspAtoms *f = &s->model->dims[d].factors;
      if (s->model->dims[d].kind == DSP_DIM_PRODUCT && f->count > best &&
          i + f->count <= atoms->count &&
          memcmp(f->ids, atoms->ids + i, f->count * sizeof f->ids[0]) == 0)
        best = f->count;
    }
    DspAtoms part = {.count = best};
    memcpy(part.ids, atoms->ids + i, best * sizeof part.ids[0]);
    sizes[(*count)++] = dsp_atoms_size(s, &part);
    i += best;
  }
  return sizes;
}

static void add_output(DspSema *s, DspName name, uint32_t value) {
  DspModelOp op = {.kind = DSP_MODEL_OUTPUT,
                   .range = name.range,
                   .name = name.text,
                   .noperands = 1};
  op.operands = dsp_ids(s, 1, &value);
  op.file_shape = file_shape(s, &dsp_type_of(s, value)->atoms, &op.nfile_shape);
  dsp_add_op(s, op, *dsp_type_of(s, value));
}

static void run_output(DspSema *s, const DspStmt *stmt) {
  uint32_t value;
  if (dsp_eval_value(s, stmt->value, &value))
    add_output(s, stmt->names[0], value);
}

/// `output x;` is the value that x has at the end.
static void settle_output(DspSema *s, DspName name) {
  DspBinding *binding = dsp_need(s, name, DSP_WANT_VARIABLE);
  if (!binding || binding->kind == DSP_BOUND_ERROR) return;
  if (binding->kind == DSP_BOUND_VALUE) {
    add_output(s, name, binding->value);
    return;
  }
  DspDiag *diag = dsp_sema_error(s, DSP_E0402, name.range,
                                 "'%.*s' is not a value", DSP_FMT(name.text));
  dsp_note(s->diags, diag, binding->range, "it is declared here");
}

/// The earlier output of the same name, or NULL.
static const DspStmt *output_before(const DspSema *s, size_t at) {
  DspStr name = s->ast->items[at]->names[0].text;
  for (size_t i = 0; i < at; i++)
    if (s->ast->items[i]->kind == DSP_STMT_OUTPUT &&
        dsp_str_equal(s->ast->items[i]->names[0].text, name))
      return s->ast->items[i];
  return NULL;
}

static void two_outputs(DspSema *s, DspName name, DspName first) {
  DspDiag *diag =
      dsp_sema_error(s, DSP_E0302, name.range, "two outputs are called '%.*s'",
                     DSP_FMT(name.text));
  dsp_note(s->diags, diag, first.range, "the first one is here");
}

static void settle_outputs(DspSema *s) {
  bool any = false;
  for (size_t i = 0; i < s->ast->nitems; i++) {
    const DspStmt *stmt = s->ast->items[i];
    if (stmt->kind != DSP_STMT_OUTPUT) continue;
    any = true;
    const DspStmt *before = output_before(s, i);
    if (before)
      two_outputs(s, stmt->names[0], before->names[0]);
    else if (!stmt->value)
      settle_output(s, stmt->names[0]);
  }
  if (!any)
    dsp_sema_error(s, DSP_E0504, s->ast->model.range,
                   "the model has no output");
}

static void run_item(DspSema *s, DspStmt *stmt, bool *first_input) {
  switch (stmt->kind) {
  case DSP_STMT_DIM: dsp_declare_dim(s, stmt->names[0], stmt->value); break;
  case DSP_STMT_CONST: declare_const(s, stmt); break;
  case DSP_STMT_TYPE: declare_type(s, stmt); break;
  case DSP_STMT_INPUT: declare_input(s, stmt, first_input); break;
  case DSP_STMT_BLOCK: dsp_declare_block(s, stmt); break;
  case DSP_STMT_OUTPUT:
    if (stmt->value) run_output(s, stmt);
    break;
  default: dsp_run(s, &stmt, 1); break;
  }
}

static void check_defines(DspSema *s) {
  for (size_t i = 0; i < s->ndefines; i++)
    if (!s->define_used[i])
      dsp_sema_error(s, DSP_E0307, s->ast->model.range,
                     "-D %.*s: the model has no such dim, const or type",
                     DSP_FMT(s->defines[i].name));
}

DspModel *dsp_sema_model(DspArena *arena, const DspAst *ast,
                         const DspDefine *defines, size_t ndefines,
                         DspDiags *diags) {
  DspModel *model = dsp_arena_alloc(arena, sizeof *model);
  *model = (DspModel){.name = ast->model.text, .source = ast->source};
  DspSema s = {.arena = arena,
               .diags = diags,
               .model = model,
               .ast = ast,
               .defines = defines,
               .ndefines = ndefines,
               .stage = DSP_NONE};
  s.define_used = dsp_arena_alloc(arena, (ndefines + 1) * sizeof(bool));
  memset(s.define_used, 0, (ndefines + 1) * sizeof(bool));
  dsp_scope_open(&s, false);
  bool first_input = true;
  for (size_t i = 0; i < ast->nitems; i++)
    run_item(&s, ast->items[i], &first_input);
  s.stage = DSP_NONE;
  settle_outputs(&s);
  check_defines(&s);
  return diags->count ? NULL : model;
}
