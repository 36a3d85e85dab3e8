// renames.c - attention over a dim that its keys call otherwise.
//
// `attention(q, rename(k, T -> Tk), ..., over Tk)` attends over T: a bias or a
// mask between two tokens of T needs two names.  A method that treats attention
// over T apart must know.
//
// Where that is right: keys are followed back, through ops that treat every
// token alike, to the first one that calls the dim otherwise.  An op that
// brings two activations together ends the search, so that the two dims of a
// pair tensor stay two, although they too were one dim once.
//
// Needs:  a graph as rules.h describes it.
// Leaves: for every loop of attention the dim that its keys came from.
#include "methods.h"

enum { FARTHEST = 64 }; ///< ops that are followed back

typedef struct Tracer {
  const DspPlanGraph *graph;
  const bool *constant; ///< [nvalues]
  const uint32_t *maker; ///< [nvalues] op
} Tracer;

/// A dim of a value.
typedef struct Place {
  uint32_t value;
  size_t at;
} Place;

static size_t ndims_of(const Tracer *t, uint32_t value) {
  return t->graph->values[value].ndims;
}

/// The loop of a dim of the only result.
static uint8_t result_loop(const Tracer *t, const DspPlanOp *op, size_t at) {
  const uint8_t *map = op->maps;
  for (size_t i = 0; i < op->noperands; ++i)
    map += ndims_of(t, op->operands[i]);
  return map[at];
}

/// Goes from the result of `op` to the one activation that has the loop.
static bool step_back(const Tracer *t, const DspPlanOp *op, Place *place) {
  uint8_t loop = result_loop(t, op, place->at);
  const uint8_t *map = op->maps;
  uint32_t found = 0;
  for (size_t i = 0; i < op->noperands; ++i) {
    uint32_t value = op->operands[i];
    for (size_t k = 0; k < ndims_of(t, value); ++k)
      if (*map++ == loop && !t->constant[value]) {
        *place = (Place){value, k};
        ++found;
      }
  }
  return found == 1;
}

/// The first other name on the way back, or DSP_PLAN_NO_DIM.
static uint32_t trace(const Tracer *t, Place place) {
  uint32_t dim = t->graph->values[place.value].dims[place.at];
  for (int i = 0; i < FARTHEST; ++i) {
    const DspPlanOp *op = &t->graph->ops[t->maker[place.value]];
    if (op->nloops == 0 || op->nresults != 1 || op->attention ||
        !step_back(t, op, &place))
      break;
    uint32_t other = t->graph->values[place.value].dims[place.at];
    if (other != dim)
      return other;
  }
  return DSP_PLAN_NO_DIM;
}

/// Follows the dims of the keys, operand 1, that attention needs whole.
static uint32_t *names_of(DspArena *arena, const Tracer *t,
                          const DspPlanOp *op) {
  uint32_t *names = DSP_NEW(arena, uint32_t, op->nloops);
  for (size_t i = 0; i < op->nloops; ++i)
    names[i] = DSP_PLAN_NO_DIM;
  const uint8_t *map = op->maps + ndims_of(t, op->operands[0]);
  for (size_t k = 0; k < ndims_of(t, op->operands[1]); ++k)
    if (op->loops[map[k]].kind == DSP_LOOP_WHOLE ||
        op->loops[map[k]].kind == DSP_LOOP_RING)
      names[map[k]] = trace(t, (Place){op->operands[1], k});
  return names;
}

const uint32_t **dsp_key_names(DspArena *arena, const DspPlanGraph *graph,
                               const bool *constant) {
  const uint32_t **names = DSP_NEW(arena, const uint32_t *, graph->nops);
  uint32_t *maker = DSP_NEW(arena, uint32_t, graph->nvalues);
  Tracer tracer = {graph, constant, maker};
  for (uint32_t o = 0; o < graph->nops; ++o) {
    const DspPlanOp *op = &graph->ops[o];
    for (size_t i = 0; i < op->nresults; ++i)
      maker[op->results[i]] = o;
    if (op->attention)
      names[o] = names_of(arena, &tracer, op);
  }
  return names;
}

const bool *dsp_other_names(DspArena *arena, const DspPlanGraph *graph,
                            const uint32_t **key_names, uint32_t dim) {
  bool *other = DSP_NEW(arena, bool, graph->ndims);
  for (size_t o = 0; o < graph->nops; ++o)
    for (size_t i = 0; key_names[o] && i < graph->ops[o].nloops; ++i)
      if (key_names[o][i] == dim && dim != DSP_PLAN_NO_DIM)
        other[graph->ops[o].loops[i].dim] = true;
  return other;
}
