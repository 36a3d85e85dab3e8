// planner.c - how long the planner takes, and how that grows with depth.
//
//   build/bin/bench_planner [PAIRS...]
//   build/bin/bench_planner MODEL.dsp [NAME=VALUE...]
//   build/bin/bench_planner --goals DEPTH=VALUE MODEL.dsp [NAME=VALUE...]
//
// Prints, for models of growing depth on 4 ranks, or for a model on meshes of
// 4, 2x2, 2x3 and 4x2: ops, the median processor time of lowering and searching,
// the steps that were searched and not replayed, the widest frontier, the
// collectives of the plan, whether it is proved and the peak memory so far.
//
// With --goals: what is asked of the planner, measured on the model at that
// depth and at ten times that, and whether it is met; exits with 1 if not.
#define _GNU_SOURCE
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "model.h"
#include "models.h"

enum { RUNS = 21 };

/// Of this thread alone: others on the machine do not count.
static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double peak_mib(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)usage.ru_maxrss / 1024;
}

/// What planning took.
typedef struct Sample {
  double median, best; ///< milliseconds
  size_t ops;
  DspCertificate certificate;
} Sample;

static Sample time_plans(const DspPlanGraph *graph, DspPlanMesh mesh) {
  DspPlanOptions options = {.mesh = mesh};
  Sample sample = {.ops = graph->nops};
  double times[RUNS];
  for (int run = 0; run < RUNS; ++run) {
    DspArena *arena = dsp_arena_create();
    DspPlan plan;
    double start = now_ms();
    if (dsp_plan_graph(arena, graph, &options, &plan, NULL) != DSP_PLAN_OK)
      abort();
    times[run] = now_ms() - start;
    sample.certificate = plan.certificate;
    dsp_arena_destroy(arena);
  }
  qsort(times, RUNS, sizeof *times, compare);
  sample.median = times[RUNS / 2];
  sample.best = times[0];
  return sample;
}

static void measure(const char *name, const DspPlanGraph *graph,
                    DspPlanMesh mesh) {
  Sample sample = time_plans(graph, mesh);
  const DspCertificate *certificate = &sample.certificate;
  printf("%-14s %6zu %9.3f %9.3f %6zu %6zu %5lld %6s %8.1f\n", name,
         sample.ops, sample.median, sample.best, certificate->steps,
         certificate->max_width, (long long)certificate->found.collectives,
         certificate->exact ? "yes" : "no", peak_mib());
}

static DspPlanMesh two_axes(int64_t outer, int64_t inner) {
  DspPlanMesh mesh = dsp_plan_mesh(outer);
  mesh.naxes = 2;
  mesh.sizes[1] = inner;
  return mesh;
}

static bool measure_model(DspArena *arena, const DspPlanGraph *graph) {
  (void)arena;
  measure("mesh 4", graph, dsp_plan_mesh(4));
  measure("mesh 2x2", graph, two_axes(2, 2));
  measure("mesh 2x3", graph, two_axes(2, 3));
  measure("mesh 4x2", graph, two_axes(4, 2));
  return true;
}

/// At one depth, on one axis and on two.
typedef struct Depth {
  Sample axes[2];
  double memory; ///< MiB that planning adds to the process, at most
} Depth;

static Depth depths[2];
static int depth;

/// A figure of this process in MiB, as the kernel has it.
static double status_mib(const char *name) {
  FILE *file = fopen("/proc/self/status", "r");
  char line[256];
  double kib = 0;
  while (file && fgets(line, sizeof line, file))
    if (strncmp(line, name, strlen(name)) == 0)
      kib = strtod(line + strlen(name), NULL);
  if (file)
    fclose(file);
  return kib / 1024;
}

/// Forgets the peak so far and returns what is in use.
static double reset_peak(void) {
  malloc_trim(0);
  FILE *file = fopen("/proc/self/clear_refs", "w");
  if (file) {
    fputs("5", file);
    fclose(file);
  }
  return status_mib("VmRSS:");
}

static bool measure_depth(DspArena *arena, const DspPlanGraph *graph) {
  (void)arena;
  double before = reset_peak();
  depths[depth].axes[0] = time_plans(graph, dsp_plan_mesh(4));
  depths[depth].axes[1] = time_plans(graph, two_axes(2, 2));
  depths[depth].memory = status_mib("VmHWM:") - before;
  return true;
}

static bool report(const char *what, double measured, double limit,
                   const char *unit) {
  bool met = measured <= limit;
  printf("%-34s %9.2f %6.0f %-4s %s\n", what, measured, limit, unit,
         met ? "met" : "NOT met");
  return met;
}

static double growth(int axes) {
  return depths[1].axes[axes].median / depths[0].axes[axes].median;
}

static bool report_goals(void) {
  double unproved = 0;
  for (int i = 0; i < 4; ++i)
    unproved += !depths[i / 2].axes[i % 2].certificate.exact;
  printf("%-34s %9s %6s\n", "goal", "measured", "limit");
  bool met = report("one axis (4)", depths[0].axes[0].median, 10, "ms");
  met &= report("two axes (2x2)", depths[0].axes[1].median, 100, "ms");
  met &= report("one axis, ten times as deep", growth(0), 12, "x");
  met &= report("two axes, ten times as deep", growth(1), 12, "x");
  met &= report("memory of planning", depths[0].memory, 64, "MiB");
  met &= report("plans that are not proved, of 4", unproved, 0, "");
  return met;
}

/// argv: DEPTH=VALUE MODEL.dsp [NAME=VALUE...]
static int check_goals(char **argv, int count) {
  char *args[32], deep[64];
  char *equals = count > 1 ? strchr(argv[0], '=') : NULL;
  if (!equals || count > 30 || equals - argv[0] > 40) {
    fprintf(stderr, "bench_planner: --goals wants DEPTH=VALUE MODEL.dsp\n");
    return 1;
  }
  for (depth = 0; depth < 2; ++depth) {
    snprintf(deep, sizeof deep, "%.*s=%ld", (int)(equals - argv[0]), argv[0],
             strtol(equals + 1, NULL, 10) * (depth ? 10 : 1));
    int n = 0;
    for (int i = 1; i < count; ++i)
      if (strncmp(argv[i], argv[0], (size_t)(equals - argv[0]) + 1) != 0)
        args[n++] = argv[i];
    args[n++] = deep;
    if (!with_model(args, n, measure_depth))
      return 1;
  }
  return report_goals() ? 0 : 1;
}

static void measure_depths(char **argv, int count) {
  ModelSizes sizes = {.B = 2, .T = 30, .S = 3600, .H = 16, .D = 72, .L = 300};
  const uint32_t usual[] = {1, 2, 7, 14, 28, 280, 2800};
  int n = count ? count : (int)(sizeof usual / sizeof *usual);
  for (int i = 0; i < n; ++i) {
    DspArena *arena = dsp_arena_create();
    char name[32];
    sizes.pairs = count ? (uint32_t)strtoul(argv[i], NULL, 10) : usual[i];
    snprintf(name, sizeof name, "stdit %u", sizes.pairs);
    DspPlanGraph graph = model_stdit(arena, sizes);
    measure(name, &graph, dsp_plan_mesh(4));
    dsp_arena_destroy(arena);
  }
}

int main(int argc, char **argv) {
  mallopt(M_TRIM_THRESHOLD, 128 << 20); // as dspc does
  mallopt(M_MMAP_THRESHOLD, 64 << 20);
  mallopt(M_TOP_PAD, 16 << 20);
  if (argc > 1 && strcmp(argv[1], "--goals") == 0)
    return check_goals(argv + 2, argc - 2);
  printf("%-14s %6s %9s %9s %6s %6s %5s %6s %8s\n", "model", "ops",
         "median ms", "best ms", "steps", "width", "coll", "exact", "peak MiB");
  if (argc > 1 && strstr(argv[1], ".dsp"))
    return with_model(argv + 1, argc - 1, measure_model) ? 0 : 1;
  measure_depths(argv + 1, argc - 1);
  return 0;
}
