// weights.h - from the table of parameters to a struct of pointers.
#ifndef DSPRT_COMMON_WEIGHTS_H
#define DSPRT_COMMON_WEIGHTS_H

#include <stdbool.h>

#include "dsprt_program.h"
#include "errors.h"
#include "safetensors.h"
#include "shape.h"

/// The part of a parameter that a rank holds: all of it, or its cut.
DsprtRuns dsprt_param_runs(const DsprtParam *param, DsprtMesh mesh, int rank);
/// Bytes of that part.
int64_t dsprt_param_bytes(const DsprtParam *param, DsprtMesh mesh, int rank);

typedef struct DsprtWeights {
  int rank;
  DsprtMesh mesh;
  void *pointers;        ///< [weights_bytes] the program's struct
  unsigned char *buffer; ///< tensors that could not be used in the map
  int64_t buffer_bytes, mapped_bytes;
} DsprtWeights;

/// Points into `file`, which must stay open, where type and alignment fit and
/// the part of `rank` lies in one piece; copies and converts the others.  On
/// false every missing, misshaped and (unless allow_extra) extra tensor is in
/// `errors`, and nothing is held.
bool dsprt_weights_load(DsprtWeights *weights, const DsprtProgram *program,
                        int rank, int ranks, const DsprtTensors *file,
                        bool allow_extra, DsprtErrors *errors);

/// Random weights: matrices with variance 1 / (elements of a row), vectors
/// small, and near 1 when their name ends in "weight".
bool dsprt_weights_random(DsprtWeights *weights, const DsprtProgram *program,
                          int rank, int ranks, uint64_t seed,
                          DsprtErrors *errors);

void dsprt_weights_free(DsprtWeights *weights);

#endif
