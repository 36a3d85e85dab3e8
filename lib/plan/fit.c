// fit.c - the cheapest plan that fits into the memory of a rank, by prices.
//
// Needs:  someone who plans at given prices and measures the plan.
// Leaves: the cheapest plan met that fits, its prices, and a bound that no plan
//         that fits goes below (fit.h says why).
#include "dspc/plan/fit.h"

#include <string.h>

#include "dspc/support/bug.h"
#include "intern.h"

__extension__ typedef __int128 Wide;

enum {
  ROUNDS = 3,      ///< of finding out which ops hold most
  TRIES = 3,       ///< with other ops charged
  ENOUGH = 16,     ///< plans for one of them; with fewer, the first that fits
                   ///< is the only one
  NUDGE = 64,      ///< a little more or less: 1/64
};

/// A plan and what it would be charged at a price of 1.
typedef struct Point {
  int64_t price;
  DspPriced plan;
  int64_t holds;
} Point;

typedef struct Search {
  DspArena *arena;
  const DspFitter *fitter;
  DspFit *fit;
  size_t nweights;
  bool *charged; ///< [nops] an op that holds much in some plan
  size_t ncharged;
  int64_t share; ///< an op is charged that holds 1/share of what the one holds
                 ///< that holds most
  size_t until;  ///< this many plans
} Search;

static bool fits(const Search *s, const DspPriced *plan) {
  return plan->memory <= s->fitter->limit;
}

static bool has_time(const Search *s) { return s->fit->plans < s->until; }

/// What a weight is charged where the op that reads it is charged `taken`.
static int64_t rest_of(const Search *s, size_t weight, int64_t price,
                       int64_t taken) {
  uint32_t reader = s->fit->free.holds.reader[weight];
  if (reader == DSP_NO_READER || !s->charged[reader])
    return price;
  return price > taken ? price - taken : 0;
}

/// The weights from number `begin` to `end` at `high`, the others at `low`; ops
/// that hold much at `high` together.
static int64_t *make_prices(const Search *s, int64_t high, int64_t low,
                            size_t begin, size_t end) {
  const DspHolds *free = &s->fit->free.holds;
  int64_t *prices = DSP_NEW(s->arena, int64_t, free->nops);
  int64_t of_op = s->ncharged ? high / (int64_t)s->ncharged : 0;
  for (size_t o = 0, weight = 0; o < free->nops; ++o)
    if (free->is_weight[o]) {
      bool dear = begin <= weight && weight < end;
      prices[o] = rest_of(s, o, dear ? high : low, of_op);
      ++weight;
    } else if (s->charged[o]) {
      prices[o] = of_op;
    }
  return prices;
}

/// No plan that fits costs less than the found plan does with its charges,
/// less the most that one that fits is charged.
static void prove(const Search *s, const DspPriced *plan, int64_t price) {
  Wide most = (Wide)price * (s->fitter->limit - s->fitter->spare);
  Wide bound = (Wide)plan->bound - most / DSP_PRICE_ONE;
  if (bound > s->fit->bound)
    s->fit->bound = (int64_t)bound;
}

/// Plans at prices of which the highest is `price`; keeps the best that fits.
static bool plan_at(const Search *s, int64_t *prices, int64_t price,
                    DspPriced *plan) {
  DspFit *fit = s->fit;
  ++fit->plans;
  if (!s->fitter->plan(s->fitter->user, prices, plan))
    return false;
  prove(s, plan, price);
  if (fits(s, plan) && (!fit->fits || plan->cost < fit->plan.cost)) {
    fit->fits = true;
    fit->plan = *plan;
    fit->prices = prices;
  }
  return true;
}

static int64_t weight_bytes(const DspPriced *plan) {
  int64_t bytes = 0;
  for (size_t o = 0; o < plan->holds.nops; ++o)
    bytes += plan->holds.is_weight[o] ? plan->holds.bytes[o] : 0;
  return bytes;
}

/// What a plan holds as far as it is charged.
static int64_t charged_bytes(const Search *s, const DspPriced *plan) {
  const int64_t *besides = dsp_holds_besides(s->arena, &plan->holds);
  int64_t ops = 0;
  for (size_t o = 0; o < plan->holds.nops; ++o)
    ops += s->charged[o] ? besides[o] : 0;
  return weight_bytes(plan) + (s->ncharged ? ops / (int64_t)s->ncharged : 0);
}

static bool plan_all_at(const Search *s, int64_t price, Point *point) {
  point->price = price;
  int64_t *prices = make_prices(s, price, price, 0, s->nweights);
  if (!plan_at(s, prices, price, &point->plan))
    return false;
  point->holds = charged_bytes(s, &point->plan);
  return true;
}

/// Charges the ops that hold much; returns whether that adds some.
static bool charge_ops(Search *s, const DspPriced *plan) {
  const int64_t *besides = dsp_holds_besides(s->arena, &plan->holds);
  int64_t most = 1;
  size_t before = s->ncharged;
  for (size_t o = 0; o < plan->holds.nops; ++o)
    most = besides[o] > most ? besides[o] : most;
  for (size_t o = 0; o < plan->holds.nops; ++o)
    if (!s->charged[o] && besides[o] * s->share >= most) {
      s->charged[o] = true;
      ++s->ncharged;
    }
  return s->ncharged > before;
}

/// So high that nothing else counts, and sums do not overflow.
static int64_t highest_price(const DspPriced *plan) {
  int64_t sum = 1;
  for (size_t o = 0; o < plan->holds.nops; ++o)
    sum += plan->holds.bytes[o];
  Wide price = ((Wide)1 << 52) / sum * DSP_PRICE_ONE;
  Wide most = (Wide)DSP_PRICE_ONE << 20, least = DSP_PRICE_ONE;
  return (int64_t)(price > most ? most : price < least ? least : price);
}

/// Finds a plan that fits by a high price; false: none.
static bool find_high(Search *s, Point *high) {
  for (int round = 0; round < ROUNDS && has_time(s); ++round) {
    if (!plan_all_at(s, highest_price(&s->fit->free), high))
      return false;
    if (fits(s, &high->plan))
      return true;
    if (weight_bytes(&high->plan) > s->fitter->limit ||
        !charge_ops(s, &high->plan))
      return false;
  }
  return false;
}

/// The price at which both plans cost the same, charges included.
static int64_t meeting_price(const Point *low, const Point *high) {
  Wide more = (Wide)high->plan.cost - low->plan.cost;
  Wide fewer = (Wide)low->holds - high->holds;
  if (more > 0 && fewer > 0 &&
      more * DSP_PRICE_ONE / fewer < (Wide)high->price)
    return (int64_t)(more * DSP_PRICE_ONE / fewer);
  return low->price / 2 + high->price / 2;
}

static bool is_same(const Point *a, const Point *b) {
  return a->plan.cost == b->plan.cost && a->holds == b->holds;
}

/// Narrows down to the two plans between which the price is that of the limit;
/// returns it.
static int64_t find_price(const Search *s, Point *low, Point *high) {
  int64_t price = high->price;
  while (has_time(s)) {
    Point middle;
    int64_t next = meeting_price(low, high);
    if (next <= low->price || next >= high->price)
      break;
    price = next;
    if (!plan_all_at(s, price, &middle) || is_same(&middle, low) ||
        is_same(&middle, high))
      break;
    *(fits(s, &middle.plan) ? high : low) = middle;
  }
  return price;
}

/// Looks for the fewest weights, from the first on or up to the last, that must
/// be dear.
static void divide_weights(const Search *s, int64_t price, bool first) {
  int64_t high = price + price / NUDGE + 1, low = price - price / NUDGE;
  size_t few = 0, all = s->nweights, many = all;
  while (many - few > 1 && has_time(s)) {
    size_t count = few + (many - few) / 2;
    DspPriced plan;
    int64_t *prices = make_prices(s, high, low, first ? 0 : all - count,
                                  first ? count : all);
    if (!plan_at(s, prices, high, &plan))
      break;
    *(fits(s, &plan) ? &many : &few) = count;
  }
}

/// Charges the weights and the ops that hold much, and looks for the price.
static void try_share(Search *s, int64_t share, bool whether) {
  Point low = {.plan = s->fit->free}, high;
  s->share = share;
  s->ncharged = 0;
  memset(s->charged, 0, s->fit->free.holds.nops);
  charge_ops(s, &s->fit->free);
  if (!find_high(s, &high) || whether)
    return;
  low.holds = charged_bytes(s, &low.plan);
  int64_t price = find_price(s, &low, &high);
  divide_weights(s, price, true);
  divide_weights(s, price, false);
}

static void search(DspArena *arena, const DspFitter *fitter, DspFit *fit,
                   bool whether) {
  static const int64_t shares[TRIES] = {2, 1, 64};
  const DspHolds *free = &fit->free.holds;
  Search s = {.arena = arena, .fitter = fitter, .fit = fit,
              .charged = DSP_NEW(arena, bool, free->nops)};
  for (size_t o = 0; o < free->nops; ++o)
    s.nweights += free->is_weight[o];
  size_t tries = fitter->most / ENOUGH;
  tries = tries < 1 ? 1 : tries > TRIES ? TRIES : tries;
  for (size_t t = 0; t < TRIES; ++t) {
    size_t left = t < tries ? tries - t : 1;
    if (fit->fits && (whether || t >= tries))
      break;
    s.until = fit->plans + (fitter->most - fit->plans) / left;
    try_share(&s, shares[t], whether);
  }
}

/// What cannot be true is our mistake; that a plan needs less than its floor
/// only means that the floor is none.
static void check_bound(DspFit *fit) {
  if (fit->plan.floor > fit->plan.memory)
    fit->bound = fit->free.bound;
  if (fit->bound > fit->plan.cost)
    dsp_bug("a plan that fits costs %lld, below the proved bound of %lld",
            (long long)fit->plan.cost, (long long)fit->bound);
}

DspFit dsp_plan_fit(DspArena *arena, const DspFitter *fitter, bool whether) {
  DspFit fit = {.plans = 1};
  if (!fitter->plan(fitter->user, NULL, &fit.free))
    return fit;
  fit.bound = fit.free.bound;
  if (fit.free.memory <= fitter->limit) {
    fit.fits = true;
    fit.plan = fit.free;
    return fit;
  }
  search(arena, fitter, &fit, whether);
  if (fit.fits)
    check_bound(&fit);
  return fit;
}
