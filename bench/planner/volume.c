// volume.c - what the optimum saves against cheaper ways to plan.
//
//   build/bin/bench_volume                      random graphs
//   build/bin/bench_volume MODEL.dsp [NAME=VALUE...]
//
// For a model, on 2, 4 and 8 ranks: the bytes of the optimum, of the plan that
// is optimal when every producer-consumer edge is priced alone, and of a greedy
// plan, op by op.  All three are counted alike, each conversion once.
#include <stdio.h>
#include <stdlib.h>

#include "compare.h"
#include "dspc/plan/lower.h"
#include "model.h"
#include "problems.h"

enum { GRAPHS = 2000, OPS = 12, LAYOUTS = 4 };

/// "1.353x", or "-" beside an optimum that moves nothing.
static const char *times(int64_t bytes, int64_t optimum, char *text,
                         size_t size) {
  if (optimum == 0)
    return bytes == 0 ? "1.000x" : "-";
  snprintf(text, size, "%.3fx", (double)bytes / (double)optimum);
  return text;
}

static void print_row(const char *name, Volumes v) {
  char edge[32], greedy[32];
  printf("%-24s %15lld %15lld %7s %15lld %7s%s\n", name,
         (long long)v.optimum, (long long)v.per_edge,
         times(v.per_edge, v.optimum, edge, sizeof edge), (long long)v.greedy,
         times(v.greedy, v.optimum, greedy, sizeof greedy),
         v.exact ? "" : "  a search met its limits");
}

/// Seeds 0 to GRAPHS - 1 of test/unit/plan/problems.c.
static void random_graphs(void) {
  int graphs = 0, edge_worse = 0, greedy_worse = 0;
  double edge_most = 1, greedy_most = 1;
  Volumes sum = {.exact = true};
  for (uint64_t seed = 0; seed < GRAPHS; ++seed) {
    DspArena *arena = dsp_arena_create();
    Random random = {seed};
    DspSearchProblem problem = random_problem(arena, &random, OPS, LAYOUTS);
    Volumes v = compare_plans(&problem);
    dsp_arena_destroy(arena);
    if (!v.possible || v.optimum == 0)
      continue;
    double edge = (double)v.per_edge / (double)v.optimum;
    double greedy = (double)v.greedy / (double)v.optimum;
    ++graphs;
    edge_worse += v.per_edge > v.optimum;
    greedy_worse += v.greedy > v.optimum;
    edge_most = edge > edge_most ? edge : edge_most;
    greedy_most = greedy > greedy_most ? greedy : greedy_most;
    sum.optimum += v.optimum;
    sum.per_edge += v.per_edge;
    sum.greedy += v.greedy;
    sum.exact &= v.exact;
  }
  print_row("sum", sum);
  printf("%d graphs of %d ops, seeds 0 to %d, of which every way plans: "
         "per edge is worse on %d, at most %.2fx; greedy on %d, at most "
         "%.2fx\n",
         graphs, OPS, GRAPHS - 1, edge_worse, edge_most, greedy_worse,
         greedy_most);
}

static bool plan_model(DspArena *arena, const DspPlanGraph *graph) {
  for (int64_t ranks = 2; ranks <= 8; ranks *= 2) {
    char name[32];
    DspLowered low;
    DspPlanOptions options = {.mesh = dsp_plan_mesh(ranks)};
    if (dsp_plan_lower(arena, graph, &options, DSP_PLAN_NO_DIM, &low, NULL))
      return false;
    Volumes v = compare_plans(&low.problem);
    if (!v.possible)
      return false;
    snprintf(name, sizeof name, "  %lld ranks", (long long)ranks);
    print_row(name, v);
  }
  return true;
}

static bool measure(char **args, int count) {
  printf("%s\n", args[0]);
  bool fine = with_model(args, count, plan_model);
  if (!fine)
    fprintf(stderr, "bench_volume: %s was not planned\n", args[0]);
  return fine;
}

int main(int argc, char **argv) {
  printf("%-24s %15s %15s %7s %15s %7s\n", "", "optimum", "per edge", "",
         "greedy", "");
  if (argc > 1)
    return measure(argv + 1, argc - 1) ? 0 : 1;
  random_graphs();
  return 0;
}
