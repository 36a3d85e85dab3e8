// switch.c - GB/s that leave a rank in the dynamic switch, both ways.
//
//   mpirun -n 4 bench_switch
#include <stdio.h>
#include <stdlib.h>

#include "dsprt.h"
#include "init.h"
#include "timing.h"

typedef struct Work {
  DsprtShape shape;
  DsprtCut from, to;
  float *in, *out;
} Work;

static void work(DsprtRun *run, void *data) {
  const Work *w = data;
  dsprt_all_to_all(run, w->in, w->out, &w->shape, w->from, w->to);
}

static double rate(DsprtRun *run, Work *w) {
  double seconds = dsprt_time(run, work, w);
  run->state->counted = 0;
  work(run, w);
  return (double)run->state->counted / seconds * 1e-9;
}

static void measure(DsprtRun *run, int64_t t, int64_t s, int64_t c) {
  int64_t all = t * s * c;
  DsprtCut on_t = {0, 1}, on_s = {1, 1};
  Work w = {{DSPRT_F32, 3, {t, s, c}},
            on_t,
            on_s,
            dsprt_random_floats(run, all),
            dsprt_random_floats(run, all)};
  double there = rate(run, &w);
  w.from = on_s;
  w.to = on_t;
  double back = rate(run, &w);
  if (run->rank == 0)
    printf("%6lld %6lld %6lld %10.2f %10.2f\n", (long long)t, (long long)s,
           (long long)c, there, back);
  free(w.in);
  free(w.out);
}

int main(int argc, char **argv) {
  DsprtRun run;
  DsprtState state;
  dsprt_init(&argc, &argv);
  dsprt_state_open(&run, &state, MPI_COMM_WORLD, NULL);
  if (run.rank == 0)
    printf("%6s %6s %6s %10s %10s   GB/s leaving a rank, %d ranks\n", "T", "S",
           "C", "T to S", "S to T", run.ranks);
  measure(&run, 16, 256, 384);
  measure(&run, 16, 1024, 384);
  measure(&run, 60, 920, 72);
  dsprt_state_close(&state);
  MPI_Finalize();
  return 0;
}
