// lower.c - a graph of loop nests becomes a search problem.
//
// Ops that are alike share one list of picks, values that are alike share one
// class, and ops that are alike on values that are alike share one choice: a
// deep model costs little more than its distinct layers, and the search sees
// that layers repeat.
//
// Needs:  a graph as rules.h describes it.
// Leaves: a problem whose classes hold exactly the layouts that some op needs
//         or gives, and R.
#include "dspc/plan/lower.h"

#include <assert.h>
#include <string.h>

#include "dspc/plan/machine.h"
#include "dspc/support/bug.h"
#include "methods.h"
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
  DspPickList *picks; ///< [nkinds]
  uint32_t nkinds;
  uint32_t picks_capacity;
  bool *anchored; ///< [ndims]

  bool *mixed;          ///< [stages][ndims] some op of the stage needs it whole
  uint32_t *mixed_kind; ///< [stages] equal: the same dims
  size_t words;        ///< of one bit set of layouts
  uint64_t *asked;     ///< [nvalues][words]
  uint32_t *class_of;  ///< [nvalues]
  Class *classes;
  DspLayoutClass *tables;
  uint32_t nclasses, classes_capacity, tables_capacity;

  DspChoice *choices;
  const DspPlanWay **ways;
  uint32_t nchoices, choices_capacity, ways_capacity;
  DspSearchOp *ops;
  const DspDimRole *roles; ///< [ndims]
  const uint32_t **key_names; ///< [nops]
  size_t bad_pin; ///< op, or SIZE_MAX
  size_t unfit;   ///< op, or SIZE_MAX
} Lowering;

static bool has_loops(const DspPlanOp *op) {
  return op->kind == DSP_PLAN_COMPUTE || op->kind == DSP_PLAN_ELEMENTWISE;
}

static size_t arity(const DspPlanOp *op) {
  return op->noperands + op->nresults;
}

static uint32_t value_id(const DspPlanOp *op, size_t i) {
  return i < op->noperands ? op->operands[i] : op->results[i - op->noperands];
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
  for (size_t i = 0; i < arity(op); ++i) {
    uint64_t word = l->value_kind[value_id(op, i)];
    dsp_key_add(&l->key, word);
    for (size_t k = 0; k < l->graph->values[value_id(op, i)].ndims; ++k)
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
    DSP_GROW(l->scratch, l->picks, kind, l->picks_capacity);
    which[kind] = op;
    l->picks[kind] = dsp_all_picks(l->scratch, &l->rules, &l->ids, op);
  }
  l->nkinds = kinds.count;
  return which;
}

/// Leaves the picks of the method; false when there is none.
static bool apply_method(Lowering *l, const DspMethodRules *method,
                         const DspPlanOp *op, DspPickList *list) {
  if (is_what_if(l, op))
    *list = dsp_picks_on(l->scratch, l->options->what_if.dim, *list);
  bool fits = dsp_method_picks(l->scratch, method, op, list);
  if (fits)
    *list = dsp_offered_picks(l->scratch, &l->rules, op, *list, NULL);
  return fits;
}

/// A dim that was renamed is anchored under both names.
static void share_anchors(Lowering *l, const DspPlanOp **which) {
  bool marked = true;
  while (marked) {
    marked = false;
    for (uint32_t k = 0; k < l->nkinds; ++k)
      if (which[k]->kind == DSP_PLAN_ELEMENTWISE)
        marked |= dsp_share_anchors(l->graph, which[k], l->anchored);
  }
}

/// Narrows the picks of every kind of op to those that are offered.
static void offer_picks(Lowering *l, uint32_t residual) {
  const DspPlanOp **which = list_picks(l);
  DspMethodRules method = {l->options->method, l->graph, l->roles, residual,
                           l->options->ranks, l->key_names,
                           dsp_other_names(l->scratch, l->graph, l->key_names,
                                           residual)};
  bool has_dim = l->options->ranks == 1 ||
                 dsp_method_has_dim(l->options->method, l->graph, l->roles);
  l->anchored = DSP_NEW(l->scratch, bool, l->graph->ndims);
  for (uint32_t k = 0; k < l->nkinds; ++k) {
    if (which[k]->kind != DSP_PLAN_COMPUTE)
      continue;
    if ((!apply_method(l, &method, which[k], &l->picks[k]) || !has_dim) &&
        l->unfit == SIZE_MAX)
      l->unfit = (size_t)(which[k] - l->graph->ops);
    for (uint32_t i = 0; i < l->picks[k].count; ++i)
      if (l->picks[k].picks[i].dim != DSP_PLAN_NO_DIM)
        l->anchored[l->picks[k].picks[i].dim] = true;
  }
  share_anchors(l, which);
  for (uint32_t k = 0; k < l->nkinds; ++k)
    if (which[k]->kind == DSP_PLAN_ELEMENTWISE)
      l->picks[k] = dsp_offered_picks(l->scratch, &l->rules, which[k],
                                      l->picks[k], l->anchored);
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
  DspPlanLayout layout = {DSP_LAYOUT_CUT, op->pin, (uint16_t)at,
                          (uint16_t)count};
  ask(l, op->results[0], dsp_layout_id(&l->ids, layout));
}

static bool is_pinned_input(const Lowering *l, const DspPlanOp *op) {
  return op->kind == DSP_PLAN_INPUT && op->pin != DSP_PLAN_NO_DIM &&
         l->options->ranks > 1;
}

/// The layouts that the picks of a kind of op ask of each of its values.
static uint64_t *asked_by(Lowering *l, const DspPlanOp *op,
                          const DspPickList *list) {
  uint64_t *asked = DSP_NEW(l->scratch, uint64_t, arity(op) * l->words);
  for (uint32_t p = 0; p < list->count; ++p)
    for (size_t i = 0; i < arity(op); ++i) {
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
    for (size_t i = 0; i < arity(op); ++i)
      for (size_t w = 0; w < l->words; ++w)
        l->asked[value_id(op, i) * l->words + w] |=
            by_kind[kind][i * l->words + w];
  }
}

static bool layout_before(DspPlanLayout a, DspPlanLayout b) {
  if (a.kind != b.kind)
    return a.kind < b.kind;
  return a.dim != b.dim ? a.dim < b.dim : a.first < b.first;
}

/// The layouts of a bit set, sorted.
static uint32_t list_layouts(const Lowering *l, const uint64_t *asked,
                             DspPlanLayout *layouts) {
  uint32_t count = 0;
  for (uint32_t id = 0; id < l->ids.ids.count; ++id) {
    if (!(asked[id / 64] >> id % 64 & 1))
      continue;
    if (count == DSP_PLAN_MAX_LAYOUTS)
      dsp_bug("planner: a value with more than %u layouts", count);
    uint32_t at = count++;
    for (; at > 0 && layout_before(l->ids.layouts[id], layouts[at - 1]); --at)
      layouts[at] = layouts[at - 1];
    layouts[at] = l->ids.layouts[id];
  }
  return count;
}

static int64_t picoseconds(double seconds) {
  return (int64_t)(seconds * 1e12 + 0.5);
}

/// The time of a collective that moves `leaving` [ranks] bytes.
static int64_t collective_price(const Lowering *l, const int64_t *leaving) {
  int64_t most = 0;
  for (int64_t i = 0; i < l->options->ranks; ++i)
    most = leaving[i] > most ? leaving[i] : most;
  return picoseconds(dsp_machine_collective(l->options->machine,
                                            l->options->ranks, most));
}

/// What a pick costs by itself: the bytes of its ring, or the time it takes.
static int64_t pick_price(const Lowering *l, const DspPlanOp *op,
                          const DspPick *pick) {
  const DspMachine *machine = l->options->machine;
  int64_t ranks = l->options->ranks;
  if (!machine)
    return pick->bytes;
  double seconds = dsp_machine_op(machine, l->graph, op, pick->size, ranks);
  if (pick->ring)
    seconds += dsp_machine_collective(machine, ranks, pick->most);
  return picoseconds(seconds);
}

static void fill_table(Lowering *l, const DspPlanValue *value,
                       const DspPlanLayout *layouts, DspLayoutClass *table) {
  uint32_t n = table->count;
  int64_t *bytes = DSP_NEW(l->arena, int64_t, (size_t)n * n);
  uint8_t *collectives = DSP_NEW(l->arena, uint8_t, (size_t)n * n);
  int64_t *sizes = DSP_NEW(l->scratch, int64_t, value->ndims);
  for (size_t i = 0; i < value->ndims; ++i)
    sizes[i] = l->graph->dims[value->dims[i]].size;
  DspPlanShape shape = {value->ndims, sizes, value->element_bytes};
  int64_t *leaving = DSP_NEW(l->scratch, int64_t, (size_t)l->options->ranks);
  for (uint32_t i = 0; i < n * n; ++i) {
    bytes[i] = dsp_plan_collective_bytes(&shape, layouts[i / n],
                                         layouts[i % n], l->options->ranks,
                                         leaving);
    collectives[i] = bytes[i] != 0 && bytes[i] != DSP_PLAN_NEVER;
    if (collectives[i] && l->options->machine)
      bytes[i] = collective_price(l, leaving);
  }
  table->bytes = bytes;
  table->collectives = collectives;
}

static void make_class(Lowering *l, uint32_t value) {
  const uint64_t *asked = &l->asked[value * l->words];
  DspPlanLayout sorted[DSP_PLAN_MAX_LAYOUTS];
  Class class = {0};
  DspLayoutClass table = {.count = list_layouts(l, asked, sorted)};
  class.layouts = DSP_NEW(l->arena, DspPlanLayout, table.count);
  memcpy(class.layouts, sorted, table.count * sizeof *sorted);
  class.local = DSP_NEW(l->scratch, uint8_t, l->ids.ids.count);
  for (uint32_t i = 0; i < table.count; ++i)
    class.local[dsp_layout_id(&l->ids, sorted[i])] = (uint8_t)i;
  fill_table(l, &l->graph->values[value], sorted, &table);
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

/// Finds the dims that the ops of each stage need whole.
static void find_mixed(Lowering *l) {
  const DspPlanGraph *graph = l->graph;
  size_t nstages = 1;
  for (size_t o = 0; o < graph->nops; ++o)
    if (graph->ops[o].stage >= nstages)
      nstages = (size_t)graph->ops[o].stage + 1;
  l->mixed = DSP_NEW(l->scratch, bool, nstages * graph->ndims);
  l->mixed_kind = DSP_NEW(l->scratch, uint32_t, nstages);
  for (size_t o = 0; o < graph->nops; ++o) {
    const DspPlanOp *op = &graph->ops[o];
    for (size_t i = 0; op->kind == DSP_PLAN_COMPUTE && i < op->nloops; ++i)
      if (op->loops[i].kind == DSP_LOOP_WHOLE ||
          op->loops[i].kind == DSP_LOOP_RING)
        l->mixed[op->stage * graph->ndims + op->loops[i].dim] = true;
  }
  DspInterner kinds = dsp_interner(l->scratch);
  for (size_t s = 0; s < nstages; ++s) {
    bool fresh = false;
    l->key.count = 0;
    for (size_t d = 0; d < graph->ndims; ++d)
      if (l->mixed[s * graph->ndims + d])
        dsp_key_add(&l->key, d);
    l->mixed_kind[s] =
        dsp_intern(&kinds, l->key.words, l->key.count, &fresh);
  }
}

static bool is_mixed(const Lowering *l, uint32_t stage, uint32_t dim) {
  const DspPlanDim *it = &l->graph->dims[dim];
  const bool *mixed = &l->mixed[stage * l->graph->ndims];
  bool any = mixed[dim];
  for (size_t i = 0; i < it->natoms; ++i)
    any |= mixed[it->atoms[i]];
  return any;
}

/// The dim of a pick as a number to compare: source order, but last what the
/// stage needs whole, so that switches fall between stages; then `none`.
static int64_t order_of(const Lowering *l, const DspPlanOp *op, uint32_t dim) {
  int64_t ndims = (int64_t)l->graph->ndims;
  if (dim == DSP_PLAN_NO_DIM)
    return 2 * ndims;
  return is_mixed(l, op->stage, dim) ? ndims + dim : dim;
}

static uint8_t *local_layouts(Lowering *l, const uint32_t *values,
                              const uint32_t *ids, size_t count) {
  uint8_t *local = DSP_NEW(l->arena, uint8_t, count);
  for (size_t i = 0; i < count; ++i)
    local[i] = l->classes[l->class_of[values[i]]].local[ids[i]];
  return local;
}

static void add_choice(Lowering *l, DspChoice choice, const DspPlanWay *ways) {
  DSP_GROW(l->arena, l->choices, l->nchoices, l->choices_capacity);
  DSP_GROW(l->arena, l->ways, l->nchoices, l->ways_capacity);
  l->choices[l->nchoices] = choice;
  l->ways[l->nchoices++] = ways;
}

/// The alternatives of an op with loops: its picks.
static void make_choice(Lowering *l, size_t o) {
  const DspPlanOp *op = &l->graph->ops[o];
  DspPickList list = l->picks[l->op_kind[o]];
  DspAlternative *out = DSP_NEW(l->arena, DspAlternative, list.count);
  DspPlanWay *ways = DSP_NEW(l->arena, DspPlanWay, list.count);
  for (uint32_t i = 0; i < list.count; ++i) {
    const DspPick *pick = &list.picks[i];
    out[i].needs =
        local_layouts(l, op->operands, pick->layouts, op->noperands);
    out[i].gives = local_layouts(
        l, op->results, pick->layouts + op->noperands, op->nresults);
    out[i].bytes = pick_price(l, op, pick);
    out[i].collectives = pick->bytes != 0;
    out[i].penalty = pick->penalty;
    out[i].order = order_of(l, op, pick->dim);
    ways[i] = (DspPlanWay){pick->dim, pick->contracted, pick->ring};
  }
  add_choice(l, (DspChoice){(uint32_t)op->noperands, (uint32_t)op->nresults,
                            list.count, out}, ways);
}

/// What an input, a parameter or an output may do with a layout.
static bool boundary_allows(const Lowering *l, const DspPlanOp *op,
                            DspPlanLayout layout) {
  if (is_pinned_input(l, op))
    return layout.kind == DSP_LAYOUT_CUT && layout.dim == op->pin;
  if (op->kind == DSP_PLAN_PARAM && !l->rules.allow_tensor)
    return layout.kind == DSP_LAYOUT_WHOLE;
  return layout.kind != DSP_LAYOUT_PARTIAL;
}

/// Holding an input whole is work that others do as well; outputs may lie as
/// they like, and so may weights: those that are cut alike at every use come to
/// lie so (route.c).
static int64_t boundary_penalty(const Lowering *l, const DspPlanOp *op,
                                DspPlanLayout layout) {
  if (op->kind != DSP_PLAN_INPUT)
    return 0;
  bool cut = layout.kind == DSP_LAYOUT_CUT;
  return dsp_pick_penalty(l->rules.elements[op->results[0]],
                          cut ? l->graph->dims[layout.dim].size : 1,
                          l->options->ranks);
}

/// The alternatives of an op without loops: the layouts of its value.
static void make_boundary(Lowering *l, size_t o) {
  const DspPlanOp *op = &l->graph->ops[o];
  uint32_t class = l->class_of[value_id(op, 0)], n = 0;
  uint32_t count = l->tables[class].count;
  DspAlternative *out = DSP_NEW(l->arena, DspAlternative, count);
  DspPlanWay *ways = DSP_NEW(l->arena, DspPlanWay, count);
  for (uint32_t i = 0; i < count; ++i) {
    DspPlanLayout layout = l->classes[class].layouts[i];
    if (!boundary_allows(l, op, layout))
      continue;
    uint8_t *index = DSP_NEW(l->arena, uint8_t, 1);
    *index = (uint8_t)i;
    out[n].needs = out[n].gives = index;
    out[n].penalty = boundary_penalty(l, op, layout);
    out[n].order =
        op->kind == DSP_PLAN_PARAM ? 0 : order_of(l, op, layout.dim);
    ways[n++] = (DspPlanWay){layout.dim, false, false};
  }
  add_choice(l, (DspChoice){(uint32_t)op->noperands, (uint32_t)op->nresults, n,
                            out}, ways);
}

/// All that the choice of an op depends on.
static void key_of_choice(Lowering *l, size_t o) {
  const DspPlanOp *op = &l->graph->ops[o];
  l->key.count = 0;
  dsp_key_add(&l->key, (uint64_t)op->kind << 32 | op->pin);
  dsp_key_add(&l->key, l->mixed_kind[op->stage]);
  dsp_key_add(&l->key, has_loops(op) ? l->op_kind[o] : UINT32_MAX);
  for (size_t i = 0; i < arity(op); ++i)
    dsp_key_add(&l->key, l->class_of[value_id(op, i)]);
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

DspPlanStatus dsp_plan_lower(DspArena *arena, const DspPlanGraph *graph,
                             const DspPlanOptions *options,
                             uint32_t residual, DspLowered *lowered,
                             size_t *culprit) {
  assert(options->ranks >= 1);
  DspArena *scratch = dsp_arena_create();
  Lowering l = {.arena = arena, .scratch = scratch, .graph = graph,
                .options = options, .bad_pin = SIZE_MAX, .unfit = SIZE_MAX};
  l.rules = (DspPickRules){
    .graph = graph, .ranks = options->ranks, .no_ring = options->no_ring,
    .priced = options->machine != NULL &&
              !dsp_method_keeps_residual(options->method),
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
    find_mixed(&l);
    make_ops(&l);
    finish(&l, lowered);
  }
  dsp_arena_destroy(scratch);
  size_t wrong = l.unfit != SIZE_MAX ? l.unfit : l.bad_pin;
  if (culprit && wrong != SIZE_MAX)
    *culprit = wrong;
  if (l.unfit != SIZE_MAX)
    return DSP_PLAN_UNFIT;
  return l.bad_pin == SIZE_MAX ? DSP_PLAN_OK : DSP_PLAN_BAD_PIN;
}
