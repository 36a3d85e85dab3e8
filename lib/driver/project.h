// project.h - a folder that builds without dspc.
#ifndef DSPC_LIB_DRIVER_PROJECT_H
#define DSPC_LIB_DRIVER_PROJECT_H

#include "dspc/emit/emit.h"

/// Writes the emitted code, the sources of the runtime that it needs and a
/// CMakeLists.txt into `folder`, which may exist.  Errors are printed.
bool dsp_write_project(const char *folder, const char *model, DspTarget target,
                       const DspEmitted *emitted);

/// Writes the project "PROGRAM.project", builds it, and puts the program where
/// it was asked for.
bool dsp_build_project(const char *program, const char *model,
                       DspTarget target, const DspEmitted *emitted);

#endif
