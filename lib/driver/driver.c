// driver.c - the pipeline: text, tree, model, dsp MLIR, passes, C, program.
#include "dspc/driver/driver.h"

#include <errno.h>
#include <mlir-c/BuiltinAttributes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "dspc/dialect/diagnostics.h"
#include "dspc/dialect/dialect.h"
#include "dspc/dialect/verify.h"
#include "dspc/emit/emit.h"
#include "dspc/import/import.h"
#include "dspc/passes/passes.h"
#include "dspc/support/bug.h"
#include "link.h"
#include "options.h"
#include "report.h"

/// One compilation.
typedef struct Job {
  DspOptions options;
  DspArena *arena;
  DspSource source;
  MlirContext context;
  MlirModule module;
  DspMlirSink sink;
} Job;

static bool read_source(Job *job) {
  const char *name = job->options.input;
  FILE *file = fopen(name, "rb");
  size_t size = 0, capacity = 1 << 16;
  char *text = malloc(capacity);
  if (!text) dsp_bug("out of memory");
  while (file && !ferror(file) && !feof(file)) {
    size += fread(text + size, 1, capacity - size, file);
    if (size < capacity) continue;
    capacity *= 2;
    char *grown = realloc(text, capacity);
    if (!grown) dsp_bug("out of memory");
    text = grown;
  }
  bool fine = file && !ferror(file);
  if (!fine)
    fprintf(stderr, "dspc: error: cannot read %s: %s\n", name,
            strerror(errno));
  if (file) fclose(file);
  char *copy = dsp_arena_alloc(job->arena, size + 1);
  memcpy(copy, text, size);
  copy[size] = '\0';
  free(text);
  job->source = (DspSource){name, copy, size};
  return fine;
}

static bool build_model(Job *job, DspModel **model) {
  DspDiags diags = {.arena = job->arena, .source = &job->source};
  DspAst *ast = dsp_parse(job->arena, &job->source, &diags);
  *model = NULL;
  if (!diags.count)
    *model = dsp_sema_model(job->arena, ast, job->options.defines,
                            job->options.ndefines, &diags);
  if (job->options.json_diagnostics)
    dsp_diags_print_json(&diags, stderr);
  else
    dsp_diags_print(&diags, stderr);
  return diags.count == 0;
}

static void write_chunk(MlirStringRef text, void *file) {
  fwrite(text.data, 1, text.length, file);
}

static void print_module(Job *job, FILE *out) {
  MlirOpPrintingFlags flags = mlirOpPrintingFlagsCreate();
  mlirOpPrintingFlagsPrintGenericOpForm(flags);
  mlirOperationPrintWithFlags(mlirModuleGetOperation(job->module), flags,
                              write_chunk, out);
  mlirOpPrintingFlagsDestroy(flags);
  fputc('\n', out);
}

static bool dump(Job *job, size_t number, const char *name) {
  const char *dir = job->options.dump_dir;
  if (!dir) return true;
  char path[4096];
  snprintf(path, sizeof path, "%s/%02zu-%s.mlir", dir, number, name);
  if (mkdir(dir, 0777) && errno != EEXIST) path[0] = '\0';
  FILE *file = fopen(path, "w");
  if (!file) {
    fprintf(stderr, "dspc: error: cannot write into %s: %s\n", dir,
            strerror(errno));
    return false;
  }
  print_module(job, file);
  fclose(file);
  return true;
}

/// The module after `pass` is what the user asked to see.
static bool is_last(const Job *job, const char *pass) {
  return job->options.form == DSP_FORM_PLANNED &&
         strcmp(pass, "insert-switches") == 0;
}

static bool run_passes(Job *job) {
  DspPassOptions options = {.ranks = job->options.ranks,
                            .allow_tensor = job->options.allow_tensor};
  size_t count;
  const DspPass *passes = dsp_pass_pipeline(&count);
  if (!dsp_verify(job->module) || !dump(job, 0, "import")) return false;
  if (job->options.form == DSP_FORM_DSP) return true;
  for (size_t i = 0; i < count; i++) {
    if (!passes[i].run(job->module, &options)) return false;
    if (!dsp_verify(job->module)) {
      fprintf(stderr, "dspc: after pass %s:\n", passes[i].name);
      return false;
    }
    if (!dump(job, i + 1, passes[i].name)) return false;
    if (is_last(job, passes[i].name)) return true;
    if (job->options.form == DSP_FORM_PLAN &&
        strcmp(passes[i].name, "insert-switches") == 0)
      dsp_report_plan(job->module, job->options.ranks, stdout);
  }
  if (job->options.form == DSP_FORM_PLAN)
    dsp_report_memory(job->module, stdout);
  return true;
}

static const char *source_line(void *user, int line, size_t *length) {
  const DspSource *source = user;
  DspStr text = dsp_source_line(source, line);
  *length = text.length;
  return text.data;
}

static bool write_program(Job *job, const char *text) {
  char program[4096], source[4200];
  MlirStringRef model = mlirStringAttrGetValue(mlirOperationGetAttributeByName(
      mlirModuleGetOperation(job->module),
      mlirStringRefCreateFromCString("dsp.model")));
  if (job->options.output)
    snprintf(program, sizeof program, "%s", job->options.output);
  else
    snprintf(program, sizeof program, "%.*s", (int)model.length, model.data);
  snprintf(source, sizeof source, "%s.c", program);
  FILE *file = fopen(source, "w");
  if (!file || fputs(text, file) < 0 || fclose(file)) {
    fprintf(stderr, "dspc: error: cannot write %s: %s\n", source,
            strerror(errno));
    return false;
  }
  return dsp_link_program(source, program);
}

static bool finish(Job *job) {
  DspForm form = job->options.form;
  if (form == DSP_FORM_PLAN) return true;
  if (form != DSP_FORM_PROGRAM && form != DSP_FORM_C) {
    print_module(job, stdout);
    return true;
  }
  DspEmitOptions options = {.source_name = job->source.name,
                            .source_line = source_line,
                            .user = &job->source};
  char *text = dsp_emit_c(job->module, &options);
  if (!text) return false;
  bool fine = true;
  if (form == DSP_FORM_C)
    fputs(text, stdout);
  else
    fine = write_program(job, text);
  free(text);
  return fine;
}

static bool compile(Job *job) {
  DspModel *model;
  if (!read_source(job) || !build_model(job, &model)) return false;
  job->context = dsp_context_create();
  if (mlirContextIsNull(job->context)) dsp_bug("the dialect does not load");
  dsp_mlir_sink_attach(&job->sink, job->context);
  job->module = dsp_import_model(job->context, model);
  bool fine = run_passes(job) && finish(job);
  dsp_mlir_sink_write(&job->sink, stderr);
  dsp_mlir_sink_detach(&job->sink);
  dsp_mlir_sink_clear(&job->sink);
  mlirModuleDestroy(job->module);
  mlirContextDestroy(job->context);
  return fine;
}

int dsp_driver_main(int argc, char **argv) {
  Job job = {.arena = dsp_arena_create()};
  dsp_options_parse(argc, argv, &job.options);
  bool fine;
  if (job.options.explain) {
    const char *title = dsp_diag_title(job.options.explain);
    fine = title != NULL;
    if (fine)
      printf("%s: %s\n", job.options.explain, title);
    else
      fprintf(stderr, "dspc: error: no diagnostic is called %s\n",
              job.options.explain);
  } else {
    fine = compile(&job);
  }
  dsp_arena_destroy(job.arena);
  return fine ? 0 : 1;
}
