// contract.h - a smaller problem with the same plans.
#ifndef DSPC_LIB_PLAN_CONTRACT_H
#define DSPC_LIB_PLAN_CONTRACT_H

#include "sets.h"

/// A problem on the same values and classes, whose ops stand for one or several
/// ops of the one that it was made from.
typedef struct DspContraction {
  DspSearchProblem problem;
  DspPlanCost base; ///< of the sources that are not in `problem`
  const struct DspNode *nodes;
  const uint32_t *node_of;      ///< [problem.nops]
  const struct DspBlend *blends; ///< [problem.nchoices]
  const uint32_t *constant;     ///< [original nops] the pick, or UINT32_MAX
  size_t original;              ///< number of ops that it was made from
} DspContraction;

/// Makes it; everything lives in `arena` and points into `problem`.
DspContraction dsp_contract(DspArena *arena, const DspSearchProblem *problem,
                            const DspSets *sets);

/// Translates the picks of the small problem to those of the original one.
void dsp_contraction_picks(const DspContraction *contraction,
                           const uint32_t *small, uint32_t *picks);

#endif
