// lower.c - a graph of loop nests becomes a search problem.
//
// Ops that are alike share one list of picks, values that are alike share one
// class, and ops that are alike on values that are alike share one choice: a
// deep model costs little more than its distinct layers, and the search sees
// that layers repeat.
//
// Needs:  a graph as rules.h describes it.
// Leaves: a problem whose classes hold the layouts that some op needs or gives,
//         R, and the stops between them (closure.c).
#include "dspc/plan/lower.h"

#include <assert.h>
#include <string.h>

#include "closure.h"
#include "dspc/plan/machine.h"
#include "held.h"
#include "methods.h"
#include "mixed.h"
#include "picks.h"

typedef struct Class {
  DspPlanLayout *layouts;
  uint8_t *local; ///< [number of layouts] index in the class
} Class;

typedef struct Lowering {
  DspArena *arena;   ///< of the result
  DspArena *scratch; ///< gone when this is done
  const DspPlanGraph *graph;
  const DspPlanOptions *options;
  DspPickRules rules;
  DspLayoutIds ids;
  DspKey key;

  uint32_t *value_kind; ///< [nvalues] equal: same dims, element and constancy
  DspInterner kinds;
  uint32_t *op_kind; ///< [nops] equal: same loops on values of the same kinds
  DspPickList *all;   ///< [nkinds] what an axis may do
  DspMeshPickList *picks; ///< [nkinds]
  uint32_t nkinds;
  uint32_t all_capacity;
  bool *anchored; ///< [axes][ndims]

  DspHolding holding;
  DspMixed mixed;
  size_t words;        ///< of one bit set of layouts
  uint64_t *asked;     ///< [nvalues][words]
  uint32_t *class_of;  ///< [nvalues]
  Class *classes;
  DspLayoutClass *tables;
  uint32_t nclasses, classes_capacity, tables_capacity;

  DspChoice *choices;
  const DspPlanWays **ways;
  uint32_t nchoices, choices_capacity, ways_capacity;
  DspSearchOp *ops;
  const DspDimRole *roles; ///< [ndims]
  const uint32_t **key_names; ///< [nops]
  size_t bad_pin; ///< op, or SIZE_MAX
  size_t unfit;   ///< op, or SIZE_MAX
  uint32_t wide;  ///< value with too many layouts, or UINT32_MAX
} Lowering;

static bool has_loops(const DspPlanOp *op) {
  return op->kind == DSP_PLAN_COMPUTE || op->kind == DSP_PLAN_ELEMENTWISE;
}

/// Marks what follows from parameters alone.
static bool *find_constants(Lowering *l) {
  bool *constant = DSP_NEW(l->scratch, bool, l->graph->nvalues);
  for (size_t o = 0; o < l->graph->nops; ++o) {
    const DspPlanOp *op = &l->graph->ops[o];
    bool all = op->kind != DSP_PLAN_INPUT;
    for (size_t i = 0; i < op->noperands; ++i)
      all &= constant[op->operands[i]];
    for (size_t i = 0; i < op->nresults; ++i)
      constant[op->results[i]] = all;
  }
  return constant;
}

static void measure(Lowering *l) {
  int64_t *elements = DSP_NEW(l->scratch, int64_t, l->graph->nvalues);
  int64_t *tokens = DSP_NEW(l->scratch, int64_t, l->graph->nvalues);
  l->rules.constant = find_constants(l);
  for (size_t v = 0; v < l->graph->nvalues; ++v) {
    const DspPlanValue *value = &l->graph->values[v];
    elements[v] = tokens[v] = 1;
    for (size_t i = 0; i < value->ndims; ++i) {
      int64_t size = l->graph->dims[value->dims[i]].size;
      elements[v] *= size;
      tokens[v] *= l->roles[value->dims[i]] == DSP_ROLE_WEIGHT ? 1 : size;
    }
    if (!l->rules.constant[v] && tokens[v] > l->rules.most_tokens)
      l->rules.most_tokens = tokens[v];
  }
  l->rules.tokens = tokens;
  l->rules.elements = elements;
}

static void number_values(Lowering *l) {
  l->kinds = dsp_interner(l->scratch);
  l->value_kind = DSP_NEW(l->scratch, uint32_t, l->graph->nvalues);
  for (size_t v = 0; v < l->graph->nvalues; ++v) {
    const DspPlanValue *value = &l->graph->values[v];
    bool fresh = false;
    l->key.count = 0;
    dsp_key_add(&l->key, (uint64_t)value->element_bytes << 1 |
                             l->rules.constant[v]);
    for (size_t i = 0; i < value->ndims; ++i)
      dsp_key_add(&l->key, value->dims[i]);
    l->value_kind[v] =
        dsp_intern(&l->kinds, l->key.words, l->key.count, &fresh);
  }
}

static bool is_what_if(const Lowering *l, const DspPlanOp *op) {
  return l->options->what_if.set && l->options->what_if.stage == op->stage;
}

/// All that the picks of an op depend on.
static void key_of_op(Lowering *l, const DspPlanOp *op) {
  const uint8_t *map = op->maps;
  l->key.count = 0;
  dsp_key_add(&l->key, (uint64_t)op->kind << 36 |
                           (uint64_t)op->view << 35 |
                           (uint64_t)is_what_if(l, op) << 34 |
                           (uint64_t)op->attention << 33 |
                           (uint64_t)op->partial << 32 | op->pin);
  dsp_key_add(&l->key, (uint64_t)op->noperands << 32 | op->nloops);
  const uint32_t *names = l->key_names[op - l->graph->ops];
  for (size_t i = 0; i < op->nloops; ++i) {
    dsp_key_add(&l->key, (uint64_t)op->loops[i].dim << 32 |
                             (uint64_t)op->loops[i].kind << 1 |
                             op->loops[i].weight);
    dsp_key_add(&l->key, names ? names[i] : DSP_PLAN_NO_DIM);
  }
  for (size_t i = 0; i < dsp_op_arity(op); ++i) {
    uint64_t word = l->value_kind[dsp_op_value(op, i)];
    dsp_key_add(&l->key, word);
    for (size_t k = 0; k < l->graph->values[dsp_op_value(op, i)].ndims; ++k)
      dsp_key_add(&l->key, *map++);
  }
}

/// Lists the picks of every kind of op; `which[kind]` is an op of that kind.
static const DspPlanOp **list_picks(Lowering *l) {
  DspInterner kinds = dsp_interner(l->scratch);
  const DspPlanOp **which = NULL;
  uint32_t which_capacity = 0;
  l->op_kind = DSP_NEW(l->scratch, uint32_t, l->graph->nops);
  for (size_t o = 0; o < l->graph->nops; ++o) {
    const DspPlanOp *op = &l->graph->ops[o];
    if (!has_loops(op))
      continue;
    bool fresh = false;
    key_of_op(l, op);
    uint32_t kind = dsp_intern(&kinds, l->key.words, l->key.count, &fresh);
    l->op_kind[o] = kind;
    if (!fresh)
      continue;
    DSP_GROW(l->scratch, which, kind, which_capacity);
    DSP_GROW(l->scratch, l->all, kind, l->all_capacity);
    which[kind] = op;
    l->all[kind] = dsp_all_picks(l->scratch, &l->rules, op);
  }
  l->nkinds = kinds.count;
  l->picks = DSP_NEW(l->scratch, DspMeshPickList, kinds.count);
  return which;
}

/// Offers the picks of the method; false when there is none.
static bool apply_method(Lowering *l, const DspMethodRules *method,
                         const DspPlanOp *op, DspPickList list,
                         DspMeshPickList *offered) {
  const uint32_t *on =
      is_what_if(l, op) ? l->options->what_if.dims : NULL;
  if (on)
    list = dsp_picks_on(l->scratch, on, list);
  if (!dsp_method_picks(l->scratch, method, op, &list))
    return false;
  *offered = dsp_offered_picks(l->scratch, &l->rules, &l->ids, op, list, NULL,
                               on);
  return true;
}

/// A dim that was renamed is anchored under both names.
static void share_anchors(Lowering *l, const DspPlanOp **which) {
  bool marked = true;
  while (marked) {
    marked = false;
    for (uint32_t k = 0; k < l->nkinds; ++k)
      for (uint32_t a = 0; a < DSP_PLAN_AXES; ++a)
        if (which[k]->kind == DSP_PLAN_ELEMENTWISE)
          marked |= dsp_share_anchors(l->graph, which[k],
                                      l->anchored + a * l->graph->ndims);
  }
}

static void add_anchors(Lowering *l, const DspMeshPickList *list) {
  for (uint32_t i = 0; i < list->count; ++i)
    for (uint32_t a = 0; a < DSP_PLAN_AXES; ++a) {
      uint32_t dim = list->picks[i].axes.axes[a].dim;
      if (dim != DSP_PLAN_NO_DIM)
        l->anchored[a * l->graph->ndims + dim] = true;
    }
}

/// Narrows the picks of every kind of op to those that are offered.
static void offer_picks(Lowering *l, uint32_t residual) {
  const DspPlanOp **which = list_picks(l);
  DspMethodRules method = {l->options->method, l->graph, l->roles, residual,
                           l->options->mesh, l->key_names,
                           dsp_other_names(l->scratch, l->graph, l->key_names,
                                           residual)};
  bool has_dim = dsp_plan_ranks(&l->options->mesh) == 1 ||
                 dsp_method_has_dim(l->options->method, l->graph, l->roles);
  l->anchored =
      DSP_NEW(l->scratch, bool, DSP_PLAN_AXES * l->graph->ndims);
  for (uint32_t k = 0; k < l->nkinds; ++k) {
    if (which[k]->kind != DSP_PLAN_COMPUTE)
      continue;
    bool fits =
        apply_method(l, &method, which[k], l->all[k], &l->picks[k]) && has_dim;
    if (!fits && l->unfit == SIZE_MAX)
      l->unfit = (size_t)(which[k] - l->graph->ops);
    add_anchors(l, &l->picks[k]);
  }
  share_anchors(l, which);
  for (uint32_t k = 0; k < l->nkinds; ++k)
    if (which[k]->kind == DSP_PLAN_ELEMENTWISE)
      l->picks[k] = dsp_offered_picks(l->scratch, &l->rules, &l->ids, which[k],
                                      l->all[k], l->anchored, NULL);
}

static void ask(Lowering *l, uint32_t value, uint32_t layout) {
  l->asked[value * l->words + layout / 64] |= (uint64_t)1 << layout % 64;
}

/// An input may be pinned to a layout that no op asks for.
static void ask_for_pin(Lowering *l, size_t o) {
  const DspPlanOp *op = &l->graph->ops[o];
  const DspPlanDim *dim = &l->graph->dims[op->pin];
  bool atom = dim->natoms == 0;
  size_t count = atom ? 1 : dim->natoms;
  size_t at = dsp_find_dims(&l->graph->values[op->results[0]],
                            atom ? &op->pin : dim->atoms, count);
  if (at == SIZE_MAX)
    return;
  DspPlanCut cut = {DSP_LAYOUT_CUT, op->pin, (uint16_t)at, (uint16_t)count};
  DspPlanCut whole = {DSP_LAYOUT_WHOLE, DSP_PLAN_NO_DIM, 0, 0};
  bool both[] = {l->options->mesh.sizes[0] > 1, l->options->mesh.sizes[1] > 1};
  DspPlanLayout layout = {{both[0] ? cut : whole, both[1] ? cut : whole}};
  ask(l, op->results[0], dsp_layout_id(&l->ids, layout));
}

static bool is_pinned_input(const Lowering *l, const DspPlanOp *op) {
  return op->kind == DSP_PLAN_INPUT && op->pin != DSP_PLAN_NO_DIM &&
         dsp_plan_ranks(&l->options->mesh) > 1;
}

/// The layouts that the picks of a kind of op ask of each of its values.
static uint64_t *asked_by(Lowering *l, const DspPlanOp *op,
                          const DspMeshPickList *list) {
  uint64_t *asked = DSP_NEW(l->scratch, uint64_t, dsp_op_arity(op) * l->words);
  for (uint32_t p = 0; p < list->count; ++p)
    for (size_t i = 0; i < dsp_op_arity(op); ++i) {
      uint32_t layout = list->picks[p].layouts[i];
      asked[i * l->words + layout / 64] |= (uint64_t)1 << layout % 64;
    }
  return asked;
}

/// Collects the layouts in which each value may be.
static void collect_layouts(Lowering *l) {
  size_t pins = 0;
  for (size_t o = 0; o < l->graph->nops; ++o)
    pins += is_pinned_input(l, &l->graph->ops[o]);
  l->words = (l->ids.ids.count + pins) / 64 + 1;
  l->asked = DSP_NEW(l->scratch, uint64_t, l->graph->nvalues * l->words);
  for (uint32_t v = 0; v < l->graph->nvalues; ++v)
    ask(l, v, DSP_LAYOUT_ID_WHOLE);
  uint64_t **by_kind = DSP_NEW(l->scratch, uint64_t *, l->nkinds);
  for (size_t o = 0; o < l->graph->nops; ++o) {
    const DspPlanOp *op = &l->graph->ops[o];
    if (is_pinned_input(l, op))
      ask_for_pin(l, o);
    if (!has_loops(op))
      continue;
    uint32_t kind = l->op_kind[o];
    if (!by_kind[kind])
      by_kind[kind] = asked_by(l, op, &l->picks[kind]);
    for (size_t i = 0; i < dsp_op_arity(op); ++i)
      for (size_t w = 0; w < l->words; ++w)
        l->asked[dsp_op_value(op, i) * l->words + w] |=
            by_kind[kind][i * l->words + w];
  }
}

/// The layouts of a bit set.
static uint32_t list_layouts(const Lowering *l, const uint64_t *asked,
                             DspPlanLayout *layouts) {
  uint32_t count = 0;
  for (uint32_t id = 0; id < l->words * 64 && id < l->ids.ids.count; ++id)
    if (asked[id / 64] >> id % 64 & 1)
      layouts[count++] = l->ids.layouts[id];
  return count;
}

/// What a pick costs by itself: the bytes of its ring, or the time it takes.
static int64_t pick_price(const Lowering *l, const DspPlanOp *op,
                          const DspMeshPick *pick) {
  const DspMachine *machine = l->options->machine;
  const DspPlanMesh *mesh = &l->options->mesh;
  if (!machine)
    return pick->bytes;
  double share = dsp_plan_share(l->graph, mesh, pick->axes.axes);
  double seconds = dsp_machine_op(machine, l->graph, op, share);
  if (pick->sent)
    seconds += dsp_machine_move(machine, mesh, pick->sent, pick->far);
  return (int64_t)(seconds * 1e12 + 0.5);
}

static void make_class(Lowering *l, uint32_t value) {
  const DspPlanValue *it = &l->graph->values[value];
  DspPlanLayout sorted[DSP_PLAN_MAX_LAYOUTS];
  DspPlanLayout *asked = DSP_NEW(l->scratch, DspPlanLayout, l->ids.ids.count);
  uint32_t count = list_layouts(l, &l->asked[value * l->words], asked);
  DspLayoutClass table = {0};
  Class class = {0};
  table.count = dsp_close_layouts(&l->ids, &l->options->mesh, asked, count,
                                  sorted);
  if (table.count == 0 && l->wide == UINT32_MAX)
    l->wide = value;
  class.layouts = DSP_NEW(l->arena, DspPlanLayout, table.count);
  memcpy(class.layouts, sorted, table.count * sizeof *sorted);
  class.local = DSP_NEW(l->scratch, uint8_t, l->ids.ids.count);
  for (uint32_t i = 0; i < table.count; ++i)
    class.local[dsp_layout_id(&l->ids, sorted[i])] = (uint8_t)i;
  int64_t *sizes = DSP_NEW(l->scratch, int64_t, it->ndims);
  for (size_t i = 0; i < it->ndims; ++i)
    sizes[i] = l->graph->dims[it->dims[i]].size;
  DspPlanShape shape = {it->ndims, sizes, it->element_bytes};
  dsp_fill_table(l->arena, l->scratch, &shape, &l->options->mesh,
                 l->options->machine, sorted, &table);
  DSP_GROW(l->scratch, l->classes, l->nclasses, l->classes_capacity);
  DSP_GROW(l->arena, l->tables, l->nclasses, l->tables_capacity);
  l->classes[l->nclasses] = class;
  l->tables[l->nclasses++] = table;
}

/// Values of one kind that may be in the same layouts make a class.
static void make_classes(Lowering *l) {
  DspInterner ids = dsp_interner(l->scratch);
  l->class_of = DSP_NEW(l->arena, uint32_t, l->graph->nvalues);
  for (uint32_t v = 0; v < l->graph->nvalues; ++v) {
    bool fresh = false;
    l->key.count = 0;
    dsp_key_add(&l->key, l->value_kind[v]);
    for (size_t w = 0; w < l->words; ++w)
      dsp_key_add(&l->key, l->asked[v * l->words + w]);
    l->class_of[v] = dsp_intern(&ids, l->key.words, l->key.count, &fresh);
    if (fresh)
      make_class(l, v);
  }
}

/// The outer axis before the inner one.
static int64_t order_of(const Lowering *l, const DspPlanOp *op, uint32_t outer,
                        uint32_t inner) {
  int64_t order = dsp_mixed_order(&l->mixed, op->stage, outer);
  if (l->options->mesh.naxes == 1)
    return order;
  int64_t base = 2 * (int64_t)l->graph->ndims + 1;
  return order * base + dsp_mixed_order(&l->mixed, op->stage, inner);
}

static uint8_t *local_layouts(Lowering *l, const uint32_t *values,
                              const uint32_t *ids, size_t count) {
  uint8_t *local = DSP_NEW(l->arena, uint8_t, count);
  for (size_t i = 0; i < count; ++i)
    local[i] = l->classes[l->class_of[values[i]]].local[ids[i]];
  return local;
}

static void add_choice(Lowering *l, DspChoice choice,
                       const DspPlanWays *ways) {
  DSP_GROW(l->arena, l->choices, l->nchoices, l->choices_capacity);
  DSP_GROW(l->arena, l->ways, l->nchoices, l->ways_capacity);
  l->choices[l->nchoices] = choice;
  l->ways[l->nchoices++] = ways;
}

/// What a pick is charged for the memory that it holds.
static int64_t pick_charge(const Lowering *l, size_t o,
                           const DspMeshPick *pick) {
  const DspPlanOp *op = &l->graph->ops[o];
  DspPlanLayout layouts[2 * DSP_PLAN_MAX_ARITY];
  if (!l->options->prices || l->options->prices[o] == 0)
    return 0;
  for (size_t i = 0; i < dsp_op_arity(op); ++i)
    layouts[i] = l->ids.layouts[pick->layouts[i]];
  return dsp_holding_charge(
      &l->holding, o,
      dsp_holding_bytes(&l->holding, o, layouts, layouts + op->noperands));
}

/// The alternatives of an op with loops: its picks.
static void make_choice(Lowering *l, size_t o) {
  const DspPlanOp *op = &l->graph->ops[o];
  DspMeshPickList list = l->picks[l->op_kind[o]];
  DspAlternative *out = DSP_NEW(l->arena, DspAlternative, list.count);
  DspPlanWays *ways = DSP_NEW(l->arena, DspPlanWays, list.count);
  for (uint32_t i = 0; i < list.count; ++i) {
    const DspMeshPick *pick = &list.picks[i];
    out[i].needs =
        local_layouts(l, op->operands, pick->layouts, op->noperands);
    out[i].gives = local_layouts(
        l, op->results, pick->layouts + op->noperands, op->nresults);
    out[i].bytes = pick_price(l, op, pick) + pick_charge(l, o, pick);
    out[i].collectives = pick->bytes != 0;
    out[i].penalty = pick->penalty;
    out[i].order = order_of(l, op, pick->axes.axes[0].dim,
                            pick->axes.axes[1].dim);
    ways[i] = pick->axes;
  }
  add_choice(l, (DspChoice){(uint32_t)op->noperands, (uint32_t)op->nresults,
                            list.count, out}, ways);
}

static bool has_kind(DspPlanLayout layout, DspLayoutKind kind) {
  return layout.axes[0].kind == kind || layout.axes[1].kind == kind;
}

/// Is the layout cut on `dim` along every axis that has ranks?
static bool is_cut_on(const Lowering *l, DspPlanLayout layout, uint32_t dim) {
  for (uint32_t a = 0; a < DSP_PLAN_AXES; ++a)
    if (l->options->mesh.sizes[a] > 1 &&
        (layout.axes[a].kind != DSP_LAYOUT_CUT || layout.axes[a].dim != dim))
      return false;
  return true;
}

/// What an input, a parameter or an output may do with a layout.
static bool boundary_allows(const Lowering *l, const DspPlanOp *op,
                            DspPlanLayout layout) {
  if (is_pinned_input(l, op))
    return is_cut_on(l, layout, op->pin);
  if (op->kind == DSP_PLAN_PARAM && !l->rules.allow_tensor)
    return layout.axes[0].kind == DSP_LAYOUT_WHOLE &&
           layout.axes[1].kind == DSP_LAYOUT_WHOLE;
  return !has_kind(layout, DSP_LAYOUT_PARTIAL);
}

/// Holding an input whole is work that others do as well; outputs may lie as
/// they like, and so may weights: those that are cut alike at every use come to
/// lie so (route.c).
static int64_t boundary_penalty(const Lowering *l, const DspPlanOp *op,
                                DspPlanLayout layout) {
  if (op->kind != DSP_PLAN_INPUT)
    return 0;
  int64_t sizes[DSP_PLAN_AXES] = {1, 1};
  for (uint32_t a = 0; a < DSP_PLAN_AXES; ++a)
    if (layout.axes[a].kind == DSP_LAYOUT_CUT)
      sizes[a] = l->graph->dims[layout.axes[a].dim].size;
  return dsp_pick_penalty(
      &l->options->mesh, l->rules.elements[op->results[0]], sizes,
      dsp_plan_cut_overlaps(layout.axes[0], layout.axes[1]));
}

/// The alternatives of an op without loops: the layouts of its value.
static void make_boundary(Lowering *l, size_t o) {
  const DspPlanOp *op = &l->graph->ops[o];
  uint32_t class = l->class_of[dsp_op_value(op, 0)], n = 0;
  uint32_t count = l->tables[class].count;
  DspAlternative *out = DSP_NEW(l->arena, DspAlternative, count);
  DspPlanWays *ways = DSP_NEW(l->arena, DspPlanWays, count);
  for (uint32_t i = 0; i < count; ++i) {
    DspPlanLayout layout = l->classes[class].layouts[i];
    if (!boundary_allows(l, op, layout))
      continue;
    uint8_t *index = DSP_NEW(l->arena, uint8_t, 1);
    *index = (uint8_t)i;
    out[n].needs = out[n].gives = index;
    out[n].bytes = dsp_holding_charge(
        &l->holding, o, dsp_holding_bytes(&l->holding, o, &layout, &layout));
    out[n].penalty = boundary_penalty(l, op, layout);
    if (op->kind != DSP_PLAN_PARAM)
      out[n].order = order_of(l, op, layout.axes[0].dim, layout.axes[1].dim);
    ways[n++] = (DspPlanWays){{{.dim = layout.axes[0].dim},
                               {.dim = layout.axes[1].dim}}};
  }
  add_choice(l, (DspChoice){(uint32_t)op->noperands, (uint32_t)op->nresults, n,
                            out}, ways);
}

/// All that the choice of an op depends on.
static void key_of_choice(Lowering *l, size_t o) {
  const DspPlanOp *op = &l->graph->ops[o];
  l->key.count = 0;
  dsp_key_add(&l->key, (uint64_t)op->kind << 32 | op->pin);
  dsp_key_add(&l->key, l->mixed.kinds[op->stage]);
  dsp_key_add(&l->key, has_loops(op) ? l->op_kind[o] : UINT32_MAX);
  for (size_t i = 0; i < dsp_op_arity(op); ++i)
    dsp_key_add(&l->key, l->class_of[dsp_op_value(op, i)]);
  if (!l->options->prices)
    return;
  dsp_key_add(&l->key, (uint64_t)l->options->prices[o]);
  for (size_t i = 0; i < op->noperands; ++i)
    dsp_key_add(&l->key, dsp_holding_same(&l->holding, op, i));
}

static void make_ops(Lowering *l) {
  DspInterner ids = dsp_interner(l->scratch);
  l->ops = DSP_NEW(l->arena, DspSearchOp, l->graph->nops);
  for (size_t o = 0; o < l->graph->nops; ++o) {
    const DspPlanOp *op = &l->graph->ops[o];
    bool fresh = false;
    key_of_choice(l, o);
    uint32_t id = dsp_intern(&ids, l->key.words, l->key.count, &fresh);
    if (fresh && has_loops(op))
      make_choice(l, o);
    else if (fresh)
      make_boundary(l, o);
    l->ops[o] = (DspSearchOp){id, op->operands, op->results};
    if (l->choices[id].count == 0 && l->bad_pin == SIZE_MAX)
      l->bad_pin = o;
  }
}

static void finish(Lowering *l, DspLowered *lowered) {
  const DspPlanLayout **layouts =
      DSP_NEW(l->arena, const DspPlanLayout *, l->nclasses);
  for (uint32_t i = 0; i < l->nclasses; ++i)
    layouts[i] = l->classes[i].layouts;
  lowered->layouts = layouts;
  lowered->ways = l->ways;
  lowered->problem = (DspSearchProblem){
    l->nclasses, l->tables,   l->nchoices,     l->choices,
    l->graph->nvalues, l->class_of, l->graph->nops, l->ops};
}

static size_t maker_of(const DspPlanGraph *graph, uint32_t value) {
  for (size_t o = 0; o < graph->nops; ++o)
    for (size_t i = 0; i < graph->ops[o].nresults; ++i)
      if (graph->ops[o].results[i] == value)
        return o;
  return 0;
}

DspPlanStatus dsp_plan_lower(DspArena *arena, const DspPlanGraph *graph,
                             const DspPlanOptions *options,
                             uint32_t residual, DspLowered *lowered,
                             size_t *culprit) {
  assert(options->mesh.sizes[0] >= 1 && options->mesh.sizes[1] >= 1);
  DspArena *scratch = dsp_arena_create();
  Lowering l = {.arena = arena, .scratch = scratch, .graph = graph,
                .options = options, .bad_pin = SIZE_MAX, .unfit = SIZE_MAX,
                .wide = UINT32_MAX};
  l.rules = (DspPickRules){
    .graph = graph, .mesh = options->mesh,
    .priced = options->machine != NULL &&
              !dsp_method_keeps_residual(options->method),
    .few_pairs = options->few_pairs,
    .weights_anywhere = options->method == DSP_METHOD_MEGATRON_SP,
    .allow_tensor = options->allow_tensor ||
                    options->method == DSP_METHOD_MEGATRON_SP};
  l.roles = dsp_dim_roles(scratch, graph);
  l.ids = dsp_layout_ids(scratch);
  l.key.arena = scratch;
  measure(&l);
  l.key_names = dsp_key_names(scratch, graph, l.rules.constant);
  number_values(&l);
  offer_picks(&l, residual);
  if (l.unfit == SIZE_MAX) {
    collect_layouts(&l);
    make_classes(&l);
  }
  bool fits = l.unfit == SIZE_MAX && l.wide == UINT32_MAX;
  if (fits) {
    l.mixed = dsp_find_mixed(scratch, graph);
    l.holding =
        dsp_holding(scratch, graph, &options->mesh, options->prices);
    make_ops(&l);
    finish(&l, lowered);
  }
  dsp_arena_destroy(scratch);
  size_t wrong = l.unfit != SIZE_MAX ? l.unfit : l.bad_pin;
  if (l.wide != UINT32_MAX)
    wrong = maker_of(graph, l.wide);
  if (culprit && wrong != SIZE_MAX)
    *culprit = wrong;
  if (!fits)
    return l.unfit != SIZE_MAX ? DSP_PLAN_UNFIT : DSP_PLAN_WIDE;
  return l.bad_pin == SIZE_MAX ? DSP_PLAN_OK : DSP_PLAN_BAD_PIN;
}
