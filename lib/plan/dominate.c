// dominate.c - drop the states that no cheapest plan needs.
//
// State A makes state B superfluous when B's cost covers A's cost plus what it
// takes to catch up: then whatever follows B can follow A for no more.  Sorted
// by cost, only an earlier state can do that to a later one; among equals the
// one that was made first stays, so the answer does not depend on chance.
//
// Needs:  candidates.
// Leaves: `order`: the indices of those that stay, cheapest first.
#include "frontier.h"

#include <string.h>

/// With many states, each is compared with this many of the best only: fewer
/// are dropped, none wrongly.
enum { FULL_LIMIT = 1024, COMPARED = 48 };

static void merge(const DspCandidates *c, uint32_t begin, uint32_t middle,
                  uint32_t end) {
  uint32_t a = begin, b = middle;
  for (uint32_t i = begin; i < end; ++i) {
    bool left = a < middle &&
                (b == end || dsp_plan_cost_compare(c->costs[c->order[a]],
                                                   c->costs[c->order[b]]) <= 0);
    c->scratch[i] = c->order[left ? a++ : b++];
  }
  memcpy(c->order + begin, c->scratch + begin,
         (end - begin) * sizeof *c->order);
}

static void insertion_sort(const DspCandidates *c, uint32_t begin,
                           uint32_t end) {
  for (uint32_t i = begin + 1; i < end; ++i) {
    uint32_t index = c->order[i], at = i;
    for (; at > begin && dsp_plan_cost_compare(
                             c->costs[index], c->costs[c->order[at - 1]]) < 0;
         --at)
      c->order[at] = c->order[at - 1];
    c->order[at] = index;
  }
}

/// Stable: equal costs keep the order in which they were made.
static void sort(const DspCandidates *c, uint32_t begin, uint32_t end) {
  if (end - begin <= 16) {
    insertion_sort(c, begin, end);
    return;
  }
  uint32_t middle = begin + (end - begin) / 2;
  sort(c, begin, middle);
  sort(c, middle, end);
  merge(c, begin, middle, end);
}

static bool dominates(const DspSets *sets, const DspDemand *slots,
                      const DspCandidates *c, uint32_t a, uint32_t b) {
  const DspLayoutSet *mine = &c->sets[(size_t)a * c->nslots];
  const DspLayoutSet *its = &c->sets[(size_t)b * c->nslots];
  DspPlanCost cost = c->costs[a];
  for (uint32_t i = 0; i < c->nslots; ++i) {
    if (mine[i] == its[i])
      continue;
    DspHop gap = dsp_sets_gap(sets, slots[i], mine[i], its[i]);
    if (gap.bytes == DSP_PLAN_NEVER)
      return false;
    cost.bytes += gap.bytes;
    cost.collectives += gap.collectives;
    if (cost.bytes > c->costs[b].bytes)
      return false;
  }
  return dsp_plan_cost_compare(cost, c->costs[b]) <= 0;
}

uint32_t dsp_dominate(const DspSets *sets, const DspDemand *slots,
                      DspCandidates *candidates) {
  DspCandidates *c = candidates;
  for (uint32_t i = 0; i < c->count; ++i)
    c->order[i] = i;
  sort(c, 0, c->count);
  uint32_t kept = 0, limit = c->count > FULL_LIMIT ? COMPARED : UINT32_MAX;
  for (uint32_t i = 0; i < c->count; ++i) {
    bool needed = true;
    for (uint32_t k = 0; needed && k < kept && k < limit; ++k)
      needed = !dominates(sets, slots, c, c->order[k], c->order[i]);
    if (needed)
      c->order[kept++] = c->order[i];
  }
  return kept;
}
