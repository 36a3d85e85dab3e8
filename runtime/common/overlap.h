// overlap.h - the elements that one rank holds before, and one after, a change
// of cuts.
//
// The dims of a value fall into groups: neighbours that the cuts of either side
// share, and neighbours that nobody cuts.  What two ranks have in common is a
// product over the groups; within a group it is a few pieces of its flat
// index space.
#ifndef DSPRT_COMMON_OVERLAP_H
#define DSPRT_COMMON_OVERLAP_H

#include <stdbool.h>

#include "mesh.h"

/// Which of the two buffers: the one before, or the one after.
enum { DSPRT_BEFORE, DSPRT_AFTER, DSPRT_SIDES };

/// `count` runs of `length` neighbours: in the buffer of a side the first run
/// is at index `first` of the group, and the next ones `stride` further on.
typedef struct DsprtPiece {
  int64_t count, length;
  int64_t first[DSPRT_SIDES], stride[DSPRT_SIDES];
} DsprtPiece;

typedef struct DsprtGroup {
  int64_t held[DSPRT_SIDES]; ///< indices of the group in each buffer
  int npieces;
  DsprtPiece *pieces;
} DsprtGroup;

/// At most 4 cuts, and what lies between and around them.
enum { DSPRT_MAX_GROUPS = 2 * DSPRT_SIDES * DSPRT_MAX_AXES + 1 };

typedef struct DsprtOverlap {
  int ngroups; ///< from the slowest dims to the fastest
  DsprtGroup groups[DSPRT_MAX_GROUPS];
} DsprtOverlap;

/// What `holder` holds when `from` is cut and `owner` holds when `to` is.
/// False when there is no memory; free with dsprt_overlap_free all the same.
bool dsprt_overlap(const DsprtShape *shape, DsprtMesh mesh, DsprtCuts from,
                   int holder, DsprtCuts to, int owner, DsprtOverlap *overlap);
void dsprt_overlap_free(DsprtOverlap *overlap);
/// Elements in common.
int64_t dsprt_overlap_elements(const DsprtOverlap *overlap);

/// Does `holder` send to `owner`?  It does when it has the owner's index on
/// every axis on which `from` is whole, so that one rank sends each element.
bool dsprt_sends(DsprtMesh mesh, DsprtCuts from, int holder, int owner);

#endif
