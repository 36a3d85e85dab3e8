// shape.h - shapes as text and numbers, and the part of one rank as runs.
#ifndef DSPRT_COMMON_SHAPE_H
#define DSPRT_COMMON_SHAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "mesh.h"

int64_t dsprt_elements(const DsprtShape *shape);

/// The part of a rank: `count` runs of `length` elements, in its own memory one
/// after the other.  In the whole value the runs of a block of `block` ones are
/// `stride` apart, the first of the first one at `first`, and the first ones of
/// two blocks `jump`.
typedef struct DsprtRuns {
  int64_t count, length, first, stride;
  int64_t block, jump;
} DsprtRuns;

/// What `rank` holds of a value on a mesh.
DsprtRuns dsprt_mesh_runs(const DsprtShape *shape, DsprtCuts cuts,
                          DsprtMesh mesh, int rank);
/// The same on one axis: all runs are one block.
DsprtRuns dsprt_runs(const DsprtShape *shape, DsprtCut cut, int rank,
                     int ranks);
/// Where run `i` begins in the whole value.
int64_t dsprt_run_begin(const DsprtRuns *runs, int64_t i);

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
