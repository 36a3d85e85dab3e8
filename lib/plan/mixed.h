// mixed.h - the dims that a stage mixes, and the order that they give to plans
// that cost the same.
#ifndef DSPC_LIB_PLAN_MIXED_H
#define DSPC_LIB_PLAN_MIXED_H

#include "dspc/plan/rules.h"

typedef struct DspMixed {
  const DspPlanGraph *graph;
  bool *dims;      ///< [stages][ndims] some op of the stage needs it whole
  uint32_t *kinds; ///< [stages] equal: the same dims
} DspMixed;

/// Finds the dims that the ops of each stage need whole.
DspMixed dsp_find_mixed(DspArena *arena, const DspPlanGraph *graph);

/// A dim as a number to compare, at most 2 * ndims: source order, but last what
/// the stage needs whole, so that switches fall between stages; then `none`.
int64_t dsp_mixed_order(const DspMixed *mixed, uint32_t stage, uint32_t dim);

#endif
