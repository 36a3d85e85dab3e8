// plan.h - the search: ops, layouts and costs in; the cheapest plan and its
// proof out.
//
// This layer knows no dims and no ranks.  A value is in one of the layouts of
// its class, a class being a table of conversion costs.  An op picks one of
// its alternatives: which layout it needs of each operand and which layout it
// gives each result.  Converting a value costs once, however many ops read it
// in that layout, and a conversion may stop at other layouts on the way.
//
// The search is exact: see `DspCertificate`.  rules.h makes a problem from ops
// that are described as loop nests.
#ifndef DSPC_PLAN_PLAN_H
#define DSPC_PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dspc/support/arena.h"

enum {
  DSP_PLAN_MAX_LAYOUTS = 64, ///< most layouts of one class
  DSP_PLAN_MAX_ARITY = 32,   ///< most operands, and most results, of one op
};

/// The cost of a conversion that cannot be done.
#define DSP_PLAN_NEVER INT64_MAX

/// What a plan costs.  Compared member by member in this order, so that a tie
/// in bytes is broken by the number of collectives, and so on.
typedef struct DspPlanCost {
  int64_t bytes;       ///< leaving all ranks together; or the picoseconds of
                       ///< the whole plan, when time is what is to be least
  int64_t collectives; ///< that move at least one byte
  int64_t penalty;     ///< elements that are computed more than once
  int64_t order;       ///< sum of `DspAlternative.order`
} DspPlanCost;

/// Values whose layouts and conversion costs are the same.  Both tables are
/// [count][count], from x to, with direct conversions only; the diagonal is
/// not read.  `bytes` may be DSP_PLAN_NEVER.
typedef struct DspLayoutClass {
  uint32_t count; ///< 1 to DSP_PLAN_MAX_LAYOUTS
  const int64_t *bytes;
  const uint8_t *collectives;
} DspLayoutClass;

/// One way to run an op.
typedef struct DspAlternative {
  const uint8_t *needs; ///< [noperands] layout, an index into the class
  const uint8_t *gives; ///< [nresults]
  int64_t bytes;        ///< moved inside the op
  int64_t collectives;  ///< inside the op
  int64_t penalty;      ///< at least 0
  int64_t order;        ///< the smaller wins among equals; at least 0
} DspAlternative;

/// The ways to run an op; ops that are alike share one.  A pin is a choice
/// from which the caller has removed the other alternatives.
typedef struct DspChoice {
  uint32_t noperands;
  uint32_t nresults;
  uint32_t count; ///< no alternative at all: the problem has no plan
  const DspAlternative *alternatives;
} DspChoice;

/// An op.  Sources have no operands, outputs have no results.
typedef struct DspSearchOp {
  uint32_t choice;
  const uint32_t *operands; ///< [noperands] values; one may stand twice
  const uint32_t *results;  ///< [nresults] values, each the result of one op
} DspSearchOp;

/// Ops are in topological order: an operand is a result of an earlier op.
typedef struct DspSearchProblem {
  size_t nclasses;
  const DspLayoutClass *classes;
  size_t nchoices;
  const DspChoice *choices;
  size_t nvalues;
  const uint32_t *value_class; ///< [nvalues]
  size_t nops;
  const DspSearchOp *ops;
} DspSearchProblem;

/// Limits of the exact search.  Zero means the default.
typedef struct DspSearchLimits {
  size_t max_width;    ///< states between two ops; 200,000
  size_t max_explored; ///< states in all; 4,000,000
  size_t beam;         ///< states kept once a limit was met; 1,000
  size_t kept_states;  ///< larger frontiers are not looked up again; 4096
  int64_t known;       ///< bytes of a plan that is known, or 0: whatever moves
                       ///< more is not looked at
  bool give_up; ///< rather than going on with a beam once a limit was met
} DspSearchLimits;

/// One collective, or one local slice when it moves no bytes.
typedef struct DspConversion {
  uint32_t value;
  uint8_t from;    ///< a layout in which the value exists by then
  uint8_t to;      ///< a layout in which it does not exist yet
  uint32_t before; ///< the op that needs it: an index into `ops`
} DspConversion;

/// What the search can vouch for.  `exact`: no plan of this problem costs less
/// than `found`, in all four members.  Otherwise a limit was met and the best
/// plan is known to lie between the two figures.
typedef struct DspCertificate {
  DspPlanCost found;
  int64_t lower_bound; ///< bytes; equals found.bytes when exact
  bool exact;
  size_t explored;  ///< states made, counting replayed steps once
  size_t max_width; ///< most states between two ops
  size_t steps;     ///< ops searched; the others replayed an equal step
} DspCertificate;

typedef struct DspSearchResult {
  uint32_t *picks; ///< [nops] index into the alternatives of the op's choice
  size_t nconversions;
  DspConversion *conversions; ///< in the order in which they run
  DspCertificate certificate;
} DspSearchResult;

typedef enum DspSearchStatus {
  DSP_SEARCH_OK,
  DSP_SEARCH_NO_PLAN, ///< no choice of alternatives can be connected
  DSP_SEARCH_GAVE_UP, ///< as `DspSearchLimits.give_up` asks for
} DspSearchStatus;

/// Finds the cheapest plan.  `result` and its arrays live in `arena`.  The
/// same problem gives the same plan, always.  Time grows linearly with the
/// number of ops; where a graph repeats itself, a step costs a look-up.
/// `limits` may be NULL.  On DSP_SEARCH_NO_PLAN `result` holds no plan, and
/// its certificate tells whether that is proved (exact) or the beam got lost.
DspSearchStatus dsp_search(DspArena *arena, const DspSearchProblem *problem,
                           const DspSearchLimits *limits,
                           DspSearchResult *result);

/// Negative, zero or positive as `a` is cheaper than, equal to or dearer than
/// `b`.
int dsp_plan_cost_compare(DspPlanCost a, DspPlanCost b);

#endif
