// ops.h - what the files of the built-in ops share.
#ifndef DSPC_LIB_SEMA_OPS_H
#define DSPC_LIB_SEMA_OPS_H

#include "sema.h"

/// The kinds of arguments besides values, words, lists and numbers.
enum { DSP_OP_OPTIONS = 6 };
enum { DSP_ARG_OVER = 1, DSP_ARG_ARROW = 2, DSP_ARG_PATH = 4 };

/// The arguments of a call by kind.
typedef struct DspArgs {
  const DspExpr *call;
  const struct DspOpRule *rule;
  const DspExpr *plain[3];
  size_t nplain;
  const DspExpr *over; ///< behind the word
  const DspExpr *arrow, *path;
  const DspExpr *named[DSP_OP_OPTIONS];
  size_t nnamed;
} DspArgs;

/// A row of ops.def.
typedef struct DspOpRule {
  const char *name;
  DspResult (*eval)(DspSema *s, const DspArgs *args);
  size_t fewest, most; ///< plain arguments
  unsigned needs, takes;
  const char *options[DSP_OP_OPTIONS]; ///< names; NULL behind the last
  const char *usage;
} DspOpRule;

// args.c
/// Sorts the arguments of a call; an error when the op does not take them.
bool dsp_args_collect(DspSema *s, const DspExpr *call, const DspOpRule *rule,
                      DspArgs *args);
DspResult dsp_args_wrong(DspSema *s, const DspArgs *args);
const DspExpr *dsp_args_named(const DspArgs *args, const char *name);
/// Reads an option that is a number; without it `number` stays.
bool dsp_args_number(DspSema *s, const DspArgs *args, const char *name,
                     double *number);
/// Reads the dims of an argument, at least one; `value` must have them unless
/// it is DSP_NONE.  `file` as for dsp_read_dims.
bool dsp_args_dims(DspSema *s, const DspArgs *args, const DspExpr *expr,
                   uint32_t value, DspAtoms *dims, int64_t *file,
                   size_t *nfile);
/// Does `value` have all of `dims`?  An error at `range` when not.
bool dsp_args_need_dims(DspSema *s, const DspArgs *args, DspRange range,
                        uint32_t value, const DspAtoms *dims);

static inline DspResult dsp_op_failed(void) {
  return (DspResult){.failed = true};
}

/// The op of a call on values that are results already.
DspModelOp dsp_op_new(DspSema *s, DspModelOpKind kind, const DspArgs *args,
                      size_t n, const uint32_t *operands);
/// Adds an op whose result is of `type`; no dim may stand there twice.
DspResult dsp_op_add(DspSema *s, DspModelOp op, DspValueType type);

// ops_compute.c
DspResult dsp_op_linear(DspSema *s, const DspArgs *args);
DspResult dsp_op_norm(DspSema *s, const DspArgs *args);
DspResult dsp_op_embedding(DspSema *s, const DspArgs *args);
DspResult dsp_op_einsum(DspSema *s, const DspArgs *args);
DspResult dsp_op_attention(DspSema *s, const DspArgs *args);

// ops_parts.c
DspResult dsp_op_split(DspSema *s, const DspArgs *args);
DspResult dsp_op_rename(DspSema *s, const DspArgs *args);
DspResult dsp_op_concat(DspSema *s, const DspArgs *args);

// ops.c
DspResult dsp_op_reduce(DspSema *s, const DspArgs *args);
/// The sum, mean or max of `x` over dims that it has.
DspResult dsp_reduce(DspSema *s, const DspArgs *args, const char *kind,
                     uint32_t x, const DspAtoms *over);
/// `x` in another element type; itself when it has that one.
uint32_t dsp_cast(DspSema *s, DspRange range, uint32_t x, DspElement element);

// ops_maps.c
DspResult dsp_op_unary(DspSema *s, const DspArgs *args);
DspResult dsp_op_gelu(DspSema *s, const DspArgs *args);
DspResult dsp_op_sloped(DspSema *s, const DspArgs *args);
DspResult dsp_op_pow(DspSema *s, const DspArgs *args);
DspResult dsp_op_where(DspSema *s, const DspArgs *args);
DspResult dsp_op_extreme(DspSema *s, const DspArgs *args);
DspResult dsp_op_softmax(DspSema *s, const DspArgs *args);

// ops_rope.c
DspResult dsp_op_rope(DspSema *s, const DspArgs *args);

#endif
