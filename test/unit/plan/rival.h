// rival.h - looks for a plan that is cheaper than one that is known: tries all
// combinations of what the ops may do, gives up one as soon as it costs as
// much, and prices every change of layout element by element.
#ifndef DSPC_TEST_PLAN_RIVAL_H
#define DSPC_TEST_PLAN_RIVAL_H

#include "dspc/plan/lower.h"
#include "holds.h"

typedef enum RivalResult {
  RIVAL_LOSES,   ///< there is no cheaper plan
  RIVAL_WINS,    ///< there is one
  RIVAL_GIVES_UP ///< more than `limit` combinations
} RivalResult;

RivalResult find_cheaper(DspArena *arena, const DspPlanGraph *graph,
                         const DspPlanOptions *options, const DspLowered *low,
                         Bill known, size_t limit);

/// The same among the plans that need at most `bytes` (holds.h).  The plan
/// that wins costs `*bill`.
RivalResult find_cheaper_within(DspArena *arena, const DspPlanGraph *graph,
                                const DspPlanOptions *options,
                                const DspLowered *low, Bill known,
                                size_t limit, int64_t bytes, bool all,
                                Bill *bill);

#endif
