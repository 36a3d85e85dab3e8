// topology.h - machines from JSON files, the shipped ones among them.
#ifndef DSPC_LIB_DRIVER_TOPOLOGY_H
#define DSPC_LIB_DRIVER_TOPOLOGY_H

#include <stdbool.h>

#include "dspc/plan/machine.h"

/// Reads the shipped machine `name` ("h100x8") or else the file of that name.
/// False after an error on standard error that names file, line and field.
bool dsp_topology_read(const char *name, DspMachine *machine);

/// The name of the machine that is taken when none is named.
const char *dsp_topology_default(void);

/// The names of the shipped machines: "h200x4, h100x8, ...".
extern const char dsp_topology_names[];

#endif
