// switch_cuda.c - the changes of layout on GPUs: right, and how fast.
//
//   torchrun --no-python --nproc-per-node 2 bench_switch [check[:N]] [time]
//
// check  N random shapes, cuts and types, by NCCL and into peer memory, against
//        values that every rank knows; in a first pass and replayed in a graph
// time   GB/s that leave a rank in the dynamic switch, layout and waiting for
//        each other included, next to NCCL; checked element by element
// sweep  the same for numbers of blocks; only when asked for
//
// Mpirun, srun, or RANK and WORLD_SIZE start it as well.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dsprt_collectives.h"
#include "shape.h"
#include "state.h"

enum {
  MOST = 16,
  REPEATS = 10,
  TIMES = 7,
  CASES = 100,
  MOST_ELEMENTS = 1 << 21
};

typedef enum Kind { SWITCH, GATHER, SCATTER, REDUCE, KINDS } Kind;

/// One change of layout, and where its buffers lie in the arena.
typedef struct Case {
  Kind kind;
  DsprtShape shape;
  DsprtCut from, to;
  uint64_t salt;
  int64_t in, out, scratch;
  int repeats;
} Case;

/// How a change of layout goes: by NCCL or into peer memory.
typedef enum Path { NCCL, PEERS } Path;

static const char *const paths[] = {"NCCL", "peers"};
static bool usable; // peer memory, for this run
static Case now;    // what the program's pass does
static int64_t arena_bytes = (int64_t)2 << 30;

static uint32_t mix(uint64_t x) {
  x = (x ^ (x >> 31)) * 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9u;
  return (uint32_t)(x >> 32);
}

/// Does the kind add values?  Then they are small whole numbers.
static bool adds(const Case *c) {
  return c->kind >= SCATTER;
}

static float summand(const Case *c, int64_t index, int rank) {
  return (float)(mix(c->salt + (uint64_t)index * MOST + (uint64_t)rank) % 8);
}

static void store(const Case *c, unsigned char *to, int64_t at, float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  if (c->shape.type == DSPRT_BF16)
    ((uint16_t *)(void *)to)[at] = (uint16_t)(bits >> 16);
  else
    ((uint32_t *)(void *)to)[at] = bits;
}

/// What element `index` is before, on `rank`, or after (rank -1).
static void put(const Case *c, unsigned char *to, int64_t at, int64_t index,
                int rank, int ranks) {
  if (!adds(c)) {
    uint32_t bits = mix(c->salt + (uint64_t)index);
    if (c->shape.type == DSPRT_BF16)
      ((uint16_t *)(void *)to)[at] = (uint16_t)bits;
    else
      ((uint32_t *)(void *)to)[at] = bits;
    return;
  }
  float x = 0;
  for (int r = 0; r < ranks; r++)
    if (rank < 0 || r == rank) x += summand(c, index, r);
  store(c, to, at, x);
}

static int64_t bytes_of(const DsprtRuns *runs, const Case *c) {
  return runs->count * runs->length * dsprt_type_bytes(c->shape.type);
}

/// The part of a rank, on the host; the caller frees it.
static unsigned char *part(const DsprtRun *run, const Case *c, DsprtCut cut,
                           bool before) {
  DsprtRuns runs = dsprt_runs(&c->shape, cut, run->rank, run->ranks);
  unsigned char *host = malloc((size_t)bytes_of(&runs, c) + 1);
  if (!host) dsprt_fail(run, "out of memory");
#pragma omp parallel for
  for (int64_t i = 0; i < runs.count * runs.length; i++)
    put(c, host, i,
        runs.first + i / runs.length * runs.stride + i % runs.length,
        before ? run->rank : -1, run->ranks);
  return host;
}

static void fill(DsprtRun *run, const Case *c) {
  unsigned char *host = part(run, c, c->from, true);
  DsprtRuns runs = dsprt_runs(&c->shape, c->from, run->rank, run->ranks);
  dsprt_check_cuda(run,
                   cudaMemcpy(run->arena + c->in, host,
                              (size_t)bytes_of(&runs, c),
                              cudaMemcpyHostToDevice),
                   "filling");
  free(host);
}

static void poison(DsprtRun *run, const Case *c) {
  DsprtRuns runs = dsprt_runs(&c->shape, c->to, run->rank, run->ranks);
  dsprt_check_cuda(
      run, cudaMemset(run->arena + c->out, 0xff, (size_t)bytes_of(&runs, c)),
      "poisoning");
  dsprt_check_cuda(run, cudaDeviceSynchronize(), "poisoning");
}

static int64_t wrong_bytes(DsprtRun *run, const Case *c) {
  unsigned char *want = part(run, c, c->to, false);
  DsprtRuns runs = dsprt_runs(&c->shape, c->to, run->rank, run->ranks);
  int64_t n = bytes_of(&runs, c), wrong = 0;
  unsigned char *have = malloc((size_t)n + 1);
  if (!have) dsprt_fail(run, "out of memory");
  dsprt_check_cuda(
      run,
      cudaMemcpy(have, run->arena + c->out, (size_t)n, cudaMemcpyDeviceToHost),
      "reading");
#pragma omp parallel for reduction(+ : wrong)
  for (int64_t i = 0; i < n; i++) wrong += have[i] != want[i];
  free(want);
  free(have);
  return wrong;
}

static void forward(DsprtRun *run) {
  const Case *c = &now;
  const unsigned char *in = run->arena + c->in;
  unsigned char *out = run->arena + c->out, *scratch = run->arena + c->scratch;
  for (int i = 0; i < c->repeats; i++) switch (c->kind) {
    case SWITCH:
      dsprt_all_to_all(run, in, out, &c->shape, c->from, c->to);
      break;
    case GATHER: dsprt_all_gather(run, in, out, &c->shape, c->from); break;
    case SCATTER:
      dsprt_reduce_scatter(run, in, out, &c->shape, c->to, DSPRT_SUM, scratch);
      break;
    default:
      dsprt_all_reduce(run, in, out, &c->shape, DSPRT_SUM, scratch);
      break;
    }
}

/// Seconds of a pass; the graph of another case is thrown away first.
static double pass(DsprtRun *run, bool counted) {
  DsprtState *state = run->state;
  if (counted && state->graph) {
    cudaGraphExecDestroy(state->graph);
    state->graph = NULL;
  }
  return dsprt_backend_forward(run, counted);
}

/// On all ranks together.
static int64_t wrong_somewhere(DsprtRun *run, const Case *c) {
  double wrong = (double)wrong_bytes(run, c);
  dsprt_backend_largest(run, &wrong, 1);
  return (int64_t)wrong;
}

static int64_t largest_part(const DsprtRun *run, const Case *c, DsprtCut cut) {
  DsprtRuns runs = dsprt_runs(&c->shape, cut, 0, run->ranks);
  return (bytes_of(&runs, c) + 255) / 256 * 256;
}

/// Places the buffers; false when the arena is too small.
static bool place(const DsprtRun *run, Case *c) {
  int64_t scratch = 0;
  if (c->kind == SCATTER)
    scratch = dsprt_reduce_scatter_scratch(&c->shape, c->to, run->ranks);
  if (c->kind == REDUCE)
    scratch = dsprt_all_reduce_scratch(&c->shape, run->ranks);
  c->in = 0;
  c->out = largest_part(run, c, c->from);
  c->scratch = c->out + largest_part(run, c, c->to);
  return c->scratch + scratch <= arena_bytes;
}

static int pick(uint64_t *seed, int n) {
  return (
      int)(mix(*seed = *seed * 6364136223846793005u + 1442695040888963407u) %
           (uint32_t)n);
}

static DsprtCut some_cut(uint64_t *seed, int begin, int end) {
  int first = begin + pick(seed, end - begin);
  return (DsprtCut){first, 1 + pick(seed, end - first > 2 ? 2 : end - first)};
}

static Case random_case(uint64_t *seed) {
  static const int last[] = {1, 3, 8, 24, 72, 1152, 2048};
  Case c = {.kind = (Kind)pick(seed, KINDS), .repeats = 1};
  c.salt = (*seed)++;
  c.shape.type = pick(seed, 2) ? DSPRT_BF16 : DSPRT_F32;
  c.shape.ndims = 2 + pick(seed, 4);
  int n = c.shape.ndims;
  for (int i = 0; i < n; i++) c.shape.dims[i] = 1 + pick(seed, 13);
  c.shape.dims[n - 1] = last[pick(seed, 7)];
  int border = 1 + pick(seed, n - 1);
  c.from = some_cut(seed, 0, border);
  c.to = some_cut(seed, border, n);
  if (pick(seed, 5) == 0) // nested cuts
    c.to = (DsprtCut){c.from.first, 1 + pick(seed, n - c.from.first)};
  if (pick(seed, 2)) {
    DsprtCut cut = c.from;
    c.from = c.to, c.to = cut;
  }
  if (c.kind != SWITCH && c.kind != SCATTER) c.to = DSPRT_WHOLE;
  if (adds(&c)) c.from = DSPRT_WHOLE;
  return c;
}

static void say_case(const Case *c, Path path, int64_t wrong) {
  static const char *const kinds[] = {"switch", "gather", "scatter", "reduce"};
  char text[DSPRT_SHAPE_TEXT];
  printf("WRONG: %s by %s of %s %s, cut {%d, %d} to {%d, %d}: %lld bytes\n",
         kinds[c->kind], paths[path], dsprt_type_name(c->shape.type),
         dsprt_shape_text(&c->shape, text), c->from.first, c->from.count,
         c->to.first, c->to.count, (long long)wrong);
}

/// Is one case right, in a first pass and in a graph?
static bool check_one(DsprtRun *run, const Case *c, Path path) {
  run->state->peers.usable = path == PEERS;
  now = *c;
  fill(run, c);
  for (int replay = 0; replay < 3; replay++) {
    poison(run, c);
    pass(run, replay == 0);
    int64_t wrong = wrong_somewhere(run, c);
    if (wrong && run->rank == 0) say_case(c, path, wrong);
    if (wrong) return false;
  }
  return true;
}

static bool check(DsprtRun *run, int cases) {
  int64_t seeds[MOST];
  int wrong = 0, done = 0;
  dsprt_backend_gather(run, (int64_t)time(NULL), seeds);
  uint64_t seed = (uint64_t)seeds[0];
  for (int i = 0; i < cases; i++) {
    Case c = random_case(&seed);
    while (dsprt_elements(&c.shape) > MOST_ELEMENTS) c = random_case(&seed);
    if (!place(run, &c)) dsprt_fail(run, "the arena is too small");
    for (int path = NCCL; path <= (int)usable; path++, done++)
      wrong += !check_one(run, &c, (Path)path);
  }
  if (run->rank == 0)
    printf("%s: %d of %d random changes of layout wrong, %d ranks, peers %s, "
           "seed %lld\n",
           wrong ? "WRONG" : "ok", wrong, done, run->ranks,
           usable ? "usable" : "not usable", (long long)seeds[0]);
  return wrong == 0;
}

static int by_value(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

/// The median seconds of one switch on the slowest rank; negative when wrong.
static double seconds_of(DsprtRun *run, const Case *c, Path path, int blocks) {
  double seconds[TIMES];
  run->state->peers.usable = path == PEERS;
  run->state->peers.blocks = blocks;
  now = *c;
  poison(run, c);
  pass(run, true);
  pass(run, false);
  for (int i = 0; i < TIMES; i++) seconds[i] = pass(run, false) / c->repeats;
  dsprt_backend_largest(run, seconds, TIMES);
  qsort(seconds, TIMES, sizeof *seconds, by_value);
  return wrong_somewhere(run, c) ? -1 : seconds[TIMES / 2];
}

static Case switch_of(int64_t t, int64_t s, bool back) {
  Case c = {.kind = SWITCH,
            .shape = {DSPRT_BF16, 3, {t, s, 1152}},
            .from = {back ? 1 : 0, 1},
            .to = {back ? 0 : 1, 1},
            .salt = (uint64_t)(t * s + back),
            .repeats = REPEATS};
  return c;
}

static void print_rate(DsprtRun *run, const Case *c, double seconds) {
  double bytes = (double)dsprt_backend_counted(run) / c->repeats;
  if (run->rank) return;
  if (seconds < 0)
    printf("     WRONG");
  else
    printf(" %6.1f %3.0f", seconds * 1e6, bytes / seconds * 1e-9);
}

static const int64_t shapes[][2] = {{16, 4096}, {60, 920}, {64, 4096},
                                    {16, 512},  {16, 64},  {15, 61}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static bool time_all(DsprtRun *run) {
  bool fine = true;
  if (run->rank == 0) {
    printf("us and GB/s leaving a rank, %d ranks, C = 1152, bf16\n%12s",
           run->ranks, "T, S");
    for (int path = NCCL; path <= (int)usable; path++)
      printf(" %10s", paths[path]);
    printf("\n");
  }
  for (int i = 0; i < 2 * SHAPES; i++) {
    Case c = switch_of(shapes[i / 2][0], shapes[i / 2][1], i % 2);
    if (!place(run, &c)) continue;
    fill(run, &c);
    if (run->rank == 0)
      printf("%3lld %4lld %s", (long long)shapes[i / 2][0],
             (long long)shapes[i / 2][1], i % 2 ? "S>T" : "T>S");
    for (int path = NCCL; path <= (int)usable; path++) {
      double seconds = seconds_of(run, &c, (Path)path, DSPRT_PEERS_BLOCKS);
      fine &= seconds > 0;
      print_rate(run, &c, seconds);
    }
    if (run->rank == 0) printf("\n");
    fflush(stdout);
  }
  return fine;
}

static bool sweep(DsprtRun *run) {
  static const int blocks[] = {16, 32, 64, 96, 132, 198, 264};
  enum { COUNT = sizeof blocks / sizeof blocks[0] };
  bool fine = true;
  for (int i = 0; usable && i < SHAPES; i++) {
    Case c = switch_of(shapes[i][0], shapes[i][1], false);
    if (!place(run, &c)) continue;
    fill(run, &c);
    if (run->rank == 0)
      printf("%3lld %4lld", (long long)shapes[i][0], (long long)shapes[i][1]);
    for (int k = 0; k < COUNT; k++) {
      double seconds = seconds_of(run, &c, PEERS, blocks[k]);
      fine &= seconds > 0;
      if (run->rank == 0) printf(" | %d blocks", blocks[k]);
      print_rate(run, &c, seconds);
    }
    if (run->rank == 0) printf("\n");
  }
  return fine;
}

int main(int argc, char **argv) {
  static const char *const all[] = {"check", "time"};
  DsprtProgram program = {.model = "switch", .forward = forward};
  DsprtRun run;
  DsprtTeam team;
  DsprtTeamError error;
  bool fine = true;
  setvbuf(stdout, NULL, _IOLBF, 0);
  // Opening says what is wrong.
  program.ranks = dsprt_team_read(&team, &error) ? team.ranks : 1;
  dsprt_backend_open(&run, &argc, &argv, &program);
  if (run.ranks > MOST) dsprt_fail(&run, "at most %d ranks", MOST);
  dsprt_backend_prepare(&run);
  if (!dsprt_backend_arena(&run, arena_bytes))
    dsprt_fail(&run, "no memory for the arena");
  usable = run.state->peers.usable;
  for (int i = 0; i < (argc > 1 ? argc - 1 : 2); i++) {
    const char *what = argc > 1 ? argv[i + 1] : all[i];
    if (strncmp(what, "check", 5) == 0)
      fine &= check(&run, what[5] == ':' ? atoi(what + 6) : (int)CASES);
    else if (strcmp(what, "time") == 0)
      fine &= time_all(&run);
    else if (strcmp(what, "sweep") == 0)
      fine &= sweep(&run);
    else
      dsprt_fail(&run, "'%s' is not check, time or sweep", what);
  }
  run.state->peers.usable = usable;
  dsprt_backend_close(&run);
  return fine ? 0 : 1;
}
