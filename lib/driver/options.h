// options.h - what the user asked of dspc.
#ifndef DSPC_LIB_DRIVER_OPTIONS_H
#define DSPC_LIB_DRIVER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dspc/emit/emit.h"
#include "dspc/plan/rules.h"
#include "dspc/sema/model.h"

enum { DSP_MAX_DEFINES = 64 };

/// The forms that --emit can show.
typedef enum DspForm {
  DSP_FORM_PROGRAM, ///< compile and link
  DSP_FORM_TOKENS,
  DSP_FORM_AST,     ///< as text in canonical form
  DSP_FORM_MODEL,   ///< names bound, shapes known
  DSP_FORM_DSP,     ///< the imported module
  DSP_FORM_PLANNED, ///< with layouts and collectives
  DSP_FORM_LOWERED, ///< after the last pass
  DSP_FORM_C,
  DSP_FORM_CUDA,    ///< the kernels
  DSP_FORM_PROJECT, ///< a folder that builds without dspc
  DSP_FORM_PLAN, ///< the plan as a table
} DspForm;

typedef enum DspCommand {
  DSP_COMMAND_COMPILE,
  DSP_COMMAND_PLAN,   ///< dspc plan: explain a plan
  DSP_COMMAND_ADVISE, ///< dspc advise: how many ranks are worth it
} DspCommand;

typedef struct DspOptions {
  DspCommand command;
  const char *input;
  const char *output;
  DspPlanMesh mesh;
  bool allow_tensor;
  DspPlanMethod method;
  const char *topology; ///< NULL: not given
  bool by_time;         ///< --objective=time
  int64_t why;          ///< a stage, or -1
  bool json;
  int64_t memory;       ///< bytes of one rank; 0: no limit
  int64_t max_ranks;
  DspTarget target;
  bool json_diagnostics;
  DspForm form;
  const char *dump_dir;
  DspDefine defines[DSP_MAX_DEFINES];
  size_t ndefines;
  const char *explain;
} DspOptions;

/// Reads the command line; ends the process for --help and bad usage.
void dsp_options_parse(int argc, char **argv, DspOptions *options);

#endif
