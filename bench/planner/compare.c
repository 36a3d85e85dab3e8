// compare.c - the optimum, a per-edge optimum and a greedy plan.
#include "compare.h"

#include <string.h>

#include "route.h"

/// Every value once for each use: then an edge has its own conversions, and the
/// exact search finds the optimum of per-edge prices.
typedef struct Splitter {
  DspArena *arena;
  const DspSearchProblem *problem;
  uint32_t *first; ///< [nvalues + 1] copies of a value
  uint32_t *next;  ///< [nvalues]
} Splitter;

static uint32_t copies_of(const Splitter *s, uint32_t value) {
  return s->first[value + 1] - s->first[value];
}

static void count_copies(Splitter *s) {
  const DspSearchProblem *p = s->problem;
  s->first = DSP_NEW(s->arena, uint32_t, p->nvalues + 1);
  s->next = DSP_NEW(s->arena, uint32_t, p->nvalues);
  for (size_t o = 0; o < p->nops; ++o)
    for (uint32_t i = 0; i < p->choices[p->ops[o].choice].noperands; ++i)
      ++s->first[p->ops[o].operands[i] + 1];
  for (size_t v = 0; v < p->nvalues; ++v) {
    uint32_t uses = s->first[v + 1];
    s->first[v + 1] = s->first[v] + (uses ? uses : 1);
  }
}

/// The alternatives, each result as often as it is read.
static DspChoice split_choice(Splitter *s, const DspSearchOp *op,
                              const DspChoice *choice, uint32_t nresults) {
  DspChoice out = *choice;
  DspAlternative *ways = DSP_NEW(s->arena, DspAlternative, choice->count);
  for (uint32_t a = 0; a < choice->count; ++a) {
    uint8_t *gives = DSP_NEW(s->arena, uint8_t, nresults);
    uint32_t n = 0;
    for (uint32_t i = 0; i < choice->nresults; ++i)
      for (uint32_t k = 0; k < copies_of(s, op->results[i]); ++k)
        gives[n++] = choice->alternatives[a].gives[i];
    ways[a] = choice->alternatives[a];
    ways[a].gives = gives;
  }
  out.alternatives = ways;
  out.nresults = nresults;
  return out;
}

static void split_op(Splitter *s, size_t o, DspChoice *choice,
                     DspSearchOp *out) {
  const DspSearchOp *op = &s->problem->ops[o];
  const DspChoice *old = &s->problem->choices[op->choice];
  uint32_t nresults = 0, n = 0;
  for (uint32_t i = 0; i < old->nresults; ++i)
    nresults += copies_of(s, op->results[i]);
  uint32_t *results = DSP_NEW(s->arena, uint32_t, nresults);
  uint32_t *operands = DSP_NEW(s->arena, uint32_t, old->noperands);
  for (uint32_t i = 0; i < old->noperands; ++i) {
    uint32_t value = op->operands[i];
    operands[i] = s->first[value] + s->next[value]++;
  }
  for (uint32_t i = 0; i < old->nresults; ++i)
    for (uint32_t k = 0; k < copies_of(s, op->results[i]); ++k)
      results[n++] = s->first[op->results[i]] + k;
  *choice = split_choice(s, op, old, nresults);
  *out = (DspSearchOp){(uint32_t)o, operands, results};
}

static DspSearchProblem split(DspArena *arena, const DspSearchProblem *p) {
  Splitter s = {.arena = arena, .problem = p};
  count_copies(&s);
  uint32_t nvalues = s.first[p->nvalues];
  uint32_t *class = DSP_NEW(arena, uint32_t, nvalues);
  DspChoice *choices = DSP_NEW(arena, DspChoice, p->nops);
  DspSearchOp *ops = DSP_NEW(arena, DspSearchOp, p->nops);
  for (uint32_t v = 0; v < p->nvalues; ++v)
    for (uint32_t k = s.first[v]; k < s.first[v + 1]; ++k)
      class[k] = p->value_class[v];
  for (size_t o = 0; o < p->nops; ++o)
    split_op(&s, o, &choices[o], &ops[o]);
  return (DspSearchProblem){p->nclasses, p->classes, p->nops, choices, nvalues,
                            class, p->nops, ops};
}

/// What one alternative costs on top of what was done, or bytes NEVER.
static DspPlanCost step_cost(const DspSearchProblem *p, const DspSets *sets,
                             const DspLayoutSet *have, const DspSearchOp *op,
                             const DspAlternative *way) {
  DspPlanCost cost = dsp_way_cost(way);
  for (uint32_t i = 0; i < p->choices[op->choice].noperands; ++i) {
    const DspMetric *m = &sets->metrics[p->value_class[op->operands[i]]];
    DspHop best = {DSP_PLAN_NEVER, 0};
    for (DspLayoutSet s = have[op->operands[i]]; s; s &= s - 1) {
      DspHop hop = m->near[dsp_set_first(s) * m->count + way->needs[i]];
      best = dsp_hop_less(hop, best) ? hop : best;
    }
    if (best.bytes == DSP_PLAN_NEVER)
      return (DspPlanCost){.bytes = DSP_PLAN_NEVER};
    cost.bytes += best.bytes;
    cost.collectives += best.collectives;
  }
  return cost;
}

static bool greedy(DspArena *arena, const DspSearchProblem *p,
                   const DspSets *sets, uint32_t *picks) {
  DspLayoutSet *have = DSP_NEW(arena, DspLayoutSet, p->nvalues);
  for (size_t o = 0; o < p->nops; ++o) {
    const DspSearchOp *op = &p->ops[o];
    const DspChoice *choice = &p->choices[op->choice];
    DspPlanCost best = {.bytes = DSP_PLAN_NEVER};
    for (uint32_t a = 0; a < choice->count; ++a) {
      DspPlanCost cost =
          step_cost(p, sets, have, op, &choice->alternatives[a]);
      if (dsp_plan_cost_compare(cost, best) >= 0)
        continue;
      best = cost;
      picks[o] = a;
    }
    if (best.bytes == DSP_PLAN_NEVER)
      return false;
    const DspAlternative *way = &choice->alternatives[picks[o]];
    for (uint32_t i = 0; i < choice->noperands; ++i)
      have[op->operands[i]] |= dsp_set_of(way->needs[i]);
    for (uint32_t i = 0; i < choice->nresults; ++i)
      have[op->results[i]] = dsp_set_of(way->gives[i]);
  }
  return true;
}

static int64_t true_bytes(DspArena *arena, const DspSearchProblem *problem,
                          DspSets *sets, uint32_t *picks) {
  DspSearchResult result = {.picks = picks};
  return dsp_route(arena, sets, problem, &result).bytes;
}

Volumes compare_plans(const DspSearchProblem *problem) {
  DspArena *arena = dsp_arena_create();
  Volumes out = {0};
  DspSearchResult best, edges;
  DspSets sets = dsp_sets(arena, problem);
  DspSearchProblem alone = split(arena, problem);
  uint32_t *picks = DSP_NEW(arena, uint32_t, problem->nops);
  out.possible = dsp_search(arena, problem, NULL, &best) == DSP_SEARCH_OK &&
                 dsp_search(arena, &alone, NULL, &edges) == DSP_SEARCH_OK &&
                 greedy(arena, problem, &sets, picks);
  if (out.possible) {
    out.exact = best.certificate.exact && edges.certificate.exact;
    out.optimum = best.certificate.found.bytes;
    out.per_edge = true_bytes(arena, problem, &sets, edges.picks);
    out.greedy = true_bytes(arena, problem, &sets, picks);
  }
  dsp_arena_destroy(arena);
  return out;
}
