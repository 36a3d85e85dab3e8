// verify_memo.c - ops that are the same to the verifier are checked once.
//
// The layers of a model repeat the same op with another stage, name and path.
// What the verifier says of an op depends on nothing but its kind, its other
// attributes and its types; all of them are unique pointers in a context.
#include <mlir-c/BuiltinAttributes.h>
#include <stdlib.h>
#include <string.h>

#include "dspc/support/bug.h"
#include "verifier.h"

enum {
  MAX_ATTRIBUTES = 16,
  MAX_KEY = 2 + 2 * MAX_ATTRIBUTES + DSP_MAX_OPERANDS,
};

/// All that the verdict on an op depends on.
typedef struct Key {
  size_t count;
  const void *parts[MAX_KEY];
} Key;

struct DspVerifyMemo {
  Key **slots; ///< hash table
  size_t capacity, count;
  const void *stage, *name, *path, *rel; ///< identifiers
};

/// Attributes that tell equal ops of two layers apart: strings, and the stage,
/// which dsp_verify_stage looks at.
static bool is_ignored(const DspVerifyMemo *memo, MlirNamedAttribute attr) {
  const void *name = attr.name.ptr;
  return name == memo->stage ||
         ((name == memo->name || name == memo->path || name == memo->rel) &&
          mlirAttributeIsAString(attr.attribute));
}

/// Returns false for an op with too much to remember.
static bool make_key(const DspVerifyMemo *memo, MlirOperation op, Key *key) {
  intptr_t nattributes = mlirOperationGetNumAttributes(op);
  intptr_t noperands = mlirOperationGetNumOperands(op);
  if (nattributes > MAX_ATTRIBUTES || noperands > DSP_MAX_OPERANDS)
    return false;
  key->count = 0;
  key->parts[key->count++] = mlirOperationGetName(op).ptr;
  for (intptr_t i = 0; i < nattributes; i++) {
    MlirNamedAttribute attr = mlirOperationGetAttribute(op, i);
    key->parts[key->count++] = attr.name.ptr;
    if (!is_ignored(memo, attr)) key->parts[key->count++] = attr.attribute.ptr;
  }
  for (intptr_t i = 0; i < noperands; i++)
    key->parts[key->count++] =
        mlirValueGetType(mlirOperationGetOperand(op, i)).ptr;
  if (mlirOperationGetNumResults(op) > 1) return false;
  if (mlirOperationGetNumResults(op) == 1)
    key->parts[key->count++] =
        mlirValueGetType(mlirOperationGetResult(op, 0)).ptr;
  return true;
}

static Key **slot_of(const DspVerifyMemo *memo, const Key *key) {
  uint64_t hash = key->count;
  for (size_t i = 0; i < key->count; i++)
    hash = (hash ^ (uint64_t)(uintptr_t)key->parts[i]) * 0x9E3779B97F4A7C15u;
  size_t slot = (size_t)(hash >> 24) & (memo->capacity - 1);
  size_t bytes = key->count * sizeof *key->parts;
  while (memo->slots[slot] &&
         (memo->slots[slot]->count != key->count ||
          memcmp(memo->slots[slot]->parts, key->parts, bytes) != 0))
    slot = (slot + 1) & (memo->capacity - 1);
  return &memo->slots[slot];
}

static void *allocate(size_t count, size_t size) {
  void *memory = calloc(count, size);
  if (!memory) dsp_bug("out of memory in the verifier");
  return memory;
}

static void grow(DspVerifyMemo *memo) {
  DspVerifyMemo old = *memo;
  memo->capacity = old.capacity ? 2 * old.capacity : 256;
  memo->slots = allocate(memo->capacity, sizeof *memo->slots);
  for (size_t i = 0; i < old.capacity; i++)
    if (old.slots[i]) *slot_of(memo, old.slots[i]) = old.slots[i];
  free(old.slots);
}

static const void *identifier(MlirContext context, const char *name) {
  return mlirIdentifierGet(context, mlirStringRefCreateFromCString(name)).ptr;
}

DspVerifyMemo *dsp_verify_memo_create(MlirContext context) {
  DspVerifyMemo *memo = allocate(1, sizeof *memo);
  grow(memo);
  memo->stage = identifier(context, "stage");
  memo->name = identifier(context, "name");
  memo->path = identifier(context, "path");
  memo->rel = identifier(context, "rel");
  return memo;
}

void dsp_verify_memo_destroy(DspVerifyMemo *memo) {
  for (size_t i = 0; i < memo->capacity; i++) free(memo->slots[i]);
  free(memo->slots);
  free(memo);
}

bool dsp_verify_memo_has(const DspVerifyMemo *memo, MlirOperation op) {
  Key key;
  return make_key(memo, op, &key) && *slot_of(memo, &key) != NULL;
}

void dsp_verify_memo_add(DspVerifyMemo *memo, MlirOperation op) {
  Key key;
  if (!make_key(memo, op, &key)) return;
  if (2 * (memo->count + 1) > memo->capacity) grow(memo);
  Key **slot = slot_of(memo, &key);
  if (*slot) return;
  size_t bytes = offsetof(Key, parts) + key.count * sizeof *key.parts;
  *slot = memcpy(allocate(1, bytes), &key, bytes);
  memo->count++;
}
