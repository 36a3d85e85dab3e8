// import.c - from the resolved model to `dsp` MLIR: op by op, value by value.
//
// Needs:  a model without errors.
// Leaves: one func.func @model of dsp ops without layouts.
#include "dspc/import/import.h"

#include <mlir-c/BuiltinAttributes.h>
#include <mlir-c/BuiltinTypes.h>
#include <string.h>

#include "dspc/dialect/dialect.h"

enum { MAX_ATTRIBUTES = 12, MAX_NAMES = 32 };

/// A type that some value has had.
typedef struct KnownType {
  const DspValueType *of;
  MlirType type;
} KnownType;

/// The name of an attribute, a literal of this file.
typedef struct KnownName {
  const char *text;
  MlirIdentifier identifier;
} KnownName;

typedef struct Importer {
  MlirContext context;
  const DspModel *model;
  MlirBlock body;
  MlirValue *values;       ///< [nvalues]
  MlirLocation *locations; ///< [bytes of the source + 1], as they are met
  KnownType *types;        ///< [ntypes], as they are met
  size_t ntypes;
  KnownName names[MAX_NAMES]; ///< of attributes, as they are met
  size_t nnames;
} Importer;

/// The attributes of an op under construction.
typedef struct Attributes {
  Importer *i;
  MlirNamedAttribute list[MAX_ATTRIBUTES];
  intptr_t count;
} Attributes;

static MlirStringRef ref(DspStr s) {
  return mlirStringRefCreate(s.data, s.length);
}

static MlirAttribute text_attr(Importer *i, DspStr s) {
  return mlirStringAttrGet(i->context, ref(s));
}

static MlirAttribute int_attr(Importer *i, int64_t n) {
  return mlirIntegerAttrGet(mlirIntegerTypeGet(i->context, 64), n);
}

static MlirAttribute float_attr(Importer *i, double x) {
  return mlirFloatAttrDoubleGet(i->context, mlirF64TypeGet(i->context), x);
}

static MlirIdentifier identifier(Importer *i, const char *name) {
  for (size_t k = 0; k < i->nnames; k++)
    if (i->names[k].text == name) return i->names[k].identifier;
  MlirIdentifier made =
      mlirIdentifierGet(i->context, mlirStringRefCreateFromCString(name));
  if (i->nnames < MAX_NAMES) i->names[i->nnames++] = (KnownName){name, made};
  return made;
}

static void set(Attributes *a, const char *name, MlirAttribute value) {
  a->list[a->count++] = mlirNamedAttributeGet(identifier(a->i, name), value);
}

static MlirAttribute dictionary(const Attributes *a) {
  return mlirDictionaryAttrGet(a->i->context, a->count, a->list);
}

static size_t atom_names(Importer *i, const DspAtoms *atoms,
                         MlirStringRef *names) {
  for (size_t k = 0; k < atoms->count; k++)
    names[k] = ref(i->model->dims[atoms->ids[k]].name);
  return atoms->count;
}

static MlirAttribute atoms_attr(Importer *i, const DspAtoms *atoms) {
  MlirStringRef names[DSP_MODEL_MAX_RANK];
  return dsp_attr_strings(i->context, atom_names(i, atoms, names), names);
}

static MlirType element_type(Importer *i, DspElement element) {
  switch (element) {
  case DSP_F32: return mlirF32TypeGet(i->context);
  case DSP_BF16: return mlirBF16TypeGet(i->context);
  case DSP_F16: return mlirF16TypeGet(i->context);
  default: return mlirIntegerTypeGet(i->context, 32);
  }
}

static bool same_type(const DspValueType *a, const DspValueType *b) {
  return a->element == b->element && a->atoms.count == b->atoms.count &&
         memcmp(a->atoms.ids, b->atoms.ids,
                a->atoms.count * sizeof *a->atoms.ids) == 0;
}

static MlirType build_type(Importer *i, const DspValueType *type) {
  DspTensorInfo info = {.element = element_type(i, type->element),
                        .ndims = type->atoms.count};
  atom_names(i, &type->atoms, info.dims);
  for (size_t k = 0; k < info.ndims; k++)
    info.sizes[k] = i->model->dims[type->atoms.ids[k]].size;
  return dsp_tensor_type(i->context, &info);
}

static MlirType tensor_type(Importer *i, const DspValueType *type) {
  for (size_t k = 0; k < i->ntypes; k++)
    if (same_type(i->types[k].of, type)) return i->types[k].type;
  MlirType built = build_type(i, type);
  i->types[i->ntypes++] = (KnownType){type, built};
  return built;
}

static MlirLocation location(Importer *i, DspRange range) {
  MlirLocation *known = &i->locations[range.begin];
  if (!mlirLocationIsNull(*known)) return *known;
  DspPlaceInText place = dsp_source_place(i->model->source, range.begin);
  *known = mlirLocationFileLineColGet(
      i->context, mlirStringRefCreateFromCString(i->model->source->name),
      (unsigned)place.line, (unsigned)place.column);
  return *known;
}

static MlirAttribute map_operand(Importer *i, const DspMapArg *arg) {
  return arg->is_number ? float_attr(i, arg->number)
                        : int_attr(i, (int64_t)arg->operand);
}

static MlirAttribute map_expr(Importer *i, const DspModelOp *op) {
  if (!op->function.length) return int_attr(i, 0);
  MlirAttribute parts[1 + DSP_MODEL_MAX_ARGS] = {text_attr(i, op->function)};
  for (size_t k = 0; k < op->nargs; k++)
    parts[k + 1] = map_operand(i, &op->args[k]);
  return mlirArrayAttrGet(i->context, (intptr_t)op->nargs + 1, parts);
}

static const char *const op_names[] = {
    [DSP_MODEL_INPUT] = "dsp.input",
    [DSP_MODEL_PARAM] = "dsp.param",
    [DSP_MODEL_OUTPUT] = "dsp.output",
    [DSP_MODEL_LINEAR] = "dsp.linear",
    [DSP_MODEL_LAYER_NORM] = "dsp.layer_norm",
    [DSP_MODEL_RMS_NORM] = "dsp.rms_norm",
    [DSP_MODEL_ATTENTION] = "dsp.attention",
    [DSP_MODEL_MAP] = "dsp.map",
    [DSP_MODEL_SLICE] = "dsp.slice",
    [DSP_MODEL_CONCAT] = "dsp.concat",
    [DSP_MODEL_REARRANGE] = "dsp.rearrange",
    [DSP_MODEL_REDUCE] = "dsp.reduce",
    [DSP_MODEL_PIN] = "dsp.pin",
    [DSP_MODEL_EINSUM] = "dsp.einsum",
    [DSP_MODEL_EMBEDDING] = "dsp.embedding",
    [DSP_MODEL_ROPE] = "dsp.rope",
    [DSP_MODEL_RENAME] = "dsp.rename",
    [DSP_MODEL_INDEX] = "dsp.index",
};

static void set_attributes(Attributes *a, const DspModelOp *op) {
  Importer *i = a->i;
  const DspModelDim *dims = i->model->dims;
  if (op->name.length) set(a, "name", text_attr(i, op->name));
  if (op->file_shape)
    set(a, "file_shape",
        dsp_attr_ints(i->context, op->nfile_shape, op->file_shape));
  switch (op->kind) {
  case DSP_MODEL_PARAM:
    set(a, "path", text_attr(i, op->path));
    set(a, "rel", text_attr(i, op->rel));
    break;
  case DSP_MODEL_LINEAR:
    set(a, "contract", atoms_attr(i, &op->over));
    set(a, "out", atoms_attr(i, &op->out));
    break;
  case DSP_MODEL_LAYER_NORM:
  case DSP_MODEL_RMS_NORM:
    set(a, "over", atoms_attr(i, &op->over));
    set(a, "eps", float_attr(i, op->number));
    break;
  case DSP_MODEL_ATTENTION:
    set(a, "over", atoms_attr(i, &op->over));
    set(a, "dot", atoms_attr(i, &op->out));
    set(a, "scale", float_attr(i, op->number));
    if (op->causal) set(a, "causal", int_attr(i, 1));
    if (op->window) set(a, "window", int_attr(i, op->window));
    break;
  case DSP_MODEL_MAP: set(a, "expr", map_expr(i, op)); break;
  case DSP_MODEL_SLICE:
    set(a, "dim", text_attr(i, dims[op->dim].name));
    set(a, "start", int_attr(i, op->start));
    set(a, "size", int_attr(i, op->size));
    break;
  case DSP_MODEL_CONCAT:
    set(a, "dim", text_attr(i, dims[op->dim].name));
    set(a, "starts", dsp_attr_ints(i->context, op->noperands, op->starts));
    break;
  case DSP_MODEL_EINSUM:
  case DSP_MODEL_ROPE: set(a, "over", atoms_attr(i, &op->over)); break;
  case DSP_MODEL_EMBEDDING:
    set(a, "over", atoms_attr(i, &op->over));
    set(a, "out", atoms_attr(i, &op->out));
    break;
  case DSP_MODEL_REDUCE:
    set(a, "kind", text_attr(i, op->function));
    set(a, "over", atoms_attr(i, &op->over));
    break;
  case DSP_MODEL_PIN: set(a, "on", text_attr(i, dims[op->dim].name)); break;
  default: break;
  }
  set(a, "stage", int_attr(i, (int64_t)op->stage));
}

static void import_op(Importer *i, const DspModelOp *op) {
  Attributes attributes = {.i = i};
  set_attributes(&attributes, op);
  MlirOperationState state = mlirOperationStateGet(
      mlirStringRefCreateFromCString(op_names[op->kind]),
      location(i, op->range));
  for (size_t k = 0; k < op->noperands; k++)
    mlirOperationStateAddOperands(&state, 1, &i->values[op->operands[k]]);
  mlirOperationStateAddAttributes(&state, attributes.count, attributes.list);
  bool output = op->kind == DSP_MODEL_OUTPUT;
  if (!output) {
    MlirType type = tensor_type(i, &i->model->values[op->result].type);
    mlirOperationStateAddResults(&state, 1, &type);
  }
  MlirOperation built = mlirOperationCreate(&state);
  dsp_op_set_segments(built);
  mlirBlockAppendOwnedOperation(i->body, built);
  if (!output) i->values[op->result] = mlirOperationGetResult(built, 0);
}

static MlirAttribute import_dim(Importer *i, const DspModelDim *dim) {
  Attributes a = {.i = i};
  set(&a, "name", text_attr(i, dim->name));
  set(&a, "size", int_attr(i, dim->size));
  if (dim->kind == DSP_DIM_PRODUCT)
    set(&a, "factors", atoms_attr(i, &dim->factors));
  if (dim->kind == DSP_DIM_SUM) {
    MlirAttribute terms[DSP_MODEL_MAX_RANK];
    for (size_t k = 0; k < dim->nterms; k++)
      terms[k] = atoms_attr(i, &dim->terms[k]);
    set(&a, "terms",
        mlirArrayAttrGet(i->context, (intptr_t)dim->nterms, terms));
  }
  return dictionary(&a);
}

static MlirAttribute import_stage(Importer *i, const DspStage *stage) {
  Attributes a = {.i = i};
  MlirAttribute loops[DSP_MODEL_MAX_LOOPS];
  for (size_t k = 0; k < stage->nloops; k++) {
    Attributes loop = {.i = i};
    set(&loop, "repeat", int_attr(i, stage->loops[k].repeat));
    set(&loop, "var", text_attr(i, stage->loops[k].variable));
    set(&loop, "index", int_attr(i, stage->loops[k].index));
    set(&loop, "count", int_attr(i, stage->loops[k].count));
    loops[k] = dictionary(&loop);
  }
  set(&a, "name", text_attr(i, stage->name));
  set(&a, "args", text_attr(i, stage->args));
  set(&a, "path", text_attr(i, stage->path));
  set(&a, "loops",
      mlirArrayAttrGet(i->context, (intptr_t)stage->nloops, loops));
  return dictionary(&a);
}

static void set_module_attributes(Importer *i, MlirOperation module,
                                  DspArena *arena) {
  const DspModel *m = i->model;
  size_t most = m->ndims > m->nstages ? m->ndims : m->nstages;
  MlirAttribute *list = dsp_arena_alloc(arena, (most + 1) * sizeof *list);
  for (size_t k = 0; k < m->ndims; k++) list[k] = import_dim(i, &m->dims[k]);
  mlirOperationSetAttributeByName(
      module, mlirStringRefCreateFromCString("dsp.dims"),
      mlirArrayAttrGet(i->context, (intptr_t)m->ndims, list));
  for (size_t k = 0; k < m->nstages; k++)
    list[k] = import_stage(i, &m->stages[k]);
  mlirOperationSetAttributeByName(
      module, mlirStringRefCreateFromCString("dsp.stages"),
      mlirArrayAttrGet(i->context, (intptr_t)m->nstages, list));
  mlirOperationSetAttributeByName(
      module, mlirStringRefCreateFromCString("dsp.model"),
      text_attr(i, m->name));
}

static MlirOperation create_func(Importer *i, MlirLocation place) {
  MlirRegion region = mlirRegionCreate();
  i->body = mlirBlockCreate(0, NULL, NULL);
  mlirRegionAppendOwnedBlock(region, i->body);
  Attributes a = {.i = i};
  set(&a, "sym_name", text_attr(i, dsp_str("model")));
  set(&a, "function_type",
      mlirTypeAttrGet(mlirFunctionTypeGet(i->context, 0, NULL, 0, NULL)));
  MlirOperationState state = mlirOperationStateGet(
      mlirStringRefCreateFromCString("func.func"), place);
  mlirOperationStateAddAttributes(&state, a.count, a.list);
  mlirOperationStateAddOwnedRegions(&state, 1, &region);
  return mlirOperationCreate(&state);
}

MlirModule dsp_import_model(MlirContext context, const DspModel *model) {
  DspArena *arena = dsp_arena_create();
  Importer i = {.context = context, .model = model};
  i.values = dsp_arena_alloc(arena, (model->nvalues + 1) * sizeof *i.values);
  i.types = dsp_arena_alloc(arena, (model->nvalues + 1) * sizeof *i.types);
  size_t places = (model->source->length + 1) * sizeof *i.locations;
  i.locations = dsp_arena_alloc(arena, places);
  memset(i.locations, 0, places);
  MlirLocation place = location(&i, (DspRange){0, 0});
  MlirModule module = mlirModuleCreateEmpty(place);
  set_module_attributes(&i, mlirModuleGetOperation(module), arena);
  MlirOperation func = create_func(&i, place);
  mlirBlockAppendOwnedOperation(mlirModuleGetBody(module), func);
  for (size_t k = 0; k < model->nops; k++) import_op(&i, &model->ops[k]);
  MlirOperationState end = mlirOperationStateGet(
      mlirStringRefCreateFromCString("func.return"), place);
  mlirBlockAppendOwnedOperation(i.body, mlirOperationCreate(&end));
  dsp_arena_destroy(arena);
  return module;
}
