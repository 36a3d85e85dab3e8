// lower.h - from a graph of loop nests to the problem that the search solves.
//
// `dsp_plan_graph` in rules.h does this, searches, and translates back.  Who
// wants to see the alternatives, or to search them differently, starts here.
#ifndef DSPC_PLAN_LOWER_H
#define DSPC_PLAN_LOWER_H

#include "dspc/plan/rules.h"

/// What an alternative means.
typedef struct DspPlanWays {
  DspPlanWay axes[DSP_PLAN_AXES];
} DspPlanWays;

/// A problem and how to read it.
typedef struct DspLowered {
  DspSearchProblem problem;
  const DspPlanLayout **layouts; ///< [nclasses] the layouts of each class
  const DspPlanWays **ways;      ///< [nchoices] one per alternative
} DspLowered;

/// Applies the rule of rules.h.  Everything lives in `arena`; the problem
/// points into `graph`.  `residual` is the atom on which a method keeps the
/// residual stream, or DSP_PLAN_NO_DIM.  Returns DSP_PLAN_OK, or
/// DSP_PLAN_BAD_PIN or DSP_PLAN_UNFIT with the op in `*culprit` (may be NULL).
DspPlanStatus dsp_plan_lower(DspArena *arena, const DspPlanGraph *graph,
                             const DspPlanOptions *options,
                             uint32_t residual, DspLowered *lowered,
                             size_t *culprit);

#endif
