// tree.h - what it costs to have a value in several layouts.
#ifndef DSPC_LIB_PLAN_TREE_H
#define DSPC_LIB_PLAN_TREE_H

#include "sets.h"

/// The trees that were asked for; everything lives in `arena`.
typedef struct DspTrees {
  DspArena *arena;
  const DspSets *sets;
  DspInterner keys;
  const DspHop **hops;
  uint32_t capacity;
} DspTrees;

DspTrees dsp_trees(DspArena *arena, const DspSets *sets);

/// For each layout of the class, the cheapest conversions from it to all
/// layouts of `wanted`, which is not empty.  The time grows with 3 to the
/// power of their number.
const DspHop *dsp_trees_to(DspTrees *trees, uint32_t class_id,
                           DspLayoutSet wanted);

#endif
