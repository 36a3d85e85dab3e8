// ranges.c - where a pass is: ranges of NVTX, and the stage of the GPU.
//
// Needs:  state->reached; without a tool that listens a range costs
//         nanoseconds.
// Leaves: ranges that are closed in the order in which they were opened.
#include <nvtx3/nvToolsExt.h>

#include "reached.h"
#include "state.h"

/// Is a stage open in the range at work?
static bool in_stage;

static void end_stage(void) {
  if (in_stage) nvtxRangePop();
  in_stage = false;
}

/// Notes on the stream that a stage begins there.
static void reach_stage(DsprtRun *run) {
  DsprtState *state = run->state;
  if (run->stage > state->program->nstages) return;
  state->names[run->stage] = run->stage_name;
  int error = dsprt_launch_reach(state->stream, state->reached, run->stage);
  dsprt_check_cuda(run, (cudaError_t)error, "a stage");
}

void dsprt_set_reached(DsprtRun *run) {
  const DsprtState *state = run->state;
  if (!state->reached) return;
  run->stage = ((volatile int32_t *)state->reached)[0];
  if (run->stage >= 0) run->stage_name = state->names[run->stage];
}

void dsprt_range_stage(DsprtRun *run) {
  end_stage();
  nvtxRangePushA(run->stage_name);
  in_stage = true;
  reach_stage(run);
}

void dsprt_range_begin(const char *name) {
  end_stage();
  nvtxRangePushA(name);
}

void dsprt_range_end(void) {
  end_stage();
  nvtxRangePop();
}
