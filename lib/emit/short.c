// short.c - attention over a few keys that makes its queries and keys itself,
// as a CUDA kernel (dsprt_short.cuh): norms and rotations of their rows while
// these lie in shared memory (dsprt_tile.cuh).
//
// Needs:  fuse-attention marked the norms.
// Leaves: a kernel whose loops are those over the batch.
#include <string.h>

#include "dspc/support/bug.h"
#include "kernel.h"
#include "op.h"

enum { Q, K, V };

/// The tensors of such an attention.
typedef struct Short {
  MlirOperation op;
  MlirAttribute over, dot;
  MlirOperation norms[2]; ///< of q and k; null: they are read as they are
  const DspAccess *o;
  DspAccess in[DSP_NEST_IN]; ///< q, k, v, what the norms read besides
  size_t nin;
  DspAccess batch; ///< the axes of o that q, k and v have, too
  DspAxis query, key;
} Short;

/// The norm that makes operand `i` inside the attention; or null.
static MlirOperation norm_inside(MlirOperation attention, intptr_t i) {
  MlirOperation none = {NULL};
  MlirValue x = mlirOperationGetOperand(attention, i);
  if (!mlirValueIsAOpResult(x)) return none;
  MlirOperation norm = mlirOpResultGetOwner(x);
  return mlirAttributeIsNull(dsp_get(norm, "inside")) ? none : norm;
}

bool dsp_has_rows_inside(MlirOperation attention) {
  return norm_inside(attention, Q).ptr || norm_inside(attention, K).ptr;
}

static bool is_same(const DspAccess *a, const DspAccess *b) {
  const char *x = a->offset ? a->offset : "", *y = b->offset ? b->offset : "";
  return strcmp(a->base, b->base) == 0 && strcmp(x, y) == 0;
}

/// Adds what a norm reads besides its rows, unless the other one does, too.
static void add_operands(DspEmitter *e, Short *s, MlirOperation norm) {
  intptr_t n = norm.ptr ? mlirOperationGetNumOperands(norm) : 0;
  for (intptr_t i = 1; i < n; i++) {
    const DspAccess *x = dsp_operand(e, norm, i);
    size_t known = V + 1;
    while (known < s->nin && !is_same(&s->in[known], x)) known++;
    if (known == DSP_NEST_IN) dsp_bug("an attention with too many operands");
    if (known == s->nin) s->in[s->nin++] = *x;
  }
}

/// Sorts the axes of o: the one along the queries, the channels, the batch.
static void sort_axes(Short *s) {
  s->batch = *s->o;
  s->batch.naxes = 0;
  for (size_t i = 0; i < s->o->naxes; i++) {
    const DspAxis *axis = &s->o->axes[i];
    MlirStringRef atom = s->o->shape.atoms[axis->first];
    if (dsp_is_in(s->dot, atom)) continue;
    if (dsp_is_in(s->over, atom) || !dsp_axis_like(&s->in[K], axis))
      s->query = *axis;
    else
      s->batch.axes[s->batch.naxes++] = *axis;
  }
  for (size_t i = 0; i < s->in[K].naxes; i++) {
    const DspAxis *axis = &s->in[K].axes[i];
    if (dsp_is_in(s->over, s->in[K].shape.atoms[axis->first])) s->key = *axis;
  }
}

static Short read_short(DspEmitter *e, MlirOperation op, const DspAccess *o) {
  Short s = {.op = op,
             .over = dsp_get(op, "over"),
             .dot = dsp_get(op, "dot"),
             .o = o,
             .nin = V + 1};
  for (int i = Q; i <= K; i++) {
    s.norms[i] = norm_inside(op, i);
    s.in[i] = s.norms[i].ptr ? *dsp_operand(e, s.norms[i], 0)
                             : *dsp_operand(e, op, i);
  }
  s.in[V] = *dsp_operand(e, op, V);
  add_operands(e, &s, s.norms[Q]);
  add_operands(e, &s, s.norms[K]);
  sort_axes(&s);
  return s;
}

static const char *extent_of(DspEmitter *e, const DspAxis *axis) {
  return dsp_extent_text(&e->dims, axis->extent);
}

/// "DsprtShort<DsprtBf16, D, T>"
static const char *type_text(DspEmitter *e, const Short *s) {
  bool more = s->key.extent.number > s->query.extent.number;
  return dsp_format(
      e->arena, "DsprtShort<%s, %s, %s>", dsp_c_type(s->o->shape.element),
      dsp_product_text(e, s->dot), extent_of(e, more ? &s->key : &s->query));
}

/// Where this group's rows of a tensor begin: "&linear[C + i_S * C]".
static const char *begin_text(DspKernel *k, const Short *s, int which) {
  DspAccess a = dsp_kernel_access(k, which < 0 ? s->o : &s->in[which]);
  return dsp_format(k->e->arena, "&%s",
                    dsp_nest_element(k->e, &a, k->nest, which));
}

static void add_fetch(DspKernel *k, const Short *s, DspText *out) {
  DspEmitter *e = k->e;
  for (int i = Q; i <= V; i++)
    dsp_statement(out, "const auto *%c_from = %s;", "qkv"[i],
                  begin_text(k, s, i));
  dsp_statement(
      out,
      "Attention::fetch<%s>(q_from, %s, %s, k_from, %s, v_from, %s, %s);",
      k->index, dsp_stride_text(e, &s->in[Q], &s->query),
      extent_of(e, &s->query), dsp_stride_text(e, &s->in[K], &s->key),
      dsp_stride_text(e, &s->in[V], &s->key), extent_of(e, &s->key));
  dsp_line(out, "Attention::wait();");
}

static void add_body(DspKernel *k, const Short *s, DspText *out) {
  DspEmitter *e = k->e;
  add_fetch(k, s, out);
  if (s->norms[Q].ptr)
    dsp_emit_rows_in_place(k, s->norms[Q], &s->query, 'q', out);
  if (s->norms[K].ptr)
    dsp_emit_rows_in_place(k, s->norms[K], &s->key, 'k', out);
  dsp_line(out, "Attention::sync();");
  dsp_statement(
      out, "Attention::attend<%s>(%s, %s, %s, %s, %s);", k->index,
      extent_of(e, &s->query), extent_of(e, &s->key),
      dsp_number(e, mlirFloatAttrGetValueDouble(dsp_get(s->op, "scale"))),
      begin_text(k, s, -1), dsp_stride_text(e, s->o, &s->query));
}

/// "rms_norm_rope", "q_rms_norm_k_rms_norm_rope", "k_layer_norm"
static const char *words_of(DspEmitter *e, const Short *s) {
  const char *q = s->norms[Q].ptr ? dsp_row_norm_words(e, s->norms[Q]) : NULL;
  const char *k = s->norms[K].ptr ? dsp_row_norm_words(e, s->norms[K]) : NULL;
  if (!k) return dsp_format(e->arena, "q_%s", q);
  if (!q) return dsp_format(e->arena, "k_%s", k);
  return strcmp(q, k) == 0 ? q : dsp_format(e->arena, "q_%s_k_%s", q, k);
}

static int line_of(MlirOperation op) {
  MlirLocation location = mlirOperationGetLocation(op);
  return mlirLocationIsAFileLineColRange(location)
             ? mlirLocationFileLineColRangeGetStartLine(location)
             : 0;
}

/// What the kernel does, with shapes and the lines that say so.
static void add_comment(DspEmitter *e, const Short *s) {
  DspText *out = &e->kernels;
  const DspDimNames *key = s->key.dim;
  dsp_comment(out, "%d: attention over %.*s, q %s, k and v %s", line_of(s->op),
              (int)key->name.length, key->name.data,
              dsp_shape_text(&e->dims, &s->in[Q]),
              dsp_shape_text(&e->dims, &s->in[K]));
  for (int i = Q; i <= K; i++)
    if (s->norms[i].ptr)
      dsp_comment(out, "%d: %c: %s over %s", line_of(s->norms[i]), "qk"[i],
                  dsp_row_norm_words(e, s->norms[i]),
                  dsp_product_text(e, s->dot));
}

void dsp_emit_short_attention(DspEmitter *e, MlirOperation op,
                              const DspAccess *o) {
  Short s = read_short(e, op, o);
  DspNest nest = dsp_nest(e, &s.batch, o, s.in, s.nin);
  DspKernel k = dsp_kernel_begin(e, &nest, o, s.in, s.nin);
  k.width = 1;
  const char *count = dsp_kernel_count(&k, nest.count);
  const char *flops = dsp_format(e->arena, "4.0 * %s * %s * %s * %s", count,
                                 extent_of(e, &s.query), extent_of(e, &s.key),
                                 dsp_product_text(e, s.dot));
  DspText body = {.indent = 1};
  dsp_kernel_indices(&k, &body, nest.count);
  add_body(&k, &s, &body);
  add_comment(e, &s);
  dsp_kernel_finish(
      &k, &body,
      dsp_format(e->arena, "%s_%s_attention", e->stage_name, words_of(e, &s)),
      (DspKernelCount){
          .items = count, .attention = type_text(e, &s), .flops = flops});
}
