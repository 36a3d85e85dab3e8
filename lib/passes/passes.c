// passes.c - the table of passes.
#include "dspc/passes/passes.h"

#include <string.h>

#include "pass_list.h"

static const DspPass pipeline[] = {
#define DSP_PASS(function, name, summary)                                      \
  {name, summary, dsp_pass_##function},
#include "passes.def"
#undef DSP_PASS
};

const DspPass *dsp_pass_pipeline(size_t *count) {
  *count = sizeof pipeline / sizeof pipeline[0];
  return pipeline;
}

const DspPass *dsp_pass_find(const char *name, size_t length) {
  size_t count;
  const DspPass *passes = dsp_pass_pipeline(&count);
  for (size_t i = 0; i < count; i++)
    if (strlen(passes[i].name) == length &&
        memcmp(passes[i].name, name, length) == 0)
      return &passes[i];
  return NULL;
}
