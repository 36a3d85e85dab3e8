// dsprt_types.h - element types, shapes, cuts and the parts of ranks.
#ifndef DSPRT_TYPES_H
#define DSPRT_TYPES_H

#include <stdint.h>

/// Functions of a few lines, for the host and, compiled by nvcc, for kernels.
#ifdef __CUDACC__
#define DSPRT_INLINE static __host__ __device__ inline
#else
#define DSPRT_INLINE static inline
#endif

enum {
  DSPRT_MAX_DIMS = 16,  ///< dims of one value
  DSPRT_MAX_AXES = 2,   ///< axes of a mesh
  DSPRT_ALIGNMENT = 64, ///< bytes; of the arena, and of every buffer in it
};

typedef enum DsprtType {
  DSPRT_F32,
  DSPRT_BF16,
  DSPRT_F16,
  DSPRT_I32,
} DsprtType;

/// Storage of a bf16: the upper half of an f32.
typedef uint16_t DsprtBf16;
/// Storage of an IEEE half; in CUDA a type that overloads can tell from a bf16.
#ifdef __CUDACC__
typedef struct DsprtF16 {
  uint16_t bits;
} DsprtF16;
#else
typedef uint16_t DsprtF16;
#endif

/// The global sizes of a value, row major.  Unused dims need no value.
typedef struct DsprtShape {
  DsprtType type;
  int ndims;
  int64_t dims[DSPRT_MAX_DIMS];
} DsprtShape;

/// The dims that are cut into one part a rank: `count` adjacent dims from
/// `first` on, cut together in their flat index space.  No count: whole.
typedef struct DsprtCut {
  int first, count;
} DsprtCut;

#define DSPRT_WHOLE ((DsprtCut){0, 0})

/// The ranks as a grid: rank = (index on axis 0) * sizes[1] + (index on axis
/// 1).  One axis: {ranks, 1}.
typedef struct DsprtMesh {
  int sizes[DSPRT_MAX_AXES];
} DsprtMesh;

/// What each axis of the mesh cuts.  When both cut the same dims, axis 1 cuts
/// the parts that axis 0 makes; else they cut dims that lie apart.
typedef struct DsprtCuts {
  DsprtCut axes[DSPRT_MAX_AXES];
} DsprtCuts;

DSPRT_INLINE int64_t dsprt_type_bytes(DsprtType type) {
  return type == DSPRT_F32 || type == DSPRT_I32 ? 4 : 2;
}

/// The elements of `size` that `rank` holds: the first size % ranks ranks hold
/// one more than the others; a rank may hold none.
DSPRT_INLINE int64_t dsprt_part(int64_t size, int rank, int ranks) {
  return size / ranks + (rank < size % ranks);
}

/// The first element of `size` that `rank` holds.
DSPRT_INLINE int64_t dsprt_begin(int64_t size, int rank, int ranks) {
  int64_t rest = size % ranks;
  return rank * (size / ranks) + (rank < rest ? rank : rest);
}

#endif
