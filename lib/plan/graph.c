// graph.c - plan a graph: lower it, search, and say the answer in its terms.
//
// Needs:  a graph as rules.h describes it.
// Leaves: for every op the dim that is cut, and every change of layout with
//         its collective and the bytes of each rank.
#include <string.h>

#include "dspc/plan/lower.h"
#include "methods.h"

bool dsp_plan_layout_equal(DspPlanLayout a, DspPlanLayout b) {
  return a.kind == b.kind && a.dim == b.dim && a.first == b.first &&
         a.count == b.count;
}

static const DspPlanLayout *layouts_of(DspArena *arena, const DspLowered *low,
                                       const uint32_t *values,
                                       const uint8_t *locals, size_t count) {
  DspPlanLayout *layouts = DSP_NEW(arena, DspPlanLayout, count);
  for (size_t i = 0; i < count; ++i)
    layouts[i] =
        low->layouts[low->problem.value_class[values[i]]][locals[i]];
  return layouts;
}

static void read_picks(DspArena *arena, const DspPlanGraph *graph,
                       const DspLowered *low, const DspSearchResult *found,
                       DspPlan *plan) {
  plan->picks = DSP_NEW(arena, DspPlanPick, graph->nops);
  for (size_t o = 0; o < graph->nops; ++o) {
    const DspPlanOp *op = &graph->ops[o];
    uint32_t choice = low->problem.ops[o].choice, pick = found->picks[o];
    const DspAlternative *way =
        &low->problem.choices[choice].alternatives[pick];
    plan->picks[o] = (DspPlanPick){
      .dim = low->ways[choice][pick].dim,
      .contracted = low->ways[choice][pick].contracted,
      .ring = low->ways[choice][pick].ring,
      .operands = layouts_of(arena, low, op->operands, way->needs,
                             op->noperands),
      .results = layouts_of(arena, low, op->results, way->gives,
                            op->nresults),
    };
  }
}

static DspPlanStep read_step(DspArena *arena, const DspPlanGraph *graph,
                             const DspLowered *low, DspConversion conversion,
                             int64_t ranks) {
  const DspPlanValue *value = &graph->values[conversion.value];
  const DspPlanLayout *layouts =
      low->layouts[low->problem.value_class[conversion.value]];
  int64_t *sizes = DSP_NEW(arena, int64_t, value->ndims);
  int64_t *per_rank = DSP_NEW(arena, int64_t, (size_t)ranks);
  for (size_t i = 0; i < value->ndims; ++i)
    sizes[i] = graph->dims[value->dims[i]].size;
  DspPlanStep step = {.value = conversion.value, .before = conversion.before,
                      .from = layouts[conversion.from],
                      .to = layouts[conversion.to], .per_rank = per_rank};
  DspPlanShape shape = {value->ndims, sizes, value->element_bytes};
  step.collective = dsp_plan_collective(step.from, step.to);
  step.bytes = dsp_plan_collective_bytes(&shape, step.from, step.to, ranks,
                                         per_rank);
  return step;
}

/// What leaves each rank in a ring: the parts of all ranks but the next one.
static void read_ring(DspArena *arena, const DspPlanGraph *graph,
                      const DspPlanOp *op, int64_t ranks, DspPlanPick *pick) {
  int64_t *per_rank = DSP_NEW(arena, int64_t, (size_t)ranks);
  const uint8_t *map = op->maps;
  for (size_t i = 0; i < op->noperands; ++i) {
    const DspPlanValue *value = &graph->values[op->operands[i]];
    int64_t bytes = value->element_bytes, cut = 0;
    for (size_t k = 0; k < value->ndims; ++k) {
      DspPlanLoop loop = op->loops[*map++];
      if (loop.kind == DSP_LOOP_RING && loop.dim == pick->dim)
        cut = graph->dims[value->dims[k]].size;
      else
        bytes *= graph->dims[value->dims[k]].size;
    }
    for (int64_t rank = 0; cut > 0 && rank < ranks; ++rank)
      per_rank[rank] +=
          bytes * (cut - dsp_plan_part(cut, (rank + 1) % ranks, ranks));
  }
  for (int64_t rank = 0; rank < ranks; ++rank)
    pick->bytes += per_rank[rank];
  pick->per_rank = per_rank;
}

static void read_plan(DspArena *arena, const DspPlanGraph *graph,
                      const DspPlanOptions *options, const DspLowered *low,
                      const DspSearchResult *found, DspPlan *plan) {
  read_picks(arena, graph, low, found, plan);
  for (size_t o = 0; o < graph->nops; ++o)
    if (plan->picks[o].ring)
      read_ring(arena, graph, &graph->ops[o], options->ranks, &plan->picks[o]);
  plan->nsteps = found->nconversions;
  plan->steps = DSP_NEW(arena, DspPlanStep, found->nconversions);
  for (size_t i = 0; i < plan->nsteps; ++i)
    plan->steps[i] =
        read_step(arena, graph, low, found->conversions[i], options->ranks);
  plan->certificate = found->certificate;
  for (size_t i = 0; i < plan->nsteps; ++i) {
    plan->bytes += plan->steps[i].bytes;
    plan->collectives += plan->steps[i].bytes != 0;
  }
  for (size_t o = 0; o < graph->nops; ++o) {
    plan->bytes += plan->picks[o].bytes;
    plan->collectives += plan->picks[o].bytes != 0;
  }
}

/// Plans with the residual stream on `residual`.
static DspPlanStatus plan_on(DspArena *arena, const DspPlanGraph *graph,
                             const DspPlanOptions *options, uint32_t residual,
                             DspPlan *plan, size_t *culprit) {
  *plan = (DspPlan){.residual = residual};
  DspArena *scratch = dsp_arena_create();
  DspLowered low;
  DspSearchResult found;
  DspPlanStatus status =
      dsp_plan_lower(scratch, graph, options, residual, &low, culprit);
  if (status == DSP_PLAN_OK &&
      dsp_search(scratch, &low.problem, &options->limits, &found))
    status = DSP_PLAN_NONE;
  if (status == DSP_PLAN_OK)
    read_plan(arena, graph, options, &low, &found, plan);
  dsp_arena_destroy(scratch);
  return status;
}

/// Elements of the largest value of each op that every rank runs whole.
static int64_t repeated_work(const DspPlanGraph *graph, const DspPlan *plan) {
  int64_t sum = 0;
  for (size_t o = 0; o < graph->nops; ++o) {
    const DspPlanOp *op = &graph->ops[o];
    if (op->nresults == 0 || op->nloops == 0 ||
        plan->picks[o].dim != DSP_PLAN_NO_DIM)
      continue;
    const DspPlanValue *value = &graph->values[op->results[0]];
    int64_t elements = 1;
    for (size_t i = 0; i < value->ndims; ++i)
      elements *= graph->dims[value->dims[i]].size;
    sum += elements;
  }
  return sum;
}

/// Tries every sequence dim as the home of the residual stream.
static DspPlanStatus plan_on_best(DspArena *arena, const DspPlanGraph *graph,
                                  const DspPlanOptions *options, DspPlan *plan,
                                  size_t *culprit) {
  DspPlanStatus best = DSP_PLAN_UNFIT;
  int64_t least = INT64_MAX;
  const DspDimRole *roles = dsp_dim_roles(arena, graph);
  if (culprit)
    *culprit = 0;
  for (uint32_t d = 0; d < graph->ndims; ++d) {
    if (graph->dims[d].natoms || roles[d] != DSP_ROLE_SEQUENCE)
      continue;
    DspPlan other;
    DspPlanStatus status = plan_on(arena, graph, options, d, &other,
                                   best == DSP_PLAN_OK ? NULL : culprit);
    if (status != DSP_PLAN_OK) {
      best = best == DSP_PLAN_OK ? best : status;
      continue;
    }
    int64_t work = repeated_work(graph, &other);
    if (best == DSP_PLAN_OK &&
        (work > least ||
         (work == least &&
          dsp_plan_cost_compare(other.certificate.found,
                                plan->certificate.found) >= 0)))
      continue;
    best = DSP_PLAN_OK;
    least = work;
    *plan = other;
  }
  return best;
}

DspPlanStatus dsp_plan_graph(DspArena *arena, const DspPlanGraph *graph,
                             const DspPlanOptions *options, DspPlan *plan,
                             size_t *culprit) {
  if (dsp_method_keeps_residual(options->method) && options->ranks > 1)
    return plan_on_best(arena, graph, options, plan, culprit);
  return plan_on(arena, graph, options, DSP_PLAN_NO_DIM, plan, culprit);
}
