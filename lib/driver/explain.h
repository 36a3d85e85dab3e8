// explain.h - what an error like E0301 means, at length.
#ifndef DSPC_LIB_DRIVER_EXPLAIN_H
#define DSPC_LIB_DRIVER_EXPLAIN_H

#include <stdbool.h>

/// Prints the page of docs/errors; false, and a message, for an unknown ID.
bool dsp_explain(const char *name);

#endif
