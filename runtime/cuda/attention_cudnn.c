// attention_cudnn.c - attention by cuDNN's unified forward node.
//
// Needs:  bf16 or f16, one query and one key dim, heads of a multiple of 8
//         channels, tensors of any strides.
// Leaves: o.  A plan is built once for each shape, in the first pass.
#include <stdlib.h>
#include <string.h>

#include "attention.h"
#include "state.h"

enum { Q = 1, K, V, O, SCALE, LSE, TENSORS = 6 };

/// All that a plan depends on: sizes and strides of [batch, head, row].
typedef struct Key {
  int64_t type; ///< of cuDNN
  int64_t batch, heads, queries, keys, dot, width;
  int64_t q[3], k[3], v[3], o[3];
  int64_t has_lse;
} Key;

typedef struct DsprtAttentionPlan {
  struct DsprtAttentionPlan *next;
  Key key;
  int fails; ///< cuDNN cannot run it
  cudnnBackendDescriptor_t plan;
} DsprtAttentionPlan;

static int set(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
               cudnnBackendAttributeType_t type, int64_t count,
               const void *value) {
  return cudnnBackendSetAttribute(d, name, type, count, value) ==
         CUDNN_STATUS_SUCCESS;
}

static cudnnBackendDescriptor_t make(cudnnBackendDescriptorType_t type) {
  cudnnBackendDescriptor_t d = NULL;
  if (cudnnBackendCreateDescriptor(type, &d) != CUDNN_STATUS_SUCCESS)
    return NULL;
  return d;
}

/// A tensor of four dims; the last one has stride 1.
static cudnnBackendDescriptor_t tensor(int64_t id, cudnnDataType_t type,
                                       const int64_t *dims,
                                       const int64_t *strides, bool by_value) {
  cudnnBackendDescriptor_t d = make(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  int64_t alignment = by_value ? 4 : 16;
  bool fine =
      d &&
      set(d, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type) &&
      set(d, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, dims) &&
      set(d, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, strides) &&
      set(d, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &id) &&
      set(d, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1,
          &alignment) &&
      set(d, CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, 1, &by_value) &&
      cudnnBackendFinalize(d) == CUDNN_STATUS_SUCCESS;
  if (fine) return d;
  if (d) cudnnBackendDestroyDescriptor(d);
  return NULL;
}

static cudnnBackendDescriptor_t activation(const Key *key, int64_t id,
                                           int64_t rows, int64_t channels,
                                           const int64_t *steps) {
  int64_t dims[4] = {key->batch, key->heads, rows, channels};
  int64_t strides[4] = {steps[0], steps[1], steps[2], 1};
  return tensor(id, (cudnnDataType_t)key->type, dims, strides, false);
}

/// The operation, from its tensors; the last one may be NULL.
static cudnnBackendDescriptor_t operation(cudnnBackendDescriptor_t *t) {
  static const cudnnBackendAttributeName_t names[] = {
      CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC, CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC,
      CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC, CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC,
      CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC,
      CUDNN_ATTR_OPERATION_SDPA_FWD_STATSDESC};
  cudnnBackendDescriptor_t op =
      make(CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR);
  bool fine = op != NULL;
  for (int i = 0; i < TENSORS && fine; i++)
    fine = t[i] ? set(op, names[i], CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &t[i])
                : i + 1 == LSE;
  if (fine && cudnnBackendFinalize(op) == CUDNN_STATUS_SUCCESS) return op;
  if (op) cudnnBackendDestroyDescriptor(op);
  return NULL;
}

static cudnnBackendDescriptor_t graph_of(cudnnHandle_t handle,
                                         cudnnBackendDescriptor_t op) {
  cudnnBackendDescriptor_t graph =
      make(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  if (graph && op &&
      set(graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
          1, &op) &&
      set(graph, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1,
          &handle) &&
      cudnnBackendFinalize(graph) == CUDNN_STATUS_SUCCESS)
    return graph;
  if (graph) cudnnBackendDestroyDescriptor(graph);
  return NULL;
}

/// The first configuration that makes a plan within our workspace.
static cudnnBackendDescriptor_t plan_of(cudnnHandle_t handle,
                                        cudnnBackendDescriptor_t config) {
  cudnnBackendDescriptor_t plan =
      make(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  int64_t workspace = 0, count;
  if (plan &&
      set(plan, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1,
          &handle) &&
      set(plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG,
          CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &config) &&
      cudnnBackendFinalize(plan) == CUDNN_STATUS_SUCCESS &&
      cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
                               CUDNN_TYPE_INT64, 1, &count,
                               &workspace) == CUDNN_STATUS_SUCCESS &&
      workspace <= DSPRT_WORKSPACE_BYTES)
    return plan;
  if (plan) cudnnBackendDestroyDescriptor(plan);
  return NULL;
}

static cudnnBackendDescriptor_t best_plan(cudnnHandle_t handle,
                                          cudnnBackendDescriptor_t graph) {
  enum { CONFIGS = 8 };
  cudnnBackendHeurMode_t mode = CUDNN_HEUR_MODE_A;
  cudnnBackendDescriptor_t plan = NULL, configs[CONFIGS] = {NULL};
  cudnnBackendDescriptor_t heuristic =
      make(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  int64_t count = 0;
  for (int i = 0; i < CONFIGS; i++)
    configs[i] = make(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
  if (heuristic &&
      set(heuristic, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH,
          CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &graph) &&
      set(heuristic, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1,
          &mode) &&
      cudnnBackendFinalize(heuristic) == CUDNN_STATUS_SUCCESS)
    cudnnBackendGetAttribute(heuristic, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                             CUDNN_TYPE_BACKEND_DESCRIPTOR, CONFIGS, &count,
                             configs);
  for (int i = 0; i < count && !plan; i++) plan = plan_of(handle, configs[i]);
  for (int i = 0; i < CONFIGS; i++)
    if (configs[i]) cudnnBackendDestroyDescriptor(configs[i]);
  if (heuristic) cudnnBackendDestroyDescriptor(heuristic);
  return plan;
}

static cudnnBackendDescriptor_t build(DsprtRun *run, const Key *key) {
  static const int64_t one[4] = {1, 1, 1, 1};
  cudnnHandle_t handle = run->state->dnn;
  int64_t rows[4] = {key->batch, key->heads, key->queries, 1};
  int64_t steps[4] = {key->heads * key->queries, key->queries, 1, 1};
  cudnnBackendDescriptor_t t[TENSORS] = {
      activation(key, Q, key->queries, key->dot, key->q),
      activation(key, K, key->keys, key->dot, key->k),
      activation(key, V, key->keys, key->width, key->v),
      activation(key, O, key->queries, key->width, key->o),
      tensor(SCALE, CUDNN_DATA_FLOAT, one, one, true)};
  if (key->has_lse)
    t[LSE - 1] = tensor(LSE, CUDNN_DATA_FLOAT, rows, steps, false);
  bool made = !key->has_lse || t[LSE - 1];
  cudnnBackendDescriptor_t op = made ? operation(t) : NULL, plan = NULL;
  cudnnBackendDescriptor_t graph = op ? graph_of(handle, op) : NULL;
  if (graph) plan = best_plan(handle, graph);
  if (graph) cudnnBackendDestroyDescriptor(graph);
  if (op) cudnnBackendDestroyDescriptor(op);
  for (int i = 0; i < TENSORS; i++)
    if (t[i]) cudnnBackendDestroyDescriptor(t[i]);
  return plan;
}

static DsprtAttentionPlan *find(DsprtRun *run, const Key *key) {
  DsprtState *state = run->state;
  DsprtAttentionPlan *plan = state->attentions;
  while (plan && memcmp(&plan->key, key, sizeof *key) != 0) plan = plan->next;
  if (plan) return plan;
  if (!state->warming)
    dsprt_fail(run, "an attention that the first pass had not");
  plan = calloc(1, sizeof *plan);
  if (!plan) dsprt_fail(run, "out of memory");
  plan->key = *key;
  plan->plan = build(run, key);
  plan->fails = plan->plan == NULL;
  plan->next = state->attentions;
  return state->attentions = plan;
}

static void execute(DsprtRun *run, const DsprtAttentionPlan *plan,
                    const void *q, const void *k, const void *v, void *o,
                    float scale, void *lse) {
  DsprtState *state = run->state;
  int64_t ids[TENSORS] = {Q, K, V, O, SCALE, LSE};
  const void *data[TENSORS] = {q, k, v, o, &scale, lse};
  int count = lse ? TENSORS : TENSORS - 1;
  cudnnBackendDescriptor_t pack = make(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  bool fine =
      pack &&
      set(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, count,
          ids) &&
      set(pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR,
          count, data) &&
      set(pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1,
          &state->workspace) &&
      cudnnBackendFinalize(pack) == CUDNN_STATUS_SUCCESS;
  if (!fine) dsprt_fail(run, "cuDNN does not take the tensors of an attention");
  dsprt_check_dnn(run, cudnnBackendExecute(state->dnn, plan->plan, pack),
                  "an attention");
  cudnnBackendDestroyDescriptor(pack);
}

/// The last two batch dims are batch and head of cuDNN.
static Key key_of(const DsprtAttention *a, DsprtType type) {
  Key key;
  memset(&key, 0, sizeof key);
  key.type = type == DSPRT_BF16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_HALF;
  key.batch = key.heads = 1;
  key.queries = a->query[0].size, key.keys = a->key[0].size;
  key.dot = a->dot, key.width = a->width;
  for (int i = 0; i < 2; i++) {
    int from = a->nbatch - 2 + i;
    if (from < 0) continue;
    *(i ? &key.heads : &key.batch) = a->batch[from].size;
    key.q[i] = a->batch[from].q, key.k[i] = a->batch[from].k;
    key.v[i] = a->batch[from].v, key.o[i] = a->batch[from].o;
  }
  key.q[2] = a->query[0].q, key.o[2] = a->query[0].o;
  key.k[2] = a->key[0].k, key.v[2] = a->key[0].v;
  return key;
}

static bool is_aligned(const DsprtAttentionCall *call) {
  const DsprtAttention *a = &call->a;
  uintptr_t all = (uintptr_t)call->q | (uintptr_t)call->k | (uintptr_t)call->v |
                  (uintptr_t)call->o | (uintptr_t)call->lse;
  int64_t steps = a->query[0].q | a->query[0].o | a->key[0].k | a->key[0].v |
                  a->dot | a->width;
  for (int i = 0; i < a->nbatch; i++)
    steps |= a->batch[i].q | a->batch[i].k | a->batch[i].v | a->batch[i].o;
  if (call->lse && a->nbatch == 3) // each of the outer ones by itself
    steps |= 2 * a->batch[1].size * a->batch[2].size * a->query[0].size;
  return all % 16 == 0 && steps % 8 == 0;
}

int dsprt_attention_cudnn(DsprtRun *run, const DsprtAttentionCall *call) {
  const DsprtAttention *a = &call->a;
  DsprtState *state = run->state;
  if (dsprt_type_bytes(call->type) != 2 || a->nquery != 1 || a->nkey != 1 ||
      a->nbatch > 3 || a->dot > 256 || a->width > 256 || !is_aligned(call))
    return 0;
  if (!state->dnn) {
    dsprt_check_dnn(run, cudnnCreate(&state->dnn), "a handle");
    dsprt_check_dnn(run, cudnnSetStream(state->dnn, state->stream), "a stream");
  }
  Key key = key_of(a, call->type);
  key.has_lse = call->lse != NULL;
  DsprtAttentionPlan *plan = find(run, &key);
  if (plan->fails) return 0;
  int64_t outer = a->nbatch == 3 ? a->batch[0].size : 1;
  int64_t rows = key.batch * key.heads * key.queries;
  for (int64_t i = 0; i < outer; i++)
    execute(run, plan, (const uint16_t *)call->q + i * a->batch[0].q,
            (const uint16_t *)call->k + i * a->batch[0].k,
            (const uint16_t *)call->v + i * a->batch[0].v,
            (uint16_t *)call->o + i * a->batch[0].o, a->scale,
            call->lse ? call->lse + i * rows : NULL);
  return 1;
}

void dsprt_attentions_free(DsprtAttentionPlan *list) {
  while (list) {
    DsprtAttentionPlan *next = list->next;
    if (list->plan) cudnnBackendDestroyDescriptor(list->plan);
    free(list);
    list = next;
  }
}
