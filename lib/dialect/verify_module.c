// verify_module.c - dsp.dims, dsp.stages, dsp.ranks and dsp.mesh of a module.
#include <mlir-c/BuiltinAttributes.h>
#include <mlir-c/BuiltinTypes.h>
#include <stdlib.h>

#include "dspc/support/bug.h"
#include "verifier.h"

const DspDimEntry *dsp_verifier_dim(const DspVerifier *v, MlirStringRef name) {
  for (size_t i = 0; i < v->ndims; i++)
    if (mlirStringRefEqual(v->dims[i].name, name)) return &v->dims[i];
  return NULL;
}

/// Do the names of `info` from `first` on spell `names`?
static bool spells(const DspTensorInfo *info, size_t first, size_t count,
                   const MlirStringRef *names) {
  if (first + count > info->ndims) return false;
  for (size_t i = 0; i < count; i++)
    if (!mlirStringRefEqual(info->dims[first + i], names[i])) return false;
  return true;
}

bool dsp_verifier_cut(const DspVerifier *v, const DspTensorInfo *info,
                      MlirStringRef name, size_t *first, size_t *count) {
  size_t left = dsp_layout_dim(name, &name);
  const DspDimEntry *dim = dsp_verifier_dim(v, name);
  if (!dim) return false;
  const MlirStringRef *names = dim->nfactors ? dim->factors : &dim->name;
  *count = dim->nfactors ? dim->nfactors : 1;
  for (*first = 0; *first < info->ndims; (*first)++)
    if (spells(info, *first, *count, names) && --left == 0) return true;
  return false;
}

static MlirOperation top_of(const DspVerifier *v) {
  return mlirModuleGetOperation(v->module);
}

static MlirAttribute top_attr(const DspVerifier *v, const char *name) {
  return mlirOperationGetAttributeByName(top_of(v),
                                         mlirStringRefCreateFromCString(name));
}

static MlirAttribute entry_of(MlirAttribute dictionary, const char *name) {
  if (mlirAttributeIsNull(dictionary) ||
      !mlirAttributeIsADictionary(dictionary))
    return mlirAttributeGetNull();
  return mlirDictionaryAttrGetElementByName(
      dictionary, mlirStringRefCreateFromCString(name));
}

static bool is_array(MlirAttribute attr) {
  return !mlirAttributeIsNull(attr) && mlirAttributeIsAArray(attr);
}

static bool is_string(MlirAttribute attr) {
  return !mlirAttributeIsNull(attr) && mlirAttributeIsAString(attr);
}

static bool is_int(MlirAttribute attr) {
  return !mlirAttributeIsNull(attr) && mlirAttributeIsAInteger(attr);
}

/// The product of the sizes of the dims that `names` lists; -1 when one is
/// unknown.
static int64_t product(const DspVerifier *v, MlirAttribute names) {
  int64_t size = 1;
  for (intptr_t i = 0; i < mlirArrayAttrGetNumElements(names); i++) {
    MlirAttribute name = mlirArrayAttrGetElement(names, i);
    const DspDimEntry *dim =
        is_string(name) ? dsp_verifier_dim(v, mlirStringAttrGetValue(name))
                        : NULL;
    if (!dim || dim->nfactors) return -1;
    size *= dim->size;
  }
  return size;
}

static bool read_factors(DspVerifier *v, MlirAttribute entry,
                         DspDimEntry *dim) {
  MlirAttribute factors = entry_of(entry, "factors");
  if (mlirAttributeIsNull(factors)) return true;
  if (!is_array(factors) ||
      mlirArrayAttrGetNumElements(factors) > DSP_MAX_RANK ||
      product(v, factors) != dim->size)
    return dsp_verify_fail(v, top_of(v),
                           "needs atoms of dsp.dims whose product is %lld as "
                           "the factors of '%.*s'",
                           (long long)dim->size, DSP_REF_FMT(dim->name));
  dim->nfactors = (size_t)mlirArrayAttrGetNumElements(factors);
  for (size_t i = 0; i < dim->nfactors; i++)
    dim->factors[i] =
        mlirStringAttrGetValue(mlirArrayAttrGetElement(factors, (intptr_t)i));
  return true;
}

static bool verify_terms(DspVerifier *v, MlirAttribute entry,
                         const DspDimEntry *dim) {
  MlirAttribute terms = entry_of(entry, "terms");
  if (mlirAttributeIsNull(terms)) return true;
  int64_t sum = 0;
  for (intptr_t i = 0;
       is_array(terms) && i < mlirArrayAttrGetNumElements(terms); i++) {
    MlirAttribute term = mlirArrayAttrGetElement(terms, i);
    int64_t size = is_array(term) ? product(v, term) : -1;
    sum = sum < 0 || size < 0 ? -1 : sum + size;
  }
  if (sum == dim->size) return true;
  return dsp_verify_fail(v, top_of(v),
                         "needs terms of atoms whose sum is %lld for '%.*s'",
                         (long long)dim->size, DSP_REF_FMT(dim->name));
}

static bool read_dim(DspVerifier *v, MlirAttribute entry) {
  MlirAttribute name = entry_of(entry, "name"), size = entry_of(entry, "size");
  if (!is_string(name) || !is_int(size) || mlirIntegerAttrGetValueInt(size) < 1)
    return dsp_verify_fail(v, top_of(v),
                           "needs {name = \"B\", size = 2 : i64} entries in "
                           "dsp.dims, of sizes of at least 1");
  DspDimEntry dim = {.name = mlirStringAttrGetValue(name),
                     .size = mlirIntegerAttrGetValueInt(size)};
  if (dsp_verifier_dim(v, dim.name))
    return dsp_verify_fail(v, top_of(v), "has two dims '%.*s' in dsp.dims",
                           DSP_REF_FMT(dim.name));
  v->dims[v->ndims++] = dim;
  return true;
}

static bool read_dims(DspVerifier *v) {
  MlirAttribute dims = top_attr(v, "dsp.dims");
  if (mlirAttributeIsNull(dims)) return true;
  if (!is_array(dims))
    return dsp_verify_fail(v, top_of(v), "needs an array as dsp.dims");
  intptr_t count = mlirArrayAttrGetNumElements(dims);
  v->dims = calloc((size_t)count + 1, sizeof *v->dims);
  if (!v->dims) dsp_bug("out of memory for %zu dims", (size_t)count);
  for (intptr_t i = 0; i < count; i++)
    if (!read_dim(v, mlirArrayAttrGetElement(dims, i))) return false;
  for (intptr_t i = 0; i < count; i++) {
    MlirAttribute entry = mlirArrayAttrGetElement(dims, i);
    if (!read_factors(v, entry, &v->dims[i]) ||
        !verify_terms(v, entry, &v->dims[i]))
      return false;
  }
  return true;
}

static bool is_loop(MlirAttribute loop) {
  return is_string(entry_of(loop, "var")) && is_int(entry_of(loop, "repeat")) &&
         is_int(entry_of(loop, "index")) && is_int(entry_of(loop, "count"));
}

static bool is_stage(MlirAttribute stage) {
  MlirAttribute loops = entry_of(stage, "loops");
  if (!is_string(entry_of(stage, "name")) ||
      !is_string(entry_of(stage, "path")) ||
      !is_string(entry_of(stage, "args")) || !is_array(loops))
    return false;
  for (intptr_t i = 0; i < mlirArrayAttrGetNumElements(loops); i++)
    if (!is_loop(mlirArrayAttrGetElement(loops, i))) return false;
  return true;
}

static bool read_stages(DspVerifier *v) {
  MlirAttribute stages = top_attr(v, "dsp.stages");
  if (mlirAttributeIsNull(stages)) return true;
  if (!is_array(stages))
    return dsp_verify_fail(v, top_of(v), "needs an array as dsp.stages");
  v->nstages = mlirArrayAttrGetNumElements(stages);
  for (intptr_t i = 0; i < v->nstages; i++)
    if (!is_stage(mlirArrayAttrGetElement(stages, i)))
      return dsp_verify_fail(
          v, top_of(v),
          "needs {name, path, args, loops = [{repeat, var, index, count}]} as "
          "entry %lld of dsp.stages",
          (long long)i);
  return true;
}

static bool read_ranks(DspVerifier *v) {
  MlirAttribute ranks = top_attr(v, "dsp.ranks");
  if (mlirAttributeIsNull(ranks)) return true;
  if (is_int(ranks)) v->ranks = mlirIntegerAttrGetValueInt(ranks);
  if (v->ranks >= 1) return true;
  return dsp_verify_fail(v, top_of(v), "needs at least 1 as dsp.ranks");
}

static bool is_array_of(MlirAttribute attr, bool (*is)(MlirAttribute)) {
  if (!is_array(attr)) return false;
  for (intptr_t i = 0; i < mlirArrayAttrGetNumElements(attr); i++)
    if (!is(mlirArrayAttrGetElement(attr, i))) return false;
  return true;
}

/// A mesh of two axes; a row of ranks needs no dsp.mesh.
static bool read_mesh(DspVerifier *v) {
  MlirAttribute mesh = top_attr(v, "dsp.mesh");
  MlirAttribute names = top_attr(v, "dsp.mesh_names");
  v->naxes = v->ranks > 0;
  if (mlirAttributeIsNull(mesh)) return true;
  int64_t sizes[DSP_MAX_AXES];
  if (!is_array_of(mesh, is_int) || !is_array_of(names, is_string) ||
      mlirArrayAttrGetNumElements(names) != DSP_MAX_AXES ||
      dsp_attr_read_ints(mesh, sizes, DSP_MAX_AXES) != DSP_MAX_AXES)
    return dsp_verify_fail(v, top_of(v),
                           "needs two sizes as dsp.mesh and two names as "
                           "dsp.mesh_names");
  v->naxes = DSP_MAX_AXES;
  if (sizes[0] >= 1 && sizes[1] >= 1 && sizes[0] * sizes[1] == v->ranks)
    return true;
  return dsp_verify_fail(v, top_of(v),
                         "has a mesh of %lld x %lld and %lld as dsp.ranks",
                         (long long)sizes[0], (long long)sizes[1],
                         (long long)v->ranks);
}

bool dsp_verify_module_attributes(DspVerifier *v) {
  return read_dims(v) && read_stages(v) && read_ranks(v) && read_mesh(v);
}
