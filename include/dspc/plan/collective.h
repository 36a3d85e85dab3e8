// collective.h - how many bytes a change of layout moves, rank by rank.
//
// Ranks form a mesh of one or two axes, outermost first: rank = c0 * n1 + c1.
// On an axis of N ranks, a dim of n elements is cut so that coordinate c holds
// n / N of them, and one more if c < n % N: nothing is padded, and a rank may
// hold nothing.  Several adjacent dims are cut together in their flat index
// space.  Each axis cuts what the axes before it leave, so that a dim that both
// axes cut is cut into n0 parts, and each of these into n1.
#ifndef DSPC_PLAN_COLLECTIVE_H
#define DSPC_PLAN_COLLECTIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dspc/support/arena.h"

enum {
  DSP_PLAN_NO_DIM = UINT32_MAX,
  DSP_PLAN_AXES = 2, ///< most axes of a mesh
  DSP_PLAN_AXIS_NAME = 16, ///< bytes of an axis' name, its zero included
  DSP_PLAN_MOST_RANKS = 4096,
};

/// The ranks.  With one axis the second one has size 1, and nothing is cut
/// along an axis of size 1.
typedef struct DspPlanMesh {
  uint32_t naxes;               ///< 1 or 2
  int64_t sizes[DSP_PLAN_AXES]; ///< each at least 1
  char names[DSP_PLAN_AXES][DSP_PLAN_AXIS_NAME]; ///< "nodes", "gpus"
  bool nodes;                   ///< axis 0 lies between nodes
} DspPlanMesh;

/// A mesh of one axis, "ranks".
DspPlanMesh dsp_plan_mesh(int64_t ranks);

/// Reads "4", "2x4", "nodes:2,gpus:4"; an axis 0 called "nodes" lies between
/// nodes.  False, and `*mesh` is not to be used, when the text is no mesh of
/// one or two axes with at most DSP_PLAN_MOST_RANKS ranks and names that
/// differ.
bool dsp_plan_mesh_read(const char *text, DspPlanMesh *mesh);

/// Writes what dsp_plan_mesh_read reads: "4" or "nodes:2,gpus:4".
void dsp_plan_mesh_write(const DspPlanMesh *mesh, char *text, size_t size);

/// The number of ranks.
int64_t dsp_plan_ranks(const DspPlanMesh *mesh);

typedef enum DspLayoutKind {
  DSP_LAYOUT_WHOLE,   ///< R: every coordinate holds all of it
  DSP_LAYOUT_CUT,     ///< S(d): every coordinate holds a part
  DSP_LAYOUT_PARTIAL, ///< P: every coordinate holds a partial sum of all of it
} DspLayoutKind;

/// What one mesh axis does to a value.
typedef struct DspPlanCut {
  DspLayoutKind kind;
  uint32_t dim;   ///< the model dim that is cut, or DSP_PLAN_NO_DIM
  uint16_t first; ///< CUT: positions first .. first + count - 1 of the value
  uint16_t count;
} DspPlanCut;

/// The layout of one value.  Two cuts have the same positions or none in
/// common.
typedef struct DspPlanLayout {
  DspPlanCut axes[DSP_PLAN_AXES];
} DspPlanLayout;

typedef enum DspCollective {
  DSP_COLLECTIVE_NONE,           ///< the same layout
  DSP_COLLECTIVE_SPLIT,          ///< R -> S(d), a local slice
  DSP_COLLECTIVE_ALL_TO_ALL,     ///< S(d) -> S(e), the dynamic switch
  DSP_COLLECTIVE_ALL_GATHER,     ///< S(d) -> R
  DSP_COLLECTIVE_REDUCE_SCATTER, ///< P -> S(d)
  DSP_COLLECTIVE_ALL_REDUCE,     ///< P -> R
  DSP_COLLECTIVE_IMPOSSIBLE,     ///< R -> P, S(d) -> P, and more than one step
} DspCollective;

/// The elements of `size` that rank `rank` of `ranks` holds, and the first.
int64_t dsp_plan_part(int64_t size, int64_t rank, int64_t ranks);
int64_t dsp_plan_part_begin(int64_t size, int64_t rank, int64_t ranks);

/// A value as far as bytes are concerned.
typedef struct DspPlanShape {
  size_t ndims;
  const int64_t *sizes; ///< [ndims], each at least 1
  int64_t element_bytes;
} DspPlanShape;

/// The one collective that turns `from` into `to`.  Without sums, any change
/// of any axes is one; a sum is taken on one axis at a time, while the other
/// axis stays as it is.  On two axes: a split where no rank receives anything,
/// an all-gather where axes only become whole, else an all-to-all.
DspCollective dsp_plan_collective(DspPlanLayout from, DspPlanLayout to);

/// Bytes that leave all ranks together when a value goes from one layout to
/// another by that collective, exact for uneven parts and for cuts that share
/// positions; DSP_PLAN_NEVER when it is impossible.  `per_rank` [ranks]
/// receives what leaves each rank, and `far` [ranks] how much of that goes to
/// another coordinate on axis 0; both may be NULL.
///
///   all-to-all      a rank receives what it needs and does not hold, each
///   all-gather      element once: from the holder that has its coordinate on
///                   every axis on which `from` is whole
///   reduce-scatter  all of the value, as far as the other axis leaves it, but
///                   the part that the rank keeps
///   all-reduce      a reduce-scatter and an all-gather of the flat elements
int64_t dsp_plan_collective_bytes(const DspPlanShape *shape,
                                  const DspPlanMesh *mesh, DspPlanLayout from,
                                  DspPlanLayout to, int64_t *per_rank,
                                  int64_t *far);

/// The elements of a value in `layout` that `rank` holds.
int64_t dsp_plan_held(const DspPlanShape *shape, const DspPlanMesh *mesh,
                      DspPlanLayout layout, int64_t rank);

/// Bytes that leave the ranks in a ring along `axis` for one value that
/// travels: each rank passes on every part but that of the next one.  Adds to
/// `per_rank` and `far` [ranks]; returns the sum.
int64_t dsp_plan_ring_bytes(const DspPlanShape *shape, const DspPlanMesh *mesh,
                            DspPlanLayout layout, uint32_t axis,
                            int64_t *per_rank, int64_t *far);

/// True when both are whole, both sums, or both cut at the same positions.
bool dsp_plan_cut_same(DspPlanCut a, DspPlanCut b);

/// True when two cuts have a position in common.
bool dsp_plan_cut_overlaps(DspPlanCut a, DspPlanCut b);

/// The name of a collective in words: "all-to-all".
const char *dsp_plan_collective_name(DspCollective collective);

#endif
