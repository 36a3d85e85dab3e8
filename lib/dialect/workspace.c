// workspace.c - scratch memory that the runtime needs for one op.
#include "dspc/dialect/workspace.h"

#include <mlir-c/BuiltinAttributes.h>
#include <mlir-c/BuiltinTypes.h>

#include "dspc/dialect/dialect.h"
#include "dspc/support/bug.h"

enum { LINEAR_TILE = 512 }; // DSPRT_LINEAR_TILE

static DspLocalShape shape_of(MlirAttribute dims, MlirValue value) {
  DspLocalShape shape;
  if (!dsp_local_shape(dims, mlirValueGetType(value), &shape))
    dsp_bug("a type with a layout that it does not hold");
  return shape;
}

static int64_t local_elements(const DspLocalShape *shape, DspMesh mesh) {
  return dsp_local_bytes(shape, mesh) / dsp_element_bytes(shape->element);
}

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/// dsprt_linear_workspace: tiles of x, w and y in f32.  The weight is [out, in]
/// with the part that this rank has of `out`, or of `in` when the result is
/// partial.
static int64_t linear_bytes(MlirAttribute dims, MlirOperation op,
                            DspMesh mesh) {
  DspLocalShape x = shape_of(dims, mlirOperationGetOperand(op, 0));
  DspLocalShape y = shape_of(dims, mlirOperationGetResult(op, 0));
  if (mlirTypeIsAF32(x.element)) return 0;
  DspLocalShape w = shape_of(dims, mlirOperationGetOperand(op, 1));
  MlirAttribute names = mlirOperationGetAttributeByName(
      op, mlirStringRefCreateFromCString("out"));
  size_t nout = (size_t)mlirArrayAttrGetNumElements(names);
  int64_t out = 1;
  for (size_t i = 0; i < w.ndims && w.dims[i].first < nout; i++)
    out *= dsp_largest_part(w.dims[i].size, w.dims[i].cut & ~y.partial, mesh);
  int64_t in = local_elements(&w, mesh) / out;
  int64_t m = smaller(local_elements(&y, mesh) / out, LINEAR_TILE);
  int64_t n = smaller(out, LINEAR_TILE);
  return 4 * (m * in + n * in + m * n);
}

/// The ranks of a group among which the op sums.
static int64_t summed_ranks(MlirAttribute dims, MlirOperation op,
                            DspMesh mesh) {
  DspLocalShape x = shape_of(dims, mlirOperationGetOperand(op, 0));
  DspLocalShape y = shape_of(dims, mlirOperationGetResult(op, 0));
  return mesh.sizes[(x.partial & ~y.partial) == 2];
}

/// dsprt_reduce_scatter_scratch: a part from each rank.
static int64_t reduce_scatter_bytes(MlirAttribute dims, MlirOperation op,
                                    DspMesh mesh) {
  DspLocalShape y = shape_of(dims, mlirOperationGetResult(op, 0));
  return summed_ranks(dims, op, mesh) * dsp_local_bytes(&y, mesh);
}

/// dsprt_all_reduce_scratch: a part of the flat elements from each rank.
static int64_t all_reduce_bytes(MlirAttribute dims, MlirOperation op,
                                DspMesh mesh) {
  DspLocalShape y = shape_of(dims, mlirOperationGetResult(op, 0));
  int64_t ranks = summed_ranks(dims, op, mesh);
  int64_t part = dsp_part(local_elements(&y, mesh), 0, ranks);
  return ranks * part * dsp_element_bytes(y.element);
}

/// dsprt_ring_attention: two blocks of k and v, and the sums of each query.
static int64_t ring_bytes(MlirAttribute dims, MlirOperation op, DspMesh mesh) {
  MlirAttribute ring = mlirOperationGetAttributeByName(
      op, mlirStringRefCreateFromCString("ring"));
  if (mlirAttributeIsNull(ring)) return 0;
  DspLocalShape k = shape_of(dims, mlirOperationGetOperand(op, 1));
  DspLocalShape v = shape_of(dims, mlirOperationGetOperand(op, 2));
  DspLocalShape o = shape_of(dims, mlirOperationGetResult(op, 0));
  int64_t block = dsp_local_bytes(&k, mesh) + dsp_local_bytes(&v, mesh);
  int64_t elements = local_elements(&o, mesh), width = 1;
  MlirAttribute dot = mlirOperationGetAttributeByName(
      op, mlirStringRefCreateFromCString("dot"));
  for (intptr_t i = 0; i < mlirArrayAttrGetNumElements(dot); i++)
    for (size_t d = 0; d < o.ndims; d++)
      if (mlirStringRefEqual(o.dims[d].name,
                             mlirStringAttrGetValue(
                                 mlirArrayAttrGetElement(dot, i))))
        width *= o.dims[d].size;
  return 2 * ((block + 63) / 64 * 64) + 4 * elements + 8 * (elements / width);
}

int64_t dsp_workspace_bytes(MlirAttribute dims, MlirOperation op, DspMesh mesh,
                            bool gpu) {
  switch (dsp_op_kind(op)) {
  case DSP_OP_LINEAR: return gpu ? 0 : linear_bytes(dims, op, mesh);
  case DSP_OP_ATTENTION: return ring_bytes(dims, op, mesh);
  case DSP_OP_REDUCE_SCATTER: return reduce_scatter_bytes(dims, op, mesh);
  case DSP_OP_ALL_REDUCE: return all_reduce_bytes(dims, op, mesh);
  default: return 0;
  }
}
