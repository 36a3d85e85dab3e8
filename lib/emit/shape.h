// shape.h - where the elements of a value lie, as C text and as numbers.
//
// Extents and strides are products of dims, some of which only the rank knows
// ("S_r"): they can be compared, and be printed with the user's names.
#ifndef DSPC_LIB_EMIT_SHAPE_H
#define DSPC_LIB_EMIT_SHAPE_H

#include "dspc/dialect/local_shape.h"
#include "dspc/support/arena.h"

enum { DSP_CUTS = 1 << DSP_MAX_AXES }; ///< sets of mesh axes that cut a dim

/// The names that emitted code has for a dim, and for this rank's part of it
/// when some axes of the mesh cut it.
typedef struct DspDimNames {
  MlirStringRef name; ///< the user's
  int64_t size;
  MlirAttribute factors; ///< of a product, or null
  const char *size_name; ///< "S", or digits for a dim without a name
  const char *part_name[DSP_CUTS];  ///< "S_r": how many of them it holds
  const char *begin_name[DSP_CUTS]; ///< "S_0": the first that it holds
  const char *index_name; ///< "s": a loop over them
} DspDimNames;

/// What the emitter knows of the module.
typedef struct DspEmitDims {
  DspArena *arena;
  MlirAttribute dims; ///< dsp.dims
  DspMesh mesh;
  const char *axis_names[DSP_MAX_AXES];
  DspDimNames *names; ///< one for each entry of dsp.dims
  size_t count;
} DspEmitDims;

/// A product of dims; a cut dim counts with this rank's part of it.
typedef struct DspExtent {
  int64_t number; ///< the product of those that are not cut
  size_t count;
  const DspDimNames *dims[DSP_MAX_RANK];
  DspAxes cut[DSP_MAX_RANK];
} DspExtent;

/// One dim of a value as an access sees it.
typedef struct DspAxis {
  const DspDimNames *dim;
  DspExtent extent;
  DspExtent stride; ///< in elements
  DspAxes cut;
  size_t first, count; ///< atoms of the type
} DspAxis;

/// Where a value lies: `base` + offset + sum of index * stride.
typedef struct DspAccess {
  const char *base;   ///< C expression of a pointer to elements
  const char *offset; ///< in elements, as text; NULL for 0
  DspLocalShape shape;
  DspAxis axes[DSP_MAX_RANK];
  size_t naxes;
  bool contiguous; ///< row major without gaps
  int64_t grain;   ///< every offset is a multiple of this; 0: no offset
  int64_t span;    ///< elements behind `base`, global
} DspAccess;

/// The access of contiguous memory at `base`.
DspAccess dsp_access(const DspEmitDims *dims, MlirType type, const char *base);
/// The access of positions start .. start + size of atom `dim`, whose place
/// the atoms of `result` take.
DspAccess dsp_access_slice(const DspEmitDims *dims, const DspAccess *whole,
                           MlirStringRef dim, int64_t start, MlirType result);
/// The access of the same elements under the dims of `result`.
DspAccess dsp_access_rename(const DspEmitDims *dims, const DspAccess *x,
                            MlirType result);
/// The access of this rank's part of a whole value.
DspAccess dsp_access_shard(const DspEmitDims *dims, const DspAccess *whole,
                           MlirType result);

/// The names of dim `name`; a bug when there is none.
const DspDimNames *dsp_dim_names(const DspEmitDims *dims, MlirStringRef name);
/// What this rank holds of a dim, or where that begins, as C: for axis 0 of a
/// mesh of one "dsprt_part(S, run->rank, run->ranks)".
const char *dsp_part_text(const DspEmitDims *dims, const DspDimNames *dim,
                          DspAxes cut, bool begin);
DspExtent dsp_extent_one(void);
DspExtent dsp_extent_times(DspExtent a, DspExtent b);
bool dsp_extent_equal(DspExtent a, DspExtent b);
bool dsp_extent_is_one(DspExtent a);
/// "S_r * C", products folded; "1" when empty.
const char *dsp_extent_text(const DspEmitDims *dims, DspExtent extent);
/// The same, in parentheses unless it is one word.
const char *dsp_extent_factor(const DspEmitDims *dims, DspExtent extent);
/// The product of the extents of axes[0 .. count).
DspExtent dsp_extent_of(const DspAxis *axes, size_t count);
/// "pointer" or "pointer + offset" as an argument.
const char *dsp_access_pointer(const DspEmitDims *dims, const DspAccess *a);
/// "[B, T, S_r, C]" with products folded, for comments.
const char *dsp_shape_text(const DspEmitDims *dims, const DspAccess *a);
/// Formats into the arena.
const char *dsp_format(DspArena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
