// link.h - from emitted C to a program.
#ifndef DSPC_LIB_DRIVER_LINK_H
#define DSPC_LIB_DRIVER_LINK_H

#include <stdbool.h>
#include <stddef.h>

/// Compiles `source` and links it with the runtime for CPUs.  Errors are
/// printed.
bool dsp_link_program(const char *source, const char *program);

/// Finds a file or folder of the runtime.
bool dsp_find_runtime(const char *name, char *path, size_t size);
/// Runs a command and waits; says when it failed.
bool dsp_run_command(char **words);

#endif
