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

/// Finds the atoms that the dim `layout` stands for.
static bool find_cut(MlirAttribute dims, const DspLocalShape *shape,
                     MlirStringRef layout, DspLocalDim *cut) {
  size_t left = dsp_layout_dim(layout, &cut->name);
  MlirAttribute dim = dsp_find_dim(dims, cut->name);
  MlirAttribute factors =
      mlirAttributeIsNull(dim) ? dim : get(dim, "factors");
  bool product = !mlirAttributeIsNull(factors);
  cut->count = product ? (size_t)mlirArrayAttrGetNumElements(factors) : 1;
  for (cut->first = 0; cut->first < shape->natoms; cut->first++) {
    bool here = product
                    ? spells(shape, cut->first, factors)
                    : mlirStringRefEqual(shape->atoms[cut->first], cut->name);
    if (here && --left == 0) return true;
  }
  return false;
}

static bool is(MlirStringRef layout, char sign) {
  return layout.length == 1 && layout.data[0] == sign;
}

/// Reads the layout; `cuts` [DSP_MAX_AXES] receives the dims that are cut, by
/// one axis or by both.
static bool read_layout(MlirAttribute dims, MlirAttribute layout,
                        DspLocalShape *shape, DspLocalDim *cuts) {
  if (mlirAttributeIsNull(layout)) return true;
  for (intptr_t a = 0; a < mlirArrayAttrGetNumElements(layout); a++) {
    MlirStringRef entry =
        mlirStringAttrGetValue(mlirArrayAttrGetElement(layout, a));
    DspAxes axis = 1u << a;
    if (a == DSP_MAX_AXES) return false;
    if (is(entry, '+')) shape->partial |= axis;
    if (is(entry, '+') || is(entry, '*')) continue;
    DspLocalDim *cut = &cuts[a];
    if (!find_cut(dims, shape, entry, cut)) return false;
    cut->cut = axis;
    if (a == 0 || !cuts[0].cut) continue;
    if (cut->first == cuts[0].first && cut->count == cuts[0].count) {
      cuts[0].cut |= axis;
      cut->cut = 0;
    } else if (cut->first < cuts[0].first + cuts[0].count &&
               cuts[0].first < cut->first + cut->count) {
      return false;
    }
  }
  return true;
}

static void add_dims(DspLocalShape *shape, const DspLocalDim *cuts) {
  for (size_t i = 0; i < shape->natoms;) {
    DspLocalDim *dim = &shape->dims[shape->ndims++];
    *dim = (DspLocalDim){.name = shape->atoms[i], .first = i, .count = 1};
    for (size_t a = 0; a < DSP_MAX_AXES; a++)
      if (cuts[a].cut && cuts[a].first == i) *dim = cuts[a];
    dim->size = 1;
    for (size_t k = 0; k < dim->count; k++) dim->size *= shape->sizes[i++];
  }
}

bool dsp_local_shape(MlirAttribute dims, MlirType type, DspLocalShape *shape) {
  *shape = (DspLocalShape){.element = mlirShapedTypeGetElementType(type)};
  if (mlirShapedTypeGetRank(type) > DSP_MAX_RANK) return false;
  DspLocalDim cuts[DSP_MAX_AXES] = {{.cut = 0}};
  MlirAttribute encoding = mlirRankedTensorTypeGetEncoding(type);
  read_atoms(type, encoding, shape);
  if (!read_layout(dims, get(encoding, "layout"), shape, cuts)) return false;
  add_dims(shape, cuts);
  return true;
}

DspMesh dsp_mesh_row(int64_t ranks) { return (DspMesh){1, {ranks, 1}}; }

DspMesh dsp_mesh_of(MlirOperation module) {
  MlirAttribute sizes = mlirOperationGetAttributeByName(
      module, mlirStringRefCreateFromCString("dsp.mesh"));
  MlirAttribute ranks = mlirOperationGetAttributeByName(
      module, mlirStringRefCreateFromCString("dsp.ranks"));
  DspMesh mesh = dsp_mesh_row(
      mlirAttributeIsNull(ranks) ? 1 : mlirIntegerAttrGetValueInt(ranks));
  if (!mlirAttributeIsNull(sizes))
    mesh.naxes = dsp_attr_read_ints(sizes, mesh.sizes, DSP_MAX_AXES);
  return mesh;
}

int64_t dsp_mesh_ranks(DspMesh mesh) { return mesh.sizes[0] * mesh.sizes[1]; }

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

int64_t dsp_largest_part(int64_t size, DspAxes axes, DspMesh mesh) {
  for (size_t a = 0; a < DSP_MAX_AXES; a++)
    if (axes & 1u << a) size = dsp_part(size, 0, mesh.sizes[a]);
  return size;
}

int64_t dsp_local_bytes(const DspLocalShape *shape, DspMesh mesh) {
  int64_t elements = 1;
  for (size_t i = 0; i < shape->ndims; i++)
    elements *= dsp_largest_part(shape->dims[i].size, shape->dims[i].cut, mesh);
  return elements * dsp_element_bytes(shape->element);
}
