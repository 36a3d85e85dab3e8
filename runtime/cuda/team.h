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
  int *peers; ///< sockets: on rank 0 [ranks], elsewhere [1], to rank 0
} DsprtTeam;

/// What went wrong, for a message.
typedef struct DsprtTeamError {
  char text[256];
} DsprtTeamError;

/// Reads the environment.  One rank without a launcher.
void dsprt_team_read(DsprtTeam *team);

/// Connects; waits a minute for the others.
bool dsprt_team_connect(DsprtTeam *team, DsprtTeamError *error);

/// Every rank's `bytes` at `mine`, in the order of ranks, at `all`.
bool dsprt_team_gather(DsprtTeam *team, const void *mine, int64_t bytes,
                       void *all, DsprtTeamError *error);

/// Has a process ended, or has rank 0 heard of one?  Does not wait.
bool dsprt_team_is_lost(DsprtTeam *team, DsprtTeamError *error);

/// Tells the others that this run fails here, and closes.
void dsprt_team_close(DsprtTeam *team, bool failed);

#endif
