// local_shape.h - the part of a tensor that one rank holds.
//
// A planned type carries `layout`, one string per mesh axis: the name of the
// dim that is cut, "*" for whole, "+" for partial sums.  The cut dim may be a
// product of adjacent atoms: then it is cut in its flat index space and stands
// as one dim of the local shape.  Two axes cut the same dim, axis 1 then cuts
// the parts that axis 0 makes, or dims that have no atom in common.
#ifndef DSPC_DIALECT_LOCAL_SHAPE_H
#define DSPC_DIALECT_LOCAL_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mlir-c/IR.h>

enum {
  DSP_MAX_RANK = 16, ///< most atoms in one value
  DSP_MAX_AXES = 2,  ///< most axes of a mesh
};

/// The ranks as a grid, outermost axis first: rank = (index on axis 0) *
/// sizes[1] + (index on axis 1).  One axis: {ranks, 1}.
typedef struct DspMesh {
  size_t naxes;
  int64_t sizes[DSP_MAX_AXES];
} DspMesh;

/// Some axes of a mesh, a bit each: 1 is axis 0, 2 is axis 1, 3 both.
typedef unsigned DspAxes;

/// The mesh of a planned module: `dsp.mesh`, or `dsp.ranks` (1 when there is
/// none) in a row.
DspMesh dsp_mesh_of(MlirOperation module);
DspMesh dsp_mesh_row(int64_t ranks);
/// All ranks of the mesh.
int64_t dsp_mesh_ranks(DspMesh mesh);

typedef struct DspLocalDim {
  MlirStringRef name; ///< the atom, or the product that is cut
  int64_t size;       ///< global
  DspAxes cut;        ///< the axes along which each rank holds a part of it
  size_t first;       ///< its atoms are dims[first .. first + count)
  size_t count;
} DspLocalDim;

typedef struct DspLocalShape {
  MlirType element;
  DspLocalDim dims[DSP_MAX_RANK];
  size_t ndims;
  MlirStringRef atoms[DSP_MAX_RANK];
  int64_t sizes[DSP_MAX_RANK]; ///< of the atoms, global
  size_t natoms;
  DspAxes partial; ///< the axes along which it is a partial sum
} DspLocalShape;

/// Reads the type of `value`.  `dims` is the module's dsp.dims.  Returns false
/// when the layout names no dim of the type, or two that overlap.
bool dsp_local_shape(MlirAttribute dims, MlirType type, DspLocalShape *shape);

/// Bytes that the rank with the largest part holds.
int64_t dsp_local_bytes(const DspLocalShape *shape, DspMesh mesh);

/// What the rank with the largest part holds of `size` when `axes` cut it.
int64_t dsp_largest_part(int64_t size, DspAxes axes, DspMesh mesh);

/// Bytes of one element of a builtin type.
int64_t dsp_element_bytes(MlirType element);

/// The part of `size` that `rank` of `ranks` holds, and where it begins: the
/// first size % ranks ranks hold one more.
int64_t dsp_part(int64_t size, int64_t rank, int64_t ranks);
int64_t dsp_part_begin(int64_t size, int64_t rank, int64_t ranks);

/// The entry called `name` of dsp.dims, or null.
MlirAttribute dsp_find_dim(MlirAttribute dims, MlirStringRef name);

#endif
