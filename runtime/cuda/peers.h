// peers.h - exchanges by stores into the memory of other GPUs.
#ifndef DSPRT_CUDA_PEERS_H
#define DSPRT_CUDA_PEERS_H

#include <cuda_runtime_api.h>
#include <stdbool.h>

#include "dsprt_program.h"
#include "exchange.h"

enum {
  DSPRT_MAX_PEERS = 8,        ///< ranks of a team that uses peer memory
  DSPRT_PEERS_BYTES = 4096,   ///< behind the arena: the flags
  DSPRT_PEERS_SECONDS = 120,  ///< that a rank waits for another in a pass
};

/// Where one rank's arena and flags are mapped here.
typedef struct DsprtPeers {
  bool usable; ///< on all ranks, or on none
  unsigned char *arenas[DSPRT_MAX_PEERS]; ///< own one too
  uint32_t *flags[DSPRT_MAX_PEERS]; ///< [ranks + 1] passed barriers, and own
  int *late; ///< memory of the host: 1 + the rank that did not come, or 0
} DsprtPeers;

/// One box of an exchange.
typedef struct DsprtPush {
  const void *in;
  void *out; ///< in a peer's memory, or in this rank's
  DsprtBox from, to;
} DsprtPush;

#ifdef __cplusplus
extern "C" {
#endif

/// Maps the arenas of all ranks into each other: `arena` has `bytes`, a
/// multiple of 256, and DSPRT_PEERS_BYTES behind them; NULL when this rank has
/// none.  Collective; never fails, but may find that peers are not usable:
/// other machines, shared GPUs, no access, or not asked for (DSPRT_PEERS=1).
void dsprt_peers_open(DsprtRun *run, unsigned char *arena, int64_t bytes);
/// Unmaps; collective when peers are usable.
void dsprt_peers_close(DsprtRun *run);

/// The exchange of `messages` [ranks], enqueued: a barrier, a kernel of stores,
/// a barrier.  Returns false, on all ranks alike, when it must go by NCCL:
/// peers are not usable, or `out` is not in the arena.  Counts the bytes.
bool dsprt_peers_exchange(DsprtRun *run, DsprtType type, const void *in,
                          void *out, const DsprtMessage *messages);

/// Ends all ranks when a barrier waited in vain.
void dsprt_peers_check(const DsprtRun *run);

// The kernels (push.cu).

/// Returns when all ranks have come this far in their streams.
void dsprt_peers_barrier(DsprtRun *run, const DsprtPeers *peers);
/// Copies all boxes, at the same time; at most DSPRT_MAX_PEERS, none empty.
void dsprt_push(DsprtRun *run, DsprtType type, const DsprtPush *pushes,
                int count);

#ifdef __cplusplus
}
#endif
#endif
