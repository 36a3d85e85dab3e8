// step.c - what one op makes of one state.
//
// Needs:  the shape of the step: which slots it reads, drops and adds.
// Leaves: a candidate for every alternative and every sensible way to bring
//         the operands into the layouts that it needs.
#include "frontier.h"

#include <string.h>

enum { MAX_SLOTS_ON_STACK = 64 };

/// A state while the operands of one alternative are being brought in.
typedef struct Expansion {
  DspSets *sets;
  const DspFrontier *frontier;
  const DspStepShape *shape;
  const DspAlternative *alternative;
  DspCandidates *out;
  DspLayoutSet *now;  ///< [frontier->nslots]
  DspLayoutSet *next; ///< [shape->nslots]
  uint32_t state, pick;
} Expansion;

static void emit(Expansion *e, DspPlanCost cost) {
  uint32_t nold = e->frontier->nslots;
  for (uint32_t i = 0; i < e->shape->nslots; ++i) {
    uint32_t from = e->shape->from[i];
    e->next[i] = from < nold
                     ? e->now[from]
                     : dsp_set_of(e->alternative->gives[from - nold]);
  }
  dsp_candidates_add(e->out, e->next, cost, e->state, e->pick);
}

static void bring_in(Expansion *e, uint32_t operand, DspPlanCost cost) {
  while (operand < e->shape->choice->noperands &&
         e->shape->operand_slot[operand] == DSP_NO_ID)
    ++operand;
  if (operand == e->shape->choice->noperands) {
    emit(e, cost);
    return;
  }
  uint32_t slot = e->shape->operand_slot[operand];
  DspLayoutSet before = e->now[slot];
  DspReachList list =
      dsp_sets_reach(e->sets, e->shape->operand_after[operand], before,
                     e->alternative->needs[operand]);
  if (list.cut && list.least != DSP_PLAN_NEVER &&
      cost.bytes + list.least < e->out->dropped)
    e->out->dropped = cost.bytes + list.least;
  for (size_t i = 0; i < list.count; ++i) {
    DspPlanCost more = cost;
    more.bytes += list.ways[i].hop.bytes;
    more.collectives += list.ways[i].hop.collectives;
    e->now[slot] = list.ways[i].set;
    bring_in(e, operand + 1, more);
  }
  e->now[slot] = before;
}

static void run_alternatives(Expansion *e) {
  size_t nslots = e->frontier->nslots;
  const DspLayoutSet *sets = &e->frontier->sets[e->state * nslots];
  if (nslots > 0)
    memcpy(e->now, sets, nslots * sizeof *sets);
  for (uint32_t a = 0; a < e->shape->choice->count; ++a) {
    const DspAlternative *way = &e->shape->choice->alternatives[a];
    DspPlanCost cost = {way->bytes, way->collectives, way->penalty, way->order};
    e->alternative = way;
    e->pick = a;
    bring_in(e, 0, dsp_cost_add(e->frontier->costs[e->state], cost));
  }
}

void dsp_expand(DspSets *sets, const DspFrontier *frontier, uint32_t state,
                const DspStepShape *shape, DspCandidates *candidates) {
  DspLayoutSet now[MAX_SLOTS_ON_STACK], next[MAX_SLOTS_ON_STACK];
  Expansion e = {.sets = sets, .frontier = frontier, .shape = shape,
                 .out = candidates, .state = state, .now = now, .next = next};
  if (frontier->nslots > MAX_SLOTS_ON_STACK)
    e.now = DSP_NEW(sets->arena, DspLayoutSet, frontier->nslots);
  if (shape->nslots > MAX_SLOTS_ON_STACK)
    e.next = DSP_NEW(sets->arena, DspLayoutSet, shape->nslots);
  run_alternatives(&e);
}
