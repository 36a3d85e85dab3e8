// pass_list.h - the entry of every pass; inside lib/passes only.
#ifndef DSPC_LIB_PASSES_PASS_LIST_H
#define DSPC_LIB_PASSES_PASS_LIST_H

#include "dspc/passes/passes.h"

#define DSP_PASS(function, name, summary)                                      \
  bool dsp_pass_##function(MlirModule module, const DspPassOptions *options);
#include "passes.def"
#undef DSP_PASS

#endif
