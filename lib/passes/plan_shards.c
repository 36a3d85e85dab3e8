// plan_shards.c - choose the sharded dim of every op.
//
// Needs:  ops without layouts.
// Leaves: the layout of every result in its type; `needs`, the layouts that an
//         op wants of its operands where one has another, and `conversions`,
//         the changes of layout to make in front of it, for insert-switches;
//         dsp.ranks, on two axes dsp.mesh and dsp.mesh_names,
//         dsp.predicted_bytes and dsp.certificate on the module.
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "dspc/dialect/dialect.h"
#include "pass_list.h"
#include "plan_graph.h"

/// A layout by its names, one entry an axis.
typedef struct Names {
  MlirStringRef axes[DSP_PLAN_AXES];
} Names;

typedef struct KnownType {
  MlirType of;
  Names layout;
  MlirType type; ///< `of` in `layout`
} KnownType;

typedef struct Planner {
  MlirContext context;
  DspArena *arena;
  MlirOperation top; ///< the module
  MlirAttribute dims;
  DspPlanMesh mesh;
  DspModuleGraph g;
  DspPlan plan;
  bool *maxima; ///< [nvalues] the value is a maximum over dims
  KnownType *known;
  size_t nknown;
} Planner;

static size_t ranks_of(const Planner *p) {
  return (size_t)dsp_plan_ranks(&p->mesh);
}

/// Does the value have the dims of the cut at position `at`?
static bool is_at(const DspPlanValue *value, DspPlanCut cut, size_t at) {
  return at + cut.count <= value->ndims &&
         memcmp(value->dims + at, value->dims + cut.first,
                cut.count * sizeof *value->dims) == 0;
}

/// "*", "+", "^" of a maximum, the dim that is cut, or "H.2" where a weight has
/// it twice.
static MlirStringRef cut_name(const Planner *p, uint32_t value,
                              DspPlanCut cut) {
  if (cut.kind == DSP_LAYOUT_WHOLE)
    return mlirStringRefCreateFromCString("*");
  if (cut.kind == DSP_LAYOUT_PARTIAL)
    return mlirStringRefCreateFromCString(p->maxima[value] ? "^" : "+");
  const char *name = p->g.graph.dims[cut.dim].name;
  int occurrence = 1;
  for (size_t at = 0; at < cut.first; at++)
    occurrence += is_at(&p->g.graph.values[value], cut, at);
  if (occurrence == 1) return mlirStringRefCreateFromCString(name);
  size_t size = strlen(name) + 4;
  char *text = dsp_arena_alloc(p->arena, size);
  snprintf(text, size, "%s.%d", name, occurrence);
  return mlirStringRefCreateFromCString(text);
}

static Names layout_names(const Planner *p, uint32_t value,
                          DspPlanLayout layout) {
  Names names;
  for (uint32_t a = 0; a < DSP_PLAN_AXES; a++)
    names.axes[a] = cut_name(p, value, layout.axes[a]);
  return names;
}

static bool names_equal(const Names *a, const Names *b) {
  return mlirStringRefEqual(a->axes[0], b->axes[0]) &&
         mlirStringRefEqual(a->axes[1], b->axes[1]);
}

/// One axis: a string; two: a list of one entry an axis.
static MlirAttribute names_attr(const Planner *p, Names names) {
  if (p->mesh.naxes == 1) return dsp_string(p->context, names.axes[0]);
  return dsp_attr_strings(p->context, p->mesh.naxes, names.axes);
}

static MlirNamedAttribute named(const Planner *p, const char *name,
                                MlirAttribute value) {
  return mlirNamedAttributeGet(
      mlirIdentifierGet(p->context, mlirStringRefCreateFromCString(name)),
      value);
}

static MlirType build_type(const Planner *p, MlirType type,
                           const Names *layout) {
  DspTensorInfo info;
  if (!dsp_tensor_read(type, &info)) return type;
  info.naxes = p->mesh.naxes;
  for (uint32_t a = 0; a < p->mesh.naxes; a++)
    info.layout[a] = layout->axes[a];
  return dsp_tensor_type(p->context, &info);
}

/// `type` in `layout`: a few dozen for thousands of values, so remembered.
static MlirType in_layout(Planner *p, MlirType type, Names layout) {
  for (size_t i = 0; i < p->nknown; i++)
    if (mlirTypeEqual(p->known[i].of, type) &&
        names_equal(&p->known[i].layout, &layout))
      return p->known[i].type;
  MlirType built = build_type(p, type, &layout);
  p->known[p->nknown++] = (KnownType){type, layout, built};
  return built;
}

static void set_layouts(Planner *p, size_t number) {
  MlirOperation op = p->g.ops.ops[number];
  const DspPlanOp *planned = &p->g.graph.ops[number];
  const DspPlanPick *pick = &p->plan.picks[number];
  for (size_t i = 0; i < planned->nresults; i++) {
    MlirValue result = mlirOperationGetResult(op, (intptr_t)i);
    mlirValueSetType(result, in_layout(p, mlirValueGetType(result),
                                       layout_names(p, planned->results[i],
                                                    pick->results[i])));
  }
  MlirAttribute needs[DSP_MAX_OPERANDS];
  bool differ = false;
  for (size_t i = 0; i < planned->noperands; i++) {
    MlirType type = mlirValueGetType(mlirOperationGetOperand(op, (intptr_t)i));
    Names names = layout_names(p, planned->operands[i], pick->operands[i]);
    needs[i] = names_attr(p, names);
    differ |= !mlirTypeEqual(type, in_layout(p, type, names));
  }
  if (differ)
    dsp_set_attr(op, "needs",
                 mlirArrayAttrGet(p->context, (intptr_t)planned->noperands,
                                  needs));
}

/// The attended dim along every axis that has a ring; "" where there is none.
static Names ring_names(const Planner *p, size_t number) {
  const DspPlanPick *pick = &p->plan.picks[number];
  Names names = layout_names(p, p->g.graph.ops[number].results[0],
                             pick->results[0]);
  for (uint32_t a = 0; a < DSP_PLAN_AXES; a++)
    if (!pick->axes[a].ring) names.axes[a] = mlirStringRefCreate("", 0);
  return names;
}

/// Attention whose keys and values travel says so, with the bytes.
static void set_rings(const Planner *p) {
  for (size_t i = 0; i < p->g.graph.nops; i++) {
    const DspPlanPick *pick = &p->plan.picks[i];
    if (!dsp_plan_is_ring(pick)) continue;
    MlirOperation op = p->g.ops.ops[i];
    dsp_set_attr(op, "ring", names_attr(p, ring_names(p, i)));
    dsp_set_attr(op, "bytes",
                 dsp_attr_ints(p->context, ranks_of(p), pick->per_rank));
  }
}

static int64_t operand_of(const DspPlanOp *op, uint32_t value) {
  for (size_t i = 0; i < op->noperands; i++)
    if (op->operands[i] == value) return (int64_t)i;
  return -1;
}

static MlirAttribute describe_step(const Planner *p, const DspPlanStep *step) {
  int64_t operand = operand_of(&p->g.graph.ops[step->before], step->value);
  Names from = layout_names(p, step->value, step->from);
  Names to = layout_names(p, step->value, step->to);
  MlirNamedAttribute entries[] = {
      named(p, "operand", dsp_int(p->context, operand)),
      named(p, "from", names_attr(p, from)),
      named(p, "to", names_attr(p, to)),
      named(p, "bytes",
            dsp_attr_ints(p->context, ranks_of(p), step->per_rank)),
  };
  return mlirDictionaryAttrGet(p->context, 4, entries);
}

/// The steps come in the order of the ops that they precede.
static void set_conversions(const Planner *p) {
  size_t n = p->plan.nsteps;
  MlirAttribute *list = dsp_arena_alloc(p->arena, (n + 1) * sizeof *list);
  for (size_t i = 0; i < n;) {
    uint32_t before = p->plan.steps[i].before;
    intptr_t count = 0;
    for (; i < n && p->plan.steps[i].before == before; i++)
      list[count++] = describe_step(p, &p->plan.steps[i]);
    dsp_set_attr(p->g.ops.ops[before], "conversions",
                 mlirArrayAttrGet(p->context, count, list));
  }
}

/// A mesh of one axis is told by dsp.ranks alone.
static void set_mesh(const Planner *p, MlirOperation top) {
  MlirStringRef names[DSP_PLAN_AXES];
  dsp_set_int(top, "dsp.ranks", dsp_plan_ranks(&p->mesh));
  if (p->mesh.naxes == 1) return;
  for (uint32_t a = 0; a < p->mesh.naxes; a++)
    names[a] = mlirStringRefCreateFromCString(p->mesh.names[a]);
  dsp_set_attr(top, "dsp.mesh",
               dsp_attr_ints(p->context, p->mesh.naxes, p->mesh.sizes));
  dsp_set_attr(top, "dsp.mesh_names",
               dsp_attr_strings(p->context, p->mesh.naxes, names));
}

static void set_totals(const Planner *p, MlirOperation top) {
  size_t ranks = ranks_of(p);
  int64_t *bytes = dsp_arena_alloc(p->arena, ranks * sizeof *bytes);
  memset(bytes, 0, ranks * sizeof *bytes);
  for (size_t i = 0; i < p->plan.nsteps; i++)
    for (size_t r = 0; r < ranks; r++)
      bytes[r] += p->plan.steps[i].per_rank[r];
  for (size_t i = 0; i < p->g.graph.nops; i++)
    for (size_t r = 0; p->plan.picks[i].per_rank && r < ranks; r++)
      bytes[r] += p->plan.picks[i].per_rank[r];
  set_mesh(p, top);
  dsp_set_attr(top, "dsp.predicted_bytes",
               dsp_attr_ints(p->context, ranks, bytes));
  const DspCertificate *c = &p->plan.certificate;
  MlirNamedAttribute entries[] = {
      named(p, "optimum", dsp_int(p->context, c->found.bytes)),
      named(p, "bound", dsp_int(p->context, c->lower_bound)),
      named(p, "exact", mlirBoolAttrGet(p->context, c->exact)),
      named(p, "states", dsp_int(p->context, (int64_t)c->explored)),
      named(p, "width", dsp_int(p->context, (int64_t)c->max_width)),
  };
  dsp_set_attr(top, "dsp.certificate",
               mlirDictionaryAttrGet(p->context, 5, entries));
}

/// What the search for a plan that fits wants to know.
static void report_priced(const Planner *p, DspPassStats *stats) {
  const DspPlanGraph *graph = &p->g.graph;
  stats->weight_bytes =
      dsp_plan_weight_bytes(p->arena, graph, &p->mesh, &p->plan);
  stats->plan = (DspPriced){
      .cost = p->plan.certificate.found.bytes,
      .bound = p->plan.priced_bound,
      .holds = dsp_plan_holds(stats->arena, graph, &p->mesh, &p->plan)};
  stats->plan.floor = dsp_holds_floor(p->arena, &stats->plan.holds);
}

static void report_stats(const Planner *p, DspPassStats *stats, clock_t time) {
  if (!stats) return;
  stats->planner_seconds = (double)time / CLOCKS_PER_SEC;
  stats->planner_states = p->plan.certificate.explored;
  stats->planner_width = p->plan.certificate.max_width;
  if (stats->arena) report_priced(p, stats);
}

/// The MLIR error of a search that found no plan; `op` is the culprit.
static void emit_no_plan(MlirOperation op, DspPlanStatus status,
                         const DspPlanOptions *options) {
  DspPlanMethod method = options->method;
  char text[256];
  if (status == DSP_PLAN_BAD_PIN)
    snprintf(text, sizeof text, "this op cannot be cut on the dim of its pin");
  else if (status == DSP_PLAN_WIDE)
    snprintf(text, sizeof text,
             "on two mesh axes the result of this op has too many layouts to "
             "look at: plan for one axis (-n), or without weights (--allow, "
             "--plan=megatron-sp)");
  else if (status == DSP_PLAN_NONE)
    snprintf(text, sizeof text,
             "the pins of this model contradict each other");
  else
    snprintf(text, sizeof text,
             "method '%s' (%s) has no way to run this op: try --plan=auto",
             dsp_plan_method_name(method), dsp_plan_method_summary(method));
  mlirEmitError(mlirOperationGetLocation(op), text);
}

static bool search(Planner *p, const DspPassOptions *options) {
  DspPlanOptions wanted = dsp_plan_options(p->top, options);
  p->mesh = wanted.mesh;
  size_t culprit = 0;
  clock_t begin = clock();
  DspPlanStatus status =
      dsp_plan_graph(p->arena, &p->g.graph, &wanted, &p->plan, &culprit);
  if (status == DSP_PLAN_OK) {
    report_stats(p, options->stats, clock() - begin);
    return true;
  }
  emit_no_plan(p->g.ops.ops[culprit], status, &wanted);
  return false;
}

static void mark_maxima(Planner *p) {
  size_t size = (p->g.graph.nvalues + 1) * sizeof *p->maxima;
  p->maxima = dsp_arena_alloc(p->arena, size);
  memset(p->maxima, 0, size);
  for (size_t i = 0; i < p->g.graph.nops; i++)
    if (dsp_is(p->g.ops.ops[i], "dsp.reduce"))
      p->maxima[p->g.graph.ops[i].results[0]] =
          dsp_str_is(dsp_string_attr(p->g.ops.ops[i], "kind"), "max");
}

bool dsp_pass_plan_shards(MlirModule module, const DspPassOptions *options) {
  MlirOperation func = dsp_model_func(module);
  if (mlirOperationIsNull(func)) return false;
  MlirOperation top = mlirModuleGetOperation(module);
  Planner p = {.context = mlirModuleGetContext(module),
               .arena = dsp_arena_create(),
               .top = top,
               .dims = dsp_attr(top, "dsp.dims")};
  bool fine = dsp_read_graph(p.arena, func, p.dims, &p.g) &&
              search(&p, options);
  if (fine) {
    size_t most = p.g.graph.nvalues + p.g.graph.nops * DSP_MAX_OPERANDS;
    p.known = dsp_arena_alloc(p.arena,
                              (most + 1) * sizeof *p.known);
    mark_maxima(&p);
    for (size_t i = 0; i < p.g.graph.nops; i++) set_layouts(&p, i);
    set_rings(&p);
    set_conversions(&p);
    set_totals(&p, top);
  }
  dsp_arena_destroy(p.arena);
  return fine;
}
