// failing.c - a program whose rank 1 fails in its second stage, whose plan is
// wrong, or that uses memory that is not its own.
//
// Needs:  FAIL_STAGE, FAIL_BYTES, FAIL_MEMORY, FAIL_BOUNDS or nothing.
// Leaves: an executable that must not succeed.
#include "dsprt.h"

static const DsprtShape shape = {DSPRT_F32, 2, {4, 4}};

static void forward(DsprtRun *run) {
  float *x = (float *)(void *)run->arena, *y = x + 16;
  dsprt_stage(run, 0, "good");
  dsprt_all_to_all(run, x, y, &shape, (DsprtCut){0, 1}, (DsprtCut){1, 1});
  dsprt_stage(run, 1, "bad");
#ifdef FAIL_STAGE
  if (run->rank == 1)
    dsprt_linear_f32(run, &(DsprtLinear){.rows = INT64_MAX, .in = 1, .out = 1},
                     x, x, NULL, y);
  dsprt_all_to_all(run, y, x, &shape, (DsprtCut){1, 1}, (DsprtCut){0, 1});
#endif
#ifdef FAIL_BOUNDS
  if (run->rank == 1) ((volatile float *)x)[32] = 1; // the arena has 32
#endif
#ifdef FAIL_MEMORY
  y[0] += x[16 + 8]; // the part has 8 elements
#endif
}

int main(int argc, char **argv) {
  static const DsprtPort ports[] = {
      {.name = "x",
       .shape = {DSPRT_F32, 2, {4, 4}},
       .cut = {0, 1},
       .file = {DSPRT_F32, 2, {4, 4}}},
      {.name = "y",
       .shape = {DSPRT_F32, 2, {4, 4}},
       .cut = {1, 1},
       .offset = 64,
       .file = {DSPRT_F32, 2, {4, 4}}},
  };
#ifdef FAIL_BYTES
  static const int64_t predicted[] = {16, 17};
#else
  static const int64_t predicted[] = {16, 16};
#endif
  static const DsprtProgram program = {
      .model = "failing",
      .source = "failing.c",
      .ranks = 2,
      .inputs = &ports[0],
      .ninputs = 1,
      .outputs = &ports[1],
      .noutputs = 1,
      .arena_bytes = 128,
      .predicted_bytes = predicted,
      .forward = forward,
  };
  return dsprt_main(argc, argv, &program);
}
