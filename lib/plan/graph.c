// graph.c - plan a graph: lower it, search, and say the answer in its terms.
//
// Needs:  a graph as rules.h describes it.
// Leaves: for every op the dim that is cut, and every change of layout with
//         its collective and the bytes of each rank.
#include <string.h>

#include "dspc/plan/lower.h"
#include "held.h"
#include "improve.h"
#include "methods.h"

static bool cut_equal(DspPlanCut a, DspPlanCut b) {
  return a.kind == b.kind && a.dim == b.dim && a.first == b.first &&
         a.count == b.count;
}

bool dsp_plan_layout_equal(DspPlanLayout a, DspPlanLayout b) {
  return cut_equal(a.axes[0], b.axes[0]) && cut_equal(a.axes[1], b.axes[1]);
}

bool dsp_plan_is_ring(const DspPlanPick *pick) {
  return pick->axes[0].ring || pick->axes[1].ring;
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
      .axes = {low->ways[choice][pick].axes[0],
               low->ways[choice][pick].axes[1]},
      .operands = layouts_of(arena, low, op->operands, way->needs,
                             op->noperands),
      .results = layouts_of(arena, low, op->results, way->gives,
                            op->nresults),
    };
  }
}

static DspPlanShape shape_of(DspArena *arena, const DspPlanGraph *graph,
                             uint32_t value) {
  const DspPlanValue *it = &graph->values[value];
  int64_t *sizes = DSP_NEW(arena, int64_t, it->ndims);
  for (size_t i = 0; i < it->ndims; ++i)
    sizes[i] = graph->dims[it->dims[i]].size;
  return (DspPlanShape){it->ndims, sizes, it->element_bytes};
}

static DspPlanStep read_step(DspArena *arena, const DspPlanGraph *graph,
                             const DspLowered *low, DspConversion conversion,
                             const DspPlanMesh *mesh) {
  const DspPlanLayout *layouts =
      low->layouts[low->problem.value_class[conversion.value]];
  size_t ranks = (size_t)dsp_plan_ranks(mesh);
  int64_t *per_rank = DSP_NEW(arena, int64_t, ranks);
  int64_t *far = DSP_NEW(arena, int64_t, ranks);
  DspPlanStep step = {.value = conversion.value, .before = conversion.before,
                      .from = layouts[conversion.from],
                      .to = layouts[conversion.to], .per_rank = per_rank,
                      .far = far};
  DspPlanShape shape = shape_of(arena, graph, conversion.value);
  step.collective = dsp_plan_collective(step.from, step.to);
  step.bytes = dsp_plan_collective_bytes(&shape, mesh, step.from, step.to,
                                         per_rank, far);
  return step;
}

static bool has_ring_loop(const DspPlanOp *op, const uint8_t *map, size_t n,
                          uint32_t dim) {
  for (size_t k = 0; k < n; ++k)
    if (op->loops[map[k]].kind == DSP_LOOP_RING &&
        op->loops[map[k]].dim == dim)
      return true;
  return false;
}

/// What leaves each rank in the ring along `axis`.
static void read_ring(DspArena *arena, const DspPlanGraph *graph,
                      const DspPlanOp *op, const DspPlanMesh *mesh,
                      uint32_t axis, DspPlanPick *pick) {
  size_t ranks = (size_t)dsp_plan_ranks(mesh);
  int64_t *per_rank = DSP_NEW(arena, int64_t, ranks);
  int64_t *far = DSP_NEW(arena, int64_t, ranks);
  const uint8_t *map = op->maps;
  for (size_t i = 0; i < op->noperands; ++i) {
    size_t ndims = graph->values[op->operands[i]].ndims;
    if (has_ring_loop(op, map, ndims, pick->axes[axis].dim)) {
      DspPlanShape shape = shape_of(arena, graph, op->operands[i]);
      pick->bytes += dsp_plan_ring_bytes(&shape, mesh, pick->operands[i], axis,
                                         per_rank, far);
    }
    map += ndims;
  }
  pick->per_rank = per_rank;
  pick->far = far;
}

static void read_plan(DspArena *arena, const DspPlanGraph *graph,
                      const DspPlanOptions *options, const DspLowered *low,
                      const DspSearchResult *found, DspPlan *plan) {
  read_picks(arena, graph, low, found, plan);
  for (size_t o = 0; o < graph->nops; ++o)
    for (uint32_t a = 0; a < DSP_PLAN_AXES; ++a)
      if (plan->picks[o].axes[a].ring)
        read_ring(arena, graph, &graph->ops[o], &options->mesh, a,
                  &plan->picks[o]);
  plan->nsteps = found->nconversions;
  plan->steps = DSP_NEW(arena, DspPlanStep, found->nconversions);
  for (size_t i = 0; i < plan->nsteps; ++i)
    plan->steps[i] =
        read_step(arena, graph, low, found->conversions[i], &options->mesh);
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

/// On two axes a value may be in many more layouts, and with prices there are
/// many plans to look at: the search turns into a beam sooner, within seconds.
/// The certificate says so.
static DspSearchLimits limits_of(const DspPlanOptions *options) {
  DspSearchLimits limits = options->limits;
  bool two = options->mesh.sizes[0] > 1 && options->mesh.sizes[1] > 1;
  if (!two && !options->prices)
    return limits;
  if (limits.max_width == 0)
    limits.max_width = two ? 4000 : 20000;
  if (limits.max_explored == 0)
    limits.max_explored = two ? 20000 : 500000;
  if (limits.beam == 0)
    limits.beam = two ? 200 : 500;
  return limits;
}

/// Plans with the residual stream on `residual`.
static DspPlanStatus plan_once(DspArena *arena, const DspPlanGraph *graph,
                               const DspPlanOptions *options,
                               uint32_t residual, DspPlan *plan,
                               size_t *culprit) {
  *plan = (DspPlan){.residual = residual};
  DspArena *scratch = dsp_arena_create();
  DspLowered low;
  DspSearchResult found;
  DspPlanStatus status =
      dsp_plan_lower(scratch, graph, options, residual, &low, culprit);
  DspSearchLimits limits = limits_of(options);
  if (status == DSP_PLAN_OK && dsp_improve(scratch, &low, &limits, &found))
    status = DSP_PLAN_NONE;
  if (status == DSP_PLAN_OK)
    read_plan(arena, graph, options, &low, &found, plan);
  dsp_arena_destroy(scratch);
  return status;
}

/// Takes the other plan if it is cheaper.  Each is of a problem of its own (a
/// short dim may be cut only where no weight may): the lower bound is proved.
static void take_cheaper(DspPlan *plan, const DspPlan *other) {
  DspCertificate own = plan->certificate, its = other->certificate;
  if (dsp_plan_cost_compare(its.found, own.found) < 0)
    *plan = *other;
  plan->certificate.lower_bound =
      own.lower_bound < its.lower_bound ? own.lower_bound : its.lower_bound;
  plan->certificate.exact = false;
}

/// Plans among few pairs of dims: of the others nothing is proved.
static DspPlanStatus plan_narrow(DspArena *arena, const DspPlanGraph *graph,
                                 const DspPlanOptions *options,
                                 uint32_t residual, DspPlan *plan) {
  DspPlanOptions fewer = *options;
  fewer.few_pairs = true;
  DspPlanStatus status =
      plan_once(arena, graph, &fewer, residual, plan, NULL);
  plan->certificate.exact = false;
  plan->certificate.lower_bound = 0;
  return status;
}

/// Plans; where some value may be in too many layouts, among fewer, and where
/// the plan is not proved, also with whole weights, which are allowed, too.
static DspPlanStatus plan_on(DspArena *arena, const DspPlanGraph *graph,
                             const DspPlanOptions *options, uint32_t residual,
                             DspPlan *plan, size_t *culprit) {
  DspPlanOptions uncut = *options;
  DspPlan other;
  DspPlanStatus status =
      plan_once(arena, graph, options, residual, plan, culprit);
  bool wide = status == DSP_PLAN_WIDE;
  if (wide) status = plan_narrow(arena, graph, options, residual, plan);
  uncut.allow_tensor = false;
  if (!options->allow_tensor ||
      (status == DSP_PLAN_OK && plan->certificate.exact) ||
      plan_once(arena, graph, &uncut, residual, &other, NULL) != DSP_PLAN_OK)
    return wide && status != DSP_PLAN_OK ? DSP_PLAN_WIDE : status;
  if (status == DSP_PLAN_OK) {
    take_cheaper(plan, &other);
  } else {
    *plan = other;
    plan->certificate.exact = false;
    plan->certificate.lower_bound = 0;
  }
  return DSP_PLAN_OK;
}

/// Elements of the results of ops, once for each other rank that computes them.
static int64_t repeated_work(const DspPlanGraph *graph,
                             const DspPlanMesh *mesh, const DspPlan *plan) {
  int64_t sum = 0;
  for (size_t o = 0; o < graph->nops; ++o) {
    const DspPlanOp *op = &graph->ops[o];
    if (op->nresults == 0 || op->nloops == 0)
      continue;
    const DspPlanValue *value = &graph->values[op->results[0]];
    int64_t elements = 1, copies = 1;
    for (uint32_t a = 0; a < DSP_PLAN_AXES; ++a)
      if (plan->picks[o].axes[a].dim == DSP_PLAN_NO_DIM)
        copies *= mesh->sizes[a];
    for (size_t i = 0; i < value->ndims; ++i)
      elements *= graph->dims[value->dims[i]].size;
    sum += elements * (copies - 1);
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
    int64_t work = repeated_work(graph, &options->mesh, &other);
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

/// The certificate says what the plan costs without what it is charged.
static void take_off_charges(DspArena *arena, const DspPlanGraph *graph,
                             const DspPlanOptions *options, DspPlan *plan) {
  DspHolding h = dsp_holding(arena, graph, &options->mesh, options->prices);
  DspCertificate *c = &plan->certificate;
  for (size_t o = 0; o < graph->nops; ++o)
    c->found.bytes -= dsp_holding_charge(
        &h, o, dsp_holding_bytes(&h, o, plan->picks[o].operands,
                                 plan->picks[o].results));
  c->lower_bound = options->known_bound < c->found.bytes ? options->known_bound
                                                         : c->found.bytes;
  c->exact = c->lower_bound == c->found.bytes;
}

DspPlanStatus dsp_plan_graph(DspArena *arena, const DspPlanGraph *graph,
                             const DspPlanOptions *options, DspPlan *plan,
                             size_t *culprit) {
  bool tries = dsp_method_keeps_residual(options->method) &&
               dsp_plan_ranks(&options->mesh) > 1;
  DspPlanStatus status =
      tries ? plan_on_best(arena, graph, options, plan, culprit)
            : plan_on(arena, graph, options, DSP_PLAN_NO_DIM, plan, culprit);
  if (status != DSP_PLAN_OK)
    return status;
  plan->priced_bound = plan->certificate.lower_bound;
  if (!options->prices)
    return status;
  if (tries) // of another home of the residual stream nothing is proved
    plan->priced_bound = 0;
  take_off_charges(arena, graph, options, plan);
  return status;
}
