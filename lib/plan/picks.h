// picks.h - which loops an op may cut, and what that asks of its values.
#ifndef DSPC_LIB_PLAN_PICKS_H
#define DSPC_LIB_PLAN_PICKS_H

#include "dspc/plan/rules.h"
#include "intern.h"

/// Layouts by number: the same positions under the same dim are one layout.
enum { DSP_LAYOUT_ID_WHOLE = 0, DSP_LAYOUT_ID_PARTIAL = 1 };

typedef struct DspLayoutIds {
  DspArena *arena;
  DspInterner ids;
  DspPlanLayout *layouts; ///< [ids.count]
  uint32_t capacity;
} DspLayoutIds;

DspLayoutIds dsp_layout_ids(DspArena *arena);
uint32_t dsp_layout_id(DspLayoutIds *ids, DspPlanLayout layout);

/// What all ops share.
typedef struct DspPickRules {
  const DspPlanGraph *graph;
  int64_t ranks;
  bool allow_tensor;
  bool no_ring;
  bool priced;             ///< idle ranks and repeated work cost time: any
                           ///< op may be repeated or be cut on a short dim
  const int64_t *elements; ///< [nvalues]
  const bool *constant;    ///< [nvalues] follows from parameters alone
  const int64_t *tokens;   ///< [nvalues] elements without the weights' dims
  int64_t most_tokens;     ///< of a value that is not constant
} DspPickRules;

/// One thing that an op may do.
typedef struct DspPick {
  uint32_t dim; ///< or DSP_PLAN_NO_DIM
  bool contracted;
  bool ring;         ///< operands travel inside the op
  int64_t bytes;     ///< that they move, leaving all ranks together
  int64_t most;      ///< of them, leaving the busiest rank
  int64_t size;      ///< of the loops that are cut
  int64_t penalty;   ///< elements that are computed more than once
  uint32_t *layouts; ///< [noperands + nresults] ids
} DspPick;

typedef struct DspPickList {
  uint32_t count;
  DspPick *picks;
} DspPickList;

/// Everything that the rule allows: one pick for each loop or product dim that
/// may be cut.  Neither sizes nor the need for a choice are looked at.
DspPickList dsp_all_picks(DspArena *arena, const DspPickRules *rules,
                          DspLayoutIds *ids, const DspPlanOp *op);

/// Leaves the picks that balanced work allows; adds `none` where it may be.
/// `anchored` [ndims] marks the dims that some op of DSP_PLAN_COMPUTE may cut;
/// NULL while that is being found out.
DspPickList dsp_offered_picks(DspArena *arena, const DspPickRules *rules,
                              const DspPlanOp *op, DspPickList all,
                              const bool *anchored);

/// Marks the dims of a loop of which one is anchored: one loop over dims of two
/// names is a rename.  Returns whether something was marked.
bool dsp_share_anchors(const DspPlanGraph *graph, const DspPlanOp *op,
                       bool *anchored);

/// Elements that are computed more than once, or waited for, when something
/// of `elements` elements is cut along `size` of them; size 1: not cut.
int64_t dsp_pick_penalty(int64_t elements, int64_t size, int64_t ranks);

/// Finds `count` dims one after the other; returns the first position or
/// SIZE_MAX.
size_t dsp_find_dims(const DspPlanValue *value, const uint32_t *dims,
                     size_t count);

#endif
