// ir.h - small helpers over the MLIR C API that every pass needs.
#ifndef DSPC_LIB_PASSES_IR_H
#define DSPC_LIB_PASSES_IR_H

#include <string.h>

#include <mlir-c/BuiltinAttributes.h>
#include <mlir-c/BuiltinTypes.h>
#include <mlir-c/Diagnostics.h>
#include <mlir-c/IR.h>

#include "dspc/support/arena.h"

/// The operations of one block, in order, without its terminator.
typedef struct DspOpList {
  MlirOperation *ops;
  size_t count;
} DspOpList;

/// A map from pointers (values, ops, attributes) to numbers.
typedef struct DspPtrMap {
  const void **keys;
  int64_t *values;
  size_t capacity, count;
  DspArena *arena;
} DspPtrMap;

DspPtrMap dsp_ptr_map(DspArena *arena);
/// Sets `key` to `value`; a second call replaces the first.
void dsp_ptr_map_set(DspPtrMap *map, const void *key, int64_t value);
/// Returns what was set for `key`, or `missing`.
int64_t dsp_ptr_map_get(const DspPtrMap *map, const void *key, int64_t missing);

/// The model function: the last func.func of the module that is not private,
/// or a null operation after an MLIR error.
MlirOperation dsp_model_func(MlirModule module);
/// The entry block of a func.func or the body of an scf.for.
MlirBlock dsp_body(MlirOperation op);
DspOpList dsp_list_ops(DspArena *arena, MlirBlock block);

MlirAttribute dsp_attr(MlirOperation op, const char *name);
int64_t dsp_int_attr(MlirOperation op, const char *name, int64_t missing);
MlirStringRef dsp_string_attr(MlirOperation op, const char *name);
void dsp_set_attr(MlirOperation op, const char *name, MlirAttribute value);
void dsp_set_int(MlirOperation op, const char *name, int64_t value);
void dsp_remove_attr(MlirOperation op, const char *name);
MlirAttribute dsp_int(MlirContext context, int64_t value);
MlirAttribute dsp_string(MlirContext context, MlirStringRef text);
/// `dictionary[name]`, or a null attribute.
MlirAttribute dsp_dict_get(MlirAttribute dictionary, const char *name);

/// Builds an op of one result from names and arrays and inserts it before
/// `before`.  Attributes: `names[i] = attributes[i]`.
MlirOperation dsp_build_before(MlirOperation before, const char *name,
                               MlirLocation location, intptr_t noperands,
                               MlirValue const *operands, MlirType result,
                               intptr_t nattributes, const char *const *names,
                               MlirAttribute const *attributes);

/// The same with `nresults` results.
MlirOperation dsp_build_results_before(
    MlirOperation before, const char *name, MlirLocation location,
    intptr_t noperands, MlirValue const *operands, intptr_t nresults,
    MlirType const *results, intptr_t nattributes, const char *const *names,
    MlirAttribute const *attributes);

/// Does exactly one operand of one op read the value?
bool dsp_has_one_use(MlirValue value);
/// Replaces every use of `from` by `to`.
static inline void dsp_replace_uses(MlirValue from, MlirValue to) {
  mlirValueReplaceAllUsesOfWith(from, to);
}

static inline bool dsp_has_uses(MlirValue value) {
  return !mlirOpOperandIsNull(mlirValueGetFirstUse(value));
}

/// Inline: with a literal, its length is known and most differ in that.
static inline bool dsp_str_is(MlirStringRef a, const char *b) {
  size_t length = strlen(b);
  return a.length == length && memcmp(a.data, b, length) == 0;
}
static inline bool dsp_is(MlirOperation op, const char *name) {
  return dsp_str_is(mlirIdentifierStr(mlirOperationGetName(op)), name);
}

#endif
