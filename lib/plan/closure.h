// closure.h - the layouts that a value may be in, and what lies between them.
#ifndef DSPC_LIB_PLAN_CLOSURE_H
#define DSPC_LIB_PLAN_CLOSURE_H

#include "picks.h"

/// Lists the layouts of a class, sorted: the `count` layouts `asked`, and the
/// stops that a conversion may make between them.  Returns how many; they are
/// numbered in `ids`.  At most DSP_PLAN_MAX_LAYOUTS are written to `out`.
uint32_t dsp_close_layouts(DspLayoutIds *ids, const DspPlanMesh *mesh,
                           const DspPlanLayout *asked, uint32_t count,
                           DspPlanLayout *out);

/// Fills the tables of a class of values of this shape: bytes, or the
/// picoseconds of `machine`, which may be NULL.  What stays is in `arena`.
void dsp_fill_table(DspArena *arena, DspArena *scratch,
                    const DspPlanShape *shape, const DspPlanMesh *mesh,
                    const struct DspMachine *machine,
                    const DspPlanLayout *layouts, DspLayoutClass *table);

#endif
