// graph.c - plan a graph: lower it, search, and say the answer in its terms.
//
// Needs:  a graph as rules.h describes it.
// Leaves: for every op the dim that is cut, and every change of layout with
//         its collective and the bytes of each rank.
#include <string.h>

#include "dspc/plan/lower.h"
#include "intern.h"

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

DspPlanStatus dsp_plan_graph(DspArena *arena, const DspPlanGraph *graph,
                             const DspPlanOptions *options, DspPlan *plan,
                             size_t *culprit) {
  *plan = (DspPlan){0};
  DspArena *scratch = dsp_arena_create();
  DspLowered low;
  DspSearchResult found;
  DspPlanStatus status =
      dsp_plan_lower(scratch, graph, options, &low, culprit);
  if (status == DSP_PLAN_OK &&
      dsp_search(scratch, &low.problem, &options->limits, &found))
    status = DSP_PLAN_NONE;
  if (status == DSP_PLAN_OK) {
    read_picks(arena, graph, &low, &found, plan);
    plan->nsteps = found.nconversions;
    plan->steps = DSP_NEW(arena, DspPlanStep, found.nconversions);
    for (size_t i = 0; i < plan->nsteps; ++i)
      plan->steps[i] = read_step(arena, graph, &low, found.conversions[i],
                                 options->ranks);
    plan->certificate = found.certificate;
  }
  dsp_arena_destroy(scratch);
  return status;
}
