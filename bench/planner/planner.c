// planner.c - how long the planner takes, and how that grows with depth.
//
//   build/bin/bench_planner [PAIRS...]
//   build/bin/bench_planner MODEL.dsp [NAME=VALUE...]
//
// Prints, for models of growing depth on 4 ranks, or for a model on meshes of 4
// and 2x2: ops, the median time of
// lowering and searching, the steps that were searched and not replayed, the
// widest frontier, the collectives of the plan and the peak memory so far.
#define _POSIX_C_SOURCE 200809L
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "model.h"
#include "models.h"

enum { RUNS = 21 };

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
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

static void measure(const char *name, const DspPlanGraph *graph,
                    DspPlanMesh mesh) {
  DspPlanOptions options = {.mesh = mesh};
  DspCertificate certificate = {0};
  double times[RUNS];
  for (int run = 0; run < RUNS; ++run) {
    DspArena *arena = dsp_arena_create();
    DspPlan plan;
    double start = now_ms();
    if (dsp_plan_graph(arena, graph, &options, &plan, NULL) != DSP_PLAN_OK)
      abort();
    times[run] = now_ms() - start;
    certificate = plan.certificate;
    dsp_arena_destroy(arena);
  }
  qsort(times, RUNS, sizeof *times, compare);
  printf("%-14s %6zu %9.3f %9.3f %6zu %6zu %5lld %6s %8.1f\n", name,
         graph->nops, times[RUNS / 2], times[0], certificate.steps,
         certificate.max_width, (long long)certificate.found.collectives,
         certificate.exact ? "yes" : "no", peak_mib());
}

static bool measure_model(DspArena *arena, const DspPlanGraph *graph) {
  (void)arena;
  DspPlanMesh two = dsp_plan_mesh(2);
  two.sizes[0] = two.sizes[1] = 2;
  measure("mesh 4", graph, dsp_plan_mesh(4));
  measure("mesh 2x2", graph, two);
  return true;
}

int main(int argc, char **argv) {
  ModelSizes sizes = {.B = 2, .T = 30, .S = 3600, .H = 16, .D = 72, .L = 300};
  const uint32_t depths[] = {1, 2, 7, 14, 28, 280, 2800};
  printf("%-14s %6s %9s %9s %6s %6s %5s %6s %8s\n", "model", "ops",
         "median ms", "best ms", "steps", "width", "coll", "exact", "peak MiB");
  size_t given = (size_t)argc - 1;
  mallopt(M_TRIM_THRESHOLD, 128 << 20); // as dspc does
  mallopt(M_MMAP_THRESHOLD, 64 << 20);
  mallopt(M_TOP_PAD, 16 << 20);
  if (given && strstr(argv[1], ".dsp"))
    return with_model(argv + 1, argc - 1, measure_model) ? 0 : 1;
  size_t count = given ? given : sizeof depths / sizeof *depths;
  for (size_t i = 0; i < count; ++i) {
    DspArena *arena = dsp_arena_create();
    char name[32];
    sizes.pairs =
        given ? (uint32_t)strtoul(argv[i + 1], NULL, 10) : depths[i];
    snprintf(name, sizeof name, "stdit %u", sizes.pairs);
    DspPlanGraph graph = model_stdit(arena, sizes);
    measure(name, &graph, dsp_plan_mesh(4));
    dsp_arena_destroy(arena);
  }
  return 0;
}
