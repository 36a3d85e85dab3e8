// route.h - the conversions of a plan whose alternatives are chosen.
#ifndef DSPC_LIB_PLAN_ROUTE_H
#define DSPC_LIB_PLAN_ROUTE_H

#include "order.h"

/// Finds the cheapest conversions for the picks in `result` and writes them,
/// in the order in which they run, to memory of `arena`.  Returns the cost of
/// the whole plan, counted anew.
DspPlanCost dsp_route(DspArena *arena, DspSets *sets,
                      const DspSearchProblem *problem,
                      DspSearchResult *result);

#endif
