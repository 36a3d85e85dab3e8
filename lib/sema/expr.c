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

static DspResult value_result(uint32_t value) {
  return (DspResult){.values = {value}, .count = 1};
}

static DspResult eval_name(DspSema *s, const DspExpr *expr) {
  if (dsp_str_equal_c(expr->name.text, "yes")) return number_result(1);
  if (dsp_str_equal_c(expr->name.text, "no")) return number_result(0);
  DspBinding *binding = dsp_need(s, expr->name, DSP_WANT_VALUE);
  if (!binding || binding->kind == DSP_BOUND_ERROR) return failed();
  if (binding->kind == DSP_BOUND_CONST) return number_result(binding->number);
  if (binding->kind == DSP_BOUND_VALUE) return value_result(binding->value);
  DspDiag *diag =
      dsp_sema_error(s, DSP_E0402, expr->range, "'%.*s' is not a value",
                     DSP_FMT(expr->name.text));
  dsp_note(s->diags, diag, binding->range, "it is declared here");
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
  default: return a >= b;
  }
}

static const char *function_of(int op) {
  switch (op) {
  case '+': return "add";
  case '-': return "sub";
  case '*': return "mul";
  case '/': return "div";
  default: return NULL;
  }
}

static DspMapArg map_arg(const DspResult *r, uint32_t operand) {
  return (DspMapArg){
      .is_number = r->is_number, .number = r->number, .operand = operand};
}

static bool one_value(DspSema *s, const DspExpr *expr, const DspResult *r) {
  if (r->failed) return false;
  if (r->is_number || r->count == 1) return true;
  dsp_sema_error(s, DSP_E0504, expr->range, "expected one value, found %zu",
                 r->count);
  return false;
}

static const char *name_of(int op) {
  switch (op) {
  case '+': return "+";
  case '-': return "-";
  case '*': return "*";
  default: return "/";
  }
}

/// An elementwise op of one or two results that are not both numbers.
static DspResult add_binary(DspSema *s, const DspExpr *expr, const char *name,
                            const DspResult *a, const DspResult *b) {
  DspModelOp op = {.kind = DSP_MODEL_MAP,
                   .range = expr->range,
                   .function = dsp_str(name),
                   .nargs = 2};
  uint32_t operands[2];
  size_t n = 0;
  bool real = a->is_number || b->is_number || strcmp(name, "div") == 0;
  op.args[0] = map_arg(a, 0);
  if (!a->is_number) operands[n++] = a->values[0];
  op.args[1] = map_arg(b, (uint32_t)n);
  if (!b->is_number) operands[n++] = b->values[0];
  DspValueType type = *dsp_type_of(s, operands[0]);
  if (real && !dsp_need_real(s, expr->range, name_of(expr->op), operands[0]))
    return failed();
  if (n == 2) {
    const DspValueType *right = dsp_type_of(s, operands[1]);
    if (type.element != right->element) {
      DspDiag *diag = dsp_sema_error(
          s, DSP_E0404, expr->range,
          "the two sides differ in element type: %s and %s",
          dsp_element_name(type.element), dsp_element_name(right->element));
      dsp_help(s->diags, diag, "convert one of them: cast(x, f32)");
      return failed();
    }
    DspAtoms left = type.atoms;
    if (!dsp_merge_atoms(&left, &right->atoms, &type.atoms)) {
      dsp_sema_error(s, DSP_E0303, expr->range, "more than %d dims",
                     DSP_MODEL_MAX_RANK);
      return failed();
    }
  }
  op.operands = dsp_ids(s, n, operands);
  op.noperands = n;
  return value_result(dsp_add_op(s, op, type));
}

static DspResult finite_result(DspSema *s, const DspExpr *expr, double number) {
  if (isfinite(number)) return number_result(number);
  dsp_sema_error(s, DSP_E0505, expr->range, "this is no finite number");
  return failed();
}

static DspResult eval_binary(DspSema *s, const DspExpr *expr) {
  DspResult a = dsp_eval(s, expr->items[0]);
  DspResult b = dsp_eval(s, expr->items[1]);
  if (!one_value(s, expr->items[0], &a) || !one_value(s, expr->items[1], &b))
    return failed();
  if (a.is_number && b.is_number)
    return finite_result(s, expr, fold(expr->op, a.number, b.number));
  const char *function = function_of(expr->op);
  if (function) return add_binary(s, expr, function, &a, &b);
  dsp_sema_error(s, DSP_E0505, expr->range,
                 "only compile-time numbers can be compared");
  return failed();
}

static DspResult eval_unary(DspSema *s, const DspExpr *expr) {
  DspResult a = dsp_eval(s, expr->items[0]);
  if (!one_value(s, expr->items[0], &a)) return failed();
  if (a.is_number) return number_result(-a.number);
  DspModelOp op = {.kind = DSP_MODEL_MAP,
                   .range = expr->range,
                   .function = dsp_str("neg"),
                   .nargs = 1,
                   .noperands = 1};
  op.args[0] = map_arg(&a, 0);
  op.operands = dsp_ids(s, 1, a.values);
  return value_result(dsp_add_op(s, op, *dsp_type_of(s, a.values[0])));
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
  return value_result(dsp_add_op(s, op, type));
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
  if (!one_value(s, expr, &r)) return false;
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
  if (!r.is_number)
    dsp_sema_error(s, DSP_E0505, expr->range,
                   "expected a compile-time number, found a value");
  return r.is_number;
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
