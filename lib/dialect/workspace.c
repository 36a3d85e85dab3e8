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

static int64_t local_elements(const DspLocalShape *shape, int64_t ranks) {
  return dsp_local_bytes(shape, ranks) / dsp_element_bytes(shape->element);
}

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/// dsprt_linear_workspace: tiles of x, w and y in f32.  The weight is [out, in]
/// with the part that this rank has of `out`, or of `in` when the result is
/// partial.
static int64_t linear_bytes(MlirAttribute dims, MlirOperation op,
                            int64_t ranks) {
  DspLocalShape x = shape_of(dims, mlirOperationGetOperand(op, 0));
  DspLocalShape y = shape_of(dims, mlirOperationGetResult(op, 0));
  if (mlirTypeIsAF32(x.element)) return 0;
  DspLocalShape w = shape_of(dims, mlirOperationGetOperand(op, 1));
  MlirAttribute names = mlirOperationGetAttributeByName(
      op, mlirStringRefCreateFromCString("out"));
  size_t nout = (size_t)mlirArrayAttrGetNumElements(names);
  bool partial =
      mlirStringRefEqual(y.layout, mlirStringRefCreateFromCString("+"));
  int64_t out = 1;
  for (size_t i = 0; i < w.ndims && w.dims[i].first < nout; i++) {
    bool cut = w.dims[i].cut && !partial;
    out *= cut ? dsp_part(w.dims[i].size, 0, ranks) : w.dims[i].size;
  }
  int64_t in = local_elements(&w, ranks) / out;
  int64_t m = smaller(local_elements(&y, ranks) / out, LINEAR_TILE);
  int64_t n = smaller(out, LINEAR_TILE);
  return 4 * (m * in + n * in + m * n);
}

/// dsprt_reduce_scatter_scratch: a part from each rank.
static int64_t reduce_scatter_bytes(MlirAttribute dims, MlirOperation op,
                                    int64_t ranks) {
  DspLocalShape y = shape_of(dims, mlirOperationGetResult(op, 0));
  return ranks * dsp_local_bytes(&y, ranks);
}

/// dsprt_all_reduce_scratch: a part of the flat elements from each rank.
static int64_t all_reduce_bytes(MlirAttribute dims, MlirOperation op,
                                int64_t ranks) {
  DspLocalShape y = shape_of(dims, mlirOperationGetResult(op, 0));
  int64_t part = dsp_part(local_elements(&y, ranks), 0, ranks);
  return ranks * part * dsp_element_bytes(y.element);
}

/// dsprt_ring_attention: two blocks of k and v, and the sums of each query.
static int64_t ring_bytes(MlirAttribute dims, MlirOperation op, int64_t ranks) {
  MlirAttribute ring = mlirOperationGetAttributeByName(
      op, mlirStringRefCreateFromCString("ring"));
  if (mlirAttributeIsNull(ring)) return 0;
  DspLocalShape k = shape_of(dims, mlirOperationGetOperand(op, 1));
  DspLocalShape v = shape_of(dims, mlirOperationGetOperand(op, 2));
  DspLocalShape o = shape_of(dims, mlirOperationGetResult(op, 0));
  int64_t block = dsp_local_bytes(&k, ranks) + dsp_local_bytes(&v, ranks);
  int64_t elements = local_elements(&o, ranks), width = 1;
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

int64_t dsp_workspace_bytes(MlirAttribute dims, MlirOperation op,
                            int64_t ranks, bool gpu) {
  switch (dsp_op_kind(op)) {
  case DSP_OP_LINEAR: return gpu ? 0 : linear_bytes(dims, op, ranks);
  case DSP_OP_ATTENTION: return ring_bytes(dims, op, ranks);
  case DSP_OP_REDUCE_SCATTER: return reduce_scatter_bytes(dims, op, ranks);
  case DSP_OP_ALL_REDUCE: return all_reduce_bytes(dims, op, ranks);
  default: return 0;
  }
}
