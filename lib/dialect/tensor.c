// tensor.c - tensor types of the dialect and array attributes, read and built.
#include <mlir-c/BuiltinAttributes.h>
#include <mlir-c/BuiltinTypes.h>
#include <stdlib.h>

#include "dspc/dialect/dialect.h"
#include "dspc/support/bug.h"

static MlirStringRef str(const char *text) {
  return mlirStringRefCreateFromCString(text);
}

static bool is_string_array(MlirAttribute array) {
  if (mlirAttributeIsNull(array) || !mlirAttributeIsAArray(array)) return false;
  for (intptr_t i = 0; i < mlirArrayAttrGetNumElements(array); i++)
    if (!mlirAttributeIsAString(mlirArrayAttrGetElement(array, i)))
      return false;
  return true;
}

static bool read_encoding(MlirAttribute encoding, DspTensorInfo *info) {
  if (mlirAttributeIsNull(encoding) || !mlirAttributeIsADictionary(encoding))
    return false;
  MlirAttribute dims =
      mlirDictionaryAttrGetElementByName(encoding, str("dims"));
  MlirAttribute layout =
      mlirDictionaryAttrGetElementByName(encoding, str("layout"));
  bool planned = !mlirAttributeIsNull(layout);
  if (mlirDictionaryAttrGetNumElements(encoding) != 1 + planned) return false;
  if (!is_string_array(dims) || (planned && !is_string_array(layout)))
    return false;
  if (dsp_attr_read_strings(dims, info->dims, DSP_MAX_RANK) != info->ndims)
    return false;
  if (!planned) return true;
  info->naxes = dsp_attr_read_strings(layout, info->layout, DSP_MAX_AXES);
  return info->naxes >= 1 && info->naxes <= DSP_MAX_AXES;
}

bool dsp_tensor_read(MlirType type, DspTensorInfo *info) {
  *info = (DspTensorInfo){.element = {NULL}};
  if (!mlirTypeIsARankedTensor(type)) return false;
  int64_t rank = mlirShapedTypeGetRank(type);
  if (rank > DSP_MAX_RANK) return false;
  info->element = mlirShapedTypeGetElementType(type);
  info->ndims = (size_t)rank;
  for (size_t i = 0; i < info->ndims; i++) {
    if (mlirShapedTypeIsDynamicDim(type, (intptr_t)i)) return false;
    info->sizes[i] = mlirShapedTypeGetDimSize(type, (intptr_t)i);
  }
  return read_encoding(mlirRankedTensorTypeGetEncoding(type), info);
}

static MlirNamedAttribute named(MlirContext context, const char *name,
                                MlirAttribute value) {
  return mlirNamedAttributeGet(mlirIdentifierGet(context, str(name)), value);
}

MlirType dsp_tensor_type(MlirContext context, const DspTensorInfo *info) {
  MlirNamedAttribute entries[2] = {named(
      context, "dims", dsp_attr_strings(context, info->ndims, info->dims))};
  intptr_t count = 1;
  if (info->naxes)
    entries[count++] =
        named(context, "layout",
              dsp_attr_strings(context, info->naxes, info->layout));
  return mlirRankedTensorTypeGet(
      (intptr_t)info->ndims, info->sizes, info->element,
      mlirDictionaryAttrGet(context, count, entries));
}

MlirType dsp_tensor_with_layout(MlirType type, MlirStringRef layout) {
  DspTensorInfo info;
  if (!dsp_tensor_read(type, &info)) return type;
  if (!layout.data) {
    info.naxes = 0;
  } else {
    info.layout[0] = layout;
    if (info.naxes == 0) info.naxes = 1;
  }
  return dsp_tensor_type(mlirTypeGetContext(type), &info);
}

size_t dsp_layout_dim(MlirStringRef layout, MlirStringRef *dim) {
  *dim = layout;
  for (size_t i = 0; i + 1 < layout.length; i++) {
    if (layout.data[i] != '.') continue;
    dim->length = i;
    return (size_t)(layout.data[i + 1] - '0');
  }
  return 1;
}

MlirStringRef dsp_tensor_layout(MlirType type) {
  DspTensorInfo info;
  if (!dsp_tensor_read(type, &info) || info.naxes == 0)
    return mlirStringRefCreate(NULL, 0);
  return info.layout[0];
}

ptrdiff_t dsp_tensor_find(const DspTensorInfo *info, MlirStringRef dim) {
  for (size_t i = 0; i < info->ndims; i++)
    if (mlirStringRefEqual(info->dims[i], dim)) return (ptrdiff_t)i;
  return -1;
}

int64_t dsp_tensor_elements(const DspTensorInfo *info) {
  int64_t elements = 1;
  for (size_t i = 0; i < info->ndims; i++) elements *= info->sizes[i];
  return elements;
}

static MlirAttribute *allocate(size_t count) {
  MlirAttribute *elements = malloc((count + 1) * sizeof *elements);
  if (!elements) dsp_bug("out of memory for %zu attributes", count);
  return elements;
}

/// Builds an array attribute and frees `elements`.
static MlirAttribute array_of(MlirContext context, size_t count,
                              MlirAttribute *elements) {
  MlirAttribute array = mlirArrayAttrGet(context, (intptr_t)count, elements);
  free(elements);
  return array;
}

MlirAttribute dsp_attr_strings(MlirContext context, size_t count,
                               const MlirStringRef *strings) {
  MlirAttribute *elements = allocate(count);
  for (size_t i = 0; i < count; i++)
    elements[i] = mlirStringAttrGet(context, strings[i]);
  return array_of(context, count, elements);
}

MlirAttribute dsp_attr_ints(MlirContext context, size_t count,
                            const int64_t *numbers) {
  MlirAttribute *elements = allocate(count);
  MlirType i64 = mlirIntegerTypeGet(context, 64);
  for (size_t i = 0; i < count; i++)
    elements[i] = mlirIntegerAttrGet(i64, numbers[i]);
  return array_of(context, count, elements);
}

size_t dsp_attr_read_strings(MlirAttribute array, MlirStringRef *strings,
                             size_t limit) {
  size_t count = (size_t)mlirArrayAttrGetNumElements(array);
  for (size_t i = 0; i < count && i < limit; i++)
    strings[i] =
        mlirStringAttrGetValue(mlirArrayAttrGetElement(array, (intptr_t)i));
  return count;
}

size_t dsp_attr_read_ints(MlirAttribute array, int64_t *numbers, size_t limit) {
  size_t count = (size_t)mlirArrayAttrGetNumElements(array);
  for (size_t i = 0; i < count && i < limit; i++)
    numbers[i] =
        mlirIntegerAttrGetValueInt(mlirArrayAttrGetElement(array, (intptr_t)i));
  return count;
}
