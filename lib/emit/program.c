// program.c - the whole program: dims, weights, stage functions, tables, main.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dspc/support/bug.h"
#include "emitter.h"

enum { MAX_LOOPS = 3, MAX_SITES = 4096 };

MlirAttribute dsp_get(MlirOperation op, const char *name) {
  return mlirOperationGetAttributeByName(op,
                                         mlirStringRefCreateFromCString(name));
}

MlirAttribute dsp_entry(MlirAttribute dictionary, const char *name) {
  return mlirDictionaryAttrGetElementByName(
      dictionary, mlirStringRefCreateFromCString(name));
}

MlirStringRef dsp_get_text(MlirOperation op, const char *name) {
  MlirAttribute attr = dsp_get(op, name);
  if (mlirAttributeIsNull(attr)) return mlirStringRefCreate(NULL, 0);
  return mlirStringAttrGetValue(attr);
}

int64_t dsp_get_int(MlirOperation op, const char *name) {
  MlirAttribute attr = dsp_get(op, name);
  return mlirAttributeIsNull(attr) ? 0 : mlirIntegerAttrGetValueInt(attr);
}

bool dsp_is_named(MlirOperation op, const char *name) {
  return mlirStringRefEqual(mlirIdentifierStr(mlirOperationGetName(op)),
                            mlirStringRefCreateFromCString(name));
}

const char *dsp_c_type(MlirType element) {
  if (mlirTypeIsAF32(element)) return "float";
  if (mlirTypeIsABF16(element)) return "DsprtBf16";
  return mlirTypeIsAF16(element) ? "DsprtF16" : "int32_t";
}

const char *dsp_c_suffix(MlirType element) {
  if (mlirTypeIsAF32(element)) return "f32";
  return mlirTypeIsABF16(element) ? "bf16" : "f16";
}

static const char *type_constant(MlirType element) {
  if (mlirTypeIsAF32(element)) return "DSPRT_F32";
  if (mlirTypeIsABF16(element)) return "DSPRT_BF16";
  return mlirTypeIsAF16(element) ? "DSPRT_F16" : "DSPRT_I32";
}

void dsp_place(DspEmitter *e, MlirValue value, DspAccess access) {
  if (e->nplaced == e->capacity) {
    e->capacity = e->capacity ? 2 * e->capacity : 64;
    DspPlacedValue *grown =
        dsp_arena_alloc(e->arena, e->capacity * sizeof *grown);
    if (e->nplaced) memcpy(grown, e->placed, e->nplaced * sizeof *grown);
    e->placed = grown;
  }
  e->placed[e->nplaced++] = (DspPlacedValue){value.ptr, access};
}

const DspAccess *dsp_placed(DspEmitter *e, MlirValue value) {
  for (size_t i = e->nplaced; i-- > 0;)
    if (e->placed[i].value == value.ptr) return &e->placed[i].access;
  dsp_bug("a value without a place");
}

/// Would a `//` comment that ends like this go on in the next line?
static bool joins_next_line(const char *text, size_t length) {
  return strchr("\\ \t\r", text[length - 1]) ||
         (length >= 3 && memcmp(text + length - 3, "?\?/", 3) == 0);
}

void dsp_emit_source(DspEmitter *e, MlirOperation op) {
  MlirLocation location = mlirOperationGetLocation(op);
  if (!mlirLocationIsAFileLineColRange(location)) return;
  int line = mlirLocationFileLineColRangeGetStartLine(location);
  if (line == e->last_line) return;
  e->last_line = line;
  size_t length = 0;
  const char *text =
      e->options->source_line
          ? e->options->source_line(e->options->user, line, &length)
          : NULL;
  while (length && (*text == ' ' || *text == '\t')) text++, length--;
  while (length && joins_next_line(text, length)) length--;
  dsp_line(&e->text, "// %d: %.*s", line, (int)length, text ? text : "");
}

const char *dsp_emit_shape(DspEmitter *e, const DspAccess *a) {
  const char *text = dsp_format(e->arena, "{%s, %zu, {",
                                type_constant(a->shape.element),
                                a->shape.natoms);
  for (size_t i = 0; i < a->shape.natoms; i++)
    text = dsp_format(e->arena, "%s%s%s", text, i ? ", " : "",
                      dsp_dim_names(&e->dims, a->shape.atoms[i])->size_name);
  return dsp_format(e->arena, "%s}}", text);
}

const char *dsp_emit_cut(DspEmitter *e, const DspAccess *a) {
  for (size_t i = 0; i < a->naxes; i++)
    if (a->axes[i].cut)
      return dsp_format(e->arena, "{%zu, %zu}", a->axes[i].first,
                        a->axes[i].count);
  return "{0, 0}";
}

static const char *ints(DspEmitter *e, MlirAttribute list) {
  const char *text = "";
  for (intptr_t i = 0; i < mlirArrayAttrGetNumElements(list); i++)
    text = dsp_format(e->arena, "%s%s%lld", text, i ? ", " : "",
                      (long long)mlirIntegerAttrGetValueInt(
                          mlirArrayAttrGetElement(list, i)));
  return text;
}

static MlirBlock body_of(MlirOperation op) {
  return mlirRegionGetFirstBlock(mlirOperationGetRegion(op, 0));
}

static MlirOperation find_func(DspEmitter *e, MlirStringRef name) {
  MlirOperation op = mlirBlockGetFirstOperation(mlirModuleGetBody(e->module));
  for (; op.ptr; op = mlirOperationGetNextInBlock(op))
    if (mlirStringRefEqual(dsp_get_text(op, "sym_name"), name)) return op;
  dsp_bug("a call of no function");
}

// Dims.

static void read_dims(DspEmitter *e) {
  MlirAttribute dims = dsp_get(e->top, "dsp.dims");
  e->dims = (DspEmitDims){.arena = e->arena, .dims = dims};
  e->dims.ranks = dsp_get_int(e->top, "dsp.ranks");
  e->dims.count = (size_t)mlirArrayAttrGetNumElements(dims);
  e->dims.names =
      dsp_arena_alloc(e->arena, (e->dims.count + 1) * sizeof *e->dims.names);
  for (size_t i = 0; i < e->dims.count; i++) {
    MlirAttribute dim = mlirArrayAttrGetElement(dims, (intptr_t)i);
    DspDimNames *names = &e->dims.names[i];
    *names = (DspDimNames){
        .name = mlirStringAttrGetValue(dsp_entry(dim, "name")),
        .size = mlirIntegerAttrGetValueInt(dsp_entry(dim, "size")),
        .factors = dsp_entry(dim, "factors")};
    bool digits = names->name.data[0] >= '0' && names->name.data[0] <= '9';
    names->size_name = digits ? dsp_format(e->arena, "%lld",
                                           (long long)names->size)
                              : dsp_name(&e->globals, names->name);
  }
  for (size_t i = 0; i < e->dims.count; i++) {
    DspDimNames *names = &e->dims.names[i];
    const char *word = names->size_name;
    names->part_name =
        dsp_name_c(&e->globals, dsp_format(e->arena, "%s_r", word));
    names->begin_name =
        dsp_name_c(&e->globals, dsp_format(e->arena, "%s_0", word));
    names->index_name =
        dsp_name_c(&e->globals, dsp_format(e->arena, "i_%s", word));
  }
}

static void emit_dims(DspEmitter *e) {
  dsp_line(&e->text, "enum {");
  e->text.indent++;
  for (size_t i = 0; i < e->dims.count; i++) {
    const DspDimNames *dim = &e->dims.names[i];
    if (dim->size_name[0] >= '0' && dim->size_name[0] <= '9') continue;
    dsp_line(&e->text, "%s = %lld,", dim->size_name, (long long)dim->size);
  }
  e->text.indent--;
  dsp_line(&e->text, "};\n");
}

static bool is_word_part(char c) {
  return isalnum((unsigned char)c) || c == '_';
}

/// Is `word`, as a whole word, in the code, comments left out?
static bool mentions(const char *code, const char *word) {
  size_t length = strlen(word);
  for (const char *at = strstr(code, word); at; at = strstr(at + 1, word)) {
    if (at > code && is_word_part(at[-1])) continue;
    if (is_word_part(at[length])) continue;
    const char *line = at;
    while (line > code && line[-1] != '\n') line--;
    const char *comment = strstr(line, "//");
    if (!comment || comment > at) return true;
  }
  return false;
}

/// Declares the parts that the text of a function mentions.
static void emit_parts(DspEmitter *e, DspText *out, const char *body) {
  for (size_t i = 0; i < e->dims.count; i++) {
    const DspDimNames *dim = &e->dims.names[i];
    if (mentions(body, dim->part_name))
      dsp_line(out, "const int64_t %s = dsprt_part(%s, run->rank, run->ranks);",
               dim->part_name, dim->size_name);
    if (mentions(body, dim->begin_name))
      dsp_line(out,
               "const int64_t %s = dsprt_begin(%s, run->rank, run->ranks);",
               dim->begin_name, dim->size_name);
  }
}

// Stage functions.

static const char *field_name(DspEmitter *e, DspNames *names,
                              MlirStringRef rel) {
  (void)e;
  return dsp_name(names, rel);
}

static bool has_params(MlirOperation func) {
  MlirOperation op = mlirBlockGetFirstOperation(body_of(func));
  for (; op.ptr; op = mlirOperationGetNextInBlock(op))
    if (dsp_is_named(op, "dsp.param")) return true;
  return false;
}

static const char *func_name(DspEmitter *e, MlirOperation func) {
  for (size_t i = 0; i < e->nfuncs; i++)
    if (e->funcs[i].func == func.ptr) return e->funcs[i].name;
  dsp_bug("a function without a name");
}

/// Names the functions before any variable: a user may call a block `exp`, and
/// a value like its block.
static void read_funcs(DspEmitter *e) {
  MlirOperation first =
      mlirBlockGetFirstOperation(mlirModuleGetBody(e->module));
  size_t count = 0;
  for (MlirOperation op = first; op.ptr; op = mlirOperationGetNextInBlock(op))
    count++;
  e->funcs = dsp_arena_alloc(e->arena, (count + 1) * sizeof *e->funcs);
  for (MlirOperation op = first; op.ptr; op = mlirOperationGetNextInBlock(op)) {
    if (!dsp_is_named(op, "func.func")) continue;
    const char *name = dsp_name(&e->globals, dsp_get_text(op, "sym_name"));
    e->funcs[e->nfuncs++] = (DspFuncName){.func = op.ptr, .name = name};
  }
}

/// Places the parameters of a function and writes its struct of pointers.
static void emit_weights_struct(DspEmitter *e, MlirOperation func) {
  DspNames names = dsp_names(e->arena, NULL);
  const char *name = func_name(e, func);
  dsp_line(&e->text, "typedef struct {");
  e->text.indent++;
  MlirOperation op = mlirBlockGetFirstOperation(body_of(func));
  for (; op.ptr; op = mlirOperationGetNextInBlock(op)) {
    if (!dsp_is_named(op, "dsp.param")) continue;
    MlirValue value = mlirOperationGetResult(op, 0);
    const char *field = field_name(e, &names, dsp_get_text(op, "rel"));
    DspAccess a = dsp_access(&e->dims, mlirValueGetType(value),
                             dsp_format(e->arena, "w->%s", field));
    dsp_line(&e->text, "const %s *%s; // %s", dsp_c_type(a.shape.element),
             field, dsp_shape_text(&e->dims, &a));
    dsp_place(e, value, a);
  }
  e->text.indent--;
  dsp_line(&e->text, "} %s_weights;\n", name);
}

static MlirAttribute buffer_of(MlirOperation op, intptr_t i) {
  return mlirArrayAttrGetElement(dsp_get(op, "buffers"), i);
}

static const char *wish_of(MlirOperation op, intptr_t result) {
  MlirAttribute names = dsp_get(op, "result_names");
  (void)result;
  MlirStringRef name = mlirAttributeIsNull(names)
                           ? dsp_get_text(op, "name")
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
static void declare(DspEmitter *e, DspNames *names, MlirOperation op,
                    intptr_t i, const char *frame) {
  MlirValue value = mlirOperationGetResult(op, i);
  const char *name = dsp_name_c(names, wish_of(op, i));
  DspAccess a = dsp_access(&e->dims, mlirValueGetType(value), name);
  int64_t offset =
      mlirIntegerAttrGetValueInt(dsp_entry(buffer_of(op, i), "frame"));
  dsp_line(&e->text, "%s *%s = (%s *)(void *)(%s + %lld); // %s",
           dsp_c_type(a.shape.element), name, dsp_c_type(a.shape.element),
           frame, (long long)offset, dsp_shape_text(&e->dims, &a));
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
                               MlirOperation op, const Signature *s) {
  MlirAttribute buffer = buffer_of(op, 0);
  MlirValue value = mlirOperationGetResult(op, 0);
  MlirAttribute arg = dsp_entry(buffer, "arg");
  MlirAttribute result = dsp_entry(buffer, "result");
  const char *base = NULL;
  if (!mlirAttributeIsNull(arg)) base = s->args[mlirIntegerAttrGetValueInt(arg)];
  if (!mlirAttributeIsNull(result))
    base = s->results[mlirIntegerAttrGetValueInt(result)];
  if (base)
    dsp_place(e, value, dsp_access(&e->dims, mlirValueGetType(value), base));
  else if (!mlirAttributeIsNull(dsp_entry(buffer, "frame")))
    declare(e, names, op, 0, "frame");
}

static Signature read_signature(DspEmitter *e, DspNames *names,
                                MlirOperation func) {
  Signature s = {0};
  MlirBlock body = body_of(func);
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
    MlirAttribute arg = dsp_entry(buffer_of(op, 0), "arg");
    if (!mlirAttributeIsNull(arg)) s.writes[mlirIntegerAttrGetValueInt(arg)] = 1;
  }
  return s;
}

static void emit_signature(DspEmitter *e, MlirOperation func,
                           const Signature *s) {
  MlirBlock body = body_of(func);
  MlirOperation end = mlirBlockGetTerminator(body);
  const char *name = func_name(e, func);
  const char *text = dsp_format(e->arena, "static void %s(DsprtRun *run", name);
  if (has_params(func))
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

static void close_function(DspEmitter *e, DspText body) {
  e->text.indent = 1;
  emit_parts(e, &e->text, body.data ? body.data : "");
  if (!body.data || !mentions(body.data, "run"))
    dsp_line(&e->text, "(void)run;");
  dsp_text(&e->text, "%s", body.data ? body.data : "");
  e->text.indent = 0;
  dsp_line(&e->text, "}\n");
  dsp_text_free(&body);
}

static void emit_stage(DspEmitter *e, MlirOperation func) {
  if (has_params(func)) emit_weights_struct(e, func);
  DspNames names = dsp_names(e->arena, &e->globals);
  Signature s = read_signature(e, &names, func);
  emit_signature(e, func, &s);
  DspText outer = e->text;
  e->text = (DspText){.indent = 1};
  e->last_line = 0;
  MlirOperation end = mlirBlockGetTerminator(body_of(func));
  MlirOperation op = mlirBlockGetFirstOperation(body_of(func));
  for (; op.ptr && op.ptr != end.ptr; op = mlirOperationGetNextInBlock(op)) {
    if (!dsp_is_named(op, "dsp.param")) place_stage_result(e, &names, op, &s);
    dsp_emit_op(e, op, "frame");
  }
  DspText body = e->text;
  e->text = outer;
  close_function(e, body);
}

// The model function.

/// A call of a stage in the rolled model, with the iterations it stands for.
typedef struct Site {
  MlirOperation func;
  MlirStringRef path;
  const char *member; ///< of the weights struct
  size_t nloops;
  int64_t first[MAX_LOOPS], count[MAX_LOOPS], total[MAX_LOOPS];
  MlirStringRef vars[MAX_LOOPS];
} Site;

typedef struct Model {
  DspEmitter *e;
  Site sites[MAX_SITES];
  size_t nsites;
  DspNames members, locals;
  struct {
    MlirStringRef var;
    const char *name;
    int64_t first, count;
  } open[MAX_LOOPS];
  size_t nopen;
} Model;

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
    if (n < MAX_LOOPS)
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

static Site make_site(Model *m, MlirOperation call, MlirOperation func) {
  DspEmitter *e = m->e;
  Site site = {.func = func, .path = dsp_get_text(call, "path")};
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

static const char *site_index(Model *m, const Site *site, bool first) {
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

static void emit_ops(Model *m, MlirBlock block);

static void emit_for(Model *m, MlirOperation loop) {
  DspEmitter *e = m->e;
  MlirBlock body = body_of(loop);
  int64_t begin = constant(mlirOperationGetOperand(loop, 0));
  int64_t end = constant(mlirOperationGetOperand(loop, 1));
  for (intptr_t i = 0; i < mlirOperationGetNumResults(loop); i++) {
    DspAccess a = *dsp_placed(e, mlirOperationGetOperand(loop, i + 3));
    dsp_place(e, mlirBlockGetArgument(body, i + 1), a);
    dsp_place(e, mlirOperationGetResult(loop, i), a);
  }
  if (m->nopen == MAX_LOOPS) dsp_bug("too many loops");
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

static void emit_call(Model *m, MlirOperation call) {
  DspEmitter *e = m->e;
  MlirOperation func = find_func(
      e, mlirFlatSymbolRefAttrGetValue(dsp_get(call, "callee")));
  MlirAttribute in_args = dsp_get(func, "result_args");
  const char *name = func_name(e, func);
  const char *text = dsp_format(e->arena, "%s(run", name);
  if (has_params(func)) {
    if (m->nsites == MAX_SITES) dsp_bug("too many calls");
    Site site = make_site(m, call, func);
    m->sites[m->nsites++] = site;
    text = dsp_format(e->arena, "%s, &w->%s%s", text, site.member,
                      site_index(m, &site, false));
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
    declare(e, &m->locals, call, i, "run->arena");
    text = dsp_format(e->arena, "%s, %s", text, dsp_placed(e, result)->base);
  }
  dsp_line(&e->text, "dsprt_stage(run, %lld, \"%s\");",
           (long long)dsp_get_int(call, "stage"), name);
  dsp_statement(&e->text, "%s);", text);
}

static void place_model_param(Model *m, MlirOperation op) {
  DspEmitter *e = m->e;
  MlirValue value = mlirOperationGetResult(op, 0);
  const char *member = dsp_name(&m->members, dsp_get_text(op, "path"));
  dsp_place(e, value,
            dsp_access(&e->dims, mlirValueGetType(value),
                       dsp_format(e->arena, "w->%s", member)));
}

static void emit_model_op(Model *m, MlirOperation op) {
  DspEmitter *e = m->e;
  if (dsp_is_named(op, "scf.for")) {
    emit_for(m, op);
  } else if (dsp_is_named(op, "func.call")) {
    emit_call(m, op);
  } else if (dsp_is_named(op, "dsp.param")) {
    place_model_param(m, op);
  } else if (dsp_op_kind(op) != DSP_OP_NONE) {
    if (mlirOperationGetNumResults(op) &&
        !mlirAttributeIsNull(dsp_entry(buffer_of(op, 0), "frame")))
      declare(e, &m->locals, op, 0, "run->arena");
    dsp_emit_op(e, op, "run->arena");
  }
}

static void emit_ops(Model *m, MlirBlock block) {
  MlirOperation op = mlirBlockGetFirstOperation(block);
  for (; op.ptr; op = mlirOperationGetNextInBlock(op)) emit_model_op(m, op);
}

// Tables.

static void emit_weights(Model *m, MlirOperation model) {
  DspEmitter *e = m->e;
  dsp_line(&e->text, "typedef struct {");
  e->text.indent++;
  for (size_t i = 0; i < m->nsites; i++) {
    const Site *site = &m->sites[i];
    bool seen = false;
    for (size_t k = 0; k < i; k++)
      seen |= m->sites[k].member == site->member;
    if (seen) continue;
    const char *dims = "";
    for (size_t k = 0; k < site->nloops; k++)
      dims = dsp_format(e->arena, "%s[%lld]", dims, (long long)site->total[k]);
    dsp_line(&e->text, "%s_weights %s%s;", func_name(e, site->func),
             site->member, dims);
  }
  MlirOperation op = mlirBlockGetFirstOperation(body_of(model));
  for (; op.ptr; op = mlirOperationGetNextInBlock(op)) {
    if (!dsp_is_named(op, "dsp.param")) continue;
    const DspAccess *a = dsp_placed(e, mlirOperationGetResult(op, 0));
    dsp_line(&e->text, "const %s *%s;", dsp_c_type(a->shape.element),
             a->base + 3);
  }
  if (m->nsites == 0) dsp_line(&e->text, "const void *none;");
  e->text.indent--;
  dsp_line(&e->text, "} Weights;\n");
}

static const char *file_shape(DspEmitter *e, MlirOperation op,
                              MlirType element) {
  MlirAttribute shape = dsp_get(op, "file_shape");
  return dsp_format(e->arena, "{%s, %lld, {%s}}", type_constant(element),
                    (long long)mlirArrayAttrGetNumElements(shape),
                    ints(e, shape));
}

/// "spatial.{i}" -> "spatial.{0}"
static const char *numbered_path(DspEmitter *e, const Site *site,
                                 MlirStringRef rel) {
  const char *text = "";
  size_t loop = 0;
  for (size_t i = 0; i < site->path.length; i++) {
    if (site->path.data[i] == '{') {
      text = dsp_format(e->arena, "%s{%zu}", text, loop++);
      while (i < site->path.length && site->path.data[i] != '}') i++;
    } else {
      text = dsp_format(e->arena, "%s%c", text, site->path.data[i]);
    }
  }
  return dsp_format(e->arena, "%s%s%.*s", text, *text ? "." : "",
                    (int)rel.length, rel.data);
}

static void emit_site_params(Model *m, const Site *site) {
  DspEmitter *e = m->e;
  const char *name = func_name(e, site->func);
  const char *loops = "";
  for (size_t i = 0; i < site->nloops; i++) {
    int64_t inner = 1;
    for (size_t k = i + 1; k < site->nloops; k++) inner *= site->total[k];
    loops = dsp_format(e->arena, "%s%s{%lld, %lld, %lld * sizeof(%s_weights)}",
                       loops, i ? ", " : "", (long long)site->first[i],
                       (long long)site->count[i], (long long)inner, name);
  }
  if (*loops) loops = dsp_format(e->arena, ".loops = {%s}, ", loops);
  MlirOperation op = mlirBlockGetFirstOperation(body_of(site->func));
  for (; op.ptr; op = mlirOperationGetNextInBlock(op)) {
    if (!dsp_is_named(op, "dsp.param")) continue;
    const DspAccess *a = dsp_placed(e, mlirOperationGetResult(op, 0));
    dsp_statement(&e->text,
                  "{.path = \"%s\", .nloops = %zu, %s.shape = %s, .offset = "
                  "offsetof(Weights, %s%s) + offsetof(%s_weights, %s)},",
                  numbered_path(e, site, dsp_get_text(op, "rel")),
                  site->nloops, loops,
                  file_shape(e, op, a->shape.element), site->member,
                  site_index(m, site, true), name, a->base + 3);
  }
}

static bool is_repeated_site(const Model *m, size_t i) {
  const Site *a = &m->sites[i];
  for (size_t k = 0; k < i; k++) {
    const Site *b = &m->sites[k];
    if (a->member == b->member &&
        memcmp(a->first, b->first, sizeof a->first) == 0 &&
        memcmp(a->count, b->count, sizeof a->count) == 0)
      return true;
  }
  return false;
}

static bool emit_params(Model *m, MlirOperation model) {
  DspEmitter *e = m->e;
  bool any = false;
  dsp_line(&e->text, "static const DsprtParam params[] = {");
  e->text.indent++;
  for (size_t i = 0; i < m->nsites; i++) {
    any = true;
    if (!is_repeated_site(m, i)) emit_site_params(m, &m->sites[i]);
  }
  MlirOperation op = mlirBlockGetFirstOperation(body_of(model));
  for (; op.ptr; op = mlirOperationGetNextInBlock(op)) {
    if (!dsp_is_named(op, "dsp.param")) continue;
    any = true;
    const DspAccess *a = dsp_placed(e, mlirOperationGetResult(op, 0));
    MlirStringRef path = dsp_get_text(op, "path");
    dsp_statement(&e->text,
                  "{.path = \"%.*s\", .shape = %s, .offset = "
                  "offsetof(Weights, %s)},",
                  (int)path.length, path.data,
                  file_shape(e, op, a->shape.element), a->base + 3);
  }
  if (!any) dsp_line(&e->text, "{.path = NULL},");
  e->text.indent--;
  dsp_line(&e->text, "};\n");
  return any;
}

static void place_of(MlirValue value, int64_t *offset) {
  if (mlirValueIsABlockArgument(value)) dsp_bug("a port without a place");
  MlirOperation owner = mlirOpResultGetOwner(value);
  MlirAttribute buffers = dsp_get(owner, "buffers");
  MlirAttribute buffer = mlirArrayAttrGetElement(
      buffers, mlirOpResultGetResultNumber(value));
  *offset = mlirIntegerAttrGetValueInt(dsp_entry(buffer, "frame"));
}

static int emit_ports(DspEmitter *e, MlirOperation model, const char *kind,
                      const char *table) {
  int count = 0;
  bool output = strcmp(kind, "dsp.output") == 0;
  dsp_line(&e->text, "static const DsprtPort %s[] = {", table);
  e->text.indent++;
  MlirOperation op = mlirBlockGetFirstOperation(body_of(model));
  for (; op.ptr; op = mlirOperationGetNextInBlock(op)) {
    if (!dsp_is_named(op, kind)) continue;
    MlirValue value = output ? mlirOperationGetOperand(op, 0)
                             : mlirOperationGetResult(op, 0);
    const DspAccess *a = dsp_placed(e, value);
    int64_t offset;
    place_of(value, &offset);
    MlirStringRef name = dsp_get_text(op, "name");
    dsp_statement(&e->text,
                  "{.name = \"%.*s\", .shape = %s, .cut = %s, .offset = %lld, "
                  ".file = %s},",
                  (int)name.length, name.data, dsp_emit_shape(e, a),
                  dsp_emit_cut(e, a), (long long)offset,
                  mlirAttributeIsNull(dsp_get(op, "file_shape"))
                      ? dsp_emit_shape(e, a)
                      : file_shape(e, op, a->shape.element));
    count++;
  }
  if (count == 0) dsp_line(&e->text, "{.name = NULL},");
  e->text.indent--;
  dsp_line(&e->text, "};\n");
  return count;
}

static void emit_main(Model *m, MlirOperation model) {
  DspEmitter *e = m->e;
  bool params = emit_params(m, model);
  int inputs = emit_ports(e, model, "dsp.input", "inputs");
  int outputs = emit_ports(e, model, "dsp.output", "outputs");
  dsp_statement(&e->text, "static const int64_t predicted[] = {%s};\n",
                ints(e, dsp_get(e->top, "dsp.predicted_bytes")));
  MlirStringRef name = dsp_get_text(e->top, "dsp.model");
  dsp_text(&e->text,
           "\nint main(int argc, char **argv) {\n"
           "  static const DsprtProgram program = {\n"
           "      .model = \"%.*s\",\n      .source = \"%s\",\n"
           "      .ranks = %lld,\n      .params = params,\n"
           "      .nparams = %s,\n      .weights_bytes = sizeof(Weights),\n"
           "      .inputs = inputs,\n      .ninputs = %d,\n"
           "      .outputs = outputs,\n      .noutputs = %d,\n"
           "      .nstages = %lld,\n      .arena_bytes = %lld,\n"
           "      .predicted_bytes = predicted,\n"
           "      .forward = forward,\n  };\n"
           "  return dsprt_main(argc, argv, &program);\n}\n",
           (int)name.length, name.data, e->options->source_name,
           (long long)e->dims.ranks,
           params ? "sizeof params / sizeof params[0]" : "0", inputs, outputs,
           (long long)mlirArrayAttrGetNumElements(
               dsp_get(e->top, "dsp.stages")),
           (long long)dsp_get_int(e->top, "dsp.arena_bytes"));
}

static void emit_model(DspEmitter *e, MlirOperation model) {
  Model *m = dsp_arena_alloc(e->arena, sizeof *m);
  memset(m, 0, sizeof *m);
  m->e = e;
  m->members = dsp_names(e->arena, NULL);
  m->locals = dsp_names(e->arena, &e->globals);
  DspText outer = e->text;
  e->text = (DspText){.indent = 1};
  e->last_line = 0;
  emit_ops(m, body_of(model));
  DspText body = e->text;
  e->text = outer;
  emit_weights(m, model);
  dsp_line(&e->text, "static void forward(DsprtRun *run) {");
  if (body.data && strstr(body.data, "w->"))
    dsp_line(&e->text, "  const Weights *w = run->weights;");
  close_function(e, body);
  emit_main(m, model);
}

char *dsp_emit_c(MlirModule module, const DspEmitOptions *options) {
  DspEmitter e = {.arena = dsp_arena_create(),
                  .module = module,
                  .top = mlirModuleGetOperation(module),
                  .options = options};
  e.globals = dsp_names(e.arena, NULL);
  read_dims(&e);
  read_funcs(&e);
  MlirStringRef name = dsp_get_text(e.top, "dsp.model");
  dsp_comment(&e.text, "%.*s.c - emitted by dspc from %s for %lld ranks.",
              (int)name.length, name.data, options->source_name,
              (long long)e.dims.ranks);
  dsp_line(&e.text, "#include \"dsprt.h\"\n");
  emit_dims(&e);
  MlirOperation model = {NULL};
  MlirOperation op = mlirBlockGetFirstOperation(mlirModuleGetBody(module));
  for (; op.ptr; op = mlirOperationGetNextInBlock(op)) {
    if (!dsp_is_named(op, "func.func")) continue;
    if (mlirAttributeIsNull(dsp_get(op, "sym_visibility")))
      model = op;
    else
      emit_stage(&e, op);
  }
  if (model.ptr) emit_model(&e, model);
  dsp_arena_destroy(e.arena);
  if (!e.failed && model.ptr) return e.text.data;
  dsp_text_free(&e.text);
  return NULL;
}
