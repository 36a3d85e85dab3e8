// peers.h - exchanges by stores into the memory of other GPUs.
#ifndef DSPRT_CUDA_PEERS_H
#define DSPRT_CUDA_PEERS_H

#include <cuda_runtime_api.h>
#include <stdbool.h>

#include "dsprt_program.h"
#include "exchange.h"

enum {
  DSPRT_MAX_PEERS = 8,       ///< ranks of a team that uses peer memory
  DSPRT_PEERS_BYTES = 4096,  ///< behind the arena: DsprtFlags
  DSPRT_PEERS_SECONDS = 120, ///< that a rank waits for another by default
  DSPRT_PEERS_BLOCKS = 132,  ///< of 512 threads: the fastest on two H200
};

/// What stands behind the arena of a rank.  It lies in device memory and is
/// advanced by kernels, so that a captured graph can be replayed.
typedef struct DsprtFlags {
  uint32_t told[DSPRT_MAX_PEERS]; ///< by rank r: how far it has come
  uint32_t turn;                  ///< how far this rank has come
  uint32_t blocks;                ///< of the kernel at work that are done
} DsprtFlags;

/// Where the ranks' arenas and flags are mapped here.
typedef struct DsprtPeers {
  bool usable; ///< on all ranks, or on none
  int seconds; ///< that a rank waits for another in an exchange
  int blocks;  ///< of an exchange's kernel
  unsigned char *arenas[DSPRT_MAX_PEERS]; ///< own one too
  DsprtFlags *flags[DSPRT_MAX_PEERS];
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
/// other machines, shared GPUs, no access, or DSPRT_PEERS=0.
void dsprt_peers_open(DsprtRun *run, unsigned char *arena, int64_t bytes);
/// Unmaps; collective when peers are usable.
void dsprt_peers_close(DsprtRun *run);

/// The exchange of `messages` [ranks], enqueued: all ranks wait for each other,
/// store, and wait for each other.  Returns false, on all ranks alike, when it
/// must go by NCCL: peers are not usable, or `out` is not in the arena.  Counts
/// the bytes.
bool dsprt_peers_exchange(DsprtRun *run, DsprtType type, const void *in,
                          void *out, const DsprtMessage *messages);

/// Ends all ranks when a kernel waited in vain for another rank.
void dsprt_peers_check(const DsprtRun *run);

/// The kernel of an exchange (push.cu): waits for all ranks, copies, and waits
/// again; `count` boxes, at most DSPRT_MAX_PEERS, none empty.
void dsprt_push(DsprtRun *run, const DsprtPeers *peers, DsprtType type,
                const DsprtPush *pushes, int count);

#ifdef __cplusplus
}
#endif
#endif
