// options.h - the command line that all programs share.
#ifndef DSPRT_COMMON_OPTIONS_H
#define DSPRT_COMMON_OPTIONS_H

#include <stdbool.h>

#include "dsprt_program.h"

#define DSPRT_VERSION "0.1.0"

typedef struct DsprtOptions {
  const char *weights, *input, *output, *verify, *stats,
      *profile; ///< paths or NULL
  bool random_weights, random_input;
  uint64_t weights_seed, input_seed;
  bool allow_extra, json, tf32;
  double tolerance;
  int bench; ///< timed forward passes
} DsprtOptions;

typedef enum DsprtOptionsResult {
  DSPRT_OPTIONS_RUN,
  DSPRT_OPTIONS_DONE,  ///< --help or --version: nothing more to do
  DSPRT_OPTIONS_WRONG, ///< told on stderr
} DsprtOptionsResult;

/// Reads the command line; only a `loud` rank prints.
DsprtOptionsResult dsprt_options_read(DsprtOptions *options, int argc,
                                      char **argv, const DsprtProgram *program,
                                      bool loud);

#endif
