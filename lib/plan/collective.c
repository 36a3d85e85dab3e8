// collective.c - the parts of a cut dim and the bytes that a conversion moves.
//
// Needs:  layouts whose positions lie within the value.
// Leaves: exact counts, for parts that differ and for cuts that share dims.
#include "dspc/plan/collective.h"

#include <assert.h>

#include "dspc/plan/plan.h"
#include "regions.h"

/// One change of layout.
typedef struct Move {
  const DspPlanShape *shape;
  const DspPlanMesh *mesh;
  DspPlanLayout from, to;
} Move;

/// What leaves one rank, in elements.
typedef struct Sent {
  int64_t all;
  int64_t far; ///< to another coordinate on axis 0
} Sent;

int64_t dsp_plan_part(int64_t size, int64_t rank, int64_t ranks) {
  return size / ranks + (rank < size % ranks);
}

int64_t dsp_plan_part_begin(int64_t size, int64_t rank, int64_t ranks) {
  int64_t longer = size % ranks;
  return rank * (size / ranks) + (rank < longer ? rank : longer);
}

bool dsp_plan_cut_same(DspPlanCut a, DspPlanCut b) {
  return a.kind == b.kind && (a.kind != DSP_LAYOUT_CUT ||
                              (a.first == b.first && a.count == b.count));
}

bool dsp_plan_cut_overlaps(DspPlanCut a, DspPlanCut b) {
  return a.kind == DSP_LAYOUT_CUT && b.kind == DSP_LAYOUT_CUT &&
         a.first < b.first + b.count && b.first < a.first + a.count;
}

static bool has_sum(DspPlanLayout layout) {
  return layout.axes[0].kind == DSP_LAYOUT_PARTIAL ||
         layout.axes[1].kind == DSP_LAYOUT_PARTIAL;
}

/// A sum on one axis: every other axis stays.
static DspCollective collective_of_sum(DspPlanLayout from, DspPlanLayout to,
                                       uint32_t axis) {
  DspLayoutKind kind = to.axes[axis].kind;
  if (from.axes[axis].kind != DSP_LAYOUT_PARTIAL ||
      !dsp_plan_cut_same(from.axes[!axis], to.axes[!axis]))
    return DSP_COLLECTIVE_IMPOSSIBLE;
  if (kind == DSP_LAYOUT_WHOLE)
    return DSP_COLLECTIVE_ALL_REDUCE;
  // axis 1 would have cut before axis 0 does
  bool inner = axis == 0 && dsp_plan_cut_overlaps(to.axes[0], to.axes[1]);
  return inner ? DSP_COLLECTIVE_IMPOSSIBLE : DSP_COLLECTIVE_REDUCE_SCATTER;
}

DspCollective dsp_plan_collective(DspPlanLayout from, DspPlanLayout to) {
  bool same[DSP_PLAN_AXES], gathers = true, splits = true;
  for (uint32_t a = 0; a < DSP_PLAN_AXES; ++a) {
    same[a] = dsp_plan_cut_same(from.axes[a], to.axes[a]);
    if (!same[a] && to.axes[a].kind == DSP_LAYOUT_PARTIAL)
      return DSP_COLLECTIVE_IMPOSSIBLE;
    gathers &= same[a] || to.axes[a].kind == DSP_LAYOUT_WHOLE;
    splits &= same[a] || from.axes[a].kind == DSP_LAYOUT_WHOLE;
  }
  if (same[0] && same[1])
    return DSP_COLLECTIVE_NONE;
  if (has_sum(from))
    return collective_of_sum(from, to, same[0]);
  // axis 1 cuts what axis 0 leaves, which is another part now
  splits &= same[0] || from.axes[1].kind == DSP_LAYOUT_WHOLE ||
            !dsp_plan_cut_overlaps(to.axes[0], to.axes[1]);
  if (splits)
    return DSP_COLLECTIVE_SPLIT;
  return gathers ? DSP_COLLECTIVE_ALL_GATHER : DSP_COLLECTIVE_ALL_TO_ALL;
}

/// The elements of `layout` at `at`, cut by the first `axes` axes only, that
/// `other`, if given, has at `there` as well.
static int64_t count(const Move *m, DspPlanLayout layout, const int64_t *at,
                     uint32_t axes, const DspPlanLayout *other,
                     const int64_t *there) {
  DspRegion region = {.count = 0};
  dsp_region_add(&region, m->shape, m->mesh, layout, at, axes);
  if (other)
    dsp_region_add(&region, m->shape, m->mesh, *other, there, DSP_PLAN_AXES);
  return dsp_region_count(&region, m->shape);
}

static int64_t held(const Move *m, DspPlanLayout layout, const int64_t *at) {
  return count(m, layout, at, DSP_PLAN_AXES, NULL, NULL);
}

/// How many coordinates of an axis hold the same.
static int64_t copies(const Move *m, DspPlanLayout layout, uint32_t axis) {
  return layout.axes[axis].kind == DSP_LAYOUT_CUT ? 1 : m->mesh->sizes[axis];
}

/// `from` is whole on axis 1 alone: a rank serves those that have its
/// coordinate there.
static Sent sent_along_axis_0(const Move *m, const int64_t *at) {
  Sent sent = {0, 0};
  for (int64_t c = 0; c < m->mesh->sizes[0]; ++c)
    if (c != at[0])
      sent.all += count(m, m->to, (int64_t[]){c, at[1]}, DSP_PLAN_AXES,
                        &m->from, at);
  sent.far = sent.all;
  return sent;
}

/// What leaves `at` when nothing is summed.  Where `from` is cut on both axes
/// each element has one holder, which serves all ranks; where it is whole on
/// axis 0 a holder serves the ranks that have its coordinate there.
static Sent sent_by_redistribution(const Move *m, const int64_t *at) {
  bool cut0 = m->from.axes[0].kind == DSP_LAYOUT_CUT;
  bool cut1 = m->from.axes[1].kind == DSP_LAYOUT_CUT;
  if (!cut1 && m->mesh->sizes[1] > 1)
    return cut0 ? sent_along_axis_0(m, at) : (Sent){0, 0};
  int64_t own = count(m, m->to, at, DSP_PLAN_AXES, &m->from, at);
  int64_t near = count(m, m->to, at, 1, &m->from, at) * copies(m, m->to, 1);
  if (!cut0 && m->mesh->sizes[0] > 1)
    return (Sent){near - own, 0};
  int64_t all = held(m, m->from, at) * copies(m, m->to, 0) *
                copies(m, m->to, 1);
  return (Sent){all - own, all - near};
}

/// A sum on `axis` is a collective of the ranks along it, on the block that
/// the other axis leaves.
static Sent sent_by_sum(const Move *m, const int64_t *at, uint32_t axis) {
  int64_t ranks = m->mesh->sizes[axis], all = held(m, m->from, at);
  int64_t flat = dsp_plan_part(all, at[axis], ranks);
  int64_t sent = m->to.axes[axis].kind == DSP_LAYOUT_CUT
                     ? all - held(m, m->to, at)
                     : all - flat + (ranks - 1) * flat;
  return (Sent){sent, axis == 0 ? sent : 0};
}

static Sent sent_by(const Move *m, DspCollective collective,
                    const int64_t *at) {
  switch (collective) {
  case DSP_COLLECTIVE_ALL_TO_ALL:
  case DSP_COLLECTIVE_ALL_GATHER: return sent_by_redistribution(m, at);
  case DSP_COLLECTIVE_REDUCE_SCATTER:
  case DSP_COLLECTIVE_ALL_REDUCE:
    return sent_by_sum(m, at, dsp_plan_cut_same(m->from.axes[0],
                                                m->to.axes[0]));
  case DSP_COLLECTIVE_NONE:
  case DSP_COLLECTIVE_SPLIT:
  case DSP_COLLECTIVE_IMPOSSIBLE: break;
  }
  return (Sent){0, 0};
}

/// All that is received: what each rank needs and does not hold.
static int64_t received(const Move *m) {
  int64_t elements = 1, sum = 0;
  for (size_t i = 0; i < m->shape->ndims; ++i)
    elements *= m->shape->sizes[i];
  for (int64_t c0 = 0; c0 < m->mesh->sizes[0]; ++c0)
    for (int64_t c1 = 0; c1 < m->mesh->sizes[1]; ++c1) {
      int64_t at[] = {c0, c1};
      sum += count(m, m->to, at, DSP_PLAN_AXES, &m->from, at);
    }
  return elements * copies(m, m->to, 0) * copies(m, m->to, 1) - sum;
}

int64_t dsp_plan_collective_bytes(const DspPlanShape *shape,
                                  const DspPlanMesh *mesh, DspPlanLayout from,
                                  DspPlanLayout to, int64_t *per_rank,
                                  int64_t *far) {
  Move move = {shape, mesh, from, to};
  DspCollective collective = dsp_plan_collective(from, to);
  bool moves = collective == DSP_COLLECTIVE_ALL_TO_ALL ||
               collective == DSP_COLLECTIVE_ALL_GATHER;
  if (collective == DSP_COLLECTIVE_IMPOSSIBLE)
    return DSP_PLAN_NEVER;
  if (!per_rank && !far && moves)
    return received(&move) * shape->element_bytes;
  int64_t total = 0;
  for (int64_t rank = 0; rank < dsp_plan_ranks(mesh); ++rank) {
    int64_t at[] = {rank / mesh->sizes[1], rank % mesh->sizes[1]};
    Sent sent = sent_by(&move, collective, at);
    if (per_rank)
      per_rank[rank] = sent.all * shape->element_bytes;
    if (far)
      far[rank] = sent.far * shape->element_bytes;
    total += sent.all * shape->element_bytes;
  }
  return total;
}

int64_t dsp_plan_held(const DspPlanShape *shape, const DspPlanMesh *mesh,
                      DspPlanLayout layout, int64_t rank) {
  Move move = {shape, mesh, layout, layout};
  int64_t at[] = {rank / mesh->sizes[1], rank % mesh->sizes[1]};
  return held(&move, layout, at);
}

int64_t dsp_plan_ring_bytes(const DspPlanShape *shape, const DspPlanMesh *mesh,
                            DspPlanLayout layout, uint32_t axis,
                            int64_t *per_rank, int64_t *far) {
  DspPlanLayout all = layout;
  all.axes[axis] = (DspPlanCut){DSP_LAYOUT_WHOLE, DSP_PLAN_NO_DIM, 0, 0};
  Move move = {shape, mesh, layout, all};
  int64_t total = 0;
  for (int64_t rank = 0; rank < dsp_plan_ranks(mesh); ++rank) {
    int64_t next[] = {rank / mesh->sizes[1], rank % mesh->sizes[1]};
    next[axis] = (next[axis] + 1) % mesh->sizes[axis];
    int64_t bytes = (held(&move, all, next) - held(&move, layout, next)) *
                    shape->element_bytes;
    per_rank[rank] += bytes;
    far[rank] += axis == 0 ? bytes : 0;
    total += bytes;
  }
  return total;
}

const char *dsp_plan_collective_name(DspCollective collective) {
  static const char *const names[] = {
    [DSP_COLLECTIVE_NONE] = "none",
    [DSP_COLLECTIVE_SPLIT] = "split",
    [DSP_COLLECTIVE_ALL_TO_ALL] = "all-to-all",
    [DSP_COLLECTIVE_ALL_GATHER] = "all-gather",
    [DSP_COLLECTIVE_REDUCE_SCATTER] = "reduce-scatter",
    [DSP_COLLECTIVE_ALL_REDUCE] = "all-reduce",
    [DSP_COLLECTIVE_IMPOSSIBLE] = "impossible",
  };
  assert(collective <= DSP_COLLECTIVE_IMPOSSIBLE);
  return names[collective];
}
