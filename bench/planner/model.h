// model.h - the graph of a model, for the benches.
#ifndef DSPC_BENCH_PLANNER_MODEL_H
#define DSPC_BENCH_PLANNER_MODEL_H

#include "dspc/plan/rules.h"

/// Reads MODEL.dsp [NAME=VALUE...] and calls `run` on its graph, which is gone
/// afterwards.  Returns what `run` returns, or false: the model has errors,
/// which were printed.
bool with_model(char **args, int count,
                bool (*run)(DspArena *arena, const DspPlanGraph *graph));

#endif
