// import.h - from the resolved model to `dsp` MLIR.
#ifndef DSPC_IMPORT_IMPORT_H
#define DSPC_IMPORT_IMPORT_H

#include <mlir-c/IR.h>

#include "dspc/sema/model.h"

/// Builds the module of docs/dialect.md.  `context` is of dsp_context_create.
/// The caller owns the module.
MlirModule dsp_import_model(MlirContext context, const DspModel *model);

#endif
