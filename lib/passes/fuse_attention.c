// fuse_attention.c - let attention over a few keys make its queries and keys
// itself.
//
// Needs:  norms and rotations fused (lower-ropes, fuse-norms), views copied
//         where rows would lie in pieces (materialize-views).
// Leaves: for GPUs, `inside` on a dsp.fused_norm that gives q or k of a short
//         attention and nothing else: it has no memory and no kernel, for the
//         attention norms and rotates the rows in shared memory
//         (runtime/include/dsprt/dsprt_tile.cuh).
//
// Up to 64 keys that kernel is the fastest and bound by memory traffic, of
// which this saves half: q and k are not read and written once more.  Above,
// the fastest of several ways is taken on the machine, and they read q and k
// from memory.  A norm stays alone that has another reader or that needs more
// than the place of a row along the attended dim.
#include "pass_list.h"
#include "rows.h"

#include "dspc/dialect/local_shape.h"

enum { MOST_ROWS = 64, MOST_CHANNELS = 128, CHANNELS = 8 }; // dsprt_short.cuh

typedef struct Fusion {
  MlirAttribute dims; ///< dsp.dims
} Fusion;

/// An attention and the dims that its kernel works on at once.
typedef struct Short {
  MlirOperation op;
  MlirAttribute over, dot;
  DspTensorInfo q, k, v;
  MlirStringRef query, key;
} Short;

static bool has(const DspTensorInfo *x, MlirStringRef dim) {
  return dsp_tensor_find(x, dim) >= 0;
}

static bool is_named(MlirAttribute names, MlirStringRef name) {
  for (intptr_t i = 0; i < mlirArrayAttrGetNumElements(names); i++)
    if (mlirStringRefEqual(
            mlirStringAttrGetValue(mlirArrayAttrGetElement(names, i)), name))
      return true;
  return false;
}

/// Does each rank hold all of `dim`, and as a dim of its own?
static bool is_whole(const Fusion *f, MlirValue x, MlirStringRef dim) {
  DspLocalShape shape;
  if (!dsp_local_shape(f->dims, mlirValueGetType(x), &shape)) return false;
  for (size_t i = 0; i < shape.ndims; i++)
    if (mlirStringRefEqual(shape.dims[i].name, dim)) return !shape.dims[i].cut;
  return false;
}

/// Finds the one dim along the queries: the attended one, or the one that k
/// lacks.  False when there is none, or another: keys are then read once for
/// the queries of several dims, which this kernel does not do.
static bool find_query(Short *s) {
  size_t found = 0;
  for (size_t i = 0; i < s->q.ndims; i++) {
    MlirStringRef dim = s->q.dims[i];
    if (!mlirStringRefEqual(dim, s->key) && has(&s->k, dim)) continue;
    s->query = dim;
    found++;
  }
  return found == 1;
}

static bool has_same_dims(const DspTensorInfo *x, const DspTensorInfo *y) {
  if (x->ndims != y->ndims) return false;
  for (size_t i = 0; i < x->ndims; i++)
    if (!has(y, x->dims[i])) return false;
  return true;
}

static bool has_few_rows(const Short *s) {
  int64_t channels = 1, elements = 1;
  for (size_t i = 0; i < s->q.ndims; i++) {
    if (is_named(s->dot, s->q.dims[i]))
      channels *= s->q.sizes[i];
    else if (!mlirStringRefEqual(s->q.dims[i], s->query))
      elements *= s->q.sizes[i];
    if (elements > INT32_MAX) return false;
  }
  return channels % CHANNELS == 0 && channels <= MOST_CHANNELS &&
         s->q.sizes[dsp_tensor_find(&s->q, s->query)] <= MOST_ROWS &&
         s->k.sizes[dsp_tensor_find(&s->k, s->key)] <= MOST_ROWS;
}

/// Are the channels innermost, in q, k and v alike, and of one type?
static bool has_heads(const Short *s) {
  intptr_t n = mlirArrayAttrGetNumElements(s->dot);
  const DspTensorInfo *all[] = {&s->q, &s->k, &s->v};
  for (int i = 0; i < 3; i++) {
    const DspTensorInfo *x = all[i];
    if (!dsp_walks_along(mlirOperationGetOperand(s->op, i), s->dot) ||
        (intptr_t)x->ndims <= n || !is_named(s->dot, x->dims[x->ndims - 1]) ||
        !mlirTypeEqual(x->element, s->q.element))
      return false;
  }
  return mlirTypeIsAF32(s->q.element) || mlirTypeIsABF16(s->q.element) ||
         mlirTypeIsAF16(s->q.element);
}

/// Does the operand lie in rows of all channels, which begin at multiples of
/// these?
static bool has_rows(MlirValue x, MlirAttribute dot) {
  return !mlirValueIsAOpResult(x) ||
         !dsp_has_broken_rows(mlirOpResultGetOwner(x),
                              (size_t)mlirArrayAttrGetNumElements(dot));
}

/// Reads an attention; false when the kernel for a few keys does not take it.
static bool read_short(const Fusion *f, MlirOperation op, Short *s) {
  *s = (Short){
      .op = op, .over = dsp_attr(op, "over"), .dot = dsp_attr(op, "dot")};
  if (mlirOperationGetNumOperands(op) != 3 ||
      mlirArrayAttrGetNumElements(s->over) != 1 ||
      dsp_int_attr(op, "causal", 0) || dsp_int_attr(op, "window", 0) ||
      !mlirAttributeIsNull(dsp_attr(op, "ring")))
    return false;
  MlirValue q = mlirOperationGetOperand(op, 0);
  MlirValue k = mlirOperationGetOperand(op, 1);
  MlirValue v = mlirOperationGetOperand(op, 2);
  dsp_tensor_read(mlirValueGetType(q), &s->q);
  dsp_tensor_read(mlirValueGetType(k), &s->k);
  dsp_tensor_read(mlirValueGetType(v), &s->v);
  s->key = mlirStringAttrGetValue(mlirArrayAttrGetElement(s->over, 0));
  return has_heads(s) && has_same_dims(&s->k, &s->v) && find_query(s) &&
         has_few_rows(s) && is_whole(f, q, s->query) &&
         is_whole(f, k, s->key) && is_whole(f, v, s->key) &&
         has_rows(q, s->dot) && has_rows(k, s->dot) && has_rows(v, s->dot);
}

/// Does the norm need nothing but the channels and the place along `row`?
static bool needs_row(MlirOperation norm, MlirAttribute dot,
                      MlirStringRef row) {
  for (intptr_t i = 1; i < mlirOperationGetNumOperands(norm); i++) {
    DspTensorInfo x;
    dsp_tensor_read(mlirValueGetType(mlirOperationGetOperand(norm, i)), &x);
    for (size_t d = 0; d < x.ndims; d++)
      if (!mlirStringRefEqual(x.dims[d], row) && !is_named(dot, x.dims[d]))
        return false;
  }
  return true;
}

/// The norm that makes operand `i` and may go inside, or null.
static MlirOperation norm_of(const Short *s, intptr_t i) {
  MlirOperation none = {NULL};
  MlirValue y = mlirOperationGetOperand(s->op, i);
  if (!mlirValueIsAOpResult(y) || !dsp_has_one_use(y)) return none;
  MlirOperation norm = mlirOpResultGetOwner(y);
  if (!dsp_is_row_norm(norm) || mlirOperationGetNumResults(norm) != 1 ||
      !mlirAttributeEqual(dsp_attr(norm, "over"), s->dot) ||
      dsp_int_attr(norm, "stage", -1) != dsp_int_attr(s->op, "stage", -1))
    return none;
  MlirValue x = mlirOperationGetOperand(norm, 0);
  bool fits = mlirTypeEqual(mlirValueGetType(x), mlirValueGetType(y)) &&
              has_rows(x, s->dot) &&
              needs_row(norm, s->dot, i ? s->key : s->query);
  return fits ? norm : none;
}

static void try_attention(const Fusion *f, MlirOperation op) {
  Short s;
  if (!read_short(f, op, &s)) return;
  intptr_t room = DSP_MAX_OPERANDS - 3;
  for (intptr_t i = 0; i < 2; i++) {
    MlirOperation norm = norm_of(&s, i);
    if (!norm.ptr) continue;
    room -= mlirOperationGetNumOperands(norm) - 1;
    if (room < 0) return;
    dsp_set_attr(dsp_as_fused_norm(norm), "inside",
                 mlirUnitAttrGet(mlirOperationGetContext(op)));
  }
}

bool dsp_pass_fuse_attention(MlirModule module, const DspPassOptions *options) {
  (void)options;
  MlirOperation func = dsp_model_func(module);
  if (mlirOperationIsNull(func)) return false;
  if (!dsp_is_for_gpu(module)) return true;
  MlirOperation top = mlirModuleGetOperation(module);
  Fusion f = {.dims = dsp_attr(top, "dsp.dims")};
  DspArena *arena = dsp_arena_create();
  DspOpList list = dsp_list_ops(arena, dsp_body(func));
  for (size_t i = 0; i < list.count; i++)
    if (dsp_is(list.ops[i], "dsp.attention")) try_attention(&f, list.ops[i]);
  dsp_arena_destroy(arena);
  return true;
}
