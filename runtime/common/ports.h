// ports.h - a rank's part of inputs and outputs, from and to files.
#ifndef DSPRT_COMMON_PORTS_H
#define DSPRT_COMMON_PORTS_H

#include <stdbool.h>

#include "dsprt_program.h"
#include "errors.h"
#include "safetensors.h"
#include "shape.h"

/// This rank's part of `port` in the arena of `run`.
void *dsprt_port_data(const DsprtRun *run, const DsprtPort *port);

/// The part of a port that a rank holds.
DsprtRuns dsprt_port_runs(const DsprtRun *run, const DsprtPort *port);

/// The tensor of a port, checked: there, of the same layout, convertible.
/// NULL and an error otherwise.
const DsprtTensor *dsprt_port_tensor(const DsprtPort *port,
                                     const DsprtTensors *file,
                                     DsprtErrors *errors);

/// Every input must be a tensor of the file, and (unless allow_extra) every
/// tensor an input.
bool dsprt_inputs_check(const DsprtProgram *program, const DsprtTensors *file,
                        bool allow_extra, DsprtErrors *errors);
/// Reads this rank's part of every input.
void dsprt_inputs_read(const DsprtRun *run, const DsprtProgram *program,
                       const DsprtTensors *file);
/// Random inputs; integers are 0.
void dsprt_inputs_random(const DsprtRun *run, const DsprtProgram *program,
                         uint64_t seed);

/// Outputs go to "FILE.part" and become FILE when all is written.  Rank 0
/// creates, then every rank writes its part, then rank 0 finishes; somebody
/// else sees to it that they wait for each other.
bool dsprt_outputs_create(const DsprtProgram *program, const char *path,
                          DsprtErrors *errors);
bool dsprt_outputs_write(const DsprtRun *run, const DsprtProgram *program,
                         const char *path, DsprtErrors *errors);
bool dsprt_outputs_finish(const char *path, DsprtErrors *errors);
/// Removes what was begun.
void dsprt_outputs_abandon(const char *path);

#endif
