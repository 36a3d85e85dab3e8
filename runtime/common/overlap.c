// overlap.c - the elements that one rank holds before, and one after, a change
// of cuts.
//
// Needs:  cuts of adjacent dims; those of one side are the same or lie apart.
// Leaves: pieces in row-major order, exact for uneven parts and for cuts that
//         share dims with those of the other side.
//
// A group whose cuts share dims is walked in its flat index space, from border
// to border of a part; runs that follow each other at equal distances become
// one piece.
#include "overlap.h"

#include <stdlib.h>

/// A cut within a group: index u of the group lies in the rank's part when
/// begin <= u / inner % n < begin + part.
typedef struct Side {
  int64_t n, inner, begin, part;
} Side;

/// The cuts of one side within a group, from the outermost on.
typedef struct Sides {
  int count;
  Side sides[DSPRT_MAX_AXES];
} Sides;

static int64_t product(const DsprtShape *shape, int begin, int end) {
  int64_t n = 1;
  for (int i = begin; i < end; i++) n *= shape->dims[i];
  return n;
}

/// A cut of an axis of one rank cuts nothing.
static DsprtCuts without_ones(DsprtCuts cuts, DsprtMesh mesh) {
  for (int axis = 0; axis < DSPRT_MAX_AXES; axis++)
    if (mesh.sizes[axis] == 1) cuts.axes[axis] = DSPRT_WHOLE;
  return cuts;
}

static void add_side(Sides *sides, const DsprtShape *shape, DsprtMesh mesh,
                     DsprtCuts cuts, int axis, int rank, int last) {
  DsprtCut cut = cuts.axes[axis];
  bool on[DSPRT_MAX_AXES];
  for (int i = 0; i < DSPRT_MAX_AXES; i++)
    on[i] = dsprt_same_cut(cuts.axes[i], cut);
  int64_t n = product(shape, cut.first, cut.first + cut.count);
  DsprtRange range = dsprt_range(n, on, mesh, rank);
  sides->sides[sides->count++] =
      (Side){.n = n,
             .inner = product(shape, cut.first + cut.count, last),
             .begin = range.begin,
             .part = range.size};
}

/// The cuts that begin at dims first .. last - 1.
static Sides sides_of(const DsprtShape *shape, DsprtMesh mesh, DsprtCuts cuts,
                      int rank, int first, int last) {
  Sides sides = {0};
  for (int dim = first; dim < last; dim++)
    for (int axis = 0; axis < DSPRT_MAX_AXES; axis++) {
      if (!cuts.axes[axis].count || cuts.axes[axis].first != dim) continue;
      add_side(&sides, shape, mesh, cuts, axis, rank, last);
      break; // another axis with this cut is in it
    }
  return sides;
}

static bool holds(const Side *side, int64_t u) {
  int64_t index = u / side->inner % side->n;
  return index >= side->begin && index < side->begin + side->part;
}

static bool all_hold(const Sides *sides, int64_t u) {
  for (int i = 0; i < sides->count; i++)
    if (!holds(&sides->sides[i], u)) return false;
  return true;
}

/// The next index after u at which holds() can change.
static int64_t border(const Side *side, int64_t u) {
  int64_t turn = side->inner * side->n, base = u - u % turn;
  int64_t begin = base + side->begin * side->inner;
  int64_t end = begin + side->part * side->inner;
  if (u < begin) return begin;
  return u < end ? end : base + turn;
}

static int64_t next_border(const Sides *sides, int64_t u, int64_t next) {
  for (int i = 0; i < sides->count; i++) {
    int64_t own = border(&sides->sides[i], u);
    if (own < next) next = own;
  }
  return next;
}

/// Indices of `size` ones that are held by sides[at ..].
static int64_t held_of(const Sides *sides, int at, int64_t size) {
  for (int i = at; i < sides->count; i++)
    size = size ? size / sides->sides[i].n * sides->sides[i].part : 0;
  return size;
}

/// Where `u`, which all sides hold, lies among all that they hold.
static int64_t place(const Sides *sides, int64_t u) {
  int64_t at = 0;
  for (int i = 0; i < sides->count; i++) {
    const Side *s = &sides->sides[i];
    int64_t outer = u / (s->inner * s->n), index = u / s->inner % s->n;
    at +=
        (outer * s->part + index - s->begin) * held_of(sides, i + 1, s->inner);
    u %= s->inner;
  }
  return at + u;
}

/// Does the run continue the piece, one run in both buffers?
static bool continues(const DsprtPiece *last, const int64_t *at) {
  for (int i = 0; i < DSPRT_SIDES; i++)
    if (last->count != 1 || at[i] != last->first[i] + last->length)
      return false;
  return true;
}

/// Is the run the next one of the piece, at the same distance?
static bool follows(const DsprtPiece *last, const int64_t *at, int64_t length) {
  if (last->length != length) return false;
  for (int i = 0; i < DSPRT_SIDES && last->count > 1; i++)
    if (at[i] != last->first[i] + last->count * last->stride[i]) return false;
  return true;
}

static bool add_run(DsprtGroup *group, const int64_t *at, int64_t length) {
  int n = group->npieces;
  DsprtPiece *last = n ? &group->pieces[n - 1] : NULL;
  if (last && continues(last, at)) {
    last->length += length;
    return true;
  }
  if (last && follows(last, at, length)) {
    for (int i = 0; i < DSPRT_SIDES && last->count == 1; i++)
      last->stride[i] = at[i] - last->first[i];
    last->count++;
    return true;
  }
  if ((n & (n - 1)) == 0) { // a power of two: full
    size_t room = n ? 2 * (size_t)n : 1;
    DsprtPiece *grown = realloc(group->pieces, room * sizeof *grown);
    if (!grown) return false;
    group->pieces = grown;
  }
  group->pieces[group->npieces++] =
      (DsprtPiece){1, length, {at[0], at[1]}, {0, 0}};
  return true;
}

static bool add_group(DsprtOverlap *overlap, int64_t size, const Sides *before,
                      const Sides *after) {
  DsprtGroup *group = &overlap->groups[overlap->ngroups++];
  *group =
      (DsprtGroup){.held = {held_of(before, 0, size), held_of(after, 0, size)}};
  for (int64_t u = 0, next; u < size; u = next) {
    next = next_border(after, u, next_border(before, u, size));
    if (!all_hold(before, u) || !all_hold(after, u)) continue;
    int64_t at[DSPRT_SIDES] = {place(before, u), place(after, u)};
    if (!add_run(group, at, next - u)) return false;
  }
  return true;
}

/// The end of the group that begins at `first`; the cuts that it meets.
static int end_of(DsprtCuts from, DsprtCuts to, int first, int ndims) {
  int end = first, next = ndims;
  for (bool grows = true; grows;) {
    grows = false;
    for (int i = 0; i < 2 * DSPRT_MAX_AXES; i++) {
      DsprtCut cut = i % 2 ? from.axes[i / 2] : to.axes[i / 2];
      int cut_end = cut.first + cut.count;
      if (!cut.count || cut_end <= first) continue;
      bool meets = cut.first == first || cut.first < end;
      if (!meets && cut.first < next) next = cut.first;
      if (!meets || cut_end <= end) continue;
      end = cut_end;
      grows = true;
    }
  }
  return end > first ? end : next;
}

bool dsprt_overlap(const DsprtShape *shape, DsprtMesh mesh, DsprtCuts from,
                   int holder, DsprtCuts to, int owner, DsprtOverlap *overlap) {
  overlap->ngroups = 0;
  from = without_ones(from, mesh);
  to = without_ones(to, mesh);
  for (int first = 0, last; first < shape->ndims; first = last) {
    last = end_of(from, to, first, shape->ndims);
    Sides before = sides_of(shape, mesh, from, holder, first, last);
    Sides after = sides_of(shape, mesh, to, owner, first, last);
    if (!add_group(overlap, product(shape, first, last), &before, &after))
      return false;
  }
  return true;
}

void dsprt_overlap_free(DsprtOverlap *overlap) {
  for (int i = 0; i < overlap->ngroups; i++) free(overlap->groups[i].pieces);
  overlap->ngroups = 0;
}

int64_t dsprt_overlap_elements(const DsprtOverlap *overlap) {
  int64_t all = 1;
  for (int i = 0; i < overlap->ngroups; i++) {
    int64_t n = 0;
    for (int k = 0; k < overlap->groups[i].npieces; k++)
      n += overlap->groups[i].pieces[k].count *
           overlap->groups[i].pieces[k].length;
    all *= n;
  }
  return all;
}

bool dsprt_sends(DsprtMesh mesh, DsprtCuts from, int holder, int owner) {
  for (int axis = 0; axis < DSPRT_MAX_AXES; axis++)
    if (from.axes[axis].count == 0 &&
        dsprt_index_on(mesh, holder, axis) != dsprt_index_on(mesh, owner, axis))
      return false;
  return true;
}
