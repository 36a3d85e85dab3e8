// brute.c - the truth, found without any of the planner's ideas, and a judge
// of plans that trusts nobody.
#include <string.h>

#include "problems.h"

enum { MAX_LAYOUTS = 8 };

typedef struct Brute {
  const DspSearchProblem *problem;
  uint32_t *picks;
  bool found;
  DspPlanCost best;
} Brute;

typedef struct Tree {
  int64_t bytes; ///< or DSP_PLAN_NEVER
  int64_t collectives;
} Tree;

static bool tree_less(Tree a, Tree b) {
  return a.bytes != b.bytes ? a.bytes < b.bytes : a.collectives < b.collectives;
}

static const DspAlternative *pick_of(const DspSearchProblem *p,
                                     const uint32_t *picks, size_t op) {
  return &p->choices[p->ops[op].choice].alternatives[picks[op]];
}

/// The cheapest way to own exactly the layouts of each set, one after the
/// other, starting at `base`.
static void grow_trees(const DspLayoutClass *table, uint32_t base,
                       Tree *trees) {
  uint32_t n = table->count;
  for (uint32_t set = 0; set < 1u << n; ++set)
    trees[set] = (Tree){set == 1u << base ? 0 : DSP_PLAN_NEVER, 0};
  for (uint32_t set = 0; set < 1u << n; ++set)
    for (uint32_t from = 0; from < n; ++from)
      for (uint32_t to = 0; to < n; ++to) {
        uint32_t more = set | 1u << to;
        int64_t bytes = table->bytes[from * n + to];
        if (!(set >> from & 1) || set >> to & 1 || bytes == DSP_PLAN_NEVER ||
            trees[set].bytes == DSP_PLAN_NEVER)
          continue;
        Tree tree = {trees[set].bytes + bytes,
                     trees[set].collectives +
                         table->collectives[from * n + to]};
        if (tree_less(tree, trees[more]))
          trees[more] = tree;
      }
}

static Tree cheapest_tree(const DspLayoutClass *table, uint32_t base,
                          uint32_t asked) {
  Tree trees[1 << MAX_LAYOUTS], best = {DSP_PLAN_NEVER, 0};
  grow_trees(table, base, trees);
  for (uint32_t set = 0; set < 1u << table->count; ++set)
    if ((set & asked) == asked && tree_less(trees[set], best))
      best = trees[set];
  return best;
}

/// Where a value is made, and what is asked of it.
static Tree cost_of_value(const DspSearchProblem *p, const uint32_t *picks,
                          uint32_t value) {
  uint32_t base = 0, asked = 0;
  for (size_t op = 0; op < p->nops; ++op) {
    const DspChoice *choice = &p->choices[p->ops[op].choice];
    for (uint32_t i = 0; i < choice->nresults; ++i)
      if (p->ops[op].results[i] == value)
        base = pick_of(p, picks, op)->gives[i];
    for (uint32_t i = 0; i < choice->noperands; ++i)
      if (p->ops[op].operands[i] == value)
        asked |= 1u << pick_of(p, picks, op)->needs[i];
  }
  return cheapest_tree(&p->classes[p->value_class[value]], base, asked);
}

static void judge_combination(Brute *b) {
  const DspSearchProblem *p = b->problem;
  DspPlanCost cost = {0};
  for (size_t op = 0; op < p->nops; ++op) {
    const DspAlternative *way = pick_of(p, b->picks, op);
    cost.bytes += way->bytes;
    cost.collectives += way->collectives;
    cost.penalty += way->penalty;
    cost.order += way->order;
  }
  for (uint32_t value = 0; value < p->nvalues; ++value) {
    Tree tree = cost_of_value(p, b->picks, value);
    if (tree.bytes == DSP_PLAN_NEVER)
      return;
    cost.bytes += tree.bytes;
    cost.collectives += tree.collectives;
  }
  if (!b->found || dsp_plan_cost_compare(cost, b->best) < 0)
    b->best = cost;
  b->found = true;
}

static void try_all(Brute *b, size_t op) {
  if (op == b->problem->nops) {
    judge_combination(b);
    return;
  }
  uint32_t count = b->problem->choices[b->problem->ops[op].choice].count;
  for (b->picks[op] = 0; b->picks[op] < count; ++b->picks[op])
    try_all(b, op + 1);
}

bool brute_force(DspArena *arena, const DspSearchProblem *problem,
                 DspPlanCost *best) {
  Brute b = {.problem = problem};
  b.picks = dsp_arena_alloc(arena, (problem->nops + 1) * sizeof *b.picks);
  try_all(&b, 0);
  *best = b.best;
  return b.found;
}

size_t count_combinations(const DspSearchProblem *problem, size_t limit) {
  size_t count = 1;
  for (size_t op = 0; op < problem->nops && count < limit; ++op)
    count *= problem->choices[problem->ops[op].choice].count;
  return count < limit ? count : limit;
}

/// The conversions before one op.
static const char *convert(const DspSearchProblem *p, const DspSearchResult *r,
                           size_t op, size_t *next, uint64_t *exists,
                           DspPlanCost *cost) {
  for (; *next < r->nconversions && r->conversions[*next].before == op;
       ++*next) {
    DspConversion c = r->conversions[*next];
    const DspLayoutClass *table = &p->classes[p->value_class[c.value]];
    size_t at = (size_t)c.from * table->count + c.to;
    if (!(exists[c.value] >> c.from & 1))
      return "a conversion starts where the value does not exist";
    if (exists[c.value] >> c.to & 1)
      return "a conversion is paid for twice";
    if (table->bytes[at] == DSP_PLAN_NEVER)
      return "a conversion is impossible";
    exists[c.value] |= (uint64_t)1 << c.to;
    cost->bytes += table->bytes[at];
    cost->collectives += table->collectives[at];
  }
  return NULL;
}

static const char *run_op(const DspSearchProblem *p, const DspSearchResult *r,
                          size_t op, uint64_t *exists, DspPlanCost *cost) {
  const DspChoice *choice = &p->choices[p->ops[op].choice];
  if (r->picks[op] >= choice->count)
    return "an op picks an alternative that it does not have";
  const DspAlternative *way = pick_of(p, r->picks, op);
  for (uint32_t i = 0; i < choice->noperands; ++i)
    if (!(exists[p->ops[op].operands[i]] >> way->needs[i] & 1))
      return "an operand is not in the layout that the op needs";
  for (uint32_t i = 0; i < choice->nresults; ++i)
    exists[p->ops[op].results[i]] = (uint64_t)1 << way->gives[i];
  cost->bytes += way->bytes;
  cost->collectives += way->collectives;
  cost->penalty += way->penalty;
  cost->order += way->order;
  return NULL;
}

const char *replay(DspArena *arena, const DspSearchProblem *problem,
                   const DspSearchResult *result, DspPlanCost *cost) {
  size_t size = (problem->nvalues + 1) * sizeof(uint64_t), next = 0;
  uint64_t *exists = memset(dsp_arena_alloc(arena, size), 0, size);
  *cost = (DspPlanCost){0};
  for (size_t op = 0; op < problem->nops; ++op) {
    const char *wrong = convert(problem, result, op, &next, exists, cost);
    if (!wrong)
      wrong = run_op(problem, result, op, exists, cost);
    if (wrong)
      return wrong;
  }
  return next == result->nconversions ? NULL : "a conversion never runs";
}
