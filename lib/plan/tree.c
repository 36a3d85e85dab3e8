// tree.c - the cheapest tree of conversions from one layout to several.
//
// To serve a set of layouts, convert to where the set is split in two, and
// serve the two parts from there (Dreyfus, Wagner).
//
// Needs:  the metrics of all classes.
// Leaves: tables that stay, so that a set is looked at once.
#include "tree.h"

DspTrees dsp_trees(DspArena *arena, const DspSets *sets) {
  return (DspTrees){.arena = arena, .sets = sets, .keys = dsp_interner(arena)};
}

/// The least that both parts of some split cost from each layout.
static void split(DspTrees *trees, uint32_t class_id, DspLayoutSet wanted,
                  DspHop *hops) {
  uint32_t n = trees->sets->metrics[class_id].count;
  DspLayoutSet low = wanted & -wanted;
  for (uint32_t x = 0; x < n; ++x) hops[x] = (DspHop){DSP_PLAN_NEVER, 0};
  for (DspLayoutSet part = (wanted - 1) & wanted; part;
       part = (part - 1) & wanted) {
    if (!(part & low)) continue;
    const DspHop *a = dsp_trees_to(trees, class_id, part);
    const DspHop *b = dsp_trees_to(trees, class_id, wanted ^ part);
    for (uint32_t x = 0; x < n; ++x) {
      DspHop both = dsp_hop_add(a[x], b[x]);
      hops[x] = dsp_hop_less(both, hops[x]) ? both : hops[x];
    }
  }
}

static const DspHop *find(DspTrees *trees, uint32_t class_id,
                          DspLayoutSet wanted) {
  const DspMetric *metric = &trees->sets->metrics[class_id];
  uint32_t n = metric->count, only = dsp_set_first(wanted);
  DspHop *out = DSP_NEW(trees->arena, DspHop, n), at[DSP_PLAN_MAX_LAYOUTS];
  bool one = wanted == dsp_set_of(only);
  if (!one) split(trees, class_id, wanted, at);
  for (uint32_t x = 0; x < n; ++x) {
    out[x] = one ? metric->near[x * n + only] : at[x];
    for (uint32_t y = 0; !one && y < n; ++y) {
      DspHop hop = dsp_hop_add(metric->near[x * n + y], at[y]);
      out[x] = dsp_hop_less(hop, out[x]) ? hop : out[x];
    }
  }
  return out;
}

const DspHop *dsp_trees_to(DspTrees *trees, uint32_t class_id,
                           DspLayoutSet wanted) {
  bool fresh = false;
  uint64_t key[] = {class_id, wanted};
  uint32_t number = dsp_intern(&trees->keys, key, 2, &fresh);
  if (!fresh) return trees->hops[number];
  DSP_GROW(trees->arena, trees->hops, number, trees->capacity);
  trees->hops[number] = NULL;
  const DspHop *hops = find(trees, class_id, wanted); // may make more
  return trees->hops[number] = hops;
}
