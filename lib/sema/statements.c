// statements.c - statements: they run in order, repeats as often as they say.
#include <string.h>

#include "sema.h"

/// After an error the names stand for nothing, silently.
static void poison(DspSema *s, const DspStmt *stmt) {
  for (size_t i = 0; i < stmt->nnames; i++) {
    DspBinding *known = dsp_lookup(s, stmt->names[i].text);
    if (stmt->kind == DSP_STMT_ASSIGN && known) {
      if (known->kind == DSP_BOUND_VALUE) known->kind = DSP_BOUND_ERROR;
    } else {
      dsp_bind(s, stmt->names[i], DSP_BOUND_ERROR);
    }
  }
}

/// The op that made `value` gets the variable's name, if it has none yet.
static void name_value(DspSema *s, uint32_t value, DspStr name) {
  DspModelOp *op = &s->model->ops[s->model->values[value].op];
  if (!op->name.length) op->name = name;
}

/// Is there a value for each name, and no name twice?
static bool check_count(DspSema *s, const DspStmt *stmt, const DspResult *r) {
  const char *plural = stmt->nnames == 1 ? "" : "s";
  if (r->failed) return false;
  if (r->is_number)
    dsp_sema_error(s, DSP_E0504, stmt->value->range,
                   "expected %zu value%s, found a number", stmt->nnames,
                   plural);
  else if (r->count != stmt->nnames)
    dsp_sema_error(s, DSP_E0504, stmt->value->range,
                   "expected %zu value%s, found %zu", stmt->nnames, plural,
                   r->count);
  for (size_t i = 0; i < stmt->nnames; i++)
    for (size_t k = 0; k < i; k++)
      if (dsp_str_equal(stmt->names[i].text, stmt->names[k].text))
        dsp_declared_twice(s, stmt->names[i], stmt->names[k].range);
  return !r->is_number && r->count == stmt->nnames;
}

static void assign(DspSema *s, DspName name, uint32_t value) {
  DspBinding *binding = dsp_need(s, name, DSP_WANT_VARIABLE);
  if (!binding || binding->kind == DSP_BOUND_ERROR) return;
  if (binding->kind == DSP_BOUND_VALUE) {
    binding->value = value;
    return;
  }
  DspDiag *diag = dsp_sema_error(
      s, DSP_E0402, name.range, "'%.*s' is not a variable", DSP_FMT(name.text));
  dsp_note(s->diags, diag, binding->range, "it is declared here");
}

static void declare_value(DspSema *s, DspName name, uint32_t value) {
  bool bad = dsp_hides(s, name);
  dsp_bind(s, name, bad ? DSP_BOUND_ERROR : DSP_BOUND_VALUE)->value = value;
}

static void run_binding(DspSema *s, const DspStmt *stmt) {
  DspResult r = dsp_eval(s, stmt->value);
  if (!check_count(s, stmt, &r)) {
    poison(s, stmt);
    return;
  }
  for (size_t i = 0; i < r.count; i++) {
    name_value(s, r.values[i], stmt->names[i].text);
    if (stmt->kind == DSP_STMT_LET)
      declare_value(s, stmt->names[i], r.values[i]);
    else
      assign(s, stmt->names[i], r.values[i]);
  }
}

static void run_param(DspSema *s, const DspStmt *stmt) {
  DspValueType type;
  int64_t *file;
  size_t nfile;
  bool has_element;
  if (!dsp_read_type(s, &stmt->type, false, &type, &file, &nfile,
                     &has_element)) {
    dsp_bind(s, stmt->names[0], DSP_BOUND_ERROR);
    return;
  }
  if (!has_element) type.element = s->default_element;
  DspStr rel = dsp_eval_path(s, stmt->value, false);
  uint32_t value =
      dsp_add_param(s, stmt->names[0].range, rel, type, file, nfile);
  name_value(s, value, stmt->names[0].text);
  declare_value(s, stmt->names[0], value);
}

/// Is a repeat possible here?  An error when not.
static bool can_repeat(DspSema *s, const DspStmt *stmt) {
  if (s->where.in_stage) {
    DspName inner = s->where.block->names[0];
    DspName outer = s->where.stage_block->names[0];
    DspDiag *diag = dsp_sema_error(
        s, DSP_E0506, stmt->range,
        "block '%.*s' repeats, but is called by '%.*s', which has no repeat",
        DSP_FMT(inner.text), DSP_FMT(outer.text));
    dsp_note(s->diags, diag, outer.range, "'%.*s' is declared here",
             DSP_FMT(outer.text));
    dsp_help(s->diags, diag, "call '%.*s' from the model itself",
             DSP_FMT(inner.text));
    return false;
  }
  if (s->where.nloops < DSP_MODEL_MAX_LOOPS) return true;
  dsp_sema_error(s, DSP_E0506, stmt->range,
                 "more than %d repeats inside each other", DSP_MODEL_MAX_LOOPS);
  return false;
}

/// `name`, or with a number behind it when a repeat around has it already: an
/// index in a block that is called from a repeat.
static DspStr loop_variable(DspSema *s, DspStr name) {
  DspStr variable = name;
  size_t number = 2;
  for (size_t i = 0; i < s->where.nloops; i++) {
    if (!dsp_str_equal(s->where.loops[i].variable, variable)) continue;
    variable = dsp_sema_text(s, "%.*s_%zu", DSP_FMT(name), number++);
    i = SIZE_MAX; // from the first one again
  }
  return variable;
}

static void run_turn(DspSema *s, const DspStmt *stmt, DspLoopInfo loop) {
  DspWhere outside = s->where;
  dsp_scope_open(s, false);
  DspBinding *index = dsp_bind(s, stmt->names[0], DSP_BOUND_CONST);
  index->number = (double)loop.index;
  index->is_loop = true;
  index->variable = loop.variable;
  s->where.loops[s->where.nloops++] = loop;
  s->stage = DSP_NONE;
  if (dsp_enter_path(s, stmt->path)) dsp_run(s, stmt->body, stmt->nbody);
  s->stage = DSP_NONE;
  dsp_scope_close(s);
  s->where = outside;
}

static void run_repeat(DspSema *s, const DspStmt *stmt) {
  int64_t count;
  if (!dsp_eval_integer(s, stmt->value, &count)) return;
  if (count < 0 || count > 100000) {
    dsp_sema_error(s, DSP_E0505, stmt->value->range,
                   "a repeat runs 0 to 100000 times, not %lld",
                   (long long)count);
    return;
  }
  if (!can_repeat(s, stmt) || dsp_hides(s, stmt->names[0])) return;
  DspLoopInfo loop = {.repeat = s->nrepeats++,
                      .variable = loop_variable(s, stmt->names[0].text),
                      .count = count};
  size_t errors = s->diags->reported;
  for (; loop.index < count && s->diags->reported == errors; loop.index++)
    run_turn(s, stmt, loop);
}

static void run_if(DspSema *s, const DspStmt *stmt) {
  double condition;
  if (!dsp_eval_number(s, stmt->value, &condition)) return;
  dsp_scope_open(s, false);
  if (condition != 0)
    dsp_run(s, stmt->body, stmt->nbody);
  else
    dsp_run(s, stmt->otherwise, stmt->notherwise);
  dsp_scope_close(s);
}

static void run_return(DspSema *s, const DspStmt *stmt) {
  if (!s->where.in_call) {
    dsp_sema_error(s, DSP_E0502, stmt->range, "a return outside of a block");
    return;
  }
  uint32_t values[DSP_MAX_VALUES];
  size_t n = 0;
  for (size_t i = 0; i < stmt->nvalues; i++) {
    DspResult r = dsp_eval(s, stmt->values[i]);
    if (r.failed) return;
    if (r.is_number) {
      dsp_sema_error(s, DSP_E0502, stmt->values[i]->range,
                     "a block returns values, not numbers");
      return;
    }
    if (n + r.count > DSP_MAX_VALUES) {
      dsp_sema_error(s, DSP_E0504, stmt->values[i]->range,
                     "a block returns at most %d values", DSP_MAX_VALUES);
      return;
    }
    memcpy(values + n, r.values, r.count * sizeof *values);
    n += r.count;
  }
  s->returned = dsp_ids(s, n, values);
  s->nreturned = n;
  s->has_returned = true;
}

static void bad_pin(DspSema *s, DspName name, const DspBinding *binding,
                    const char *what) {
  DspDiag *diag = dsp_sema_error(s, DSP_E0402, name.range, "'%.*s' is not %s",
                                 DSP_FMT(name.text), what);
  dsp_note(s->diags, diag, binding->range, "it is declared here");
  dsp_help(s->diags, diag, "write pin x on T: a value and one of its dims");
}

static void run_pin(DspSema *s, const DspStmt *stmt) {
  DspBinding *value = dsp_need(s, stmt->names[0], DSP_WANT_VARIABLE);
  DspBinding *dim = dsp_need(s, stmt->names[1], DSP_WANT_DIM);
  if (!value || !dim || value->kind == DSP_BOUND_ERROR ||
      dim->kind == DSP_BOUND_ERROR)
    return;
  if (value->kind != DSP_BOUND_VALUE) {
    bad_pin(s, stmt->names[0], value, "a value");
    return;
  }
  if (dim->kind != DSP_BOUND_DIM || dim->dim == DSP_NONE) {
    bad_pin(s, stmt->names[1], dim, "a declared dim");
    return;
  }
  const DspValueType *type = dsp_type_of(s, value->value);
  if (dsp_atoms_part(&type->atoms, &dim->atoms) < 0) {
    DspStr text = dsp_atoms_text(s, &type->atoms);
    DspDiag *diag =
        dsp_sema_error(s, DSP_E0403, stmt->names[1].range,
                       "the value has dims %.*s: no '%.*s' to pin it on",
                       DSP_FMT(text), DSP_FMT(stmt->names[1].text));
    dsp_note(s->diags, diag, dim->range, "the dim is declared here");
    return;
  }
  DspModelOp op = {.kind = DSP_MODEL_PIN,
                   .range = stmt->names[0].range,
                   .dim = dim->dim,
                   .noperands = 1};
  op.operands = dsp_ids(s, 1, &value->value);
  value->value = dsp_add_op(s, op, *type);
}

void dsp_run(DspSema *s, DspStmt *const *stmts, size_t count) {
  for (size_t i = 0; i < count && !s->has_returned; i++) {
    const DspStmt *stmt = stmts[i];
    switch (stmt->kind) {
    case DSP_STMT_LET:
    case DSP_STMT_ASSIGN: run_binding(s, stmt); break;
    case DSP_STMT_PARAM: run_param(s, stmt); break;
    case DSP_STMT_REPEAT: run_repeat(s, stmt); break;
    case DSP_STMT_IF: run_if(s, stmt); break;
    case DSP_STMT_RETURN: run_return(s, stmt); break;
    case DSP_STMT_PIN: run_pin(s, stmt); break;
    default: break; // declarations of the model: sema.c
    }
  }
}
