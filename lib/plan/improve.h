// improve.h - a better plan where the search met a limit.
#ifndef DSPC_LIB_PLAN_IMPROVE_H
#define DSPC_LIB_PLAN_IMPROVE_H

#include "dspc/plan/lower.h"

/// Searches again among fewer alternatives when `result` is not proved, and
/// puts a cheaper plan into its place.  What the certificate says of the whole
/// problem, the bound above all, stays; `found` is of the plan that is
/// returned.
void dsp_improve(DspArena *arena, const DspLowered *lowered,
                 const DspSearchLimits *limits, DspSearchResult *result);

#endif
