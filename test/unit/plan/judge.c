// judge.c - replays a plan on all ranks at once.
#include "judge.h"

#include <string.h>

#include "owners.h"

enum { MOST_COPIES = 70, MOST_RANKS = 64 };

/// The layouts in which a value exists by now.
typedef struct Copies {
  size_t count;
  DspPlanLayout layouts[MOST_COPIES];
} Copies;

typedef struct Judge {
  DspArena *arena;
  const DspPlanGraph *graph;
  const DspPlanOptions *options;
  const DspPlan *plan;
  Copies *copies; ///< [nvalues]
  Bill bill;
} Judge;

/// One op with the layouts of its plan.
typedef struct Work {
  const DspPlanOp *op;
  const DspPlanPick *pick;
  const DspPlanMesh *mesh;
  DspPlanShape shapes[8]; ///< operands, then results
  const uint8_t *maps[8];
  int64_t sizes[16]; ///< of the loops
} Work;

DspPlanShape judge_shape(DspArena *arena, const DspPlanGraph *graph,
                         uint32_t value) {
  const DspPlanValue *v = &graph->values[value];
  int64_t *sizes = dsp_arena_alloc(arena, (v->ndims + 1) * sizeof *sizes);
  for (size_t i = 0; i < v->ndims; ++i)
    sizes[i] = graph->dims[v->dims[i]].size;
  return (DspPlanShape){v->ndims, sizes, v->element_bytes};
}

static bool equal(DspPlanLayout a, DspPlanLayout b) {
  for (int i = 0; i < DSP_PLAN_AXES; ++i)
    if (a.axes[i].kind != b.axes[i].kind || a.axes[i].dim != b.axes[i].dim ||
        a.axes[i].first != b.axes[i].first ||
        a.axes[i].count != b.axes[i].count)
      return false;
  return true;
}

static bool exists(const Copies *copies, DspPlanLayout layout) {
  for (size_t i = 0; i < copies->count; ++i)
    if (equal(copies->layouts[i], layout))
      return true;
  return false;
}

/// Does the cut lie where the value has its dim, or the dim's atoms?
static bool is_named(const DspPlanGraph *graph, uint32_t value,
                     DspPlanCut cut) {
  const DspPlanValue *v = &graph->values[value];
  if (cut.kind != DSP_LAYOUT_CUT)
    return cut.dim == DSP_PLAN_NO_DIM && cut.count == 0;
  if ((size_t)cut.first + cut.count > v->ndims || cut.dim >= graph->ndims)
    return false;
  const DspPlanDim *dim = &graph->dims[cut.dim];
  const uint32_t *atoms = dim->natoms ? dim->atoms : &cut.dim;
  return cut.count == (dim->natoms ? dim->natoms : 1) &&
         memcmp(v->dims + cut.first, atoms, cut.count * sizeof *atoms) == 0;
}

static const char *check_layout(const Judge *j, uint32_t value,
                                DspPlanLayout layout) {
  for (int a = 0; a < DSP_PLAN_AXES; ++a) {
    if (!is_named(j->graph, value, layout.axes[a]))
      return "a cut that is not where its dim is";
    if (j->options->mesh.sizes[a] == 1 &&
        layout.axes[a].kind != DSP_LAYOUT_WHOLE)
      return "an axis of one rank cuts something";
  }
  return owners_fit(layout) ? NULL : "two cuts that cross";
}

static const char *add_bytes(Judge *j, const int64_t *sent, const int64_t *far,
                             int64_t element_bytes, const int64_t *per_rank,
                             const int64_t *their_far) {
  int64_t sum = 0;
  for (int64_t r = 0; r < dsp_plan_ranks(&j->options->mesh); ++r) {
    if (per_rank[r] != sent[r] * element_bytes ||
        their_far[r] != far[r] * element_bytes)
      return "the bytes of a rank are not true";
    sum += per_rank[r];
  }
  j->bill.bytes += sum;
  j->bill.collectives += sum > 0;
  return NULL;
}

static const char *run_step(Judge *j, const DspPlanStep *step) {
  int64_t sent[MOST_RANKS] = {0}, far[MOST_RANKS] = {0};
  Copies *copies = &j->copies[step->value];
  DspPlanShape shape = judge_shape(j->arena, j->graph, step->value);
  const char *wrong = check_layout(j, step->value, step->to);
  if (wrong)
    return wrong;
  if (!exists(copies, step->from))
    return "a conversion starts where the value does not exist";
  if (exists(copies, step->to))
    return "a conversion is paid for twice";
  if (!owners_move(&shape, &j->options->mesh, step->from, step->to, sent, far))
    return "a conversion that no collective can do";
  copies->layouts[copies->count++] = step->to;
  return add_bytes(j, sent, far, shape.element_bytes, step->per_rank,
                   step->far);
}

static int64_t element_of(const DspPlanShape *shape, const uint8_t *map,
                          const int64_t *point) {
  int64_t flat = 0;
  for (size_t i = 0; i < shape->ndims; ++i)
    flat = flat * shape->sizes[i] + point[map[i]];
  return flat;
}

static bool travels(const Work *w, size_t operand, uint32_t axis) {
  if (!w->pick->axes[axis].ring)
    return false;
  for (size_t i = 0; i < w->shapes[operand].ndims; ++i) {
    DspPlanLoop loop = w->op->loops[w->maps[operand][i]];
    if (loop.kind == DSP_LOOP_RING && loop.dim == w->pick->axes[axis].dim)
      return true;
  }
  return false;
}

/// Does the rank have the operand's element of this point at some time?
static bool has_operand(const Work *w, size_t operand, int64_t rank,
                        const int64_t *point) {
  DspPlanLayout layout = w->pick->operands[operand];
  for (uint32_t a = 0; a < DSP_PLAN_AXES; ++a) {
    if (layout.axes[a].kind == DSP_LAYOUT_PARTIAL)
      return false;
    if (travels(w, operand, a)) // all parts of this axis come by
      layout.axes[a] = (DspPlanCut){.dim = DSP_PLAN_NO_DIM};
  }
  return owners_hold(&w->shapes[operand], w->mesh, layout, rank,
                     element_of(&w->shapes[operand], w->maps[operand], point));
}

/// The index of a point in the contracted loops of a way, and their size.
static int64_t contracted_index(const DspPlanGraph *graph, const Work *w,
                                uint32_t dim, const int64_t *point,
                                int64_t *size) {
  const DspPlanDim *it = &graph->dims[dim];
  const uint32_t *atoms = it->natoms ? it->atoms : &dim;
  int64_t flat = 0;
  *size = 1;
  for (size_t k = 0; k < (it->natoms ? it->natoms : 1); ++k)
    for (size_t i = 0; i < w->op->nloops; ++i)
      if (w->op->loops[i].kind == DSP_LOOP_CONTRACTED &&
          w->op->loops[i].dim == atoms[k]) {
        flat = flat * w->sizes[i] + point[i];
        *size *= w->sizes[i];
      }
  return flat;
}

/// Does this addend fall to the rank?
static bool is_mine(const DspPlanGraph *graph, const Work *w, int64_t rank,
                    const int64_t *point) {
  int64_t at[] = {rank / w->mesh->sizes[1], rank % w->mesh->sizes[1]};
  int64_t begin = 0, length = 0, size = 0;
  for (uint32_t a = 0; a < DSP_PLAN_AXES; ++a) {
    DspPlanWay way = w->pick->axes[a], first = w->pick->axes[0];
    if (!way.contracted)
      continue;
    int64_t x = contracted_index(graph, w, way.dim, point, &size);
    if (a == 1 && first.contracted && first.dim == way.dim) {
      owners_deal(size, w->mesh->sizes[0], x, &begin, &length);
      x -= begin;
      size = length;
    }
    if (owners_deal(size, w->mesh->sizes[a], x, &begin, &length) != at[a])
      return false;
  }
  return true;
}

/// Every rank that holds the result of this point can compute it.
static const char *check_point(const Judge *j, const Work *w,
                               const int64_t *point) {
  size_t result = w->op->noperands;
  int64_t e = element_of(&w->shapes[result], w->maps[result], point);
  for (int64_t r = 0; r < dsp_plan_ranks(w->mesh); ++r) {
    if (!owners_hold(&w->shapes[result], w->mesh, w->pick->results[0], r, e) ||
        !is_mine(j->graph, w, r, point))
      continue;
    for (size_t i = 0; i < w->op->noperands; ++i)
      if (!has_operand(w, i, r, point))
        return "a rank lacks an operand of what it computes";
  }
  return NULL;
}

static bool next_point(const Work *w, int64_t *point) {
  for (size_t i = w->op->nloops; i-- > 0;) {
    if (++point[i] < w->sizes[i])
      return true;
    point[i] = 0;
  }
  return false;
}

static const char *check_sums(const Work *w) {
  for (uint32_t a = 0; a < DSP_PLAN_AXES; ++a) {
    bool sum = w->pick->results[0].axes[a].kind == DSP_LAYOUT_PARTIAL;
    if (sum != w->pick->axes[a].contracted)
      return "a sum where nothing is contracted, or none where it is";
  }
  return NULL;
}

static const char *check_nest(Judge *j, size_t number) {
  Work w = {.op = &j->graph->ops[number], .pick = &j->plan->picks[number],
            .mesh = &j->options->mesh};
  const uint8_t *map = w.op->maps;
  int64_t point[16] = {0};
  for (size_t i = 0; i < w.op->noperands + 1; ++i) {
    bool result = i == w.op->noperands;
    w.shapes[i] = judge_shape(j->arena, j->graph,
                              result ? w.op->results[0] : w.op->operands[i]);
    w.maps[i] = map;
    map += w.shapes[i].ndims;
  }
  for (size_t i = 0; i < w.op->nloops; ++i)
    w.sizes[i] = j->graph->dims[w.op->loops[i].dim].size;
  const char *wrong = check_sums(&w);
  do {
    wrong = wrong ? wrong : check_point(j, &w, point);
  } while (!wrong && next_point(&w, point));
  return wrong;
}

int64_t judge_ring(DspArena *arena, const DspPlanGraph *graph,
                   const DspPlanMesh *mesh, const DspPlanOp *op,
                   const DspPlanWay *ways, const DspPlanLayout *operands,
                   int64_t *sent, int64_t *far) {
  DspPlanPick pick = {.axes = {ways[0], ways[1]}};
  Work w = {.op = op, .pick = &pick, .mesh = mesh};
  const uint8_t *map = op->maps;
  int64_t bytes = 0, ranks = dsp_plan_ranks(mesh);
  for (size_t i = 0; i < op->noperands; ++i) {
    w.shapes[i] = judge_shape(arena, graph, op->operands[i]);
    w.maps[i] = map;
    map += w.shapes[i].ndims;
    for (uint32_t a = 0; a < DSP_PLAN_AXES; ++a) {
      int64_t mine[MOST_RANKS] = {0}, mine_far[MOST_RANKS] = {0};
      if (!travels(&w, i, a))
        continue;
      owners_ring(&w.shapes[i], mesh, operands[i], a, mine, mine_far);
      for (int64_t r = 0; r < ranks; ++r) {
        sent[r] += mine[r] * w.shapes[i].element_bytes;
        far[r] += mine_far[r] * w.shapes[i].element_bytes;
        bytes += mine[r] * w.shapes[i].element_bytes;
      }
    }
  }
  return bytes;
}

static const char *run_ring(Judge *j, size_t number) {
  int64_t sent[MOST_RANKS] = {0}, far[MOST_RANKS] = {0};
  const DspPlanPick *pick = &j->plan->picks[number];
  if (!pick->axes[0].ring && !pick->axes[1].ring)
    return pick->bytes ? "bytes without a ring" : NULL;
  judge_ring(j->arena, j->graph, &j->options->mesh, &j->graph->ops[number],
             pick->axes, pick->operands, sent, far);
  return add_bytes(j, sent, far, 1, pick->per_rank, pick->far);
}

static bool has_kind(DspPlanLayout layout, DspLayoutKind kind) {
  return layout.axes[0].kind == kind || layout.axes[1].kind == kind;
}

static const char *check_boundary(const Judge *j, const DspPlanOp *op,
                                  const DspPlanPick *pick) {
  DspPlanLayout layout = op->noperands ? pick->operands[0] : pick->results[0];
  if (has_kind(layout, DSP_LAYOUT_PARTIAL))
    return "an input or an output that is a sum";
  if (op->kind == DSP_PLAN_PARAM && !j->options->allow_tensor &&
      has_kind(layout, DSP_LAYOUT_CUT))
    return "a parameter is cut without leave";
  return NULL;
}

static const char *run_op(Judge *j, size_t number) {
  const DspPlanOp *op = &j->graph->ops[number];
  const DspPlanPick *pick = &j->plan->picks[number];
  const char *wrong = NULL;
  for (size_t i = 0; i < op->noperands; ++i)
    if (!exists(&j->copies[op->operands[i]], pick->operands[i]))
      return "an operand is not in the layout that the op needs";
  for (size_t i = 0; i < op->nresults && !wrong; ++i) {
    j->copies[op->results[i]] = (Copies){1, {pick->results[i]}};
    wrong = check_layout(j, op->results[i], pick->results[i]);
  }
  if (!wrong)
    wrong = op->nloops || op->maps ? check_nest(j, number)
                                   : check_boundary(j, op, pick);
  return wrong ? wrong : run_ring(j, number);
}

const char *judge_plan(DspArena *arena, const DspPlanGraph *graph,
                       const DspPlanOptions *options, const DspPlan *plan,
                       Bill *bill) {
  size_t size = graph->nvalues * sizeof(Copies), next = 0;
  Judge j = {.arena = arena, .graph = graph, .options = options, .plan = plan};
  j.copies = memset(dsp_arena_alloc(arena, size), 0, size);
  const char *wrong = NULL;
  for (size_t op = 0; op < graph->nops && !wrong; ++op) {
    for (; next < plan->nsteps && plan->steps[next].before == op && !wrong;
         ++next)
      wrong = run_step(&j, &plan->steps[next]);
    wrong = wrong ? wrong : run_op(&j, op);
  }
  *bill = j.bill;
  if (wrong)
    return wrong;
  if (next != plan->nsteps)
    return "a conversion never runs";
  if (plan->bytes != j.bill.bytes || plan->collectives != j.bill.collectives)
    return "the plan's total is not true";
  return NULL;
}
