// statements.c - declarations, statements and calls of blocks.
#include <string.h>

#include "dspc/sema/model.h"
#include "sema.h"

static DspStr join(DspSema *s, DspStr prefix, DspStr rest) {
  if (!prefix.length) return rest;
  return dsp_sema_text(s, "%.*s.%.*s", DSP_FMT(prefix), DSP_FMT(rest));
}

static void enter_path(DspSema *s, const DspExpr *path) {
  if (!path) return;
  s->where.path = join(s, s->where.path, dsp_eval_string(s, path, false));
  s->where.pattern = join(s, s->where.pattern, dsp_eval_string(s, path, true));
}

static bool has_repeat(DspStmt *const *stmts, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (stmts[i]->kind == DSP_STMT_REPEAT ||
        has_repeat(stmts[i]->body, stmts[i]->nbody) ||
        has_repeat(stmts[i]->otherwise, stmts[i]->notherwise))
      return true;
  return false;
}

/// One argument that a call binds to a parameter of the block.
typedef struct Bound {
  bool given;
  uint32_t value;
  double number;
  DspAtoms atoms;
} Bound;

static DspStr text_of(DspSema *s, const DspExpr *expr) {
  return (DspStr){s->ast->source->text + expr->range.begin,
                  expr->range.end - expr->range.begin};
}

static int find_param(const DspStmt *block, DspBlockParamKind kind,
                      const DspStr *name, const Bound *bound) {
  for (size_t i = 0; i < block->nparams; i++)
    if (block->params[i].kind == kind && !bound[i].given &&
        (!name || dsp_str_equal(block->params[i].name.text, *name)))
      return (int)i;
  return -1;
}

static bool bind_arg(DspSema *s, const DspExpr *arg, const DspStmt *block,
                     Bound *bound, DspStr *args) {
  int i = -1;
  if (arg->kind == DSP_EXPR_OVER) {
    i = find_param(block, DSP_PARAM_OVER, NULL, bound);
    if (i >= 0) {
      *args = dsp_sema_text(s, "%.*s%sover %.*s", DSP_FMT(*args),
                            args->length ? ", " : "",
                            DSP_FMT(text_of(s, arg->items[0])));
      bound[i].given = true;
      return dsp_read_dims(s, arg->items[0], &bound[i].atoms, NULL, NULL);
    }
  } else if (arg->kind == DSP_EXPR_NAMED) {
    i = find_param(block, DSP_PARAM_DIM, &arg->name.text, bound);
    if (i >= 0) {
      bound[i].given = true;
      return dsp_read_dims(s, arg->items[0], &bound[i].atoms, NULL, NULL);
    }
    i = find_param(block, DSP_PARAM_CONST, &arg->name.text, bound);
    if (i >= 0) {
      bound[i].given = true;
      return dsp_eval_number(s, arg->items[0], &bound[i].number);
    }
  } else {
    i = find_param(block, DSP_PARAM_VALUE, NULL, bound);
    if (i >= 0) {
      bound[i].given = true;
      return dsp_eval_value(s, arg, &bound[i].value);
    }
  }
  DspDiag *diag =
      dsp_sema_error(s, DSP_E0501, arg->range,
                     "block '%.*s' has no parameter for this argument",
                     DSP_FMT(block->names[0].text));
  dsp_note(s->diags, diag, block->names[0].range, "the block is declared here");
  return false;
}

static void bind_params(DspSema *s, const DspStmt *block, const Bound *bound) {
  for (size_t i = 0; i < block->nparams; i++) {
    const DspBlockParam *param = &block->params[i];
    static const DspBindingKind kinds[] = {
        [DSP_PARAM_VALUE] = DSP_BOUND_VALUE, [DSP_PARAM_OVER] = DSP_BOUND_DIM,
        [DSP_PARAM_DIM] = DSP_BOUND_DIM, [DSP_PARAM_CONST] = DSP_BOUND_CONST};
    DspBinding *binding = dsp_bind(s, param->name, kinds[param->kind]);
    binding->value = bound[i].value;
    binding->number = bound[i].number;
    binding->atoms = bound[i].atoms;
  }
}

static bool bind_all(DspSema *s, const DspExpr *call, const DspStmt *block,
                     Bound *bound, DspStr *args) {
  bool fine = true;
  memset(bound, 0, (block->nparams + 1) * sizeof *bound);
  for (size_t i = 0; i < call->nitems; i++)
    fine = bind_arg(s, call->items[i], block, bound, args) && fine;
  for (size_t i = 0; i < block->nparams && fine; i++) {
    if (bound[i].given) continue;
    DspDiag *diag = dsp_sema_error(
        s, DSP_E0501, call->range, "block '%.*s' needs an argument for '%.*s'",
        DSP_FMT(block->names[0].text), DSP_FMT(block->params[i].name.text));
    dsp_note(s->diags, diag, block->params[i].name.range, "declared here");
    fine = false;
  }
  return fine;
}

DspResult dsp_eval_block(DspSema *s, const DspExpr *call,
                         const DspBinding *binding) {
  const DspStmt *block = binding->block;
  DspResult result = {.failed = true};
  DspStr args = dsp_str("");
  Bound *bound =
      dsp_arena_alloc(s->arena, (block->nparams + 1) * sizeof *bound);
  if (!bind_all(s, call, block, bound, &args)) return result;
  if (s->where.depth == DSP_DEEPEST_CALL) {
    dsp_sema_error(s, DSP_E0507, call->range,
                   "more than %d calls inside each other", DSP_DEEPEST_CALL);
    return result;
  }
  DspWhere outside = s->where;
  enter_path(s, call->path);
  bool stage = !outside.in_stage && !has_repeat(block->body, block->nbody);
  if (stage) {
    dsp_open_stage(s, block->names[0].text, args);
    s->where.in_stage = true;
  }
  s->where.depth++;
  s->where.call = call->range;
  s->where.in_call = true;
  uint32_t *returned = s->returned;
  size_t nreturned = s->nreturned;
  bool has_returned = s->has_returned;
  s->has_returned = false;
  dsp_scope_open(s, true);
  bind_params(s, block, bound);
  size_t errors = s->diags->reported;
  dsp_run(s, block->body, block->nbody);
  if (s->has_returned && s->nreturned <= DSP_MAX_VALUES) {
    result.failed = false;
    result.count = s->nreturned;
    memcpy(result.values, s->returned, s->nreturned * sizeof *s->returned);
  } else if (errors == s->diags->reported) {
    dsp_sema_error(s, DSP_E0502, call->range, "block '%.*s' returns nothing",
                   DSP_FMT(block->names[0].text));
  }
  dsp_scope_close(s);
  s->returned = returned;
  s->nreturned = nreturned;
  s->has_returned = has_returned;
  s->where = outside;
  if (stage) s->stage = DSP_NONE;
  return result;
}

static void poison(DspSema *s, const DspStmt *stmt) {
  for (size_t i = 0; i < stmt->nnames; i++)
    if (!dsp_lookup(s, stmt->names[i].text))
      dsp_bind(s, stmt->names[i], DSP_BOUND_ERROR);
}

/// The op that made `value` gets the variable's name, if it has none yet.
static void name_value(DspSema *s, uint32_t value, DspStr name) {
  DspModelOp *op = &s->model->ops[s->model->values[value].op];
  if (!op->name.length) op->name = name;
}

static void run_binding(DspSema *s, const DspStmt *stmt) {
  DspResult r = dsp_eval(s, stmt->value);
  if (r.failed) {
    poison(s, stmt);
    return;
  }
  if (r.is_number || r.count != stmt->nnames) {
    dsp_sema_error(s, DSP_E0504, stmt->value->range,
                   r.is_number ? "expected %zu value(s), found a number"
                               : "expected %zu value(s), found another number "
                                 "of them",
                   stmt->nnames);
    poison(s, stmt);
    return;
  }
  for (size_t i = 0; i < r.count; i++) {
    name_value(s, r.values[i], stmt->names[i].text);
    DspBinding *binding = stmt->kind == DSP_STMT_LET
                              ? dsp_bind(s, stmt->names[i], DSP_BOUND_VALUE)
                              : dsp_need(s, stmt->names[i], "value");
    if (!binding) continue;
    if (binding->kind == DSP_BOUND_VALUE)
      binding->value = r.values[i];
    else if (binding->kind != DSP_BOUND_ERROR)
      dsp_sema_error(s, DSP_E0402, stmt->names[i].range,
                     "'%.*s' is not a variable",
                     DSP_FMT(stmt->names[i].text));
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
  DspStr rel = dsp_eval_string(s, stmt->value, false);
  uint32_t value =
      dsp_add_param(s, stmt->names[0].range, rel, type, file, nfile);
  name_value(s, value, stmt->names[0].text);
  dsp_bind(s, stmt->names[0], DSP_BOUND_VALUE)->value = value;
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
  if (s->where.in_stage || s->where.nloops == DSP_MODEL_MAX_LOOPS) {
    dsp_sema_error(s, DSP_E0506, stmt->range,
                   "more than %d repeats inside each other",
                   DSP_MODEL_MAX_LOOPS);
    return;
  }
  uint32_t number = s->nrepeats++;
  size_t errors = s->diags->reported;
  for (int64_t i = 0; i < count && s->diags->reported == errors; i++) {
    DspWhere outside = s->where;
    dsp_scope_open(s, false);
    DspBinding *index = dsp_bind(s, stmt->names[0], DSP_BOUND_CONST);
    index->number = (double)i;
    index->is_loop = true;
    s->where.loops[s->where.nloops++] =
        (DspLoopInfo){.repeat = number,
                      .variable = stmt->names[0].text,
                      .index = i,
                      .count = count};
    enter_path(s, stmt->path);
    s->stage = DSP_NONE;
    dsp_run(s, stmt->body, stmt->nbody);
    s->stage = DSP_NONE;
    dsp_scope_close(s);
    s->where = outside;
  }
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
  bool fine = stmt->nvalues <= DSP_MAX_VALUES;
  for (size_t i = 0; i < stmt->nvalues && fine; i++) {
    DspResult r = dsp_eval(s, stmt->values[i]);
    if (r.is_number)
      dsp_sema_error(s, DSP_E0502, stmt->values[i]->range,
                     "a block returns values, not numbers");
    fine = !r.failed && !r.is_number && n + r.count <= DSP_MAX_VALUES;
    if (fine) memcpy(values + n, r.values, r.count * sizeof *values);
    n += fine ? r.count : 0;
  }
  if (!fine) return;
  s->returned = dsp_ids(s, n, values);
  s->nreturned = n;
  s->has_returned = true;
}

static void run_pin(DspSema *s, const DspStmt *stmt) {
  DspBinding *value = dsp_need(s, stmt->names[0], "value");
  DspBinding *dim = dsp_need(s, stmt->names[1], "dim");
  if (!value || !dim) return;
  if (value->kind != DSP_BOUND_VALUE || dim->kind != DSP_BOUND_DIM ||
      dim->dim == DSP_NONE) {
    dsp_sema_error(s, DSP_E0402, stmt->names[0].range,
                   "a pin needs a value and a declared dim: pin x on T");
    return;
  }
  DspModelOp op = {.kind = DSP_MODEL_PIN, .range = stmt->names[0].range,
                   .dim = dim->dim, .noperands = 1};
  op.operands = dsp_ids(s, 1, &value->value);
  value->value = dsp_add_op(s, op, *dsp_type_of(s, value->value));
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
