// sizes.h - what -D sets: one NAME=VALUE, or those of a file of sizes.
#ifndef DSPC_LIB_DRIVER_SIZES_H
#define DSPC_LIB_DRIVER_SIZES_H

#include "dspc/support/arena.h"
#include "options.h"

/// Adds what stands behind -D: NAME=VALUE; or @FILE, words of that form, with
/// comments from // to the end of a line.  NAME=VALUE of the command line takes
/// the place of a NAME from a file.  Returns NULL, or what is wrong.  `arg`
/// must outlive the options; texts of a file are in `arena`.
const char *dsp_define(DspArena *arena, DspOptions *options, const char *arg);

#endif
