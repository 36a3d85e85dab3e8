// emit.h - from lowered `dsp` MLIR to the C text of a program.
#ifndef DSPC_EMIT_EMIT_H
#define DSPC_EMIT_EMIT_H

#include <mlir-c/IR.h>
#include <stdbool.h>
#include <stddef.h>

typedef enum DspTarget {
  DSP_TARGET_CPU,  ///< C, MPI ranks
  DSP_TARGET_CUDA, ///< C and CUDA, a GPU a rank
} DspTarget;

typedef struct DspEmitOptions {
  DspTarget target;
  const char *source_name;
  /// The text of a line (from 1) of the model's source, or NULL.
  const char *(*source_line)(void *user, int line, size_t *length);
  void *user;
} DspEmitOptions;

/// The files of a program; free with dsp_emitted_free.
typedef struct DspEmitted {
  char *host;    ///< model.c
  char *header;  ///< CUDA: model_kernels.h, else NULL
  char *kernels; ///< CUDA: model_kernels.cu, else NULL
} DspEmitted;

/// Writes the program of a module on which every pass of dsp_pass_pipeline
/// ran.  Returns false, and nothing to free, after an MLIR error.
bool dsp_emit(MlirModule module, const DspEmitOptions *options,
              DspEmitted *emitted);
void dsp_emitted_free(DspEmitted *emitted);

#endif
