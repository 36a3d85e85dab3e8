// fuse_maps.c - one loop nest for a chain of elementwise ops.
//
// Needs:  planned dsp.map ops whose operands already have their layout.
// Leaves: no dsp.map whose only reader is another dsp.map of the same stage
//         with as many elements; a smaller one is fused as well when it is
//         cheap enough to be computed again for every element it is broadcast
//         to.  What was rounded between the two is now kept in f32.
#include "dspc/dialect/dialect.h"
#include "ir.h"
#include "pass_list.h"

#include <string.h>

enum {
  DSP_MAX_MAP_OPERANDS = 12, ///< keeps an emitted loop readable
  DSP_MAX_RECOMPUTED = 2     ///< functions repeated for a broadcast operand
};

/// A consumer under reconstruction.
typedef struct Fusion {
  MlirContext context;
  MlirValue operands[DSP_MAX_MAP_OPERANDS];
  int64_t noperands;
} Fusion;

/// The number of `value` among the operands of the fused op, or -1 when there
/// are too many.
static int64_t operand_number(Fusion *fusion, MlirValue value) {
  for (int64_t i = 0; i < fusion->noperands; i++)
    if (mlirValueEqual(fusion->operands[i], value)) return i;
  if (fusion->noperands == DSP_MAX_MAP_OPERANDS) return -1;
  fusion->operands[fusion->noperands] = value;
  return fusion->noperands++;
}

/// Rebuilds `expr` over the operands of `op` for the fused op; operand
/// `inlined` becomes `replacement`.  Null when there are too many operands.
static MlirAttribute rebuild(Fusion *fusion, MlirOperation op,
                             MlirAttribute expr, int64_t inlined,
                             MlirAttribute replacement) {
  if (mlirAttributeIsAInteger(expr)) {
    int64_t operand = mlirIntegerAttrGetValueInt(expr);
    if (operand == inlined) return replacement;
    MlirValue value = mlirOperationGetOperand(op, operand);
    int64_t number = operand_number(fusion, value);
    return number < 0 ? mlirAttributeGetNull()
                      : dsp_int(fusion->context, number);
  }
  if (!mlirAttributeIsAArray(expr)) return expr;
  MlirAttribute parts[4];
  intptr_t n = mlirArrayAttrGetNumElements(expr);
  for (intptr_t i = 0; i < n && i < 4; i++) {
    parts[i] = rebuild(fusion, op, mlirArrayAttrGetElement(expr, i), inlined,
                       replacement);
    if (mlirAttributeIsNull(parts[i])) return parts[i];
  }
  return mlirArrayAttrGet(fusion->context, n, parts);
}

static int count_functions(MlirAttribute expr) {
  if (!mlirAttributeIsAArray(expr)) return 0;
  int count = 1;
  for (intptr_t i = 1; i < mlirArrayAttrGetNumElements(expr); i++)
    count += count_functions(mlirArrayAttrGetElement(expr, i));
  return count;
}

static bool is_cast(MlirOperation map) {
  MlirType result = mlirShapedTypeGetElementType(
      mlirValueGetType(mlirOperationGetResult(map, 0)));
  for (intptr_t i = 0; i < mlirOperationGetNumOperands(map); i++) {
    MlirType type = mlirValueGetType(mlirOperationGetOperand(map, i));
    if (!mlirTypeEqual(mlirShapedTypeGetElementType(type), result)) return true;
  }
  return false;
}

static int64_t elements(MlirValue value) {
  MlirType type = mlirValueGetType(value);
  int64_t n = 1;
  for (intptr_t i = 0; i < mlirShapedTypeGetRank(type); i++)
    n *= mlirShapedTypeGetDimSize(type, i);
  return n;
}

/// Does the value have an atom of the dim called `cut`, an atom or a product?
static bool has_atom_of(MlirAttribute dims, MlirValue value,
                        MlirStringRef cut) {
  DspTensorInfo info;
  if (!dsp_tensor_read(mlirValueGetType(value), &info)) return true;
  if (dsp_tensor_find(&info, cut) >= 0) return true;
  MlirAttribute dim = dsp_find_dim(dims, cut);
  if (mlirAttributeIsNull(dim)) return false;
  MlirAttribute factors = dsp_dict_get(dim, "factors");
  if (mlirAttributeIsNull(factors)) return false;
  for (intptr_t i = 0; i < mlirArrayAttrGetNumElements(factors); i++) {
    MlirAttribute atom = mlirArrayAttrGetElement(factors, i);
    if (dsp_tensor_find(&info, mlirStringAttrGetValue(atom)) >= 0) return true;
  }
  return false;
}

/// A whole operand of a cut map may be computed inside it only when none of
/// its own operands would have to be cut there.
static bool layouts_agree(MlirAttribute dims, MlirOperation map,
                          MlirValue operand) {
  MlirType type = mlirValueGetType(mlirOperationGetResult(map, 0));
  MlirStringRef cut = dsp_tensor_layout(type);
  if (mlirStringRefEqual(dsp_tensor_layout(mlirValueGetType(operand)), cut))
    return true;
  MlirOperation producer = mlirOpResultGetOwner(operand);
  for (intptr_t i = 0; i < mlirOperationGetNumOperands(producer); i++)
    if (has_atom_of(dims, mlirOperationGetOperand(producer, i), cut))
      return false;
  return true;
}

static bool may_fuse(MlirAttribute dims, MlirOperation map,
                     MlirValue operand) {
  if (!mlirValueIsAOpResult(operand) || !dsp_has_one_use(operand)) return false;
  MlirOperation producer = mlirOpResultGetOwner(operand);
  if (!dsp_is(producer, "dsp.map") || is_cast(producer)) return false;
  if (!layouts_agree(dims, map, operand)) return false;
  if (dsp_int_attr(producer, "stage", -1) != dsp_int_attr(map, "stage", -1))
    return false;
  return elements(operand) == elements(mlirOperationGetResult(map, 0)) ||
         count_functions(dsp_attr(producer, "expr")) <= DSP_MAX_RECOMPUTED;
}

static MlirOperation replace_map(MlirOperation map, const Fusion *fusion,
                                 MlirAttribute expr) {
  const char *names[] = {"expr", "stage", "name"};
  MlirAttribute name = dsp_attr(map, "name");
  MlirAttribute attributes[] = {expr, dsp_attr(map, "stage"), name};
  MlirValue result = mlirOperationGetResult(map, 0);
  MlirOperation fused = dsp_build_before(
      map, "dsp.map", mlirOperationGetLocation(map),
      (intptr_t)fusion->noperands, fusion->operands, mlirValueGetType(result),
      mlirAttributeIsNull(name) ? 2 : 3, names, attributes);
  dsp_replace_uses(result, mlirOperationGetResult(fused, 0));
  mlirOperationDestroy(map);
  return fused;
}

/// Fuses one producer into `map`; returns the new op, or null.
static MlirOperation fuse_once(MlirAttribute dims, MlirOperation map) {
  for (intptr_t i = 0; i < mlirOperationGetNumOperands(map); i++) {
    MlirValue operand = mlirOperationGetOperand(map, i);
    if (!may_fuse(dims, map, operand)) continue;
    MlirOperation producer = mlirOpResultGetOwner(operand);
    Fusion fusion = {.context = mlirOperationGetContext(map)};
    MlirAttribute inner = rebuild(&fusion, producer, dsp_attr(producer, "expr"),
                                  -1, mlirAttributeGetNull());
    if (mlirAttributeIsNull(inner)) continue;
    MlirAttribute expr = rebuild(&fusion, map, dsp_attr(map, "expr"), i, inner);
    if (mlirAttributeIsNull(expr)) continue;
    MlirOperation fused = replace_map(map, &fusion, expr);
    mlirOperationDestroy(producer);
    return fused;
  }
  return (MlirOperation){NULL};
}

bool dsp_pass_fuse_maps(MlirModule module, const DspPassOptions *options) {
  (void)options;
  MlirOperation func = dsp_model_func(module);
  if (mlirOperationIsNull(func)) return false;
  DspArena *arena = dsp_arena_create();
  DspOpList list = dsp_list_ops(arena, dsp_body(func));
  MlirAttribute dims = dsp_attr(mlirModuleGetOperation(module), "dsp.dims");
  for (size_t i = 0; i < list.count; i++) {
    MlirOperation map = list.ops[i];
    if (!dsp_is(map, "dsp.map") || is_cast(map)) continue;
    while (!mlirOperationIsNull(map)) map = fuse_once(dims, map);
  }
  dsp_arena_destroy(arena);
  return true;
}
