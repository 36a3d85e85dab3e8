// attention.c - the call of an attention: which dims are batch, queries, keys.
//
// Needs:  placed operands.
// Leaves: one call; the runtime decides how it runs.
#include <stdio.h>

#include "op.h"

enum { MAX_BATCH = 8, MAX_OVER = 3 }; // DSPRT_MAX_BATCH, DSPRT_MAX_OVER

/// The dims of one kind: {size, strides..} of each, and the bias' strides.
typedef struct Dims {
  const char *text, *bias;
  int count;
} Dims;

/// The tensors of an attention.
typedef struct Attention {
  MlirOperation op;
  MlirAttribute over, dot;
  const DspAccess *q, *k, *v, *o, *bias; ///< bias may be NULL
  Dims batch, query, key;
  const DspAxis *masked; ///< the attended axis of o, or NULL
  int masked_query;      ///< its number among the query dims
} Attention;

/// `list` and the stride of the bias along an axis; 0 when it is not along it.
static const char *bias_stride(DspEmitter *e, const char *list,
                               const DspAccess *bias, const DspAxis *axis) {
  return dsp_format(e->arena, "%s%s%s", list, *list ? ", " : "",
                    bias ? dsp_stride_text(e, bias, axis) : "0");
}

/// ", .bias = {b, {..}, {..}, {..}}", or nothing.
static const char *bias_text(DspEmitter *e, const DspAccess *bias,
                             const Dims *batch, const Dims *query,
                             const Dims *key) {
  if (!bias) return "";
  return dsp_format(e->arena, ", .bias = {%s, {%s}, {%s}, {%s}}",
                    dsp_argument(e, bias),
                    batch->count ? batch->bias : "0",
                    query->count ? query->bias : "0", key->bias);
}

/// ", .mask = {.causal = 1, .window = 0, .query = 0, .begin = T_0}", or
/// nothing.  `along` is the attended axis of o, its query dim number `query`.
static const char *mask_text(DspEmitter *e, MlirOperation op,
                             const DspAxis *along, int query) {
  long long causal = dsp_get_int(op, "causal");
  long long window = dsp_get_int(op, "window");
  if (!along || (!causal && !window)) return "";
  return dsp_format(
      e->arena,
      ", .mask = {.causal = %lld, .window = %lld, .query = %d, .begin = %s}",
      causal, window, query, along->cut ? along->dim->begin_name[along->cut] : "0");
}

/// The axis of k on which a ring is cut, and its number among the keys; NULL
/// for no ring.
static const DspAxis *find_ring(const Attention *a, int *key) {
  if (mlirAttributeIsNull(dsp_get(a->op, "ring"))) return NULL;
  *key = 0;
  for (size_t i = 0; i < a->k->naxes; i++) {
    if (!dsp_is_in(a->over, a->k->shape.atoms[a->k->axes[i].first])) continue;
    if (a->k->axes[i].cut) return &a->k->axes[i];
    (*key)++;
  }
  return NULL;
}

/// Does k have another attended dim that is cut?
static bool has_two_rings(const Attention *a) {
  int count = 0;
  for (size_t i = 0; i < a->k->naxes; i++)
    count += a->k->axes[i].cut &&
             dsp_is_in(a->over, a->k->shape.atoms[a->k->axes[i].first]);
  return count > 1;
}

static void emit_ring_reason(DspEmitter *e, const Attention *a,
                             const DspAxis *ring) {
  const DspDimNames *dim = ring->dim;
  const char *along = "";
  if (e->dims.mesh.naxes > 1 && ring->cut < DSP_CUTS - 1)
    along = dsp_format(e->arena, " along %s",
                       e->dims.axis_names[ring->cut >> 1]);
  dsp_comment(&e->text, "keys and values are cut on %.*s too and travel%s; %s",
              (int)dim->name.length, dim->name.data, along,
              dsp_leaving_text(e, a->op));
}

/// "&(DsprtRing){.size = S, .key = 0}, "
static const char *ring_text(DspEmitter *e, const DspAxis *ring, int key) {
  static const char *const ranks[DSP_CUTS] = {
      "", "", ", .ranks = DSPRT_RING_AXIS_1", ", .ranks = DSPRT_RING_ALL"};
  return dsp_format(e->arena, "&(DsprtRing){.size = %s, .key = %d%s}, ",
                    ring->dim->size_name, key, ranks[ring->cut]);
}

/// Is the atom of this axis attended?
static bool is_attended(const Attention *a, const DspAccess *of,
                        const DspAxis *axis) {
  return dsp_is_in(a->over, of->shape.atoms[axis->first]);
}

static void add_query(DspEmitter *e, Attention *a, const DspAxis *axis,
                      bool biased) {
  Dims *d = &a->query;
  d->text = dsp_format(e->arena, "%s%s{%s, %s, %s}", d->text,
                       d->count++ ? ", " : "",
                       dsp_extent_text(&e->dims, axis->extent),
                       dsp_stride_text(e, a->q, axis),
                       dsp_stride_text(e, a->o, axis));
  d->bias = bias_stride(e, d->bias, biased ? a->bias : NULL, axis);
}

static void add_batch(DspEmitter *e, Attention *a, const DspAxis *axis) {
  Dims *d = &a->batch;
  d->text = dsp_format(
      e->arena, "%s%s{%s, %s, %s, %s, %s}", d->text, d->count++ ? ", " : "",
      dsp_extent_text(&e->dims, axis->extent), dsp_stride_text(e, a->q, axis),
      dsp_stride_text(e, a->k, axis), dsp_stride_text(e, a->v, axis),
      dsp_stride_text(e, a->o, axis));
  d->bias = bias_stride(e, d->bias, a->bias, axis);
}

static void add_key(DspEmitter *e, Attention *a, const DspAxis *axis) {
  Dims *d = &a->key;
  d->text = dsp_format(e->arena, "%s%s{%s, %s, %s}", d->text,
                       d->count++ ? ", " : "",
                       dsp_extent_text(&e->dims, axis->extent),
                       dsp_stride_text(e, a->k, axis),
                       dsp_stride_text(e, a->v, axis));
  d->bias = bias_stride(e, d->bias, a->bias, axis);
}

/// Sorts the axes: dims that neither k nor v have are queries as far as there
/// is room beside the attended ones, for keys are read once for all queries.
static void sort_axes(DspEmitter *e, Attention *a) {
  int room = MAX_OVER;
  for (size_t i = 0; i < a->o->naxes; i++)
    room -= is_attended(a, a->o, &a->o->axes[i]);
  for (size_t i = 0; i < a->o->naxes; i++) {
    const DspAxis *axis = &a->o->axes[i];
    bool attended = is_attended(a, a->o, axis);
    bool alone = !dsp_axis_like(a->k, axis) && !dsp_axis_like(a->v, axis);
    if (dsp_is_in(a->dot, a->o->shape.atoms[axis->first])) continue;
    if (attended) {
      a->masked = axis;
      a->masked_query = a->query.count;
      add_query(e, a, axis, false);
    } else if (alone && room-- > 0) {
      add_query(e, a, axis, true);
    } else {
      add_batch(e, a, axis);
    }
  }
  for (size_t i = 0; i < a->k->naxes; i++)
    if (is_attended(a, a->k, &a->k->axes[i])) add_key(e, a, &a->k->axes[i]);
}

/// ".batch = {..}, ", or nothing.
static const char *dims_text(DspEmitter *e, const char *name,
                             const Dims *dims) {
  return dims->count
             ? dsp_format(e->arena, ".%s = {%s}, ", name, dims->text)
             : "";
}

static void emit_call(DspEmitter *e, const Attention *a, const char *frame) {
  const char *ring = "", *scratch = "";
  const char *dot = dsp_product_text(e, a->dot);
  int key;
  const DspAxis *along = find_ring(a, &key);
  if (along) {
    emit_ring_reason(e, a, along);
    ring = ring_text(e, along, key);
    scratch = dsp_format(e->arena, ", %s + %lld", frame,
                         (long long)dsp_get_int(a->op, "workspace"));
  }
  dsp_statement(
      &e->text,
      "dsprt_%sattention_%s(run, &(DsprtAttention){.nbatch = %d, %s.nquery = "
      "%d, %s.nkey = %d, %s.dot = %s, .width = %s, .scale = %.9gf%s%s}, %s%s, "
      "%s, %s, %s%s);",
      *ring ? "ring_" : "", dsp_c_suffix(a->q->shape.element), a->batch.count,
      dims_text(e, "batch", &a->batch), a->query.count,
      dims_text(e, "query", &a->query), a->key.count,
      dims_text(e, "key", &a->key), dot, dot,
      mlirFloatAttrGetValueDouble(dsp_get(a->op, "scale")),
      bias_text(e, a->bias, &a->batch, &a->query, &a->key),
      mask_text(e, a->op, a->masked, a->masked_query), ring,
      dsp_argument(e, a->q), dsp_argument(e, a->k), dsp_argument(e, a->v),
      dsp_argument(e, a->o), scratch);
}

void dsp_emit_attention(DspEmitter *e, MlirOperation op, const DspAccess *o,
                        const char *frame) {
  const Dims none = {"", "", 0};
  Attention a = {.op = op,
                 .over = dsp_get(op, "over"),
                 .dot = dsp_get(op, "dot"),
                 .q = dsp_operand(e, op, 0),
                 .k = dsp_operand(e, op, 1),
                 .v = dsp_operand(e, op, 2),
                 .o = o,
                 .batch = none,
                 .query = none,
                 .key = none};
  if (mlirOperationGetNumOperands(op) > 3) a.bias = dsp_operand(e, op, 3);
  sort_axes(e, &a);
  if (a.batch.count > MAX_BATCH || a.query.count > MAX_OVER ||
      a.key.count > MAX_OVER)
    dsp_unsupported(e, op, "attention over more dims than the runtime takes");
  else if (has_two_rings(&a))
    dsp_unsupported(e, op, "a ring over two dims at once: plan it otherwise");
  else
    emit_call(e, &a, frame);
}
