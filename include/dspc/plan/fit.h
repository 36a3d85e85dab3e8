// fit.h - the cheapest plan that fits into the memory of a rank.
//
// What a plan holds is not one number that the search could bound: it depends
// on which values live at the same time, and that on all passes after the
// plan.  So bytes that are held get a price, the search minimises cost and
// price together, and prices are looked for at which the plan fits.
//
// That also proves something.  An op holds its operands, its results and the
// weights that it reads while it runs, and a rank all other weights as well: a
// plan needs at least that of any one op (its floor), and so of any mean of
// several ops.  With a price of P, dealt out to ops, and of P for weights, less
// what the op that reads one has, no plan that fits into L bytes is charged
// more than P * L; so each costs at least what the search found, charges
// included, less P * L.
#ifndef DSPC_PLAN_FIT_H
#define DSPC_PLAN_FIT_H

#include "dspc/plan/rules.h"

/// A price of 1: a byte held for a byte moved, or for a picosecond.
#define DSP_PRICE_ONE ((int64_t)1 << 20)

/// What the ops of a plan surely hold on the rank that holds most.
typedef struct DspHolds {
  size_t nops;
  /// [nops] bytes: a parameter, an input, an output itself; an op that
  /// multiplies or reduces its operands and results, once where they share
  /// memory, and of the parameters those that nobody else reads.  Norms and
  /// elementwise ops may become a part of another op: 0.
  const int64_t *bytes;
  const bool *is_weight;  ///< [nops] a parameter
  const uint32_t *reader; ///< [nops] of a parameter, the op that holds it too,
                          ///< or DSP_NO_READER
} DspHolds;

#define DSP_NO_READER UINT32_MAX

DspHolds dsp_plan_holds(DspArena *arena, const DspPlanGraph *graph,
                        const DspPlanMesh *mesh, const DspPlan *plan);

/// What each op holds besides parameters as they lie [nops].
const int64_t *dsp_holds_besides(DspArena *arena, const DspHolds *holds);

/// The parameters and the op that holds most besides: no rank needs less.
int64_t dsp_holds_floor(DspArena *arena, const DspHolds *holds);

/// Bytes of the parameters, and of what stands for some, of a plan.
int64_t dsp_plan_weight_bytes(DspArena *arena, const DspPlanGraph *graph,
                              const DspPlanMesh *mesh, const DspPlan *plan);

/// A plan that was found at some prices.
typedef struct DspPriced {
  int64_t cost;   ///< bytes or picoseconds, without what was charged
  int64_t bound;  ///< no plan costs less, what is charged included
  int64_t memory; ///< bytes of the rank that needs most; at least
                  ///< `floor`, or nothing is proved
  int64_t floor;
  DspHolds holds;
} DspPriced;

/// Who can plan and measure.
typedef struct DspFitter {
  int64_t limit;  ///< bytes
  int64_t spare;  ///< of these, what no plan can use for weights or values
  size_t most;    ///< plans to look at
  /// Plans at `prices` [nops] (NULL: none) and measures; false: no plan.
  bool (*plan)(void *user, const int64_t *prices, DspPriced *out);
  void *user;
} DspFitter;

/// The cheapest plan found that fits.
typedef struct DspFit {
  bool fits;             ///< false: none was found, nothing below holds
  const int64_t *prices; ///< [nops] those that give it; NULL: none
  DspPriced plan;
  DspPriced free; ///< the cheapest plan without a limit; also if none fits
  int64_t bound;  ///< no plan that fits costs less
  size_t plans;   ///< looked at
} DspFit;

/// Looks for the cheapest plan that fits.  First without prices; then with a
/// high price, at which nothing is held that need not be; then at the price
/// where the two lines meet, and so on, until the price is the one of which
/// the bound is best; last with a little more than that for some weights and a
/// little less for the others, since equal layers change their minds together.
/// All that with the ops charged that hold much, most, or anything.
/// `whether`: stop at the first that fits.
DspFit dsp_plan_fit(DspArena *arena, const DspFitter *fitter, bool whether);

#endif
