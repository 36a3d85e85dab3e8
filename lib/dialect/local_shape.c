// local_shape.c - the part of a tensor that one rank holds.
#include "dspc/dialect/local_shape.h"

#include <mlir-c/BuiltinAttributes.h>
#include <mlir-c/BuiltinTypes.h>

#include "dspc/dialect/dialect.h"

static MlirAttribute get(MlirAttribute dictionary, const char *name) {
  return mlirDictionaryAttrGetElementByName(
      dictionary, mlirStringRefCreateFromCString(name));
}

MlirAttribute dsp_find_dim(MlirAttribute dims, MlirStringRef name) {
  if (mlirAttributeIsNull(dims)) return dims;
  for (intptr_t i = 0; i < mlirArrayAttrGetNumElements(dims); i++) {
    MlirAttribute dim = mlirArrayAttrGetElement(dims, i);
    if (mlirStringRefEqual(mlirStringAttrGetValue(get(dim, "name")), name))
      return dim;
  }
  return mlirAttributeGetNull();
}

static void read_atoms(MlirType type, MlirAttribute encoding,
                       DspLocalShape *shape) {
  MlirAttribute names = get(encoding, "dims");
  shape->natoms = (size_t)mlirShapedTypeGetRank(type);
  for (size_t i = 0; i < shape->natoms; i++) {
    shape->atoms[i] = mlirStringAttrGetValue(
        mlirArrayAttrGetElement(names, (intptr_t)i));
    shape->sizes[i] = mlirShapedTypeGetDimSize(type, (intptr_t)i);
  }
}

/// Do the atoms of `shape` at `first` spell the product `factors`?
static bool spells(const DspLocalShape *shape, size_t first,
                   MlirAttribute factors) {
  size_t n = (size_t)mlirArrayAttrGetNumElements(factors);
  if (first + n > shape->natoms) return false;
  for (size_t i = 0; i < n; i++)
    if (!mlirStringRefEqual(shape->atoms[first + i],
                            mlirStringAttrGetValue(mlirArrayAttrGetElement(
                                factors, (intptr_t)i))))
      return false;
  return true;
}

/// Finds the atoms that the cut dim stands for.
static bool find_cut(MlirAttribute dims, const DspLocalShape *shape,
                     size_t *first, size_t *count) {
  MlirStringRef name;
  size_t left = dsp_layout_dim(shape->layout, &name);
  MlirAttribute dim = dsp_find_dim(dims, name);
  MlirAttribute factors =
      mlirAttributeIsNull(dim) ? dim : get(dim, "factors");
  bool product = !mlirAttributeIsNull(factors);
  *count = product ? (size_t)mlirArrayAttrGetNumElements(factors) : 1;
  for (*first = 0; *first < shape->natoms; ++*first) {
    bool here = product ? spells(shape, *first, factors)
                        : mlirStringRefEqual(shape->atoms[*first], name);
    if (here && --left == 0) return true;
  }
  return false;
}

static bool is_whole(MlirStringRef layout) {
  return layout.length == 0 ||
         (layout.length == 1 &&
          (layout.data[0] == '*' || layout.data[0] == '+' ||
           layout.data[0] == '^'));
}

bool dsp_local_shape(MlirAttribute dims, MlirType type, DspLocalShape *shape) {
  *shape = (DspLocalShape){.element = mlirShapedTypeGetElementType(type)};
  if (mlirShapedTypeGetRank(type) > DSP_MAX_RANK) return false;
  MlirAttribute encoding = mlirRankedTensorTypeGetEncoding(type);
  read_atoms(type, encoding, shape);
  MlirAttribute layout = get(encoding, "layout");
  if (!mlirAttributeIsNull(layout))
    shape->layout = mlirStringAttrGetValue(mlirArrayAttrGetElement(layout, 0));
  MlirStringRef cut_name;
  dsp_layout_dim(shape->layout, &cut_name);
  size_t first = shape->natoms, count = 0;
  if (!is_whole(shape->layout) && !find_cut(dims, shape, &first, &count))
    return false;
  for (size_t i = 0; i < shape->natoms;) {
    bool cut = i == first && count;
    DspLocalDim *dim = &shape->dims[shape->ndims++];
    *dim = (DspLocalDim){.name = cut ? cut_name : shape->atoms[i],
                         .size = 1,
                         .cut = cut,
                         .first = i,
                         .count = cut ? count : 1};
    for (size_t k = 0; k < dim->count; k++) dim->size *= shape->sizes[i++];
  }
  return true;
}

int64_t dsp_part(int64_t size, int64_t rank, int64_t ranks) {
  return size / ranks + (rank < size % ranks);
}

int64_t dsp_part_begin(int64_t size, int64_t rank, int64_t ranks) {
  int64_t rest = size % ranks;
  return rank * (size / ranks) + (rank < rest ? rank : rest);
}

int64_t dsp_element_bytes(MlirType element) {
  if (mlirTypeIsAInteger(element))
    return (mlirIntegerTypeGetWidth(element) + 7) / 8;
  return mlirTypeIsAF32(element) ? 4 : mlirTypeIsAF64(element) ? 8 : 2;
}

int64_t dsp_local_bytes(const DspLocalShape *shape, int64_t ranks) {
  int64_t elements = 1;
  for (size_t i = 0; i < shape->ndims; i++) {
    const DspLocalDim *dim = &shape->dims[i];
    elements *= dim->cut ? dsp_part(dim->size, 0, ranks) : dim->size;
  }
  return elements * dsp_element_bytes(shape->element);
}
