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
// Leaves: picks of one axis in the order of the loops, products after them.
#include "picks.h"

#include <string.h>

static const DspPlanCut whole = {DSP_LAYOUT_WHOLE, DSP_PLAN_NO_DIM, 0, 0};

DspLayoutIds dsp_layout_ids(DspArena *arena) {
  DspLayoutIds ids = {.arena = arena, .ids = dsp_interner(arena)};
  dsp_layout_id(&ids, (DspPlanLayout){{whole, whole}});
  return ids;
}

uint32_t dsp_layout_id(DspLayoutIds *ids, DspPlanLayout layout) {
  uint64_t key[2 * DSP_PLAN_AXES];
  for (uint32_t a = 0; a < DSP_PLAN_AXES; ++a) {
    DspPlanCut cut = layout.axes[a];
    key[2 * a] = (uint64_t)cut.kind << 32 | cut.dim;
    key[2 * a + 1] = (uint64_t)cut.first << 16 | cut.count;
  }
  bool fresh = false;
  uint32_t id = dsp_intern(&ids->ids, key, 2 * DSP_PLAN_AXES, &fresh);
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

/// An op while its picks are listed.
typedef struct Lister {
  DspArena *arena;
  const DspPickRules *rules;
  const DspPlanOp *op;
  DspPickList list;
  uint32_t capacity;
} Lister;

static const DspPlanValue *value_at(const Lister *l, size_t i) {
  return &l->rules->graph->values[dsp_op_value(l->op, i)];
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

/// What becomes of value `i` when `loops` are cut; dims that were renamed have
/// the value's own name.
static DspPlanCut cut_at(const Lister *l, size_t i, uint32_t dim,
                         const uint8_t *loops, size_t nloops) {
  const uint8_t *map = map_at(l, i);
  for (size_t at = 0; at + nloops <= value_at(l, i)->ndims; ++at)
    if (memcmp(map + at, loops, nloops) == 0)
      return (DspPlanCut){DSP_LAYOUT_CUT,
                          nloops == 1 ? value_at(l, i)->dims[at] : dim,
                          (uint16_t)at, (uint16_t)nloops};
  return whole;
}

static DspPick *push(Lister *l, DspPick pick) {
  DSP_GROW(l->arena, l->list.picks, l->list.count, l->capacity);
  pick.cuts = DSP_NEW(l->arena, DspPlanCut, dsp_op_arity(l->op));
  l->list.picks[l->list.count] = pick;
  return &l->list.picks[l->list.count++];
}

/// A product is cut under its own name: no value may call its atoms otherwise.
static bool is_called(const Lister *l, size_t i, DspPlanCut cut) {
  if (cut.kind != DSP_LAYOUT_CUT || cut.count == 1)
    return true;
  const DspPlanDim *dim = &l->rules->graph->dims[cut.dim];
  return memcmp(value_at(l, i)->dims + cut.first, dim->atoms,
                cut.count * sizeof *dim->atoms) == 0;
}

/// Does value `i`, which stays whole, run over a part of the loops?
/// Elementwise code finds its index there; attention and einsums do not.
static bool runs_along(const Lister *l, size_t i, DspPlanCut cut,
                       const uint8_t *loops, size_t nloops) {
  const uint8_t *map = map_at(l, i);
  bool any = false;
  if (cut.kind == DSP_LAYOUT_CUT || l->op->kind == DSP_PLAN_ELEMENTWISE)
    return false;
  for (size_t at = 0; at < value_at(l, i)->ndims; ++at)
    any |= memchr(loops, map[at], nloops) != NULL;
  return any;
}

/// Adds the pick of some loops, unless a result cannot be cut there.
static void add_pick(Lister *l, uint32_t dim, const uint8_t *loops,
                     size_t nloops) {
  DspPick *pick =
      push(l, (DspPick){.way = {.dim = dim},
                        .size = l->rules->graph->dims[dim].size});
  pick->way.contracted = l->op->loops[loops[0]].kind == DSP_LOOP_CONTRACTED;
  for (size_t i = 0; i < nloops; ++i)
    pick->weight |= l->op->loops[loops[i]].weight;
  bool fits = true;
  for (size_t i = 0; i < dsp_op_arity(l->op); ++i) {
    DspPlanCut cut = cut_at(l, i, dim, loops, nloops);
    fits &= is_called(l, i, cut) &&
            (nloops == 1 || !runs_along(l, i, cut, loops, nloops));
    if (i >= l->op->noperands && pick->way.contracted)
      cut = (DspPlanCut){DSP_LAYOUT_PARTIAL, DSP_PLAN_NO_DIM, 0, 0};
    else if (i >= l->op->noperands)
      fits &= cut.kind == DSP_LAYOUT_CUT;
    pick->cuts[i] = cut;
  }
  if (!fits)
    --l->list.count;
}

/// The loop that goes round the ranks when `dim` is cut, or nloops.
static size_t ring_loop(const DspPlanOp *op, uint32_t dim) {
  size_t i = 0;
  while (i < op->nloops &&
         (op->loops[i].kind != DSP_LOOP_RING || op->loops[i].dim != dim))
    ++i;
  return i;
}

/// Adds the pick of a free loop and the ring loop of the same dim.
static void add_ring_pick(Lister *l, uint8_t loop) {
  uint32_t dim = l->op->loops[loop].dim;
  uint8_t ring = (uint8_t)ring_loop(l->op, dim);
  if (ring == l->op->nloops)
    return;
  DspPick *pick =
      push(l, (DspPick){.way = {.dim = dim, .ring = true},
                        .size = l->rules->graph->dims[dim].size});
  pick->travels = DSP_NEW(l->arena, bool, l->op->noperands);
  bool fits = true;
  for (size_t i = 0; i < dsp_op_arity(l->op); ++i) {
    DspPlanCut cut = cut_at(l, i, dim, &loop, 1);
    if (cut.kind != DSP_LAYOUT_CUT && i < l->op->noperands) {
      cut = cut_at(l, i, dim, &ring, 1);
      pick->travels[i] = cut.kind == DSP_LAYOUT_CUT;
    }
    fits &= i < l->op->noperands || cut.kind == DSP_LAYOUT_CUT;
    pick->cuts[i] = cut;
  }
  if (!fits)
    --l->list.count;
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
  for (size_t i = l->op->noperands; i < dsp_op_arity(l->op) && !loops; ++i)
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
                          const DspPlanOp *op) {
  Lister lister = {.arena = arena, .rules = rules, .op = op};
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

bool dsp_share_anchors(const DspPlanGraph *graph, const DspPlanOp *op,
                       bool *anchored) {
  bool loops[UINT8_MAX + 1] = {false}, marked = false;
  for (int pass = 0; pass < 2; ++pass) {
    const uint8_t *map = op->maps;
    for (size_t i = 0; i < dsp_op_arity(op); ++i) {
      const DspPlanValue *value = &graph->values[dsp_op_value(op, i)];
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
