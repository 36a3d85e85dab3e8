// owners.c - one element after the other.
#include "owners.h"

enum { ANY = -1 };

/// Where an element lies: a coordinate on each axis, or ANY.
typedef struct Place {
  int64_t at[DSP_PLAN_AXES];
} Place;

int64_t owners_deal(int64_t size, int64_t n, int64_t x, int64_t *begin,
                    int64_t *length) {
  int64_t who = 0;
  for (*begin = 0;; *begin += *length, ++who) {
    *length = size / n + (who < size % n ? 1 : 0);
    if (x < *begin + *length)
      return who;
  }
}

int64_t owners_elements(const DspPlanShape *shape) {
  int64_t count = 1;
  for (size_t i = 0; i < shape->ndims; ++i)
    count *= shape->sizes[i];
  return count;
}

/// The index of an element within a run of positions, and the run's size.
static int64_t index_in(const DspPlanShape *shape, DspPlanCut cut,
                        int64_t element, int64_t *size) {
  int64_t index[16], flat = 0;
  for (size_t i = shape->ndims; i-- > 0; element /= shape->sizes[i])
    index[i] = element % shape->sizes[i];
  *size = 1;
  for (size_t i = cut.first; i < (size_t)cut.first + cut.count; ++i) {
    flat = flat * shape->sizes[i] + index[i];
    *size *= shape->sizes[i];
  }
  return flat;
}

static bool same(DspPlanCut a, DspPlanCut b) {
  if (a.kind != b.kind)
    return false;
  return a.kind != DSP_LAYOUT_CUT || (a.first == b.first && a.count == b.count);
}

static Place place_of(const DspPlanShape *shape, const DspPlanMesh *mesh,
                      DspPlanLayout layout, int64_t element) {
  Place place = {{ANY, ANY}};
  for (int a = 0; a < DSP_PLAN_AXES; ++a) {
    DspPlanCut cut = layout.axes[a];
    int64_t size, begin, length;
    if (cut.kind != DSP_LAYOUT_CUT)
      continue;
    int64_t x = index_in(shape, cut, element, &size);
    if (a == 1 && same(layout.axes[0], cut)) {
      owners_deal(size, mesh->sizes[0], x, &begin, &length);
      x -= begin;
      size = length;
    }
    place.at[a] = owners_deal(size, mesh->sizes[a], x, &begin, &length);
  }
  return place;
}

static bool is_at(Place place, const int64_t *at) {
  return (place.at[0] == ANY || place.at[0] == at[0]) &&
         (place.at[1] == ANY || place.at[1] == at[1]);
}

bool owners_hold(const DspPlanShape *shape, const DspPlanMesh *mesh,
                 DspPlanLayout layout, int64_t rank, int64_t element) {
  int64_t at[] = {rank / mesh->sizes[1], rank % mesh->sizes[1]};
  return is_at(place_of(shape, mesh, layout, element), at);
}

uint64_t owners_mask(const DspPlanShape *shape, const DspPlanMesh *mesh,
                     DspPlanLayout layout, int64_t element) {
  Place place = place_of(shape, mesh, layout, element);
  uint64_t mask = 0;
  for (int64_t c0 = 0; c0 < mesh->sizes[0]; ++c0)
    for (int64_t c1 = 0; c1 < mesh->sizes[1]; ++c1)
      if (is_at(place, (int64_t[]){c0, c1}))
        mask |= (uint64_t)1 << (c0 * mesh->sizes[1] + c1);
  return mask;
}

bool owners_fit(DspPlanLayout layout) {
  DspPlanCut a = layout.axes[0], b = layout.axes[1];
  if (a.kind != DSP_LAYOUT_CUT || b.kind != DSP_LAYOUT_CUT || same(a, b))
    return true;
  return a.first + a.count <= b.first || b.first + b.count <= a.first;
}

/// Each rank receives what it needs and does not hold, from the holder that
/// has its coordinate wherever there is a choice.
static void redistribute(const DspPlanShape *shape, const DspPlanMesh *mesh,
                         DspPlanLayout from, DspPlanLayout to, int64_t *sent,
                         int64_t *far) {
  for (int64_t e = 0; e < owners_elements(shape); ++e) {
    Place old = place_of(shape, mesh, from, e);
    Place new = place_of(shape, mesh, to, e);
    for (int64_t c0 = 0; c0 < mesh->sizes[0]; ++c0)
      for (int64_t c1 = 0; c1 < mesh->sizes[1]; ++c1) {
        int64_t at[] = {c0, c1};
        if (!is_at(new, at) || is_at(old, at))
          continue;
        int64_t s0 = old.at[0] == ANY ? c0 : old.at[0];
        int64_t s1 = old.at[1] == ANY ? c1 : old.at[1];
        ++sent[s0 * mesh->sizes[1] + s1];
        far[s0 * mesh->sizes[1] + s1] += s0 != c0;
      }
  }
}

/// Everyone along `axis` sends its addend to whoever `adds`; of an all-reduce
/// that one sends the sum to everyone.
static void add_up(const DspPlanMesh *mesh, int axis, int64_t other,
                   int64_t adds, bool all, int64_t *sent, int64_t *far) {
  for (int64_t c = 0; c < mesh->sizes[axis]; ++c) {
    int64_t rank = axis == 0 ? c * mesh->sizes[1] + other
                             : other * mesh->sizes[1] + c;
    int64_t count = c != adds ? 1 : all ? mesh->sizes[axis] - 1 : 0;
    sent[rank] += count;
    far[rank] += axis == 0 ? count : 0;
  }
}

/// The sums on `axis`, group by group.
static void reduce(const DspPlanShape *shape, const DspPlanMesh *mesh,
                   DspPlanLayout from, DspPlanLayout to, int axis,
                   int64_t *sent, int64_t *far) {
  bool all = to.axes[axis].kind == DSP_LAYOUT_WHOLE;
  for (int64_t other = 0; other < mesh->sizes[!axis]; ++other) {
    int64_t block = 0, next = 0, begin, length;
    for (int pass = 0; pass < 2; ++pass)
      for (int64_t e = 0; e < owners_elements(shape); ++e) {
        Place old = place_of(shape, mesh, from, e);
        if (old.at[!axis] != ANY && old.at[!axis] != other)
          continue;
        if (pass == 0) {
          ++block;
          continue;
        }
        int64_t flat = next++;
        int64_t adds =
            all ? owners_deal(block, mesh->sizes[axis], flat, &begin, &length)
                : place_of(shape, mesh, to, e).at[axis];
        add_up(mesh, axis, other, adds, all, sent, far);
      }
  }
}

DspCollective owners_kind(DspPlanLayout from, DspPlanLayout to, int *axis) {
  bool sums = false, stays = true;
  for (int a = 0; a < DSP_PLAN_AXES; ++a) {
    sums |= from.axes[a].kind == DSP_LAYOUT_PARTIAL;
    if (same(from.axes[a], to.axes[a]))
      continue;
    stays = false;
    if (to.axes[a].kind == DSP_LAYOUT_PARTIAL)
      return DSP_COLLECTIVE_IMPOSSIBLE;
  }
  if (stays || !sums)
    return stays ? DSP_COLLECTIVE_NONE : DSP_COLLECTIVE_ALL_TO_ALL;
  *axis = same(from.axes[0], to.axes[0]);
  if (from.axes[*axis].kind != DSP_LAYOUT_PARTIAL ||
      !same(from.axes[!*axis], to.axes[!*axis]))
    return DSP_COLLECTIVE_IMPOSSIBLE;
  if (to.axes[*axis].kind == DSP_LAYOUT_WHOLE)
    return DSP_COLLECTIVE_ALL_REDUCE;
  bool late = *axis == 0 && same(to.axes[0], to.axes[1]); // axis 1 cut it first
  return late ? DSP_COLLECTIVE_IMPOSSIBLE : DSP_COLLECTIVE_REDUCE_SCATTER;
}

bool owners_move(const DspPlanShape *shape, const DspPlanMesh *mesh,
                 DspPlanLayout from, DspPlanLayout to, int64_t *sent,
                 int64_t *far) {
  int axis = 0;
  DspCollective kind = owners_kind(from, to, &axis);
  if (kind == DSP_COLLECTIVE_ALL_TO_ALL)
    redistribute(shape, mesh, from, to, sent, far);
  else if (kind == DSP_COLLECTIVE_REDUCE_SCATTER ||
           kind == DSP_COLLECTIVE_ALL_REDUCE)
    reduce(shape, mesh, from, to, axis, sent, far);
  return kind != DSP_COLLECTIVE_IMPOSSIBLE;
}

void owners_ring(const DspPlanShape *shape, const DspPlanMesh *mesh,
                 DspPlanLayout layout, uint32_t axis, int64_t *sent,
                 int64_t *far) {
  for (int64_t e = 0; e < owners_elements(shape); ++e) {
    Place place = place_of(shape, mesh, layout, e);
    for (int64_t c0 = 0; c0 < mesh->sizes[0]; ++c0)
      for (int64_t c1 = 0; c1 < mesh->sizes[1]; ++c1) {
        int64_t at[] = {c0, c1}, next[] = {c0, c1};
        int64_t home = place.at[axis];
        next[axis] = (next[axis] + 1) % mesh->sizes[axis];
        at[axis] = home;
        if (!is_at(place, at) || is_at(place, next))
          continue;
        ++sent[c0 * mesh->sizes[1] + c1];
        far[c0 * mesh->sizes[1] + c1] += axis == 0;
      }
  }
}
