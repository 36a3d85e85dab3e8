// job.h - one run of dspc, as the files of lib/driver share it.
#ifndef DSPC_LIB_DRIVER_JOB_H
#define DSPC_LIB_DRIVER_JOB_H

#include <stdio.h>

#include "dspc/dialect/diagnostics.h"
#include "dspc/passes/study.h"
#include "dspc/support/diag.h"
#include "options.h"

/// Workspace of cuBLASLt and cuDNN: DSPRT_WORKSPACE_BYTES.
enum { DSP_DEVICE_WORKSPACE = 64 << 20 };

/// What a plan comes to on some mesh.
typedef struct DspMeasure {
  DspStudy study;
  int64_t activation_bytes; ///< of the largest rank
  int64_t staging_bytes;    ///< likewise, of exchanges between GPUs
  int64_t device_bytes;     ///< all that a GPU holds; 0 on CPUs
  DspPassStats *stats; ///< given: the plan is not studied but for its memory
} DspMeasure;

typedef struct DspJob {
  DspOptions options;
  DspArena *arena;
  DspSource source;
  MlirContext context;
  MlirModule module;
  DspMlirSink sink;
  DspMachine machine;
  DspMeasure measure; ///< with --emit=plan or --memory
  DspFit fit;         ///< with prices: the plan that --memory asks for
  FILE *form;         ///< what is printed, in memory until all went well
  char *form_text;
  size_t form_length;
} DspJob;

/// What the passes are told for a mesh.
DspPassOptions dsp_job_pass_options(const DspJob *job,
                                    const DspPlanMesh *mesh);

/// Runs all passes on `module`; with `measure`, studies the plan on the way.
bool dsp_job_run_passes(DspJob *job, MlirModule module,
                        const DspPlanMesh *mesh, DspMeasure *measure);

/// A copy that the caller destroys.
MlirModule dsp_copy_of(MlirModule module);

/// dspc advise: compares meshes on the imported module.
bool dsp_advise(DspJob *job);

#endif
