// predict_memory.c - what a GPU holds besides the arena.
//
// Needs:  every change of layout is an op (insert-switches).
// Leaves: dsp.weight_bytes and dsp.staging_bytes on a module for GPUs, of the
//         rank that needs most.  Weights lie 256 bytes apart; staging is what
//         collectives pack for, or unpack from, other ranks: all that does not
//         lie in one piece (runtime/cuda/collectives.c).
#include "dspc/dialect/dialect.h"
#include "dspc/dialect/local_shape.h"
#include "ir.h"
#include "pass_list.h"

enum { APART = 256 };

typedef struct Predictor {
  MlirAttribute dims;
  DspMesh mesh;
} Predictor;

/// Neighbouring atoms that are cut as one on both sides of a change, or not.
typedef struct Group {
  int64_t size;    ///< global
  DspAxes cuts[2]; ///< before and after
} Group;

/// A change of layout: its groups, from the slowest to the fastest.
typedef struct Change {
  DspMesh mesh;
  Group groups[DSP_MAX_RANK];
  size_t ngroups;
  DspAxes cut;    ///< the axes that cut it before
  int64_t bytes;  ///< of an element
  int spread;     ///< the axis of a reduce-scatter; -1: none
} Change;

/// Indices [begin, begin + size) of a group.
typedef struct Range {
  int64_t begin, size;
} Range;

static int64_t padded(int64_t bytes) {
  return (bytes + APART - 1) / APART * APART;
}

static int64_t index_on(DspMesh mesh, int64_t rank, int axis) {
  return axis == 0 ? rank / mesh.sizes[1] : rank % mesh.sizes[1];
}

static bool is_cut(const DspLocalShape *shape, size_t first, size_t count) {
  for (size_t i = 0; i < shape->ndims; i++) {
    const DspLocalDim *dim = &shape->dims[i];
    if (dim->cut && dim->first < first + count &&
        first < dim->first + dim->count)
      return true;
  }
  return false;
}

static const DspLocalDim *dim_at(const DspLocalShape *shape, size_t atom) {
  for (size_t i = 0; i < shape->ndims; i++)
    if (shape->dims[i].first == atom) return &shape->dims[i];
  return NULL;
}

/// Adds the group that begins with `atom`; returns its atoms, or 0 when the
/// cuts of both sides share dims in part.
static size_t add_group(Change *c, const DspLocalShape *in,
                        const DspLocalShape *out, size_t atom) {
  const DspLocalDim *x = dim_at(in, atom), *y = dim_at(out, atom);
  if (!x || !y) return 0;
  const DspLocalDim *wide = x->count >= y->count ? x : y;
  if (x->count != y->count &&
      is_cut(wide == x ? out : in, atom, wide->count))
    return 0;
  Group *group = &c->groups[c->ngroups++];
  bool equal = x->count == y->count;
  *group = (Group){wide->size, {equal || wide == x ? x->cut : 0,
                                equal || wide == y ? y->cut : 0}};
  c->cut |= group->cuts[0];
  return wide->count;
}

/// False when the cuts of both sides share dims in part.
static bool read_change(const DspLocalShape *in, const DspLocalShape *out,
                        Change *c) {
  for (size_t atom = 0, n; atom < in->natoms; atom += n) {
    n = add_group(c, in, out, atom);
    if (n == 0) return false;
  }
  return true;
}

static Range range_of(const Change *c, size_t group, int side, int64_t rank) {
  Range r = {0, c->groups[group].size};
  for (int a = 0; a < DSP_MAX_AXES; a++)
    if (c->groups[group].cuts[side] & 1u << a) {
      int64_t i = index_on(c->mesh, rank, a), n = c->mesh.sizes[a];
      r.begin += dsp_part_begin(r.size, i, n);
      r.size = dsp_part(r.size, i, n);
    }
  return r;
}

/// Does `holder` give something to `owner`?  As dsprt_sends.
static bool sends(const Change *c, int64_t holder, int64_t owner) {
  for (int a = 0; a < DSP_MAX_AXES; a++) {
    bool any = c->spread >= 0 ? a == c->spread : (c->cut & 1u << a) != 0;
    if (!any && index_on(c->mesh, holder, a) != index_on(c->mesh, owner, a))
      return false;
  }
  return true;
}

/// Bytes of staging for what `holder` gives to `owner`, in the buffer of one
/// of them (side 0: the holder's); 0 when it lies in one piece there.
static int64_t staged(const Change *c, int64_t holder, int64_t owner,
                      int side) {
  int64_t box = 1, held = 1;
  bool pieces = false;
  if (!sends(c, holder, owner)) return 0;
  for (size_t g = c->ngroups; g-- > 0;) {
    Range x = range_of(c, g, 0, holder), y = range_of(c, g, 1, owner);
    int64_t begin = x.begin > y.begin ? x.begin : y.begin;
    int64_t ends[] = {x.begin + x.size, y.begin + y.size};
    int64_t n = (ends[0] < ends[1] ? ends[0] : ends[1]) - begin;
    if (n <= 0) return 0;
    pieces |= n != 1 && box != held;
    box *= n;
    held *= side == 0 ? x.size : y.size;
  }
  return pieces ? padded(box * c->bytes) : 0;
}

static int64_t staging_on(const Change *c, int64_t rank) {
  int64_t bytes = 0;
  for (int64_t peer = 0; peer < dsp_mesh_ranks(c->mesh); peer++) {
    if (peer == rank) continue;
    bytes += staged(c, rank, peer, 0);
    if (c->spread < 0) bytes += staged(c, peer, rank, 1);
  }
  return bytes;
}

/// Of the rank that needs most.  Where cuts share dims in part: at most all
/// that it has before and after.
static int64_t staging_of(const Predictor *p, MlirOperation op) {
  DspOpKind kind = dsp_op_kind(op);
  DspLocalShape in, out;
  int64_t most = 0;
  // An all-reduce is one of flat elements: in one piece.
  if (kind != DSP_OP_ALL_TO_ALL && kind != DSP_OP_ALL_GATHER &&
      kind != DSP_OP_REDUCE_SCATTER)
    return 0;
  if (!dsp_local_shape(p->dims,
                       mlirValueGetType(mlirOperationGetOperand(op, 0)), &in) ||
      !dsp_local_shape(p->dims, mlirValueGetType(mlirOperationGetResult(op, 0)),
                       &out))
    return 0;
  Change c = {.mesh = p->mesh,
              .bytes = dsp_element_bytes(in.element),
              .spread = -1};
  if (kind == DSP_OP_REDUCE_SCATTER)
    c.spread = (in.partial & ~out.partial) == 2;
  if (!read_change(&in, &out, &c))
    return dsp_local_bytes(&in, p->mesh) + dsp_local_bytes(&out, p->mesh);
  for (int64_t rank = 0; rank < dsp_mesh_ranks(p->mesh); rank++) {
    int64_t bytes = staging_on(&c, rank);
    if (bytes > most) most = bytes;
  }
  return most;
}

bool dsp_pass_predict_memory(MlirModule module, const DspPassOptions *options) {
  MlirOperation model = dsp_model_func(module);
  if (mlirOperationIsNull(model)) return false;
  MlirOperation top = mlirModuleGetOperation(module);
  if (!dsp_str_is(dsp_string_attr(top, "dsp.target"), "cuda")) return true;
  Predictor p = {.dims = dsp_attr(top, "dsp.dims"),
                 .mesh = dsp_mesh_of(top)};
  if (options->ranks && options->ranks != dsp_mesh_ranks(p.mesh))
    p.mesh = dsp_mesh_row(options->ranks);
  int64_t weights = 0, staging = 0;
  for (MlirOperation op = mlirBlockGetFirstOperation(dsp_body(model)); op.ptr;
       op = mlirOperationGetNextInBlock(op)) {
    DspLocalShape shape;
    if (dsp_is(op, "dsp.param") &&
        dsp_local_shape(p.dims, mlirValueGetType(mlirOperationGetResult(op, 0)),
                        &shape))
      weights += padded(dsp_local_bytes(&shape, p.mesh));
    int64_t bytes = staging_of(&p, op);
    if (bytes > staging) staging = bytes;
  }
  dsp_set_int(top, "dsp.weight_bytes", weights);
  dsp_set_int(top, "dsp.staging_bytes", staging);
  return true;
}
