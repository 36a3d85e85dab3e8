// problems.h - random search problems, the truth about them, and a judge.
#ifndef DSPC_TEST_PLAN_PROBLEMS_H
#define DSPC_TEST_PLAN_PROBLEMS_H

#include "dspc/plan/plan.h"
#include "random.h"

/// A problem of at most `nops` ops, with at most `nlayouts` layouts in each
/// class, small enough for `brute_force`.
DspSearchProblem random_problem(DspArena *arena, Random *random, uint32_t nops,
                                uint32_t nlayouts);

/// Tries every combination of alternatives, and for each value every tree of
/// conversions.  Returns false when there is no plan.
bool brute_force(DspArena *arena, const DspSearchProblem *problem,
                 DspPlanCost *best);

/// The number of combinations that `brute_force` would try, at most `limit`.
size_t count_combinations(const DspSearchProblem *problem, size_t limit);

/// Runs the plan on paper: every op finds its operands in the layouts that it
/// needs, every conversion starts where the value exists.  Returns what is
/// wrong, or NULL; `*cost` receives the cost, counted anew.
const char *replay(DspArena *arena, const DspSearchProblem *problem,
                   const DspSearchResult *result, DspPlanCost *cost);

#endif
