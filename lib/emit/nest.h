// nest.h - a nest of loops over the elements of a value, before it becomes
// loops of C or a kernel.
#ifndef DSPC_LIB_EMIT_NEST_H
#define DSPC_LIB_EMIT_NEST_H

#include "emitter.h"

enum { DSP_NEST_IN = DSP_MAX_OPERANDS };

/// How an access moves along one loop.
typedef struct DspStepAlong {
  bool present;
  DspExtent stride;
  const char *by_atoms; ///< an index of its own: atoms of a cut product
} DspStepAlong;

typedef struct DspNestAxis {
  DspExtent extent;
  const char *index;
  DspStepAlong out, in[DSP_NEST_IN];
} DspNestAxis;

typedef struct DspNest {
  DspNestAxis axes[DSP_MAX_RANK];
  size_t count;
} DspNest;

/// The loops over the axes of `over`, with those merged that every access
/// walks through as one.
DspNest dsp_nest(DspEmitter *e, const DspAccess *over, const DspAccess *out,
                 const DspAccess *in, size_t nin);
/// The loops over the kept axes of `in` and then over those that a dsp.reduce
/// sums, not merged.  `*kept` receives how many are kept, `*count` how many
/// elements are summed.
DspNest dsp_nest_of_reduce(DspEmitter *e, MlirOperation op,
                           const DspAccess *out, const DspAccess *in,
                           size_t *kept, int64_t *count);

/// The index of an element, in elements from the base: of input `which`, or of
/// the output for -1.
const char *dsp_nest_index(DspEmitter *e, const DspAccess *a,
                           const DspNest *nest, int which);
/// "base[index]"
const char *dsp_nest_element(DspEmitter *e, const DspAccess *a,
                             const DspNest *nest, int which);
/// The element as an f32.
const char *dsp_nest_load(DspEmitter *e, const DspAccess *a,
                          const DspNest *nest, int which);
/// Where along its one dim an element of `a` lies, as an f32.
const char *dsp_nest_position(DspEmitter *e, const DspAccess *a,
                              const DspNest *nest);
/// The bytes that a nest reads and writes when it takes every element of its
/// accesses once: "8.0 * T_r * S + 2.0 * S".
const char *dsp_nest_bytes(DspEmitter *e, const DspAccess *out,
                           const DspAccess *in, size_t nin);
/// An f32 as an element of `type`.
const char *dsp_nest_store(DspEmitter *e, MlirType type, const char *value);
/// An `expr` of dsp.map as C, over the texts of its operands; ["index"] is the
/// first of them.
const char *dsp_expression(DspEmitter *e, MlirAttribute expr,
                           const char *const *operands);
/// A number as an f32 of C.
const char *dsp_number(DspEmitter *e, double x);
const char *dsp_without_parentheses(DspEmitter *e, const char *text);

#endif
