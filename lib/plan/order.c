// order.c - prepares a problem for the search.
//
// Needs:  ops in topological order.
// Leaves: the order of the search: that of the program, except that sources
//         and ops of one operand wait for the first op that reads them, so that
//         few values are alive at once.
#include "order.h"

/// For every choice and operand, the layouts that some alternative needs.
static DspLayoutSet **choice_needs(DspArena *arena,
                                   const DspSearchProblem *problem) {
  DspLayoutSet **needs = DSP_NEW(arena, DspLayoutSet *, problem->nchoices);
  for (size_t c = 0; c < problem->nchoices; ++c) {
    const DspChoice *choice = &problem->choices[c];
    needs[c] = DSP_NEW(arena, DspLayoutSet, choice->noperands);
    for (uint32_t a = 0; a < choice->count; ++a)
      for (uint32_t i = 0; i < choice->noperands; ++i)
        needs[c][i] |= dsp_set_of(choice->alternatives[a].needs[i]);
  }
  return needs;
}

static void count_uses(const DspSearchProblem *problem, uint32_t *first) {
  for (size_t op = 0; op < problem->nops; ++op)
    for (uint32_t i = 0; i < dsp_choice_of(problem, op)->noperands; ++i)
      ++first[problem->ops[op].operands[i] + 1];
  for (size_t v = 0; v < problem->nvalues; ++v)
    first[v + 1] += first[v];
}

/// What each use and the later ones ask for, in the order of the search.
static void find_wanted(DspArena *arena, DspOrder *order) {
  const DspSearchProblem *problem = order->problem;
  DspLayoutSet **needs = choice_needs(arena, problem);
  size_t nvalues = problem->nvalues;
  order->first_use = DSP_NEW(arena, uint32_t, nvalues + 1);
  count_uses(problem, order->first_use);
  order->wanted = DSP_NEW(arena, DspLayoutSet, order->first_use[nvalues]);
  uint32_t *next = DSP_NEW(arena, uint32_t, nvalues);
  for (size_t k = 0; k < order->count; ++k) {
    uint32_t op = order->ops[k];
    for (uint32_t i = 0; i < dsp_choice_of(problem, op)->noperands; ++i) {
      uint32_t value = problem->ops[op].operands[i];
      order->wanted[order->first_use[value] + next[value]++] =
          needs[problem->ops[op].choice][i];
    }
  }
  for (size_t v = 0; v < nvalues; ++v)
    for (uint32_t u = order->first_use[v + 1]; u > order->first_use[v] + 1; --u)
      order->wanted[u - 2] |= order->wanted[u - 1];
}

DspDemand dsp_order_demand(const DspOrder *order, uint32_t value,
                           uint32_t used) {
  uint32_t left = dsp_order_uses(order, value) - used;
  DspDemand demand = {.class_id = order->problem->value_class[value]};
  demand.uses = left < DSP_USES_MANY ? left : DSP_USES_MANY;
  if (left > 0)
    demand.wanted = order->wanted[order->first_use[value] + used];
  return demand;
}

/// One value in, at most one out: what is alive does not become less by it.
static bool may_wait(const DspSearchProblem *problem, size_t op) {
  const DspChoice *choice = dsp_choice_of(problem, op);
  return choice->noperands == 0 ||
         (choice->noperands == 1 && choice->nresults == 1);
}

/// Puts an op into the order, once; behind those that waited for it.
static void place(DspOrder *order, const uint32_t *waiting, bool *placed,
                  uint32_t op) {
  const DspSearchProblem *problem = order->problem;
  if (placed[op])
    return;
  placed[op] = true;
  for (uint32_t i = 0; i < dsp_choice_of(problem, op)->noperands; ++i) {
    uint32_t maker = waiting[problem->ops[op].operands[i]];
    if (maker != UINT32_MAX)
      place(order, waiting, placed, maker);
  }
  order->ops[order->count++] = op;
}

static void place_all(DspArena *arena, DspOrder *order) {
  const DspSearchProblem *problem = order->problem;
  uint32_t *waiting = DSP_NEW(arena, uint32_t, problem->nvalues);
  bool *placed = DSP_NEW(arena, bool, problem->nops);
  for (size_t v = 0; v < problem->nvalues; ++v)
    waiting[v] = UINT32_MAX;
  for (uint32_t op = 0; op < problem->nops; ++op)
    for (uint32_t i = 0; i < dsp_choice_of(problem, op)->nresults; ++i)
      if (may_wait(problem, op))
        waiting[problem->ops[op].results[i]] = op;
  for (uint32_t op = 0; op < problem->nops; ++op)
    if (!may_wait(problem, op))
      place(order, waiting, placed, op);
  for (uint32_t op = 0; op < problem->nops; ++op)
    place(order, waiting, placed, op);
}

DspOrder dsp_order(DspArena *arena, const DspSearchProblem *problem) {
  DspOrder order = {.problem = problem};
  order.ops = DSP_NEW(arena, uint32_t, problem->nops);
  place_all(arena, &order);
  find_wanted(arena, &order);
  return order;
}
