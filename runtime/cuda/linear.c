// linear.c - matrix products by cuBLASLt with what can follow them.
//
// Needs:  row major x, w and y in device memory.
// Leaves: y.  In the first pass the candidates of cuBLASLt are timed, once for
//         each shape; later passes reuse the fastest.
#include <stdlib.h>
#include <string.h>

#include "dsprt_fused.h"
#include "state.h"
#include "work.h"

enum { CANDIDATES = 12, REPEATS = 3 };

/// All that the choice of an algorithm depends on.
typedef struct Key {
  int64_t rows, in, out, ldx, ldw, ldy;
  int32_t type, gelu_tanh, has_bias, has_residual;
} Key;

typedef struct DsprtLinearPlan {
  struct DsprtLinearPlan *next;
  Key key;
  cublasLtMatmulDesc_t product;
  cublasLtMatrixLayout_t w, x, y;
  cublasLtMatmulAlgo_t algorithm;
} DsprtLinearPlan;

/// One call.
typedef struct Call {
  const void *x, *w, *bias, *residual;
  void *y;
} Call;

static cudaDataType_t cuda_type(DsprtType type) {
  if (type == DSPRT_F32) return CUDA_R_32F;
  return type == DSPRT_F16 ? CUDA_R_16F : CUDA_R_16BF;
}

static Key key_of(const DsprtFusedLinear *f, const Call *call) {
  const DsprtLinear *l = &f->linear;
  Key key;
  memset(&key, 0, sizeof key);
  key.rows = l->rows, key.in = l->in, key.out = l->out;
  key.ldx = l->ldx ? l->ldx : l->in;
  key.ldw = l->ldw ? l->ldw : l->in;
  key.ldy = l->ldy ? l->ldy : l->out;
  key.type = (int32_t)f->type;
  key.gelu_tanh = f->gelu_tanh;
  key.has_bias = call->bias != NULL;
  key.has_residual = call->residual != NULL;
  return key;
}

static void set(DsprtRun *run, cublasLtMatmulDesc_t product,
                cublasLtMatmulDescAttributes_t what, const void *value,
                size_t size) {
  dsprt_check_blas(run,
                   cublasLtMatmulDescSetAttribute(product, what, value, size),
                   "describing a product");
}

static void layout(DsprtRun *run, cublasLtMatrixLayout_t *matrix,
                   const Key *key, int64_t rows, int64_t cols, int64_t ld) {
  dsprt_check_blas(
      run,
      cublasLtMatrixLayoutCreate(matrix, cuda_type((DsprtType)key->type),
                                 (uint64_t)rows, (uint64_t)cols, ld),
      "describing a matrix");
}

/// cuBLASLt is column major: y^T [out, rows] = w [out, in] x^T [in, rows].
static DsprtLinearPlan *describe(DsprtRun *run, const Key *key) {
  DsprtLinearPlan *plan = calloc(1, sizeof *plan);
  if (!plan) dsprt_fail(run, "out of memory");
  plan->key = *key;
  cublasOperation_t transposed = CUBLAS_OP_T;
  cublasLtEpilogue_t epilogue =
      key->gelu_tanh
          ? (key->has_bias ? CUBLASLT_EPILOGUE_GELU_BIAS
                           : CUBLASLT_EPILOGUE_GELU)
          : (key->has_bias ? CUBLASLT_EPILOGUE_BIAS
                           : CUBLASLT_EPILOGUE_DEFAULT);
  cudaDataType_t bias = cuda_type((DsprtType)key->type);
  cublasComputeType_t compute = key->type == DSPRT_F32 && run->state->tf32
                                    ? CUBLAS_COMPUTE_32F_FAST_TF32
                                    : CUBLAS_COMPUTE_32F;
  dsprt_check_blas(
      run,
      cublasLtMatmulDescCreate(&plan->product, compute, CUDA_R_32F),
      "describing a product");
  set(run, plan->product, CUBLASLT_MATMUL_DESC_TRANSA, &transposed,
      sizeof transposed);
  set(run, plan->product, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue,
      sizeof epilogue);
  set(run, plan->product, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, &bias,
      sizeof bias);
  layout(run, &plan->w, key, key->in, key->out, key->ldw);
  layout(run, &plan->x, key, key->in, key->rows, key->ldx);
  layout(run, &plan->y, key, key->out, key->rows, key->ldy);
  return plan;
}

static cublasStatus_t multiply(DsprtRun *run, DsprtLinearPlan *plan,
                               const Call *call,
                               const cublasLtMatmulAlgo_t *algorithm) {
  DsprtState *state = run->state;
  const float one = 1, beta = call->residual ? 1 : 0;
  if (call->bias)
    set(run, plan->product, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &call->bias,
        sizeof call->bias);
  const void *c = call->residual ? call->residual : call->y;
  return cublasLtMatmul(state->blas, plan->product, &one, call->w, plan->w,
                        call->x, plan->x, &beta, c, plan->y, call->y, plan->y,
                        algorithm, state->workspace, DSPRT_WORKSPACE_BYTES,
                        state->stream);
}

/// Milliseconds of a product, or a negative number when it does not run.
static float time_of(DsprtRun *run, DsprtLinearPlan *plan, const Call *call,
                     const cublasLtMatmulAlgo_t *algorithm, cudaEvent_t begin,
                     cudaEvent_t end) {
  float ms = -1;
  if (multiply(run, plan, call, algorithm) != CUBLAS_STATUS_SUCCESS) return -1;
  cudaEventRecord(begin, run->state->stream);
  for (int i = 0; i < REPEATS; i++) multiply(run, plan, call, algorithm);
  cudaEventRecord(end, run->state->stream);
  if (cudaEventSynchronize(end) != cudaSuccess) return -1;
  cudaEventElapsedTime(&ms, begin, end);
  return ms;
}

static int list_candidates(DsprtRun *run, DsprtLinearPlan *plan,
                           cublasLtMatmulHeuristicResult_t *found) {
  cublasLtMatmulPreference_t wish;
  size_t workspace = DSPRT_WORKSPACE_BYTES;
  int count = 0;
  dsprt_check_blas(run, cublasLtMatmulPreferenceCreate(&wish), "a preference");
  dsprt_check_blas(run,
                   cublasLtMatmulPreferenceSetAttribute(
                       wish, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                       &workspace, sizeof workspace),
                   "a preference");
  cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(
      run->state->blas, plan->product, plan->w, plan->x, plan->y, plan->y, wish,
      CANDIDATES, found, &count);
  cublasLtMatmulPreferenceDestroy(wish);
  dsprt_check_blas(run, status, "an algorithm");
  if (count == 0) dsprt_fail(run, "cuBLASLt has no algorithm for a product");
  return count;
}

/// The bytes from the first to the last element of y.
static size_t bytes_of_y(const Key *key) {
  return (size_t)((key->rows - 1) * key->ldy + key->out) *
         (size_t)dsprt_type_bytes((DsprtType)key->type);
}

/// What y held, kept by the host while candidates are tried on it: a residual.
/// NULL when y holds nothing, or when there is no room.
static void *keep(DsprtRun *run, const Key *key, const Call *call) {
  if (call->residual != call->y) return NULL;
  void *kept = malloc(bytes_of_y(key));
  if (!kept) return NULL;
  dsprt_transfer(run, kept, call->y, (int64_t)bytes_of_y(key),
             "keeping a residual");
  return kept;
}

static void put_back(DsprtRun *run, const Key *key, const Call *call,
                     void *kept) {
  dsprt_transfer(run, call->y, kept, (int64_t)bytes_of_y(key),
             "putting a residual back");
  free(kept);
}

/// Times the candidates on y itself, so that no other memory is needed.
static void tune(DsprtRun *run, DsprtLinearPlan *plan, const Call *call) {
  cublasLtMatmulHeuristicResult_t found[CANDIDATES];
  int count = list_candidates(run, plan, found);
  dsprt_wait(run); // with an eye on the other ranks, as timing has not
  plan->algorithm = found[0].algo;
  if (count == 1) return;
  void *kept = keep(run, &plan->key, call);
  if (!kept && call->residual == call->y) return; // the first choice
  cudaEvent_t begin, end;
  cudaEventCreate(&begin);
  cudaEventCreate(&end);
  float best = -1;
  for (int i = 0; i < count; i++) {
    float ms = time_of(run, plan, call, &found[i].algo, begin, end);
    if (ms < 0 || (best >= 0 && ms >= best)) continue;
    best = ms;
    plan->algorithm = found[i].algo;
  }
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  if (kept) put_back(run, &plan->key, call, kept);
}

static DsprtLinearPlan *find(DsprtRun *run, const Key *key, const Call *call) {
  DsprtState *state = run->state;
  DsprtLinearPlan *plan = state->linears;
  while (plan && memcmp(&plan->key, key, sizeof *key) != 0) plan = plan->next;
  if (plan) return plan;
  if (!state->warming) dsprt_fail(run, "a product that the first pass had not");
  plan = describe(run, key);
  tune(run, plan, call);
  plan->next = state->linears;
  return state->linears = plan;
}

void dsprt_fused_linear(DsprtRun *run, const DsprtFusedLinear *fused,
                        const void *x, const void *w, const void *bias,
                        const void *residual, void *y) {
  DSPRT_SPAN(run, DSPRT_WORK_PRODUCT, "linear",
             dsprt_linear_flops(&fused->linear),
             dsprt_linear_bytes(&fused->linear, fused->type));
  Call call = {x, w, bias, residual, y};
  if (fused->linear.rows == 0 || fused->linear.out == 0) return;
  Key key = key_of(fused, &call);
  DsprtLinearPlan *plan = find(run, &key, &call);
  dsprt_check_blas(run, multiply(run, plan, &call, &plan->algorithm),
                   "a product");
}

void dsprt_linear_f32(DsprtRun *run, const DsprtLinear *linear, const float *x,
                      const float *w, const float *bias, float *y) {
  DsprtFusedLinear fused = {.linear = *linear, .type = DSPRT_F32};
  dsprt_fused_linear(run, &fused, x, w, bias, NULL, y);
}

void dsprt_linear_bf16(DsprtRun *run, const DsprtLinear *linear,
                       const DsprtBf16 *x, const DsprtBf16 *w,
                       const DsprtBf16 *bias, DsprtBf16 *y, void *workspace) {
  (void)workspace;
  DsprtFusedLinear fused = {.linear = *linear, .type = DSPRT_BF16};
  dsprt_fused_linear(run, &fused, x, w, bias, NULL, y);
}

void dsprt_linear_f16(DsprtRun *run, const DsprtLinear *linear,
                      const DsprtF16 *x, const DsprtF16 *w,
                      const DsprtF16 *bias, DsprtF16 *y, void *workspace) {
  (void)workspace;
  DsprtFusedLinear fused = {.linear = *linear, .type = DSPRT_F16};
  dsprt_fused_linear(run, &fused, x, w, bias, NULL, y);
}

void dsprt_linears_free(DsprtLinearPlan *list) {
  while (list) {
    DsprtLinearPlan *next = list->next;
    cublasLtMatrixLayoutDestroy(list->w);
    cublasLtMatrixLayoutDestroy(list->x);
    cublasLtMatrixLayoutDestroy(list->y);
    cublasLtMatmulDescDestroy(list->product);
    free(list);
    list = next;
  }
}
