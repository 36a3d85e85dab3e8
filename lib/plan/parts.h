// parts.h - a problem taken apart into ops and shares of values.
#ifndef DSPC_LIB_PLAN_PARTS_H
#define DSPC_LIB_PLAN_PARTS_H

#include "order.h"
#include "share.h"

/// An op and one of its values, in one share of it.
typedef struct DspEdge {
  uint32_t share, position;
  const uint16_t *labels; ///< [alternatives] the layout, or the label
  bool before, after;     ///< the share has ops before this one, or after
} DspEdge;

typedef struct DspParts {
  const DspSearchProblem *problem;
  DspShare *shares;
  uint32_t *share_value; ///< [nshares]
  uint32_t nshares;
  uint32_t *first_edge; ///< [nops + 1]
  DspEdge *edges;
} DspParts;

/// Takes a problem apart, with all payments zero.  Everything lives in
/// `arena`.
DspParts dsp_parts(DspArena *arena, const DspSearchProblem *problem,
                   const DspSets *sets);

#endif
