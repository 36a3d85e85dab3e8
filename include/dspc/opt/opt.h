// opt.h - run passes over .mlir text: what dsp-opt does.
//
// For each piece of the input: parse, verify, run the passes with the verifier
// after each, print.  With `verify_diagnostics`, comments in the input say
// which diagnostics must appear, as in mlir-opt:
//
//   // expected-error@+1 {{part of the text}}
//
// @+N and @-N count lines from the comment, @above and @below are the next
// line that holds no such comment; without them it is the comment's own line.
// One comment expects one diagnostic.
#ifndef DSPC_OPT_OPT_H
#define DSPC_OPT_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "dspc/passes/passes.h"

/// One step: a pass of ours, or a pipeline of MLIR's own passes.
typedef struct DspOptStep {
  const DspPass *pass;  ///< NULL for MLIR's
  const char *pipeline; ///< "canonicalize", when pass is NULL
  DspPassOptions options;
} DspOptStep;

enum { DSP_OPT_MAX_STEPS = 64 };

typedef struct DspOptOptions {
  const char *file; ///< name in messages
  DspOptStep steps[DSP_OPT_MAX_STEPS];
  size_t nsteps;
  char *names[DSP_OPT_MAX_STEPS]; ///< owned texts of pipelines
  bool split_input_file;          ///< pieces between lines of "// -----"
  bool verify_diagnostics;        ///< compare with expected-* comments
  bool print_locations;
} DspOptOptions;

/// Adds the steps of a list: "plan-shards{ranks=4},insert-switches,cse".
/// Returns false and sets `*wrong` to where it cannot be read.
bool dsp_opt_add_steps(DspOptOptions *options, const char *list,
                       const char **wrong);

/// Frees what dsp_opt_add_steps allocated.
void dsp_opt_release(DspOptOptions *options);

/// Runs the options over `text`; writes modules to `out` and diagnostics to
/// `err`.  Returns true when all went as it should: no errors, or, with
/// verify_diagnostics, exactly the expected diagnostics.
bool dsp_opt_run(const DspOptOptions *options, const char *text, FILE *out,
                 FILE *err);

#endif
