// held.c - what an op surely holds in memory while it runs.
//
// Fusion makes elementwise ops and norms a part of others, so that their
// values may never exist; slices and renames are parts of other values.  The
// operands and results of all other ops lie in memory, each in its own place,
// while the op runs; operands that are parts of one value may overlap, and the
// largest of them counts.  A parameter that lies as the op needs it counts
// once, one that is gathered first more than that: the op holds it as it needs
// it.
//
// Needs:  ops in topological order.
// Leaves: bytes of rank 0, which has the longest parts.
#include "held.h"

#include "intern.h"

__extension__ typedef __int128 Wide;

static const uint32_t *find_roots(DspArena *arena, const DspPlanGraph *graph) {
  uint32_t *roots = DSP_NEW(arena, uint32_t, graph->nvalues);
  for (size_t o = 0; o < graph->nops; ++o) {
    const DspPlanOp *op = &graph->ops[o];
    for (size_t i = 0; i < op->nresults; ++i) {
      uint32_t value = op->results[i];
      roots[value] = op->kind == DSP_PLAN_PARAM ? DSP_HELD_WEIGHT
                     : op->view                 ? roots[op->operands[0]]
                                                : value;
    }
  }
  return roots;
}

static const DspPlanShape *find_shapes(DspArena *arena,
                                       const DspPlanGraph *graph) {
  DspPlanShape *shapes = DSP_NEW(arena, DspPlanShape, graph->nvalues);
  for (size_t v = 0; v < graph->nvalues; ++v) {
    const DspPlanValue *value = &graph->values[v];
    int64_t *sizes = DSP_NEW(arena, int64_t, value->ndims);
    for (size_t i = 0; i < value->ndims; ++i)
      sizes[i] = graph->dims[value->dims[i]].size;
    shapes[v] = (DspPlanShape){value->ndims, sizes, value->element_bytes};
  }
  return shapes;
}

/// Inputs are there from the beginning, outputs until the end.
static bool is_held(const DspPlanOp *op) {
  return op->kind == DSP_PLAN_INPUT || op->kind == DSP_PLAN_OUTPUT ||
         (op->kind == DSP_PLAN_COMPUTE && (op->partial || op->attention));
}

static const uint32_t *find_readers(DspArena *arena,
                                    const DspPlanGraph *graph) {
  uint32_t *reader = DSP_NEW(arena, uint32_t, graph->nvalues);
  uint32_t *reads = DSP_NEW(arena, uint32_t, graph->nvalues);
  for (uint32_t o = 0; o < graph->nops; ++o)
    for (size_t i = 0; i < graph->ops[o].noperands; ++i) {
      ++reads[graph->ops[o].operands[i]];
      reader[graph->ops[o].operands[i]] = o;
    }
  for (size_t v = 0; v < graph->nvalues; ++v)
    if (!graph->values[v].is_param || reads[v] != 1 ||
        !is_held(&graph->ops[reader[v]]))
      reader[v] = DSP_NO_READER;
  return reader;
}

DspHolding dsp_holding(DspArena *arena, const DspPlanGraph *graph,
                       const DspPlanMesh *mesh, const int64_t *prices) {
  return (DspHolding){graph, mesh, prices, find_shapes(arena, graph),
                      find_readers(arena, graph), find_roots(arena, graph)};
}

static int64_t bytes_in(const DspHolding *h, uint32_t value,
                        DspPlanLayout layout) {
  return h->shapes[value].element_bytes *
         dsp_plan_held(&h->shapes[value], h->mesh, layout, 0);
}

uint32_t dsp_holding_same(const DspHolding *h, const DspPlanOp *op, size_t i) {
  uint32_t root = h->roots[op->operands[i]];
  if (h->reader[op->operands[i]] != DSP_NO_READER)
    return (uint32_t)i;
  if (root == DSP_HELD_WEIGHT)
    return DSP_HELD_WEIGHT;
  uint32_t first = 0;
  while (h->roots[op->operands[first]] != root)
    ++first;
  return first;
}

/// The largest of the operands that share memory with operand `i`, the first
/// of them; 0 for another one.
static int64_t operand_bytes(const DspHolding *h, const DspPlanOp *op,
                             size_t i, const DspPlanLayout *layouts) {
  int64_t most = 0;
  if (dsp_holding_same(h, op, i) != i)
    return 0;
  for (size_t k = i; k < op->noperands; ++k) {
    if (dsp_holding_same(h, op, k) != i)
      continue;
    int64_t bytes = bytes_in(h, op->operands[k], layouts[k]);
    most = bytes > most ? bytes : most;
  }
  return most;
}

int64_t dsp_holding_bytes(const DspHolding *h, size_t o,
                          const DspPlanLayout *operands,
                          const DspPlanLayout *results) {
  const DspPlanOp *op = &h->graph->ops[o];
  int64_t bytes = 0;
  if (op->kind == DSP_PLAN_PARAM)
    return h->graph->values[op->results[0]].is_param
               ? bytes_in(h, op->results[0], results[0])
               : 0;
  if (!is_held(op))
    return 0;
  for (size_t i = 0; i < op->noperands; ++i)
    bytes += operand_bytes(h, op, i, operands);
  for (size_t i = 0; i < op->nresults; ++i)
    bytes += bytes_in(h, op->results[i], results[i]);
  return bytes;
}

int64_t dsp_holding_charge(const DspHolding *h, size_t o, int64_t bytes) {
  if (!h->prices || h->prices[o] == 0)
    return 0;
  Wide charge = (Wide)h->prices[o] * bytes / DSP_PRICE_ONE;
  Wide most = ((Wide)1 << 60) / (Wide)h->graph->nops;
  return (int64_t)(charge < most ? charge : most);
}

DspHolds dsp_plan_holds(DspArena *arena, const DspPlanGraph *graph,
                        const DspPlanMesh *mesh, const DspPlan *plan) {
  DspHolding h = dsp_holding(arena, graph, mesh, NULL);
  int64_t *bytes = DSP_NEW(arena, int64_t, graph->nops);
  bool *is_weight = DSP_NEW(arena, bool, graph->nops);
  uint32_t *reader = DSP_NEW(arena, uint32_t, graph->nops);
  for (size_t o = 0; o < graph->nops; ++o) {
    const DspPlanOp *op = &graph->ops[o];
    bytes[o] = dsp_holding_bytes(&h, o, plan->picks[o].operands,
                                 plan->picks[o].results);
    is_weight[o] = op->kind == DSP_PLAN_PARAM;
    reader[o] = is_weight[o] ? h.reader[op->results[0]] : DSP_NO_READER;
  }
  return (DspHolds){graph->nops, bytes, is_weight, reader};
}

const int64_t *dsp_holds_besides(DspArena *arena, const DspHolds *holds) {
  int64_t *besides = DSP_NEW(arena, int64_t, holds->nops);
  for (size_t o = 0; o < holds->nops; ++o)
    besides[o] = holds->is_weight[o] ? 0 : holds->bytes[o];
  for (size_t o = 0; o < holds->nops; ++o)
    if (holds->reader[o] != DSP_NO_READER)
      besides[holds->reader[o]] -= holds->bytes[o];
  return besides;
}

int64_t dsp_holds_floor(DspArena *arena, const DspHolds *holds) {
  const int64_t *besides = dsp_holds_besides(arena, holds);
  int64_t weights = 0, most = 0;
  for (size_t o = 0; o < holds->nops; ++o) {
    weights += holds->is_weight[o] ? holds->bytes[o] : 0;
    most = besides[o] > most ? besides[o] : most;
  }
  return weights + most;
}

int64_t dsp_plan_weight_bytes(DspArena *arena, const DspPlanGraph *graph,
                              const DspPlanMesh *mesh, const DspPlan *plan) {
  DspHolding h = dsp_holding(arena, graph, mesh, NULL);
  int64_t bytes = 0;
  for (size_t o = 0; o < graph->nops; ++o)
    if (graph->ops[o].kind == DSP_PLAN_PARAM)
      bytes += bytes_in(&h, graph->ops[o].results[0],
                        plan->picks[o].results[0]);
  return bytes;
}
