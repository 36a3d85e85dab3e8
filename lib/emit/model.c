// model.c - the model function: calls of stages, loops, what lies between.
#include <stdio.h>
#include <string.h>

#include "dspc/support/bug.h"
#include "program.h"

static MlirOperation find_func(DspEmitter *e, MlirStringRef name) {
  MlirOperation op = mlirBlockGetFirstOperation(mlirModuleGetBody(e->module));
  for (; op.ptr; op = mlirOperationGetNextInBlock(op))
    if (mlirStringRefEqual(dsp_get_text(op, "sym_name"), name)) return op;
  dsp_bug("a call of no function");
}

static int64_t constant(MlirValue value) {
  return mlirIntegerAttrGetValueInt(
      dsp_get(mlirOpResultGetOwner(value), "value"));
}

/// The loop variables of a path, outermost first.
static size_t path_vars(MlirStringRef path, MlirStringRef *vars) {
  size_t n = 0;
  for (size_t i = 0; i < path.length; i++) {
    if (path.data[i] != '{') continue;
    size_t begin = i + 1;
    while (i < path.length && path.data[i] != '}') i++;
    if (n < DSP_EMIT_LOOPS)
      vars[n++] = mlirStringRefCreate(path.data + begin, i - begin);
  }
  return n;
}

static MlirAttribute loop_of(DspEmitter *e, MlirOperation call,
                             MlirStringRef var) {
  MlirAttribute stage = mlirArrayAttrGetElement(dsp_get(e->top, "dsp.stages"),
                                                dsp_get_int(call, "stage"));
  MlirAttribute loops = dsp_entry(stage, "loops");
  for (intptr_t i = 0; i < mlirArrayAttrGetNumElements(loops); i++) {
    MlirAttribute loop = mlirArrayAttrGetElement(loops, i);
    if (mlirStringRefEqual(mlirStringAttrGetValue(dsp_entry(loop, "var")), var))
      return loop;
  }
  dsp_bug("a path with a variable of no loop");
}

static const char *path_word(DspEmitter *e, MlirStringRef path) {
  char text[256];
  size_t n = 0;
  for (size_t i = 0; i < path.length && n + 1 < sizeof text; i++) {
    if (path.data[i] == '{')
      while (i < path.length && path.data[i] != '}') i++;
    else
      text[n++] = path.data[i];
  }
  while (n && text[n - 1] == '.') n--;
  text[n] = '\0';
  return dsp_format(e->arena, "%s", n ? text : "model");
}

static DspSite make_site(DspEmittedModel *m, MlirOperation call,
                         MlirOperation func) {
  DspEmitter *e = m->e;
  DspSite site = {.func = func, .path = dsp_get_text(call, "path")};
  site.nloops = path_vars(site.path, site.vars);
  for (size_t i = 0; i < site.nloops; i++) {
    MlirAttribute loop = loop_of(e, call, site.vars[i]);
    site.first[i] = mlirIntegerAttrGetValueInt(dsp_entry(loop, "index"));
    site.count[i] = 1;
    site.total[i] = mlirIntegerAttrGetValueInt(dsp_entry(loop, "count"));
    for (size_t k = 0; k < m->nopen; k++)
      if (mlirStringRefEqual(m->open[k].var, site.vars[i])) {
        site.first[i] = m->open[k].first;
        site.count[i] = m->open[k].count;
      }
  }
  for (size_t i = 0; i < m->nsites; i++)
    if (m->sites[i].func.ptr == func.ptr &&
        mlirStringRefEqual(m->sites[i].path, site.path))
      site.member = m->sites[i].member;
  if (!site.member)
    site.member = dsp_name_c(&m->members, path_word(e, site.path));
  return site;
}

const char *dsp_site_index(DspEmittedModel *m, const DspSite *site,
                           bool first) {
  const char *text = "";
  for (size_t i = 0; i < site->nloops; i++) {
    const char *index =
        dsp_format(m->e->arena, "%lld", (long long)site->first[i]);
    for (size_t k = 0; k < m->nopen && !first; k++)
      if (mlirStringRefEqual(m->open[k].var, site->vars[i]))
        index = m->open[k].name;
    text = dsp_format(m->e->arena, "%s[%s]", text, index);
  }
  return text;
}

static void emit_ops(DspEmittedModel *m, MlirBlock block);

static void emit_for(DspEmittedModel *m, MlirOperation loop) {
  DspEmitter *e = m->e;
  MlirBlock body = dsp_body_of(loop);
  int64_t begin = constant(mlirOperationGetOperand(loop, 0));
  int64_t end = constant(mlirOperationGetOperand(loop, 1));
  for (intptr_t i = 0; i < mlirOperationGetNumResults(loop); i++) {
    DspAccess a = *dsp_placed(e, mlirOperationGetOperand(loop, i + 3));
    dsp_place(e, mlirBlockGetArgument(body, i + 1), a);
    dsp_place(e, mlirOperationGetResult(loop, i), a);
  }
  if (m->nopen == DSP_EMIT_LOOPS) dsp_bug("too many loops");
  const char *name = dsp_name(&m->locals, dsp_get_text(loop, "var"));
  m->open[m->nopen].var = dsp_get_text(loop, "var");
  m->open[m->nopen].name = name;
  m->open[m->nopen].first = begin;
  m->open[m->nopen++].count = end - begin;
  dsp_line(&e->text, "for (int64_t %s = %lld; %s < %lld; %s++) {", name,
           (long long)begin, name, (long long)end, name);
  e->text.indent++;
  emit_ops(m, body);
  e->text.indent--;
  dsp_line(&e->text, "}");
  m->nopen--;
}

static void emit_call(DspEmittedModel *m, MlirOperation call) {
  DspEmitter *e = m->e;
  MlirOperation func = find_func(
      e, mlirFlatSymbolRefAttrGetValue(dsp_get(call, "callee")));
  MlirAttribute in_args = dsp_get(func, "result_args");
  const char *name = dsp_func_name(e, func);
  const char *text = dsp_format(e->arena, "%s(run", name);
  if (dsp_has_params(func)) {
    if (m->nsites == DSP_EMIT_SITES) dsp_bug("too many calls");
    DspSite site = make_site(m, call, func);
    m->sites[m->nsites++] = site;
    text = dsp_format(e->arena, "%s, &w->%s%s", text, site.member,
                      dsp_site_index(m, &site, false));
  }
  if (dsp_get_int(func, "frame_bytes"))
    text = dsp_format(e->arena, "%s, run->arena + %lld", text,
                      (long long)dsp_get_int(call, "frame"));
  for (intptr_t i = 0; i < mlirOperationGetNumOperands(call); i++)
    text = dsp_format(e->arena, "%s, %s", text,
                      dsp_access_pointer(
                          &e->dims,
                          dsp_placed(e, mlirOperationGetOperand(call, i))));
  for (intptr_t i = 0; i < mlirOperationGetNumResults(call); i++) {
    int64_t arg =
        mlirIntegerAttrGetValueInt(mlirArrayAttrGetElement(in_args, i));
    MlirValue result = mlirOperationGetResult(call, i);
    if (arg >= 0) {
      const DspAccess *a = dsp_placed(e, mlirOperationGetOperand(call, arg));
      dsp_place(e, result,
                dsp_access(&e->dims, mlirValueGetType(result), a->base));
      continue;
    }
    dsp_declare(e, &m->locals, call, i, "run->arena");
    text = dsp_format(e->arena, "%s, %s", text, dsp_placed(e, result)->base);
  }
  dsp_line(&e->text, "dsprt_stage(run, %lld, \"%s\");",
           (long long)dsp_get_int(call, "stage"), name);
  dsp_statement(&e->text, "%s);", text);
}

static void place_model_param(DspEmittedModel *m, MlirOperation op) {
  DspEmitter *e = m->e;
  MlirValue value = mlirOperationGetResult(op, 0);
  const char *member = dsp_name(&m->members, dsp_get_text(op, "path"));
  dsp_place(e, value,
            dsp_access(&e->dims, mlirValueGetType(value),
                       dsp_format(e->arena, "w->%s", member)));
}

/// Does something besides outputs, which the tables hold, read the value?
static bool is_read(MlirValue value) {
  MlirOpOperand use = mlirValueGetFirstUse(value);
  for (; !mlirOpOperandIsNull(use); use = mlirOpOperandGetNextUse(use))
    if (dsp_op_kind(mlirOpOperandGetOwner(use)) != DSP_OP_OUTPUT) return true;
  return false;
}

/// Its shape is known to the tables, and no variable is without a use.
static void place_unread(DspEmitter *e, MlirValue input) {
  dsp_place(e, input, dsp_access(&e->dims, mlirValueGetType(input), "NULL"));
}

static void declare_results(DspEmittedModel *m, MlirOperation op) {
  for (intptr_t i = 0; i < mlirOperationGetNumResults(op); i++)
    if (!mlirAttributeIsNull(dsp_entry(dsp_buffer_of(op, i), "frame")))
      dsp_declare(m->e, &m->locals, op, i, "run->arena");
}

static void emit_model_op(DspEmittedModel *m, MlirOperation op) {
  DspEmitter *e = m->e;
  if (dsp_is_named(op, "scf.for")) {
    emit_for(m, op);
  } else if (dsp_is_named(op, "func.call")) {
    emit_call(m, op);
  } else if (dsp_is_named(op, "dsp.param")) {
    place_model_param(m, op);
  } else if (dsp_op_kind(op) != DSP_OP_NONE) {
    if (dsp_op_kind(op) == DSP_OP_INPUT &&
        !is_read(mlirOperationGetResult(op, 0)))
      place_unread(e, mlirOperationGetResult(op, 0));
    else
      declare_results(m, op);
    dsp_emit_op(e, op, "run->arena");
  }
}

static void emit_ops(DspEmittedModel *m, MlirBlock block) {
  MlirOperation op = mlirBlockGetFirstOperation(block);
  for (; op.ptr; op = mlirOperationGetNextInBlock(op)) emit_model_op(m, op);
}

void dsp_emit_model(DspEmitter *e, MlirOperation model) {
  DspEmittedModel *m = dsp_arena_alloc(e->arena, sizeof *m);
  memset(m, 0, sizeof *m);
  m->e = e;
  m->members = dsp_names(e->arena, NULL);
  m->locals = dsp_names(e->arena, &e->globals);
  DspText outer = e->text;
  e->text = (DspText){.indent = 1};
  e->last_line = 0;
  e->stage_name = "model";
  emit_ops(m, dsp_body_of(model));
  DspText body = e->text;
  e->text = outer;
  dsp_emit_weights(m, model);
  dsp_line(&e->text, "static void forward(DsprtRun *run) {");
  if (body.data && strstr(body.data, "w->"))
    dsp_line(&e->text, "  const Weights *w = run->weights;");
  dsp_close_function(e, body);
  dsp_emit_main(m, model);
}
