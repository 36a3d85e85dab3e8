// nest.c - the loops of elementwise ops, copies and sums, and their texts.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dspc/support/bug.h"
#include "nest.h"

/// The axis over `dim` after `skipped` others: a weight may have a dim twice.
static const DspAxis *find_axis(const DspAccess *a, const DspDimNames *dim,
                                DspAxes cut, size_t skipped) {
  for (size_t i = 0; i < a->naxes; i++)
    if (a->axes[i].dim == dim && a->axes[i].cut == cut && skipped-- == 0)
      return &a->axes[i];
  return NULL;
}

/// How many axes before axis `at` are over the same dim.
static size_t count_before(const DspAccess *a, size_t at) {
  size_t count = 0;
  for (size_t i = 0; i < at; i++)
    count += a->axes[i].dim == a->axes[at].dim &&
             a->axes[i].cut == a->axes[at].cut;
  return count;
}

/// The name of the loop over axis `at`: "i_C", or "i_C_2" for the second one
/// over that dim, however they are cut.
static const char *index_of(DspEmitter *e, const DspAccess *a, size_t at) {
  size_t number = 1;
  for (size_t i = 0; i < at; i++) number += a->axes[i].dim == a->axes[at].dim;
  const char *name = a->axes[at].dim->index_name;
  return number == 1 ? name : dsp_format(e->arena, "%s_%zu", name, number);
}

static const char *times(DspEmitter *e, const char *index, DspExtent stride) {
  if (dsp_extent_is_one(stride)) return index;
  return dsp_format(e->arena, "%s * %s", index,
                    dsp_extent_factor(&e->dims, stride));
}

/// The index of a whole operand along those atoms of a cut product that it
/// has: ((S_0 + s) / cols) * stride + ((S_0 + s) % cols) * stride.  NULL when
/// it has none.
static const char *atoms_index(DspEmitter *e, const DspAxis *axis,
                               const char *index, const DspAccess *in) {
  MlirAttribute factors = axis->dim->factors;
  const char *flat =
      dsp_format(e->arena, "(%s + %s)", axis->dim->begin_name[axis->cut],
                 index);
  const char *text = "";
  int64_t inner = 1;
  intptr_t n = mlirAttributeIsNull(factors)
                   ? 1
                   : mlirArrayAttrGetNumElements(factors);
  for (intptr_t i = n; i-- > 0;) {
    MlirStringRef name =
        mlirAttributeIsNull(factors)
            ? axis->dim->name
            : mlirStringAttrGetValue(mlirArrayAttrGetElement(factors, i));
    const DspDimNames *dim = dsp_dim_names(&e->dims, name);
    const DspAxis *own = find_axis(in, dim, 0, 0);
    const char *digit =
        i == 0 ? dsp_format(e->arena, "%s / %lld", flat, (long long)inner)
               : dsp_format(e->arena, "%s / %lld %% %s", flat,
                            (long long)inner, dim->size_name);
    if (own)
      text = dsp_format(e->arena, "%s%s%s", text, *text ? " + " : "",
                        times(e, dsp_format(e->arena, "(%s)", digit),
                              own->stride));
    inner *= dim->size;
  }
  return *text ? text : NULL;
}

static DspStepAlong step_of(DspEmitter *e, const DspAxis *axis, size_t skipped,
                            const char *index, const DspAccess *in) {
  const DspAxis *own = find_axis(in, axis->dim, axis->cut, skipped);
  if (own) return (DspStepAlong){.present = true, .stride = own->stride};
  if (!axis->cut) return (DspStepAlong){.present = false};
  const char *text = atoms_index(e, axis, index, in);
  return (DspStepAlong){.present = text != NULL, .by_atoms = text};
}

static bool joins(const DspStepAlong *outer, const DspStepAlong *inner,
                  DspExtent extent) {
  if (outer->by_atoms || inner->by_atoms) return false;
  if (!outer->present && !inner->present) return true;
  return outer->present && inner->present &&
         dsp_extent_equal(outer->stride,
                          dsp_extent_times(extent, inner->stride));
}

static void coalesce(DspNest *nest, size_t nin) {
  for (size_t i = nest->count; i-- > 1;) {
    DspNestAxis *outer = &nest->axes[i - 1], *inner = &nest->axes[i];
    bool fine = joins(&outer->out, &inner->out, inner->extent);
    for (size_t k = 0; k < nin && fine; k++)
      fine = joins(&outer->in[k], &inner->in[k], inner->extent);
    if (!fine) continue;
    DspNestAxis merged = *inner;
    merged.extent = dsp_extent_times(outer->extent, inner->extent);
    *outer = merged;
    memmove(inner, inner + 1, (nest->count - i - 1) * sizeof *inner);
    nest->count--;
  }
}

DspNest dsp_nest(DspEmitter *e, const DspAccess *over,
                       const DspAccess *out, const DspAccess *in, size_t nin) {
  DspNest nest = {.count = over->naxes};
  for (size_t i = 0; i < over->naxes; i++) {
    const DspAxis *axis = &over->axes[i];
    DspNestAxis *loop = &nest.axes[i];
    loop->extent = axis->extent;
    size_t skipped = count_before(over, i);
    loop->index = index_of(e, over, i);
    loop->out = step_of(e, axis, skipped, loop->index, out);
    for (size_t k = 0; k < nin; k++)
      loop->in[k] = step_of(e, axis, skipped, loop->index, &in[k]);
  }
  coalesce(&nest, nin);
  return nest;
}

const char *dsp_nest_index(DspEmitter *e, const DspAccess *a,
                           const DspNest *nest, int which) {
  const char *text = a->offset ? a->offset : "";
  for (size_t i = 0; i < nest->count; i++) {
    const DspStepAlong *step =
        which < 0 ? &nest->axes[i].out : &nest->axes[i].in[which];
    if (!step->present) continue;
    const char *term = step->by_atoms
                           ? step->by_atoms
                           : times(e, nest->axes[i].index, step->stride);
    text = dsp_format(e->arena, "%s%s%s", text, *text ? " + " : "", term);
  }
  return *text ? text : "0";
}

const char *dsp_nest_element(DspEmitter *e, const DspAccess *a,
                             const DspNest *nest, int which) {
  return dsp_format(e->arena, "%s[%s]", a->base,
                    dsp_nest_index(e, a, nest, which));
}

const char *dsp_nest_load(DspEmitter *e, const DspAccess *a,
                        const DspNest *nest, int which) {
  const char *at = dsp_nest_element(e, a, nest, which);
  MlirType type = a->shape.element;
  if (mlirTypeIsABF16(type))
    return dsp_format(e->arena, "dsprt_from_bf16(%s)", at);
  if (mlirTypeIsAF16(type))
    return dsp_format(e->arena, "dsprt_from_f16(%s)", at);
  return at;
}

const char *dsp_nest_position(DspEmitter *e, const DspAccess *a,
                              const DspNest *nest) {
  const char *index = nest->axes[0].index;
  if (!a->axes[0].cut) return dsp_format(e->arena, "(float)%s", index);
  return dsp_format(e->arena, "(float)(%s + %s)",
                    a->axes[0].dim->begin_name[a->axes[0].cut], index);
}

/// Elements of accesses of one extent, and their bytes together.
typedef struct Moved {
  const char *elements[DSP_NEST_IN + 1];
  int bytes[DSP_NEST_IN + 1];
  size_t count;
} Moved;

static void add_moved(DspEmitter *e, Moved *moved, const DspAccess *a) {
  MlirType type = a->shape.element;
  const char *elements =
      dsp_extent_text(&e->dims, dsp_extent_of(a->axes, a->naxes));
  size_t i = 0;
  while (i < moved->count && strcmp(moved->elements[i], elements) != 0) i++;
  if (i == moved->count) moved->count++;
  moved->elements[i] = elements;
  moved->bytes[i] += mlirTypeIsABF16(type) || mlirTypeIsAF16(type) ? 2 : 4;
}

const char *dsp_nest_bytes(DspEmitter *e, const DspAccess *out,
                           const DspAccess *in, size_t nin) {
  Moved moved = {0};
  const char *text = "";
  add_moved(e, &moved, out);
  for (size_t i = 0; i < nin; i++) add_moved(e, &moved, &in[i]);
  for (size_t i = 0; i < moved.count; i++)
    text = dsp_format(e->arena, "%s%s%d.0 * %s", text, i ? " + " : "",
                      moved.bytes[i], moved.elements[i]);
  return text;
}

const char *dsp_nest_store(DspEmitter *e, MlirType type, const char *value) {
  if (mlirTypeIsABF16(type))
    return dsp_format(e->arena, "dsprt_to_bf16(%s)", value);
  if (mlirTypeIsAF16(type))
    return dsp_format(e->arena, "dsprt_to_f16(%s)", value);
  return value;
}

/// `x` rounded to the f32 that elementwise code computes in.
const char *dsp_number(DspEmitter *e, double x) {
  float rounded = (float)x;
  if (isinf(rounded)) return rounded < 0 ? "(-INFINITY)" : "INFINITY";
  const char *text = dsp_format(e->arena, "%.9g", (double)rounded);
  bool point = strpbrk(text, ".e") != NULL;
  return dsp_format(e->arena, x < 0 ? "(%s%sf)" : "%s%sf", text,
                    point ? "" : ".0");
}

/// The sign of a function that is an operator of C, or NULL.
static const char *sign_of(MlirStringRef function, bool *condition) {
  static const struct {
    const char *name, *sign;
    bool condition;
  } signs[] = {{"add", "+", false}, {"sub", "-", false}, {"mul", "*", false},
               {"div", "/", false}, {"lt", "<", true},   {"le", "<=", true},
               {"gt", ">", true},   {"ge", ">=", true},  {"eq", "==", true},
               {"ne", "!=", true},  {"and", "&&", true}, {"or", "||", true}};
  for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
    if (!mlirStringRefEqual(function,
                            mlirStringRefCreateFromCString(signs[i].name)))
      continue;
    *condition = signs[i].condition;
    return signs[i].sign;
  }
  return NULL;
}

static bool is_called(MlirStringRef function, const char *name) {
  return mlirStringRefEqual(function, mlirStringRefCreateFromCString(name));
}

/// The parts of a call: its function, "" for what is no call.
static MlirStringRef function_of(MlirAttribute expr) {
  return mlirAttributeIsAArray(expr)
             ? mlirStringAttrGetValue(mlirArrayAttrGetElement(expr, 0))
             : mlirStringRefCreateFromCString("");
}

/// An expression as a condition of C: "a < b", or "x != 0.0f".
static const char *condition_text(DspEmitter *e, MlirAttribute expr,
                                  const char *const *operands) {
  MlirStringRef f = function_of(expr);
  bool condition = false;
  const char *sign = sign_of(f, &condition);
  if (is_called(f, "not"))
    return dsp_format(
        e->arena, "!(%s)",
        condition_text(e, mlirArrayAttrGetElement(expr, 1), operands));
  if (!condition)
    return dsp_format(e->arena, "%s != 0.0f",
                      dsp_expression(e, expr, operands));
  MlirAttribute a = mlirArrayAttrGetElement(expr, 1);
  MlirAttribute b = mlirArrayAttrGetElement(expr, 2);
  if (sign[0] != '&' && sign[0] != '|')
    return dsp_format(e->arena, "%s %s %s", dsp_expression(e, a, operands),
                      sign, dsp_expression(e, b, operands));
  return dsp_format(e->arena, "(%s) %s (%s)", condition_text(e, a, operands),
                    sign, condition_text(e, b, operands));
}

/// "(a < b ? x : y)"
static const char *choice_text(DspEmitter *e, MlirAttribute condition,
                               const char *a, const char *b,
                               const char *const *operands) {
  return dsp_format(e->arena, "(%s ? %s : %s)",
                    condition_text(e, condition, operands), a, b);
}

/// A call of the function of the same name in dsprt_math.h.
static const char *call_text(DspEmitter *e, MlirAttribute expr,
                             const char *const *operands) {
  MlirStringRef f = function_of(expr);
  const char *text = dsp_format(e->arena, "dsprt_%.*s(", (int)f.length, f.data);
  for (intptr_t i = 1; i < mlirArrayAttrGetNumElements(expr); i++)
    text = dsp_format(
        e->arena, "%s%s%s", text, i > 1 ? ", " : "",
        dsp_without_parentheses(
            e, dsp_expression(e, mlirArrayAttrGetElement(expr, i), operands)));
  return dsp_format(e->arena, "%s)", text);
}

const char *dsp_expression(DspEmitter *e, MlirAttribute expr,
                              const char *const *operands) {
  if (mlirAttributeIsAInteger(expr))
    return operands[mlirIntegerAttrGetValueInt(expr)];
  if (mlirAttributeIsAFloat(expr))
    return dsp_number(e, mlirFloatAttrGetValueDouble(expr));
  if (mlirArrayAttrGetNumElements(expr) == 1) return operands[0];
  MlirStringRef f = function_of(expr);
  MlirAttribute a = mlirArrayAttrGetElement(expr, 1);
  bool condition = false;
  const char *sign = sign_of(f, &condition);
  if (condition || is_called(f, "not"))
    return choice_text(e, expr, "1.0f", "0.0f", operands);
  if (is_called(f, "where"))
    return choice_text(
        e, a, dsp_expression(e, mlirArrayAttrGetElement(expr, 2), operands),
        dsp_expression(e, mlirArrayAttrGetElement(expr, 3), operands),
        operands);
  if (sign)
    return dsp_format(
        e->arena, "(%s %s %s)", dsp_expression(e, a, operands), sign,
        dsp_expression(e, mlirArrayAttrGetElement(expr, 2), operands));
  if (is_called(f, "neg"))
    return dsp_format(e->arena, "(-%s)", dsp_expression(e, a, operands));
  return call_text(e, expr, operands);
}

const char *dsp_without_parentheses(DspEmitter *e, const char *text) {
  size_t n = strlen(text);
  int depth = 0;
  if (text[0] != '(') return text;
  for (size_t i = 0; i < n; i++) {
    depth += (text[i] == '(') - (text[i] == ')');
    if (depth == 0 && i + 1 < n) return text;
  }
  return dsp_format(e->arena, "%.*s", (int)n - 2, text + 1);
}

static bool in_list(MlirAttribute list, MlirStringRef name) {
  for (intptr_t i = 0; i < mlirArrayAttrGetNumElements(list); i++)
    if (mlirStringRefEqual(
            mlirStringAttrGetValue(mlirArrayAttrGetElement(list, i)), name))
      return true;
  return false;
}

/// Is the axis of the operand one that is summed?  A cut product counts when
/// its first atom does.
static bool is_reduced(const DspAccess *in, const DspAxis *axis,
                       MlirAttribute over) {
  return in_list(over, in->shape.atoms[axis->first]);
}

DspNest dsp_nest_of_reduce(DspEmitter *e, MlirOperation op,
                           const DspAccess *out, const DspAccess *in,
                           size_t *kept, int64_t *count) {
  MlirAttribute over = dsp_get(op, "over");
  DspAccess all = *in, summed = *in;
  all.naxes = summed.naxes = 0;
  *count = 1;
  for (size_t i = 0; i < in->naxes; i++) {
    if (is_reduced(in, &in->axes[i], over)) {
      summed.axes[summed.naxes++] = in->axes[i];
      *count *= in->axes[i].dim->size;
    } else {
      all.axes[all.naxes++] = in->axes[i];
    }
  }
  *kept = all.naxes;
  for (size_t i = 0; i < summed.naxes; i++)
    all.axes[all.naxes++] = summed.axes[i];
  DspNest nest = {.count = all.naxes};
  for (size_t i = 0; i < all.naxes; i++) {
    DspNestAxis *loop = &nest.axes[i];
    loop->extent = all.axes[i].extent;
    loop->index = all.axes[i].dim->index_name;
    loop->out = step_of(e, &all.axes[i], 0, loop->index, out);
    loop->in[0] = step_of(e, &all.axes[i], 0, loop->index, in);
  }
  return nest;
}
