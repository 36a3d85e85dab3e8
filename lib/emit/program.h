// program.h - what the files that write functions and tables share.
#ifndef DSPC_LIB_EMIT_PROGRAM_H
#define DSPC_LIB_EMIT_PROGRAM_H

#include "emitter.h"

enum { DSP_EMIT_LOOPS = 3, DSP_EMIT_SITES = 4096 };

/// A call of a stage in the rolled model, with the iterations it stands for.
typedef struct DspSite {
  MlirOperation func;
  MlirStringRef path;
  const char *member; ///< of the weights struct
  size_t nloops;
  int64_t first[DSP_EMIT_LOOPS], count[DSP_EMIT_LOOPS], total[DSP_EMIT_LOOPS];
  MlirStringRef vars[DSP_EMIT_LOOPS];
} DspSite;

typedef struct DspEmittedModel {
  DspEmitter *e;
  DspSite sites[DSP_EMIT_SITES];
  size_t nsites;
  DspNames members, locals;
  struct {
    MlirStringRef var;
    const char *name;
    int64_t first, count;
  } open[DSP_EMIT_LOOPS];
  size_t nopen;
} DspEmittedModel;

// program.c
/// The C name of a function of the module.
const char *dsp_func_name(DspEmitter *e, MlirOperation func);

// stage.c
void dsp_emit_stage(DspEmitter *e, MlirOperation func);
bool dsp_has_params(MlirOperation func);
/// The place that assign-buffers gave to result `i` of `op`.
MlirAttribute dsp_buffer_of(MlirOperation op, intptr_t i);
/// Declares a pointer into `frame` for result `i` of `op`.
void dsp_declare(DspEmitter *e, DspNames *names, MlirOperation op, intptr_t i,
                 const char *frame);
/// Writes the body of a function behind the parts of dims that it mentions,
/// and the closing brace; frees `body`.
void dsp_close_function(DspEmitter *e, DspText body);

// model.c
void dsp_emit_model(DspEmitter *e, MlirOperation model);
/// "[i]" or, with `first`, "[0]": the iterations of a call.
const char *dsp_site_index(DspEmittedModel *m, const DspSite *site, bool first);

// tables.c
void dsp_emit_weights(DspEmittedModel *m, MlirOperation model);
void dsp_emit_main(DspEmittedModel *m, MlirOperation model);

#endif
