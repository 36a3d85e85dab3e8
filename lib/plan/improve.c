// improve.c - where the search meets a limit, find a plan in another way, and
// prove that it is the cheapest.
//
// First the search has a try.  Where it meets a limit, a plan is found among
// fewer alternatives: those in which both axes cut the same dim wherever an op
// offers that.  These are the plans of one axis of as many ranks, lifted to
// two.  Then the whole problem is searched again without what costs more than
// that plan (narrow.c); what it finds is the new plan, until nothing is
// cheaper.  Mostly this proves it.  Where it does not, ops that are alike may
// do what some op of that kind does in a plan found so far, and nothing else:
// this mixes the plans.
//
// Needs:  a problem on one or two axes.
// Leaves: the cheapest plan of all, and the best bound.
#include "improve.h"

#include "dspc/support/bug.h"
#include "intern.h"
#include "search.h"

enum { MOST_ROUNDS = 4, MOST_GUESSES = 16, MOST_MISSES = 3 };

typedef struct Improver {
  DspArena *arena, *scratch;
  const DspLowered *lowered;
  const DspSearchLimits *limits;
  DspJoined *joined; ///< the whole problem
  bool **offered;    ///< [nchoices][count] what the next problem holds
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
    for (uint32_t a = 0; a < p->choices[c].count; ++a) m->offered[c][a] |= !any;
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
    if (!offered[a]) continue;
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

/// Takes the plan if it is cheaper, and the bound if it is higher.
static bool take(DspSearchResult *best, const DspSearchResult *other,
                 bool whole) {
  DspCertificate certificate = best->certificate;
  bool cheaper =
      dsp_plan_cost_compare(other->certificate.found, certificate.found) < 0;
  if (cheaper) *best = *other;
  if (whole && other->certificate.lower_bound > certificate.lower_bound)
    certificate.lower_bound = other->certificate.lower_bound;
  if (other->certificate.max_width > certificate.max_width)
    certificate.max_width = other->certificate.max_width;
  certificate.exact |= whole && other->certificate.exact;
  certificate.explored += other->certificate.explored;
  certificate.steps += other->certificate.steps;
  certificate.found = best->certificate.found;
  if (certificate.lower_bound > certificate.found.bytes)
    dsp_bug("a plan of %lld bytes below the proved bound of %lld",
            (long long)certificate.found.bytes,
            (long long)certificate.lower_bound);
  best->certificate = certificate;
  return cheaper;
}

/// Nothing moves fewer bytes, whether or not it takes fewer collectives.
static bool is_settled(const Improver *m) {
  const DspCertificate *certificate = &m->best->certificate;
  return certificate->exact ||
         certificate->lower_bound == certificate->found.bytes;
}

/// Looks for a plan of at most `guess` bytes; that there is none is a bound.
static DspSearchStatus try_guess(Improver *m, int64_t guess) {
  DspSearchLimits limits = *m->limits;
  DspSearchResult other;
  DspCertificate *certificate = &m->best->certificate;
  limits.known = guess;
  limits.give_up = true;
  DspSearchStatus status =
      dsp_search_joined(m->arena, m->joined, &limits, &other);
  if (status == DSP_SEARCH_NO_PLAN && guess >= certificate->found.bytes)
    dsp_bug("a plan of %lld bytes was lost", (long long)guess);
  if (status == DSP_SEARCH_OK)
    take(m->best, &other, true);
  else if (status == DSP_SEARCH_NO_PLAN)
    certificate->lower_bound = guess + 1;
  else if (other.certificate.lower_bound > certificate->lower_bound)
    certificate->lower_bound = other.certificate.lower_bound;
  return status;
}

/// Searches without what costs more than the plan that is known.  Where too
/// much is left, the bound may be close to the cheapest plan and the one that
/// is known may not: then one guesses what the cheapest one costs, a little
/// above the bound, and more as long as there is no such plan.
static void prove(Improver *m) {
  const DspCertificate *certificate = &m->best->certificate;
  if (try_guess(m, certificate->found.bytes) != DSP_SEARCH_GAVE_UP) return;
  int64_t step = (certificate->found.bytes - certificate->lower_bound) / 256;
  for (int i = 0, misses = 0; i < MOST_GUESSES && misses < MOST_MISSES; ++i) {
    if (is_settled(m)) return;
    int64_t guess = certificate->lower_bound + step;
    if (guess >= certificate->found.bytes)
      guess = certificate->found.bytes - 1;
    bool missed = try_guess(m, guess) == DSP_SEARCH_GAVE_UP;
    misses += missed;
    step = missed ? step / 4 : step * 2;
  }
}

/// Goes on with a beam from where the limit is met.
static void search_on(Improver *m, bool **pool) {
  DspSearchLimits limits = *m->limits;
  DspSearchResult other;
  limits.known = m->best->certificate.found.bytes;
  if (dsp_search_joined(m->arena, m->joined, &limits, &other) != DSP_SEARCH_OK)
    return;
  offer_picks(m, pool, other.picks);
  if (take(m->best, &other, true)) prove(m);
}

/// Mixes the plans that were found.
static void mix(Improver *m, bool **pool) {
  DspSearchResult other;
  m->offered = pool;
  for (int round = 0; round < MOST_ROUNDS && !is_settled(m); ++round) {
    if (!search(m, &other) || !take(m->best, &other, false)) return;
    offer_picks(m, pool, other.picks);
    prove(m);
  }
}

/// Finds some plan: a lifted one, or, where there is none, with a beam.
static DspSearchStatus find_any(Improver *m, bool **pool) {
  m->offered = no_offers(m);
  offer_lifted(m);
  DspSearchLimits few = {.max_width = 200, .max_explored = 2000, .beam = 40};
  const DspSearchLimits *limits = m->limits;
  m->limits = &few;
  bool fine = search(m, m->best);
  m->limits = limits;
  if (fine) {
    m->best->certificate.exact = false;
    m->best->certificate.lower_bound = 0;
  } else {
    DspSearchStatus status =
        dsp_search_joined(m->arena, m->joined, m->limits, m->best);
    if (status != DSP_SEARCH_OK) return status;
  }
  offer_picks(m, pool, m->best->picks);
  return DSP_SEARCH_OK;
}

DspSearchStatus dsp_improve(DspArena *arena, const DspLowered *lowered,
                            const DspSearchLimits *limits,
                            DspSearchResult *result) {
  DspSearchLimits first = *limits;
  Improver m = {.arena = arena,
                .scratch = dsp_arena_create(),
                .lowered = lowered,
                .limits = limits,
                .best = result};
  first.give_up = true;
  m.joined = dsp_join(m.scratch, &lowered->problem);
  DspSearchStatus status = dsp_search_joined(arena, m.joined, &first, result);
  if (status == DSP_SEARCH_GAVE_UP) {
    bool **pool = no_offers(&m);
    status = find_any(&m, pool);
    if (status == DSP_SEARCH_OK) {
      prove(&m);
      if (!is_settled(&m)) search_on(&m, pool);
      mix(&m, pool);
    }
  }
  dsp_arena_destroy(m.scratch);
  return status;
}
