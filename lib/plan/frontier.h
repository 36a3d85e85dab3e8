// frontier.h - the states between two ops, and the step over one op.
#ifndef DSPC_LIB_PLAN_FRONTIER_H
#define DSPC_LIB_PLAN_FRONTIER_H

#include "order.h"

enum { DSP_NO_ID = UINT32_MAX };

/// The best ways to have run the ops so far.  A state says, for every value
/// that is still needed (a slot), in which layouts it exists.
typedef struct DspFrontier {
  uint32_t id; ///< equal frontiers have equal ids, or DSP_NO_ID: too large
  uint32_t nslots, nstates;
  DspDemand *slots;   ///< [nslots]
  DspLayoutSet *sets; ///< [nstates][nslots]
  DspPlanCost *costs; ///< [nstates] above the first, cheapest first
  size_t capacity;    ///< words that `sets` has room for
  uint32_t states_capacity, slots_capacity;
} DspFrontier;

/// What running one op does to the slots.
typedef struct DspStepShape {
  uint32_t choice_id;
  const DspChoice *choice;
  uint32_t operand_slot[DSP_PLAN_MAX_ARITY]; ///< or DSP_NO_ID: constant
  DspDemand operand_after[DSP_PLAN_MAX_ARITY];
  uint32_t nslots;
  uint32_t *from;   ///< [nslots] an old slot, or old nslots + a result
  DspDemand *slots; ///< [nslots]
} DspStepShape;

/// The step over one op, with the way back for every state.
typedef struct DspStep {
  uint32_t nstates;
  uint32_t *parents; ///< [nstates] state of the frontier before
  uint32_t *picks;   ///< [nstates] alternative of the op
  DspPlanCost base;  ///< of the first state, above the first one before
  int64_t dropped;   ///< bytes above the first one before, or DSP_PLAN_NEVER
  const DspFrontier *next;
} DspStep;

/// States under construction: equal ones are merged at once.
typedef struct DspCandidates {
  DspArena *arena;
  uint32_t nslots, count;
  uint32_t capacity;      ///< of the arrays, in states
  size_t sets_capacity;   ///< of `sets`, in words
  DspLayoutSet *sets;     ///< [count][nslots]
  DspPlanCost *costs;     ///< [count]
  uint32_t *parents;      ///< [count]
  uint32_t *picks;        ///< [count]
  uint32_t *order;        ///< [count] the states that stay, cheapest first
  uint32_t *scratch;      ///< [count]
  uint32_t *table;        ///< [table_size] state + 1
  uint32_t table_size;
  int64_t dropped; ///< bytes of a state that is not looked at because a list
                   ///< of ways is cut, or DSP_PLAN_NEVER
} DspCandidates;

/// Empties the table.
void dsp_candidates_clear(DspCandidates *candidates, uint32_t nslots);

/// Adds a state; of two equal ones the cheaper stays, else the older.
void dsp_candidates_add(DspCandidates *candidates, const DspLayoutSet *sets,
                        DspPlanCost cost, uint32_t parent, uint32_t pick);

/// Adds every state that running the op from `state` can lead to.
void dsp_expand(DspSets *sets, const DspFrontier *frontier, uint32_t state,
                const DspStepShape *shape, DspCandidates *candidates);

/// Sorts by cost into `order` and drops every state that another one makes
/// superfluous; returns how many stay.
uint32_t dsp_dominate(const DspSets *sets, const DspDemand *slots,
                      DspCandidates *candidates);

DspPlanCost dsp_cost_add(DspPlanCost a, DspPlanCost b);
DspPlanCost dsp_cost_sub(DspPlanCost a, DspPlanCost b);

#endif
