// offer.c - which picks of the axes go together, and which are worth a look.
//
// Of all pairs, those stay that let most axes share the work, on dims long
// enough for every rank; less is offered where that cannot be had.  Weights
// are cut along the inner axis alone, unless the method cuts little else.
// Where work may be repeated along an axis, the best pairs that do so are
// offered too.
//
// Needs:  the picks of an op on one axis (picks.c), narrowed by the method.
// Leaves: pairs in the order of the picks, `none` last.
#include <string.h>

#include "picks.h"

/// Pairs that leave the same axes without a pick are compared among each
/// other: bit a is set when axis a has one, or needs none.
enum { PATTERNS = 1 << DSP_PLAN_AXES };

/// An op while its pairs are listed.
typedef struct Offer {
  DspArena *arena;
  const DspPickRules *rules;
  DspLayoutIds *ids;
  const DspPlanOp *op;
  const bool *anchored;
  const uint32_t *on; ///< [axes] the dims that must be cut, or NULL
  DspPickList all;
  DspPick none;
  DspMeshPickList list;
  uint32_t capacity;
} Offer;

/// A pair that is looked at.
typedef struct Pair {
  const DspPick *axes[DSP_PLAN_AXES];
} Pair;

int64_t dsp_pick_penalty(const DspPlanMesh *mesh, int64_t elements,
                         const int64_t *sizes, bool nested) {
  int64_t part = dsp_plan_part(sizes[0], 0, mesh->sizes[0]);
  int64_t size = nested ? sizes[0] : sizes[0] * sizes[1];
  int64_t most = nested ? dsp_plan_part(part, 0, mesh->sizes[1])
                        : part * dsp_plan_part(sizes[1], 0, mesh->sizes[1]);
  return (dsp_plan_ranks(mesh) * most - size) * (elements / size);
}

/// The work of an op: the elements of the largest value that it touches.
static int64_t work_of(const DspPickRules *rules, const DspPlanOp *op) {
  int64_t most = 1;
  for (size_t i = 0; i < dsp_op_arity(op); ++i)
    if (rules->elements[dsp_op_value(op, i)] > most)
      most = rules->elements[dsp_op_value(op, i)];
  return most;
}

static bool is_none(const DspPick *pick) {
  return pick->way.dim == DSP_PLAN_NO_DIM;
}

static bool is_pinned(const Offer *o, const DspPick *pick) {
  return pick->way.dim == o->op->pin && !pick->way.contracted && !is_none(pick);
}

static bool is_on(const DspPick *pick, uint32_t dim) {
  return pick->way.dim == dim && !pick->way.contracted;
}

/// Do both axes cut the same loops?
static bool is_nested(const Offer *o, Pair pair) {
  for (size_t i = 0; i < dsp_op_arity(o->op); ++i)
    if (dsp_plan_cut_overlaps(pair.axes[0]->cuts[i], pair.axes[1]->cuts[i]))
      return true;
  return false;
}

/// The same loops in the same way, and something left for axis 1.
static bool may_nest(const Offer *o, Pair pair) {
  const DspPick *a = pair.axes[0], *b = pair.axes[1];
  if (a->way.dim != b->way.dim || a->way.contracted != b->way.contracted ||
      a->way.ring || b->way.ring ||
      dsp_plan_part(a->size, 0, o->rules->mesh.sizes[0]) <= 1)
    return false;
  for (size_t i = 0; i < dsp_op_arity(o->op); ++i)
    if (!dsp_plan_cut_same(a->cuts[i], b->cuts[i]))
      return false;
  return true;
}

static bool is_allowed(const Offer *o, Pair pair) {
  const DspPick *a = pair.axes[0], *b = pair.axes[1];
  if (o->op->pin != DSP_PLAN_NO_DIM && !is_pinned(o, a) && !is_pinned(o, b) &&
      dsp_plan_ranks(&o->rules->mesh) > 1)
    return false;
  if (o->on && (!is_on(a, o->on[0]) || !is_on(b, o->on[1])))
    return false;
  if (a->way.ring && b->way.ring)
    return false;
  return !is_nested(o, pair) || may_nest(o, pair);
}

/// How much a pick is wanted on an axis; only the most wanted kind is offered.
/// Zero: it gives nobody but the first rank anything to do.
static int wish(const Offer *o, const DspPick *pick, uint32_t axis,
                int64_t ranks) {
  if (is_none(pick))
    return 0;
  bool pinned = is_pinned(o, pick) && o->op->pin != DSP_PLAN_NO_DIM;
  if (pick->size <= 1)
    return pinned;
  bool odd = o->op->kind == DSP_PLAN_ELEMENTWISE && o->anchored &&
             !o->anchored[axis * o->rules->graph->ndims + pick->way.dim];
  bool full = pick->size >= ranks || o->rules->priced;
  return (full ? 3 : 1) + !odd;
}

static int wish_of_pair(const Offer *o, Pair pair) {
  const int64_t *sizes = o->rules->mesh.sizes;
  bool nested = is_nested(o, pair);
  int a = wish(o, pair.axes[0], 0, nested ? sizes[0] * sizes[1] : sizes[0]);
  int b = wish(o, pair.axes[1], 1, nested ? sizes[0] * sizes[1] : sizes[1]);
  bool idle = (a == 0 && !is_none(pair.axes[0])) ||
              (b == 0 && !is_none(pair.axes[1]));
  return idle ? -1 : a + b;
}

static uint32_t pattern_of(const Offer *o, Pair pair) {
  uint32_t pattern = 0;
  for (uint32_t a = 0; a < DSP_PLAN_AXES; ++a)
    if (!is_none(pair.axes[a]) || o->rules->mesh.sizes[a] == 1)
      pattern |= 1u << a;
  return pattern;
}

/// The pick with this number on an axis; behind the last one comes `none`.
static const DspPick *pick_at(const Offer *o, uint32_t axis, uint32_t i) {
  const int64_t *sizes = o->rules->mesh.sizes;
  bool outer = axis == 0 && sizes[1] > 1 && !o->rules->weights_anywhere;
  if (i < o->all.count)
    return sizes[axis] > 1 && !(outer && o->all.picks[i].weight)
               ? &o->all.picks[i]
               : NULL;
  return i == o->all.count ? &o->none : NULL;
}

/// Goes through all pairs; `i` is the number of the next one.
static bool next_pair(const Offer *o, uint64_t *i, Pair *pair) {
  uint64_t n = (uint64_t)o->all.count + 1;
  for (; *i < n * n; ++*i) {
    pair->axes[0] = pick_at(o, 0, (uint32_t)(*i / n));
    pair->axes[1] = pick_at(o, 1, (uint32_t)(*i % n));
    if (pair->axes[0] && pair->axes[1] && is_allowed(o, *pair)) {
      ++*i;
      return true;
    }
  }
  return false;
}

/// True when `ranks` ranks may do the same: the op touches few tokens, or works
/// on parameters alone.  Channels do not count: that a hidden layer is four
/// times as wide does not make the residual stream small.
static bool may_repeat(const Offer *o, int64_t ranks) {
  const DspPickRules *rules = o->rules;
  if (rules->priced)
    return true;
  bool constant = o->op->noperands > 0, small = true;
  for (size_t i = 0; i < dsp_op_arity(o->op); ++i) {
    uint32_t value = dsp_op_value(o->op, i);
    if (rules->constant[value])
      continue;
    constant = false;
    small &= rules->tokens[value] <= rules->most_tokens / ranks;
  }
  return constant || small;
}

/// The ranks that do the same when the axes of `pattern` have a pick.
static int64_t repeated(const Offer *o, uint32_t pattern) {
  int64_t ranks = 1;
  for (uint32_t a = 0; a < DSP_PLAN_AXES; ++a)
    ranks *= pattern >> a & 1 ? 1 : o->rules->mesh.sizes[a];
  return ranks;
}

/// Finds the least wish that is offered in each pattern.
static void find_least(const Offer *o, int *least) {
  int best[PATTERNS] = {-1, -1, -1, -1}, most = -1;
  Pair pair;
  for (uint64_t i = 0; next_pair(o, &i, &pair);) {
    uint32_t pattern = pattern_of(o, pair);
    int wished = wish_of_pair(o, pair);
    best[pattern] = wished > best[pattern] ? wished : best[pattern];
  }
  if (best[3] >= 0)
    most = best[3];
  else
    most = best[1] > best[2] ? best[1] : best[2];
  for (uint32_t p = 0; p < PATTERNS; ++p) {
    bool first = p == 3 || (p != 0 && best[3] < 0) || most < 0;
    bool free = o->op->pin == DSP_PLAN_NO_DIM && may_repeat(o, repeated(o, p));
    least[p] = free ? best[p] : first ? most : INT32_MAX;
  }
}

static void add_ring(Offer *o, Pair pair, uint32_t axis, DspMeshPick *out) {
  const DspPlanGraph *graph = o->rules->graph;
  const DspPlanMesh *mesh = &o->rules->mesh;
  size_t ranks = (size_t)dsp_plan_ranks(mesh);
  int64_t *sent = DSP_NEW(o->arena, int64_t, ranks);
  int64_t *far = DSP_NEW(o->arena, int64_t, ranks);
  for (size_t i = 0; i < o->op->noperands; ++i) {
    const DspPlanValue *value = &graph->values[o->op->operands[i]];
    int64_t *sizes = DSP_NEW(o->arena, int64_t, value->ndims);
    if (!pair.axes[axis]->travels[i])
      continue;
    for (size_t k = 0; k < value->ndims; ++k)
      sizes[k] = graph->dims[value->dims[k]].size;
    DspPlanShape shape = {value->ndims, sizes, value->element_bytes};
    DspPlanLayout layout = {{pair.axes[0]->cuts[i], pair.axes[1]->cuts[i]}};
    out->bytes += dsp_plan_ring_bytes(&shape, mesh, layout, axis, sent, far);
  }
  out->sent = sent;
  out->far = far;
}

static void push(Offer *o, Pair pair) {
  DspMeshPick out = {.axes = {{pair.axes[0]->way, pair.axes[1]->way}}};
  int64_t sizes[] = {pair.axes[0]->size, pair.axes[1]->size};
  out.penalty = dsp_pick_penalty(&o->rules->mesh, work_of(o->rules, o->op),
                                 sizes, is_nested(o, pair));
  out.layouts = DSP_NEW(o->arena, uint32_t, dsp_op_arity(o->op));
  for (size_t i = 0; i < dsp_op_arity(o->op); ++i)
    out.layouts[i] =
        dsp_layout_id(o->ids, (DspPlanLayout){{pair.axes[0]->cuts[i],
                                               pair.axes[1]->cuts[i]}});
  for (uint32_t a = 0; a < DSP_PLAN_AXES; ++a)
    if (pair.axes[a]->way.ring)
      add_ring(o, pair, a, &out);
  DSP_GROW(o->arena, o->list.picks, o->list.count, o->capacity);
  o->list.picks[o->list.count++] = out;
}

static bool is_alike(Pair pair) {
  DspPlanWay a = pair.axes[0]->way, b = pair.axes[1]->way;
  return a.dim == b.dim && a.contracted == b.contracted;
}

/// Adds the pairs that are wanted; `alike`: those with one dim on both axes.
static void push_pairs(Offer *o, const int *least, bool alike) {
  Pair pair;
  for (uint64_t i = 0; next_pair(o, &i, &pair);) {
    int wished = wish_of_pair(o, pair);
    if (wished >= 0 && wished >= least[pattern_of(o, pair)] &&
        (!alike || is_alike(pair)))
      push(o, pair);
  }
}

static DspMeshPickList list_pairs(Offer *o) {
  int least[PATTERNS];
  find_least(o, least);
  if (o->rules->few_pairs)
    push_pairs(o, least, true);
  if (o->list.count == 0)
    push_pairs(o, least, false);
  return o->list;
}

DspMeshPickList dsp_offered_picks(DspArena *arena, const DspPickRules *rules,
                                  DspLayoutIds *ids, const DspPlanOp *op,
                                  DspPickList all, const bool *anchored,
                                  const uint32_t *on) {
  Offer o = {.arena = arena, .rules = rules, .ids = ids, .op = op,
             .anchored = anchored, .on = on, .all = all};
  o.none = (DspPick){.way = {.dim = DSP_PLAN_NO_DIM}, .size = 1};
  o.none.cuts = DSP_NEW(arena, DspPlanCut, dsp_op_arity(op));
  for (size_t i = 0; i < dsp_op_arity(op); ++i)
    o.none.cuts[i].dim = DSP_PLAN_NO_DIM;
  DspMeshPickList list = list_pairs(&o);
  if (list.count > 0 || !on)
    return list;
  o.on = NULL;
  return list_pairs(&o);
}
