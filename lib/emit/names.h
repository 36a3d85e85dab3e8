// names.h - C identifiers from the user's names, each once per scope.
#ifndef DSPC_LIB_EMIT_NAMES_H
#define DSPC_LIB_EMIT_NAMES_H

#include <mlir-c/Support.h>
#include <stdbool.h>

#include "dspc/support/arena.h"

/// The identifiers of one C scope; a nested scope sees its parent's.
typedef struct DspNames {
  DspArena *arena;
  const struct DspNames *parent; ///< or NULL
  const char **used;
  size_t count, capacity;
} DspNames;

DspNames dsp_names(DspArena *arena, const DspNames *parent);
/// An identifier like `wish` that is neither a word of C nor of the runtime
/// nor used yet; it is used from now on.  Other characters become '_'.
const char *dsp_name(DspNames *names, MlirStringRef wish);
const char *dsp_name_c(DspNames *names, const char *wish);
/// The same for a dim: a constant that every function, on GPUs too, sees, and
/// that has no name of the standard headers or of CUDA either.
const char *dsp_name_dim(DspNames *names, MlirStringRef wish);
bool dsp_name_is_used(const DspNames *names, const char *name);

#endif
