// boxes.c - which elements two ranks have in common, as strided boxes.
//
// Needs:  cuts as common/overlap.h takes them.
// Leaves: boxes in the buffers of the two ranks, with equal sizes.
//
// A box takes one piece of each group of dims.  Most changes of cuts have one
// box a pair of ranks; cuts that share dims may have some more.
#include <string.h>

#include "exchange.h"
#include "shape.h"

enum { MAX_BOX_DIMS = 2 * DSPRT_MAX_GROUPS };

/// A box of any number of dims, in the buffers of both sides.
typedef struct Dims {
  int count;
  int64_t size[MAX_BOX_DIMS], stride[MAX_BOX_DIMS][DSPRT_SIDES];
  int64_t offset[DSPRT_SIDES];
} Dims;

int64_t dsprt_box_elements(const DsprtBox *box) {
  int64_t n = 1;
  for (int i = 0; i < DSPRT_BOX_DIMS; i++) n *= box->size[i];
  return n;
}

/// Adds a dim inside those that are there; joins it to the last one where the
/// two are one dim in both buffers.
static void add_dim(Dims *dims, int64_t size, const int64_t *stride) {
  int last = dims->count - 1;
  if (size == 1) return;
  if (last >= 0 && dims->stride[last][0] == size * stride[0] &&
      dims->stride[last][1] == size * stride[1])
    dims->size[last] *= size;
  else
    dims->size[last = dims->count++] = size;
  memcpy(dims->stride[last], stride, sizeof dims->stride[last]);
}

/// The box of one piece of each group.
static Dims dims_of(const DsprtOverlap *overlap, const int *pieces) {
  Dims dims = {0};
  int64_t scale[DSPRT_SIDES] = {1, 1}; // of an index of the group
  for (int i = 0; i < overlap->ngroups; i++)
    for (int side = 0; side < DSPRT_SIDES; side++)
      scale[side] *= overlap->groups[i].held[side];
  for (int i = 0; i < overlap->ngroups; i++) {
    const DsprtGroup *group = &overlap->groups[i];
    const DsprtPiece *piece = &group->pieces[pieces[i]];
    int64_t stride[DSPRT_SIDES];
    for (int side = 0; side < DSPRT_SIDES; side++) {
      scale[side] /= group->held[side];
      dims.offset[side] += piece->first[side] * scale[side];
      stride[side] = piece->stride[side] * scale[side];
    }
    add_dim(&dims, piece->count, stride);
    add_dim(&dims, piece->length, scale);
  }
  return dims;
}

/// The next piece of each group; false after the last ones.
static bool next_pieces(const DsprtOverlap *overlap, int *pieces) {
  for (int i = overlap->ngroups; i-- > 0; pieces[i] = 0)
    if (++pieces[i] < overlap->groups[i].npieces) return true;
  return false;
}

/// How many of the outermost dims a box leaves to numbers.
static int surplus(const Dims *dims) {
  int more = dims->count - DSPRT_BOX_DIMS;
  return more > 0 ? more : 0;
}

static int64_t boxes_of(const Dims *dims) {
  int64_t n = 1;
  for (int i = 0; i < surplus(dims); i++) n *= dims->size[i];
  return n;
}

static DsprtBox box_of(const Dims *dims, int64_t k, int side) {
  int first = surplus(dims), lacking = DSPRT_BOX_DIMS - dims->count + first;
  DsprtBox box = {.offset = dims->offset[side]};
  for (int i = first; i-- > 0; k /= dims->size[i])
    box.offset += k % dims->size[i] * dims->stride[i][side];
  for (int i = 0; i < DSPRT_BOX_DIMS; i++) {
    int dim = first + i - lacking;
    box.size[i] = i < lacking ? 1 : dims->size[dim];
    box.stride[i] = i < lacking ? 0 : dims->stride[dim][side];
  }
  return box;
}

bool dsprt_box_at(const DsprtOverlap *overlap, int64_t k,
                  DsprtBox sides[DSPRT_SIDES]) {
  int pieces[DSPRT_MAX_GROUPS] = {0};
  for (int i = 0; i < overlap->ngroups; i++)
    if (overlap->groups[i].npieces == 0) return false;
  do {
    Dims dims = dims_of(overlap, pieces);
    int64_t n = boxes_of(&dims);
    for (int side = 0; side < DSPRT_SIDES && k < n; side++)
      sides[side] = box_of(&dims, k, side);
    if (k < n) return true;
    k -= n;
  } while (next_pieces(overlap, pieces));
  return false;
}

/// Does the move give something of `holder` to `owner`?
static bool concerns(const DsprtMove *move, DsprtMesh mesh, int holder,
                     int owner) {
  if (move->kind == DSPRT_MOVE)
    return dsprt_sends(mesh, move->from, holder, owner);
  return dsprt_same_group(mesh, holder, owner, move->axis);
}

static bool overlap_of(const DsprtMove *move, DsprtMesh mesh, int holder,
                       int owner, DsprtOverlap *overlap) {
  *overlap = (DsprtOverlap){.ngroups = 0};
  return dsprt_overlap(&move->shape, mesh, move->from, holder, move->to, owner,
                       overlap);
}

/// Number of boxes of a pair of ranks; -1: no memory.
static int64_t count_boxes(const DsprtMove *move, DsprtMesh mesh, int holder,
                           int owner) {
  DsprtOverlap overlap;
  DsprtBox sides[DSPRT_SIDES];
  int64_t n = -1;
  if (!concerns(move, mesh, holder, owner)) return 0;
  if (overlap_of(move, mesh, holder, owner, &overlap))
    for (n = 0; dsprt_box_at(&overlap, n, sides);) n++;
  dsprt_overlap_free(&overlap);
  return n;
}

int64_t dsprt_rounds(const DsprtMove *move, DsprtMesh mesh) {
  int64_t most = 0;
  int ranks = mesh.sizes[0] * mesh.sizes[1];
  for (int holder = 0; holder < ranks; holder++)
    for (int owner = 0; owner < ranks; owner++) {
      int64_t n = count_boxes(move, mesh, holder, owner);
      if (n < 0) return n;
      if (n > most) most = n;
    }
  return most;
}

/// Where the slot of `holder` begins in the buffer of `owner`.
static int64_t slot_of(const DsprtMove *move, DsprtMesh mesh, int holder,
                       int owner) {
  if (move->kind != DSPRT_SPREAD) return 0;
  DsprtRuns part = dsprt_mesh_runs(&move->shape, move->to, mesh, owner);
  return dsprt_index_on(mesh, holder, move->axis) * part.count * part.length;
}

/// Box `round` of what `holder` gives to `owner`; empty when there is none.
static bool find_boxes(const DsprtMove *move, DsprtMesh mesh, int holder,
                       int owner, int64_t round, DsprtBox sides[DSPRT_SIDES]) {
  DsprtOverlap overlap;
  memset(sides, 0, DSPRT_SIDES * sizeof *sides);
  if (!concerns(move, mesh, holder, owner)) return true;
  bool ok = overlap_of(move, mesh, holder, owner, &overlap);
  if (ok && dsprt_box_at(&overlap, round, sides))
    sides[DSPRT_AFTER].offset += slot_of(move, mesh, holder, owner);
  dsprt_overlap_free(&overlap);
  return ok;
}

bool dsprt_message(const DsprtMove *move, DsprtMesh mesh, int rank, int peer,
                   int64_t round, DsprtMessage *message) {
  DsprtBox out[DSPRT_SIDES], in[DSPRT_SIDES];
  bool ok = find_boxes(move, mesh, rank, peer, round, out) &&
            find_boxes(move, mesh, peer, rank, round, in);
  message->send = out[DSPRT_BEFORE];
  message->there = out[DSPRT_AFTER];
  message->receive = in[DSPRT_AFTER];
  return ok;
}
