// picks.h - which loops an op may cut, and what that asks of its values.
#ifndef DSPC_LIB_PLAN_PICKS_H
#define DSPC_LIB_PLAN_PICKS_H

#include "dspc/plan/lower.h"
#include "intern.h"

/// Layouts by number: the same positions under the same dim are one layout.
enum { DSP_LAYOUT_ID_WHOLE = 0 };

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
  DspPlanMesh mesh;
  bool allow_tensor;
  bool weights_anywhere;   ///< also along the outer of two axes
  bool few_pairs;          ///< the same dim on both axes, where that is offered
  bool priced;             ///< idle ranks and repeated work cost time: any
                           ///< op may be repeated or be cut on a short dim
  const int64_t *elements; ///< [nvalues]
  const bool *constant;    ///< [nvalues] follows from parameters alone
  const int64_t *tokens;   ///< [nvalues] elements without the weights' dims
  int64_t most_tokens;     ///< of a value that is not constant
} DspPickRules;

/// One thing that an op may do on an axis.
typedef struct DspPick {
  DspPlanWay way;
  bool weight;      ///< a weight is cut
  int64_t size;     ///< of the loops that are cut
  DspPlanCut *cuts; ///< [noperands + nresults]
  bool *travels;    ///< [noperands] goes round the ranks; or NULL
} DspPick;

typedef struct DspPickList {
  uint32_t count;
  DspPick *picks;
} DspPickList;

/// Everything that the rule allows on an axis: one pick for each loop or
/// product dim that may be cut.  Neither sizes nor the need for a choice are
/// looked at.
DspPickList dsp_all_picks(DspArena *arena, const DspPickRules *rules,
                          const DspPlanOp *op);

/// One pick an axis.
typedef struct DspMeshPick {
  DspPlanWays axes;
  int64_t bytes;       ///< of rings, leaving all ranks together
  const int64_t *sent; ///< [ranks] of them; or NULL: no ring
  const int64_t *far;  ///< [ranks] of these, to others on axis 0
  int64_t penalty;     ///< elements that are computed more than once
  uint32_t *layouts;   ///< [noperands + nresults] ids
} DspMeshPick;

typedef struct DspMeshPickList {
  uint32_t count;
  DspMeshPick *picks;
} DspMeshPickList;

/// Combines the picks of an axis to the pairs that balanced work allows; adds
/// `none` where it may be (offer.c).  `anchored` [ndims] marks the dims that
/// some op of DSP_PLAN_COMPUTE may cut; NULL while that is being found out.
/// It has one row an axis: [axes][ndims].
/// `on` [axes], if given, asks for pairs on these dims, where there are any.
DspMeshPickList dsp_offered_picks(DspArena *arena, const DspPickRules *rules,
                                  DspLayoutIds *ids, const DspPlanOp *op,
                                  DspPickList all, const bool *anchored,
                                  const uint32_t *on);

/// Marks the dims of a loop of which one is anchored: one loop over dims of two
/// names is a rename.  Returns whether something was marked.
bool dsp_share_anchors(const DspPlanGraph *graph, const DspPlanOp *op,
                       bool *anchored);

/// Elements that are computed more than once, or waited for, when something of
/// `elements` elements is cut along `sizes` of them, one an axis; size 1: not
/// cut; `nested`: both axes cut the same.
int64_t dsp_pick_penalty(const DspPlanMesh *mesh, int64_t elements,
                         const int64_t *sizes, bool nested);

/// Finds `count` dims one after the other; returns the first position or
/// SIZE_MAX.
size_t dsp_find_dims(const DspPlanValue *value, const uint32_t *dims,
                     size_t count);

/// Operands first, then results.
static inline size_t dsp_op_arity(const DspPlanOp *op) {
  return op->noperands + op->nresults;
}

static inline uint32_t dsp_op_value(const DspPlanOp *op, size_t i) {
  return i < op->noperands ? op->operands[i] : op->results[i - op->noperands];
}

#endif
