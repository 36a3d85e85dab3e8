// emitter.h - what the files of lib/emit share.
#ifndef DSPC_LIB_EMIT_EMITTER_H
#define DSPC_LIB_EMIT_EMITTER_H

#include <mlir-c/BuiltinAttributes.h>
#include <mlir-c/BuiltinTypes.h>
#include <mlir-c/Diagnostics.h>

#include "dspc/dialect/dialect.h"
#include "dspc/emit/emit.h"
#include "names.h"
#include "shape.h"
#include "text.h"

/// A value and where it lies.
typedef struct DspPlacedValue {
  const void *value;
  DspAccess access;
} DspPlacedValue;

/// A function of the module and what emitted code calls it.
typedef struct DspFuncName {
  const void *func;
  const char *name;
} DspFuncName;

typedef struct DspEmitter {
  DspArena *arena;
  MlirModule module;
  MlirOperation top;
  const DspEmitOptions *options;
  DspEmitDims dims;
  DspNames globals;
  DspFuncName *funcs;
  size_t nfuncs;
  DspText text;         ///< of the host
  DspText kernels;      ///< CUDA: kernels, and functions that start them
  DspText declarations; ///< CUDA: of those functions
  const char *stage_name; ///< at work
  DspPlacedValue *placed;
  size_t nplaced, capacity;
  int last_line;
  bool failed;
} DspEmitter;

MlirAttribute dsp_get(MlirOperation op, const char *name);
MlirAttribute dsp_entry(MlirAttribute dictionary, const char *name);
MlirStringRef dsp_get_text(MlirOperation op, const char *name);
int64_t dsp_get_int(MlirOperation op, const char *name);
bool dsp_is_named(MlirOperation op, const char *name);
const char *dsp_c_type(MlirType element);   ///< "float"
const char *dsp_c_suffix(MlirType element); ///< "f32"
const char *dsp_type_constant(MlirType element); ///< "DSPRT_F32"
MlirBlock dsp_body_of(MlirOperation op);
/// Is `word`, as a whole word, in the code, comments left out?
bool dsp_mentions(const char *code, const char *word);

void dsp_place(DspEmitter *e, MlirValue value, DspAccess access);
const DspAccess *dsp_placed(DspEmitter *e, MlirValue value);

/// The source line of an op as a comment, when it is another one than before.
void dsp_emit_source(DspEmitter *e, MlirOperation op);
/// dsprt_at: which line and value come next, for profiles.
void dsp_emit_at(DspEmitter *e, MlirOperation op);
/// "{DSPRT_F32, 4, {B, T, S, C}}", global sizes of the atoms.
const char *dsp_emit_shape(DspEmitter *e, const DspAccess *a);
/// "{1, 1}", the atoms that a mesh axis cuts.
const char *dsp_emit_cut(DspEmitter *e, const DspAccess *a, size_t axis);

// loops.c
/// out[..] = expr over the operands; `expr` as in dsp.map.
void dsp_emit_nest(DspEmitter *e, const DspAccess *out, MlirAttribute expr,
                   const DspAccess *in, size_t nin);
void dsp_emit_reduce(DspEmitter *e, MlirOperation op, const DspAccess *out,
                     const DspAccess *in);

// kernels.c
/// The same two for a CUDA target: a kernel, and its call in the host code.
void dsp_emit_nest_kernel(DspEmitter *e, const DspAccess *out,
                          MlirAttribute expr, const DspAccess *in, size_t nin);
void dsp_emit_reduce_kernel(DspEmitter *e, MlirOperation op,
                            const DspAccess *out, const DspAccess *in);

// ops.c
/// Emits one op; `frame` is the pointer that its workspace is relative to.
void dsp_emit_op(DspEmitter *e, MlirOperation op, const char *frame);

// program.h: functions and tables

#endif
