// picks.c - the rule of design.md: pick one loop, and the layouts follow.
//
// Why dims that only elementwise ops could cut are left out: let a connected
// region of such ops be cut on d, and no other op ever be.  Every value that
// enters the region is converted to S(d) and every value that leaves it is
// converted from S(d).  Cut the region on the dim e of a neighbour instead:
// the conversions at that neighbour disappear, and a switch to or from S(e)
// moves the same bytes as one to or from S(d), so the plan does not get
// dearer.  (Up to single elements of uneven parts, and for values that have
// both dims; where an op has no other dim to cut, every dim is offered.)  The
// certificate is about the alternatives that are offered.
//
// Needs:  loops and maps that agree with the dims of the values.
// Leaves: picks in the order of the loops, products after them, `none` last.
#include "picks.h"

#include <assert.h>
#include <string.h>

DspLayoutIds dsp_layout_ids(DspArena *arena) {
  DspLayoutIds ids = {.arena = arena, .ids = dsp_interner(arena)};
  dsp_layout_id(&ids, (DspPlanLayout){DSP_LAYOUT_WHOLE, DSP_PLAN_NO_DIM, 0, 0});
  dsp_layout_id(&ids,
                (DspPlanLayout){DSP_LAYOUT_PARTIAL, DSP_PLAN_NO_DIM, 0, 0});
  return ids;
}

uint32_t dsp_layout_id(DspLayoutIds *ids, DspPlanLayout layout) {
  uint64_t key[] = {(uint64_t)layout.kind << 32 | layout.dim,
                    (uint64_t)layout.first << 16 | layout.count};
  bool fresh = false;
  uint32_t id = dsp_intern(&ids->ids, key, 2, &fresh);
  if (fresh) {
    DSP_GROW(ids->arena, ids->layouts, id, ids->capacity);
    ids->layouts[id] = layout;
  }
  return id;
}

size_t dsp_find_dims(const DspPlanValue *value, const uint32_t *dims,
                     size_t count) {
  for (size_t at = 0; at + count <= value->ndims; ++at)
    if (memcmp(value->dims + at, dims, count * sizeof *dims) == 0)
      return at;
  return SIZE_MAX;
}

int64_t dsp_pick_penalty(int64_t elements, int64_t size, int64_t ranks) {
  return (ranks * dsp_plan_part(size, 0, ranks) - size) * (elements / size);
}

/// An op while its picks are listed.
typedef struct Lister {
  DspArena *arena;
  const DspPickRules *rules;
  DspLayoutIds *ids;
  const DspPlanOp *op;
  DspPickList list;
  uint32_t capacity;
} Lister;

static size_t arity(const DspPlanOp *op) {
  return op->noperands + op->nresults;
}

/// Operands first, then results.
static uint32_t value_id(const DspPlanOp *op, size_t i) {
  return i < op->noperands ? op->operands[i] : op->results[i - op->noperands];
}

static const DspPlanValue *value_at(const Lister *l, size_t i) {
  return &l->rules->graph->values[value_id(l->op, i)];
}

/// The loops of the dims of value `i`.
static const uint8_t *map_at(const Lister *l, size_t i) {
  const uint8_t *map = l->op->maps;
  for (size_t k = 0; k < i; ++k)
    map += value_at(l, k)->ndims;
  return map;
}

static bool may_cut(const Lister *l, DspPlanLoop loop) {
  if (loop.weight && !l->rules->allow_tensor)
    return false;
  return loop.kind == DSP_LOOP_FREE ||
         (loop.kind == DSP_LOOP_CONTRACTED && l->op->partial);
}

/// The layout of value `i` when `loops` are cut; dims that were renamed have
/// the value's own name.
static DspPlanLayout layout_at(const Lister *l, size_t i, uint32_t dim,
                               const uint8_t *loops, size_t nloops) {
  const uint8_t *map = map_at(l, i);
  for (size_t at = 0; at + nloops <= value_at(l, i)->ndims; ++at)
    if (memcmp(map + at, loops, nloops) == 0)
      return (DspPlanLayout){DSP_LAYOUT_CUT,
                             nloops == 1 ? value_at(l, i)->dims[at] : dim,
                             (uint16_t)at, (uint16_t)nloops};
  return (DspPlanLayout){DSP_LAYOUT_WHOLE, DSP_PLAN_NO_DIM, 0, 0};
}

/// The work of an op: the elements of the largest value that it touches.
static int64_t work_of(const DspPickRules *rules, const DspPlanOp *op) {
  int64_t most = 1;
  for (size_t i = 0; i < arity(op); ++i)
    if (rules->elements[value_id(op, i)] > most)
      most = rules->elements[value_id(op, i)];
  return most;
}

static void push(Lister *l, DspPick pick) {
  pick.penalty =
      dsp_pick_penalty(work_of(l->rules, l->op), pick.size, l->rules->ranks);
  DSP_GROW(l->arena, l->list.picks, l->list.count, l->capacity);
  l->list.picks[l->list.count++] = pick;
}

/// A product is cut under its own name: no value may call its atoms otherwise.
static bool is_called(const Lister *l, size_t i, DspPlanLayout layout) {
  const DspPlanDim *dim = &l->rules->graph->dims[layout.dim];
  return layout.kind != DSP_LAYOUT_CUT || layout.count == 1 ||
         memcmp(value_at(l, i)->dims + layout.first, dim->atoms,
                layout.count * sizeof *dim->atoms) == 0;
}

/// Does value `i`, which stays whole, run over a part of the loops?
/// Elementwise code finds its index there; attention and einsums do not.
static bool runs_along(const Lister *l, size_t i, DspPlanLayout layout,
                       const uint8_t *loops, size_t nloops) {
  const uint8_t *map = map_at(l, i);
  bool any = false;
  if (layout.kind == DSP_LAYOUT_CUT || l->op->kind == DSP_PLAN_ELEMENTWISE)
    return false;
  for (size_t at = 0; at < value_at(l, i)->ndims; ++at)
    any |= memchr(loops, map[at], nloops) != NULL;
  return any;
}

/// Adds the pick of some loops, unless a result cannot be cut there.
static void add_pick(Lister *l, uint32_t dim, const uint8_t *loops,
                     size_t nloops) {
  DspPick pick = {.dim = dim, .size = l->rules->graph->dims[dim].size};
  pick.contracted = l->op->loops[loops[0]].kind == DSP_LOOP_CONTRACTED;
  pick.layouts = DSP_NEW(l->arena, uint32_t, arity(l->op));
  for (size_t i = 0; i < arity(l->op); ++i) {
    DspPlanLayout layout = layout_at(l, i, dim, loops, nloops);
    if (!is_called(l, i, layout) ||
        (nloops > 1 && runs_along(l, i, layout, loops, nloops)))
      return;
    if (i >= l->op->noperands && pick.contracted)
      layout.kind = DSP_LAYOUT_PARTIAL;
    else if (i >= l->op->noperands && layout.kind != DSP_LAYOUT_CUT)
      return;
    pick.layouts[i] = dsp_layout_id(l->ids, layout);
  }
  push(l, pick);
}

/// The loop that goes round the ranks when `dim` is cut, or nloops.
static size_t ring_loop(const DspPlanOp *op, uint32_t dim) {
  size_t i = 0;
  while (i < op->nloops &&
         (op->loops[i].kind != DSP_LOOP_RING || op->loops[i].dim != dim))
    ++i;
  return i;
}

static int64_t bytes_of(const Lister *l, size_t i) {
  return l->rules->elements[value_id(l->op, i)] * value_at(l, i)->element_bytes;
}

/// Adds the pick of a free loop and the ring loop of the same dim.  Every part
/// of a travelling operand leaves all ranks but the one before its owner.
static void add_ring_pick(Lister *l, uint8_t loop) {
  uint32_t dim = l->op->loops[loop].dim;
  uint8_t ring = (uint8_t)ring_loop(l->op, dim);
  if (l->rules->no_ring || ring == l->op->nloops)
    return;
  DspPick pick = {.dim = dim, .ring = true,
                  .size = l->rules->graph->dims[dim].size};
  pick.layouts = DSP_NEW(l->arena, uint32_t, arity(l->op));
  for (size_t i = 0; i < arity(l->op); ++i) {
    DspPlanLayout layout = layout_at(l, i, dim, &loop, 1);
    if (layout.kind != DSP_LAYOUT_CUT) {
      layout = layout_at(l, i, dim, &ring, 1);
      if (layout.kind == DSP_LAYOUT_CUT) {
        int64_t row = bytes_of(l, i) / pick.size, ranks = l->rules->ranks;
        int64_t least = dsp_plan_part(pick.size, ranks - 1, ranks);
        pick.bytes += (ranks - 1) * bytes_of(l, i);
        pick.most += (pick.size - least) * row;
      }
    }
    if (i >= l->op->noperands && layout.kind != DSP_LAYOUT_CUT)
      return;
    pick.layouts[i] = dsp_layout_id(l->ids, layout);
  }
  push(l, pick);
}

/// The loops over the atoms of a product in value `i`, when they may be cut
/// together.
static const uint8_t *product_loops(const Lister *l, size_t i,
                                    const DspPlanDim *dim, DspLoopKind kind) {
  size_t at = dsp_find_dims(value_at(l, i), dim->atoms, dim->natoms);
  if (at == SIZE_MAX)
    return NULL;
  const uint8_t *loops = map_at(l, i) + at;
  for (size_t k = 0; k < dim->natoms; ++k)
    if (l->op->loops[loops[k]].kind != kind ||
        !may_cut(l, l->op->loops[loops[k]]))
      return NULL;
  return loops;
}

/// A product is offered where a result has its atoms side by side, or, if it
/// is contracted, where an operand has.
static void add_product(Lister *l, uint32_t id) {
  const DspPlanDim *dim = &l->rules->graph->dims[id];
  const uint8_t *loops = NULL;
  for (size_t i = l->op->noperands; i < arity(l->op) && !loops; ++i)
    loops = product_loops(l, i, dim, DSP_LOOP_FREE);
  if (loops)
    add_pick(l, id, loops, dim->natoms);
  loops = NULL;
  for (size_t i = 0; i < l->op->noperands && !loops; ++i)
    loops = product_loops(l, i, dim, DSP_LOOP_CONTRACTED);
  if (loops)
    add_pick(l, id, loops, dim->natoms);
}

DspPickList dsp_all_picks(DspArena *arena, const DspPickRules *rules,
                          DspLayoutIds *ids, const DspPlanOp *op) {
  Lister lister = {.arena = arena, .rules = rules, .ids = ids, .op = op};
  for (size_t i = 0; i < op->nloops; ++i) {
    uint8_t loop = (uint8_t)i;
    if (may_cut(&lister, op->loops[i]))
      add_pick(&lister, op->loops[i].dim, &loop, 1);
    if (op->loops[i].kind == DSP_LOOP_FREE)
      add_ring_pick(&lister, loop);
  }
  for (uint32_t dim = 0; dim < rules->graph->ndims; ++dim)
    if (rules->graph->dims[dim].natoms > 1)
      add_product(&lister, dim);
  return lister.list;
}

/// How much a pick is wanted; only the most wanted kind is offered.  Zero: it
/// gives nobody but the first rank anything to do.
static int pick_rank(const DspPickRules *rules, const DspPlanOp *op,
                     const DspPick *pick, const bool *anchored) {
  if (op->pin != DSP_PLAN_NO_DIM)
    return pick->dim == op->pin && !pick->contracted;
  if (pick->size <= 1)
    return 0;
  bool odd = op->kind == DSP_PLAN_ELEMENTWISE && anchored &&
             !anchored[pick->dim];
  bool full = pick->size >= rules->ranks || rules->priced;
  return (full ? 3 : 1) + !odd;
}

/// True when every rank may do all of the op: it touches few tokens, or works
/// on parameters alone.  Channels do not count: that a hidden layer is four
/// times as wide does not make the residual stream small.
static bool may_repeat(const DspPickRules *rules, const DspPlanOp *op) {
  if (rules->priced)
    return true;
  bool constant = op->noperands > 0, small = true;
  for (size_t i = 0; i < arity(op); ++i) {
    uint32_t value = value_id(op, i);
    if (rules->constant[value])
      continue;
    constant = false;
    small &= rules->tokens[value] <= rules->most_tokens / rules->ranks;
  }
  return constant || small;
}

static DspPick none_pick(DspArena *arena, const DspPickRules *rules,
                         const DspPlanOp *op) {
  DspPick pick = {.dim = DSP_PLAN_NO_DIM, .size = 1};
  pick.penalty = dsp_pick_penalty(work_of(rules, op), 1, rules->ranks);
  pick.layouts = DSP_NEW(arena, uint32_t, arity(op));
  for (size_t i = 0; i < arity(op); ++i)
    pick.layouts[i] = DSP_LAYOUT_ID_WHOLE;
  return pick;
}

DspPickList dsp_offered_picks(DspArena *arena, const DspPickRules *rules,
                              const DspPlanOp *op, DspPickList all,
                              const bool *anchored) {
  DspPickList list = {0, DSP_NEW(arena, DspPick, (size_t)all.count + 1)};
  int best = 1;
  for (uint32_t i = 0; i < all.count && rules->ranks > 1; ++i) {
    int rank = pick_rank(rules, op, &all.picks[i], anchored);
    if (rank > best) {
      best = rank;
      list.count = 0;
    }
    if (rank == best)
      list.picks[list.count++] = all.picks[i];
  }
  bool pinned = op->pin != DSP_PLAN_NO_DIM && rules->ranks > 1;
  if (!pinned && (list.count == 0 || may_repeat(rules, op)))
    list.picks[list.count++] = none_pick(arena, rules, op);
  return list;
}

bool dsp_share_anchors(const DspPlanGraph *graph, const DspPlanOp *op,
                       bool *anchored) {
  bool loops[UINT8_MAX + 1] = {false}, marked = false;
  for (int pass = 0; pass < 2; ++pass) {
    const uint8_t *map = op->maps;
    for (size_t i = 0; i < arity(op); ++i) {
      const DspPlanValue *value = &graph->values[value_id(op, i)];
      for (size_t k = 0; k < value->ndims; ++k, ++map) {
        bool *dim = &anchored[value->dims[k]];
        if (pass == 0)
          loops[*map] |= *dim;
        else if (loops[*map] && !*dim)
          marked = *dim = true;
      }
    }
  }
  return marked;
}
