// results.c - the outputs of a run: compared with a file, written to a file.
//
// Needs:  a forward pass done.
// Leaves: one line an output on the first rank; the file, whole or not at all.
#include <stdio.h>

#include "agree.h"
#include "ports.h"
#include "session.h"
#include "verify.h"

/// The largest of all ranks.
static DsprtDifference merge(const DsprtSession *s, DsprtDifference mine) {
  double all[3] = {mine.error, mine.expected, mine.nans};
  dsprt_backend_largest(&s->run, all, 3);
  return (DsprtDifference){all[0], all[1], all[2]};
}

static void tell(DsprtSession *s, const char *name, const DsprtDifference *d,
                 bool ok) {
  FILE *to = s->options.json ? stderr : stdout;
  if (s->run.rank != 0) return;
  fprintf(to, "output %s: error %.3g of %.3g, relative %.2e (tolerance %.0e)",
          name, d->error, d->expected, dsprt_relative(d), s->options.tolerance);
  if (d->nans > 0) fprintf(to, ", %.0f elements not finite", d->nans);
  fprintf(to, ": %s\n", ok ? "ok" : "DIFFERS");
  fflush(to);
}

static void verify_one(DsprtSession *s, const DsprtPort *port,
                       const DsprtTensor *expected) {
  DsprtDifference d = merge(s, dsprt_compare(&s->host, port, expected));
  bool ok = d.nans == 0 && dsprt_relative(&d) <= s->options.tolerance;
  tell(s, port->name, &d, ok);
  s->differs |= !ok;
}

void dsprt_step_verify(DsprtSession *s) {
  if (!s->options.verify) return;
  for (int i = 0; i < s->program->noutputs; i++) {
    const DsprtPort *port = &s->program->outputs[i];
    const DsprtTensor *expected =
        dsprt_port_tensor(port, &s->expected_file, &s->errors);
    if (expected) verify_one(s, port, expected);
  }
}

void dsprt_step_output(DsprtSession *s) {
  const char *path = s->options.output;
  if (!path) return;
  if (s->run.rank == 0) dsprt_outputs_create(s->program, path, &s->errors);
  if (!dsprt_agree(&s->run, &s->errors)) {
    dsprt_error(&s->errors, "%s was not written", path);
    return;
  }
  dsprt_outputs_write(&s->host, s->program, path, &s->errors);
  bool written = dsprt_agree(&s->run, &s->errors);
  if (s->run.rank == 0 && written) dsprt_outputs_finish(path, &s->errors);
  if (s->run.rank == 0 && !written) dsprt_outputs_abandon(path);
  if (!written) dsprt_error(&s->errors, "%s was not written", path);
}
