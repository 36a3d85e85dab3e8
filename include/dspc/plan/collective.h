// collective.h - how many bytes a change of layout moves, rank by rank.
//
// On one mesh axis of N ranks, a dim of n elements is cut so that rank r holds
// n / N of them, and one more if r < n % N: nothing is padded, and a rank may
// hold nothing.  Several adjacent dims are cut together in their flat index
// space.
#ifndef DSPC_PLAN_COLLECTIVE_H
#define DSPC_PLAN_COLLECTIVE_H

#include <stddef.h>
#include <stdint.h>

#include "dspc/support/arena.h"

typedef enum DspLayoutKind {
  DSP_LAYOUT_WHOLE,   ///< R: every rank holds all of it
  DSP_LAYOUT_CUT,     ///< S(d): every rank holds a part
  DSP_LAYOUT_PARTIAL, ///< P: every rank holds a partial sum of all of it
} DspLayoutKind;

enum { DSP_PLAN_NO_DIM = UINT32_MAX };

/// The layout of one value on one mesh axis.
typedef struct DspPlanLayout {
  DspLayoutKind kind;
  uint32_t dim;   ///< the model dim that is cut, or DSP_PLAN_NO_DIM
  uint16_t first; ///< CUT: positions first .. first + count - 1 of the value
  uint16_t count;
} DspPlanLayout;

typedef enum DspCollective {
  DSP_COLLECTIVE_NONE,           ///< the same layout
  DSP_COLLECTIVE_SPLIT,          ///< R -> S(d), a local slice
  DSP_COLLECTIVE_ALL_TO_ALL,     ///< S(d) -> S(e), the dynamic switch
  DSP_COLLECTIVE_ALL_GATHER,     ///< S(d) -> R
  DSP_COLLECTIVE_REDUCE_SCATTER, ///< P -> S(d)
  DSP_COLLECTIVE_ALL_REDUCE,     ///< P -> R
  DSP_COLLECTIVE_IMPOSSIBLE,     ///< R -> P, S(d) -> P
} DspCollective;

/// The elements of `size` that rank `rank` of `ranks` holds, and the first.
int64_t dsp_plan_part(int64_t size, int64_t rank, int64_t ranks);
int64_t dsp_plan_part_begin(int64_t size, int64_t rank, int64_t ranks);

/// A value as far as bytes are concerned.
typedef struct DspPlanShape {
  size_t ndims;
  const int64_t *sizes; ///< [ndims], each at least 1
  int64_t element_bytes;
} DspPlanShape;

/// The one collective that turns `from` into `to`.
DspCollective dsp_plan_collective(DspPlanLayout from, DspPlanLayout to);

/// Bytes that leave all ranks together when a value goes from one layout to
/// another by that collective, exact for uneven parts and for cuts that share
/// positions; DSP_PLAN_NEVER when it is impossible.  `per_rank` [ranks]
/// receives what leaves each rank, and may be NULL.
///
///   all-to-all      what a rank holds and does not keep
///   all-gather      (N-1) times what a rank holds
///   reduce-scatter  all of the value but the part that the rank keeps
///   all-reduce      a reduce-scatter and an all-gather of the flat elements
int64_t dsp_plan_collective_bytes(const DspPlanShape *shape,
                                  DspPlanLayout from, DspPlanLayout to,
                                  int64_t ranks, int64_t *per_rank);

/// The name of a collective in words: "all-to-all".
const char *dsp_plan_collective_name(DspCollective collective);

#endif
