// expr.c - expressions: compile-time numbers, values and what builds them.
#include <math.h>
#include <string.h>

#include "sema.h"

const DspValueType *dsp_type_of(const DspSema *s, uint32_t value) {
  return &s->model->values[value].type;
}

uint32_t *dsp_ids(DspSema *s, size_t n, const uint32_t *ids) {
  uint32_t *copy = dsp_arena_alloc(s->arena, (n + 1) * sizeof *copy);
  if (n) memcpy(copy, ids, n * sizeof *copy);
  return copy;
}

/// Makes room for one more element of a model array.
#define GROW(s, array, count, capacity)                                      \
  do {                                                                       \
    if ((count) < (capacity)) break;                                         \
    (capacity) = (capacity) ? 2 * (capacity) : 4096;                         \
    void *grown = dsp_arena_alloc((s)->arena, (capacity) * sizeof *(array)); \
    if (count) memcpy(grown, (array), (count) * sizeof *(array));            \
    (array) = grown;                                                         \
  } while (0)

void dsp_open_stage(DspSema *s, DspStr name, DspStr args) {
  DspModel *m = s->model;
  GROW(s, m->stages, m->nstages, s->stages_capacity);
  DspStage *stage = &m->stages[m->nstages];
  *stage = (DspStage){.name = name,
                      .args = args,
                      .path = s->where.pattern,
                      .nloops = s->where.nloops};
  memcpy(stage->loops, s->where.loops, sizeof stage->loops);
  s->stage = (uint32_t)m->nstages++;
  s->stage_path = s->where.path;
}

static bool is_large(const DspSema *s, const DspValueType *type) {
  int64_t each = type->element == DSP_F32 || type->element == DSP_I32 ? 4 : 2;
  return dsp_atoms_size(s, &type->atoms) > DSP_MAX_BYTES / each;
}

/// Reports the first value of a chain that no address reaches.
static void check_bytes(DspSema *s, const DspModelOp *op,
                        const DspValueType *type) {
  if (!is_large(s, type)) return;
  for (size_t i = 0; i < op->noperands; i++)
    if (is_large(s, dsp_type_of(s, op->operands[i]))) return;
  DspStr dims = dsp_atoms_text(s, &type->atoms);
  dsp_sema_error(s, DSP_E0310, op->range,
                 "a value of dims %.*s has more than 2^62 bytes",
                 DSP_FMT(dims));
}

uint32_t dsp_add_op(DspSema *s, DspModelOp op, DspValueType type) {
  DspModel *m = s->model;
  check_bytes(s, &op, &type);
  if (s->stage == DSP_NONE) dsp_open_stage(s, dsp_str(""), dsp_str(""));
  GROW(s, m->ops, m->nops, s->ops_capacity);
  op.stage = s->stage;
  op.result = DSP_NONE;
  if (op.kind != DSP_MODEL_OUTPUT) {
    GROW(s, m->values, m->nvalues, s->values_capacity);
    m->values[m->nvalues] = (DspValue){.type = type, .op = (uint32_t)m->nops};
    op.result = (uint32_t)m->nvalues++;
  }
  m->ops[m->nops++] = op;
  return op.result;
}

static DspResult failed(void) {
  return (DspResult){.failed = true};
}

static DspResult number_result(double number) {
  return (DspResult){.is_number = true, .number = number};
}

DspResult dsp_value_result(uint32_t value) {
  return (DspResult){.values = {value}, .count = 1};
}

/// In a const, a dim is its size: no -D can make the two differ.
static DspResult size_result(const DspSema *s, const DspBinding *dim) {
  return number_result((double)dsp_atoms_size(s, &dim->atoms));
}

static DspResult eval_name(DspSema *s, const DspExpr *expr) {
  if (dsp_str_equal_c(expr->name.text, "yes")) return number_result(1);
  if (dsp_str_equal_c(expr->name.text, "no")) return number_result(0);
  if (dsp_str_equal_c(expr->name.text, "inf") && !dsp_lookup(s, dsp_str("inf")))
    return number_result(HUGE_VAL);
  DspBinding *binding = dsp_need(s, expr->name, DSP_WANT_VALUE);
  if (!binding || binding->kind == DSP_BOUND_ERROR) return failed();
  if (binding->kind == DSP_BOUND_CONST) return number_result(binding->number);
  if (binding->kind == DSP_BOUND_VALUE) return dsp_value_result(binding->value);
  bool is_dim = binding->kind == DSP_BOUND_DIM;
  if (is_dim && s->in_const) return size_result(s, binding);
  DspDiag *diag =
      dsp_sema_error(s, DSP_E0402, expr->range, "'%.*s' is not a value",
                     DSP_FMT(expr->name.text));
  dsp_note(s->diags, diag, binding->range, "it is declared here");
  if (is_dim)
    dsp_help(s->diags, diag, "its size is a number in a const: const n = %.*s",
             DSP_FMT(expr->name.text));
  return failed();
}

static double fold(int op, double a, double b) {
  switch (op) {
  case '+': return a + b;
  case '-': return a - b;
  case '*': return a * b;
  case '/': return a / b;
  case '<': return a < b;
  case '>': return a > b;
  case DSP_EQUAL: return a == b;
  case DSP_UNEQUAL: return a != b;
  case DSP_AT_MOST: return a <= b;
  case DSP_AND: return a != 0 && b != 0;
  case DSP_OR: return a != 0 || b != 0;
  case '%': return a - b * floor(a / b);
  default: return a >= b;
  }
}

/// An operator: the function that it is for values, and its text.
typedef struct Operator {
  int op;
  const char *function, *text;
} Operator;

static const Operator operators[] = {
    {'+', "add", "+"},          {'-', "sub", "-"},
    {'*', "mul", "*"},          {'/', "div", "/"},
    {'%', "mod", "%"},          {'<', "lt", "<"},
    {'>', "gt", ">"},           {DSP_EQUAL, "eq", "=="},
    {DSP_UNEQUAL, "ne", "!="},  {DSP_AT_MOST, "le", "<="},
    {DSP_AT_LEAST, "ge", ">="}, {DSP_AND, "and", "and"},
    {DSP_OR, "or", "or"},
};

static const Operator *find_operator(int op) {
  size_t i = 0;
  while (operators[i].op != op) i++;
  return &operators[i];
}

bool dsp_one_value(DspSema *s, const DspExpr *expr, const DspResult *r) {
  if (r->failed) return false;
  if (r->is_number || r->count == 1) return true;
  dsp_sema_error(s, DSP_E0504, expr->range, "expected one value, found %zu",
                 r->count);
  return false;
}

DspResult dsp_number_result(DspSema *s, DspRange range, double number,
                            bool may_be_infinite) {
  if (isfinite(number) || (may_be_infinite && isinf(number)))
    return number_result(number);
  dsp_sema_error(s, DSP_E0505, range, "this is no finite number");
  return failed();
}

static DspResult eval_binary(DspSema *s, const DspExpr *expr) {
  DspResult both[] = {dsp_eval(s, expr->items[0]), dsp_eval(s, expr->items[1])};
  if (!dsp_one_value(s, expr->items[0], &both[0]) ||
      !dsp_one_value(s, expr->items[1], &both[1]))
    return failed();
  const Operator *op = find_operator(expr->op);
  if (!both[0].is_number || !both[1].is_number)
    return dsp_map(s, expr->range, op->function, op->text, 2, both);
  double a = both[0].number, b = both[1].number;
  return dsp_number_result(s, expr->range, fold(expr->op, a, b),
                           isinf(a) || isinf(b));
}

static DspResult eval_unary(DspSema *s, const DspExpr *expr) {
  bool is_not = expr->op == DSP_NOT;
  DspResult a = dsp_eval(s, expr->items[0]);
  if (!dsp_one_value(s, expr->items[0], &a)) return failed();
  if (a.is_number) return number_result(is_not ? a.number == 0 : -a.number);
  return dsp_map(s, expr->range, is_not ? "not" : "neg", is_not ? "not" : "-",
                 1, &a);
}

/// x[dim: 3] picks one position; the dim goes away.
static DspResult eval_index(DspSema *s, const DspExpr *expr) {
  uint32_t value;
  int64_t start;
  DspBinding *binding = dsp_need(s, expr->name, DSP_WANT_DIM);
  if (!dsp_eval_value(s, expr->items[0], &value) ||
      !dsp_eval_integer(s, expr->items[1], &start) || !binding ||
      binding->kind == DSP_BOUND_ERROR)
    return failed();
  DspValueType type = *dsp_type_of(s, value);
  int at = binding->kind == DSP_BOUND_DIM && binding->atoms.count == 1
               ? dsp_atoms_find(&type.atoms, binding->atoms.ids[0])
               : -1;
  if (at < 0) {
    DspStr dims = dsp_atoms_text(s, &type.atoms);
    dsp_sema_error(s, DSP_E0403, expr->range,
                   "the value has dims %.*s: no '%.*s' to index", DSP_FMT(dims),
                   DSP_FMT(expr->name.text));
    return failed();
  }
  uint32_t dim = type.atoms.ids[at];
  if (start < 0 || start >= s->model->dims[dim].size) {
    dsp_sema_error(s, DSP_E0409, expr->items[1]->range,
                   "index %lld of '%.*s', which has size %lld",
                   (long long)start, DSP_FMT(expr->name.text),
                   (long long)s->model->dims[dim].size);
    return failed();
  }
  for (size_t i = (size_t)at; i + 1 < type.atoms.count; i++)
    type.atoms.ids[i] = type.atoms.ids[i + 1];
  type.atoms.count--;
  DspModelOp op = {.kind = DSP_MODEL_SLICE,
                   .range = expr->range,
                   .dim = dim,
                   .start = start,
                   .size = 1,
                   .noperands = 1};
  op.operands = dsp_ids(s, 1, &value);
  return dsp_value_result(dsp_add_op(s, op, type));
}

static DspResult eval_call(DspSema *s, const DspExpr *expr) {
  DspBinding *binding = dsp_lookup(s, expr->name.text);
  if (binding && binding->kind == DSP_BOUND_BLOCK)
    return dsp_eval_block(s, expr, binding);
  if (dsp_is_op(expr->name.text)) return dsp_eval_op(s, expr);
  if (!dsp_need(s, expr->name, DSP_WANT_CALL)) return failed();
  if (binding->kind == DSP_BOUND_ERROR) return failed();
  DspDiag *diag = dsp_sema_error(s, DSP_E0401, expr->name.range,
                                 "'%.*s' is not an op or a block",
                                 DSP_FMT(expr->name.text));
  dsp_note(s->diags, diag, binding->range, "it is declared here");
  return failed();
}

DspResult dsp_eval(DspSema *s, const DspExpr *expr) {
  switch (expr->kind) {
  case DSP_EXPR_NUMBER: return number_result(expr->number);
  case DSP_EXPR_NAME: return eval_name(s, expr);
  case DSP_EXPR_CALL: return eval_call(s, expr);
  case DSP_EXPR_UNARY: return eval_unary(s, expr);
  case DSP_EXPR_BINARY: return eval_binary(s, expr);
  case DSP_EXPR_INDEX: return eval_index(s, expr);
  default:
    dsp_sema_error(s, DSP_E0402, expr->range, "a value was expected here");
    return failed();
  }
}

bool dsp_eval_value(DspSema *s, const DspExpr *expr, uint32_t *value) {
  DspResult r = dsp_eval(s, expr);
  if (!dsp_one_value(s, expr, &r)) return false;
  if (r.is_number) {
    dsp_sema_error(s, DSP_E0402, expr->range,
                   "expected a value, found a number");
    return false;
  }
  *value = r.values[0];
  return true;
}

bool dsp_eval_number(DspSema *s, const DspExpr *expr, double *number) {
  DspResult r = dsp_eval(s, expr);
  if (r.failed) return false;
  *number = r.number;
  if (r.is_number && isfinite(r.number)) return true;
  dsp_sema_error(s, DSP_E0505, expr->range,
                 r.is_number ? "expected a finite number, found inf"
                             : "expected a compile-time number, found a value");
  return false;
}

bool dsp_eval_integer(DspSema *s, const DspExpr *expr, int64_t *number) {
  double n;
  if (!dsp_eval_number(s, expr, &n)) return false;
  if (!(n >= -1e15 && n <= 1e15) || n != (double)(int64_t)n) {
    dsp_sema_error(s, DSP_E0505, expr->range, "expected an integer");
    return false;
  }
  *number = (int64_t)n;
  return true;
}
