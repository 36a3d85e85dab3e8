// attention.c - GFLOP/s of attention: long, short, and over a packed qkv.
//
//   bench_attention            OMP_NUM_THREADS says how many threads
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "dsprt.h"
#include "init.h"
#include "timing.h"

enum { H = 6, D = 64, C = H * D };

typedef struct Work {
  DsprtAttention attention;
  const float *qkv;
  float *o;
} Work;

static void work(DsprtRun *run, void *data) {
  const Work *w = data;
  dsprt_attention_f32(run, &w->attention, w->qkv, w->qkv + C, w->qkv + 2 * C,
                      w->o);
}

/// Over A of [outer, A, inner, 3, H, D].
static DsprtAttention over(int64_t outer, int64_t a, int64_t inner) {
  int64_t p = 3 * C;
  return (DsprtAttention){.nbatch = 3,
                          .batch = {{outer, a * inner * p, a * inner * p,
                                     a * inner * p, a * inner * C},
                                    {inner, p, p, p, C},
                                    {H, D, D, D, D}},
                          .nquery = 1,
                          .query = {{a, inner * p, inner * C}},
                          .nkey = 1,
                          .key = {{a, inner * p, inner * p}},
                          .dot = D,
                          .width = D,
                          .scale = 0.125f};
}

static void measure(DsprtRun *run, int64_t outer, int64_t a, int64_t inner) {
  int64_t tokens = outer * a * inner;
  float *qkv = dsprt_random_floats(run, tokens * 3 * C);
  Work w = {over(outer, a, inner), qkv, malloc((size_t)(tokens * C) * 4)};
  if (!w.o) dsprt_fail(run, "out of memory");
  double seconds = dsprt_time(run, work, &w);
  double flops = 4.0 * (double)tokens * (double)a * C;
  printf("%6lld %6lld %6lld %10.2f %10.1f\n", (long long)outer, (long long)a,
         (long long)inner, seconds * 1e3, flops / seconds * 1e-9);
  free(qkv);
  free(w.o);
}

int main(int argc, char **argv) {
  DsprtRun run;
  DsprtState state;
  dsprt_init(&argc, &argv);
  dsprt_state_open(&run, &state, MPI_COMM_WORLD, NULL);
  printf("over A of [outer, A, inner, 3, %d, %d], f32\n", H, D);
  printf("%6s %6s %6s %10s %10s\n", "outer", "A", "inner", "ms", "GFLOP/s");
  measure(&run, 16, 256, 1);
  measure(&run, 4, 1024, 1);
  measure(&run, 1, 4096, 1);
  measure(&run, 1, 16, 256);
  measure(&run, 1, 30, 256);
  measure(&run, 1, 64, 256);
  measure(&run, 1, 100, 64);
  dsprt_state_close(&state);
  MPI_Finalize();
  return 0;
}
