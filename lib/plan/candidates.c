// candidates.c - a table of states that merges equal ones.
//
// Needs:  clear before a step.
// Leaves: states in the order in which they were added.
#include "frontier.h"

#include <string.h>

DspPlanCost dsp_cost_add(DspPlanCost a, DspPlanCost b) {
  return (DspPlanCost){a.bytes + b.bytes, a.collectives + b.collectives,
                       a.penalty + b.penalty, a.order + b.order};
}

DspPlanCost dsp_cost_sub(DspPlanCost a, DspPlanCost b) {
  return (DspPlanCost){a.bytes - b.bytes, a.collectives - b.collectives,
                       a.penalty - b.penalty, a.order - b.order};
}

static int order_of(int64_t a, int64_t b) {
  return (a > b) - (a < b);
}

int dsp_plan_cost_compare(DspPlanCost a, DspPlanCost b) {
  if (a.bytes != b.bytes)
    return order_of(a.bytes, b.bytes);
  if (a.collectives != b.collectives)
    return order_of(a.collectives, b.collectives);
  if (a.penalty != b.penalty)
    return order_of(a.penalty, b.penalty);
  return order_of(a.order, b.order);
}

void dsp_candidates_clear(DspCandidates *candidates, uint32_t nslots) {
  candidates->nslots = nslots;
  candidates->count = 0;
  candidates->dropped = DSP_PLAN_NEVER;
  if (candidates->table_size == 0) {
    candidates->table_size = 128;
    candidates->table = DSP_NEW(candidates->arena, uint32_t, 128);
  }
  memset(candidates->table, 0,
         candidates->table_size * sizeof *candidates->table);
}

static void *regrow(DspArena *arena, void *array, size_t size, size_t count,
                    size_t capacity) {
  void *copy = dsp_plan_zeroed(arena, size, capacity);
  return count > 0 ? memcpy(copy, array, size * count) : copy;
}

/// Room for one more state in every array.
static void reserve(DspCandidates *c) {
  size_t words = (size_t)c->nslots * (c->count + 1);
  if (words >= c->sets_capacity) {
    c->sets_capacity = words < 512 ? 1024 : words * 2;
    c->sets = regrow(c->arena, c->sets, sizeof *c->sets,
                     (size_t)c->nslots * c->count, c->sets_capacity);
  }
  if (c->count < c->capacity)
    return;
  uint32_t n = c->capacity = c->capacity < 64 ? 64 : c->capacity * 2;
  c->costs = regrow(c->arena, c->costs, sizeof *c->costs, c->count, n);
  c->parents = regrow(c->arena, c->parents, sizeof *c->parents, c->count, n);
  c->picks = regrow(c->arena, c->picks, sizeof *c->picks, c->count, n);
  c->order = DSP_NEW(c->arena, uint32_t, n);
  c->scratch = DSP_NEW(c->arena, uint32_t, n);
}

static uint32_t *find(const DspCandidates *c, const DspLayoutSet *sets) {
  uint32_t mask = c->table_size - 1;
  uint32_t at = (uint32_t)dsp_hash_words(sets, c->nslots) & mask;
  for (; c->table[at]; at = (at + 1) & mask)
    if (memcmp(&c->sets[(size_t)(c->table[at] - 1) * c->nslots], sets,
               c->nslots * sizeof *sets) == 0)
      break;
  return &c->table[at];
}

static void rehash(DspCandidates *c) {
  c->table_size *= 2;
  c->table = DSP_NEW(c->arena, uint32_t, c->table_size);
  for (uint32_t i = 0; i < c->count; ++i)
    *find(c, &c->sets[(size_t)i * c->nslots]) = i + 1;
}

void dsp_candidates_add(DspCandidates *candidates, const DspLayoutSet *sets,
                        DspPlanCost cost, uint32_t parent, uint32_t pick) {
  uint32_t *entry = find(candidates, sets);
  uint32_t at = *entry ? *entry - 1 : candidates->count;
  if (*entry && dsp_plan_cost_compare(cost, candidates->costs[at]) >= 0)
    return;
  if (!*entry) {
    reserve(candidates);
    *entry = ++candidates->count;
    memcpy(&candidates->sets[(size_t)at * candidates->nslots], sets,
           candidates->nslots * sizeof *sets);
  }
  candidates->costs[at] = cost;
  candidates->parents[at] = parent;
  candidates->picks[at] = pick;
  if (candidates->count * 2 > candidates->table_size)
    rehash(candidates);
}
