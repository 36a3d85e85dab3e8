// shape.h - shapes as text and numbers, and the part of one rank as runs.
#ifndef DSPRT_COMMON_SHAPE_H
#define DSPRT_COMMON_SHAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "dsprt_types.h"

int64_t dsprt_elements(const DsprtShape *shape);

/// The part of a rank: `count` runs of `length` elements; run i begins at
/// element first + i * stride of the whole value.  In the rank's own memory
/// the runs follow each other.
typedef struct DsprtRuns {
  int64_t count, length, first, stride;
} DsprtRuns;

DsprtRuns dsprt_runs(const DsprtShape *shape, DsprtCut cut, int rank,
                     int ranks);

/// Are the dims of `file` those of `shape`, with neighbours merged or split at
/// the same places?  Dims of 1 do not matter.
bool dsprt_same_layout(const DsprtShape *file, const DsprtShape *shape);
bool dsprt_same_dims(const DsprtShape *a, const DsprtShape *b);

enum { DSPRT_SHAPE_TEXT = 400 };
/// Writes "[2, 5, 64]" into text [DSPRT_SHAPE_TEXT] and returns it.
const char *dsprt_shape_text(const DsprtShape *shape, char *text);

/// "F32", as safetensors files spell it.
const char *dsprt_type_name(DsprtType type);

#endif
