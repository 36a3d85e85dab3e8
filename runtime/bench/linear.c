// linear.c - GFLOP/s of linear layers, f32 and bf16.
//
//   bench_linear               OMP_NUM_THREADS says how many threads
#include <stdio.h>
#include <stdlib.h>

#include "dsprt.h"
#include "init.h"
#include "timing.h"

typedef struct Work {
  DsprtLinear linear;
  float *x, *w, *bias, *y;
  void *workspace;
} Work;

static void work_f32(DsprtRun *run, void *data) {
  const Work *w = data;
  dsprt_linear_f32(run, &w->linear, w->x, w->w, w->bias, w->y);
}

/// The first half of each buffer, as bf16.
static void work_bf16(DsprtRun *run, void *data) {
  const Work *w = data;
  dsprt_linear_bf16(run, &w->linear, (void *)w->x, (void *)w->w,
                    (void *)w->bias, (void *)w->y, w->workspace);
}

static void measure(DsprtRun *run, int64_t rows, int64_t in, int64_t out) {
  Work w = {.linear = {.rows = rows, .in = in, .out = out},
            .x = dsprt_random_floats(run, rows * in),
            .w = dsprt_random_floats(run, in * out),
            .bias = dsprt_random_floats(run, out),
            .y = dsprt_random_floats(run, rows * out),
            .workspace = malloc((size_t)dsprt_linear_workspace(rows, in, out))};
  if (!w.workspace) dsprt_fail(run, "out of memory");
  double flops = 2.0 * (double)rows * (double)in * (double)out;
  double f32 = dsprt_time(run, work_f32, &w);
  double bf16 = dsprt_time(run, work_bf16, &w);
  printf("%6lld %6lld %6lld %10.2f %10.1f %10.2f %10.1f\n", (long long)rows,
         (long long)in, (long long)out, f32 * 1e3, flops / f32 * 1e-9,
         bf16 * 1e3, flops / bf16 * 1e-9);
  free(w.x), free(w.w), free(w.bias), free(w.y), free(w.workspace);
}

int main(int argc, char **argv) {
  DsprtRun run;
  DsprtState state;
  dsprt_init(&argc, &argv);
  dsprt_state_open(&run, &state, MPI_COMM_WORLD, NULL);
  printf("%6s %6s %6s %10s %10s %10s %10s\n", "rows", "in", "out", "f32 ms",
         "GFLOP/s", "bf16 ms", "GFLOP/s");
  measure(&run, 4096, 384, 1152);
  measure(&run, 4096, 384, 384);
  measure(&run, 4096, 384, 1536);
  measure(&run, 4096, 1536, 384);
  measure(&run, 90, 64, 192);
  dsprt_state_close(&state);
  MPI_Finalize();
  return 0;
}
