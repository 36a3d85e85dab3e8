// state.h - what the CUDA runtime knows during a run.
#ifndef DSPRT_CUDA_STATE_H
#define DSPRT_CUDA_STATE_H

#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <cudnn.h>
#include <nccl.h>

#include "backend.h"
#include "peers.h"
#include "team.h"
#include "watchdog.h"

struct DsprtLinearPlan;
struct DsprtAttentionPlan;
struct DsprtAttentionChoice;

typedef struct DsprtState {
  DsprtTeam team;
  const DsprtProgram *program;
  int device;
  cudaStream_t stream; ///< everything of a run is enqueued here
  ncclComm_t comm;     ///< NULL for one rank
  cudaStream_t travel; ///< blocks of a ring; NULL until there is one
  cudaEvent_t leaves, arrives; ///< blocks of a ring
  DsprtPeers peers;    ///< the other ranks' memory, where it can be reached
  cublasLtHandle_t blas;
  bool tf32; ///< products of f32 may use it
  cudnnHandle_t dnn; ///< NULL until attention asks for it

  bool warming;    ///< the first pass: plans are made, algorithms timed
  int64_t counted; ///< bytes that left this rank since it was set to 0
  int64_t first_counted;

  int64_t arena_bytes;
  unsigned char *mirror;  ///< host memory with the offsets of the arena
  void *weights;          ///< device memory
  void *pointers;         ///< the program's struct with device pointers
  void *workspace;        ///< of cuBLASLt and cuDNN
  int64_t taken, most_taken; ///< bytes of the device, now and at most
  unsigned char *staging; ///< what is packed for, or came from, other ranks
  int64_t staging_bytes;

  int32_t *reached;   ///< [2] of the host, written by the GPU: the stage at
                      ///< work, and how many have begun
  const char **names; ///< [program->nstages + 1] of stages, once reached
  DsprtWatchdog watchdog;

  struct DsprtLinearPlan *linears;       ///< made so far
  struct DsprtAttentionPlan *attentions; ///< made so far
  struct DsprtAttentionChoice *choices;  ///< made so far
  cudaEvent_t *marks;                    ///< of a profile
  int64_t nmarks;
  cudaGraphExec_t graph;                 ///< a whole pass, once captured
} DsprtState;

enum { DSPRT_WORKSPACE_BYTES = 64 << 20 };

#ifdef __cplusplus
extern "C" {
#endif

/// Counts memory of the device that was taken, or given back when negative.
void dsprt_count_memory(DsprtRun *run, int64_t bytes);

/// At least `bytes` for packing; only the first pass may make it grow.
unsigned char *dsprt_staging(DsprtRun *run, int64_t bytes);

// End all ranks with a message when the call failed.
void dsprt_check_cuda(const DsprtRun *run, cudaError_t error, const char *what);
void dsprt_check_nccl(const DsprtRun *run, ncclResult_t error,
                      const char *what);
void dsprt_check_blas(const DsprtRun *run, cublasStatus_t error,
                      const char *what);
void dsprt_check_dnn(const DsprtRun *run, cudnnStatus_t error,
                     const char *what);

// Ranges of NVTX with the names of stages, for Nsight Systems: of the calls on
// the host, so in passes that are no replay of a graph.
void dsprt_range_stage(DsprtRun *run);
void dsprt_range_begin(const char *name);
void dsprt_range_end(void); ///< and that of the last stage in it

/// Makes run->stage the one that the GPU is at.
void dsprt_set_reached(DsprtRun *run);

void dsprt_marks_free(struct DsprtState *state);

/// Waits for the stream, with an eye on the other ranks.
void dsprt_wait(DsprtRun *run);
/// Copies `bytes` between the host and the device, in the order of the stream
/// of passes; waits until they are there.  `what` is named when it fails.
void dsprt_transfer(DsprtRun *run, void *to, const void *from, int64_t bytes,
                const char *what);

void dsprt_linears_free(struct DsprtLinearPlan *list);
void dsprt_attentions_free(struct DsprtAttentionPlan *list);
void dsprt_choices_free(struct DsprtAttentionChoice *list);

#ifdef __cplusplus
}
#endif
#endif
