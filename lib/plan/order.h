// order.h - when each op is searched, and what is asked of each value.
#ifndef DSPC_LIB_PLAN_ORDER_H
#define DSPC_LIB_PLAN_ORDER_H

#include "sets.h"

typedef struct DspOrder {
  const DspSearchProblem *problem;
  size_t count;
  uint32_t *ops;        ///< [count] in the order of the search
  uint32_t *first_use;  ///< [nvalues + 1] where its uses begin
  DspLayoutSet *wanted; ///< [uses] by this use and all later ones of the value
} DspOrder;

DspOrder dsp_order(DspArena *arena, const DspSearchProblem *problem);

/// What is asked of `value` when `used` of its uses are over.
DspDemand dsp_order_demand(const DspOrder *order, uint32_t value,
                           uint32_t used);

static inline uint32_t dsp_order_uses(const DspOrder *order, uint32_t value) {
  return order->first_use[value + 1] - order->first_use[value];
}

static inline const DspChoice *dsp_choice_of(const DspSearchProblem *problem,
                                             size_t op) {
  return &problem->choices[problem->ops[op].choice];
}

#endif
