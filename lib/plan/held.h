// held.h - what an op holds in memory while it runs, and what that is charged.
#ifndef DSPC_LIB_PLAN_HELD_H
#define DSPC_LIB_PLAN_HELD_H

#include "dspc/plan/fit.h"

typedef struct DspHolding {
  const DspPlanGraph *graph;
  const DspPlanMesh *mesh;
  const int64_t *prices;      ///< [nops] or NULL
  const DspPlanShape *shapes; ///< [nvalues]
  const uint32_t *reader; ///< [nvalues] of a parameter, the only op that reads
                          ///< it, or DSP_NO_READER
  const uint32_t *roots; ///< [nvalues] the value whose memory it may be a part
                         ///< of; DSP_HELD_WEIGHT: a parameter's
} DspHolding;

#define DSP_HELD_WEIGHT UINT32_MAX

DspHolding dsp_holding(DspArena *arena, const DspPlanGraph *graph,
                       const DspPlanMesh *mesh, const int64_t *prices);

/// Bytes that op `o` surely holds with its values in these layouts.
int64_t dsp_holding_bytes(const DspHolding *holding, size_t o,
                          const DspPlanLayout *operands,
                          const DspPlanLayout *results);

/// What the op is charged for `bytes`, rounded down: a bound stays one.
int64_t dsp_holding_charge(const DspHolding *holding, size_t o, int64_t bytes);

/// The first operand that may share memory with operand `i`, or
/// DSP_HELD_WEIGHT; of a parameter that nobody else reads, itself.
uint32_t dsp_holding_same(const DspHolding *holding, const DspPlanOp *op,
                          size_t i);

#endif
