// dual.h - a lower bound for all plans, and what no good plan picks.
#ifndef DSPC_LIB_PLAN_DUAL_H
#define DSPC_LIB_PLAN_DUAL_H

#include "order.h"
#include "sets.h"

typedef struct DspDual DspDual;

/// Splits the problem into ops and values; everything lives in `arena`.
DspDual *dsp_dual(DspArena *arena, const DspSearchProblem *problem,
                  const DspSets *sets);

/// Goes over all ops forth and back, `rounds` times; returns the bytes that
/// every plan among the alternatives that are left moves at least, or
/// DSP_PLAN_NEVER: there is no such plan.
int64_t dsp_dual_raise(DspDual *dual, uint32_t rounds);

/// Drops every alternative, and every layout of a value, with which a plan
/// moves more than `known` bytes, which are less than DSP_DUAL_MOST_BYTES;
/// returns how many alternatives.
size_t dsp_dual_drop(DspDual *dual, int64_t known);

/// Is the alternative left?
bool dsp_dual_has(const DspDual *dual, size_t op, uint32_t alternative);

/// The layouts that are left of a value: those that no alternative that is
/// left needs or gives may be among them.
DspLayoutSet dsp_dual_stops(const DspDual *dual, size_t value);

#endif
