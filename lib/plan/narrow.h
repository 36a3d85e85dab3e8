// narrow.h - a smaller problem with the same cheapest plans.
#ifndef DSPC_LIB_PLAN_NARROW_H
#define DSPC_LIB_PLAN_NARROW_H

#include "contract.h"

/// A problem in which ops were joined and, where a plan is known, whatever
/// costs more than that was dropped.
typedef struct DspNarrowing {
  const DspSearchProblem *problem; ///< what is left
  DspSets *sets;                   ///< of it
  DspPlanCost base;                ///< of the sources that are not in it
  int64_t bound; ///< bytes of any plan of the original, at most `known` + 1
  const struct DspStage *last;
} DspNarrowing;

/// A problem whose ops were joined: where every narrowing of it starts.
typedef struct DspJoined {
  const DspSearchProblem *problem;
  DspSets sets; ///< of it
  DspContraction contraction;
} DspJoined;

/// Joins the ops of a problem.  Everything lives in `arena`.
DspJoined *dsp_join(DspArena *arena, const DspSearchProblem *problem);

/// Narrows a problem.  `known` is the bytes of one of its plans, or 0: nothing
/// is dropped.  If it has no plan of so few bytes, what is left has no plan.
/// Everything lives in `arena`.
DspNarrowing dsp_narrow(DspArena *arena, DspJoined *joined, int64_t known);

/// Translates the picks of what is left to those of the original problem.
void dsp_narrow_picks(const DspNarrowing *narrowing, DspArena *arena,
                      const uint32_t *small, uint32_t *picks);

#endif
