// check.c - errors of CUDA, NCCL, cuBLASLt and cuDNN in words.
//
// Needs:  a call's result.
// Leaves: nothing, or no run at all.
#include "state.h"

void dsprt_check_cuda(const DsprtRun *run, cudaError_t error,
                      const char *what) {
  if (error != cudaSuccess)
    dsprt_fail(run, "CUDA, %s: %s", what, cudaGetErrorString(error));
}

void dsprt_check_nccl(const DsprtRun *run, ncclResult_t error,
                      const char *what) {
  if (error != ncclSuccess)
    dsprt_fail(run, "NCCL, %s: %s", what, ncclGetErrorString(error));
}

void dsprt_check_blas(const DsprtRun *run, cublasStatus_t error,
                      const char *what) {
  if (error != CUBLAS_STATUS_SUCCESS)
    dsprt_fail(run, "cuBLASLt, %s: %s", what, cublasLtGetStatusString(error));
}

void dsprt_check_dnn(const DsprtRun *run, cudnnStatus_t error,
                     const char *what) {
  if (error == CUDNN_STATUS_SUCCESS) return;
  char text[512];
  cudnnGetLastErrorString(text, sizeof text);
  dsprt_fail(run, "cuDNN, %s: %s: %s", what, cudnnGetErrorString(error), text);
}
