// main.c - the main of every program.
//
// Needs:  a backend.
// Leaves: exit status 0: done, and as predicted and expected; 1: not; 2: a
//         command line that makes no sense.
#include <stddef.h>

#include "agree.h"
#include "backend.h"
#include "session.h"
#include "signals.h"

static DsprtStep *const steps[] = {
    dsprt_step_prepare, dsprt_step_open,   dsprt_step_load,  dsprt_step_forward,
    dsprt_step_verify,  dsprt_step_output, dsprt_step_bench, dsprt_step_profile,
    dsprt_step_report,
};

static int run_steps(DsprtSession *s) {
  for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
    steps[i](s);
    if (!dsprt_agree(&s->run, &s->errors)) return 1;
  }
  return s->differs;
}

int dsprt_main(int argc, char **argv, const DsprtProgram *program) {
  static const int exit_status[] = {0, 0, 2};
  DsprtSession s = {.program = program};
  dsprt_backend_open(&s.run, &argc, &argv, program);
  dsprt_signals_watch(&s.run);
  DsprtOptionsResult read =
      dsprt_options_read(&s.options, argc, argv, program, s.run.rank == 0);
  int status = exit_status[read];
  if (read == DSPRT_OPTIONS_RUN) {
    s.report.threads = dsprt_backend_prepare(&s.run);
    status = run_steps(&s);
  }
  dsprt_session_close(&s);
  dsprt_backend_close(&s.run);
  return status;
}
