// ir.c - small helpers over the MLIR C API that every pass needs.
#include "ir.h"

#include <stdint.h>
#include <string.h>

static size_t slot_of(const DspPtrMap *map, const void *key) {
  uint64_t hash = (uint64_t)(uintptr_t)key * 0x9E3779B97F4A7C15u;
  size_t slot = (size_t)(hash >> 20) & (map->capacity - 1);
  while (map->keys[slot] && map->keys[slot] != key)
    slot = (slot + 1) & (map->capacity - 1);
  return slot;
}

static void allocate_slots(DspPtrMap *map, size_t capacity) {
  map->capacity = capacity;
  map->keys = dsp_arena_alloc(map->arena, capacity * sizeof *map->keys);
  map->values = dsp_arena_alloc(map->arena, capacity * sizeof *map->values);
  memset(map->keys, 0, capacity * sizeof *map->keys);
}

DspPtrMap dsp_ptr_map(DspArena *arena) {
  DspPtrMap map = {.arena = arena};
  allocate_slots(&map, 64);
  return map;
}

static void grow(DspPtrMap *map) {
  DspPtrMap old = *map;
  allocate_slots(map, old.capacity * 2);
  for (size_t i = 0; i < old.capacity; i++) {
    if (!old.keys[i]) continue;
    size_t slot = slot_of(map, old.keys[i]);
    map->keys[slot] = old.keys[i];
    map->values[slot] = old.values[i];
  }
}

void dsp_ptr_map_set(DspPtrMap *map, const void *key, int64_t value) {
  if (2 * (map->count + 1) > map->capacity) grow(map);
  size_t slot = slot_of(map, key);
  if (!map->keys[slot]) map->count++;
  map->keys[slot] = key;
  map->values[slot] = value;
}

int64_t dsp_ptr_map_get(const DspPtrMap *map, const void *key,
                        int64_t missing) {
  size_t slot = slot_of(map, key);
  return map->keys[slot] ? map->values[slot] : missing;
}

MlirBlock dsp_body(MlirOperation op) {
  return mlirRegionGetFirstBlock(mlirOperationGetRegion(op, 0));
}

MlirOperation dsp_model_func(MlirModule module) {
  MlirOperation found = {NULL};
  MlirOperation op = mlirBlockGetFirstOperation(mlirModuleGetBody(module));
  for (; !mlirOperationIsNull(op); op = mlirOperationGetNextInBlock(op))
    if (dsp_is(op, "func.func") &&
        mlirAttributeIsNull(dsp_attr(op, "sym_visibility")))
      found = op;
  if (mlirOperationIsNull(found))
    mlirEmitError(mlirOperationGetLocation(mlirModuleGetOperation(module)),
                  "the module has no public func.func to compile");
  return found;
}

DspOpList dsp_list_ops(DspArena *arena, MlirBlock block) {
  DspOpList list = {NULL, 0};
  MlirOperation end = mlirBlockGetTerminator(block);
  MlirOperation op = mlirBlockGetFirstOperation(block);
  for (MlirOperation i = op; i.ptr && i.ptr != end.ptr;
       i = mlirOperationGetNextInBlock(i))
    list.count++;
  list.ops = dsp_arena_alloc(arena, (list.count + 1) * sizeof *list.ops);
  for (size_t i = 0; i < list.count; i++) {
    list.ops[i] = op;
    op = mlirOperationGetNextInBlock(op);
  }
  return list;
}

MlirAttribute dsp_attr(MlirOperation op, const char *name) {
  return mlirOperationGetAttributeByName(op,
                                         mlirStringRefCreateFromCString(name));
}

int64_t dsp_int_attr(MlirOperation op, const char *name, int64_t missing) {
  MlirAttribute attr = dsp_attr(op, name);
  return mlirAttributeIsNull(attr) ? missing
                                   : mlirIntegerAttrGetValueInt(attr);
}

MlirStringRef dsp_string_attr(MlirOperation op, const char *name) {
  MlirAttribute attr = dsp_attr(op, name);
  if (mlirAttributeIsNull(attr)) return mlirStringRefCreate(NULL, 0);
  return mlirStringAttrGetValue(attr);
}

void dsp_set_attr(MlirOperation op, const char *name, MlirAttribute value) {
  mlirOperationSetAttributeByName(op, mlirStringRefCreateFromCString(name),
                                  value);
}

void dsp_set_int(MlirOperation op, const char *name, int64_t value) {
  dsp_set_attr(op, name, dsp_int(mlirOperationGetContext(op), value));
}

void dsp_remove_attr(MlirOperation op, const char *name) {
  mlirOperationRemoveAttributeByName(op, mlirStringRefCreateFromCString(name));
}

MlirAttribute dsp_int(MlirContext context, int64_t value) {
  return mlirIntegerAttrGet(mlirIntegerTypeGet(context, 64), value);
}

MlirAttribute dsp_string(MlirContext context, MlirStringRef text) {
  return mlirStringAttrGet(context, text);
}

MlirAttribute dsp_dict_get(MlirAttribute dictionary, const char *name) {
  return mlirDictionaryAttrGetElementByName(
      dictionary, mlirStringRefCreateFromCString(name));
}

MlirOperation dsp_build_before(MlirOperation before, const char *name,
                               MlirLocation location, intptr_t noperands,
                               MlirValue const *operands, MlirType result,
                               intptr_t nattributes, const char *const *names,
                               MlirAttribute const *attributes) {
  return dsp_build_results_before(before, name, location, noperands, operands,
                                  1, &result, nattributes, names, attributes);
}

MlirOperation dsp_build_results_before(
    MlirOperation before, const char *name, MlirLocation location,
    intptr_t noperands, MlirValue const *operands, intptr_t nresults,
    MlirType const *results, intptr_t nattributes, const char *const *names,
    MlirAttribute const *attributes) {
  MlirOperationState state = mlirOperationStateGet(
      mlirStringRefCreateFromCString(name), location);
  mlirOperationStateAddOperands(&state, noperands, operands);
  mlirOperationStateAddResults(&state, nresults, results);
  for (intptr_t i = 0; i < nattributes; i++) {
    MlirStringRef key = mlirStringRefCreateFromCString(names[i]);
    MlirIdentifier id =
        mlirIdentifierGet(mlirOperationGetContext(before), key);
    MlirNamedAttribute attr = mlirNamedAttributeGet(id, attributes[i]);
    mlirOperationStateAddAttributes(&state, 1, &attr);
  }
  MlirOperation op = mlirOperationCreate(&state);
  mlirBlockInsertOwnedOperationBefore(mlirOperationGetBlock(before), before,
                                      op);
  return op;
}bool dsp_has_one_use(MlirValue value) {
  MlirOpOperand use = mlirValueGetFirstUse(value);
  return !mlirOpOperandIsNull(use) &&
         mlirOpOperandIsNull(mlirOpOperandGetNextUse(use));
}


