// search.c - the exact search: a dynamic program over the frontier.
//
// Ops run in order.  Between two of them, all that the future can depend on is
// in which layouts each value that is still needed exists: that is a state,
// and of two ways to reach the same state only the cheaper matters.  Every op
// turns a frontier of states into the next.
//
// A transformer repeats its layers, so frontiers repeat too, up to a constant
// cost.  Frontiers are interned, and the step from a frontier over an op is
// made once: from the second or third layer on, a step is a look-up.  The
// answer is the one that the full search gives, since a step depends on
// nothing but the frontier and the op.
//
// Needs:  a problem as plan.h describes it.
// Leaves: the cheapest plan and its certificate.
#include <string.h>

#include "dspc/plan/plan.h"
#include "dspc/support/bug.h"
#include "frontier.h"
#include "route.h"
#include "search.h"

enum {
  CANDIDATES_PER_STATE = 4,
};

typedef struct Search {
  const DspSearchProblem *problem;
  DspArena *arena; ///< gone after the search
  DspJoined *joined;      ///< the problem as it was given
  DspSets *sets;          ///< of `problem`
  DspNarrowing narrowing; ///< `problem` is of it
  DspOrder order;
  DspSearchLimits limits;

  DspInterner frontier_ids, step_ids;
  DspKey key;
  DspStep **steps_by_id;
  uint32_t steps_capacity;
  DspFrontier **frontiers;
  uint32_t frontiers_capacity;
  DspFrontier spare[2]; ///< for frontiers too large to be interned
  int flip;
  DspCandidates candidates;
  DspStepShape shape;
  uint32_t shape_capacity;

  const DspFrontier *frontier;
  uint32_t *live;    ///< [frontier->nslots] the values of the slots
  uint32_t live_capacity;
  uint32_t *slot_of; ///< [nvalues]
  uint32_t *used;    ///< [nvalues]
  DspDemand *demand; ///< [nvalues] what is still asked of a value in a slot
  DspPlanCost base;  ///< of the first state
  int64_t *rest;     ///< [order.count + 1] least bytes inside the ops to come
  DspStep **path;    ///< [order.count]
  bool beam;         ///< a limit was met
  int64_t bound;     ///< bytes: no plan that was dropped costs less
  DspCertificate certificate;
} Search;

static DspSearchLimits with_defaults(const DspSearchLimits *limits) {
  DspSearchLimits l = limits ? *limits : (DspSearchLimits){0};
  if (l.max_width == 0)
    l.max_width = 200000;
  if (l.max_explored == 0)
    l.max_explored = 4000000;
  if (l.beam == 0)
    l.beam = 1000;
  if (l.kept_states == 0)
    l.kept_states = 4096;
  if (l.beam > l.max_width)
    l.beam = l.max_width;
  return l;
}

static int64_t least_bytes(const DspChoice *choice) {
  int64_t least = choice->count > 0 ? choice->alternatives[0].bytes : 0;
  for (uint32_t a = 1; a < choice->count; ++a)
    if (choice->alternatives[a].bytes < least)
      least = choice->alternatives[a].bytes;
  return least;
}

static void find_rest(Search *s) {
  s->rest = DSP_NEW(s->arena, int64_t, s->order.count + 1);
  for (size_t k = s->order.count; k-- > 0;)
    s->rest[k] = s->rest[k + 1] +
                 least_bytes(dsp_choice_of(s->problem, s->order.ops[k]));
}

/// The frontier before the first op: one state, no values.
static void start(Search *s) {
  DspFrontier *first = DSP_NEW(s->arena, DspFrontier, 1);
  first->id = DSP_NO_ID;
  first->nstates = 1;
  first->costs = DSP_NEW(s->arena, DspPlanCost, 1);
  first->sets = DSP_NEW(s->arena, DspLayoutSet, 1);
  s->frontier = first;
}

/// The search stays where it is: its order points into it.
static void begin(Search *s, DspArena *scratch, DspJoined *joined,
                  const DspSearchLimits *limits) {
  size_t nvalues = joined->problem->nvalues;
  *s = (Search){.arena = scratch, .limits = with_defaults(limits),
                .joined = joined};
  s->narrowing = dsp_narrow(scratch, joined, s->limits.known);
  s->sets = s->narrowing.sets;
  s->problem = s->narrowing.problem;
  s->order = dsp_order(scratch, s->problem);
  s->frontier_ids = dsp_interner(scratch);
  s->step_ids = dsp_interner(scratch);
  s->key.arena = s->candidates.arena = scratch;
  s->slot_of = DSP_NEW(scratch, uint32_t, nvalues);
  s->used = DSP_NEW(scratch, uint32_t, nvalues);
  s->demand = DSP_NEW(scratch, DspDemand, nvalues);
  s->path = DSP_NEW(scratch, DspStep *, s->order.count);
  s->bound = DSP_PLAN_NEVER;
  s->base = s->narrowing.base;
  find_rest(s);
  start(s);
}

/// A slot of the next frontier.
static void add_slot(Search *s, uint32_t from, uint32_t value) {
  DspStepShape *shape = &s->shape;
  uint32_t capacity = s->shape_capacity;
  DSP_GROW(s->arena, shape->from, shape->nslots, capacity);
  DSP_GROW(s->arena, shape->slots, shape->nslots, s->shape_capacity);
  shape->from[shape->nslots] = from;
  shape->slots[shape->nslots++] = s->demand[value];
}

/// Describes the step over an op, and counts its uses.
static void describe(Search *s, uint32_t op) {
  const DspSearchOp *it = &s->problem->ops[op];
  DspStepShape *shape = &s->shape;
  shape->choice_id = it->choice;
  shape->choice = dsp_choice_of(s->problem, op);
  shape->nslots = 0;
  for (uint32_t i = 0; i < shape->choice->noperands; ++i) {
    uint32_t value = it->operands[i];
    shape->operand_slot[i] = s->slot_of[value];
    s->demand[value] = dsp_order_demand(&s->order, value, ++s->used[value]);
    shape->operand_after[i] = s->demand[value];
  }
  uint32_t nold = s->frontier->nslots;
  for (uint32_t i = 0; i < nold; ++i)
    if (s->demand[s->live[i]].uses > 0)
      add_slot(s, i, s->live[i]);
  for (uint32_t i = 0; i < shape->choice->nresults; ++i)
    if (dsp_order_uses(&s->order, it->results[i]) > 0) {
      s->demand[it->results[i]] =
          dsp_order_demand(&s->order, it->results[i], 0);
      add_slot(s, nold + i, it->results[i]);
    }
}

/// The values of the slots after the step.
static void update_live(Search *s, uint32_t op) {
  uint32_t nold = s->frontier->nslots;
  for (uint32_t i = 0; i < s->shape.nslots; ++i) {
    uint32_t from = s->shape.from[i];
    uint32_t value = from < nold ? s->live[from]
                                 : s->problem->ops[op].results[from - nold];
    DSP_GROW(s->arena, s->live, i > nold ? i : nold, s->live_capacity);
    s->live[i] = value;
    s->slot_of[value] = i;
  }
}

static void key_add_slots(DspKey *key, const DspDemand *slots, uint32_t n) {
  for (uint32_t i = 0; i < n; ++i) {
    dsp_key_add(key, (uint64_t)slots[i].class_id << 32 | slots[i].uses);
    dsp_key_add(key, slots[i].wanted);
  }
}

/// All that a step depends on.
static uint32_t step_id(Search *s, bool *fresh) {
  const DspStepShape *shape = &s->shape;
  DspKey *key = &s->key;
  key->count = 0;
  dsp_key_add(key, (uint64_t)s->frontier->id << 32 | shape->choice_id);
  for (uint32_t i = 0; i < shape->choice->noperands; ++i)
    dsp_key_add(key, shape->operand_slot[i]);
  for (uint32_t i = 0; i < shape->nslots; ++i)
    dsp_key_add(key, shape->from[i]);
  key_add_slots(key, shape->slots, shape->nslots);
  return dsp_intern(&s->step_ids, key->words, key->count, fresh);
}

static uint32_t frontier_id(Search *s, const DspFrontier *f, bool *fresh) {
  DspKey *key = &s->key;
  key->count = 0;
  dsp_key_add(key, (uint64_t)f->nslots << 32 | f->nstates);
  key_add_slots(key, f->slots, f->nslots);
  dsp_key_add_words(key, f->sets, (size_t)f->nstates * f->nslots);
  dsp_key_add_words(key, f->costs,
                    f->nstates * sizeof *f->costs / sizeof(uint64_t));
  return dsp_intern(&s->frontier_ids, key->words, key->count, fresh);
}

/// Makes room in a frontier whose memory is used again and again.
static void resize(Search *s, DspFrontier *f, uint32_t nstates,
                   uint32_t nslots) {
  size_t words = (size_t)nstates * nslots + 1;
  if (words > f->capacity) {
    f->capacity = words * 2;
    f->sets = DSP_NEW(s->arena, DspLayoutSet, f->capacity);
  }
  if (nstates > f->states_capacity) {
    f->states_capacity = nstates * 2;
    f->costs = DSP_NEW(s->arena, DspPlanCost, f->states_capacity);
  }
  if (nslots > f->slots_capacity || !f->slots) {
    f->slots_capacity = nslots * 2 + 1;
    f->slots = DSP_NEW(s->arena, DspDemand, f->slots_capacity);
  }
  f->nstates = nstates;
  f->nslots = nslots;
}

static void fill(Search *s, DspFrontier *f, const DspPlanCost *costs,
                 const DspLayoutSet *sets, const DspDemand *slots,
                 uint32_t nstates, uint32_t nslots) {
  resize(s, f, nstates, nslots);
  memcpy(f->costs, costs, nstates * sizeof *costs);
  memcpy(f->sets, sets, (size_t)nstates * nslots * sizeof *sets);
  if (nslots > 0)
    memcpy(f->slots, slots, nslots * sizeof *slots);
}

/// The equal frontier that was met before, or a copy that stays.
static const DspFrontier *interned(Search *s, DspFrontier *f) {
  f->id = DSP_NO_ID;
  if (f->nstates > s->limits.kept_states)
    return f;
  bool fresh = false;
  uint32_t id = frontier_id(s, f, &fresh);
  if (!fresh)
    return s->frontiers[id];
  DspFrontier *copy = DSP_NEW(s->arena, DspFrontier, 1);
  fill(s, copy, f->costs, f->sets, f->slots, f->nstates, f->nslots);
  copy->id = id;
  DSP_GROW(s->arena, s->frontiers, id, s->frontiers_capacity);
  return s->frontiers[id] = copy;
}

/// The frontier of the states that stay.
static const DspFrontier *next_frontier(Search *s, DspStep *step) {
  const DspCandidates *c = &s->candidates;
  DspFrontier *f = &s->spare[s->flip ^= 1];
  resize(s, f, step->nstates, s->shape.nslots);
  for (uint32_t i = 0; i < step->nstates; ++i) {
    f->costs[i] = dsp_cost_sub(c->costs[c->order[i]], step->base);
    for (uint32_t k = 0; k < f->nslots; ++k)
      f->sets[(size_t)i * f->nslots + k] =
          c->sets[(size_t)c->order[i] * f->nslots + k];
  }
  if (f->nslots > 0)
    memcpy(f->slots, s->shape.slots, f->nslots * sizeof *f->slots);
  return interned(s, f);
}

/// Runs the op from every state; returns the bytes of the first state that
/// found no room, or DSP_PLAN_NEVER.
static int64_t expand_all(Search *s) {
  size_t room = s->limits.max_width * CANDIDATES_PER_STATE;
  dsp_candidates_clear(&s->candidates, s->shape.nslots);
  for (uint32_t i = 0; i < s->frontier->nstates; ++i) {
    if (s->candidates.count > room)
      return s->frontier->costs[i].bytes;
    dsp_expand(s->sets, s->frontier, i, &s->shape, &s->candidates);
  }
  return DSP_PLAN_NEVER;
}

/// Keeps at most as many states as the limits allow; once they are met, a
/// beam goes on with the cheapest.
static uint32_t apply_limits(Search *s, uint32_t kept, int64_t *dropped) {
  s->certificate.explored += kept;
  if (kept > s->limits.max_width || *dropped != DSP_PLAN_NEVER ||
      s->certificate.explored > s->limits.max_explored)
    s->beam = true;
  if (!s->beam || kept <= s->limits.beam)
    return kept;
  const DspCandidates *c = &s->candidates;
  int64_t bytes = c->costs[c->order[s->limits.beam]].bytes;
  if (bytes < *dropped)
    *dropped = bytes;
  return (uint32_t)s->limits.beam;
}

/// Makes the step over the op that `shape` describes; NULL when no
/// alternative can be connected to any state.
static DspStep *make_step(Search *s) {
  DspStep *step = DSP_NEW(s->arena, DspStep, 1);
  const DspCandidates *c = &s->candidates;
  step->dropped = expand_all(s);
  if (c->count == 0)
    return NULL;
  uint32_t kept = dsp_dominate(s->sets, s->shape.slots, &s->candidates);
  step->nstates = apply_limits(s, kept, &step->dropped);
  if (c->dropped < step->dropped)
    step->dropped = c->dropped;
  step->base = c->costs[c->order[0]];
  step->parents = DSP_NEW(s->arena, uint32_t, step->nstates);
  step->picks = DSP_NEW(s->arena, uint32_t, step->nstates);
  for (uint32_t i = 0; i < step->nstates; ++i) {
    step->parents[i] = c->parents[c->order[i]];
    step->picks[i] = c->picks[c->order[i]];
  }
  step->next = next_frontier(s, step);
  ++s->certificate.steps;
  return step;
}

/// The step over the op, made now or before.  A step into a frontier that is
/// too large to be kept is made again each time.
static DspStep *find_step(Search *s) {
  if (s->frontier->id == DSP_NO_ID)
    return make_step(s);
  bool fresh = false;
  uint32_t id = step_id(s, &fresh);
  if (!fresh && s->steps_by_id[id])
    return s->steps_by_id[id];
  DspStep *step = make_step(s);
  if (fresh)
    DSP_GROW(s->arena, s->steps_by_id, id, s->steps_capacity);
  bool kept = step && step->next->id != DSP_NO_ID;
  s->steps_by_id[id] = kept ? step : NULL;
  return step;
}

static bool run_op(Search *s, size_t k) {
  describe(s, s->order.ops[k]);
  DspStep *step = find_step(s);
  int64_t dropped = step ? step->dropped : s->candidates.dropped;
  if (dropped != DSP_PLAN_NEVER) {
    int64_t bound = s->base.bytes + dropped + s->rest[k + 1];
    s->bound = bound < s->bound ? bound : s->bound;
  }
  if (!step)
    return false;
  update_live(s, s->order.ops[k]);
  s->base = dsp_cost_add(s->base, step->base);
  s->path[k] = step;
  s->frontier = step->next;
  if (step->nstates > s->certificate.max_width)
    s->certificate.max_width = step->nstates;
  return true;
}

/// Goes back from the one state that is left.
static void read_picks(const Search *s, uint32_t *picks) {
  uint32_t *small = DSP_NEW(s->arena, uint32_t, s->problem->nops);
  uint32_t state = 0;
  for (size_t k = s->order.count; k-- > 0;) {
    small[s->order.ops[k]] = s->path[k]->picks[state];
    state = s->path[k]->parents[state];
  }
  dsp_narrow_picks(&s->narrowing, s->arena, small, picks);
}

/// Of plans above `known` nothing is said: they were dropped.
static void certify(Search *s, DspCertificate *certificate) {
  int64_t known = s->limits.known;
  int64_t bound = s->bound < s->base.bytes ? s->bound : s->base.bytes;
  bool above = known > 0 && s->base.bytes > known;
  if (known > 0 && bound > known)
    bound = known + 1;
  *certificate = s->certificate;
  certificate->found = s->base;
  certificate->exact = s->bound == DSP_PLAN_NEVER && !above;
  certificate->lower_bound =
      bound < s->narrowing.bound ? s->narrowing.bound : bound;
}

/// Runs all ops; certifies what came of it.
static DspSearchStatus run_all(Search *s, DspCertificate *certificate) {
  bool fine = true, stop = false;
  for (size_t k = 0; k < s->order.count && fine && !stop; ++k) {
    fine = run_op(s, k);
    stop = s->limits.give_up && s->bound != DSP_PLAN_NEVER;
  }
  certify(s, certificate);
  if (stop)
    certificate->lower_bound = s->narrowing.bound;
  return stop ? DSP_SEARCH_GAVE_UP : fine ? DSP_SEARCH_OK
                                          : DSP_SEARCH_NO_PLAN;
}

DspSearchStatus dsp_search_joined(DspArena *arena, DspJoined *joined,
                                  const DspSearchLimits *limits,
                                  DspSearchResult *result) {
  const DspSearchProblem *original = joined->problem;
  Search s;
  *result = (DspSearchResult){0};
  DspArena *scratch = dsp_arena_create();
  begin(&s, scratch, joined, limits);
  DspSearchStatus status = run_all(&s, &result->certificate);
  if (status == DSP_SEARCH_OK) {
    result->picks = DSP_NEW(arena, uint32_t, original->nops);
    read_picks(&s, result->picks);
    DspPlanCost cost = dsp_route(arena, &joined->sets, original, result);
    bool same = dsp_plan_cost_compare(cost, s.base) == 0;
    if (result->certificate.exact && !joined->sets.cut && !same)
      dsp_bug("planner: the conversions do not cost what the search found");
    result->certificate.exact &= same;
    result->certificate.found = cost;
  }
  dsp_arena_destroy(scratch);
  return status;
}

DspSearchStatus dsp_search(DspArena *arena, const DspSearchProblem *problem,
                           const DspSearchLimits *limits,
                           DspSearchResult *result) {
  DspArena *scratch = dsp_arena_create();
  DspJoined *joined = dsp_join(scratch, problem);
  DspSearchStatus status = dsp_search_joined(arena, joined, limits, result);
  dsp_arena_destroy(scratch);
  return status;
}
