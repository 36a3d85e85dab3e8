// mesh.c - the ranks as a grid of one or two axes.
//
// Needs:  meshes whose product is the number of ranks.
// Leaves: nothing but its results.
#include "mesh.h"

DsprtMesh dsprt_row(int ranks) {
  return (DsprtMesh){{ranks, 1}};
}

DsprtMesh dsprt_mesh_of(const DsprtProgram *program, int ranks) {
  if (!program || program->mesh.sizes[0] * program->mesh.sizes[1] != ranks)
    return dsprt_row(ranks);
  return program->mesh;
}

void dsprt_set_mesh(DsprtRun *run, DsprtMesh mesh) {
  run->mesh = mesh;
  for (int axis = 0; axis < DSPRT_MAX_AXES; axis++)
    run->at[axis] = dsprt_index_on(mesh, run->rank, axis);
}

int dsprt_index_on(DsprtMesh mesh, int rank, int axis) {
  return axis == 0 ? rank / mesh.sizes[1] : rank % mesh.sizes[1];
}

int dsprt_rank_along(DsprtMesh mesh, int rank, int axis, int index) {
  if (axis == 1) return rank - rank % mesh.sizes[1] + index;
  return index * mesh.sizes[1] + rank % mesh.sizes[1];
}

bool dsprt_same_group(DsprtMesh mesh, int a, int b, int axis) {
  return dsprt_index_on(mesh, a, 1 - axis) == dsprt_index_on(mesh, b, 1 - axis);
}

DsprtCuts dsprt_cuts(DsprtCut cut) {
  return (DsprtCuts){{cut, DSPRT_WHOLE}};
}

bool dsprt_same_cut(DsprtCut a, DsprtCut b) {
  if (a.count == 0 || b.count == 0) return a.count == b.count;
  return a.first == b.first && a.count == b.count;
}

DsprtCuts dsprt_without(DsprtCuts cuts, int axis) {
  cuts.axes[axis] = DSPRT_WHOLE;
  return cuts;
}

bool dsprt_can_scatter(DsprtMesh mesh, DsprtCuts to, int axis) {
  return axis == 1 || mesh.sizes[1] == 1 || to.axes[0].count == 0 ||
         !dsprt_same_cut(to.axes[0], to.axes[1]);
}

DsprtRange dsprt_range(int64_t extent, const bool *cut, DsprtMesh mesh,
                       int rank) {
  DsprtRange range = {0, extent};
  for (int axis = 0; axis < DSPRT_MAX_AXES; axis++) {
    if (!cut[axis]) continue;
    int index = dsprt_index_on(mesh, rank, axis), n = mesh.sizes[axis];
    range.begin += dsprt_begin(range.size, index, n);
    range.size = dsprt_part(range.size, index, n);
  }
  return range;
}
