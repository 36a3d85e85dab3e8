// model.h - a model with every name bound and every shape known: what import
// turns into MLIR.  Blocks are expanded and repeats unrolled.
#ifndef DSPC_SEMA_MODEL_H
#define DSPC_SEMA_MODEL_H

#include "dspc/syntax/ast.h"

enum {
  DSP_MODEL_MAX_RANK = 16,
  DSP_MODEL_MAX_LOOPS = 3,
  DSP_MODEL_MAX_ARGS = 3
};

typedef enum DspElement { DSP_F32, DSP_BF16, DSP_F16, DSP_I32 } DspElement;

/// A product of atoms; also the atoms of a value.
typedef struct DspAtoms {
  size_t count;
  uint32_t ids[DSP_MODEL_MAX_RANK]; ///< of dims that are atoms
} DspAtoms;

typedef enum DspDimKind {
  DSP_DIM_ATOM,
  DSP_DIM_PRODUCT, ///< factors
  DSP_DIM_SUM,     ///< an atom whose terms are known
} DspDimKind;

typedef struct DspModelDim {
  DspStr name; ///< digits for an integer factor
  DspRange range;
  DspDimKind kind;
  int64_t size;
  DspAtoms factors;  ///< of a product; an atom or a sum: itself
  DspAtoms *terms;   ///< of a sum; a term of no atoms is 1
  size_t nterms;
} DspModelDim;

typedef struct DspValueType {
  DspElement element;
  DspAtoms atoms;
} DspValueType;

/// A value is the result of an op.
typedef struct DspValue {
  DspValueType type;
  uint32_t op;
} DspValue;

typedef enum DspModelOpKind {
  DSP_MODEL_INPUT,
  DSP_MODEL_PARAM,
  DSP_MODEL_OUTPUT,
  DSP_MODEL_LINEAR,
  DSP_MODEL_LAYER_NORM,
  DSP_MODEL_RMS_NORM,
  DSP_MODEL_ATTENTION,
  DSP_MODEL_MAP,
  DSP_MODEL_SLICE,
  DSP_MODEL_CONCAT,
  DSP_MODEL_REARRANGE,
  DSP_MODEL_REDUCE,
  DSP_MODEL_PIN,
  DSP_MODEL_EINSUM,
  DSP_MODEL_EMBEDDING, ///< rows of a table
  DSP_MODEL_ROPE, ///< x, angles: the pairs of x rotated
  DSP_MODEL_RENAME, ///< the same elements, some dims called otherwise
  DSP_MODEL_INDEX, ///< 0, 1, 2, .. along a dim
} DspModelOpKind;

/// An operand of a function of a map: a value, or a number.
typedef struct DspMapArg {
  bool is_number;
  double number;
  uint32_t operand;
} DspMapArg;

typedef struct DspModelOp {
  DspModelOpKind kind;
  DspRange range;
  uint32_t stage;
  DspStr name;       ///< the variable it was bound to; of an input or output
  DspStr path, rel;  ///< PARAM
  bool again;        ///< PARAM: an earlier op has the same path
  uint32_t *operands;
  size_t noperands;
  uint32_t result;   ///< unused by OUTPUT
  DspAtoms over;     ///< norms, attention, ROPE, REDUCE, EINSUM; `contract` of
                     ///< LINEAR
  DspAtoms out;      ///< LINEAR, EMBEDDING; `dot` of ATTENTION
  double number;     ///< eps; scale
  bool causal;       ///< ATTENTION: a query sees no key behind it
  int64_t window;    ///< ATTENTION: nor one this far away; 0: no limit
  DspStr function;   ///< MAP: "add", ... or empty for a copy; REDUCE: "mean"
  DspMapArg args[DSP_MODEL_MAX_ARGS]; ///< MAP
  size_t nargs;
  uint32_t dim;      ///< SLICE, CONCAT, PIN
  int64_t start, size; ///< SLICE
  int64_t *starts;   ///< CONCAT, one per operand
  int64_t *file_shape; ///< INPUT, PARAM, OUTPUT
  size_t nfile_shape;
} DspModelOp;

typedef struct DspLoopInfo {
  uint32_t repeat; ///< number of the repeat statement
  DspStr variable;
  int64_t index, count;
} DspLoopInfo;

/// One outermost call of a block, or a run of ops between such calls.
typedef struct DspStage {
  DspStr name, args;
  DspStr path; ///< a template: loop variables in braces
  DspLoopInfo loops[DSP_MODEL_MAX_LOOPS];
  size_t nloops;
} DspStage;

typedef struct DspModel {
  DspStr name;
  const DspSource *source;
  DspModelDim *dims;
  size_t ndims;
  DspValue *values;
  size_t nvalues;
  DspModelOp *ops;
  size_t nops;
  DspStage *stages;
  size_t nstages;
} DspModel;

/// `-D NAME=VALUE`.
typedef struct DspDefine {
  DspStr name, value;
} DspDefine;

/// Builds the model.  NULL when there were errors: they are in `diags`.
DspModel *dsp_sema_model(DspArena *arena, const DspAst *ast,
                         const DspDefine *defines, size_t ndefines,
                         DspDiags *diags);

/// Prints dims, stages and ops, one a line.
void dsp_model_print(const DspModel *model, FILE *out);

/// Prints what the program reads and writes, one tensor a line, in the order of
/// the source: `param NAME ELEMENT [SIZES]` with the name and the shape that it
/// has in the checkpoint; likewise `input` and `output`.
void dsp_model_print_tensors(const DspModel *model, FILE *out);

#endif
