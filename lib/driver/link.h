// link.h - from emitted C to a program.
#ifndef DSPC_LIB_DRIVER_LINK_H
#define DSPC_LIB_DRIVER_LINK_H

#include <stdbool.h>

/// Compiles and links `source` into `program` with the compiler and flags of
/// the runtime.  Prints what went wrong and returns false.
bool dsp_link_program(const char *source, const char *program);

#endif
