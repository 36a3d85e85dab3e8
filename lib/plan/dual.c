// dual.c - the problem, taken apart: a lower bound for all its plans.
//
// The cost of a plan is a sum over ops, what the picked alternative costs, and
// over values, what the tree of conversions costs from the layout that the
// maker gives to those that the readers need.  Taken apart, each op and each
// value may choose its layouts alone, and the sum of the minima is a lower
// bound.  It holds as well when an op pays for a layout of an operand or a
// result and the value is paid the same: for the same layout on both sides
// nothing changes.  Such payments make the parts agree.  An op collects what
// its values charge for each layout, and passes on an equal part of what its
// alternatives then cost to the values that come after it (going forth) or
// before it (going back).  The bound never falls (Kolmogorov: sequential
// reweighted message passing, arXiv:1309.5655).
//
// An alternative is dropped when the bound with it is above the bytes of a plan
// that is known.
//
// Needs:  ops in topological order.
// Leaves: payments, and the alternatives that are left.  Whatever the payments
//         are, the bound holds.
#include "dual.h"

#include "parts.h"

enum { SCALE = DSP_DUAL_SCALE };

struct DspDual {
  DspArena *arena;
  const DspSearchProblem *problem;
  DspParts parts;
  bool **dropped;        ///< [nops][alternatives]
  DspLayoutSet *stops;   ///< [nvalues] layouts that are left
  int64_t *cost, *asked; ///< scratch: by alternative, by layout or label
};

DspDual *dsp_dual(DspArena *arena, const DspSearchProblem *problem,
                  const DspSets *sets) {
  DspDual *d = DSP_NEW(arena, DspDual, 1);
  *d = (DspDual){.arena = arena, .problem = problem};
  d->parts = dsp_parts(arena, problem, sets);
  d->dropped = DSP_NEW(arena, bool *, problem->nops);
  d->stops = DSP_NEW(arena, DspLayoutSet, problem->nvalues);
  uint32_t most = DSP_PLAN_MAX_LAYOUTS;
  for (size_t op = 0; op < problem->nops; ++op) {
    uint32_t count = dsp_choice_of(problem, op)->count;
    d->dropped[op] = DSP_NEW(arena, bool, count);
    most = count > most ? count : most;
  }
  for (size_t v = 0; v < problem->nvalues; ++v) d->stops[v] = ~(DspLayoutSet)0;
  d->cost = DSP_NEW(arena, int64_t, most);
  d->asked = DSP_NEW(arena, int64_t, most);
  return d;
}

static int64_t *payments(const DspDual *d, const DspEdge *edge) {
  return d->parts.shares[edge->share].add[edge->position];
}

/// What each alternative costs the op, after its payments.
static void find_costs(DspDual *d, uint32_t op) {
  const DspChoice *choice = dsp_choice_of(d->problem, op);
  for (uint32_t a = 0; a < choice->count; ++a) {
    int64_t cost = d->dropped[op][a]
                       ? DSP_DUAL_NEVER
                       : dsp_dual_cost(choice->alternatives[a].bytes);
    for (uint32_t e = d->parts.first_edge[op]; e < d->parts.first_edge[op + 1];
         ++e) {
      const DspEdge *edge = &d->parts.edges[e];
      int64_t paid = payments(d, edge)[edge->labels[a]];
      cost = paid >= DSP_DUAL_NEVER || cost >= DSP_DUAL_NEVER ? DSP_DUAL_NEVER
                                                              : cost - paid;
    }
    d->cost[a] = cost;
  }
}

/// Takes back what a value asks for each layout.
static void collect(DspDual *d, uint32_t op, const DspEdge *edge) {
  const DspChoice *choice = dsp_choice_of(d->problem, op);
  const DspShare *share = &d->parts.shares[edge->share];
  int64_t *asked = d->asked, *add = share->add[edge->position];
  uint32_t width = dsp_share_width(share, edge->position);
  dsp_share_marginal(share, edge->position, asked);
  for (uint32_t x = 0; x < width; ++x)
    if (asked[x] < DSP_DUAL_NEVER) add[x] -= asked[x];
  for (uint32_t a = 0; a < choice->count; ++a) {
    d->cost[a] = dsp_dual_add(d->cost[a], asked[edge->labels[a]]);
    d->dropped[op][a] |= d->cost[a] >= DSP_DUAL_NEVER;
  }
}

static int64_t divided(int64_t cost, uint32_t by) {
  int64_t part = cost / by;
  return part * by > cost ? part - 1 : part;
}

/// The least cost of the op with each layout on an edge.
static void find_least(const DspDual *d, uint32_t op, const DspEdge *edge,
                       int64_t *least) {
  const DspChoice *choice = dsp_choice_of(d->problem, op);
  uint32_t width =
      dsp_share_width(&d->parts.shares[edge->share], edge->position);
  for (uint32_t x = 0; x < width; ++x) least[x] = DSP_DUAL_NEVER;
  for (uint32_t a = 0; a < choice->count; ++a) {
    uint32_t layout = edge->labels[a];
    if (d->cost[a] < least[layout]) least[layout] = d->cost[a];
  }
}

static bool goes_on(const DspEdge *edge, bool forth) {
  return forth ? edge->after : edge->before;
}

/// Passes the cost of the op on, in equal parts.
static void pass_on(DspDual *d, uint32_t op, bool forth) {
  uint32_t before = 0, after = 0;
  for (uint32_t e = d->parts.first_edge[op]; e < d->parts.first_edge[op + 1];
       ++e) {
    before += d->parts.edges[e].before;
    after += d->parts.edges[e].after;
  }
  uint32_t parts = forth ? after : before;
  for (uint32_t e = d->parts.first_edge[op]; e < d->parts.first_edge[op + 1];
       ++e) {
    const DspEdge *edge = &d->parts.edges[e];
    int64_t *least = d->asked, *add = payments(d, edge);
    uint32_t width =
        dsp_share_width(&d->parts.shares[edge->share], edge->position);
    find_least(d, op, edge, least);
    for (uint32_t x = 0; x < width; ++x)
      if (least[x] >= DSP_DUAL_NEVER)
        add[x] = DSP_DUAL_NEVER; // no alternative of the op asks for it
      else if (goes_on(edge, forth))
        add[x] += divided(least[x], parts);
  }
}

static void visit(DspDual *d, uint32_t op, bool forth) {
  find_costs(d, op);
  for (uint32_t e = d->parts.first_edge[op]; e < d->parts.first_edge[op + 1];
       ++e)
    collect(d, op, &d->parts.edges[e]);
  pass_on(d, op, forth);
}

static int64_t least_of(const int64_t *costs, uint32_t count) {
  int64_t least = DSP_DUAL_NEVER;
  for (uint32_t i = 0; i < count; ++i)
    least = costs[i] < least ? costs[i] : least;
  return least;
}

/// The sum of the minima of all parts: from the payments alone.
static int64_t sum_up(DspDual *d) {
  int64_t sum = 0, *asked = d->asked;
  for (uint32_t op = 0; op < d->problem->nops; ++op) {
    find_costs(d, op);
    sum = dsp_dual_add(sum,
                       least_of(d->cost, dsp_choice_of(d->problem, op)->count));
  }
  for (uint32_t i = 0; i < d->parts.nshares; ++i) {
    dsp_share_marginal(&d->parts.shares[i], 0, asked);
    sum = dsp_dual_add(sum, least_of(asked, d->parts.shares[i].count));
  }
  return sum;
}

static int64_t in_bytes(int64_t cost) {
  return cost >= DSP_DUAL_NEVER ? DSP_PLAN_NEVER
         : cost <= 0            ? 0
                                : (cost + SCALE - 1) / SCALE;
}

int64_t dsp_dual_raise(DspDual *d, uint32_t rounds) {
  uint32_t nops = (uint32_t)d->problem->nops;
  for (uint32_t round = 0; round < rounds; ++round) {
    for (uint32_t op = 0; op < nops; ++op) visit(d, op, true);
    for (uint32_t op = nops; op-- > 0;) visit(d, op, false);
  }
  return in_bytes(sum_up(d));
}

/// Adds to each alternative what its layouts cost the values above their
/// minima.  Of the operands that are the same value in one share, one counts.
static void add_regrets(DspDual *d, uint32_t op) {
  const DspChoice *choice = dsp_choice_of(d->problem, op);
  int64_t *asked = d->asked;
  uint32_t first = d->parts.first_edge[op];
  for (uint32_t e = first; e < d->parts.first_edge[op + 1]; ++e) {
    const DspEdge *edge = &d->parts.edges[e];
    bool again = false;
    for (uint32_t k = first; k < e; ++k)
      again |= d->parts.edges[k].share == edge->share;
    if (again) continue;
    const DspShare *share = &d->parts.shares[edge->share];
    dsp_share_marginal(share, edge->position, asked);
    int64_t least = least_of(asked, dsp_share_width(share, edge->position));
    for (uint32_t a = 0; a < choice->count; ++a) {
      int64_t more = asked[edge->labels[a]];
      d->cost[a] = dsp_dual_add(d->cost[a],
                                more >= DSP_DUAL_NEVER ? more : more - least);
    }
  }
}

/// Of the layouts of a value, those stay that in some share may be part of a
/// plan that moves no more than `known`.
static void drop_stops(DspDual *d, int64_t bound, int64_t known) {
  const DspParts *parts = &d->parts;
  int64_t through[DSP_PLAN_MAX_LAYOUTS];
  DspLayoutSet *kept = DSP_NEW(d->arena, DspLayoutSet, d->problem->nvalues);
  for (uint32_t i = 0; i < parts->nshares; ++i) {
    const DspShare *share = &parts->shares[i];
    dsp_share_marginal(share, 0, d->asked);
    int64_t least = least_of(d->asked, share->count);
    dsp_share_through(share, through);
    for (uint32_t x = 0; x < share->count; ++x)
      if (through[x] < DSP_DUAL_NEVER &&
          bound - least + through[x] <= known * SCALE)
        kept[parts->share_value[i]] |= dsp_set_of(x);
  }
  for (size_t v = 0; v < d->problem->nvalues; ++v) d->stops[v] &= kept[v];
}

size_t dsp_dual_drop(DspDual *d, int64_t known) {
  int64_t bound = sum_up(d);
  size_t count = 0;
  if (bound >= DSP_DUAL_NEVER) return 0;
  for (uint32_t op = 0; op < d->problem->nops; ++op) {
    uint32_t n = dsp_choice_of(d->problem, op)->count;
    find_costs(d, op);
    int64_t least = least_of(d->cost, n);
    add_regrets(d, op);
    for (uint32_t a = 0; a < n; ++a) {
      bool over = d->cost[a] >= DSP_DUAL_NEVER ||
                  bound - least + d->cost[a] > known * SCALE;
      count += over && !d->dropped[op][a];
      d->dropped[op][a] |= over;
    }
  }
  drop_stops(d, bound, known);
  return count;
}

bool dsp_dual_has(const DspDual *d, size_t op, uint32_t alternative) {
  return !d->dropped[op][alternative];
}

DspLayoutSet dsp_dual_stops(const DspDual *d, size_t value) {
  return d->stops[value];
}
