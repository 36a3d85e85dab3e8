// owners.h - who holds which element of a value, and what must be sent when
// its layout changes: found element by element, without the planner.
#ifndef DSPC_TEST_PLAN_OWNERS_H
#define DSPC_TEST_PLAN_OWNERS_H

#include "dspc/plan/collective.h"

/// Deals `size` positions to `n` coordinates, the first ones one more where
/// they do not divide.  Returns who gets position `x`; `*begin` and `*length`
/// say which positions that one gets.
int64_t owners_deal(int64_t size, int64_t n, int64_t x, int64_t *begin,
                    int64_t *length);

int64_t owners_elements(const DspPlanShape *shape);

/// True when `rank` holds the element with this flat index.  Sums count as
/// held by everyone.
bool owners_hold(const DspPlanShape *shape, const DspPlanMesh *mesh,
                 DspPlanLayout layout, int64_t rank, int64_t element);

/// The ranks, fewer than 64, that hold the element: bit r for rank r.
uint64_t owners_mask(const DspPlanShape *shape, const DspPlanMesh *mesh,
                     DspPlanLayout layout, int64_t element);

/// True when the cuts have the same positions, or none in common.
bool owners_fit(DspPlanLayout layout);

/// What leaves each rank, and what of it goes to another coordinate on axis 0:
/// adds elements to `sent` and `far` [ranks].  False when no one collective
/// does that.
bool owners_move(const DspPlanShape *shape, const DspPlanMesh *mesh,
                 DspPlanLayout from, DspPlanLayout to, int64_t *sent,
                 int64_t *far);

/// The kind of the one collective that does it: NONE, ALL_TO_ALL (of whatever
/// layouts without sums), REDUCE_SCATTER, ALL_REDUCE or IMPOSSIBLE; of a sum
/// `*axis` is where.
DspCollective owners_kind(DspPlanLayout from, DspPlanLayout to, int *axis);

/// The same for a value that travels along `axis`.
void owners_ring(const DspPlanShape *shape, const DspPlanMesh *mesh,
                 DspPlanLayout layout, uint32_t axis, int64_t *sent,
                 int64_t *far);

#endif
