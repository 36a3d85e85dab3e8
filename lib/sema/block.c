// block.c - declarations and calls of blocks: each call runs the body anew.
#include <string.h>

#include "sema.h"

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
    static const DspBindingKind kinds[] = {[DSP_PARAM_VALUE] = DSP_BOUND_VALUE,
                                           [DSP_PARAM_OVER] = DSP_BOUND_DIM,
                                           [DSP_PARAM_DIM] = DSP_BOUND_DIM,
                                           [DSP_PARAM_CONST] = DSP_BOUND_CONST};
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

void dsp_declare_block(DspSema *s, const DspStmt *stmt) {
  if (dsp_is_taken(s, stmt->names[0])) return;
  for (size_t i = 0; i < stmt->nparams; i++) {
    const DspBlockParam *param = &stmt->params[i];
    if (param->kind == DSP_PARAM_VALUE) dsp_hides(s, param->name);
    for (size_t k = 0; k < i; k++)
      if (dsp_str_equal(stmt->params[k].name.text, param->name.text))
        dsp_declared_twice(s, param->name, stmt->params[k].name.range);
  }
  dsp_bind(s, stmt->names[0], DSP_BOUND_BLOCK)->block = stmt;
}

/// Runs the body, its parameters bound.  What it returned is in `s`.
static void run_body(DspSema *s, const DspStmt *block, const Bound *bound) {
  s->has_returned = false;
  s->nreturned = 0;
  dsp_scope_open(s, true);
  bind_params(s, block, bound);
  dsp_run(s, block->body, block->nbody);
  dsp_scope_close(s);
}

static bool too_deep(DspSema *s, const DspExpr *call, const DspStmt *block) {
  if (s->where.depth < DSP_DEEPEST_CALL) return false;
  DspDiag *diag =
      dsp_sema_error(s, DSP_E0507, call->range,
                     "block '%.*s' makes more than %d calls inside each other",
                     DSP_FMT(block->names[0].text), DSP_DEEPEST_CALL);
  dsp_note(s->diags, diag, block->names[0].range, "the block is declared here");
  return true;
}

static void no_return(DspSema *s, const DspExpr *call, const DspStmt *block) {
  DspDiag *diag =
      dsp_sema_error(s, DSP_E0502, call->range, "block '%.*s' returns nothing",
                     DSP_FMT(block->names[0].text));
  dsp_note(s->diags, diag, block->names[0].range, "the block is declared here");
}

DspResult dsp_eval_block(DspSema *s, const DspExpr *call,
                         const DspBinding *binding) {
  const DspStmt *block = binding->block;
  DspResult result = {.failed = true};
  DspStr args = dsp_str("");
  Bound *bound =
      dsp_arena_alloc(s->arena, (block->nparams + 1) * sizeof *bound);
  if (!bind_all(s, call, block, bound, &args)) return result;
  if (too_deep(s, call, block)) return result;
  DspSema outside = *s;
  if (!dsp_enter_path(s, call->path)) return result;
  bool stage = !s->where.in_stage && !has_repeat(block->body, block->nbody);
  if (stage) {
    dsp_open_stage(s, block->names[0].text, args);
    s->where.in_stage = true;
    s->where.stage_block = block;
  }
  s->where.depth++;
  s->where.block = block;
  s->where.call = call->range;
  s->where.in_call = true;
  size_t errors = s->diags->reported;
  run_body(s, block, bound);
  result.failed = !s->has_returned;
  result.count = s->nreturned;
  if (s->nreturned)
    memcpy(result.values, s->returned, s->nreturned * sizeof *s->returned);
  s->returned = outside.returned;
  s->nreturned = outside.nreturned;
  s->has_returned = outside.has_returned;
  s->where = outside.where;
  if (stage) s->stage = DSP_NONE;
  if (result.failed && errors == s->diags->reported) no_return(s, call, block);
  return result;
}
