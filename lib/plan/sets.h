// sets.h - the layouts in which one value exists, as a set that grows.
#ifndef DSPC_LIB_PLAN_SETS_H
#define DSPC_LIB_PLAN_SETS_H

#include "dspc/plan/plan.h"
#include "intern.h"

/// What conversions cost.  `bytes` is DSP_PLAN_NEVER when there is no way.
typedef struct DspHop {
  int64_t bytes;
  int64_t collectives;
} DspHop;

/// Layouts of one class, a bit each.
typedef uint64_t DspLayoutSet;

/// A class and what follows from its table.
typedef struct DspMetric {
  uint32_t count;
  const DspLayoutClass *table;
  DspHop *near;       ///< [count][count] by the cheapest sequence
  DspLayoutSet *free; ///< [count] what costs nothing from here, itself too
} DspMetric;

/// Uses to come are counted up to here: more are as good as endless.
enum { DSP_USES_MANY = 3 };

/// What the rest of the program may ask of a value.
typedef struct DspDemand {
  uint32_t class_id;
  uint32_t uses;       ///< still to come, at most DSP_USES_MANY
  DspLayoutSet wanted; ///< the layouts that some alternative of them needs
} DspDemand;

/// One way to bring a value into a layout.
typedef struct DspReach {
  DspLayoutSet set; ///< what is worth remembering afterwards
  DspHop hop;
  uint32_t nstops;
  const uint8_t *stops; ///< [nstops] from a layout of the old set to the new
} DspReach;

typedef struct DspReachList {
  size_t count;
  const DspReach *ways;
  bool cut;      ///< there may be more ways
  int64_t least; ///< bytes of the cheapest one
} DspReachList;

enum { DSP_MOST_WAYS = 48, DSP_MOST_TRAILS = 400 }; ///< of one list

/// A gap that was asked for before.
typedef struct DspGap {
  DspDemand demand;
  DspLayoutSet have, other;
  DspHop hop;
} DspGap;

/// A reach that was asked for before.
typedef struct DspKnownReach {
  DspDemand after;
  DspLayoutSet set;
  uint32_t layout;
  DspReachList list;
} DspKnownReach;

enum { DSP_GAPS = 1024, DSP_REACHES = 1024 }; ///< remembered; powers of two

/// The metrics of all classes, and the reaches and gaps found so far.
typedef struct DspSets {
  DspArena *arena;
  const DspMetric *metrics;
  DspInterner keys;
  DspReachList *lists;
  uint32_t capacity;
  DspGap *gaps; ///< [DSP_GAPS] each where its hash says, the latest stays
  DspKnownReach *reaches; ///< [DSP_REACHES] likewise, in front of `lists`
  bool cut; ///< some list is cut
} DspSets;

DspSets dsp_sets(DspArena *arena, const DspSearchProblem *problem);

/// Every way to have `layout` that can be part of a cheapest plan: the
/// cheapest one, and dearer ones that leave a better set behind for the
/// demand that remains after this use.  None when the layout is out of reach.
DspReachList dsp_sets_reach(DspSets *sets, DspDemand after, DspLayoutSet set,
                            uint32_t layout);

/// An upper bound on how much more the demand costs with `have` than with
/// `other`: the plan that goes on from `other` can be followed from `have` at
/// this price.  Never negative.
DspHop dsp_sets_gap(const DspSets *sets, DspDemand demand, DspLayoutSet have,
                    DspLayoutSet other);

DspHop dsp_hop_add(DspHop a, DspHop b);
bool dsp_hop_less(DspHop a, DspHop b);

/// The lowest layout of a set that is not empty.
static inline uint32_t dsp_set_first(DspLayoutSet set) {
  return (uint32_t)__builtin_ctzll(set);
}

static inline DspLayoutSet dsp_set_of(uint32_t layout) {
  return (DspLayoutSet)1 << layout;
}

#endif
