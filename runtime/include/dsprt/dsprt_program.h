// dsprt_program.h - what an emitted program tells the runtime, and the run.
#ifndef DSPRT_PROGRAM_H
#define DSPRT_PROGRAM_H

#include <stddef.h>

#include "dsprt_types.h"

enum { DSPRT_MAX_LOOPS = 3 }; ///< loop indices in the name of a parameter

/// One forward pass on one rank.  Emitted code reads the fields up to the
/// weights.
typedef struct DsprtRun {
  int rank, ranks;
  DsprtMesh mesh;           ///< all ranks
  int at[DSPRT_MAX_AXES];   ///< where this rank is on each axis
  unsigned char *arena;     ///< [arena_bytes] all activations
  const void *weights;      ///< the program's struct of pointers
  struct DsprtState *state; ///< the runtime's own
  int stage;                ///< now at work; -1 before the first
  const char *stage_name;
  int line;                     ///< of the source, now at work
  const char *value;            ///< that is computed there
  struct DsprtProfile *profile; ///< NULL: spans are not recorded
  void (*watch)(struct DsprtRun *run); ///< called at each stage, or NULL
} DsprtRun;

/// The index of a loop over layers: `count` values from `first` on.
typedef struct DsprtLoop {
  int64_t first, count;
  int64_t stride; ///< bytes from one iteration's pointer to the next one's
} DsprtLoop;

/// A parameter, or one for each iteration of the loops around it.
///
/// "spatial.{0}.attn.qkv.weight" with one loop {0, 14, sizeof(Layer)} is 14
/// tensors; the pointer of iteration i is stored at offset + i * stride bytes
/// of the weights struct.
typedef struct DsprtParam {
  const char *path; ///< "{0}" .. "{2}" stand for the loops' indices
  int nloops;
  DsprtLoop loops[DSPRT_MAX_LOOPS];
  DsprtShape shape; ///< as in the file, and the element type that is wanted
  DsprtShape dims;  ///< that the program sees; of one that is cut alone
  DsprtCut cut;     ///< of `dims`: this rank's part is all that it holds
  DsprtCut inner;   ///< likewise, on axis 1 of the mesh
  size_t offset;    ///< of the (first) pointer in the weights struct
} DsprtParam;

/// An input or an output: a value in the arena, whole or cut.
typedef struct DsprtPort {
  const char *name;
  DsprtShape shape; ///< the dims that the program sees, global
  DsprtCut cut;     ///< on axis 0 of the mesh
  DsprtCut inner;   ///< on axis 1
  int64_t offset;  ///< bytes into the arena, of this rank's part
  DsprtShape file; ///< the shape in a file: dims of `shape`, some merged
} DsprtPort;

typedef struct DsprtProgram {
  const char *model;  ///< "transformer2d"
  const char *source; ///< "examples/transformer2d.dsp"
  int ranks;          ///< that it was compiled for
  DsprtMesh mesh;     ///< of them; nothing: one axis
  const DsprtParam *params;
  int nparams;
  size_t weights_bytes; ///< size of the weights struct
  const DsprtPort *inputs;
  int ninputs;
  const DsprtPort *outputs;
  int noutputs;
  int nstages;
  int64_t arena_bytes;            ///< on the rank that needs most
  int64_t device_weights;         ///< GPUs: bytes, on the rank that needs most
  int64_t device_staging;         ///< likewise, for exchanges through NCCL
  const int64_t *predicted_bytes; ///< [ranks] leaving each in one forward pass
  double flops; ///< of one forward pass, all ranks together; 0: unknown
  void (*forward)(DsprtRun *run);
} DsprtProgram;

/// The program's main: reads the command line, runs, checks and reports.
/// Returns the exit status.
int dsprt_main(int argc, char **argv, const DsprtProgram *program);

/// The elements of `size` that this rank holds when one axis of the mesh cuts
/// it, and the first of them.
static inline int64_t dsprt_axis_part(const DsprtRun *run, int axis,
                                      int64_t size) {
  return dsprt_part(size, run->at[axis], run->mesh.sizes[axis]);
}
static inline int64_t dsprt_axis_begin(const DsprtRun *run, int axis,
                                       int64_t size) {
  return dsprt_begin(size, run->at[axis], run->mesh.sizes[axis]);
}

/// The same when both axes cut it: axis 1 cuts the parts that axis 0 makes.
static inline int64_t dsprt_mesh_part(const DsprtRun *run, int64_t size) {
  return dsprt_axis_part(run, 1, dsprt_axis_part(run, 0, size));
}
static inline int64_t dsprt_mesh_begin(const DsprtRun *run, int64_t size) {
  return dsprt_axis_begin(run, 0, size) +
         dsprt_axis_begin(run, 1, dsprt_axis_part(run, 0, size));
}

/// Says that a stage begins, for messages and profiles.
static inline void dsprt_stage(DsprtRun *run, int index, const char *name) {
  run->stage = index;
  run->stage_name = name;
  if (run->watch) run->watch(run);
}

#endif
