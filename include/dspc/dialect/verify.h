// verify.h - what IRDL cannot state about a module of dsp ops.
#ifndef DSPC_DIALECT_VERIFY_H
#define DSPC_DIALECT_VERIFY_H

#include <stdbool.h>

#include <mlir-c/IR.h>

/// Checks a module: MLIR's own rules; dsp.dims and dsp.stages; that every dsp
/// op and attribute is known and well typed; that the dims and sizes of
/// operands and results fit the op; and, where types are planned, that their
/// layouts follow the one rule (free, contracted, whole) and that only
/// collectives change a layout.  Emits an MLIR error for each mistake, at the
/// op's location, and returns false when there is one.
///
/// Before that it brings operandSegmentSizes up to date (dialect.h).
bool dsp_verify(MlirModule module);

/// The same without MLIR's own rules, which cost three times as much, but for
/// the order of the ops of a block.  For after a pass that moves dsp ops only.
bool dsp_verify_ops(MlirModule module);

#endif
