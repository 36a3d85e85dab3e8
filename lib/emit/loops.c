// loops.c - elementwise ops, copies and sums as nested loops.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dspc/support/bug.h"
#include "emitter.h"

enum { MAX_IN = DSP_MAX_OPERANDS };

/// How an access moves along one loop.
typedef struct Step {
  bool present;
  DspExtent stride;
  const char *by_atoms; ///< an index of its own: atoms of a cut product
} Step;

typedef struct LoopAxis {
  DspExtent extent;
  const char *index;
  Step out, in[MAX_IN];
} LoopAxis;

typedef struct NestLoops {
  LoopAxis axes[DSP_MAX_RANK];
  size_t count;
} NestLoops;

static const DspAxis *find_axis(const DspAccess *a, const DspDimNames *dim,
                                bool cut) {
  for (size_t i = 0; i < a->naxes; i++)
    if (a->axes[i].dim == dim && a->axes[i].cut == cut) return &a->axes[i];
  return NULL;
}

static const char *times(DspEmitter *e, const char *index, DspExtent stride) {
  if (dsp_extent_is_one(stride)) return index;
  return dsp_format(e->arena, "%s * %s", index,
                    dsp_extent_factor(&e->dims, stride));
}

/// The index of a whole operand along the atoms of a cut product:
/// ((S_0 + s) / cols) * stride + ((S_0 + s) % cols) * stride.
static const char *atoms_index(DspEmitter *e, const DspAxis *axis,
                               const char *index, const DspAccess *in) {
  MlirAttribute factors = axis->dim->factors;
  const char *flat =
      dsp_format(e->arena, "(%s + %s)", axis->dim->begin_name, index);
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
    const DspAxis *own = find_axis(in, dim, false);
    if (!own) return NULL;
    const char *digit =
        i == 0 ? dsp_format(e->arena, "%s / %lld", flat, (long long)inner)
               : dsp_format(e->arena, "%s / %lld %% %s", flat,
                            (long long)inner, dim->size_name);
    text = dsp_format(e->arena, "%s%s%s", text, *text ? " + " : "",
                      times(e, dsp_format(e->arena, "(%s)", digit),
                            own->stride));
    inner *= dim->size;
  }
  return text;
}

static Step step_of(DspEmitter *e, const DspAxis *axis, const char *index,
                    const DspAccess *in) {
  const DspAxis *own = find_axis(in, axis->dim, axis->cut);
  if (own) return (Step){.present = true, .stride = own->stride};
  if (!axis->cut) return (Step){.present = false};
  const char *text = atoms_index(e, axis, index, in);
  return (Step){.present = text != NULL, .by_atoms = text};
}

static bool joins(const Step *outer, const Step *inner, DspExtent extent) {
  if (outer->by_atoms || inner->by_atoms) return false;
  if (!outer->present && !inner->present) return true;
  return outer->present && inner->present &&
         dsp_extent_equal(outer->stride,
                          dsp_extent_times(extent, inner->stride));
}

static void coalesce(NestLoops *nest, size_t nin) {
  for (size_t i = nest->count; i-- > 1;) {
    LoopAxis *outer = &nest->axes[i - 1], *inner = &nest->axes[i];
    bool fine = joins(&outer->out, &inner->out, inner->extent);
    for (size_t k = 0; k < nin && fine; k++)
      fine = joins(&outer->in[k], &inner->in[k], inner->extent);
    if (!fine) continue;
    LoopAxis merged = *inner;
    merged.extent = dsp_extent_times(outer->extent, inner->extent);
    *outer = merged;
    memmove(inner, inner + 1, (nest->count - i - 1) * sizeof *inner);
    nest->count--;
  }
}

static NestLoops build(DspEmitter *e, const DspAccess *over,
                       const DspAccess *out, const DspAccess *in, size_t nin) {
  NestLoops nest = {.count = over->naxes};
  for (size_t i = 0; i < over->naxes; i++) {
    const DspAxis *axis = &over->axes[i];
    LoopAxis *loop = &nest.axes[i];
    loop->extent = axis->extent;
    loop->index = axis->dim->index_name;
    loop->out = step_of(e, axis, loop->index, out);
    for (size_t k = 0; k < nin; k++)
      loop->in[k] = step_of(e, axis, loop->index, &in[k]);
  }
  coalesce(&nest, nin);
  return nest;
}

static const char *element(DspEmitter *e, const DspAccess *a,
                           const NestLoops *nest, int which) {
  const char *text = a->offset ? a->offset : "";
  for (size_t i = 0; i < nest->count; i++) {
    const Step *step =
        which < 0 ? &nest->axes[i].out : &nest->axes[i].in[which];
    if (!step->present) continue;
    const char *term = step->by_atoms
                           ? step->by_atoms
                           : times(e, nest->axes[i].index, step->stride);
    text = dsp_format(e->arena, "%s%s%s", text, *text ? " + " : "", term);
  }
  return dsp_format(e->arena, "%s[%s]", a->base, *text ? text : "0");
}

static const char *load(DspEmitter *e, const DspAccess *a,
                        const NestLoops *nest, int which) {
  const char *at = element(e, a, nest, which);
  MlirType type = a->shape.element;
  if (mlirTypeIsABF16(type))
    return dsp_format(e->arena, "dsprt_from_bf16(%s)", at);
  if (mlirTypeIsAF16(type))
    return dsp_format(e->arena, "dsprt_from_f16(%s)", at);
  return at;
}

static const char *store(DspEmitter *e, MlirType type, const char *value) {
  if (mlirTypeIsABF16(type))
    return dsp_format(e->arena, "dsprt_to_bf16(%s)", value);
  if (mlirTypeIsAF16(type))
    return dsp_format(e->arena, "dsprt_to_f16(%s)", value);
  return value;
}

/// `x` rounded to the f32 that elementwise code computes in.
static const char *number(DspEmitter *e, double x) {
  float rounded = (float)x;
  if (isinf(rounded)) return rounded < 0 ? "(-INFINITY)" : "INFINITY";
  const char *text = dsp_format(e->arena, "%.9g", (double)rounded);
  bool point = strpbrk(text, ".e") != NULL;
  return dsp_format(e->arena, x < 0 ? "(%s%sf)" : "%s%sf", text,
                    point ? "" : ".0");
}

static const char *expression(DspEmitter *e, MlirAttribute expr,
                              const char *const *operands) {
  if (mlirAttributeIsAInteger(expr))
    return operands[mlirIntegerAttrGetValueInt(expr)];
  if (mlirAttributeIsAFloat(expr))
    return number(e, mlirFloatAttrGetValueDouble(expr));
  MlirStringRef f = mlirStringAttrGetValue(mlirArrayAttrGetElement(expr, 0));
  const char *a = expression(e, mlirArrayAttrGetElement(expr, 1), operands);
  static const struct {
    const char *name, *sign;
  } signs[] = {{"add", "+"}, {"sub", "-"}, {"mul", "*"}, {"div", "/"}};
  for (size_t i = 0; i < 4; i++)
    if (mlirStringRefEqual(f, mlirStringRefCreateFromCString(signs[i].name)))
      return dsp_format(
          e->arena, "(%s %s %s)", a, signs[i].sign,
          expression(e, mlirArrayAttrGetElement(expr, 2), operands));
  if (mlirStringRefEqual(f, mlirStringRefCreateFromCString("neg")))
    return dsp_format(e->arena, "(-%s)", a);
  return dsp_format(e->arena, "dsprt_%.*s(%s)", (int)f.length, f.data, a);
}

static void open_loops(DspEmitter *e, const NestLoops *nest, size_t from,
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

static const char *without_parentheses(DspEmitter *e, const char *text) {
  size_t n = strlen(text);
  int depth = 0;
  if (text[0] != '(') return text;
  for (size_t i = 0; i < n; i++) {
    depth += (text[i] == '(') - (text[i] == ')');
    if (depth == 0 && i + 1 < n) return text;
  }
  return dsp_format(e->arena, "%.*s", (int)n - 2, text + 1);
}

void dsp_emit_nest(DspEmitter *e, const DspAccess *out, MlirAttribute expr,
                   const DspAccess *in, size_t nin) {
  NestLoops nest = build(e, out, out, in, nin);
  const char *operands[MAX_IN];
  bool copy = mlirAttributeIsAInteger(expr) &&
              mlirTypeEqual(in[0].shape.element, out->shape.element);
  for (size_t k = 0; k < nin; k++)
    operands[k] = copy ? element(e, &in[k], &nest, (int)k)
                       : load(e, &in[k], &nest, (int)k);
  const char *value =
      without_parentheses(e, expression(e, expr, operands));
  if (!copy) value = store(e, out->shape.element, value);
  pragma(e, nest.count);
  open_loops(e, &nest, 0, nest.count);
  dsp_statement(&e->text, "%s = %s;", element(e, out, &nest, -1), value);
  e->text.indent -= (int)nest.count;
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

void dsp_emit_reduce(DspEmitter *e, MlirOperation op, const DspAccess *out,
                     const DspAccess *in) {
  MlirAttribute over = dsp_get(op, "over");
  MlirStringRef kind = dsp_get_text(op, "kind");
  bool max = kind.length == 3 && kind.data[0] == 'm';
  DspAccess kept = *in, summed = *in;
  kept.naxes = summed.naxes = 0;
  int64_t count = 1;
  for (size_t i = 0; i < in->naxes; i++) {
    bool reduced = is_reduced(in, &in->axes[i], over);
    if (reduced) {
      summed.axes[summed.naxes++] = in->axes[i];
      count *= in->axes[i].dim->size;
    } else {
      kept.axes[kept.naxes++] = in->axes[i];
    }
  }
  DspAccess all = kept;
  for (size_t i = 0; i < summed.naxes; i++)
    all.axes[all.naxes++] = summed.axes[i];
  NestLoops nest = {.count = all.naxes};
  for (size_t i = 0; i < all.naxes; i++) {
    LoopAxis *loop = &nest.axes[i];
    loop->extent = all.axes[i].extent;
    loop->index = all.axes[i].dim->index_name;
    loop->out = step_of(e, &all.axes[i], loop->index, out);
    loop->in[0] = step_of(e, &all.axes[i], loop->index, in);
  }
  pragma(e, kept.naxes > 1 ? kept.naxes : 0);
  open_loops(e, &nest, 0, kept.naxes);
  dsp_line(&e->text, "{");
  e->text.indent++;
  dsp_line(&e->text, "float total = %s;", max ? "-INFINITY" : "0.0f");
  open_loops(e, &nest, kept.naxes, nest.count);
  const char *x = load(e, in, &nest, 0);
  if (max)
    dsp_line(&e->text, "total = fmaxf(total, %s);", x);
  else
    dsp_line(&e->text, "total += %s;", x);
  e->text.indent -= (int)summed.naxes;
  bool mean = kind.length == 4;
  const char *value =
      mean ? dsp_format(e->arena, "total * %s", number(e, 1.0 / (double)count))
           : "total";
  dsp_statement(&e->text, "%s = %s;", element(e, out, &nest, -1),
           store(e, out->shape.element, value));
  e->text.indent--;
  dsp_line(&e->text, "}");
  e->text.indent -= (int)kept.naxes;
}
