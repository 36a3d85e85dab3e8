// mesh.h - the ranks as a grid of one or two axes.
#ifndef DSPRT_COMMON_MESH_H
#define DSPRT_COMMON_MESH_H

#include <stdbool.h>

#include "dsprt_program.h"

/// `ranks` in a row.
DsprtMesh dsprt_row(int ranks);
/// The mesh of a program (NULL: none) that runs on `ranks`.
DsprtMesh dsprt_mesh_of(const DsprtProgram *program, int ranks);
/// Sets the mesh of the run, and where its rank is.
void dsprt_set_mesh(DsprtRun *run, DsprtMesh mesh);

/// The index of a rank on an axis.
int dsprt_index_on(DsprtMesh mesh, int rank, int axis);
/// The rank with another index on `axis` and the other index of `rank`.
int dsprt_rank_along(DsprtMesh mesh, int rank, int axis, int index);
/// Do two ranks differ on no axis but, perhaps, `axis`?
bool dsprt_same_group(DsprtMesh mesh, int a, int b, int axis);

/// A cut on axis 0, and nothing on axis 1.
DsprtCuts dsprt_cuts(DsprtCut cut);
bool dsprt_same_cut(DsprtCut a, DsprtCut b);
/// The cuts without the one of `axis`.
DsprtCuts dsprt_without(DsprtCuts cuts, int axis);

/// May a reduce-scatter along `axis` leave these cuts?  Not where axis 0 would
/// cut what axis 1 has cut already: its parts are not those of the whole.
bool dsprt_can_scatter(DsprtMesh mesh, DsprtCuts to, int axis);

/// The indices that a rank holds of some extent.
typedef struct DsprtRange {
  int64_t begin, size;
} DsprtRange;

/// What `rank` holds of `extent` when the axes with `cut[axis]` cut it, one
/// after the other.
DsprtRange dsprt_range(int64_t extent, const bool *cut, DsprtMesh mesh,
                       int rank);

#endif
