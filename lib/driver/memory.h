// memory.h - what a plan needs, and the plan that fits into --memory.
#ifndef DSPC_LIB_DRIVER_MEMORY_H
#define DSPC_LIB_DRIVER_MEMORY_H

#include "job.h"

/// Bytes of the rank that needs most.
int64_t dsp_memory_of(const DspMeasure *measure);

/// Measures the plan on a copy of `imported`; `out->stats` says how
/// (job.h).  False after an MLIR error.
bool dsp_measure(DspJob *job, MlirModule imported, const DspPlanMesh *mesh,
                 DspMeasure *out);

/// The same; where that plan does not fit into --memory and another one is
/// found that does, that one.
bool dsp_measure_fitting(DspJob *job, MlirModule imported,
                         const DspPlanMesh *mesh, DspMeasure *out);

/// Looks for the cheapest plan that fits into --memory.
DspFit dsp_fit_plan(DspJob *job, MlirModule imported, const DspPlanMesh *mesh);

/// True when weights and activations of a rank fit into --memory, or there is
/// no such limit.  Else an error that says what is short, and on how many
/// ranks of `imported`, or with which options, they fit.
bool dsp_check_memory(DspJob *job, MlirModule imported);

/// Numbers of ranks that are tried: all up to 8, then 2^k and 3 * 2^k.
int64_t dsp_next_ranks(int64_t ranks);

/// The most ranks of the machine, up to `wish`.
int64_t dsp_most_ranks(const DspMachine *machine, int64_t wish);

#endif
