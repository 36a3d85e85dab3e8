// state.h - what the CUDA runtime knows during a run.
#ifndef DSPRT_CUDA_STATE_H
#define DSPRT_CUDA_STATE_H

#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <cudnn.h>
#include <nccl.h>

#include "backend.h"
#include "team.h"

struct DsprtLinearPlan;
struct DsprtAttentionPlan;
struct DsprtAttentionChoice;

typedef struct DsprtState {
  DsprtTeam team;
  const DsprtProgram *program;
  cudaStream_t stream; ///< everything of a run is enqueued here
  ncclComm_t comm;     ///< NULL for one rank
  cublasLtHandle_t blas;
  cudnnHandle_t dnn; ///< NULL until attention asks for it

  bool warming;    ///< the first pass: plans are made, algorithms timed
  int64_t counted; ///< bytes that left this rank since it was set to 0
  int64_t first_counted;

  int64_t arena_bytes;
  unsigned char *mirror;  ///< host memory with the offsets of the arena
  void *weights;          ///< device memory
  void *pointers;         ///< the program's struct with device pointers
  void *workspace;        ///< of cuBLASLt and cuDNN
  unsigned char *staging; ///< what is packed for, or came from, other ranks
  int64_t staging_bytes;

  struct DsprtLinearPlan *linears;       ///< made so far
  struct DsprtAttentionPlan *attentions; ///< made so far
  struct DsprtAttentionChoice *choices;  ///< made so far
  cudaGraphExec_t graph;                 ///< a whole pass, once captured
} DsprtState;

enum { DSPRT_WORKSPACE_BYTES = 64 << 20 };

#ifdef __cplusplus
extern "C" {
#endif

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

/// Waits for the stream, with an eye on the other ranks.
void dsprt_wait(DsprtRun *run);

void dsprt_linears_free(struct DsprtLinearPlan *list);
void dsprt_attentions_free(struct DsprtAttentionPlan *list);
void dsprt_choices_free(struct DsprtAttentionChoice *list);

#ifdef __cplusplus
}
#endif
#endif
