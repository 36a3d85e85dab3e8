// judge.h - what a plan really does and costs, found by going through every
// element on every rank.  Uses the planner's types, none of its code.
#ifndef DSPC_TEST_PLAN_JUDGE_H
#define DSPC_TEST_PLAN_JUDGE_H

#include "dspc/plan/rules.h"

/// Bytes that leave all ranks, and the steps that move some.
typedef struct Bill {
  int64_t bytes, collectives;
} Bill;

DspPlanShape judge_shape(DspArena *arena, const DspPlanGraph *graph,
                         uint32_t value);

/// Elements that leave the ranks in the rings of an op.
int64_t judge_ring(DspArena *arena, const DspPlanGraph *graph,
                   const DspPlanMesh *mesh, const DspPlanOp *op,
                   const DspPlanWay *ways, const DspPlanLayout *operands,
                   int64_t *sent, int64_t *far);

/// Returns NULL and the bill when every rank computes all that it holds from
/// what it holds, every layout is one, and the plan's own bytes are true; else
/// what is wrong.
const char *judge_plan(DspArena *arena, const DspPlanGraph *graph,
                       const DspPlanOptions *options, const DspPlan *plan,
                       Bill *bill);

#endif
