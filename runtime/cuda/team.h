// team.h - the processes of a run: who they are, and small messages of theirs.
//
// A star of TCP connections around rank 0, found by what mpirun, srun or
// torchrun put into the environment.  It carries the id of the NCCL
// communicator and a few numbers; activations go through NCCL.  The
// connections stay open, so that a process that ends is noticed by all.
#ifndef DSPRT_CUDA_TEAM_H
#define DSPRT_CUDA_TEAM_H

#include <stdbool.h>
#include <stdint.h>

typedef struct DsprtTeam {
  int rank, ranks, local_rank;
  int timeout; ///< seconds until a rank that does nothing is stuck; 0: never
  char host[256]; ///< of rank 0, as the network knows it
  int port;       ///< the first one to try; 0: one that the job's name gives
  int *peers; ///< sockets: on rank 0 [ranks], elsewhere [1], to rank 0
} DsprtTeam;

/// What went wrong, for a message.
typedef struct DsprtTeamError {
  char text[256];
} DsprtTeamError;

/// Reads what mpirun (Open MPI), torchrun, srun or a launcher of the PMI kind
/// put into the environment, in this order: torchrun may run inside srun.  One
/// rank without a launcher.  False when it makes no sense.
bool dsprt_team_read(DsprtTeam *team, DsprtTeamError *error);

/// Connects; waits a minute for the others.
bool dsprt_team_connect(DsprtTeam *team, DsprtTeamError *error);

/// Every rank's `bytes` at `mine`, in the order of ranks, at `all`.
bool dsprt_team_gather(DsprtTeam *team, const void *mine, int64_t bytes,
                       void *all, DsprtTeamError *error);

/// Has a process ended, or has rank 0 heard of one?  Does not wait.
bool dsprt_team_is_lost(DsprtTeam *team, DsprtTeamError *error);

/// The same for a thread beside the one that waits: it answers rank 0 when that
/// asks who is there.
bool dsprt_team_listen(DsprtTeam *team, DsprtTeamError *error);

/// A rank that does not answer rank 0 within 2 seconds; -1: all do, or this is
/// not rank 0.  The run can only end after it.
int dsprt_team_find_stuck(DsprtTeam *team);

/// Tells the others that this run fails here, and closes.
void dsprt_team_close(DsprtTeam *team, bool failed);

#endif
