// plan_graph.c - the model function as the planner's graph of loop nests.
#include "plan_graph.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "dspc/dialect/dialect.h"
#include "dspc/support/bug.h"

/// A dim of each operand and the result, and a loop of its own for each.
enum {
  MAX_MAPS = (DSP_MAX_OPERANDS + 1) * DSP_MAX_RANK,
  MAX_LOOPS = MAX_MAPS
};
static_assert(MAX_LOOPS <= UINT8_MAX, "maps hold the numbers of loops");

/// A tensor type as the planner sees it.
typedef struct KnownType {
  uint32_t *dims;
  size_t ndims;
  int64_t element_bytes;
} KnownType;

typedef struct Reader {
  DspArena *arena;
  MlirAttribute dims;
  MlirStringRef *names; ///< of the dims
  size_t nnames;
  DspPtrMap types; ///< type -> index of `known`
  KnownType *known;
  size_t nknown;
  DspModuleGraph *out;
  DspPlanValue *values;
} Reader;

/// The loops of one op under construction.
typedef struct Nest {
  Reader *r;
  DspPlanLoop loops[MAX_LOOPS];
  size_t nloops;
  uint8_t maps[MAX_MAPS];
  size_t nmaps;
  uint32_t values[DSP_MAX_OPERANDS + 1]; ///< operands, then the result
  size_t nvalues;
} Nest;

static const char *copy_text(DspArena *arena, MlirStringRef text) {
  char *out = dsp_arena_alloc(arena, text.length + 1);
  memcpy(out, text.data, text.length);
  out[text.length] = '\0';
  return out;
}

static uint32_t dim_id(const Reader *r, MlirStringRef name) {
  for (size_t i = 0; i < r->nnames; i++)
    if (r->names[i].length == name.length &&
        memcmp(r->names[i].data, name.data, name.length) == 0)
      return (uint32_t)i;
  dsp_bug("dsp.dims has no '%.*s'", (int)name.length, name.data);
}

static void read_names(Reader *r) {
  r->nnames = (size_t)mlirArrayAttrGetNumElements(r->dims);
  r->names = dsp_arena_alloc(r->arena, (r->nnames + 1) * sizeof *r->names);
  for (size_t i = 0; i < r->nnames; i++)
    r->names[i] = mlirStringAttrGetValue(dsp_dict_get(
        mlirArrayAttrGetElement(r->dims, (intptr_t)i), "name"));
}

static void read_dims(Reader *r, DspPlanGraph *graph) {
  read_names(r);
  graph->ndims = r->nnames;
  DspPlanDim *dims =
      dsp_arena_alloc(r->arena, (graph->ndims + 1) * sizeof *dims);
  for (size_t i = 0; i < graph->ndims; i++) {
    MlirAttribute dim = mlirArrayAttrGetElement(r->dims, (intptr_t)i);
    dims[i] = (DspPlanDim){.name = copy_text(r->arena, r->names[i])};
    dims[i].size = mlirIntegerAttrGetValueInt(dsp_dict_get(dim, "size"));
    MlirAttribute factors = dsp_dict_get(dim, "factors");
    if (mlirAttributeIsNull(factors)) continue;
    MlirStringRef names[DSP_MAX_RANK];
    dims[i].natoms = dsp_attr_read_strings(factors, names, DSP_MAX_RANK);
    uint32_t *atoms =
        dsp_arena_alloc(r->arena, (dims[i].natoms + 1) * sizeof *atoms);
    for (size_t k = 0; k < dims[i].natoms; k++) atoms[k] = dim_id(r, names[k]);
    dims[i].atoms = atoms;
  }
  graph->dims = dims;
}

static const KnownType *read_type(Reader *r, MlirType type) {
  int64_t at = dsp_ptr_map_get(&r->types, type.ptr, -1);
  if (at >= 0) return &r->known[at];
  DspTensorInfo info;
  if (!dsp_tensor_read(type, &info))
    dsp_bug("a value that is no tensor of the dialect");
  uint32_t *dims = dsp_arena_alloc(r->arena, (info.ndims + 1) * sizeof *dims);
  for (size_t i = 0; i < info.ndims; i++) dims[i] = dim_id(r, info.dims[i]);
  dsp_ptr_map_set(&r->types, type.ptr, (int64_t)r->nknown);
  r->known[r->nknown] =
      (KnownType){dims, info.ndims, dsp_element_bytes(info.element)};
  return &r->known[r->nknown++];
}

static uint32_t add_value(Reader *r, MlirValue value, bool is_param) {
  const KnownType *type = read_type(r, mlirValueGetType(value));
  size_t id = r->out->graph.nvalues++;
  r->values[id] = (DspPlanValue){.name = "",
                                 .ndims = type->ndims,
                                 .dims = type->dims,
                                 .element_bytes = type->element_bytes,
                                 .is_param = is_param};
  dsp_ptr_map_set(&r->out->values, value.ptr, (int64_t)id);
  return (uint32_t)id;
}

static uint8_t loop(Nest *n, uint32_t dim, DspLoopKind kind, bool weight) {
  if (n->nloops == MAX_LOOPS) dsp_bug("an op with too many loops");
  n->loops[n->nloops] = (DspPlanLoop){dim, kind, weight};
  return (uint8_t)n->nloops++;
}

/// The loop over `dim` of this kind, made when it is new.
static uint8_t loop_once(Nest *n, uint32_t dim, DspLoopKind kind,
                         bool weight) {
  for (size_t i = 0; i < n->nloops; i++)
    if (n->loops[i].dim == dim && n->loops[i].kind == kind &&
        n->loops[i].weight == weight)
      return (uint8_t)i;
  return loop(n, dim, kind, weight);
}

/// Which loop a dim of a value belongs to: decided by role.
typedef struct Roles {
  uint32_t whole[MAX_LOOPS]; ///< dims that are needed whole
  size_t nwhole;
  DspLoopKind whole_kind; ///< WHOLE, or CONTRACTED for sums
} Roles;

static bool among(const uint32_t *list, size_t count, uint32_t dim) {
  for (size_t i = 0; i < count; i++)
    if (list[i] == dim) return true;
  return false;
}

static void add_names(const Reader *r, Roles *roles, MlirAttribute names) {
  MlirStringRef list[DSP_MAX_RANK];
  size_t n = dsp_attr_read_strings(names, list, DSP_MAX_RANK);
  for (size_t i = 0; i < n; i++)
    roles->whole[roles->nwhole++] = dim_id(r, list[i]);
}

static void map_value(Nest *n, uint32_t value, const Roles *roles) {
  const DspPlanValue *v = &n->r->values[value];
  for (size_t i = 0; i < v->ndims; i++) {
    bool whole = among(roles->whole, roles->nwhole, v->dims[i]);
    n->maps[n->nmaps++] = loop_once(
        n, v->dims[i], whole ? roles->whole_kind : DSP_LOOP_FREE, false);
  }
}

static void map_all(Nest *n, const Roles *roles) {
  for (size_t i = 0; i < n->nvalues; i++) map_value(n, n->values[i], roles);
}

/// w [out..., contract...], b [out...]; out and contract may share names.
static void map_linear(Nest *n, MlirOperation op) {
  Roles in = {.whole_kind = DSP_LOOP_CONTRACTED}, out = {.nwhole = 0};
  add_names(n->r, &in, dsp_attr(op, "contract"));
  add_names(n->r, &out, dsp_attr(op, "out"));
  const DspPlanValue *x = &n->r->values[n->values[0]];
  for (size_t i = 0; i < x->ndims; i++) {
    bool contracted = among(in.whole, in.nwhole, x->dims[i]);
    n->maps[n->nmaps++] =
        contracted ? loop_once(n, x->dims[i], DSP_LOOP_CONTRACTED, true)
                   : loop_once(n, x->dims[i], DSP_LOOP_FREE, false);
  }
  for (size_t i = 0; i < out.nwhole; i++)
    n->maps[n->nmaps++] = loop_once(n, out.whole[i], DSP_LOOP_FREE, true);
  for (size_t i = 0; i < in.nwhole; i++)
    n->maps[n->nmaps++] = loop_once(n, in.whole[i], DSP_LOOP_CONTRACTED, true);
  for (size_t k = 2; k + 1 < n->nvalues; k++) // the bias
    for (size_t i = 0; i < out.nwhole; i++)
      n->maps[n->nmaps++] = loop_once(n, out.whole[i], DSP_LOOP_FREE, true);
  const DspPlanValue *y = &n->r->values[n->values[n->nvalues - 1]];
  for (size_t i = 0; i < y->ndims; i++) {
    bool new_dim = among(out.whole, out.nwhole, y->dims[i]);
    n->maps[n->nmaps++] = loop_once(n, y->dims[i], DSP_LOOP_FREE, new_dim);
  }
}

/// k or v: the channels of a head are whole, the attended dims travel.
static void map_keys(Nest *n, uint32_t value, const Roles *dot,
                     const Roles *over) {
  const DspPlanValue *v = &n->r->values[value];
  for (size_t i = 0; i < v->ndims; i++) {
    DspLoopKind kind = DSP_LOOP_FREE;
    if (among(dot->whole, dot->nwhole, v->dims[i])) kind = DSP_LOOP_WHOLE;
    if (among(over->whole, over->nwhole, v->dims[i])) kind = over->whole_kind;
    n->maps[n->nmaps++] = loop_once(n, v->dims[i], kind, false);
  }
}

/// The attended dims are free in q and o; in k and v they are needed whole, or
/// their parts go round the ranks.
static void map_attention(Nest *n, MlirOperation op) {
  bool bias = n->nvalues == 5; // belongs to keys that would have moved on
  bool mask = !mlirAttributeIsNull(dsp_attr(op, "causal")) ||
              !mlirAttributeIsNull(dsp_attr(op, "window")); // so does a mask
  Roles q = {.whole_kind = DSP_LOOP_WHOLE};
  Roles k = {.whole_kind = bias || mask ? DSP_LOOP_WHOLE : DSP_LOOP_RING};
  add_names(n->r, &q, dsp_attr(op, "dot"));
  add_names(n->r, &k, dsp_attr(op, "over"));
  map_value(n, n->values[0], &q);
  map_keys(n, n->values[1], &q, &k);
  map_keys(n, n->values[2], &q, &k);
  if (bias) map_keys(n, n->values[3], &q, &k);
  map_value(n, n->values[n->nvalues - 1], &q);
}

static bool value_has(const Nest *n, size_t i, uint32_t dim) {
  const DspPlanValue *v = &n->r->values[n->values[i]];
  return among(v->dims, v->ndims, dim);
}

/// Adds the atoms of a term that some value of the op has as a piece: one that
/// both sides have lies outside of the piece and stays free.
static void add_term(const Nest *n, Roles *roles, MlirAttribute term) {
  for (intptr_t i = 0; i < mlirArrayAttrGetNumElements(term); i++) {
    uint32_t dim = dim_id(
        n->r, mlirStringAttrGetValue(mlirArrayAttrGetElement(term, i)));
    bool used = false;
    for (size_t k = 0; k < n->nvalues; k++) used |= value_has(n, k, dim);
    if (!used || among(roles->whole, roles->nwhole, dim)) continue;
    if (value_has(n, 0, dim) && value_has(n, n->nvalues - 1, dim)) continue;
    roles->whole[roles->nwhole++] = dim;
  }
}

/// The dims that a slice or concat cuts out of or glues into another one.
static void map_pieces(Nest *n, MlirOperation op) {
  Roles roles = {.whole_kind = DSP_LOOP_WHOLE};
  uint32_t dim = dim_id(n->r, dsp_string_attr(op, "dim"));
  roles.whole[roles.nwhole++] = dim;
  MlirAttribute entry = mlirArrayAttrGetElement(n->r->dims, dim);
  MlirAttribute terms = dsp_dict_get(entry, "terms");
  intptr_t nterms =
      mlirAttributeIsNull(terms) ? 0 : mlirArrayAttrGetNumElements(terms);
  for (intptr_t i = 0; i < nterms; i++)
    add_term(n, &roles, mlirArrayAttrGetElement(terms, i));
  map_all(n, &roles);
}

/// The dims of `over` are reduced, all others are free.
static void map_sum(Nest *n, MlirOperation op) {
  Roles roles = {.whole_kind = DSP_LOOP_CONTRACTED};
  add_names(n->r, &roles, dsp_attr(op, "over"));
  map_all(n, &roles);
}

/// ids are free; of w [over.., out..] all rows are needed and out is free.
static void map_embedding(Nest *n, MlirOperation op) {
  static const Roles free_dims;
  Roles over = {.nwhole = 0}, out = {.nwhole = 0};
  add_names(n->r, &over, dsp_attr(op, "over"));
  add_names(n->r, &out, dsp_attr(op, "out"));
  map_value(n, n->values[0], &free_dims);
  size_t nids = n->nmaps;
  for (size_t i = 0; i < over.nwhole; i++)
    n->maps[n->nmaps++] = loop_once(n, over.whole[i], DSP_LOOP_WHOLE, true);
  for (size_t i = 0; i < out.nwhole; i++)
    n->maps[n->nmaps++] = loop_once(n, out.whole[i], DSP_LOOP_FREE, true);
  for (size_t i = 0; i < nids; i++) n->maps[n->nmaps++] = n->maps[i];
  for (size_t i = 0; i < out.nwhole; i++)
    n->maps[n->nmaps++] = loop_once(n, out.whole[i], DSP_LOOP_FREE, true);
}

/// The dims of `over` are needed whole, all others are free.
static void map_norm(Nest *n, MlirOperation op) {
  Roles roles = {.whole_kind = DSP_LOOP_WHOLE};
  add_names(n->r, &roles, dsp_attr(op, "over"));
  map_all(n, &roles);
}

/// The dims of the result are those of the operand, in order.
static void map_rename(Nest *n) {
  static const Roles free_dims;
  size_t ndims = n->r->values[n->values[0]].ndims;
  map_value(n, n->values[0], &free_dims);
  for (size_t i = 0; i < ndims; i++) n->maps[n->nmaps++] = n->maps[i];
}

static DspPlanOpKind build_maps(Nest *n, MlirOperation op) {
  static const Roles free_dims;
  switch (dsp_op_kind(op)) {
  case DSP_OP_INPUT: return DSP_PLAN_INPUT;
  case DSP_OP_PARAM:
  case DSP_OP_INDEX: return DSP_PLAN_PARAM;
  case DSP_OP_OUTPUT: return DSP_PLAN_OUTPUT;
  case DSP_OP_LINEAR: map_linear(n, op); return DSP_PLAN_COMPUTE;
  case DSP_OP_ATTENTION: map_attention(n, op); return DSP_PLAN_COMPUTE;
  case DSP_OP_LAYER_NORM:
  case DSP_OP_RMS_NORM: map_norm(n, op); return DSP_PLAN_COMPUTE;
  case DSP_OP_REDUCE:
  case DSP_OP_EINSUM: map_sum(n, op); return DSP_PLAN_COMPUTE;
  case DSP_OP_EMBEDDING: map_embedding(n, op); return DSP_PLAN_COMPUTE;
  case DSP_OP_ROPE: map_norm(n, op); return DSP_PLAN_ELEMENTWISE;
  case DSP_OP_RENAME: map_rename(n); return DSP_PLAN_ELEMENTWISE;
  case DSP_OP_SLICE:
  case DSP_OP_CONCAT: map_pieces(n, op); return DSP_PLAN_ELEMENTWISE;
  default: map_all(n, &free_dims); return DSP_PLAN_ELEMENTWISE;
  }
}

static void *keep(DspArena *arena, const void *bytes, size_t size) {
  void *copy = dsp_arena_alloc(arena, size + 1);
  if (size) memcpy(copy, bytes, size);
  return copy;
}

static DspPlanOp read_op(Reader *r, MlirOperation op) {
  Nest n = {.r = r};
  size_t noperands = (size_t)mlirOperationGetNumOperands(op);
  size_t nresults = (size_t)mlirOperationGetNumResults(op);
  for (size_t i = 0; i < noperands; i++)
    n.values[n.nvalues++] = (uint32_t)dsp_ptr_map_get(
        &r->out->values, mlirOperationGetOperand(op, (intptr_t)i).ptr, -1);
  if (nresults)
    n.values[n.nvalues++] = add_value(r, mlirOperationGetResult(op, 0),
                                      dsp_is(op, "dsp.param"));
  DspPlanOp out = {.noperands = noperands,
                   .nresults = nresults,
                   .stage = (uint32_t)dsp_int_attr(op, "stage", 0)};
  out.kind = build_maps(&n, op);
  uint32_t *values = keep(r->arena, n.values, n.nvalues * sizeof *values);
  out.operands = values;
  out.results = values + noperands;
  out.nloops = n.nloops;
  out.loops = keep(r->arena, n.loops, n.nloops * sizeof n.loops[0]);
  out.maps = keep(r->arena, n.maps, n.nmaps);
  out.partial = dsp_is(op, "dsp.reduce") || dsp_is(op, "dsp.linear") ||
                dsp_is(op, "dsp.einsum");
  out.attention = dsp_is(op, "dsp.attention");
  out.view = dsp_is(op, "dsp.slice") || dsp_is(op, "dsp.rename");
  MlirAttribute pin = dsp_attr(op, "dsp.pin");
  out.pin = DSP_PLAN_NO_DIM;
  if (!mlirAttributeIsNull(pin))
    out.pin = dim_id(r, mlirStringAttrGetValue(pin));
  dsp_remove_attr(op, "dsp.pin");
  return out;
}

/// Marks the op that made `operand`; an op has at most one pin.
static bool pin_owner(MlirOperation pin, MlirValue operand) {
  if (!mlirValueIsAOpResult(operand)) return true;
  MlirOperation owner = mlirOpResultGetOwner(operand);
  MlirAttribute other = dsp_attr(owner, "dsp.pin"), on = dsp_attr(pin, "on");
  if (!mlirAttributeIsNull(other) && !mlirAttributeEqual(other, on)) {
    mlirEmitError(mlirOperationGetLocation(pin),
                  "the pins of this model contradict each other");
    return false;
  }
  dsp_set_attr(owner, "dsp.pin", on);
  return true;
}

/// A pin becomes an attribute of the op that made its operand.
static bool apply_pins(DspArena *arena, MlirOperation func) {
  bool fine = true;
  DspOpList list = dsp_list_ops(arena, dsp_body(func));
  for (size_t i = 0; i < list.count; i++) {
    MlirOperation op = list.ops[i];
    if (!dsp_is(op, "dsp.pin")) continue;
    MlirValue operand = mlirOperationGetOperand(op, 0);
    fine &= pin_owner(op, operand);
    dsp_replace_uses(mlirOperationGetResult(op, 0), operand);
    mlirOperationDestroy(op);
  }
  return fine;
}

bool dsp_read_graph(DspArena *arena, MlirOperation func, MlirAttribute dims,
                    DspModuleGraph *out) {
  *out = (DspModuleGraph){.values = dsp_ptr_map(arena)};
  if (!apply_pins(arena, func)) return false;
  out->ops = dsp_list_ops(arena, dsp_body(func));
  Reader r = {.arena = arena, .dims = dims, .out = out};
  r.values = dsp_arena_alloc(arena, (out->ops.count + 1) * sizeof *r.values);
  r.known = dsp_arena_alloc(arena, (out->ops.count + 1) * sizeof *r.known);
  r.types = dsp_ptr_map(arena);
  read_dims(&r, &out->graph);
  DspPlanOp *ops =
      dsp_arena_alloc(arena, (out->ops.count + 1) * sizeof *ops);
  for (size_t i = 0; i < out->ops.count; i++)
    ops[i] = read_op(&r, out->ops.ops[i]);
  out->graph.values = r.values;
  out->graph.ops = ops;
  out->graph.nops = out->ops.count;
  return true;
}

/// What was asked for, or what the module says, or one axis.
static DspPlanMesh mesh_of(MlirOperation top, const DspPassOptions *options) {
  if (options->mesh.naxes) return options->mesh;
  if (options->ranks) return dsp_plan_mesh(options->ranks);
  DspPlanMesh mesh = dsp_plan_mesh(dsp_int_attr(top, "dsp.ranks", 1));
  MlirAttribute sizes = dsp_attr(top, "dsp.mesh");
  MlirAttribute names = dsp_attr(top, "dsp.mesh_names");
  if (mlirAttributeIsNull(sizes) || mlirAttributeIsNull(names)) return mesh;
  MlirStringRef texts[DSP_PLAN_AXES] = {{NULL, 0}};
  mesh.naxes =
      (uint32_t)dsp_attr_read_ints(sizes, mesh.sizes, DSP_PLAN_AXES);
  dsp_attr_read_strings(names, texts, DSP_PLAN_AXES);
  for (uint32_t a = 0; a < mesh.naxes; a++)
    snprintf(mesh.names[a], sizeof mesh.names[a], "%.*s",
             (int)texts[a].length, texts[a].data);
  mesh.nodes = mesh.naxes > 1 && strcmp(mesh.names[0], "nodes") == 0;
  return mesh;
}

DspPlanOptions dsp_plan_options(MlirOperation top,
                                const DspPassOptions *options) {
  return (DspPlanOptions){
      .mesh = mesh_of(top, options),
      .allow_tensor = options->allow_tensor,
      .method = options->method,
      .machine = options->by_time ? options->machine : NULL,
      .prices = options->prices,
      .known_bound = options->known_bound,
  };
}
