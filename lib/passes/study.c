// study.c - a plan stage by stage, the plans of all methods, and what each
// other choice for a stage would cost.
//
// Needs:  a module before plan-shards; it is not changed.
// Leaves: plain figures and texts.
#include "dspc/passes/study.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dspc/dialect/diagnostics.h"
#include "dspc/dialect/dialect.h"
#include "plan_graph.h"

typedef struct Student {
  DspArena *arena;
  MlirOperation top;
  DspModuleGraph g;
  DspPlanOptions options;
  const DspMachine *machine;
  DspPlan plan;
  DspPlanTime time;
} Student;

/// A text in the arena; empty: "-".
__attribute__((format(printf, 2, 3))) static const char *
text_of(const Student *s, const char *format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int n = vsnprintf(NULL, 0, format, args);
  char *text = dsp_arena_alloc(s->arena, (size_t)n + 1);
  vsnprintf(text, (size_t)n + 1, format, again);
  va_end(args);
  va_end(again);
  return n ? text : "-";
}

/// `list` and one more word.
static const char *with(const Student *s, const char *list, const char *word) {
  return *list ? text_of(s, "%s, %s", list, word) : word;
}

static MlirAttribute entry(MlirAttribute dictionary, const char *name) {
  return dsp_dict_get(dictionary, name);
}

/// "layer over S  i=0"
static const char *stage_text(const Student *s, int64_t number) {
  MlirAttribute stages = dsp_attr(s->top, "dsp.stages");
  if (mlirAttributeIsNull(stages) ||
      number >= mlirArrayAttrGetNumElements(stages))
    return "-";
  MlirAttribute stage = mlirArrayAttrGetElement(stages, number);
  MlirStringRef name = mlirStringAttrGetValue(entry(stage, "name"));
  MlirStringRef args = mlirStringAttrGetValue(entry(stage, "args"));
  MlirAttribute loops = entry(stage, "loops");
  const char *text =
      text_of(s, "%.*s%s%.*s", (int)name.length, name.data,
              args.length ? " " : "", (int)args.length, args.data);
  for (intptr_t i = 0; i < mlirArrayAttrGetNumElements(loops); i++) {
    MlirAttribute loop = mlirArrayAttrGetElement(loops, i);
    MlirStringRef var = mlirStringAttrGetValue(entry(loop, "var"));
    text = text_of(s, "%s  %.*s=%lld", text, (int)var.length, var.data,
                   (long long)mlirIntegerAttrGetValueInt(
                       entry(loop, "index")));
  }
  return text;
}

static const char *dims_of(const Student *s, uint32_t value) {
  const DspPlanValue *v = &s->g.graph.values[value];
  const char *text = "";
  for (size_t i = 0; i < v->ndims; i++)
    text = with(s, text, s->g.graph.dims[v->dims[i]].name);
  return text;
}

/// A dim for each axis, and how many ops that multiply are cut so.
typedef struct Cut {
  uint32_t dims[DSP_PLAN_AXES];
  uint32_t count;
} Cut;

/// A stage under construction.
typedef struct Row {
  DspStudyStage stage;
  Cut *cuts; ///< [number of ops at most]
  size_t ncuts, most;
} Row;

static const char *dim_name(const Student *s, uint32_t dim,
                            const char *without) {
  return dim == DSP_PLAN_NO_DIM ? without : s->g.graph.dims[dim].name;
}

/// "T", on two axes "T/S".
static const char *cut_text(const Student *s, const uint32_t *dims,
                            const char *without) {
  const char *outer = dim_name(s, dims[0], without);
  if (s->options.mesh.naxes == 1) return outer;
  return text_of(s, "%s/%s", outer, dim_name(s, dims[1], without));
}

static void add_move(const Student *s, Row *row, const char *what,
                     int64_t bytes, double seconds) {
  if (!bytes) return;
  row->stage.collectives = with(s, row->stage.collectives, what);
  row->stage.moves++;
  row->stage.bytes += bytes;
  row->stage.communication += seconds;
}

static void add_steps(const Student *s, Row *row, size_t op, size_t *next) {
  for (; *next < s->plan.nsteps && s->plan.steps[*next].before == op;
       ++*next) {
    const DspPlanStep *step = &s->plan.steps[*next];
    uint32_t dims[] = {step->to.axes[0].dim, step->to.axes[1].dim};
    const char *what =
        text_of(s, "%s to %s", dsp_plan_collective_name(step->collective),
                cut_text(s, dims, "*"));
    add_move(s, row, what, step->bytes, s->time.steps[*next]);
  }
}

static void add_cut(const Student *s, Row *row, const DspPlanPick *pick) {
  uint32_t dims[] = {pick->axes[0].dim, pick->axes[1].dim};
  if (dims[0] == DSP_PLAN_NO_DIM && dims[1] == DSP_PLAN_NO_DIM) return;
  size_t i = 0;
  while (i < row->ncuts && memcmp(row->cuts[i].dims, dims, sizeof dims)) i++;
  if (i == row->ncuts) {
    row->cuts[row->ncuts++] = (Cut){{dims[0], dims[1]}, 0};
    row->stage.cut = with(s, row->stage.cut, cut_text(s, dims, "-"));
  }
  if (++row->cuts[i].count <= row->most) return;
  row->most = row->cuts[i].count;
  memcpy(row->stage.main_cut, dims, sizeof dims);
}

/// "S", on two axes "S" too: it goes round one of them.
static const char *ring_dim(const Student *s, const DspPlanPick *pick) {
  return dim_name(s, pick->axes[pick->axes[0].ring ? 0 : 1].dim, "-");
}

static void add_op(const Student *s, Row *row, size_t op) {
  const DspPlanOp *planned = &s->g.graph.ops[op];
  const DspPlanPick *pick = &s->plan.picks[op];
  row->stage.compute += s->time.ops[op];
  if (planned->kind != DSP_PLAN_COMPUTE) return;
  if (dsp_plan_flops(&s->g.graph, planned) > 0 && planned->nresults) {
    row->stage.dims = dims_of(s, planned->results[0]);
    add_cut(s, row, pick);
  }
  if (dsp_plan_is_ring(pick))
    add_move(s, row, text_of(s, "ring over %s", ring_dim(s, pick)),
             pick->bytes, s->time.rings[op]);
}

static void close_row(const Student *s, DspStudy *study, Row *row) {
  DspStudyStage *stage = &row->stage;
  if (stage->number < 0) return;
  stage->what = stage_text(s, stage->number);
  if (!*stage->dims) stage->dims = "-";
  if (!*stage->cut) stage->cut = "-";
  if (!*stage->collectives) stage->collectives = "-";
  study->stages[study->nstages++] = *stage;
}

static void open_row(Row *row, int64_t number) {
  row->stage = (DspStudyStage){.number = number,
                               .dims = "",
                               .cut = "",
                               .main_cut = {DSP_PLAN_NO_DIM, DSP_PLAN_NO_DIM},
                               .collectives = ""};
  row->ncuts = row->most = 0;
}

static void list_stages(const Student *s, DspStudy *study) {
  size_t next = 0, count = s->g.graph.nops;
  Row row = {.cuts = dsp_arena_alloc(s->arena,
                                     (count + 1) * sizeof *row.cuts)};
  open_row(&row, -1);
  study->stages = dsp_arena_alloc(s->arena, (count + 1) *
                                                sizeof *study->stages);
  for (size_t op = 0; op < count; op++) {
    int64_t number = s->g.graph.ops[op].stage;
    if (number != row.stage.number) {
      close_row(s, study, &row);
      open_row(&row, number);
    }
    add_steps(s, &row, op, &next);
    add_op(s, &row, op);
  }
  close_row(s, study, &row);
}

/// "attention at line 19"
static const char *place_of(const Student *s, size_t op) {
  MlirOperation culprit = s->g.ops.ops[op];
  MlirStringRef name = mlirIdentifierStr(mlirOperationGetName(culprit)), file;
  int line = 0, column;
  dsp_location_place(mlirOperationGetLocation(culprit), &file, &line, &column);
  return text_of(s, "%.*s at line %d", (int)name.length - 4, name.data + 4,
                 line);
}

/// What goes to another coordinate on axis 0.
static int64_t far_bytes(const Student *s) {
  int64_t ranks = dsp_plan_ranks(&s->options.mesh), sum = 0;
  for (int64_t r = 0; r < ranks; r++) {
    for (size_t i = 0; i < s->plan.nsteps; i++)
      sum += s->plan.steps[i].far[r];
    for (size_t o = 0; o < s->g.graph.nops; o++)
      sum += s->plan.picks[o].far ? s->plan.picks[o].far[r] : 0;
  }
  return sum;
}

/// Plans with `options`; the plan and its times stay in `s`.
static DspStudyMethod try_plan(Student *s, const DspPlanOptions *options) {
  size_t culprit = 0;
  DspStudyMethod out = {.method = options->method};
  DspPlanStatus status =
      dsp_plan_graph(s->arena, &s->g.graph, options, &s->plan, &culprit);
  if (status != DSP_PLAN_OK) {
    out.misfit = place_of(s, culprit);
    return out;
  }
  s->time = dsp_plan_time(s->arena, &s->g.graph, &s->plan, &options->mesh,
                          s->machine);
  out.fits = true;
  out.bytes = s->plan.bytes;
  out.far = far_bytes(s);
  out.collectives = s->plan.collectives;
  out.compute = s->time.compute;
  out.communication = s->time.communication;
  out.exact = s->plan.certificate.exact;
  DspHolds holds =
      dsp_plan_holds(s->arena, &s->g.graph, &options->mesh, &s->plan);
  out.floor = dsp_holds_floor(s->arena, &holds);
  if (s->plan.residual != DSP_PLAN_NO_DIM)
    out.residual = s->g.graph.dims[s->plan.residual].name;
  return out;
}

static void try_methods(Student *s, DspStudy *study) {
  study->methods = dsp_arena_alloc(s->arena, DSP_METHOD_COUNT *
                                                 sizeof *study->methods);
  for (int m = 0; m < DSP_METHOD_COUNT; m++) {
    DspPlanOptions options = s->options;
    options.method = (DspPlanMethod)m;
    options.prices = NULL;
    study->methods[study->nmethods++] =
        options.method == s->options.method ? study->plan
                                            : try_plan(s, &options);
  }
}

/// Can some op of the stage that multiplies be cut on `dim`?
static bool stage_has(const Student *s, int64_t stage, uint32_t dim) {
  for (size_t o = 0; o < s->g.graph.nops; o++) {
    const DspPlanOp *op = &s->g.graph.ops[o];
    if (op->stage != stage || op->kind != DSP_PLAN_COMPUTE) continue;
    for (size_t i = 0; i < op->nloops; i++)
      if (op->loops[i].dim == dim && op->loops[i].kind == DSP_LOOP_FREE &&
          (!op->loops[i].weight || s->options.allow_tensor))
        return true;
  }
  return false;
}

/// Is this what the plan cut most of the stage on?
static bool stage_chose(const DspStudy *study, int64_t stage,
                        const uint32_t *dims) {
  for (size_t i = 0; i < study->nstages; i++)
    if (study->stages[i].number == stage)
      return study->stages[i].main_cut[0] == dims[0] &&
             study->stages[i].main_cut[1] == dims[1];
  return false;
}

/// Plans with the ops of the stage cut on these dims, one an axis.
static void try_choice(Student *s, DspStudy *study, int64_t stage,
                       const uint32_t *dims) {
  DspPlanOptions options = s->options;
  options.what_if =
      (DspPlanWhatIf){true, (uint32_t)stage, {dims[0], dims[1]}};
  DspStudyMethod result = try_plan(s, &options);
  study->choices[study->nchoices++] = (DspStudyChoice){
      .dim = cut_text(s, dims, "-"),
      .chosen = stage_chose(study, stage, dims),
      .fits = result.fits,
      .bytes = result.bytes,
      .collectives = result.collectives,
      .floor = result.floor,
      .seconds = result.compute + result.communication};
}

/// The dims that some op of the stage may be cut on; returns how many.
static size_t list_dims(const Student *s, int64_t stage, uint32_t *dims) {
  size_t n = 0;
  for (uint32_t d = 0; d < s->g.graph.ndims; d++)
    if (!s->g.graph.dims[d].natoms && s->g.graph.dims[d].size > 1 &&
        stage_has(s, stage, d))
      dims[n++] = d;
  return n;
}

static void try_choices(Student *s, DspStudy *study, int64_t stage) {
  uint32_t *dims =
      dsp_arena_alloc(s->arena, (s->g.graph.ndims + 1) * sizeof *dims);
  size_t n = list_dims(s, stage, dims);
  bool two = s->options.mesh.naxes > 1;
  study->choices = dsp_arena_alloc(
      s->arena, (n * (two ? n : 1) + 1) * sizeof *study->choices);
  for (size_t i = 0; i < n; i++) {
    uint32_t pair[] = {dims[i], DSP_PLAN_NO_DIM};
    if (!two) try_choice(s, study, stage, pair);
    for (size_t k = 0; two && k < n; k++) {
      pair[1] = dims[k];
      try_choice(s, study, stage, pair);
    }
  }
}

bool dsp_study(DspArena *arena, MlirModule module,
               const DspPassOptions *options, const DspMachine *machine,
               bool methods, int64_t why, DspStudy *study) {
  MlirOperation copy = mlirOperationClone(mlirModuleGetOperation(module));
  MlirModule scratch = mlirModuleFromOperation(copy);
  MlirOperation func = dsp_model_func(scratch);
  Student s = {.arena = arena, .top = copy, .machine = machine};
  s.options = dsp_plan_options(copy, options);
  *study = (DspStudy){.mesh = s.options.mesh,
                      .ranks = dsp_plan_ranks(&s.options.mesh),
                      .limited = options->prices != NULL};
  bool fine = func.ptr && dsp_read_graph(arena, func,
                                         dsp_attr(copy, "dsp.dims"), &s.g);
  if (fine) {
    study->plan = try_plan(&s, &s.options);
    if (study->plan.fits) {
      study->bound = s.plan.certificate.lower_bound;
      study->width = (int64_t)s.plan.certificate.max_width;
      study->found = s.plan.certificate.found.bytes;
      study->weight_bytes =
          dsp_plan_weight_bytes(arena, &s.g.graph, &study->mesh, &s.plan);
      list_stages(&s, study);
      if (why >= 0) try_choices(&s, study, why);
    }
    if (methods) try_methods(&s, study);
  }
  mlirModuleDestroy(scratch);
  return fine;
}
