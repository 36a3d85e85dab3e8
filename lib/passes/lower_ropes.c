// lower_ropes.c - rotary embeddings as ops that every target has.
//
// Needs:  planned dsp.rope ops whose operands already have their layout.
// Leaves: no dsp.rope: (x0, x1) becomes x0 cos - x1 sin and x1 cos + x0 sin.
//         The planner sees one op, for its parts would multiply what it has to
//         try; cosines and sines are computed once a stage.  On GPUs the norm
//         of queries and keys rotates them too: a dsp.fused_norm.
#include "pass_list.h"
#include "rows.h"

/// The cosines and sines of angles that a stage has computed already.
typedef struct Waves {
  MlirValue angles;
  MlirType element;
  int64_t stage;
  MlirValue cosines, sines;
} Waves;

typedef struct Lowering {
  MlirContext context;
  bool gpu;
  Waves *known; ///< of each kind of element and stage
  size_t nknown;
} Lowering;

static MlirAttribute text(const Lowering *l, const char *s) {
  return dsp_string(l->context, mlirStringRefCreateFromCString(s));
}

static MlirAttribute call(const Lowering *l, const char *function,
                          MlirAttribute a, MlirAttribute b) {
  MlirAttribute parts[] = {text(l, function), a, b};
  return mlirArrayAttrGet(l->context, mlirAttributeIsNull(b) ? 2 : 3, parts);
}

/// A map of `operands` in front of `rope`.
static MlirValue add_map(MlirOperation rope, MlirAttribute expr, intptr_t n,
                         const MlirValue *operands, MlirType type) {
  const char *names[] = {"expr", "stage"};
  MlirAttribute attributes[] = {expr, dsp_attr(rope, "stage")};
  return mlirOperationGetResult(
      dsp_build_before(rope, "dsp.map", mlirOperationGetLocation(rope), n,
                       operands, type, 2, names, attributes),
      0);
}

/// `function` of the angles, computed in f32 and rounded to `element`.
static MlirValue add_wave(const Lowering *l, MlirOperation rope,
                          const char *function, MlirType element) {
  MlirValue angles = mlirOperationGetOperand(rope, 1);
  MlirAttribute expr =
      call(l, function, dsp_int(l->context, 0), mlirAttributeGetNull());
  MlirValue wave = add_map(rope, expr, 1, &angles, mlirValueGetType(angles));
  DspTensorInfo info;
  dsp_tensor_read(mlirValueGetType(angles), &info);
  if (mlirTypeEqual(info.element, element)) return wave;
  info.element = element;
  return add_map(rope, dsp_int(l->context, 0), 1, &wave,
                 dsp_tensor_type(l->context, &info));
}

static const Waves *waves_of(Lowering *l, MlirOperation rope,
                             MlirType element) {
  MlirValue angles = mlirOperationGetOperand(rope, 1);
  int64_t stage = dsp_int_attr(rope, "stage", -1);
  for (size_t i = l->nknown; i-- > 0;) {
    const Waves *w = &l->known[i];
    if (w->stage == stage && mlirValueEqual(w->angles, angles) &&
        mlirTypeEqual(w->element, element))
      return w;
  }
  Waves *made = &l->known[l->nknown++];
  *made = (Waves){.angles = angles, .element = element, .stage = stage};
  made->cosines = add_wave(l, rope, "cos", element);
  made->sines = add_wave(l, rope, "sin", element);
  return made;
}

/// x without the dim of the pairs.
static MlirType half_type(const Lowering *l, MlirType x, MlirStringRef pair) {
  DspTensorInfo info;
  dsp_tensor_read(x, &info);
  size_t slot = (size_t)dsp_tensor_find(&info, pair);
  for (info.ndims--; slot < info.ndims; slot++) {
    info.dims[slot] = info.dims[slot + 1];
    info.sizes[slot] = info.sizes[slot + 1];
  }
  return dsp_tensor_type(l->context, &info);
}

static MlirValue add_slice(const Lowering *l, MlirOperation rope,
                           MlirStringRef pair, int64_t start, MlirType type) {
  MlirValue x = mlirOperationGetOperand(rope, 0);
  const char *names[] = {"dim", "start", "size", "stage"};
  MlirAttribute attributes[] = {
      dsp_string(l->context, pair), dsp_int(l->context, start),
      dsp_int(l->context, 1), dsp_attr(rope, "stage")};
  return mlirOperationGetResult(
      dsp_build_before(rope, "dsp.slice", mlirOperationGetLocation(rope), 1, &x,
                       type, 4, names, attributes),
      0);
}

/// a cos - b sin, or with "add" a cos + b sin.
static MlirValue add_half(const Lowering *l, MlirOperation rope,
                          const char *function, MlirValue a, MlirValue b,
                          const Waves *waves) {
  MlirValue operands[] = {a, waves->cosines, b, waves->sines};
  MlirAttribute first =
      call(l, "mul", dsp_int(l->context, 0), dsp_int(l->context, 1));
  MlirAttribute second =
      call(l, "mul", dsp_int(l->context, 2), dsp_int(l->context, 3));
  return add_map(rope, call(l, function, first, second), 4, operands,
                 mlirValueGetType(a));
}

/// Do the angles have all dims of `over` but the pairs, innermost?
static bool has_angles_of(MlirOperation rope, const MlirStringRef *over,
                          size_t n, MlirStringRef pair) {
  DspTensorInfo angles;
  dsp_tensor_read(mlirValueGetType(mlirOperationGetOperand(rope, 1)), &angles);
  if (angles.ndims < n - 1) return false;
  size_t at = angles.ndims - (n - 1);
  for (size_t i = 0; i < n; i++)
    if (!mlirStringRefEqual(over[i], pair) &&
        !mlirStringRefEqual(over[i], angles.dims[at++]))
      return false;
  return true;
}

/// The norm that can rotate its rows itself: of this stage, read by the rope
/// alone, over the pairs as neighbours or as halves; or null.
static MlirOperation rotating_norm(const Lowering *l, MlirOperation rope,
                                   MlirStringRef pair) {
  MlirValue x = mlirOperationGetOperand(rope, 0);
  MlirOperation none = {NULL};
  if (!l->gpu || !mlirValueIsAOpResult(x) || !dsp_has_one_use(x)) return none;
  MlirOperation norm = mlirOpResultGetOwner(x);
  MlirStringRef over[DSP_MAX_RANK];
  if (!dsp_is_row_norm(norm) || dsp_is(norm, "dsp.fused_norm") ||
      dsp_int_attr(norm, "stage", -1) != dsp_int_attr(rope, "stage", -1))
    return none;
  size_t n = dsp_attr_read_strings(dsp_attr(norm, "over"), over, DSP_MAX_RANK);
  bool ends = mlirStringRefEqual(over[0], pair) ||
              mlirStringRefEqual(over[n - 1], pair);
  return ends && n > 1 && has_angles_of(rope, over, n, pair) ? norm : none;
}

static void rotate_in_norm(Lowering *l, MlirOperation rope, MlirOperation norm,
                           MlirStringRef pair) {
  const Waves *waves = waves_of(l, rope, mlirF32TypeGet(l->context));
  MlirOperation fused =
      dsp_build_rotated_norm(rope, norm, pair, waves->cosines, waves->sines);
  dsp_replace_uses(mlirOperationGetResult(rope, 0),
                   mlirOperationGetResult(fused, 0));
  mlirOperationDestroy(rope);
  mlirOperationDestroy(norm);
}

static void lower(Lowering *l, MlirOperation rope) {
  MlirValue result = mlirOperationGetResult(rope, 0);
  MlirType type = mlirValueGetType(result);
  MlirStringRef pair;
  dsp_attr_read_strings(dsp_attr(rope, "over"), &pair, 1);
  MlirOperation norm = rotating_norm(l, rope, pair);
  if (norm.ptr) {
    rotate_in_norm(l, rope, norm, pair);
    return;
  }
  const Waves *waves = waves_of(l, rope, mlirShapedTypeGetElementType(type));
  MlirType half = half_type(l, type, pair);
  MlirValue x0 = add_slice(l, rope, pair, 0, half);
  MlirValue x1 = add_slice(l, rope, pair, 1, half);
  MlirValue halves[] = {add_half(l, rope, "sub", x0, x1, waves),
                        add_half(l, rope, "add", x1, x0, waves)};
  const int64_t starts[] = {0, 1};
  MlirAttribute name = dsp_attr(rope, "name");
  const char *names[] = {"dim", "starts", "stage", "name"};
  MlirAttribute attributes[] = {dsp_string(l->context, pair),
                                dsp_attr_ints(l->context, 2, starts),
                                dsp_attr(rope, "stage"), name};
  MlirOperation joined = dsp_build_before(
      rope, "dsp.concat", mlirOperationGetLocation(rope), 2, halves, type,
      mlirAttributeIsNull(name) ? 3 : 4, names, attributes);
  dsp_replace_uses(result, mlirOperationGetResult(joined, 0));
  mlirOperationDestroy(rope);
}

bool dsp_pass_lower_ropes(MlirModule module, const DspPassOptions *options) {
  (void)options;
  MlirOperation func = dsp_model_func(module);
  if (mlirOperationIsNull(func)) return false;
  DspArena *arena = dsp_arena_create();
  DspOpList list = dsp_list_ops(arena, dsp_body(func));
  Lowering l = {.context = mlirModuleGetContext(module),
                .gpu = dsp_is_for_gpu(module)};
  l.known = dsp_arena_alloc(arena, (list.count + 1) * sizeof *l.known);
  for (size_t i = 0; i < list.count; i++)
    if (dsp_is(list.ops[i], "dsp.rope")) lower(&l, list.ops[i]);
  dsp_arena_destroy(arena);
  return true;
}
