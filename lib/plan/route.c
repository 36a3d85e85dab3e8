// route.c - value by value, the cheapest tree of conversions.
//
// Once every op has its alternative, values no longer depend on each other:
// the layouts that the uses of a value need are known, and a search over the
// sets of that value alone finds where each conversion starts.
//
// Needs:  one alternative for each op.
// Leaves: conversions, each before the op that needs it first, and the cost of
//         the plan, which must equal what the search found.
#include "route.h"

#include <string.h>

/// One layout that one op needs of one value.
typedef struct Need {
  uint32_t layout;
  DspDemand after;
  DspReach way; ///< chosen
} Need;

/// A set that a value may have after some of its needs.
typedef struct Node {
  DspLayoutSet set;
  DspHop hop;
  uint32_t parent;
  DspReach way;
} Node;

typedef struct Router {
  DspArena *scratch;
  DspSets *sets;
  const DspSearchProblem *problem;
  const uint32_t *picks;
  uint32_t *first_need; ///< [nvalues + 1]
  Need *needs;          ///< of all values
  uint8_t *base;        ///< [nvalues]
  Node *nodes;          ///< of the value at hand
  uint32_t nnodes, capacity;
} Router;

static const DspAlternative *picked(const Router *r, size_t op) {
  return &dsp_choice_of(r->problem, op)->alternatives[r->picks[op]];
}

/// Lists what every value is needed in, in program order.
static void list_needs(Router *r) {
  const DspSearchProblem *p = r->problem;
  r->first_need = DSP_NEW(r->scratch, uint32_t, p->nvalues + 1);
  r->base = DSP_NEW(r->scratch, uint8_t, p->nvalues);
  for (size_t op = 0; op < p->nops; ++op)
    for (uint32_t i = 0; i < dsp_choice_of(p, op)->noperands; ++i)
      ++r->first_need[p->ops[op].operands[i] + 1];
  for (size_t v = 0; v < p->nvalues; ++v)
    r->first_need[v + 1] += r->first_need[v];
  r->needs = DSP_NEW(r->scratch, Need, r->first_need[p->nvalues]);
  uint32_t *next = DSP_NEW(r->scratch, uint32_t, p->nvalues);
  for (size_t op = 0; op < p->nops; ++op) {
    const DspChoice *choice = dsp_choice_of(p, op);
    for (uint32_t i = 0; i < choice->noperands; ++i) {
      uint32_t value = p->ops[op].operands[i];
      r->needs[r->first_need[value] + next[value]++].layout =
          picked(r, op)->needs[i];
    }
    for (uint32_t i = 0; i < choice->nresults; ++i)
      r->base[p->ops[op].results[i]] = picked(r, op)->gives[i];
  }
}

/// The demand after each need of a value: now that the picks are known, only
/// what will really be asked.
static void find_demands(Router *r, uint32_t value) {
  DspDemand demand = {.class_id = r->problem->value_class[value]};
  for (uint32_t i = r->first_need[value + 1]; i-- > r->first_need[value];) {
    r->needs[i].after = demand;
    demand.wanted |= dsp_set_of(r->needs[i].layout);
    demand.uses += demand.uses < DSP_USES_MANY;
  }
}

static void add_node(Router *r, uint32_t begin, Node node) {
  for (uint32_t i = begin; i < r->nnodes; ++i)
    if (r->nodes[i].set == node.set) {
      if (dsp_hop_less(node.hop, r->nodes[i].hop))
        r->nodes[i] = node;
      return;
    }
  DSP_GROW(r->scratch, r->nodes, r->nnodes, r->capacity);
  r->nodes[r->nnodes++] = node;
}

/// Searches the sets of one value and notes the way taken at each need.
static DspHop route_value(Router *r, uint32_t value) {
  uint32_t begin = 0, end = 1;
  r->nnodes = 0;
  add_node(r, 0, (Node){.set = dsp_set_of(r->base[value])});
  uint32_t first = r->first_need[value], last = r->first_need[value + 1];
  for (uint32_t n = first; n < last; ++n) {
    for (uint32_t i = begin; i < end; ++i) {
      DspReachList list = dsp_sets_reach(r->sets, r->needs[n].after,
                                         r->nodes[i].set, r->needs[n].layout);
      for (size_t w = 0; w < list.count; ++w)
        add_node(r, end, (Node){list.ways[w].set,
                                dsp_hop_add(r->nodes[i].hop, list.ways[w].hop),
                                i, list.ways[w]});
    }
    begin = end;
    end = r->nnodes;
  }
  uint32_t best = begin;
  for (uint32_t i = begin; i < end; ++i)
    if (dsp_hop_less(r->nodes[i].hop, r->nodes[best].hop))
      best = i;
  if (begin == end)
    return (DspHop){DSP_PLAN_NEVER, 0};
  DspHop hop = r->nodes[best].hop;
  for (uint32_t n = last; n-- > first; best = r->nodes[best].parent)
    r->needs[n].way = r->nodes[best].way;
  return hop;
}

/// How many conversions the way to all needs has.
static uint32_t count_stops(const Router *r, uint32_t value) {
  DspLayoutSet made = 0;
  for (uint32_t n = r->first_need[value]; n < r->first_need[value + 1]; ++n)
    for (uint32_t i = 1; i < r->needs[n].way.nstops; ++i)
      made |= dsp_set_of(r->needs[n].way.stops[i]);
  return (uint32_t)__builtin_popcountll(made);
}

/// A source takes the alternative that is cheapest for what is needed of it and
/// then, among equals, that which needs the fewest conversions: a weight lies
/// as all its readers want it.
static void settle_source(Router *r, size_t op, uint32_t *picks) {
  const DspChoice *choice = dsp_choice_of(r->problem, op);
  if (choice->noperands != 0 || choice->nresults != 1 || choice->count == 1)
    return;
  uint32_t value = r->problem->ops[op].results[0], best = picks[op], fewest = 0;
  DspPlanCost least = {0};
  bool any = false;
  find_demands(r, value);
  for (uint32_t a = 0; a < choice->count; ++a) {
    DspPlanCost cost = dsp_way_cost(&choice->alternatives[a]);
    r->base[value] = choice->alternatives[a].gives[0];
    DspHop hop = route_value(r, value);
    if (hop.bytes == DSP_PLAN_NEVER)
      continue;
    cost.bytes += hop.bytes;
    cost.collectives += hop.collectives;
    int order = any ? dsp_plan_cost_compare(cost, least) : -1;
    uint32_t stops = count_stops(r, value);
    if (order > 0 || (order == 0 && stops >= fewest))
      continue;
    any = true;
    best = a;
    least = cost;
    fewest = stops;
  }
  picks[op] = best;
  r->base[value] = choice->alternatives[best].gives[0];
  for (uint32_t n = r->first_need[value]; n < r->first_need[value + 1]; ++n)
    r->needs[n].way = (DspReach){0};
}

static bool is_trivial(const Router *r, uint32_t value) {
  for (uint32_t n = r->first_need[value]; n < r->first_need[value + 1]; ++n)
    if (r->needs[n].layout != r->base[value])
      return false;
  return true;
}

/// Writes the conversions of one need that were not made before.
static void emit_way(DspArena *arena, DspSearchResult *result,
                     uint32_t *capacity, const DspReach *way,
                     DspConversion conversion, DspLayoutSet *made) {
  for (uint32_t i = 1; i < way->nstops; ++i) {
    if (*made & dsp_set_of(way->stops[i]))
      continue;
    *made |= dsp_set_of(way->stops[i]);
    conversion.from = way->stops[i - 1];
    conversion.to = way->stops[i];
    DSP_GROW(arena, result->conversions, result->nconversions, *capacity);
    result->conversions[result->nconversions++] = conversion;
  }
}

static void emit_all(DspArena *arena, Router *r, DspSearchResult *result) {
  const DspSearchProblem *p = r->problem;
  uint32_t *next = DSP_NEW(r->scratch, uint32_t, p->nvalues);
  DspLayoutSet *made = DSP_NEW(r->scratch, DspLayoutSet, p->nvalues);
  uint32_t capacity = 0;
  for (size_t v = 0; v < p->nvalues; ++v)
    made[v] = dsp_set_of(r->base[v]);
  for (uint32_t op = 0; op < p->nops; ++op)
    for (uint32_t i = 0; i < dsp_choice_of(p, op)->noperands; ++i) {
      uint32_t value = p->ops[op].operands[i];
      const Need *need = &r->needs[r->first_need[value] + next[value]++];
      emit_way(arena, result, &capacity, &need->way,
               (DspConversion){.value = value, .before = op}, &made[value]);
    }
}

static DspPlanCost cost_of_ops(const Router *r) {
  DspPlanCost cost = {0};
  for (size_t op = 0; op < r->problem->nops; ++op) {
    const DspAlternative *way = picked(r, op);
    cost.bytes += way->bytes;
    cost.collectives += way->collectives;
    cost.penalty += way->penalty;
    cost.order += way->order;
  }
  return cost;
}

DspPlanCost dsp_route(DspArena *arena, DspSets *sets,
                      const DspSearchProblem *problem,
                      DspSearchResult *result) {
  Router router = {.scratch = sets->arena, .sets = sets, .problem = problem,
                   .picks = result->picks};
  list_needs(&router);
  for (size_t op = 0; op < problem->nops; ++op)
    settle_source(&router, op, result->picks);
  DspPlanCost cost = cost_of_ops(&router);
  for (uint32_t v = 0; v < problem->nvalues; ++v) {
    if (is_trivial(&router, v))
      continue;
    find_demands(&router, v);
    DspHop hop = route_value(&router, v);
    cost.bytes += hop.bytes;
    cost.collectives += hop.collectives;
  }
  emit_all(arena, &router, result);
  return cost;
}
