// verifier.h - what the parts of the verifier share.
#ifndef DSPC_LIB_DIALECT_VERIFIER_H
#define DSPC_LIB_DIALECT_VERIFIER_H

#include "dspc/dialect/dialect.h"

/// An entry of dsp.dims.
typedef struct DspDimEntry {
  MlirStringRef name;
  int64_t size;
  size_t nfactors; ///< 0 for an atom
  MlirStringRef factors[DSP_MAX_RANK];
} DspDimEntry;

/// A type that was read and checked once.
typedef struct DspTypeEntry {
  const void *type;
  bool legal;
  DspTensorInfo info;
} DspTypeEntry;

/// Ops that were found right, see verify_memo.c.
typedef struct DspVerifyMemo DspVerifyMemo;

typedef struct DspVerifier {
  MlirModule module;
  DspVerifyMemo *memo;
  DspDimEntry *dims;
  size_t ndims;
  MlirAttribute stage;  ///< of the op before, which was right
  intptr_t nstages;     ///< -1 without dsp.stages
  int64_t ranks;        ///< 0 without dsp.ranks
  size_t naxes;         ///< of the mesh; 0 without dsp.ranks
  DspTypeEntry **types; ///< hash table
  size_t types_capacity, types_count;
  bool failed;
} DspVerifier;

/// A dsp op whose types have been read.
typedef struct DspOpView {
  MlirOperation op;
  DspOpKind kind;
  size_t noperands;
  const DspTensorInfo *operands[DSP_MAX_OPERANDS];
  const DspTensorInfo *result; ///< NULL for dsp.output
} DspOpView;

/// A few names: a list of dims, from a type or an attribute.
typedef struct DspNameList {
  size_t count;
  MlirStringRef names[2 * DSP_MAX_RANK];
} DspNameList;

/// Emits an error at `op`, "'dsp.x' op " and the text, and returns false.
bool dsp_verify_fail(DspVerifier *v, MlirOperation op, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// The parts, in the order in which they run.  Each returns false after a
// failure, and the parts behind it do not look at that op.

/// Checks and reads dsp.dims, dsp.stages, dsp.ranks and dsp.mesh.
bool dsp_verify_module_attributes(DspVerifier *v);
/// The op's stage exists.  Not remembered: it differs from layer to layer.
bool dsp_verify_stage(DspVerifier *v, MlirOperation op);
/// Every attribute of the op is known and of its type; none is missing.
bool dsp_verify_attributes(DspVerifier *v, MlirOperation op, DspOpKind kind);
/// Dims, sizes and element types of operands and result fit the op.
bool dsp_verify_shapes(DspVerifier *v, const DspOpView *view);
/// The expression of a dsp.map.
bool dsp_verify_expr(DspVerifier *v, const DspOpView *view);
/// The same of `before`.
bool dsp_verify_before(DspVerifier *v, const DspOpView *view);
/// Layouts follow the rule of the op.
bool dsp_verify_layouts(DspVerifier *v, const DspOpView *view);
/// A collective changes the layout as its name says.
bool dsp_verify_move(DspVerifier *v, const DspOpView *view);

DspVerifyMemo *dsp_verify_memo_create(MlirContext context);
void dsp_verify_memo_destroy(DspVerifyMemo *memo);
/// Was an op that the verifier cannot tell from `op` found right?
bool dsp_verify_memo_has(const DspVerifyMemo *memo, MlirOperation op);
void dsp_verify_memo_add(DspVerifyMemo *memo, MlirOperation op);

/// The entry of dsp.dims called `name`, or NULL.
const DspDimEntry *dsp_verifier_dim(const DspVerifier *v, MlirStringRef name);
/// The positions of `info` that dim `name`, an atom or a product, stands for.
bool dsp_verifier_cut(const DspVerifier *v, const DspTensorInfo *info,
                      MlirStringRef name, size_t *first, size_t *count);

MlirAttribute dsp_verifier_attr(const DspOpView *view, const char *name);
/// Empty when there is no such attribute.
MlirStringRef dsp_verifier_string(const DspOpView *view, const char *name);
int64_t dsp_verifier_int(const DspOpView *view, const char *name);
/// The dim on which an attention is a ring along a mesh axis; empty when it is
/// none.
MlirStringRef dsp_verifier_ring(const DspOpView *view, size_t axis);
/// Is it a fused linear that adds its last operand?
bool dsp_verifier_adds(const DspOpView *view);
DspNameList dsp_verifier_names(const DspOpView *view, const char *name);
DspNameList dsp_verifier_dims(const DspTensorInfo *info);

bool dsp_names_equal(const DspNameList *a, const DspNameList *b);
ptrdiff_t dsp_names_find(const DspNameList *list, MlirStringRef name);
void dsp_names_add(DspNameList *list, MlirStringRef name);
void dsp_names_append(DspNameList *list, const DspNameList *more);
/// "[B, T, C]" in a buffer of the caller's.
typedef struct DspNameText {
  char text[256];
} DspNameText;
const char *dsp_names_text(const DspNameList *list, DspNameText *buffer);

#define DSP_REF_FMT(ref) (int)(ref).length, (ref).data

#endif
