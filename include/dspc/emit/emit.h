// emit.h - from lowered `dsp` MLIR to the C text of a program.
#ifndef DSPC_EMIT_EMIT_H
#define DSPC_EMIT_EMIT_H

#include <mlir-c/IR.h>
#include <stddef.h>

typedef struct DspEmitOptions {
  const char *source_name;
  /// The text of a line (from 1) of the model's source, or NULL.
  const char *(*source_line)(void *user, int line, size_t *length);
  void *user;
} DspEmitOptions;

/// Returns the text, to be freed with free(), or NULL after an MLIR error.
/// Needs every pass of dsp_pass_pipeline to have run.
char *dsp_emit_c(MlirModule module, const DspEmitOptions *options);

#endif
