// methods.h - which picks a method of parallelisation leaves to an op.
#ifndef DSPC_LIB_PLAN_METHODS_H
#define DSPC_LIB_PLAN_METHODS_H

#include "picks.h"

/// What a dim is to the model.
typedef enum DspDimRole {
  DSP_ROLE_BATCH,    ///< no op needs it whole and no weight has it
  DSP_ROLE_SEQUENCE, ///< some op needs it whole, no weight has it
  DSP_ROLE_WEIGHT,   ///< channels, heads: some linear's weight has it
} DspDimRole;

/// The roles of all dims [ndims]; a product has the last role of its atoms.
const DspDimRole *dsp_dim_roles(DspArena *arena, const DspPlanGraph *graph);

typedef struct DspMethodRules {
  DspPlanMethod method;
  const DspPlanGraph *graph;
  const DspDimRole *roles;
  uint32_t residual; ///< an atom, or DSP_PLAN_NO_DIM
  DspPlanMesh mesh;
} DspMethodRules;

/// Leaves the picks that the method knows.  An empty list means that every
/// rank does all of the op.  False when the method has no way to run it.  Every
/// axis is held to the method by itself; a ring runs along one axis only.
bool dsp_method_picks(DspArena *arena, const DspMethodRules *rules,
                      const DspPlanOp *op, DspPickList *list);

/// The picks on the dims of all axes, or all picks when there is none.
DspPickList dsp_picks_on(DspArena *arena, const uint32_t *dims,
                         DspPickList list);

/// False when the model has no dim of the kind that the method cuts.
bool dsp_method_has_dim(DspPlanMethod method, const DspPlanGraph *graph,
                        const DspDimRole *roles);

/// True when the method keeps the residual stream on one sequence dim.
bool dsp_method_keeps_residual(DspPlanMethod method);

#endif
