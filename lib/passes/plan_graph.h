// plan_graph.h - the model function as the planner's graph of loop nests.
#ifndef DSPC_LIB_PASSES_PLAN_GRAPH_H
#define DSPC_LIB_PASSES_PLAN_GRAPH_H

#include "dspc/passes/passes.h"
#include "dspc/plan/rules.h"
#include "ir.h"

/// The graph and which op and value of it stand for which of MLIR's.
typedef struct DspModuleGraph {
  DspPlanGraph graph;
  DspOpList ops;    ///< in the order of graph.ops
  DspPtrMap values; ///< MLIR value -> value of the graph
} DspModuleGraph;

/// Reads `func`; `dims` is dsp.dims.  Pins are gone from the IR afterwards.
/// Returns false after an MLIR error: two pins on one op disagree.
bool dsp_read_graph(DspArena *arena, MlirOperation func, MlirAttribute dims,
                    DspModuleGraph *out);

/// What the planner is told: `top` is the module.
DspPlanOptions dsp_plan_options(MlirOperation top,
                                const DspPassOptions *options);

#endif
