// opt.c - run passes over .mlir text, piece by piece.
//
// Needs:  steps from dsp_opt_add_steps.
// Leaves: the modules on `out`, or diagnostics compared with the text's own
//         expected-* comments.
#include "dspc/opt/opt.h"

#include <mlir-c/Pass.h>
#include <mlir-c/Transforms.h>
#include <stdlib.h>
#include <string.h>

#include "dspc/dialect/diagnostics.h"
#include "dspc/dialect/dialect.h"
#include "dspc/dialect/verify.h"
#include "dspc/support/bug.h"
#include "expect.h"

static void write_to_file(MlirStringRef text, void *file) {
  fwrite(text.data, 1, text.length, file);
}

static void ignore_text(MlirStringRef text, void *user) {
  (void)text;
  (void)user;
}

static bool run_pipeline(MlirModule module, const char *pipeline) {
  MlirOperation top = mlirModuleGetOperation(module);
  MlirPassManager passes = mlirPassManagerCreate(mlirModuleGetContext(module));
  mlirRegisterTransformsPasses();
  bool fine = mlirLogicalResultIsSuccess(mlirOpPassManagerAddPipeline(
      mlirPassManagerGetAsOpPassManager(passes),
      mlirStringRefCreateFromCString(pipeline), ignore_text, NULL));
  if (fine)
    fine = mlirLogicalResultIsSuccess(mlirPassManagerRunOnOp(passes, top));
  else
    mlirEmitError(mlirOperationGetLocation(top),
                  "a pass of this list is unknown to dsp and to MLIR");
  mlirPassManagerDestroy(passes);
  return fine;
}

static bool run_steps(const DspOptOptions *options, MlirModule module) {
  if (!dsp_verify(module)) return false;
  for (size_t i = 0; i < options->nsteps; i++) {
    const DspOptStep *step = &options->steps[i];
    bool fine = step->pass ? step->pass->run(module, &step->options)
                           : run_pipeline(module, step->pipeline);
    if (!fine || !dsp_verify(module)) return false;
  }
  return true;
}

static void print_module(const DspOptOptions *options, MlirModule module,
                         FILE *out) {
  MlirOpPrintingFlags flags = mlirOpPrintingFlagsCreate();
  if (options->print_locations)
    mlirOpPrintingFlagsEnableDebugInfo(flags, true, false);
  mlirOperationPrintWithFlags(mlirModuleGetOperation(module), flags,
                              write_to_file, out);
  mlirOpPrintingFlagsDestroy(flags);
}

/// Parses, runs and prints one piece; false when an error was emitted.
static bool run_module(const DspOptOptions *options, MlirContext context,
                       const char *text, FILE *out) {
  MlirStringRef name = mlirStringRefCreateFromCString(options->file);
  MlirOperation top = mlirOperationCreateParse(
      context, mlirStringRefCreateFromCString(text), name);
  if (mlirOperationIsNull(top)) return false;
  MlirModule module = mlirModuleFromOperation(top);
  if (mlirModuleIsNull(module)) {
    mlirEmitError(mlirOperationGetLocation(top), "expected a builtin.module");
    mlirOperationDestroy(top);
    return false;
  }
  bool fine = run_steps(options, module);
  if (fine && !options->verify_diagnostics) print_module(options, module, out);
  mlirModuleDestroy(module);
  return fine;
}

static bool run_piece(const DspOptOptions *options, const char *text,
                      int first_line, FILE *out, FILE *err) {
  MlirContext context = dsp_context_create();
  if (mlirContextIsNull(context)) dsp_bug("the dsp dialect does not load");
  DspMlirSink sink;
  dsp_mlir_sink_attach(&sink, context);
  bool fine = run_module(options, context, text, out);
  dsp_mlir_sink_detach(&sink);
  if (options->verify_diagnostics) {
    fine = dsp_expect_check(options->file, text, first_line, &sink, err);
  } else {
    for (size_t i = 0; i < sink.count; i++)
      if (sink.messages[i].line) sink.messages[i].line += first_line - 1;
    dsp_mlir_sink_write(&sink, err);
  }
  dsp_mlir_sink_clear(&sink);
  mlirContextDestroy(context);
  return fine;
}

/// The line "// -----" that ends the piece at `text`, or the end.
static const char *end_of_piece(const char *text) {
  static const char mark[] = "// -----";
  for (const char *at = text; (at = strstr(at, mark)); at++) {
    bool starts = at == text || at[-1] == '\n';
    char behind = at[strlen(mark)];
    if (starts && (behind == '\n' || behind == '\0')) return at;
  }
  return text + strlen(text);
}

static int count_lines(const char *begin, const char *end) {
  int lines = 0;
  for (; begin < end; begin++) lines += *begin == '\n';
  return lines;
}

bool dsp_opt_run(const DspOptOptions *options, const char *text, FILE *out,
                 FILE *err) {
  if (!options->split_input_file) return run_piece(options, text, 1, out, err);
  bool fine = true;
  for (int line = 1; text;) {
    const char *end = end_of_piece(text);
    size_t length = (size_t)(end - text);
    char *piece = malloc(length + 1);
    if (!piece) dsp_bug("out of memory for a piece of the input");
    memcpy(piece, text, length);
    piece[length] = '\0';
    fine &= run_piece(options, piece, line, out, err);
    free(piece);
    const char *next = *end ? strchr(end, '\n') : NULL;
    if (next) line += count_lines(text, next + 1);
    text = next ? next + 1 : NULL;
    if (text && !options->verify_diagnostics) fprintf(out, "\n// -----\n\n");
  }
  return fine;
}
