// backend.c - a GPU for each rank.
//
// Needs:  mpirun, srun or torchrun, or nothing (one rank); a GPU.
// Leaves: see common/backend.h.  Programs compute on the GPU; the host holds a
//         mirror of the arena, of which only inputs and outputs are touched.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "param_cursor.h"
#include "shape.h"
#include "state.h"

enum { PAGE = 2 << 20 }; ///< bytes, of device memory

/// One run at a time.
static DsprtState state;

cudaStream_t dsprt_stream(DsprtRun *run);
void dsprt_check_launch(DsprtRun *run);

cudaStream_t dsprt_stream(DsprtRun *run) { return run->state->stream; }

void dsprt_check_launch(DsprtRun *run) {
  dsprt_check_cuda(run, cudaGetLastError(), "a kernel");
}

void dsprt_fail(const DsprtRun *run, const char *format, ...) {
  char text[1024], where[256] = "";
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (run && run->stage >= 0)
    snprintf(where, sizeof where, ", stage '%s'",
             run->stage_name ? run->stage_name : "");
  fprintf(stderr, "error: rank %d of %d%s: %s\n", run ? run->rank : -1,
          run ? run->ranks : 0, where, text);
  fflush(stderr);
  dsprt_team_close(&state.team, true);
  _exit(1); // other threads may hold locks of CUDA or NCCL
}

static void connect_team(DsprtRun *run) {
  DsprtTeamError error;
  if (!dsprt_team_connect(&state.team, &error))
    dsprt_fail(run, "%s", error.text);
}

/// The communicator; NVLink multicast stays off.
static void open_nccl(DsprtRun *run) {
  DsprtTeamError error;
  ncclUniqueId id, *ids = calloc((size_t)run->ranks, sizeof *ids);
  if (!ids) dsprt_fail(run, "out of memory");
  setenv("NCCL_NVLS_ENABLE", "0", 1);
  memset(&id, 0, sizeof id);
  if (run->rank == 0) dsprt_check_nccl(run, ncclGetUniqueId(&id), "an id");
  if (!dsprt_team_gather(&state.team, &id, sizeof id, ids, &error))
    dsprt_fail(run, "%s", error.text);
  dsprt_watch_begin(run, "connecting NCCL");
  dsprt_check_nccl(run,
                   ncclCommInitRank(&state.comm, run->ranks, ids[0], run->rank),
                   "a communicator");
  dsprt_watch_end(run);
  free(ids);
}

void dsprt_backend_open(DsprtRun *run, int *argc, char ***argv,
                        const DsprtProgram *program) {
  (void)argc, (void)argv;
  state = (DsprtState){.program = program};
  DsprtTeamError error;
  bool known = dsprt_team_read(&state.team, &error);
  *run = (DsprtRun){.rank = state.team.rank,
                    .ranks = state.team.ranks,
                    .state = &state,
                    .stage = -1,
                    .watch = dsprt_range_stage};
  if (!known) dsprt_fail(run, "%s", error.text);
  dsprt_set_mesh(run, dsprt_mesh_of(program, run->ranks));
  connect_team(run);
}

/// Where the GPU says which stage it is at; and who looks at it.
static void open_reached(DsprtRun *run) {
  void *reached;
  dsprt_check_cuda(run,
                   cudaHostAlloc(&reached, 2 * sizeof *state.reached,
                                 cudaHostAllocMapped),
                   "memory of the host");
  size_t stages = (size_t)state.program->nstages + 1;
  state.names = calloc(stages, sizeof *state.names);
  if (!state.names) dsprt_fail(run, "out of memory");
  state.reached = reached;
  state.reached[0] = -1;
  state.reached[1] = 0;
  dsprt_watchdog_start(run);
}

int dsprt_backend_prepare(DsprtRun *run) {
  int devices = 0;
  if (run->ranks != state.program->ranks) return 1; // the session says so
  dsprt_check_cuda(run, cudaGetDeviceCount(&devices), "looking for GPUs");
  if (devices == 0) dsprt_fail(run, "this machine has no GPU");
  state.device = state.team.local_rank % devices;
  dsprt_check_cuda(run, cudaSetDevice(state.device), "choosing a GPU");
  dsprt_check_cuda(
      run, cudaStreamCreateWithFlags(&state.stream, cudaStreamNonBlocking),
      "a stream");
  dsprt_check_blas(run, cublasLtCreate(&state.blas), "a handle");
  dsprt_check_cuda(run, cudaMalloc(&state.workspace, DSPRT_WORKSPACE_BYTES),
                   "a workspace");
  dsprt_count_memory(run, DSPRT_WORKSPACE_BYTES);
  open_reached(run);
  if (run->ranks > 1) open_nccl(run);
  return 1;
}

static int64_t padded(int64_t bytes) { return (bytes + 255) / 256 * 256; }

/// The arena in pages of its own, so that nothing else is shared with other
/// processes, and room for flags behind it.
static int64_t arena_room(int64_t bytes) {
  return (padded(bytes ? bytes : 1) + DSPRT_PEERS_BYTES + PAGE - 1) / PAGE *
         PAGE;
}

unsigned char *dsprt_backend_arena(DsprtRun *run, int64_t bytes) {
  void *arena = NULL, *mirror;
  size_t size = (size_t)(bytes ? bytes : 1);
  int64_t room = arena_room(bytes);
  if (cudaMalloc(&arena, (size_t)room) != cudaSuccess) arena = NULL;
  dsprt_peers_open(run, arena, padded((int64_t)size));
  if (!arena) return NULL;
  // NaNs, so that whoever reads before writing is found out.
  dsprt_check_cuda(run, cudaMemsetAsync(arena, 0xff, size, state.stream),
                   "filling the arena");
  mirror = mmap(NULL, size, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mirror == MAP_FAILED) return NULL;
  dsprt_count_memory(run, room);
  run->arena = arena;
  state.arena_bytes = bytes;
  return state.mirror = mirror;
}

int64_t dsprt_backend_arena_bytes(const DsprtRun *run) {
  (void)run;
  return state.arena_bytes;
}

/// All tensors into one piece of device memory, a pointer for each.
bool dsprt_backend_weights(DsprtRun *run, DsprtWeights *weights) {
  int64_t bytes = 0, at = 0;
  DsprtParamCursor c = dsprt_params(state.program);
  while (dsprt_next_param(&c))
    bytes += padded(dsprt_param_bytes(c.param, run->mesh, run->rank));
  state.pointers = calloc(1, state.program->weights_bytes + 1);
  if (!state.pointers ||
      cudaMalloc(&state.weights, (size_t)bytes + 1) != cudaSuccess)
    return false;
  dsprt_count_memory(run, bytes);
  for (c = dsprt_params(state.program); dsprt_next_param(&c);) {
    int64_t size = dsprt_param_bytes(c.param, run->mesh, run->rank);
    void *from, *to = (unsigned char *)state.weights + at;
    memcpy(&from, (unsigned char *)weights->pointers + c.offset, sizeof from);
    dsprt_transfer(run, to, from, size, "copying the weights");
    memcpy((unsigned char *)state.pointers + c.offset, &to, sizeof to);
    at += padded(size);
  }
  run->weights = state.pointers;
  return true;
}

void dsprt_backend_put(DsprtRun *run, int64_t offset, int64_t bytes) {
  dsprt_transfer(run, run->arena + offset, state.mirror + offset, bytes,
             "copying an input");
}

void dsprt_backend_get(DsprtRun *run, int64_t offset, int64_t bytes) {
  dsprt_transfer(run, state.mirror + offset, run->arena + offset, bytes,
             "copying an output");
}

static void check_team(DsprtRun *run) {
  DsprtTeamError lost;
  if (dsprt_team_is_lost(&state.team, &lost)) {
    dsprt_set_reached(run);
    dsprt_fail(run, "%s", lost.text);
  }
  ncclResult_t error = ncclSuccess;
  if (state.comm && ncclCommGetAsyncError(state.comm, &error) == ncclSuccess)
    dsprt_check_nccl(run, error, "a collective");
}

void dsprt_wait(DsprtRun *run) {
  for (int64_t turn = 0;; turn++) {
    cudaError_t error = cudaStreamQuery(state.stream);
    if (error == cudaSuccess) return;
    if (error != cudaErrorNotReady) {
      dsprt_set_reached(run);
      dsprt_peers_check(run);
      check_team(run);
      dsprt_check_cuda(run, error, "a pass");
    }
    if (turn % 1024 == 1023) check_team(run);
  }
}

// cudaMemcpy of the host's pageable memory returns before the bytes are there,
// and the stream of a pass does not wait for the stream that brings them.
void dsprt_transfer(DsprtRun *run, void *to, const void *from, int64_t bytes,
                const char *what) {
  dsprt_check_cuda(run,
                   cudaMemcpyAsync(to, from, (size_t)bytes, cudaMemcpyDefault,
                                   state.stream),
                   what);
  dsprt_wait(run);
}

bool dsprt_backend_allow_tf32(DsprtRun *run) {
  return run->state->tf32 = true;
}

void dsprt_count_memory(DsprtRun *run, int64_t bytes) {
  DsprtState *s = run->state;
  s->taken += bytes;
  if (s->taken > s->most_taken) s->most_taken = s->taken;
}

/// Exchanges that do not go through NCCL need no staging memory.
DsprtDeviceMemory dsprt_backend_memory(const DsprtRun *run) {
  const DsprtProgram *p = run->state->program;
  int64_t staging = run->state->staging_bytes ? p->device_staging : 0;
  return (DsprtDeviceMemory){
      .predicted = arena_room(p->arena_bytes) + p->device_weights + staging +
                   DSPRT_WORKSPACE_BYTES,
      .taken = run->state->most_taken};
}

unsigned char *dsprt_staging(DsprtRun *run, int64_t bytes) {
  if (bytes <= state.staging_bytes) return state.staging;
  if (!state.warming)
    dsprt_fail(run, "a later pass needs more memory than the first one");
  dsprt_wait(run);
  dsprt_check_cuda(run, cudaFree(state.staging), "growing the staging memory");
  void *memory;
  dsprt_check_cuda(run, cudaMalloc(&memory, (size_t)bytes),
                   "growing the staging memory");
  dsprt_count_memory(run, bytes - state.staging_bytes);
  state.staging = memory;
  state.staging_bytes = bytes;
  return state.staging;
}

static void barrier(DsprtRun *run) {
  double nothing = 0;
  dsprt_backend_largest(run, &nothing, 1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/// Calls what the program computes.
static void enqueue_pass(DsprtRun *run, const char *name) {
  dsprt_range_begin(name);
  state.reached[0] = -1; // nothing of a pass is on its way
  state.program->forward(run);
  dsprt_range_end();
  run->stage = -1;
}

/// Captures a whole pass, to be replayed by one launch.
static void capture(DsprtRun *run) {
  cudaGraph_t graph;
  dsprt_check_cuda(
      run,
      cudaStreamBeginCapture(state.stream, cudaStreamCaptureModeThreadLocal),
      "capturing a pass");
  enqueue_pass(run, "capture");
  dsprt_check_cuda(run, cudaStreamEndCapture(state.stream, &graph),
                   "capturing a pass");
  dsprt_check_cuda(run, cudaGraphInstantiate(&state.graph, graph, 0),
                   "making a graph of a pass");
  dsprt_check_cuda(run, cudaGraphDestroy(graph), "freeing a graph");
  dsprt_check_cuda(run, cudaGraphUpload(state.graph, state.stream),
                   "uploading a graph");
  dsprt_wait(run);
}

double dsprt_backend_forward(DsprtRun *run, bool counted) {
  run->stage = -1;
  if (counted) {
    state.warming = true;
    state.counted = 0;
    dsprt_watch_begin(run, "the first pass");
    enqueue_pass(run, "first pass");
    dsprt_wait(run);
    dsprt_watch_end(run);
    state.warming = false;
    state.first_counted = state.counted;
    return 0;
  }
  if (!state.graph) capture(run);
  barrier(run);
  dsprt_watch_begin(run, "a pass");
  double begin = now();
  dsprt_range_begin("forward pass");
  dsprt_check_cuda(run, cudaGraphLaunch(state.graph, state.stream), "a pass");
  dsprt_wait(run);
  dsprt_range_end();
  double seconds = now() - begin;
  dsprt_watch_end(run);
  return seconds;
}

int64_t dsprt_backend_counted(const DsprtRun *run) {
  (void)run;
  return state.first_counted;
}

void dsprt_backend_gather(const DsprtRun *run, int64_t mine, int64_t *all) {
  DsprtTeamError error;
  if (!dsprt_team_gather(&state.team, &mine, sizeof mine, all, &error))
    dsprt_fail(run, "%s", error.text);
}

void dsprt_backend_largest(const DsprtRun *run, double *values, int count) {
  DsprtTeamError error;
  size_t bytes = (size_t)count * sizeof *values;
  double *all = malloc(bytes * (size_t)run->ranks + 1);
  if (!all) dsprt_fail(run, "out of memory");
  if (!dsprt_team_gather(&state.team, values, (int64_t)bytes, all, &error))
    dsprt_fail(run, "%s", error.text);
  for (int r = 0; r < run->ranks; r++)
    for (int i = 0; i < count; i++)
      if (all[r * count + i] > values[i]) values[i] = all[r * count + i];
  free(all);
}

void dsprt_backend_close(DsprtRun *run) {
  (void)run;
  dsprt_watchdog_stop(&state);
  dsprt_marks_free(&state);
  if (state.graph) cudaGraphExecDestroy(state.graph);
  dsprt_linears_free(state.linears);
  dsprt_attentions_free(state.attentions);
  dsprt_choices_free(state.choices);
  if (state.dnn) cudnnDestroy(state.dnn);
  if (state.blas) cublasLtDestroy(state.blas);
  dsprt_peers_close(run);
  if (state.comm) ncclCommDestroy(state.comm);
  if (state.stream) cudaStreamDestroy(state.stream);
  if (state.travel) cudaStreamDestroy(state.travel);
  if (state.leaves) cudaEventDestroy(state.leaves);
  if (state.arrives) cudaEventDestroy(state.arrives);
  if (state.mirror)
    munmap(state.mirror, (size_t)(state.arena_bytes ? state.arena_bytes : 1));
  cudaFree(state.staging);
  cudaFree(state.workspace);
  cudaFree(state.weights);
  cudaFree(run->arena);
  cudaFreeHost(state.reached);
  free(state.names);
  free(state.pointers);
  dsprt_team_close(&state.team, false);
}

/// Holds the stream back, so that calls are queued before their turn comes.
static void head_start(void *nothing) {
  struct timespec pause = {.tv_nsec = 3000000};
  (void)nothing;
  nanosleep(&pause, NULL);
}

void dsprt_backend_stepwise(DsprtRun *run) {
  run->stage = -1;
  barrier(run);
  dsprt_check_cuda(run, cudaLaunchHostFunc(state.stream, head_start, NULL),
                   "a profile");
  dsprt_backend_mark(run, 0);
  dsprt_watch_begin(run, "a profiled pass");
  enqueue_pass(run, "profiled pass");
}

void dsprt_backend_gather_bytes(const DsprtRun *run, const void *mine,
                                int64_t bytes, void *all) {
  DsprtTeamError error;
  if (!dsprt_team_gather(&state.team, mine, bytes, all, &error))
    dsprt_fail(run, "%s", error.text);
}
