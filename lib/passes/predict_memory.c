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
  int64_t ranks;
} Predictor;

static int64_t padded(int64_t bytes) {
  return (bytes + APART - 1) / APART * APART;
}

static const DspLocalDim *cut_of(const DspLocalShape *shape) {
  for (size_t i = 0; i < shape->ndims; i++)
    if (shape->dims[i].cut) return &shape->dims[i];
  return NULL;
}

/// Elements of `shape` of the atoms [begin, end), those of `cut` counted as
/// `held`.
static int64_t elements(const DspLocalShape *shape, size_t begin, size_t end,
                        const DspLocalDim *cut, int64_t held) {
  int64_t n = 1;
  for (size_t i = begin; i < end; i++) {
    bool in = cut && i >= cut->first && i < cut->first + cut->count;
    if (!in) n *= shape->sizes[i];
    if (in && i == cut->first) n *= held;
  }
  return n;
}

/// Bytes that `rank` packs when its memory, `held` positions of `own` (or all
/// of it), is cut along `other` into messages; 0 when they lie in one piece.
static int64_t packed(const Predictor *p, const DspLocalShape *shape,
                      const DspLocalDim *own, const DspLocalDim *other,
                      int64_t rank) {
  int64_t held = own ? dsp_part(own->size, rank, p->ranks) : 0, bytes = 0;
  if (elements(shape, 0, other->first, own, held) == 1) return 0;
  int64_t all = elements(shape, 0, shape->natoms, own, held) / other->size;
  for (int64_t peer = 0; peer < p->ranks; peer++)
    if (peer != rank)
      bytes += padded(all * dsp_part(other->size, peer, p->ranks) *
                      dsp_element_bytes(shape->element));
  return bytes;
}

static int64_t staging_on(const Predictor *p, MlirOperation op, int64_t rank) {
  DspLocalShape in, out;
  if (!dsp_local_shape(p->dims,
                       mlirValueGetType(mlirOperationGetOperand(op, 0)), &in) ||
      !dsp_local_shape(p->dims, mlirValueGetType(mlirOperationGetResult(op, 0)),
                       &out))
    return 0;
  const DspLocalDim *from = cut_of(&in), *to = cut_of(&out);
  switch (dsp_op_kind(op)) {
  case DSP_OP_ALL_TO_ALL:
    return from && to ? packed(p, &in, from, to, rank) +
                            packed(p, &out, to, from, rank)
                      : 0;
  case DSP_OP_ALL_GATHER: return from ? packed(p, &out, NULL, from, rank) : 0;
  case DSP_OP_REDUCE_SCATTER: return to ? packed(p, &in, NULL, to, rank) : 0;
  default: return 0; // an all-reduce is one of flat elements
  }
}

static int64_t staging_of(const Predictor *p, MlirOperation op) {
  int64_t most = 0;
  if (!dsp_op_changes_layout(dsp_op_kind(op))) return 0;
  for (int64_t rank = 0; rank < p->ranks; rank++) {
    int64_t bytes = staging_on(p, op, rank);
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
                 .ranks = dsp_int_attr(top, "dsp.ranks", 1)};
  if (options->ranks) p.ranks = options->ranks;
  int64_t weights = 0, staging = 0;
  for (MlirOperation op = mlirBlockGetFirstOperation(dsp_body(model)); op.ptr;
       op = mlirOperationGetNextInBlock(op)) {
    DspLocalShape shape;
    if (dsp_is(op, "dsp.param") &&
        dsp_local_shape(p.dims, mlirValueGetType(mlirOperationGetResult(op, 0)),
                        &shape))
      weights += padded(dsp_local_bytes(&shape, p.ranks));
    int64_t bytes = staging_of(&p, op);
    if (bytes > staging) staging = bytes;
  }
  dsp_set_int(top, "dsp.weight_bytes", weights);
  dsp_set_int(top, "dsp.staging_bytes", staging);
  return true;
}
