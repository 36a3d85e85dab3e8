// session.h - one run of a program, from its files to its report.
#ifndef DSPRT_COMMON_SESSION_H
#define DSPRT_COMMON_SESSION_H

#include "backend.h"
#include "options.h"
#include "profile.h"
#include "report.h"
#include "safetensors.h"
#include "weights.h"

typedef struct DsprtSession {
  const DsprtProgram *program;
  DsprtOptions options;
  DsprtRun run;
  DsprtRun host; ///< the same with an arena that the host reads and writes
  DsprtErrors errors; ///< of the step at work
  DsprtTensors weights_file, input_file, expected_file;
  DsprtWeights weights;
  DsprtReport report;
  DsprtProfile profile;
  int64_t *counted; ///< [ranks] what left each in the first pass
  double *seconds;  ///< [options.bench]
  bool differs;     ///< an output is not what was expected
} DsprtSession;

/// A step of the run: on the user's mistake it adds to the errors.
typedef void DsprtStep(DsprtSession *session);

DsprtStep dsprt_step_prepare; ///< right number of ranks, memory
DsprtStep dsprt_step_open;    ///< maps the files
DsprtStep dsprt_step_load;    ///< weights
DsprtStep dsprt_step_forward; ///< inputs, one counted pass
DsprtStep dsprt_step_verify;
DsprtStep dsprt_step_output;
DsprtStep dsprt_step_bench;
DsprtStep dsprt_step_profile; ///< one pass, call by call
DsprtStep dsprt_step_report;

void dsprt_session_close(DsprtSession *session);

#endif
