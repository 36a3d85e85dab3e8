// report.h - the plan as a table.
#ifndef DSPC_LIB_DRIVER_REPORT_H
#define DSPC_LIB_DRIVER_REPORT_H

#include <mlir-c/IR.h>
#include <stdint.h>
#include <stdio.h>

/// Prints a line for each stage: what is cut, the collectives in front of and
/// inside it, and the bytes that leave all ranks; then the totals.
void dsp_report_plan(MlirModule module, int64_t ranks, FILE *out);
/// Prints the peak of the activations; after assign-buffers.
void dsp_report_memory(MlirModule module, FILE *out);

#endif
