// kernels.c - elementwise ops, copies and sums as CUDA kernels.
//
// One kernel for each nest, in the file of kernels, and a function that starts
// it, which the host code calls.  A thread works on 16 bytes of the innermost
// loop where every access allows it.
#include <stdio.h>
#include <string.h>

#include "dspc/support/bug.h"
#include "kernel.h"

/// The kernel's name of the pointer of an access.
static size_t param_of(DspKernel *k, const DspAccess *a, bool write) {
  size_t i = 0;
  while (i < k->nparams && strcmp(k->bases[i], a->base) != 0) i++;
  if (i == k->nparams) {
    const char *field = strrchr(a->base, '>');
    k->bases[i] = a->base;
    k->params[i] = dsp_name_c(&k->names, field ? field + 1 : a->base);
    k->types[i] = a->shape.element;
    k->nparams++;
  }
  k->written[i] |= write;
  return i;
}

bool dsp_is_float(MlirType type) {
  return mlirTypeIsAF32(type) || mlirTypeIsABF16(type) || mlirTypeIsAF16(type);
}

static bool walks_in(const DspAccess *a, const DspNest *nest, int which,
                     int width) {
  const DspNestAxis *inner = &nest->axes[nest->count - 1];
  if (!dsp_is_float(a->shape.element)) return false;
  if (which >= 0 && !inner->in[which].present) // one element for all
    return !inner->in[which].by_atoms;
  if (a->grain % width) return false;
  for (size_t i = 0; i < nest->count; i++) {
    const DspStepAlong *step =
        which < 0 ? &nest->axes[i].out : &nest->axes[i].in[which];
    bool innermost = i + 1 == nest->count;
    if (step->by_atoms) return false;
    if (!step->present) continue;
    if (innermost ? !dsp_extent_is_one(step->stride)
                  : step->stride.number % width)
      return false;
  }
  return true;
}

/// How many elements a thread can load and store at once.
static int width_of(const DspKernel *k) {
  const DspNest *nest = k->nest;
  if (nest->count == 0 || k->nin == 0) return 1;
  int64_t innermost = nest->axes[nest->count - 1].extent.number;
  for (int width = DSP_KERNEL_WIDEST; width > 1; width /= 2) {
    bool fine = innermost % width == 0 &&
                nest->axes[nest->count - 1].out.present &&
                walks_in(k->out, nest, -1, width);
    for (size_t i = 0; i < k->nin && fine; i++)
      fine = walks_in(&k->in[i], nest, (int)i, width);
    if (fine) return width;
  }
  return 1;
}

/// Indices of 32 bits cost a fraction of those of 64.
static const char *index_type(const DspKernel *k) {
  bool small = k->out->span <= INT32_MAX;
  for (size_t i = 0; i < k->nin; i++) small &= k->in[i].span <= INT32_MAX;
  return small ? "uint32_t" : "int64_t";
}

/// What add_parts writes.
typedef enum Parts { ARGUMENTS, PARAMETERS, LOCALS } Parts;

static void add_part(DspKernel *k, DspText *out, const DspDimNames *dim,
                     DspAxes cut, bool begin, Parts as) {
  const char *word = begin ? dim->begin_name[cut] : dim->part_name[cut];
  if (as == ARGUMENTS) dsp_text(out, ", (%s)%s", k->index, word);
  if (as == PARAMETERS) dsp_text(out, ", %s %s", k->index, word);
  if (as == LOCALS)
    dsp_line(out, "const int64_t %s = %s;", word,
             dsp_part_text(&k->e->dims, dim, cut, begin));
}

/// ", int64_t S_r, ..." for the parts that the body mentions.
static void add_parts(DspKernel *k, DspText *out, const char *body, Parts as) {
  const DspEmitDims *dims = &k->e->dims;
  for (size_t i = 0; i < dims->count; i++)
    for (DspAxes cut = 1; cut < DSP_CUTS; cut++) {
      const DspDimNames *dim = &dims->names[i];
      if (!dim->part_name[cut]) continue;
      if (dsp_mentions(body, dim->part_name[cut]))
        add_part(k, out, dim, cut, false, as);
      if (dsp_mentions(body, dim->begin_name[cut]))
        add_part(k, out, dim, cut, true, as);
    }
}

static void add_pointers(const DspKernel *k, DspText *out, bool types) {
  for (size_t i = 0; i < k->nparams; i++) {
    const char *before = i ? ", " : "";
    if (types)
      dsp_text(out, "%s%s%s *%s", before, k->written[i] ? "" : "const ",
               dsp_c_type(k->types[i]), k->params[i]);
    else
      dsp_text(out, "%s%s", before, k->params[i]);
  }
}

/// The number of threads that the loops [0, count) need, as text.
const char *dsp_kernel_count(const DspKernel *k, size_t count) {
  DspEmitter *e = k->e;
  const char *text = "1";
  for (size_t i = 0; i < count; i++) {
    const char *extent = dsp_extent_factor(&e->dims, k->nest->axes[i].extent);
    text = i ? dsp_format(e->arena, "%s * %s", text, extent) : extent;
  }
  if (k->width == 1) return text;
  return dsp_format(e->arena, "%s / %d", text, k->width);
}

/// Turns the thread's number into the indices of the loops [0, count).
void dsp_kernel_indices(const DspKernel *k, DspText *out, size_t count) {
  DspEmitter *e = k->e;
  const DspNest *nest = k->nest;
  for (size_t i = count; i-- > 0;) {
    const char *extent = dsp_extent_factor(&e->dims, nest->axes[i].extent);
    bool vector = i + 1 == nest->count && k->width > 1;
    if (vector) extent = dsp_format(e->arena, "(%s / %d)", extent, k->width);
    const char *index = i ? dsp_format(e->arena, "at %% %s", extent) : "at";
    if (vector)
      index = dsp_format(e->arena, i ? "%s * %d" : "%s * %d", index, k->width);
    dsp_line(out, "const %s %s = %s;", k->index, nest->axes[i].index, index);
    if (i) dsp_line(out, "at /= %s;", extent);
  }
}

/// `a` as the kernel sees it.
DspAccess dsp_kernel_access(DspKernel *k, const DspAccess *a) {
  DspAccess copy = *a;
  copy.base = k->params[param_of(k, a, false)];
  return copy;
}

static void add_scalar_body(DspKernel *k, DspText *out, MlirAttribute expr) {
  DspEmitter *e = k->e;
  const char *operands[DSP_NEST_IN];
  DspAccess y = dsp_kernel_access(k, k->out);
  bool copy = mlirAttributeIsAInteger(expr) &&
              mlirTypeEqual(k->in[0].shape.element, y.shape.element);
  for (size_t i = 0; i < k->nin; i++) {
    DspAccess x = dsp_kernel_access(k, &k->in[i]);
    operands[i] = copy ? dsp_nest_element(e, &x, k->nest, (int)i)
                       : dsp_nest_load(e, &x, k->nest, (int)i);
  }
  if (k->nin == 0) operands[0] = dsp_nest_position(e, &y, k->nest);
  const char *value =
      dsp_without_parentheses(e, dsp_expression(e, expr, operands));
  if (!copy) value = dsp_nest_store(e, y.shape.element, value);
  dsp_statement(out, "%s = %s;", dsp_nest_element(e, &y, k->nest, -1), value);
}

/// Loads `width` elements of each operand, or one where it does not move.
static void add_vector_body(DspKernel *k, DspText *out, MlirAttribute expr) {
  DspEmitter *e = k->e;
  const char *operands[DSP_NEST_IN];
  const DspNestAxis *inner = &k->nest->axes[k->nest->count - 1];
  for (size_t i = 0; i < k->nin; i++) {
    DspAccess x = dsp_kernel_access(k, &k->in[i]);
    const char *name =
        dsp_name_c(&k->names, dsp_format(e->arena, "%s_v", x.base));
    if (inner->in[i].present) {
      dsp_statement(out, "const DsprtFloats<%d> %s = dsprt_load<%d>(&%s);",
                    k->width, name, k->width,
                    dsp_nest_element(e, &x, k->nest, (int)i));
      operands[i] = dsp_format(e->arena, "%s.v[lane]", name);
    } else {
      dsp_statement(out, "const float %s = %s;", name,
                    dsp_nest_load(e, &x, k->nest, (int)i));
      operands[i] = name;
    }
  }
  DspAccess y = dsp_kernel_access(k, k->out);
  dsp_line(out, "DsprtFloats<%d> result;", k->width);
  dsp_line(out, "for (int lane = 0; lane < %d; lane++)", k->width);
  out->indent++;
  dsp_statement(out, "result.v[lane] = %s;",
                dsp_without_parentheses(e, dsp_expression(e, expr, operands)));
  out->indent--;
  dsp_statement(out, "dsprt_store(&%s, result);",
                dsp_nest_element(e, &y, k->nest, -1));
}

/// The kernel around `body`.
static void add_kernel(DspKernel *k, const char *body, const char *all,
                       const char *name, const DspKernelCount *count) {
  DspText *out = &k->e->kernels;
  DspText line = {0};
  if (count->attention) {
    dsp_line(out, "static __global__ void __launch_bounds__(");
    dsp_line(out, "    %s::THREADS)", count->attention);
    dsp_text(&line, "%s_kernel(", name);
  } else {
    dsp_text(&line, "static __global__ void %s_kernel(", name);
  }
  add_pointers(k, &line, true);
  add_parts(k, &line, all, PARAMETERS);
  dsp_statement(out, "%s) {", line.data);
  out->indent = 1;
  if (count->attention) {
    dsp_line(out, "using Attention = %s;", count->attention);
    dsp_line(out, "%s at = Attention::element();", k->index);
  } else if (count->team) {
    dsp_line(out, "%s at = dsprt_thread() / %s;", k->index, count->team);
  } else {
    dsp_line(out, "%s at = dsprt_thread();", k->index);
  }
  dsp_line(out, "if (at >= %s) return;", count->items);
  dsp_text(out, "%s", body);
  out->indent = 0;
  dsp_line(out, "}\n");
  dsp_text_free(&line);
}

/// Starts a kernel with a thread, or a team of them, for each item.
static void add_start(DspKernel *k, const char *all, const char *name,
                      const DspKernelCount *count) {
  DspText *out = &k->e->kernels;
  DspText line = {0};
  if (count->attention) {
    dsp_line(out, "const int64_t elements = %s;", count->items);
    dsp_line(out, "if (elements == 0) return;");
    dsp_text(&line, "dsprt_short_start<%s>(run, %s_kernel, elements, ",
             count->attention, name);
  } else {
    if (count->team)
      dsp_line(out, "const int64_t threads = (int64_t)%s * %s;", count->team,
               count->items);
    else
      dsp_line(out, "const int64_t threads = %s;", count->items);
    dsp_line(out, "if (threads == 0) return;");
    dsp_text(&line,
             "%s_kernel<<<dsprt_blocks(threads), DSPRT_THREADS, 0, "
             "dsprt_stream(run)>>>(",
             name);
  }
  add_pointers(k, &line, false);
  add_parts(k, &line, all, ARGUMENTS);
  dsp_statement(out, "%s);", line.data);
  dsp_text_free(&line);
}

/// The function that starts the kernel, and its declaration.
static void add_launch(DspKernel *k, const char *all, const char *name,
                       const DspKernelCount *count) {
  DspText *out = &k->e->kernels;
  DspText line = {0};
  const char *bytes = dsp_nest_bytes(k->e, k->out, k->in, k->nin);
  if (k->sum)
    bytes = dsp_format(k->e->arena, "%s + %s", bytes,
                       dsp_nest_bytes(k->e, k->sum, NULL, 0));
  dsp_text(&line, "void %s(DsprtRun *run, ", name);
  add_pointers(k, &line, true);
  dsp_statement(&k->e->declarations, "%s);", line.data);
  dsp_statement(out, "%s) {", line.data);
  dsp_text_free(&line);
  out->indent = 1;
  add_parts(k, out, dsp_format(k->e->arena, "%s %s", all, bytes), LOCALS);
  dsp_statement(out, "DSPRT_SPAN(run, DSPRT_WORK_%s, \"%s\", %s, %s);",
                count->attention ? "ATTENTION" : "FUSED", name,
                count->attention ? count->flops : "0", bytes);
  add_start(k, all, name, count);
  dsp_line(out, "dsprt_check_launch(run);");
  out->indent = 0;
  dsp_line(out, "}\n");
}

void dsp_kernel_finish(DspKernel *k, DspText *body, const char *wish,
                       DspKernelCount count) {
  DspEmitter *e = k->e;
  const char *name = dsp_name_c(&e->globals, wish);
  const char *text = body->data ? body->data : "";
  DspText all = {0}, call = {0};
  dsp_text(&all, "%s %s", text, count.items);
  add_kernel(k, text, all.data, name, &count);
  add_launch(k, all.data, name, &count);
  dsp_text_free(&all);
  dsp_text_free(body);
  dsp_text(&call, "%s(run", name);
  for (size_t i = 0; i < k->nparams; i++) dsp_text(&call, ", %s", k->bases[i]);
  dsp_statement(&e->text, "%s);", call.data);
  dsp_text_free(&call);
}

DspKernel dsp_kernel_begin(DspEmitter *e, const DspNest *nest,
                           const DspAccess *out, const DspAccess *in,
                           size_t nin) {
  DspKernel k = {.e = e, .nest = nest, .out = out, .in = in, .nin = nin};
  k.names = dsp_names(e->arena, &e->globals);
  for (size_t i = 0; i < nin; i++) param_of(&k, &in[i], false);
  param_of(&k, out, true);
  k.index = index_type(&k);
  return k;
}

void dsp_kernel_add_sum(DspKernel *k, const DspAccess *sum) {
  k->sum = sum;
  param_of(k, sum, true);
}

/// "add_mul": the functions of an expression, innermost last; "copy" without.
const char *dsp_kernel_words(DspEmitter *e, MlirAttribute expr) {
  if (!mlirAttributeIsAArray(expr)) return "";
  MlirStringRef f = mlirStringAttrGetValue(mlirArrayAttrGetElement(expr, 0));
  const char *text = dsp_format(e->arena, "%.*s", (int)f.length, f.data);
  for (intptr_t i = 1; i < mlirArrayAttrGetNumElements(expr); i++) {
    const char *more = dsp_kernel_words(e, mlirArrayAttrGetElement(expr, i));
    if (*more) text = dsp_format(e->arena, "%s_%s", text, more);
  }
  return text;
}

void dsp_emit_nest_kernel(DspEmitter *e, const DspAccess *out,
                          MlirAttribute expr, const DspAccess *in, size_t nin) {
  DspNest nest = dsp_nest(e, out, out, in, nin);
  DspKernel k = dsp_kernel_begin(e, &nest, out, in, nin);
  k.width = width_of(&k);
  DspText body = {.indent = 1};
  dsp_kernel_indices(&k, &body, nest.count);
  if (k.width > 1)
    add_vector_body(&k, &body, expr);
  else
    add_scalar_body(&k, &body, expr);
  const char *words = dsp_kernel_words(e, expr);
  if (strlen(words) > 40) words = dsp_format(e->arena, "%.40s", words);
  dsp_kernel_finish(
      &k, &body,
      dsp_format(e->arena, "%s_%s", e->stage_name, *words ? words : "copy"),
      (DspKernelCount){.items = dsp_kernel_count(&k, nest.count)});
}

void dsp_emit_reduce_kernel(DspEmitter *e, MlirOperation op,
                            const DspAccess *out, const DspAccess *in) {
  MlirStringRef kind = dsp_get_text(op, "kind");
  bool max = kind.length == 3 && kind.data[0] == 'm', mean = kind.length == 4;
  size_t kept;
  int64_t count;
  DspNest nest = dsp_nest_of_reduce(e, op, out, in, &kept, &count);
  DspKernel k = dsp_kernel_begin(e, &nest, out, in, 1);
  k.width = 1;
  DspText body = {.indent = 1};
  dsp_kernel_indices(&k, &body, kept);
  DspAccess x = dsp_kernel_access(&k, in), y = dsp_kernel_access(&k, out);
  dsp_line(&body, "float total = %s;", max ? "-INFINITY" : "0.0f");
  for (size_t i = kept; i < nest.count; i++, body.indent++)
    dsp_line(&body, "for (%s %s = 0; %s < %s; %s++)", k.index,
             nest.axes[i].index, nest.axes[i].index,
             dsp_extent_text(&e->dims, nest.axes[i].extent),
             nest.axes[i].index);
  const char *value = dsp_nest_load(e, &x, &nest, 0);
  dsp_statement(&body, max ? "total = fmaxf(total, %s);" : "total += %s;",
                value);
  body.indent = 1;
  const char *result = mean ? dsp_format(e->arena, "total * %s",
                                         dsp_number(e, 1.0 / (double)count))
                            : "total";
  dsp_statement(&body, "%s = %s;", dsp_nest_element(e, &y, &nest, -1),
                dsp_nest_store(e, y.shape.element, result));
  dsp_kernel_finish(&k, &body,
                    dsp_format(e->arena, "%s_%.*s", e->stage_name,
                               (int)kind.length, kind.data),
                    (DspKernelCount){.items = dsp_kernel_count(&k, kept)});
}
