// elements.h - sets of elements of a local buffer, as MPI types.
#ifndef DSPRT_CPU_ELEMENTS_H
#define DSPRT_CPU_ELEMENTS_H

#include <mpi.h>
#include <stdbool.h>

#include "overlap.h"

/// A box of a row-major buffer: `count` runs of `length` elements, `stride`
/// apart, the first at `first`.
typedef struct DsprtBox {
  int64_t count, length, stride, first;
} DsprtBox;

/// The type of a box of elements of `bytes` each; MPI_DATATYPE_NULL when it is
/// empty.
MPI_Datatype dsprt_box_type(const DsprtRun *run, DsprtBox box, int64_t bytes);

/// The elements that `holder` holds when `from` is cut and `owner` holds when
/// `to` is, in row-major order, as they lie in the holder's buffer
/// (DSPRT_BEFORE) or in the owner's (DSPRT_AFTER).
MPI_Datatype dsprt_common_type(const DsprtRun *run, const DsprtShape *shape,
                               DsprtCuts from, int holder, DsprtCuts to,
                               int owner, int side);

#endif
