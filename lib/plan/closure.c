// closure.c - the layouts of a class, and the costs between them.
//
// They are those that somebody asks for, and R: without sums one collective
// turns any layout into any other, and no detour moves less.  Sums on two axes
// are taken on one axis after the other, and stop at layouts that nobody asks
// for: every pair of what is asked for on axis 0 and on axis 1, or R, is a
// stop.  Where those are too many, only the stops that are whole on some axis
// are.
//
// Needs:  layouts whose two cuts have the same positions or none in common.
// Leaves: sorted layouts, R first, and direct costs.
#include "closure.h"

#include <string.h>

#include "dspc/plan/machine.h"
#include "dspc/support/bug.h"

/// Layouts under construction.
typedef struct List {
  uint32_t count, capacity;
  DspPlanLayout *layouts;
  DspArena *arena;
} List;

static const DspPlanCut whole = {DSP_LAYOUT_WHOLE, DSP_PLAN_NO_DIM, 0, 0};

static bool is_in(const List *list, DspPlanLayout layout) {
  for (uint32_t i = 0; i < list->count; ++i)
    if (dsp_plan_layout_equal(list->layouts[i], layout))
      return true;
  return false;
}

static void add(List *list, DspPlanLayout layout) {
  if (is_in(list, layout))
    return;
  DSP_GROW(list->arena, list->layouts, list->count, list->capacity);
  list->layouts[list->count++] = layout;
}

static bool is_cut(DspPlanCut cut) {
  return cut.kind == DSP_LAYOUT_CUT;
}

/// A stop for values that are not sums, or one on the way from a sum.
static bool is_stop(DspPlanCut a, DspPlanCut b) {
  return !dsp_plan_cut_overlaps(a, b) || dsp_plan_cut_same(a, b);
}

/// Some sum that is asked for can be turned into `layout`, or it is none.
static bool is_reached(const DspPlanLayout *asked, uint32_t count,
                       DspPlanLayout layout) {
  bool sums = false;
  for (uint32_t a = 0; a < DSP_PLAN_AXES; ++a)
    sums |= layout.axes[a].kind == DSP_LAYOUT_PARTIAL;
  for (uint32_t i = 0; i < count && sums; ++i)
    if (dsp_plan_collective(asked[i], layout) != DSP_COLLECTIVE_IMPOSSIBLE)
      return true;
  return !sums;
}

static bool has_sums(const DspPlanLayout *asked, uint32_t count) {
  bool any = false;
  for (uint32_t i = 0; i < count; ++i)
    any |= asked[i].axes[0].kind == DSP_LAYOUT_PARTIAL ||
           asked[i].axes[1].kind == DSP_LAYOUT_PARTIAL;
  return any;
}

/// Adds the pairs of what is asked for on each axis.
static void add_stops(List *list, const DspPlanLayout *asked, uint32_t count,
                      bool only_whole) {
  for (uint32_t i = 0; i <= count; ++i)
    for (uint32_t k = 0; k <= count; ++k) {
      DspPlanCut a = i < count ? asked[i].axes[0] : whole;
      DspPlanCut b = k < count ? asked[k].axes[1] : whole;
      DspPlanLayout stop = {{a, b}};
      if (is_stop(a, b) && is_reached(asked, count, stop) &&
          !(only_whole && is_cut(a) && is_cut(b)))
        add(list, stop);
    }
}

static int compare_cuts(DspPlanCut a, DspPlanCut b) {
  if (a.kind != b.kind)
    return a.kind < b.kind ? -1 : 1;
  if (a.dim != b.dim)
    return a.dim < b.dim ? -1 : 1;
  return (a.first > b.first) - (a.first < b.first);
}

static bool layout_before(DspPlanLayout a, DspPlanLayout b) {
  int order = compare_cuts(a.axes[0], b.axes[0]);
  return order ? order < 0 : compare_cuts(a.axes[1], b.axes[1]) < 0;
}

static void sort(List *list) {
  for (uint32_t i = 1; i < list->count; ++i) {
    DspPlanLayout layout = list->layouts[i];
    uint32_t at = i;
    for (; at > 0 && layout_before(layout, list->layouts[at - 1]); --at)
      list->layouts[at] = list->layouts[at - 1];
    list->layouts[at] = layout;
  }
}

uint32_t dsp_close_layouts(DspLayoutIds *ids, const DspPlanMesh *mesh,
                           const DspPlanLayout *asked, uint32_t count,
                           DspPlanLayout *out) {
  List list = {.arena = ids->arena};
  bool two = mesh->sizes[0] > 1 && mesh->sizes[1] > 1 &&
             has_sums(asked, count);
  for (int fewer = 0; fewer < 3; ++fewer) {
    list.count = 0;
    for (uint32_t i = 0; i < count; ++i)
      add(&list, asked[i]);
    if (two && fewer < 2)
      add_stops(&list, asked, count, fewer > 0);
    if (list.count <= DSP_PLAN_MAX_LAYOUTS)
      break;
  }
  if (list.count > DSP_PLAN_MAX_LAYOUTS)
    dsp_bug("planner: a value with more than %u layouts", list.count);
  sort(&list);
  for (uint32_t i = 0; i < list.count; ++i) {
    out[i] = list.layouts[i];
    dsp_layout_id(ids, out[i]);
  }
  return list.count;
}

void dsp_fill_table(DspArena *arena, DspArena *scratch,
                    const DspPlanShape *shape, const DspPlanMesh *mesh,
                    const DspMachine *machine, const DspPlanLayout *layouts,
                    DspLayoutClass *table) {
  uint32_t n = table->count;
  int64_t *bytes = DSP_NEW(arena, int64_t, (size_t)n * n);
  uint8_t *collectives = DSP_NEW(arena, uint8_t, (size_t)n * n);
  size_t ranks = (size_t)dsp_plan_ranks(mesh);
  int64_t *sent = machine ? DSP_NEW(scratch, int64_t, ranks) : NULL;
  int64_t *far = machine ? DSP_NEW(scratch, int64_t, ranks) : NULL;
  for (uint32_t i = 0; i < n * n; ++i) {
    bytes[i] = dsp_plan_collective_bytes(shape, mesh, layouts[i / n],
                                         layouts[i % n], sent, far);
    collectives[i] = bytes[i] != 0 && bytes[i] != DSP_PLAN_NEVER;
    if (collectives[i] && machine)
      bytes[i] = (int64_t)(dsp_machine_move(machine, mesh, sent, far) * 1e12 +
                           0.5);
  }
  table->bytes = bytes;
  table->collectives = collectives;
}
