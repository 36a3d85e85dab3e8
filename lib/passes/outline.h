// outline.h - which ops stay between the stage functions.
#ifndef DSPC_LIB_PASSES_OUTLINE_H
#define DSPC_LIB_PASSES_OUTLINE_H

#include "ir.h"

/// True for ops that outline-stages leaves in the model function: inputs,
/// outputs, parameters that several stages read, and collectives on a value
/// that another stage made.
bool dsp_between_stages(MlirOperation op);

#endif
