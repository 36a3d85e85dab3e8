// narrow.c - join ops, drop what costs too much, and again.
//
// The dual bound (dual.c) with an alternative, or with a layout of a value, may
// be above the bytes of a plan that is known: then no cheapest plan has it.
// With fewer alternatives more ops can be joined (contract.c), the bound rises,
// and more can be dropped.  What is dropped costs strictly more, so that all
// plans that move fewest bytes stay.
//
// Needs:  a problem, and the bytes of one of its plans.
// Leaves: what is left, and how to translate its picks.
#include "narrow.h"

#include <string.h>

#include "dual.h"
#include "frontier.h"
#include "share.h"

enum { MOST_STAGES = 8, MOST_SPELLS = 12, ROUNDS = 4 };

/// Ops were joined, and then some alternatives dropped.
typedef struct DspStage {
  const struct DspStage *before;
  DspContraction contraction;
  const uint32_t **places; ///< [ops][] of the joined problem, or NULL
} DspStage;

/// A problem without what was dropped.
typedef struct Narrower {
  DspArena *arena;
  const DspSearchProblem *problem;
  const DspDual *dual;
  DspLayoutSet *kept;    ///< [nvalues]
  uint32_t *value_class; ///< [nvalues]
  DspLayoutClass *classes;
  const uint8_t **numbers; ///< [classes][layouts] the new number
  DspInterner class_keys, choice_keys;
  DspKey key;
  DspChoice *choices;
  const uint32_t **by_choice;
  uint32_t classes_capacity, numbers_capacity;
  uint32_t choices_capacity, places_capacity;
} Narrower;

/// A stop is kept, and so is what an alternative needs or gives.
static void find_kept(Narrower *n) {
  const DspSearchProblem *p = n->problem;
  n->kept = DSP_NEW(n->arena, DspLayoutSet, p->nvalues);
  for (size_t v = 0; v < p->nvalues; ++v)
    n->kept[v] = dsp_dual_stops(n->dual, v);
  for (size_t op = 0; op < p->nops; ++op) {
    const DspChoice *choice = dsp_choice_of(p, op);
    for (uint32_t a = 0; a < choice->count; ++a) {
      if (!dsp_dual_has(n->dual, op, a)) continue;
      const DspAlternative *way = &choice->alternatives[a];
      for (uint32_t i = 0; i < choice->noperands; ++i)
        n->kept[p->ops[op].operands[i]] |= dsp_set_of(way->needs[i]);
      for (uint32_t i = 0; i < choice->nresults; ++i)
        n->kept[p->ops[op].results[i]] |= dsp_set_of(way->gives[i]);
    }
  }
}

static void make_class(Narrower *n, uint32_t number, uint32_t class_id,
                       DspLayoutSet kept) {
  const DspLayoutClass *from = &n->problem->classes[class_id];
  uint32_t count = (uint32_t)__builtin_popcountll(kept), i = 0;
  int64_t *bytes = DSP_NEW(n->arena, int64_t, (size_t)count * count);
  uint8_t *collectives = DSP_NEW(n->arena, uint8_t, (size_t)count * count);
  uint8_t *numbers = DSP_NEW(n->arena, uint8_t, from->count);
  for (uint32_t x = 0; x < from->count; ++x) {
    uint32_t k = 0;
    if (!(kept & dsp_set_of(x))) continue;
    for (uint32_t y = 0; y < from->count; ++y)
      if (kept & dsp_set_of(y)) {
        bytes[i * count + k] = from->bytes[x * from->count + y];
        collectives[i * count + k++] = from->collectives[x * from->count + y];
      }
    numbers[x] = (uint8_t)i++;
  }
  DSP_GROW(n->arena, n->classes, number, n->classes_capacity);
  DSP_GROW(n->arena, n->numbers, number, n->numbers_capacity);
  n->classes[number] = (DspLayoutClass){count, bytes, collectives};
  n->numbers[number] = numbers;
}

/// Values of one class that keep the same layouts make a class.
static void make_classes(Narrower *n) {
  const DspSearchProblem *p = n->problem;
  n->value_class = DSP_NEW(n->arena, uint32_t, p->nvalues);
  for (size_t v = 0; v < p->nvalues; ++v) {
    uint32_t class_id = p->value_class[v], count = p->classes[class_id].count;
    DspLayoutSet all = count == 64 ? ~(DspLayoutSet)0 : dsp_set_of(count) - 1;
    DspLayoutSet kept = n->kept[v] & all ? n->kept[v] & all : 1;
    uint64_t key[] = {class_id, kept};
    bool fresh = false;
    uint32_t number = dsp_intern(&n->class_keys, key, 2, &fresh);
    if (fresh) make_class(n, number, class_id, kept);
    n->value_class[v] = number;
  }
}

static const uint8_t *renumbered(const Narrower *n, const uint32_t *values,
                                 uint32_t count, const uint8_t *layouts) {
  uint8_t *out = DSP_NEW(n->arena, uint8_t, count);
  for (uint32_t i = 0; i < count; ++i)
    out[i] = n->numbers[n->value_class[values[i]]][layouts[i]];
  return out;
}

/// The choice of an op without what was dropped.
static DspChoice narrowed(const Narrower *n, uint32_t op, uint32_t *places) {
  const DspSearchOp *it = &n->problem->ops[op];
  const DspChoice *choice = dsp_choice_of(n->problem, op);
  DspAlternative *kept = DSP_NEW(n->arena, DspAlternative, choice->count);
  uint32_t count = 0;
  for (uint32_t a = 0; a < choice->count; ++a) {
    if (!dsp_dual_has(n->dual, op, a)) continue;
    DspAlternative way = choice->alternatives[a];
    way.needs = renumbered(n, it->operands, choice->noperands, way.needs);
    way.gives = renumbered(n, it->results, choice->nresults, way.gives);
    places[count] = a;
    kept[count++] = way;
  }
  return (DspChoice){choice->noperands, choice->nresults, count, kept};
}

/// All that the narrowed choice of an op depends on.
static void key_of_choice(Narrower *n, uint32_t op) {
  const DspSearchOp *it = &n->problem->ops[op];
  const DspChoice *choice = dsp_choice_of(n->problem, op);
  n->key.count = 0;
  dsp_key_add(&n->key, it->choice);
  for (uint32_t i = 0; i < choice->noperands; ++i)
    dsp_key_add(&n->key, n->value_class[it->operands[i]]);
  for (uint32_t i = 0; i < choice->nresults; ++i)
    dsp_key_add(&n->key, n->value_class[it->results[i]]);
  for (uint32_t a = 0; a < choice->count; ++a)
    if (dsp_dual_has(n->dual, op, a)) dsp_key_add(&n->key, a);
}

static void make_choices(Narrower *n, DspSearchOp *ops,
                         const uint32_t **places) {
  for (uint32_t op = 0; op < n->problem->nops; ++op) {
    bool fresh = false;
    key_of_choice(n, op);
    uint32_t number =
        dsp_intern(&n->choice_keys, n->key.words, n->key.count, &fresh);
    if (fresh) {
      uint32_t *list =
          DSP_NEW(n->arena, uint32_t, dsp_choice_of(n->problem, op)->count);
      DSP_GROW(n->arena, n->choices, number, n->choices_capacity);
      DSP_GROW(n->arena, n->by_choice, number, n->places_capacity);
      n->choices[number] = narrowed(n, op, list);
      n->by_choice[number] = list;
    }
    ops[op] = n->problem->ops[op];
    ops[op].choice = number;
    places[op] = n->by_choice[number];
  }
}

/// The problem of a stage without what was dropped.
static const DspSearchProblem *
without_dropped(DspArena *arena, const DspDual *dual, DspStage *stage) {
  const DspSearchProblem *from = &stage->contraction.problem;
  Narrower n = {.arena = arena,
                .problem = from,
                .dual = dual,
                .class_keys = dsp_interner(arena),
                .choice_keys = dsp_interner(arena),
                .key.arena = arena};
  DspSearchProblem *p = DSP_NEW(arena, DspSearchProblem, 1);
  DspSearchOp *ops = DSP_NEW(arena, DspSearchOp, from->nops);
  const uint32_t **places = DSP_NEW(arena, const uint32_t *, from->nops);
  find_kept(&n);
  make_classes(&n);
  make_choices(&n, ops, places);
  stage->places = places;
  *p = (DspSearchProblem){
      n.class_keys.count, n.classes,     n.choice_keys.count, n.choices,
      from->nvalues,      n.value_class, from->nops,          ops};
  return p;
}

static size_t count_alternatives(const DspSearchProblem *problem) {
  size_t count = 0;
  for (size_t op = 0; op < problem->nops; ++op)
    count += dsp_choice_of(problem, op)->count;
  return count;
}

/// Raises the bound and drops in turns, as long as the gap to the known plan
/// becomes smaller and a good part of the alternatives is left.
static size_t drop(DspNarrowing *n, DspDual *dual, size_t all, int64_t known) {
  size_t dropped = 0;
  int64_t base = n->base.bytes, before = 0;
  for (int spell = 0; spell < MOST_SPELLS && dropped * 4 < all * 3; ++spell) {
    int64_t bound = dsp_dual_raise(dual, ROUNDS);
    bool none = bound == DSP_PLAN_NEVER || bound + base > known;
    bound = none ? known + 1 : bound + base; // what was dropped costs as much
    n->bound = bound > n->bound ? bound : n->bound;
    dropped += dsp_dual_drop(dual, known - base);
    if (bound >= known || bound - before < (known - before) / 8) break;
    before = bound;
  }
  return dropped;
}

DspJoined *dsp_join(DspArena *arena, const DspSearchProblem *problem) {
  DspJoined *joined = DSP_NEW(arena, DspJoined, 1);
  joined->problem = problem;
  joined->sets = dsp_sets(arena, problem);
  joined->contraction = dsp_contract(arena, problem, &joined->sets);
  return joined;
}

/// Adds a stage: ops were joined.
static DspStage *begin_stage(DspNarrowing *n, DspArena *arena,
                             DspContraction contraction) {
  DspStage *stage = DSP_NEW(arena, DspStage, 1);
  *stage = (DspStage){.before = n->last, .contraction = contraction};
  n->base = dsp_cost_add(n->base, contraction.base);
  n->problem = &stage->contraction.problem;
  n->last = stage;
  return stage;
}

DspNarrowing dsp_narrow(DspArena *arena, DspJoined *joined, int64_t known) {
  DspNarrowing n = {.sets = &joined->sets};
  DspStage *stage = begin_stage(&n, arena, joined->contraction);
  bool bounded = known > 0 && known < DSP_DUAL_MOST_BYTES;
  for (int i = 1; bounded && i < MOST_STAGES; ++i) {
    size_t all = count_alternatives(n.problem);
    DspDual *dual = dsp_dual(arena, n.problem, n.sets);
    size_t dropped = drop(&n, dual, all, known);
    if (dropped == 0) break;
    n.problem = without_dropped(arena, dual, stage);
    n.sets = DSP_NEW(arena, DspSets, 1);
    *n.sets = dsp_sets(arena, n.problem);
    if (dropped * 16 < all) break;
    stage = begin_stage(&n, arena, dsp_contract(arena, n.problem, n.sets));
  }
  return n;
}

void dsp_narrow_picks(const DspNarrowing *n, DspArena *arena,
                      const uint32_t *small, uint32_t *picks) {
  for (const DspStage *stage = n->last; stage; stage = stage->before) {
    const DspContraction *c = &stage->contraction;
    uint32_t *joined = DSP_NEW(arena, uint32_t, c->problem.nops);
    for (size_t op = 0; op < c->problem.nops; ++op)
      joined[op] = stage->places ? stage->places[op][small[op]] : small[op];
    uint32_t *wide = DSP_NEW(arena, uint32_t, c->original);
    dsp_contraction_picks(c, joined, wide);
    memcpy(picks, wide, c->original * sizeof *picks);
    small = wide;
  }
}
