// models.h - graphs of known models, as the compiler would describe them.
#ifndef DSPC_TEST_PLAN_MODELS_H
#define DSPC_TEST_PLAN_MODELS_H

#include "dspc/plan/rules.h"

/// Sizes of a model of spatial and temporal blocks in turn.
typedef struct ModelSizes {
  int64_t B, T, S, H, D;
  int64_t L; ///< text tokens of `model_stdit`
  uint32_t pairs;
} ModelSizes;

/// The ids of the dims that the tests ask about.
enum { MODEL_B, MODEL_T, MODEL_S, MODEL_H, MODEL_D, MODEL_L };

/// Attention and MLP over S, then over T; bf16.
DspPlanGraph model_transformer2d(DspArena *arena, ModelSizes sizes);

/// The same in the style of Open-Sora 1.2: adaLN with a table, norms of Q and
/// K, cross attention to the text, gates.
DspPlanGraph model_stdit(DspArena *arena, ModelSizes sizes);

/// `count` values that are all read by one op at the end, and much else
/// besides: too wide to be searched with small limits.
DspPlanGraph model_wide(DspArena *arena, ModelSizes sizes, uint32_t count);

#endif
