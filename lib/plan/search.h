// search.h - the search of a problem whose ops were joined before.
#ifndef DSPC_LIB_PLAN_SEARCH_H
#define DSPC_LIB_PLAN_SEARCH_H

#include "narrow.h"

/// Searches as `dsp_search` does.  With `limits->known` it may be a guess: if
/// no plan has so few bytes, DSP_SEARCH_NO_PLAN, exact, says that.  After
/// DSP_SEARCH_GAVE_UP the certificate has the lower bound that was found.
DspSearchStatus dsp_search_joined(DspArena *arena, DspJoined *joined,
                                  const DspSearchLimits *limits,
                                  DspSearchResult *result);

#endif
