// program.c - the whole program: header, dims, stage functions, model, main.
#include <stdlib.h>
#include <string.h>

#include "dspc/support/bug.h"
#include "program.h"

static void read_axis_names(DspEmitter *e) {
  MlirAttribute names = dsp_get(e->top, "dsp.mesh_names");
  MlirStringRef list[DSP_MAX_AXES];
  if (mlirAttributeIsNull(names)) return;
  dsp_attr_read_strings(names, list, DSP_MAX_AXES);
  for (size_t a = 0; a < DSP_MAX_AXES; a++)
    e->dims.axis_names[a] = dsp_format(e->arena, "%.*s", (int)list[a].length,
                                       list[a].data);
}

/// "S_r" and "S_0" of what all axes cut; on a mesh of two, "S_gpus" and
/// "S_gpus_0" of what one does.
static void name_parts(DspEmitter *e, DspDimNames *dim) {
  bool row = e->dims.mesh.naxes == 1;
  for (DspAxes cut = 1; cut < DSP_CUTS; cut++) {
    const char *axis = row || cut == DSP_CUTS - 1
                           ? NULL
                           : e->dims.axis_names[cut >> 1];
    if (row && cut > 1) break;
    dim->part_name[cut] = dsp_name_c(
        &e->globals,
        dsp_format(e->arena, "%s_%s", dim->size_name, axis ? axis : "r"));
    dim->begin_name[cut] = dsp_name_c(
        &e->globals, dsp_format(e->arena, "%s%s%s_0", dim->size_name,
                                axis ? "_" : "", axis ? axis : ""));
  }
}

static void read_dims(DspEmitter *e) {
  MlirAttribute dims = dsp_get(e->top, "dsp.dims");
  e->dims = (DspEmitDims){.arena = e->arena, .dims = dims};
  e->dims.mesh = dsp_mesh_of(e->top);
  read_axis_names(e);
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
                              : dsp_name_dim(&e->globals, names->name);
  }
  for (size_t i = 0; i < e->dims.count; i++) {
    DspDimNames *names = &e->dims.names[i];
    const char *word = names->size_name;
    name_parts(e, names);
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

const char *dsp_func_name(DspEmitter *e, MlirOperation func) {
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

static void emit_title(DspEmitter *e, DspText *out, const char *suffix) {
  MlirStringRef name = dsp_get_text(e->top, "dsp.model");
  const DspEmitDims *dims = &e->dims;
  long long ranks = dsp_mesh_ranks(dims->mesh);
  const char *mesh = "";
  if (dims->mesh.naxes > 1)
    mesh = dsp_format(e->arena, ", %lld %s x %lld %s",
                      (long long)dims->mesh.sizes[0], dims->axis_names[0],
                      (long long)dims->mesh.sizes[1], dims->axis_names[1]);
  dsp_comment(out, "%.*s%s - emitted by dspc from %s for %lld rank%s%s.",
              (int)name.length, name.data, suffix, e->options->source_name,
              ranks, ranks == 1 ? "" : "s", mesh);
  dsp_comment(out, "The numbers in comments are lines of that file.");
}

static void emit_functions(DspEmitter *e) {
  MlirOperation model = {NULL};
  MlirOperation op =
      mlirBlockGetFirstOperation(mlirModuleGetBody(e->module));
  for (; op.ptr; op = mlirOperationGetNextInBlock(op)) {
    if (!dsp_is_named(op, "func.func")) continue;
    if (mlirAttributeIsNull(dsp_get(op, "sym_visibility")))
      model = op;
    else
      dsp_emit_stage(e, op);
  }
  if (!model.ptr) dsp_bug("a module without a model function");
  dsp_emit_model(e, model);
}

static void emit_host(DspEmitter *e) {
  bool cuda = e->options->target == DSP_TARGET_CUDA;
  MlirStringRef name = dsp_get_text(e->top, "dsp.model");
  emit_title(e, &e->text, ".c");
  dsp_line(&e->text, "#include \"dsprt.h\"%s", cuda ? "" : "\n");
  if (cuda)
    dsp_line(&e->text, "#include \"%.*s_kernels.h\"\n", (int)name.length,
             name.data);
  if (!cuda) emit_dims(e);
  emit_functions(e);
}

/// The dims and the functions that the host and the kernels share.
static char *make_header(DspEmitter *e) {
  DspText host = e->text;
  e->text = (DspText){0};
  emit_title(e, &e->text, "_kernels.h");
  dsp_line(&e->text, "#pragma once\n#include \"dsprt_types.h\"\n");
  emit_dims(e);
  dsp_line(&e->text, "#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
  dsp_line(&e->text, "typedef struct DsprtRun DsprtRun;");
  dsp_text(&e->text, "%s", e->declarations.data ? e->declarations.data : "");
  dsp_line(&e->text, "\n#ifdef __cplusplus\n}\n#endif");
  char *header = e->text.data;
  e->text = host;
  return header;
}

static char *make_kernels(DspEmitter *e) {
  MlirStringRef name = dsp_get_text(e->top, "dsp.model");
  DspText out = {0};
  emit_title(e, &out, "_kernels.cu");
  const char *text = e->kernels.data ? e->kernels.data : "";
  dsp_line(&out, "#include \"dsprt_kernels.cuh\"");
  if (strstr(text, "DsprtRow<")) dsp_line(&out, "#include \"dsprt_rows.cuh\"");
  if (strstr(text, "DsprtShort<"))
    dsp_line(&out, "#include \"dsprt_tile.cuh\"");
  dsp_line(&out, "\n#include \"%.*s_kernels.h\"\n", (int)name.length,
           name.data);
  dsp_text(&out, "%s", text);
  return out.data;
}

bool dsp_emit(MlirModule module, const DspEmitOptions *options,
              DspEmitted *emitted) {
  DspEmitter e = {.arena = dsp_arena_create(),
                  .module = module,
                  .top = mlirModuleGetOperation(module),
                  .options = options};
  *emitted = (DspEmitted){0};
  e.globals = dsp_names(e.arena, NULL);
  read_dims(&e);
  read_funcs(&e);
  emit_host(&e);
  if (!e.failed && options->target == DSP_TARGET_CUDA) {
    emitted->header = make_header(&e);
    emitted->kernels = make_kernels(&e);
  }
  if (!e.failed) emitted->host = e.text.data;
  if (e.failed) dsp_text_free(&e.text);
  dsp_text_free(&e.kernels);
  dsp_text_free(&e.declarations);
  dsp_arena_destroy(e.arena);
  return !e.failed;
}

void dsp_emitted_free(DspEmitted *emitted) {
  free(emitted->host);
  free(emitted->header);
  free(emitted->kernels);
  *emitted = (DspEmitted){0};
}
