// mixed.c - the dims that a stage mixes.
//
// Needs:  the loops of all ops.
// Leaves: for each stage, the dims that some op of it needs whole.
#include "mixed.h"

#include "intern.h"

static size_t count_stages(const DspPlanGraph *graph) {
  size_t count = 1;
  for (size_t o = 0; o < graph->nops; ++o)
    if (graph->ops[o].stage >= count)
      count = (size_t)graph->ops[o].stage + 1;
  return count;
}

static void mark_dims(DspMixed *mixed) {
  const DspPlanGraph *graph = mixed->graph;
  for (size_t o = 0; o < graph->nops; ++o) {
    const DspPlanOp *op = &graph->ops[o];
    for (size_t i = 0; op->kind == DSP_PLAN_COMPUTE && i < op->nloops; ++i)
      if (op->loops[i].kind == DSP_LOOP_WHOLE ||
          op->loops[i].kind == DSP_LOOP_RING)
        mixed->dims[op->stage * graph->ndims + op->loops[i].dim] = true;
  }
}

static void number_kinds(DspArena *arena, DspMixed *mixed, size_t nstages) {
  DspInterner kinds = dsp_interner(arena);
  DspKey key = {.arena = arena};
  size_t ndims = mixed->graph->ndims;
  for (size_t s = 0; s < nstages; ++s) {
    bool fresh = false;
    key.count = 0;
    for (size_t d = 0; d < ndims; ++d)
      if (mixed->dims[s * ndims + d])
        dsp_key_add(&key, d);
    mixed->kinds[s] = dsp_intern(&kinds, key.words, key.count, &fresh);
  }
}

DspMixed dsp_find_mixed(DspArena *arena, const DspPlanGraph *graph) {
  size_t nstages = count_stages(graph);
  DspMixed mixed = {graph, DSP_NEW(arena, bool, nstages * graph->ndims),
                    DSP_NEW(arena, uint32_t, nstages)};
  mark_dims(&mixed);
  number_kinds(arena, &mixed, nstages);
  return mixed;
}

static bool is_mixed(const DspMixed *mixed, uint32_t stage, uint32_t dim) {
  const DspPlanDim *it = &mixed->graph->dims[dim];
  const bool *dims = &mixed->dims[stage * mixed->graph->ndims];
  bool any = dims[dim];
  for (size_t i = 0; i < it->natoms; ++i)
    any |= dims[it->atoms[i]];
  return any;
}

int64_t dsp_mixed_order(const DspMixed *mixed, uint32_t stage, uint32_t dim) {
  int64_t ndims = (int64_t)mixed->graph->ndims;
  if (dim == DSP_PLAN_NO_DIM)
    return 2 * ndims;
  return is_mixed(mixed, stage, dim) ? ndims + dim : dim;
}
