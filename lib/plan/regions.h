// regions.h - how many elements of a value lie within several cuts at once.
#ifndef DSPC_LIB_PLAN_REGIONS_H
#define DSPC_LIB_PLAN_REGIONS_H

#include "dspc/plan/collective.h"

/// Two layouts, each cut along both axes.
enum { DSP_MAX_BOUNDS = 2 * DSP_PLAN_AXES };

/// The positions first .. end - 1 in their flat index space, from `from` to
/// `to` - 1.
typedef struct DspBound {
  uint32_t first, end;
  int64_t from, to;
} DspBound;

/// A box, or what is left of one where runs of positions share some.
typedef struct DspRegion {
  uint32_t count;
  DspBound bounds[DSP_MAX_BOUNDS];
} DspRegion;

/// Adds what `layout` leaves to these coordinates; `axes` says how many axes
/// act, the outermost first.
void dsp_region_add(DspRegion *region, const DspPlanShape *shape,
                    const DspPlanMesh *mesh, DspPlanLayout layout,
                    const int64_t *at, uint32_t axes);

/// The elements that lie within all bounds.
int64_t dsp_region_count(const DspRegion *region, const DspPlanShape *shape);

#endif
