// memory.c - the plan that fits into --memory, or what is short.
//
// Needs:  the imported module, which is not changed.
// Leaves: prices of memory at which the cheapest plan found fits; or the
//         error, with what would fit.
#include "memory.h"

enum {
  PLANS_OF_ONE_AXIS = 48, ///< to look at
  PLANS_OF_TWO_AXES = 12, ///< each may take seconds
  MOST_RANKS = 1024,      ///< for what would fit
};

int64_t dsp_memory_of(const DspMeasure *m) {
  if (m->device_bytes) return m->device_bytes;
  return m->activation_bytes + m->study.weight_bytes;
}

bool dsp_measure(DspJob *job, MlirModule imported, const DspPlanMesh *mesh,
                 DspMeasure *out) {
  MlirModule copy = dsp_copy_of(imported);
  DspPassStats *stats = out->stats;
  *out = (DspMeasure){.stats = stats};
  bool fine = dsp_job_run_passes(job, copy, mesh, out);
  mlirModuleDestroy(copy);
  return fine;
}

/// One search for a plan that fits.
typedef struct Fitting {
  DspJob *job;
  MlirModule imported;
  const DspPlanMesh *mesh;
} Fitting;

/// Plans at these prices and runs all passes: what the plan needs is known
/// when every value has its place.
static bool plan_at(void *user, const int64_t *prices, DspPriced *out) {
  Fitting *f = user;
  DspPassStats stats = {.arena = f->job->arena};
  DspMeasure m = {.stats = &stats};
  size_t said = f->job->sink.count;
  f->job->fit = (DspFit){.prices = prices};
  bool fine = dsp_measure(f->job, f->imported, f->mesh, &m);
  f->job->fit = (DspFit){.prices = NULL};
  if (!fine) dsp_mlir_sink_shrink(&f->job->sink, said);
  *out = stats.plan;
  out->memory = dsp_memory_of(&m);
  return fine;
}

static DspFit find_fit(DspJob *job, MlirModule imported,
                       const DspPlanMesh *mesh, bool whether) {
  bool two = mesh->sizes[0] > 1 && mesh->sizes[1] > 1;
  bool gpu = job->options.target == DSP_TARGET_CUDA;
  Fitting fitting = {job, imported, mesh};
  DspFitter fitter = {.limit = job->options.memory,
                      .spare = gpu ? DSP_DEVICE_WORKSPACE : 0,
                      .most = two ? PLANS_OF_TWO_AXES : PLANS_OF_ONE_AXIS,
                      .plan = plan_at,
                      .user = &fitting};
  return dsp_plan_fit(job->arena, &fitter, whether);
}

DspFit dsp_fit_plan(DspJob *job, MlirModule imported,
                    const DspPlanMesh *mesh) {
  return find_fit(job, imported, mesh, false);
}

bool dsp_measure_fitting(DspJob *job, MlirModule imported,
                         const DspPlanMesh *mesh, DspMeasure *out) {
  if (!dsp_measure(job, imported, mesh, out)) return false;
  if (!job->options.memory || dsp_memory_of(out) <= job->options.memory)
    return true;
  DspFit fit = dsp_fit_plan(job, imported, mesh);
  if (!fit.fits) return true;
  job->fit = fit;
  bool fine = dsp_measure(job, imported, mesh, out);
  job->fit = (DspFit){.prices = NULL};
  return fine;
}

static double gib(int64_t bytes) { return (double)bytes / 1073741824.0; }

/// The least number of ranks tried on which the model fits, or 0.
static int64_t least_that_fits(DspJob *job, MlirModule imported,
                               int64_t most) {
  for (int64_t n = dsp_next_ranks(dsp_plan_ranks(&job->options.mesh));
       n <= most; n = dsp_next_ranks(n)) {
    DspPlanMesh mesh = dsp_plan_mesh(n);
    if (find_fit(job, imported, &mesh, true).fits) return n;
  }
  return 0;
}

/// Does a plan of `method` fit, on the mesh that was asked for?
static bool method_fits(DspJob *job, MlirModule imported,
                        DspPlanMethod method) {
  DspPlanMethod asked = job->options.method;
  DspMeasure m = {.stats = NULL};
  job->options.method = method;
  bool fits = dsp_measure(job, imported, &job->options.mesh, &m) &&
              dsp_memory_of(&m) <= job->options.memory;
  job->options.method = asked;
  return fits;
}

/// The method that moves fewest bytes of those that fit; NULL: none.
static const DspStudyMethod *method_that_fits(DspJob *job,
                                              MlirModule imported) {
  const DspStudy *study = &job->measure.study;
  const DspStudyMethod *best = NULL;
  for (size_t i = 0; i < study->nmethods; i++) {
    const DspStudyMethod *m = &study->methods[i];
    if (!m->fits || m->method == job->options.method) continue;
    if (m->floor > job->options.memory) continue;
    if (best && best->bytes <= m->bytes) continue;
    if (method_fits(job, imported, m->method)) best = m;
  }
  return best;
}

static void help_with_method(DspJob *job, MlirModule imported) {
  const DspStudyMethod *m = method_that_fits(job, imported);
  if (m)
    fprintf(stderr,
            "  = help: on these ranks --plan=%s fits and moves %lld bytes, "
            "%lld with this plan\n",
            dsp_plan_method_name(m->method), (long long)m->bytes,
            (long long)job->measure.study.plan.bytes);
}

/// Would it fit on these ranks if weights were cut?
static bool tensor_fits(DspJob *job, MlirModule imported) {
  if (job->options.allow_tensor || dsp_plan_ranks(&job->options.mesh) == 1)
    return false;
  job->options.allow_tensor = true;
  bool fits = find_fit(job, imported, &job->options.mesh, true).fits;
  job->options.allow_tensor = false;
  return fits;
}

static void help_with_ranks(DspJob *job, MlirModule imported, bool tensor) {
  int64_t most = dsp_most_ranks(&job->machine, MOST_RANKS);
  int64_t fits = least_that_fits(job, imported, most);
  if (fits)
    fprintf(stderr, "  = help: it fits on %lld ranks: -n %lld\n",
            (long long)fits, (long long)fits);
  else
    fprintf(stderr,
            "  = help: it fits on no number of ranks up to %lld: the weights "
            "are on every rank%s\n",
            (long long)most,
            job->options.allow_tensor || tensor ? "" : "; try --allow=tensor");
}

bool dsp_check_memory(DspJob *job, MlirModule imported) {
  const DspMeasure *m = &job->measure;
  int64_t limit = job->options.memory, needs = dsp_memory_of(m);
  if (!limit || needs <= limit) return true;
  fprintf(stderr,
          "dspc: error: a rank needs %.4g GiB, %.4g for weights and %.4g for "
          "activations: %.4g GiB more than --memory\n",
          gib(needs), gib(m->study.weight_bytes), gib(m->activation_bytes),
          gib(needs - limit));
  bool tensor = tensor_fits(job, imported);
  help_with_ranks(job, imported, tensor);
  if (tensor)
    fprintf(stderr, "  = help: it fits on these ranks with --allow=tensor\n");
  help_with_method(job, imported);
  return false;
}
