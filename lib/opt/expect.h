// expect.h - expected-error comments and the diagnostics that they expect.
#ifndef DSPC_LIB_OPT_EXPECT_H
#define DSPC_LIB_OPT_EXPECT_H

#include <stdbool.h>
#include <stdio.h>

#include "dspc/dialect/diagnostics.h"

/// Compares the messages of `sink` with the comments of `text`, a whole file
/// or one piece of it.  `first_line` is the number of its first line in the
/// file.  Writes what does not match to `err`; true when all do.
bool dsp_expect_check(const char *file, const char *text, int first_line,
                      const DspMlirSink *sink, FILE *err);

#endif
