// ranges.c - passes and stages as ranges of NVTX.
//
// Needs:  nothing; without a tool that listens a range costs nanoseconds.
// Leaves: ranges that are closed in the order in which they were opened.
#include <nvtx3/nvToolsExt.h>

#include "state.h"

/// Is a stage open in the range at work?
static bool in_stage;

static void end_stage(void) {
  if (in_stage) nvtxRangePop();
  in_stage = false;
}

void dsprt_range_stage(DsprtRun *run) {
  end_stage();
  nvtxRangePushA(run->stage_name);
  in_stage = true;
}

void dsprt_range_begin(const char *name) {
  end_stage();
  nvtxRangePushA(name);
}

void dsprt_range_end(void) {
  end_stage();
  nvtxRangePop();
}
