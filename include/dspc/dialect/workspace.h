// workspace.h - scratch memory that the runtime needs for one op.
//
// The formulas are those of docs/runtime.md; a test holds the two together.
#ifndef DSPC_DIALECT_WORKSPACE_H
#define DSPC_DIALECT_WORKSPACE_H

#include <stdbool.h>
#include <stdint.h>

#include <mlir-c/IR.h>

#include "dspc/dialect/local_shape.h"

/// Bytes of scratch memory that `op` needs on the rank that needs most; 0 for
/// most ops.  `dims` is the module's dsp.dims.  On a GPU, products bring their
/// own.
int64_t dsp_workspace_bytes(MlirAttribute dims, MlirOperation op, DspMesh mesh,
                            bool gpu);

#endif
