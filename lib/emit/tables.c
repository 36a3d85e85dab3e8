// tables.c - the weights struct, the tables of parameters and ports, main.
#include <string.h>

#include "dspc/support/bug.h"
#include "program.h"

static const char *ints(DspEmitter *e, MlirAttribute list) {
  const char *text = "";
  for (intptr_t i = 0; i < mlirArrayAttrGetNumElements(list); i++)
    text = dsp_format(e->arena, "%s%s%lld", text, i ? ", " : "",
                      (long long)mlirIntegerAttrGetValueInt(
                          mlirArrayAttrGetElement(list, i)));
  return text;
}

void dsp_emit_weights(DspEmittedModel *m, MlirOperation model) {
  DspEmitter *e = m->e;
  dsp_line(&e->text, "typedef struct {");
  e->text.indent++;
  for (size_t i = 0; i < m->nsites; i++) {
    const DspSite *site = &m->sites[i];
    bool seen = false;
    for (size_t k = 0; k < i; k++)
      seen |= m->sites[k].member == site->member;
    if (seen) continue;
    const char *dims = "";
    for (size_t k = 0; k < site->nloops; k++)
      dims = dsp_format(e->arena, "%s[%lld]", dims, (long long)site->total[k]);
    dsp_line(&e->text, "%s_weights %s%s;", dsp_func_name(e, site->func),
             site->member, dims);
  }
  MlirOperation op = mlirBlockGetFirstOperation(dsp_body_of(model));
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
  return dsp_format(e->arena, "{%s, %lld, {%s}}", dsp_type_constant(element),
                    (long long)mlirArrayAttrGetNumElements(shape),
                    ints(e, shape));
}

/// "spatial.{i}" -> "spatial.{0}"
static const char *numbered_path(DspEmitter *e, const DspSite *site,
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

/// ".cut = ..., " and on a mesh of two axes ".inner = ..., ".
static const char *cuts_text(DspEmitter *e, const DspAccess *a) {
  const char *text = dsp_format(e->arena, ".cut = %s, ", dsp_emit_cut(e, a, 0));
  if (e->dims.mesh.naxes == 1) return text;
  return dsp_format(e->arena, "%s.inner = %s, ", text, dsp_emit_cut(e, a, 1));
}

/// ".dims = ..., .cut = ..., " of a parameter of which a rank holds a part.
static const char *param_cut(DspEmitter *e, const DspAccess *a) {
  for (size_t i = 0; i < a->naxes; i++)
    if (a->axes[i].cut)
      return dsp_format(e->arena, ".dims = %s, %s", dsp_emit_shape(e, a),
                        cuts_text(e, a));
  return "";
}

static void emit_site_params(DspEmittedModel *m, const DspSite *site) {
  DspEmitter *e = m->e;
  const char *name = dsp_func_name(e, site->func);
  const char *loops = "";
  for (size_t i = 0; i < site->nloops; i++) {
    int64_t inner = 1;
    for (size_t k = i + 1; k < site->nloops; k++) inner *= site->total[k];
    const char *times =
        inner == 1 ? "" : dsp_format(e->arena, "%lld * ", (long long)inner);
    loops = dsp_format(e->arena, "%s%s{%lld, %lld, %ssizeof(%s_weights)}",
                       loops, i ? ", " : "", (long long)site->first[i],
                       (long long)site->count[i], times, name);
  }
  if (*loops) loops = dsp_format(e->arena, ".loops = {%s}, ", loops);
  MlirOperation op = mlirBlockGetFirstOperation(dsp_body_of(site->func));
  for (; op.ptr; op = mlirOperationGetNextInBlock(op)) {
    if (!dsp_is_named(op, "dsp.param")) continue;
    const DspAccess *a = dsp_placed(e, mlirOperationGetResult(op, 0));
    dsp_statement(&e->text,
                  "{.path = \"%s\", .nloops = %zu, %s.shape = %s, %s.offset = "
                  "offsetof(Weights, %s%s) + offsetof(%s_weights, %s)},",
                  numbered_path(e, site, dsp_get_text(op, "rel")),
                  site->nloops, loops,
                  file_shape(e, op, a->shape.element), param_cut(e, a),
                  site->member,
                  dsp_site_index(m, site, true), name, a->base + 3);
  }
}

static bool is_repeated_site(const DspEmittedModel *m, size_t i) {
  const DspSite *a = &m->sites[i];
  for (size_t k = 0; k < i; k++) {
    const DspSite *b = &m->sites[k];
    if (a->member == b->member &&
        memcmp(a->first, b->first, sizeof a->first) == 0 &&
        memcmp(a->count, b->count, sizeof a->count) == 0)
      return true;
  }
  return false;
}

static bool emit_params(DspEmittedModel *m, MlirOperation model) {
  DspEmitter *e = m->e;
  bool any = false;
  dsp_line(&e->text, "static const DsprtParam params[] = {");
  e->text.indent++;
  for (size_t i = 0; i < m->nsites; i++) {
    any = true;
    if (!is_repeated_site(m, i)) emit_site_params(m, &m->sites[i]);
  }
  MlirOperation op = mlirBlockGetFirstOperation(dsp_body_of(model));
  for (; op.ptr; op = mlirOperationGetNextInBlock(op)) {
    if (!dsp_is_named(op, "dsp.param")) continue;
    any = true;
    const DspAccess *a = dsp_placed(e, mlirOperationGetResult(op, 0));
    MlirStringRef path = dsp_get_text(op, "path");
    dsp_statement(&e->text,
                  "{.path = \"%.*s\", .shape = %s, %s.offset = "
                  "offsetof(Weights, %s)},",
                  (int)path.length, path.data,
                  file_shape(e, op, a->shape.element), param_cut(e, a),
                  a->base + 3);
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
  MlirOperation op = mlirBlockGetFirstOperation(dsp_body_of(model));
  for (; op.ptr; op = mlirOperationGetNextInBlock(op)) {
    if (!dsp_is_named(op, kind)) continue;
    MlirValue value = output ? mlirOperationGetOperand(op, 0)
                             : mlirOperationGetResult(op, 0);
    const DspAccess *a = dsp_placed(e, value);
    int64_t offset;
    place_of(value, &offset);
    MlirStringRef name = dsp_get_text(op, "name");
    dsp_statement(&e->text,
                  "{.name = \"%.*s\", .shape = %s, %s.offset = %lld, "
                  ".file = %s},",
                  (int)name.length, name.data, dsp_emit_shape(e, a),
                  cuts_text(e, a), (long long)offset,
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

/// What a GPU holds besides the arena; nothing for CPU ranks.
static const char *device_memory(DspEmitter *e) {
  if (e->options->target != DSP_TARGET_CUDA) return "";
  return dsp_format(e->arena,
                    "      .device_weights = %lld,\n"
                    "      .device_staging = %lld,\n",
                    (long long)dsp_get_int(e->top, "dsp.weight_bytes"),
                    (long long)dsp_get_int(e->top, "dsp.staging_bytes"));
}

static const char *flops_text(DspEmitter *e) {
  MlirAttribute flops = dsp_get(e->top, "dsp.flops");
  if (mlirAttributeIsNull(flops)) return "";
  return dsp_format(e->arena, "      .flops = %.17g,\n",
                    mlirFloatAttrGetValueDouble(flops));
}

void dsp_emit_main(DspEmittedModel *m, MlirOperation model) {
  DspEmitter *e = m->e;
  bool params = emit_params(m, model);
  int inputs = emit_ports(e, model, "dsp.input", "inputs");
  int outputs = emit_ports(e, model, "dsp.output", "outputs");
  dsp_statement(&e->text, "static const int64_t predicted[] = {%s};\n",
                ints(e, dsp_get(e->top, "dsp.predicted_bytes")));
  MlirStringRef name = dsp_get_text(e->top, "dsp.model");
  const char *mesh = "";
  if (e->dims.mesh.naxes > 1)
    mesh = dsp_format(e->arena, "      .mesh = {{%lld, %lld}},\n",
                      (long long)e->dims.mesh.sizes[0],
                      (long long)e->dims.mesh.sizes[1]);
  dsp_text(&e->text,
           "\nint main(int argc, char **argv) {\n"
           "  static const DsprtProgram program = {\n"
           "      .model = \"%.*s\",\n      .source = \"%s\",\n"
           "      .ranks = %lld,\n%s      .params = params,\n"
           "      .nparams = %s,\n      .weights_bytes = sizeof(Weights),\n"
           "      .inputs = inputs,\n      .ninputs = %d,\n"
           "      .outputs = outputs,\n      .noutputs = %d,\n"
           "      .nstages = %lld,\n      .arena_bytes = %lld,\n%s%s"
           "      .predicted_bytes = predicted,\n"
           "      .forward = forward,\n  };\n"
           "  return dsprt_main(argc, argv, &program);\n}\n",
           (int)name.length, name.data, e->options->source_name,
           (long long)dsp_mesh_ranks(e->dims.mesh), mesh,
           params ? "sizeof params / sizeof params[0]" : "0", inputs, outputs,
           (long long)mlirArrayAttrGetNumElements(
               dsp_get(e->top, "dsp.stages")),
           (long long)dsp_get_int(e->top, "dsp.arena_bytes"),
           device_memory(e), flops_text(e));
}
