// ops_maps.c - what computes element by element: operators, functions of one
// value or several, and softmax, which is made of them.
#include <math.h>
#include <string.h>

#include "ops.h"

/// A function of numbers, for those that are known at compile time.
typedef struct NumberFunction {
  const char *name;
  double (*one)(double), (*two)(double, double);
} NumberFunction;

static double mod(double a, double b) {
  return a - b * floor(a / b);
}

static const NumberFunction number_functions[] = {
    {"abs", fabs, NULL},  {"exp", exp, NULL},   {"log", log, NULL},
    {"sin", sin, NULL},   {"cos", cos, NULL},   {"sqrt", sqrt, NULL},
    {"erf", erf, NULL},   {"tanh", tanh, NULL}, {"floor", floor, NULL},
    {"max", NULL, fmax},  {"min", NULL, fmin},  {"pow", NULL, pow},
    {"mod", NULL, mod},
};

static DspResult fold(DspSema *s, DspRange range, const char *function,
                      size_t n, const DspResult *args) {
  const size_t count = sizeof number_functions / sizeof number_functions[0];
  for (size_t i = 0; i < count; i++) {
    const NumberFunction *f = &number_functions[i];
    if (strcmp(f->name, function) != 0 || (n == 1) != (f->one != NULL))
      continue;
    double number = n == 1 ? f->one(args[0].number)
                           : f->two(args[0].number, args[1].number);
    return dsp_number_result(s, range, number, false);
  }
  dsp_sema_error(s, DSP_E0402, range, "expected a value, found a number");
  return dsp_op_failed();
}

/// The element type that the values among `args` share.
static bool common_element(DspSema *s, DspRange range, size_t n,
                           const DspResult *args, DspElement *element) {
  bool any = false;
  for (size_t i = 0; i < n; i++) {
    if (args[i].is_number) continue;
    DspElement own = dsp_type_of(s, args[i].values[0])->element;
    if (!any) *element = own;
    any = true;
    if (own == *element) continue;
    DspDiag *diag = dsp_sema_error(
        s, DSP_E0404, range, "the %s differ in element type: %s and %s",
        n == 2 ? "two sides" : "values", dsp_element_name(*element),
        dsp_element_name(own));
    dsp_help(s->diags, diag, "convert one of them: cast(x, f32)");
    return false;
  }
  return true;
}

/// Only sums, differences and products of values are for i32 too.
static bool is_for_integers(const char *function, size_t n,
                            const DspResult *args) {
  for (size_t i = 0; i < n; i++)
    if (args[i].is_number) return false;
  return strcmp(function, "add") == 0 || strcmp(function, "sub") == 0 ||
         strcmp(function, "mul") == 0 || strcmp(function, "neg") == 0;
}

DspResult dsp_map(DspSema *s, DspRange range, const char *function,
                  const char *text, size_t n, const DspResult *args) {
  DspModelOp op = {.kind = DSP_MODEL_MAP,
                   .range = range,
                   .function = dsp_str(function),
                   .nargs = n};
  uint32_t operands[DSP_MODEL_MAX_ARGS];
  DspValueType type = {.atoms = {0}};
  for (size_t i = 0; i < n; i++) {
    op.args[i] = (DspMapArg){.is_number = args[i].is_number,
                             .number = args[i].number,
                             .operand = (uint32_t)op.noperands};
    if (!args[i].is_number) operands[op.noperands++] = args[i].values[0];
  }
  if (!op.noperands) return fold(s, range, function, n, args);
  if (!common_element(s, range, n, args, &type.element)) return dsp_op_failed();
  if (!is_for_integers(function, n, args) &&
      !dsp_need_real(s, range, text, operands[0]))
    return dsp_op_failed();
  for (size_t i = 0; i < op.noperands; i++) {
    DspAtoms left = type.atoms;
    if (dsp_merge_atoms(&left, &dsp_type_of(s, operands[i])->atoms,
                        &type.atoms))
      continue;
    dsp_sema_error(s, DSP_E0303, range, "more than %d dims",
                   DSP_MODEL_MAX_RANK);
    return dsp_op_failed();
  }
  op.operands = dsp_ids(s, op.noperands, operands);
  return dsp_value_result(dsp_add_op(s, op, type));
}

/// The plain arguments of a call, each one value or number.
static bool eval_all(DspSema *s, const DspArgs *args, DspResult *results) {
  for (size_t i = 0; i < args->nplain; i++) {
    results[i] = dsp_eval(s, args->plain[i]);
    if (!dsp_one_value(s, args->plain[i], &results[i])) return false;
  }
  return true;
}

/// The first argument: a number, or a value of real numbers.
static bool eval_real(DspSema *s, const DspArgs *args, DspResult *x) {
  const DspExpr *arg = args->plain[0];
  *x = dsp_eval(s, arg);
  return dsp_one_value(s, arg, x) &&
         (x->is_number ||
          dsp_need_real(s, arg->range, args->rule->name, x->values[0]));
}

/// silu(x) and the other functions of one value
DspResult dsp_op_unary(DspSema *s, const DspArgs *args) {
  DspResult x;
  if (!eval_real(s, args, &x)) return dsp_op_failed();
  const char *name = args->rule->name;
  return dsp_map(s, args->call->range, name, name, 1, &x);
}

/// gelu(x), gelu(x, tanh), gelu(x, sigmoid)
DspResult dsp_op_gelu(DspSema *s, const DspArgs *args) {
  const DspExpr *form = args->nplain == 2 ? args->plain[1] : NULL;
  const char *function = !form ? "gelu" : NULL;
  if (form && form->kind == DSP_EXPR_NAME) {
    if (dsp_str_equal_c(form->name.text, "tanh")) function = "gelu_tanh";
    if (dsp_str_equal_c(form->name.text, "sigmoid")) function = "gelu_sigmoid";
  }
  if (!function) return dsp_args_wrong(s, args);
  DspResult x;
  if (!eval_real(s, args, &x)) return dsp_op_failed();
  return dsp_map(s, args->call->range, function, "gelu", 1, &x);
}

/// leaky_relu(x [, slope]) and elu(x [, alpha])
DspResult dsp_op_sloped(DspSema *s, const DspArgs *args) {
  const char *name = args->rule->name;
  DspResult both[2];
  double number = strcmp(name, "elu") == 0 ? 1 : 0.01;
  if (!eval_real(s, args, &both[0]) ||
      (args->nplain == 2 && !dsp_eval_number(s, args->plain[1], &number)))
    return dsp_op_failed();
  both[1] = (DspResult){.is_number = true, .number = number};
  return dsp_map(s, args->call->range, name, name, 2, both);
}

/// pow(x, y)
DspResult dsp_op_pow(DspSema *s, const DspArgs *args) {
  DspResult both[2];
  if (!eval_all(s, args, both)) return dsp_op_failed();
  return dsp_map(s, args->call->range, "pow", "pow", 2, both);
}

/// where(c, a, b): a where c is not 0, else b
DspResult dsp_op_where(DspSema *s, const DspArgs *args) {
  DspResult all[3];
  if (!eval_all(s, args, all)) return dsp_op_failed();
  if (all[0].is_number) return all[0].number != 0 ? all[1] : all[2];
  return dsp_map(s, args->call->range, "where", "where", 3, all);
}

/// min(x, over T) = -max(-x, over T)
static DspResult least_over(DspSema *s, const DspArgs *args) {
  DspAtoms over = {0};
  DspResult x, most;
  if (!eval_real(s, args, &x)) return dsp_op_failed();
  if (x.is_number) return dsp_args_wrong(s, args);
  if (!dsp_args_dims(s, args, args->over, x.values[0], &over, NULL, NULL))
    return dsp_op_failed();
  x = dsp_map(s, args->call->range, "neg", "min", 1, &x);
  most = dsp_reduce(s, args, "max", x.values[0], &over);
  return dsp_map(s, args->call->range, "neg", "min", 1, &most);
}

/// max(a, b), max(x, over T); min likewise
DspResult dsp_op_extreme(DspSema *s, const DspArgs *args) {
  const char *name = args->rule->name;
  DspResult both[2];
  if (args->nplain + (args->over != NULL) != 2) return dsp_args_wrong(s, args);
  if (!args->over)
    return eval_all(s, args, both)
               ? dsp_map(s, args->call->range, name, name, 2, both)
               : dsp_op_failed();
  if (strcmp(name, "max") == 0) return dsp_op_reduce(s, args);
  return least_over(s, args);
}

static DspResult in_type(DspSema *s, DspRange range, DspResult x,
                         DspElement element) {
  return dsp_value_result(dsp_cast(s, range, x.values[0], element));
}

/// softmax(x, over A): in f32, with zeros where all of x is -inf
DspResult dsp_op_softmax(DspSema *s, const DspArgs *args) {
  DspRange range = args->call->range;
  DspAtoms over = {0};
  uint32_t x;
  if (!dsp_eval_value(s, args->plain[0], &x) ||
      !dsp_need_real(s, args->plain[0]->range, "softmax", x) ||
      !dsp_args_dims(s, args, args->over, x, &over, NULL, NULL))
    return dsp_op_failed();
  DspElement element = dsp_type_of(s, x)->element;
  const DspResult least = {.is_number = true, .number = -3e38};
  const DspResult one = {.is_number = true, .number = 1};
  DspResult pair[2] = {dsp_value_result(dsp_cast(s, range, x, DSP_F32))};
  DspResult most[2] = {
      in_type(s, range, dsp_reduce(s, args, "max", x, &over), DSP_F32), least};
  pair[1] = dsp_map(s, range, "max", "softmax", 2, most);
  pair[0] = dsp_map(s, range, "sub", "softmax", 2, pair);
  pair[0] = dsp_map(s, range, "exp", "softmax", 1, pair);
  DspResult sum[2] = {dsp_reduce(s, args, "sum", pair[0].values[0], &over),
                      one}; // the largest adds 1: less is nothing at all
  pair[1] = dsp_map(s, range, "max", "softmax", 2, sum);
  return in_type(s, range, dsp_map(s, range, "div", "softmax", 2, pair),
                 element);
}
