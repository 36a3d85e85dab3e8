// improve.c - where the search met a limit, look again among fewer plans.
//
// A beam may lose its way: what it keeps looks cheap now and is dear later.
// Two smaller problems are searched after it.  In the first both axes cut the
// same dim wherever an op offers that: these are the plans of one axis of as
// many ranks, lifted to two.  In the second ops that are alike may do what some
// op of that kind does in a plan found so far, and nothing else; it holds all
// these plans, and mixes them.  It is repeated as long as that helps.
//
// Needs:  the result of the search.
// Leaves: the cheapest plan of all; the bound is that of the first search.
#include "improve.h"

#include "dspc/support/bug.h"
#include "intern.h"

enum { MOST_ROUNDS = 4 };

typedef struct Improver {
  DspArena *arena, *scratch;
  const DspLowered *lowered;
  const DspSearchLimits *limits;
  bool **offered; ///< [nchoices][count] what the next problem holds
  DspSearchResult *best;
} Improver;

static bool **no_offers(Improver *m) {
  const DspSearchProblem *p = &m->lowered->problem;
  bool **offered = DSP_NEW(m->scratch, bool *, p->nchoices);
  for (size_t c = 0; c < p->nchoices; ++c)
    offered[c] = DSP_NEW(m->scratch, bool, p->choices[c].count);
  return offered;
}

static bool same_on_both(DspPlanWays ways) {
  return ways.axes[0].dim == ways.axes[1].dim &&
         ways.axes[0].contracted == ways.axes[1].contracted &&
         !ways.axes[0].ring && !ways.axes[1].ring;
}

/// Offers the alternatives that treat both axes alike; where there is none,
/// all.
static void offer_lifted(Improver *m) {
  const DspSearchProblem *p = &m->lowered->problem;
  for (size_t c = 0; c < p->nchoices; ++c) {
    bool any = false;
    for (uint32_t a = 0; a < p->choices[c].count; ++a)
      any |= m->offered[c][a] = same_on_both(m->lowered->ways[c][a]);
    for (uint32_t a = 0; a < p->choices[c].count; ++a)
      m->offered[c][a] |= !any;
  }
}

static void offer_picks(const Improver *m, bool **offered,
                        const uint32_t *picks) {
  const DspSearchProblem *p = &m->lowered->problem;
  for (size_t op = 0; op < p->nops; ++op)
    offered[p->ops[op].choice][picks[op]] = true;
}

/// The choice without what is not offered; `places` receives where each
/// alternative that stays stood.
static DspChoice narrowed(const Improver *m, const DspChoice *choice,
                          const bool *offered, uint32_t *places) {
  DspAlternative *kept = DSP_NEW(m->scratch, DspAlternative, choice->count);
  uint32_t count = 0;
  for (uint32_t a = 0; a < choice->count; ++a) {
    if (!offered[a])
      continue;
    places[count] = a;
    kept[count++] = choice->alternatives[a];
  }
  return (DspChoice){choice->noperands, choice->nresults, count, kept};
}

/// Searches what is offered; the picks are those of the whole problem.
static bool search(const Improver *m, DspSearchResult *result) {
  DspSearchProblem p = m->lowered->problem;
  DspChoice *choices = DSP_NEW(m->scratch, DspChoice, p.nchoices);
  uint32_t **places = DSP_NEW(m->scratch, uint32_t *, p.nchoices);
  for (size_t c = 0; c < p.nchoices; ++c) {
    places[c] = DSP_NEW(m->scratch, uint32_t, p.choices[c].count);
    choices[c] = narrowed(m, &p.choices[c], m->offered[c], places[c]);
  }
  p.choices = choices;
  if (dsp_search(m->arena, &p, m->limits, result) != DSP_SEARCH_OK)
    return false;
  for (size_t op = 0; op < p.nops; ++op)
    result->picks[op] = places[p.ops[op].choice][result->picks[op]];
  return true;
}

/// Takes the plan if it is cheaper; what is proved stays.
static bool take(DspSearchResult *best, const DspSearchResult *other) {
  DspCertificate certificate = best->certificate;
  if (dsp_plan_cost_compare(other->certificate.found, certificate.found) >= 0)
    return false;
  *best = *other;
  certificate.found = other->certificate.found;
  if (certificate.lower_bound > certificate.found.bytes)
    dsp_bug("a plan of %lld bytes below the proved bound of %lld",
            (long long)certificate.found.bytes,
            (long long)certificate.lower_bound);
  best->certificate = certificate;
  return true;
}

void dsp_improve(DspArena *arena, const DspLowered *lowered,
                 const DspSearchLimits *limits, DspSearchResult *result) {
  if (result->certificate.exact)
    return;
  Improver m = {.arena = arena, .scratch = dsp_arena_create(),
                .lowered = lowered, .limits = limits, .best = result};
  bool **pool = no_offers(&m);
  DspSearchResult other;
  offer_picks(&m, pool, result->picks);
  m.offered = no_offers(&m);
  offer_lifted(&m);
  if (search(&m, &other)) {
    offer_picks(&m, pool, other.picks);
    take(result, &other);
  }
  m.offered = pool;
  for (int round = 0; round < MOST_ROUNDS; ++round) {
    if (!search(&m, &other) || !take(result, &other))
      break;
    offer_picks(&m, pool, other.picks);
  }
  dsp_arena_destroy(m.scratch);
}
