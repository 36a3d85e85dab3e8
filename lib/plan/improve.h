// improve.h - the search, and what is done where it meets a limit.
#ifndef DSPC_LIB_PLAN_IMPROVE_H
#define DSPC_LIB_PLAN_IMPROVE_H

#include "dspc/plan/lower.h"

/// Finds the cheapest plan of `lowered`, as `dsp_search` does.  Where the
/// search meets a limit, it is repeated without what costs more than a plan
/// that is known by then; the certificate has the best bound of all.
DspSearchStatus dsp_improve(DspArena *arena, const DspLowered *lowered,
                            const DspSearchLimits *limits,
                            DspSearchResult *result);

#endif
