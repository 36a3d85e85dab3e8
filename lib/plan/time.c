// time.c - modelled seconds of ops, collectives and plans.
//
// Needs:  a machine with at least one point in each link.
// Leaves: times that grow with bytes and never shrink with ranks' parts.
#include "dspc/plan/machine.h"
#include "intern.h"

/// Piecewise linear, flat before the first point.
static double interpolate(const DspLink *link, double at) {
  const DspTimePoint *p = link->points;
  if (at <= p[0].at)
    return p[0].seconds;
  for (size_t i = 1; i < link->count; ++i)
    if (at <= p[i].at)
      return p[i - 1].seconds + (p[i].seconds - p[i - 1].seconds) *
                                    (at - p[i - 1].at) /
                                    (p[i].at - p[i - 1].at);
  const DspTimePoint *last = &p[link->count - 1];
  return last->at > 0 ? last->seconds * (at / last->at) : last->seconds;
}

double dsp_machine_collective(const DspMachine *machine, int64_t ranks,
                              int64_t most) {
  if (most == 0 || ranks == 1)
    return 0;
  if (ranks <= machine->ranks_per_node)
    return interpolate(&machine->inside, (double)most);
  int64_t node = machine->ranks_per_node;
  int64_t nodes = (ranks + node - 1) / node;
  double outside = (double)(ranks - node) / (double)(ranks - 1);
  double far = interpolate(&machine->between, (double)most * outside);
  double near = node > 1 ? interpolate(&machine->inside,
                                       (double)most * (1 - outside))
                         : 0;
  double longer = far > near ? far : near;
  return interpolate(&machine->start, (double)nodes) + longer;
}

static double seconds_over(const DspLink *link, int64_t bytes) {
  return bytes > 0 ? interpolate(link, (double)bytes) : 0;
}

/// Does axis 0 lie between nodes?  When it has no such name: where the ranks
/// do not fit into one node but those of axis 1 do.
static bool crosses_nodes(const DspMachine *machine, const DspPlanMesh *mesh) {
  return mesh->naxes > 1 && machine->between.count > 0 &&
         (mesh->nodes || (dsp_plan_ranks(mesh) > machine->ranks_per_node &&
                          mesh->sizes[1] <= machine->ranks_per_node));
}

double dsp_machine_move(const DspMachine *machine, const DspPlanMesh *mesh,
                        const int64_t *per_rank, const int64_t *far) {
  int64_t ranks = dsp_plan_ranks(mesh), most = 0, near = 0, leaving = 0;
  for (int64_t i = 0; i < ranks; ++i) {
    most = per_rank[i] > most ? per_rank[i] : most;
    near = per_rank[i] - far[i] > near ? per_rank[i] - far[i] : near;
    leaving = far[i] > leaving ? far[i] : leaving;
  }
  if (!crosses_nodes(machine, mesh))
    return dsp_machine_collective(machine, ranks, most);
  double inside = seconds_over(&machine->inside, near);
  double outside = seconds_over(&machine->between, leaving);
  double start = leaving > 0 ? interpolate(&machine->start,
                                           (double)mesh->sizes[0])
                             : 0;
  return start + (inside > outside ? inside : outside);
}

double dsp_plan_flops(const DspPlanGraph *graph, const DspPlanOp *op) {
  bool multiplies = op->attention;
  double points = 1;
  for (size_t i = 0; i < op->nloops; ++i) {
    points *= (double)graph->dims[op->loops[i].dim].size;
    multiplies |= op->loops[i].kind == DSP_LOOP_CONTRACTED;
  }
  if (op->kind != DSP_PLAN_COMPUTE || !multiplies)
    return 0;
  return (op->attention ? 4 : 2) * points;
}

static double bytes_of(const DspPlanGraph *graph, uint32_t value) {
  const DspPlanValue *v = &graph->values[value];
  double bytes = (double)v->element_bytes;
  for (size_t i = 0; i < v->ndims; ++i)
    bytes *= (double)graph->dims[v->dims[i]].size;
  return bytes;
}

double dsp_machine_op(const DspMachine *machine, const DspPlanGraph *graph,
                      const DspPlanOp *op, double share) {
  if (op->nloops == 0 || op->view || op->nresults == 0)
    return 0;
  double traffic = bytes_of(graph, op->results[0]) * share;
  for (size_t i = 0; i < op->noperands; ++i) {
    uint32_t value = op->operands[i];
    traffic += bytes_of(graph, value) *
               (graph->values[value].is_param ? 1 : share);
  }
  bool narrow = graph->values[op->results[0]].element_bytes < 4;
  double flops = narrow ? machine->flops_16bit : machine->flops_f32;
  double arithmetic = dsp_plan_flops(graph, op) * share / flops;
  double memory = traffic / machine->memory_bandwidth;
  return arithmetic > memory ? arithmetic : memory;
}

static int64_t size_of(const DspPlanGraph *graph, DspPlanWay way) {
  return way.dim == DSP_PLAN_NO_DIM ? 1 : graph->dims[way.dim].size;
}

/// The share of the first coordinate, which has the longest part.
static double share_of(int64_t size, int64_t ranks) {
  return size > 1 ? (double)dsp_plan_part(size, 0, ranks) / (double)size : 1;
}

double dsp_plan_share(const DspPlanGraph *graph, const DspPlanMesh *mesh,
                      const DspPlanWay axes[DSP_PLAN_AXES]) {
  int64_t size = size_of(graph, axes[0]), next = size_of(graph, axes[1]);
  if (axes[1].dim == DSP_PLAN_NO_DIM)
    return share_of(size, mesh->sizes[0]);
  if (axes[0].dim == axes[1].dim && axes[0].contracted == axes[1].contracted)
    next = dsp_plan_part(size, 0, mesh->sizes[0]);
  return share_of(size, mesh->sizes[0]) * share_of(next, mesh->sizes[1]);
}

DspPlanTime dsp_plan_time(DspArena *arena, const DspPlanGraph *graph,
                          const DspPlan *plan, const DspPlanMesh *mesh,
                          const DspMachine *machine) {
  double *ops = DSP_NEW(arena, double, graph->nops);
  double *rings = DSP_NEW(arena, double, graph->nops);
  double *steps = DSP_NEW(arena, double, plan->nsteps);
  DspPlanTime time = {.ops = ops, .rings = rings, .steps = steps};
  for (size_t o = 0; o < graph->nops; ++o) {
    const DspPlanPick *pick = &plan->picks[o];
    ops[o] = dsp_machine_op(machine, graph, &graph->ops[o],
                            dsp_plan_share(graph, mesh, pick->axes));
    if (dsp_plan_is_ring(pick))
      rings[o] = dsp_machine_move(machine, mesh, pick->per_rank, pick->far);
    time.compute += ops[o];
    time.communication += rings[o];
  }
  for (size_t i = 0; i < plan->nsteps; ++i) {
    const DspPlanStep *step = &plan->steps[i];
    steps[i] = dsp_machine_move(machine, mesh, step->per_rank, step->far);
    time.communication += steps[i];
  }
  return time;
}
