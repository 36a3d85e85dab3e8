// compare.h - what cheaper ways to plan would have found.
#ifndef DSPC_BENCH_COMPARE_H
#define DSPC_BENCH_COMPARE_H

#include "dspc/plan/plan.h"

/// Bytes of plans of one problem, all counted alike: a conversion is paid once,
/// however many ops read it.
typedef struct Volumes {
  bool possible; ///< false: no plan, or greedy ran into a dead end
  bool exact;
  int64_t optimum;
  int64_t per_edge; ///< of the plan that is cheapest when every producer-consumer
                    ///< edge is priced alone, as Alpa does
  int64_t greedy;   ///< op by op, the alternative that is cheapest by then
} Volumes;

Volumes compare_plans(const DspSearchProblem *problem);

#endif
