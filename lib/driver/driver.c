// driver.c - the pipeline: text, tree, model, dsp MLIR, passes, C, program.
#include "dspc/driver/driver.h"

#include <errno.h>
#include <malloc.h>
#include <mlir-c/BuiltinAttributes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <sys/stat.h>

#include "dspc/dialect/diagnostics.h"
#include "dspc/dialect/dialect.h"
#include "dspc/dialect/verify.h"
#include "dspc/emit/emit.h"
#include "dspc/import/import.h"
#include "dspc/passes/passes.h"
#include "dspc/support/bug.h"
#include "explain.h"
#include "job.h"
#include "link.h"
#include "memory.h"
#include "project.h"
#include "report.h"
#include "topology.h"

static bool read_source(DspJob *job) {
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

/// Text to model.  With --emit=tokens or ast it stops before, and *model is
/// NULL.
static bool build_model(DspJob *job, DspModel **model) {
  DspDiags diags = {.arena = job->arena, .source = &job->source};
  DspForm form = job->options.form;
  *model = NULL;
  if (form == DSP_FORM_TOKENS) {
    dsp_tokens_print(&job->source, &diags, job->form);
  } else {
    DspAst *ast = dsp_parse(job->arena, &job->source, &diags);
    if (!diags.count && form == DSP_FORM_AST)
      dsp_ast_print(ast, job->form);
    else if (!diags.count)
      *model = dsp_sema_model(job->arena, ast, job->options.defines,
                              job->options.ndefines, &diags);
  }
  if (job->options.json_diagnostics)
    dsp_diags_print_json(&diags, stderr);
  else
    dsp_diags_print(&diags, stderr);
  return diags.count == 0;
}

static void write_chunk(MlirStringRef text, void *file) {
  fwrite(text.data, 1, text.length, file);
}

static void print_module(MlirModule module, FILE *out) {
  MlirOpPrintingFlags flags = mlirOpPrintingFlagsCreate();
  mlirOpPrintingFlagsPrintGenericOpForm(flags);
  mlirOperationPrintWithFlags(mlirModuleGetOperation(module), flags,
                              write_chunk, out);
  mlirOpPrintingFlagsDestroy(flags);
  fputc('\n', out);
}

static bool dump(DspJob *job, MlirModule module, size_t number,
                 const char *name) {
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
  print_module(module, file);
  fclose(file);
  return true;
}

/// The module after `pass` is what the user asked to see; a plan that is only
/// measured goes on.
static bool is_last(const DspJob *job, const char *pass,
                    const DspMeasure *measure) {
  return job->options.form == DSP_FORM_PLANNED &&
         (!measure || measure == &job->measure) &&
         strcmp(pass, "insert-switches") == 0;
}

/// The plan with its switches is checked, and what the emitter reads; dsp-opt
/// checks after every pass.  (Each check of all ops is 2 % of a compilation.)
static bool is_checked(const char *pass, bool last) {
  return last || strcmp(pass, "insert-switches") == 0;
}

/// MLIR's own rules are checked at the end, on few ops (and after every pass by
/// dsp-opt): import and the passes break them rarely.
static bool verify(MlirModule module, bool last) {
  return last ? dsp_verify(module) : dsp_verify_ops(module);
}

DspPassOptions dsp_job_pass_options(const DspJob *job,
                                    const DspPlanMesh *mesh) {
  return (DspPassOptions){.ranks = dsp_plan_ranks(mesh),
                          .mesh = *mesh,
                          .allow_tensor = job->options.allow_tensor,
                          .method = job->options.method,
                          .by_time = job->options.by_time,
                          .machine = &job->machine,
                          .prices = job->fit.prices,
                          .known_bound = job->fit.bound};
}

/// Looks at the plan before plan-shards makes it.
static bool study(DspJob *job, MlirModule module, const DspPlanMesh *mesh,
                  DspMeasure *measure) {
  DspPassOptions options = dsp_job_pass_options(job, mesh);
  if (measure->stats) return true;
  // Where the plan does not fit, a method may: dsp_check_memory.
  bool methods = measure == &job->measure &&
                 (job->options.form == DSP_FORM_PLAN || job->options.memory) &&
                 job->options.command != DSP_COMMAND_ADVISE;
  return dsp_study(job->arena, module, &options, &job->machine, methods,
                   job->options.why, &measure->study);
}

static int64_t int_of(MlirModule module, const char *name) {
  MlirAttribute value = mlirOperationGetAttributeByName(
      mlirModuleGetOperation(module), mlirStringRefCreateFromCString(name));
  return mlirAttributeIsNull(value) ? 0 : mlirIntegerAttrGetValueInt(value);
}

static void read_memory(DspJob *job, MlirModule module, DspMeasure *measure) {
  measure->activation_bytes = int_of(module, "dsp.arena_bytes");
  if (job->options.target != DSP_TARGET_CUDA) return;
  measure->staging_bytes = int_of(module, "dsp.staging_bytes");
  measure->device_bytes = measure->activation_bytes +
                          int_of(module, "dsp.weight_bytes") +
                          measure->staging_bytes + DSP_DEVICE_WORKSPACE;
}

/// Is it clear from the plan alone that it does not fit?  Then the other passes
/// need not run.
static bool is_too_large(const DspJob *job, DspMeasure *measure) {
  const DspPassStats *stats = measure->stats;
  measure->study.weight_bytes = stats->weight_bytes;
  measure->activation_bytes = stats->plan.floor;
  return stats->plan.floor > job->options.memory;
}

bool dsp_job_run_passes(DspJob *job, MlirModule module,
                        const DspPlanMesh *mesh, DspMeasure *measure) {
  DspPassOptions options = dsp_job_pass_options(job, mesh);
  size_t count;
  const DspPass *passes = dsp_pass_pipeline(&count);
  if (measure) options.stats = measure->stats;
  for (size_t i = 0; i < count; i++) {
    if (measure && strcmp(passes[i].name, "plan-shards") == 0 &&
        !study(job, module, mesh, measure))
      return false;
    if (!passes[i].run(module, &options)) return false;
    if (is_checked(passes[i].name, i + 1 == count) &&
        !verify(module, i + 1 == count)) {
      fprintf(stderr, "dspc: found after pass %s:\n", passes[i].name);
      return false;
    }
    if (measure && measure->stats) {
      if (is_too_large(job, measure)) return true;
      continue;
    }
    if (!dump(job, module, i + 1, passes[i].name)) return false;
    if (is_last(job, passes[i].name, measure)) return true;
  }
  if (measure) read_memory(job, module, measure);
  return true;
}

MlirModule dsp_copy_of(MlirModule module) {
  return mlirModuleFromOperation(
      mlirOperationClone(mlirModuleGetOperation(module)));
}

/// Plans again if another plan fits into --memory.
static bool fit_memory(DspJob *job, MlirModule imported) {
  const DspPlanMesh *mesh = &job->options.mesh;
  if (dsp_memory_of(&job->measure) <= job->options.memory) return true;
  DspFit fit = dsp_fit_plan(job, imported, mesh);
  if (!fit.fits) return dsp_check_memory(job, imported);
  mlirModuleDestroy(job->module);
  job->module = dsp_copy_of(imported);
  job->fit = fit;
  job->measure = (DspMeasure){.stats = NULL};
  return dsp_job_run_passes(job, job->module, mesh, &job->measure);
}

/// Where the passes stopped early, those that say what is needed run on a copy.
static bool measure_all(DspJob *job, MlirModule imported) {
  DspMeasure m = {.stats = NULL};
  if (job->options.form != DSP_FORM_PLANNED) return true;
  if (!dsp_measure(job, imported, &job->options.mesh, &m)) return false;
  job->measure = m;
  return true;
}

/// Runs the passes; with --memory, those of the plan that fits.
static bool plan_model(DspJob *job) {
  bool measured = job->options.form == DSP_FORM_PLAN || job->options.memory;
  MlirModule imported = {NULL};
  if (job->options.memory) imported = dsp_copy_of(job->module);
  bool fine = dsp_job_run_passes(job, job->module, &job->options.mesh,
                                 measured ? &job->measure : NULL);
  if (fine && job->options.memory)
    fine = measure_all(job, imported) && fit_memory(job, imported);
  if (imported.ptr) mlirModuleDestroy(imported);
  return fine;
}

/// The module as imported to whatever form was asked for.
static bool run_passes(DspJob *job) {
  bool only_import = job->options.form == DSP_FORM_DSP;
  if (!verify(job->module, only_import) ||
      !dump(job, job->module, 0, "import"))
    return false;
  if (only_import) return true;
  if (job->options.command == DSP_COMMAND_ADVISE) return dsp_advise(job);
  return plan_model(job);
}

static const char *source_line(void *user, int line, size_t *length) {
  const DspSource *source = user;
  DspStr text = dsp_source_line(source, line);
  *length = text.length;
  return text.data;
}

/// Compiles the emitted code for CPU ranks.
static bool write_cpu_program(const char *program, const char *text) {
  char source[4200];
  snprintf(source, sizeof source, "%s.c", program);
  FILE *file = fopen(source, "w");
  if (!file || fputs(text, file) < 0 || fclose(file)) {
    fprintf(stderr, "dspc: error: cannot write %s: %s\n", source,
            strerror(errno));
    return false;
  }
  return dsp_link_program(source, program);
}

static bool write_program(DspJob *job, const DspEmitted *emitted) {
  char model[256], program[4096];
  MlirStringRef name = mlirStringAttrGetValue(mlirOperationGetAttributeByName(
      mlirModuleGetOperation(job->module),
      mlirStringRefCreateFromCString("dsp.model")));
  snprintf(model, sizeof model, "%.*s", (int)name.length, name.data);
  snprintf(program, sizeof program, "%s",
           job->options.output ? job->options.output : model);
  if (job->options.form == DSP_FORM_PROJECT)
    return dsp_write_project(program, model, job->options.target, emitted);
  if (job->options.target == DSP_TARGET_CUDA)
    return dsp_build_project(program, model, DSP_TARGET_CUDA, emitted);
  return write_cpu_program(program, emitted->host);
}

static bool finish(DspJob *job) {
  DspForm form = job->options.form;
  if (job->options.command == DSP_COMMAND_ADVISE) return true;
  if (form == DSP_FORM_PLAN) {
    (job->options.json ? dsp_report_json : dsp_report_plan)(job, job->form);
    return true;
  }
  if (form == DSP_FORM_DSP || form == DSP_FORM_PLANNED ||
      form == DSP_FORM_LOWERED) {
    print_module(job->module, job->form);
    return true;
  }
  DspEmitOptions options = {.target = job->options.target,
                            .source_name = job->source.name,
                            .source_line = source_line,
                            .user = &job->source};
  DspEmitted emitted;
  if (!dsp_emit(job->module, &options, &emitted)) return false;
  bool fine = true;
  if (form == DSP_FORM_C)
    fputs(emitted.host, job->form);
  else if (form == DSP_FORM_CUDA)
    fputs(emitted.kernels, job->form);
  else
    fine = write_program(job, &emitted);
  dsp_emitted_free(&emitted);
  return fine;
}

/// A machine of one node has no more ranks than that node.
static bool topology_holds(const DspJob *job) {
  const DspMachine *m = &job->machine;
  const DspPlanMesh *mesh = &job->options.mesh;
  bool over = mesh->nodes && mesh->sizes[0] > 1;
  if (m->between.count ||
      (!over && dsp_plan_ranks(mesh) <= m->ranks_per_node))
    return true;
  fprintf(stderr,
          "dspc: error: the topology '%s' has one node of %lld ranks, not "
          "%lld%s: take another one, or give it \"between_nodes\"\n",
          m->name, (long long)m->ranks_per_node,
          (long long)(over ? mesh->sizes[0] : dsp_plan_ranks(mesh)),
          over ? " nodes" : "");
  return false;
}

/// The ranks along the inner axis share a node, of which --mesh says how many
/// it has.
static void fit_nodes(DspMachine *machine, const DspPlanMesh *mesh) {
  if (mesh->nodes) machine->ranks_per_node = mesh->sizes[1];
}

static bool needs_machine(const DspOptions *options) {
  return options->form == DSP_FORM_PLAN || options->by_time ||
         options->topology || options->memory;
}

static bool read_machine(DspJob *job) {
  const char *name = job->options.topology;
  if (!dsp_topology_read(name ? name : dsp_topology_default(),
                         &job->machine) ||
      !topology_holds(job))
    return false;
  fit_nodes(&job->machine, &job->options.mesh);
  return true;
}

/// Model to whatever was asked for.
static bool compile_model(DspJob *job, const DspModel *model) {
  if (needs_machine(&job->options) && !read_machine(job)) return false;
  job->context = dsp_context_create();
  if (mlirContextIsNull(job->context)) dsp_bug("the dialect does not load");
  dsp_mlir_sink_attach(&job->sink, job->context);
  job->module = dsp_import_model(job->context, model);
  if (job->options.target == DSP_TARGET_CUDA)
    mlirOperationSetAttributeByName(
        mlirModuleGetOperation(job->module),
        mlirStringRefCreateFromCString("dsp.target"),
        mlirStringAttrGet(job->context,
                          mlirStringRefCreateFromCString("cuda")));
  bool fine = run_passes(job) && finish(job);
  dsp_mlir_sink_write(&job->sink, stderr);
  dsp_mlir_sink_detach(&job->sink);
  dsp_mlir_sink_clear(&job->sink);
  mlirModuleDestroy(job->module);
  mlirContextDestroy(job->context);
  return fine;
}

/// The heap grows by M_TOP_PAD bytes of address space; huge pages there save
/// thousands of page faults, a tenth or more of a compilation.  A hint: a
/// system without them does as it did.
static void ask_for_huge_pages(void) {
  char *begin = sbrk(0);
  void *volatile first = malloc(1 << 20); // more than is left: it grows now
  free(first);
  char *end = sbrk(0);
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  char *aligned = begin + (page - (uintptr_t)begin % page) % page;
  if (end > aligned) madvise(aligned, (size_t)(end - aligned), MADV_HUGEPAGE);
}

/// One short run: memory that a pass frees is for the next one, and the system
/// is asked for a few large pieces.  (A tenth of the time of a compilation.)
static void keep_memory(void) {
  mallopt(M_MMAP_THRESHOLD, 64 << 20);
  mallopt(M_TRIM_THRESHOLD, 128 << 20);
  mallopt(M_TOP_PAD, 64 << 20);
  ask_for_huge_pages();
}

static bool compile(DspJob *job) {
  DspModel *model;
  if (!read_source(job) || !build_model(job, &model)) return false;
  if (!model) return true;
  switch (job->options.form) {
  case DSP_FORM_MODEL: dsp_model_print(model, job->form); return true;
  case DSP_FORM_TENSORS: dsp_model_print_tensors(model, job->form); return true;
  default: return compile_model(job, model);
  }
}

/// Prints the form that --emit asked for to -o FILE, or to standard output.
static bool write_form(DspJob *job) {
  const char *name = job->options.output;
  FILE *file = name ? fopen(name, "wb") : stdout;
  bool fine =
      file && fwrite(job->form_text, 1, job->form_length, file) ==
                  job->form_length;
  if (file && (name ? fclose(file) : fflush(file))) fine = false;
  if (!fine)
    fprintf(stderr, "dspc: error: cannot write %s: %s\n",
            name ? name : "the standard output", strerror(errno));
  return fine;
}

static bool run(DspJob *job) {
  job->form = open_memstream(&job->form_text, &job->form_length);
  if (!job->form) dsp_bug("out of memory");
  bool fine = compile(job);
  if (fclose(job->form)) dsp_bug("out of memory");
  DspForm form = job->options.form;
  if (fine && form != DSP_FORM_PROGRAM && form != DSP_FORM_PROJECT)
    fine = write_form(job);
  free(job->form_text);
  return fine;
}

int dsp_driver_main(int argc, char **argv) {
  keep_memory();
  DspJob job = {.arena = dsp_arena_create()};
  dsp_options_parse(argc, argv, job.arena, &job.options);
  bool fine = job.options.explain ? dsp_explain(job.options.explain)
                                  : run(&job);
  dsp_arena_destroy(job.arena);
  return fine ? 0 : 1;
}
