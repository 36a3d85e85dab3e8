// holds.h - what an op holds in memory, counted element by element.
#ifndef DSPC_TEST_PLAN_HOLDS_H
#define DSPC_TEST_PLAN_HOLDS_H

#include "judge.h"

/// What a rank needs for a plan: its parameters, and what the op that holds
/// most holds of other values while it runs.
typedef struct Memory {
  int64_t weights, most;
} Memory;

/// What one op adds to that on rank 0.  `lies` [noperands] is how parameters
/// lie: one that the op needs otherwise is there twice.  `all`: elementwise ops
/// and the like count, too.
Memory holds_of(DspArena *arena, const DspPlanGraph *graph,
                const DspPlanMesh *mesh, size_t op,
                const DspPlanLayout *operands, const DspPlanLayout *lies,
                const DspPlanLayout *results, bool all);

/// The op runs as well.
Memory holds_also(Memory memory, Memory op);

Memory holds_of_plan(DspArena *arena, const DspPlanGraph *graph,
                     const DspPlanMesh *mesh, const DspPlan *plan, bool all);

#endif
