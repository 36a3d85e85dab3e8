// m.c - emitted by dspc from test/errors/E0505_compare.dsp for 2 ranks.
// The numbers in comments are lines of that file.
#include "dsprt.h"

enum {
  B = 2,
  C = 8,
};

typedef struct {
  const void *none;
} Weights;

static void forward(DsprtRun *run) {
  float *x = (void *)(run->arena + 0); // [B, C]
}

static const DsprtParam params[] = {
  {.path = NULL},
};

static const DsprtPort inputs[] = {
  {.name = "x", .shape = {DSPRT_F32, 2, {B, C}}, .cut = {0, 0}, .offset = 0,
      .file = {DSPRT_F32, 2, {2, 8}}},
};

static const DsprtPort outputs[] = {
  {.name = "x", .shape = {DSPRT_F32, 2, {B, C}}, .cut = {0, 0}, .offset = 0,
      .file = {DSPRT_F32, 2, {2, 8}}},
};

static const int64_t predicted[] = {0, 0};


int main(int argc, char **argv) {
  static const DsprtProgram program = {
      .model = "m",
      .source = "test/errors/E0505_compare.dsp",
      .ranks = 2,
      .params = params,
      .nparams = 0,
      .weights_bytes = sizeof(Weights),
      .inputs = inputs,
      .ninputs = 1,
      .outputs = outputs,
      .noutputs = 1,
      .nstages = 2,
      .arena_bytes = 256,
      .predicted_bytes = predicted,
      .forward = forward,
  };
  return dsprt_main(argc, argv, &program);
}
