// peers.c - the arenas of the ranks of one machine, mapped into each other.
//
// CUDA's own handles for memory of another process are exchanged over the
// team's connections: they need no version of NCCL and no registration, and a
// captured graph may use them as it uses any pointer.
//
// Needs:  an arena laid out alike on all ranks, with room for flags behind.
// Leaves: every rank's decision, the same on all.
#include "peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shape.h"
#include "state.h"

/// What a rank tells the others.
typedef struct Offer {
  int32_t usable;
  int64_t bytes;
  char machine[256];
  char device[32];
  cudaIpcMemHandle_t arena;
} Offer;

static bool is(const char *variable, const char *value) {
  const char *text = getenv(variable);
  return text && strcmp(text, value) == 0;
}

/// DSPRT_PEERS: "0" never; "always" also where ranks share a GPU, or where
/// NCCL was told that they are on several machines: for tests.
static bool is_forced(void) {
  return is("DSPRT_PEERS", "always");
}

/// A name that processes have in common when they run on one machine, as far
/// as the user lets NCCL know.
static void name_machine(char *name, size_t size) {
  const char *given = is_forced() ? NULL : getenv("NCCL_HOSTID");
  char host[128] = "", boot[64] = "";
  FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");
  if (file && !fgets(boot, sizeof boot, file)) boot[0] = 0;
  if (file) fclose(file);
  gethostname(host, sizeof host - 1);
  if (given && *given)
    snprintf(name, size, "%.200s", given);
  else
    snprintf(name, size, "%s %s", host, boot);
}

static Offer offer_of(const DsprtRun *run, void *arena, int64_t bytes) {
  Offer mine;
  int device;
  memset(&mine, 0, sizeof mine);
  mine.bytes = bytes;
  name_machine(mine.machine, sizeof mine.machine);
  mine.usable =
      arena && run->ranks <= DSPRT_MAX_PEERS && !is("DSPRT_PEERS", "0") &&
      (is_forced() || !is("NCCL_P2P_DISABLE", "1")) &&
      cudaGetDevice(&device) == cudaSuccess &&
      cudaDeviceGetPCIBusId(mine.device, sizeof mine.device, device) ==
          cudaSuccess &&
      cudaIpcGetMemHandle(&mine.arena, arena) == cudaSuccess;
  return mine;
}

/// One machine, a GPU for each rank, arenas of one size?
static bool fit(const Offer *all, int ranks) {
  bool fine = true;
  for (int r = 0; r < ranks; r++) {
    fine &= all[r].usable && all[r].bytes == all[0].bytes &&
            strcmp(all[r].machine, all[0].machine) == 0;
    for (int s = 0; s < r; s++)
      fine &= is_forced() || strcmp(all[r].device, all[s].device) != 0;
  }
  return fine;
}

static void set_peer(DsprtPeers *peers, int rank, unsigned char *arena,
                     int64_t bytes) {
  peers->arenas[rank] = arena;
  peers->flags[rank] = (DsprtFlags *)(void *)(arena + bytes);
}

static bool map_all(DsprtPeers *peers, const Offer *all, const DsprtRun *run,
                    unsigned char *own) {
  for (int r = 0; r < run->ranks; r++) {
    void *arena = own;
    if (r != run->rank &&
        cudaIpcOpenMemHandle(&arena, all[r].arena,
                             cudaIpcMemLazyEnablePeerAccess) != cudaSuccess)
      return false;
    set_peer(peers, r, arena, all[r].bytes);
  }
  return cudaHostAlloc((void **)&peers->late, sizeof *peers->late,
                       cudaHostAllocMapped) == cudaSuccess;
}

static void unmap_all(DsprtPeers *peers, const DsprtRun *run) {
  for (int r = 0; r < run->ranks && r < DSPRT_MAX_PEERS; r++)
    if (r != run->rank && peers->arenas[r])
      cudaIpcCloseMemHandle(peers->arenas[r]);
  if (peers->late) cudaFreeHost(peers->late);
  *peers = (DsprtPeers){0};
}

/// Is it so on every rank?
static bool everywhere(DsprtRun *run, bool here) {
  DsprtTeamError error;
  bool all[DSPRT_MAX_PEERS] = {false}, every = true;
  if (!dsprt_team_gather(&run->state->team, &here, sizeof here, all, &error))
    dsprt_fail(run, "%s", error.text);
  for (int r = 0; r < run->ranks; r++) every &= all[r];
  return every;
}

void dsprt_peers_open(DsprtRun *run, unsigned char *arena, int64_t bytes) {
  DsprtPeers *peers = &run->state->peers;
  DsprtTeamError error;
  const char *seconds = getenv("DSPRT_PEERS_SECONDS");
  if (run->ranks == 1) return;
  Offer mine = offer_of(run, arena, bytes);
  Offer *all = calloc((size_t)run->ranks, sizeof *all);
  if (!all) dsprt_fail(run, "out of memory");
  // The flags are 0 before anyone else can reach them.
  if (arena)
    dsprt_check_cuda(run, cudaMemset(arena + bytes, 0, DSPRT_PEERS_BYTES),
                     "clearing flags");
  dsprt_check_cuda(run, cudaDeviceSynchronize(), "clearing flags");
  if (!dsprt_team_gather(&run->state->team, &mine, sizeof mine, all, &error))
    dsprt_fail(run, "%s", error.text);
  if (fit(all, run->ranks)) {
    bool mapped = map_all(peers, all, run, arena);
    peers->seconds =
        seconds && atoi(seconds) > 0 ? atoi(seconds) : DSPRT_PEERS_SECONDS;
    peers->blocks = DSPRT_PEERS_BLOCKS;
    if (mapped) *peers->late = 0;
    peers->usable = everywhere(run, mapped);
  }
  if (!peers->usable) unmap_all(peers, run);
  cudaGetLastError(); // what could not be mapped is no error of the pass
  free(all);
}

void dsprt_peers_close(DsprtRun *run) {
  DsprtPeers *peers = &run->state->peers;
  DsprtTeamError error;
  bool was_usable = peers->usable;
  char nothing = 0, all[DSPRT_MAX_PEERS];
  if (!was_usable) return;
  unmap_all(peers, run);
  // No arena is freed while another rank has it mapped; who has ended has not.
  dsprt_team_gather(&run->state->team, &nothing, sizeof nothing, all, &error);
}

void dsprt_peers_check(const DsprtRun *run) {
  const int *late = run->state->peers.late;
  if (late && *late)
    dsprt_fail(run, "rank %d did not come to an exchange within %d seconds",
               *late - 1, run->state->peers.seconds);
}

/// The first pass makes sure that all ranks mean the same place: what a rank
/// stores into another one's arena, it stores where its own buffer lies.
static void check_place(DsprtRun *run, int64_t at) {
  DsprtTeamError error;
  int64_t all[DSPRT_MAX_PEERS];
  if (!dsprt_team_gather(&run->state->team, &at, sizeof at, all, &error))
    dsprt_fail(run, "%s", error.text);
  for (int r = 0; r < run->ranks; r++)
    if (all[r] != at)
      dsprt_fail(run,
                 "rank %d has the result of an exchange elsewhere in its "
                 "arena",
                 r);
}

/// Into `pushes`, the next rank's box first; returns how many are not empty.
static int list_pushes(DsprtRun *run, DsprtType type, const void *in,
                       int64_t at, const DsprtMessage *messages,
                       DsprtPush *pushes) {
  DsprtState *state = run->state;
  int count = 0;
  for (int k = 0; k < run->ranks; k++) {
    int peer = (run->rank + 1 + k) % run->ranks;
    int64_t n = dsprt_box_elements(&messages[peer].send);
    if (n == 0) continue;
    pushes[count++] = (DsprtPush){in, state->peers.arenas[peer] + at,
                                  messages[peer].send, messages[peer].there};
    if (peer != run->rank) state->counted += n * dsprt_type_bytes(type);
  }
  return count;
}

bool dsprt_peers_exchange(DsprtRun *run, DsprtType type, const void *in,
                          void *out, const DsprtMessage *messages) {
  DsprtState *state = run->state;
  DsprtPush pushes[DSPRT_MAX_PEERS];
  int64_t at = (unsigned char *)out - run->arena;
  if (!state->peers.usable) return false;
  if (at < 0 || at >= state->arena_bytes) at = -1;
  if (state->warming) check_place(run, at);
  if (at < 0) return false;
  int count = list_pushes(run, type, in, at, messages, pushes);
  dsprt_push(run, &state->peers, type, pushes, count);
  return true;
}
