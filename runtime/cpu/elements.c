// elements.c - sets of elements of a local buffer, as MPI types.
//
// Needs:  cuts as common/overlap.h takes them.
// Leaves: committed types that begin at the buffer's first byte.
//
// What two ranks have in common is a product over groups of dims: the type is
// built from the innermost group to the outermost, each repeating the one
// before at the places of its pieces.
#include "elements.h"

#include <limits.h>
#include <stdlib.h>

#include "overlap.h"
#include "state.h"

static int small(const DsprtRun *run, int64_t n) {
  if (n > INT_MAX)
    dsprt_fail(run, "a buffer of %lld runs is too large for MPI", (long long)n);
  return (int)n;
}

/// `n` times `once`, of `extent` bytes, also when there are more than an int
/// counts.  Takes `once`.
static MPI_Datatype repeat(const DsprtRun *run, int64_t n, MPI_Datatype once,
                           int64_t extent) {
  MPI_Datatype chunk, all;
  const int64_t size = 1 << 20;
  if (n <= INT_MAX) {
    MPI_Type_contiguous((int)n, once, &all);
  } else {
    MPI_Datatype parts[2];
    MPI_Type_contiguous((int)size, once, &chunk);
    MPI_Type_contiguous(small(run, n / size), chunk, &parts[0]);
    MPI_Type_contiguous((int)(n % size), once, &parts[1]);
    MPI_Type_create_struct(
        2, (int[]){1, 1}, (MPI_Aint[]){0, (MPI_Aint)(n / size * size * extent)},
        parts, &all);
    MPI_Type_free(&chunk);
    MPI_Type_free(&parts[0]);
    MPI_Type_free(&parts[1]);
  }
  MPI_Type_free(&once);
  return all;
}

static MPI_Datatype element_type(const DsprtRun *run, int64_t bytes) {
  MPI_Datatype element;
  MPI_Type_contiguous(small(run, bytes), MPI_BYTE, &element);
  return element;
}

MPI_Datatype dsprt_box_type(const DsprtRun *run, DsprtBox box, int64_t bytes) {
  MPI_Datatype block, vector, moved;
  if (box.count == 0 || box.length == 0) return MPI_DATATYPE_NULL;
  block = repeat(run, box.length, element_type(run, bytes), bytes);
  MPI_Type_create_hvector(small(run, box.count), 1,
                          (MPI_Aint)(box.stride * bytes), block, &vector);
  MPI_Type_create_hindexed(1, (int[]){1},
                           (MPI_Aint[]){(MPI_Aint)(box.first * bytes)}, vector,
                           &moved);
  MPI_Type_commit(&moved);
  MPI_Type_free(&block);
  MPI_Type_free(&vector);
  return moved;
}

/// One piece of a group, whose elements are of type `inner`.
static MPI_Datatype piece_type(const DsprtRun *run, const DsprtPiece *piece,
                               int side, MPI_Datatype inner, int64_t extent) {
  MPI_Datatype copy, runs, all;
  MPI_Type_dup(inner, &copy);
  runs = repeat(run, piece->length, copy, extent);
  if (piece->count == 1) return runs;
  MPI_Type_create_hvector(small(run, piece->count), 1,
                          (MPI_Aint)(piece->stride[side] * extent), runs, &all);
  MPI_Type_free(&runs);
  return all;
}

/// The pieces at their places, with the extent of all that the buffer holds of
/// the group.
static MPI_Datatype pieces_type(const DsprtRun *run, const DsprtGroup *group,
                                int side, MPI_Datatype inner, int64_t extent) {
  size_t n = (size_t)group->npieces;
  MPI_Datatype *types = calloc(n, sizeof *types), joined, sized;
  MPI_Aint *places = calloc(n, sizeof *places);
  int *ones = calloc(n, sizeof *ones);
  if (!types || !places || !ones)
    dsprt_fail(run, "out of memory for the types of a collective");
  for (size_t i = 0; i < n; i++) {
    types[i] = piece_type(run, &group->pieces[i], side, inner, extent);
    places[i] = (MPI_Aint)(group->pieces[i].first[side] * extent);
    ones[i] = 1;
  }
  MPI_Type_create_struct(group->npieces, ones, places, types, &joined);
  MPI_Type_create_resized(joined, 0, (MPI_Aint)(group->held[side] * extent),
                          &sized);
  for (size_t i = 0; i < n; i++) MPI_Type_free(&types[i]);
  MPI_Type_free(&joined);
  free(types);
  free(places);
  free(ones);
  return sized;
}

/// Does the group hold nothing but what is in common?
static bool is_all(const DsprtGroup *group, int side) {
  return group->npieces == 1 && group->pieces[0].count == 1 &&
         group->pieces[0].length == group->held[side];
}

static MPI_Datatype overlap_type(const DsprtRun *run, const DsprtOverlap *o,
                                 int side, int64_t bytes) {
  MPI_Datatype type = element_type(run, bytes);
  for (int i = o->ngroups; i-- > 0;) {
    const DsprtGroup *group = &o->groups[i];
    MPI_Datatype inner = type;
    if (is_all(group, side)) {
      type = repeat(run, group->held[side], inner, bytes);
    } else {
      type = pieces_type(run, group, side, inner, bytes);
      MPI_Type_free(&inner);
    }
    bytes *= group->held[side];
  }
  MPI_Type_commit(&type);
  return type;
}

MPI_Datatype dsprt_common_type(const DsprtRun *run, const DsprtShape *shape,
                               DsprtCuts from, int holder, DsprtCuts to,
                               int owner, int side) {
  DsprtOverlap overlap;
  MPI_Datatype type = MPI_DATATYPE_NULL;
  if (!dsprt_overlap(shape, run->mesh, from, holder, to, owner, &overlap))
    dsprt_fail(run, "out of memory for the types of a collective");
  if (dsprt_overlap_elements(&overlap) > 0)
    type = overlap_type(run, &overlap, side, dsprt_type_bytes(shape->type));
  dsprt_overlap_free(&overlap);
  return type;
}
