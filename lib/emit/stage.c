// stage.c - one function for each kind of stage, and the struct of its weights.
#include <stdio.h>
#include <string.h>

#include "dspc/support/bug.h"
#include "program.h"

/// Declares the parts that the text of a function mentions.
static void emit_parts(DspEmitter *e, DspText *out, const char *body) {
  for (size_t i = 0; i < e->dims.count; i++)
    for (DspAxes cut = 1; cut < DSP_CUTS; cut++) {
      const DspDimNames *dim = &e->dims.names[i];
      const char *part = dim->part_name[cut], *begin = dim->begin_name[cut];
      if (part && dsp_mentions(body, part))
        dsp_line(out, "const int64_t %s = %s;", part,
                 dsp_part_text(&e->dims, dim, cut, false));
      if (begin && dsp_mentions(body, begin))
        dsp_line(out, "const int64_t %s = %s;", begin,
                 dsp_part_text(&e->dims, dim, cut, true));
    }
}

bool dsp_has_params(MlirOperation func) {
  MlirOperation op = mlirBlockGetFirstOperation(dsp_body_of(func));
  for (; op.ptr; op = mlirOperationGetNextInBlock(op))
    if (dsp_is_named(op, "dsp.param")) return true;
  return false;
}

/// Places the parameters of a function and writes its struct of pointers.
static void emit_weights_struct(DspEmitter *e, MlirOperation func) {
  DspNames names = dsp_names(e->arena, NULL);
  const char *name = dsp_func_name(e, func);
  dsp_line(&e->text, "typedef struct {");
  e->text.indent++;
  MlirOperation op = mlirBlockGetFirstOperation(dsp_body_of(func));
  for (; op.ptr; op = mlirOperationGetNextInBlock(op)) {
    if (!dsp_is_named(op, "dsp.param")) continue;
    MlirValue value = mlirOperationGetResult(op, 0);
    const char *field = dsp_name(&names, dsp_get_text(op, "rel"));
    DspAccess a = dsp_access(&e->dims, mlirValueGetType(value),
                             dsp_format(e->arena, "w->%s", field));
    dsp_line(&e->text, "const %s *%s; // %s", dsp_c_type(a.shape.element),
             field, dsp_shape_text(&e->dims, &a));
    dsp_place(e, value, a);
  }
  e->text.indent--;
  dsp_line(&e->text, "} %s_weights;\n", name);
}

MlirAttribute dsp_buffer_of(MlirOperation op, intptr_t i) {
  return mlirArrayAttrGetElement(dsp_get(op, "buffers"), i);
}

static const char *wish_of(MlirOperation op, intptr_t result) {
  MlirAttribute names = dsp_get(op, "result_names");
  MlirStringRef name = mlirAttributeIsNull(names)
                           ? dsp_get_text(op, result ? "sum_name" : "name")
                           : mlirStringAttrGetValue(
                                 mlirArrayAttrGetElement(names, result));
  static char text[128];
  MlirStringRef kind = mlirIdentifierStr(mlirOperationGetName(op));
  if (!name.length)
    name = mlirStringRefCreate(kind.data + 4, kind.length - 4);
  snprintf(text, sizeof text, "%.*s", (int)name.length, name.data);
  return text;
}

/// Declares a pointer into the frame for a result.
void dsp_declare(DspEmitter *e, DspNames *names, MlirOperation op,
                    intptr_t i, const char *frame) {
  MlirValue value = mlirOperationGetResult(op, i);
  const char *name = dsp_name_c(names, wish_of(op, i));
  DspAccess a = dsp_access(&e->dims, mlirValueGetType(value), name);
  int64_t offset =
      mlirIntegerAttrGetValueInt(dsp_entry(dsp_buffer_of(op, i), "frame"));
  dsp_line(&e->text, "%s *%s = (void *)(%s + %lld); // %s",
           dsp_c_type(a.shape.element), name, frame, (long long)offset,
           dsp_shape_text(&e->dims, &a));
  dsp_place(e, value, a);
}

typedef struct Signature {
  const char *args[64];
  size_t nargs;
  const char *results[64]; ///< NULL: lies in an argument
  size_t nresults;
  bool writes[64];
} Signature;

static void place_stage_result(DspEmitter *e, DspNames *names,
                               MlirOperation op, intptr_t i,
                               const Signature *s) {
  MlirAttribute buffer = dsp_buffer_of(op, i);
  MlirValue value = mlirOperationGetResult(op, i);
  MlirAttribute arg = dsp_entry(buffer, "arg");
  MlirAttribute result = dsp_entry(buffer, "result");
  const char *base = NULL;
  if (!mlirAttributeIsNull(arg))
    base = s->args[mlirIntegerAttrGetValueInt(arg)];
  if (!mlirAttributeIsNull(result))
    base = s->results[mlirIntegerAttrGetValueInt(result)];
  if (base)
    dsp_place(e, value, dsp_access(&e->dims, mlirValueGetType(value), base));
  else if (!mlirAttributeIsNull(dsp_entry(buffer, "frame")))
    dsp_declare(e, names, op, i, "frame");
}

static Signature read_signature(DspEmitter *e, DspNames *names,
                                MlirOperation func) {
  Signature s = {0};
  MlirBlock body = dsp_body_of(func);
  MlirAttribute arg_names = dsp_get(func, "arg_names");
  s.nargs = (size_t)mlirBlockGetNumArguments(body);
  MlirOperation end = mlirBlockGetTerminator(body);
  s.nresults = (size_t)mlirOperationGetNumOperands(end);
  if (s.nargs > 64 || s.nresults > 64) dsp_bug("a stage with too many values");
  for (size_t i = 0; i < s.nargs; i++) {
    MlirStringRef wish = mlirStringAttrGetValue(
        mlirArrayAttrGetElement(arg_names, (intptr_t)i));
    if (!wish.length) wish = mlirStringRefCreateFromCString("in");
    s.args[i] = dsp_name(names, wish);
    MlirValue value = mlirBlockGetArgument(body, (intptr_t)i);
    dsp_place(e, value,
              dsp_access(&e->dims, mlirValueGetType(value), s.args[i]));
  }
  MlirAttribute in_args = dsp_get(func, "result_args");
  for (size_t i = 0; i < s.nresults; i++) {
    int64_t arg = mlirIntegerAttrGetValueInt(
        mlirArrayAttrGetElement(in_args, (intptr_t)i));
    s.results[i] = arg < 0 ? dsp_name_c(names, "out") : NULL;
  }
  for (MlirOperation op = mlirBlockGetFirstOperation(body); op.ptr;
       op = mlirOperationGetNextInBlock(op)) {
    if (mlirAttributeIsNull(dsp_get(op, "buffers"))) continue;
    for (intptr_t i = 0; i < mlirOperationGetNumResults(op); i++) {
      MlirAttribute arg = dsp_entry(dsp_buffer_of(op, i), "arg");
      if (!mlirAttributeIsNull(arg))
        s.writes[mlirIntegerAttrGetValueInt(arg)] = true;
    }
  }
  return s;
}

static void emit_signature(DspEmitter *e, MlirOperation func,
                           const Signature *s) {
  MlirBlock body = dsp_body_of(func);
  MlirOperation end = mlirBlockGetTerminator(body);
  const char *name = dsp_func_name(e, func);
  const char *text = dsp_format(e->arena, "static void %s(DsprtRun *run", name);
  if (dsp_has_params(func))
    text = dsp_format(e->arena, "%s, const %s_weights *w", text, name);
  if (dsp_get_int(func, "frame_bytes"))
    text = dsp_format(e->arena, "%s, unsigned char *frame", text);
  for (size_t i = 0; i < s->nargs; i++) {
    MlirType type = mlirValueGetType(mlirBlockGetArgument(body, (intptr_t)i));
    text = dsp_format(e->arena, "%s, %s%s *%s", text,
                      s->writes[i] ? "" : "const ",
                      dsp_c_type(mlirShapedTypeGetElementType(type)),
                      s->args[i]);
  }
  for (size_t i = 0; i < s->nresults; i++) {
    MlirType type =
        mlirValueGetType(mlirOperationGetOperand(end, (intptr_t)i));
    if (s->results[i])
      text = dsp_format(e->arena, "%s, %s *%s", text,
                        dsp_c_type(mlirShapedTypeGetElementType(type)),
                        s->results[i]);
  }
  dsp_statement(&e->text, "%s) {", text);
}

void dsp_close_function(DspEmitter *e, DspText body) {
  e->text.indent = 1;
  emit_parts(e, &e->text, body.data ? body.data : "");
  if (!body.data || !dsp_mentions(body.data, "run"))
    dsp_line(&e->text, "(void)run;");
  dsp_text(&e->text, "%s", body.data ? body.data : "");
  e->text.indent = 0;
  dsp_line(&e->text, "}\n");
  dsp_text_free(&body);
}

void dsp_emit_stage(DspEmitter *e, MlirOperation func) {
  if (dsp_has_params(func)) emit_weights_struct(e, func);
  DspNames names = dsp_names(e->arena, &e->globals);
  Signature s = read_signature(e, &names, func);
  emit_signature(e, func, &s);
  e->stage_name = dsp_func_name(e, func);
  DspText outer = e->text;
  e->text = (DspText){.indent = 1};
  e->last_line = 0;
  MlirOperation end = mlirBlockGetTerminator(dsp_body_of(func));
  MlirOperation op = mlirBlockGetFirstOperation(dsp_body_of(func));
  for (; op.ptr && op.ptr != end.ptr; op = mlirOperationGetNextInBlock(op)) {
    for (intptr_t i = 0; i < mlirOperationGetNumResults(op); i++)
      if (!dsp_is_named(op, "dsp.param"))
        place_stage_result(e, &names, op, i, &s);
    dsp_emit_op(e, op, "frame");
  }
  DspText body = e->text;
  e->text = outer;
  dsp_close_function(e, body);
}
