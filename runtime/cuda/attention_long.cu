// attention_long.cu - which kernel of attention_long.cuh takes a call.
//
// Needs:  bf16, one query and one key dim, at most three batch dims, rows
//         aligned to 16 bytes, a GPU of compute capability 9.0.
// Leaves: o, or nothing when the call is not of this kind.
#include <string.h>

#include "attention.h"
#include "dsprt_kernels.cuh"

#ifdef DSPRT_HOPPER
#include "attention_long.cuh"

/// One tensor of a call: where it begins and its strides.
struct Side {
  const void *data;
  int64_t rows, row, batch[3];
};

typedef CUresult (*EncodeTiled)(CUtensorMap *, CUtensorMapDataType, cuuint32_t,
                                void *, const cuuint64_t *, const cuuint64_t *,
                                const cuuint32_t *, const cuuint32_t *,
                                CUtensorMapInterleave, CUtensorMapSwizzle,
                                CUtensorMapL2promotion,
                                CUtensorMapFloatOOBfill);

/// The driver's function, without linking the driver.
static EncodeTiled find_encode(void) {
  void *function = NULL;
  cudaDriverEntryPointQueryResult found;
#if CUDART_VERSION >= 12050
  cudaError_t error = cudaGetDriverEntryPointByVersion(
      "cuTensorMapEncodeTiled", &function, 12000, cudaEnableDefault, &found);
#else
  cudaError_t error = cudaGetDriverEntryPoint(
      "cuTensorMapEncodeTiled", &function, cudaEnableDefault, &found);
#endif
  if (error != cudaSuccess || found != cudaDriverEntryPointSuccess) return NULL;
  return (EncodeTiled)function;
}

/// Boxes of `rows` x `width` of a tensor with `channels` in a row.  Batch dims
/// in which it does not move have one element.
static bool encode(EncodeTiled function, CUtensorMap *map, const Side &side,
                   const uint32_t (&batch)[3], int channels, int width,
                   int rows) {
  cuuint64_t dims[5] = {(cuuint64_t)channels, (cuuint64_t)side.rows, 1, 1, 1};
  cuuint64_t steps[4] = {side.rows > 1 ? (cuuint64_t)side.row * 2 : 16, 16, 16,
                         16};
  cuuint32_t box[5] = {(cuuint32_t)width, (cuuint32_t)rows, 1, 1, 1};
  cuuint32_t ones[5] = {1, 1, 1, 1, 1};
  for (int i = 0; i < 3; i++) {
    int64_t step = side.batch[2 - i];
    if (step == 0) continue;
    dims[2 + i] = batch[2 - i];
    steps[1 + i] = (cuuint64_t)step * 2;
  }
  CUtensorMapSwizzle swizzle = width == 64   ? CU_TENSOR_MAP_SWIZZLE_128B
                               : width == 32 ? CU_TENSOR_MAP_SWIZZLE_64B
                               : width == 16 ? CU_TENSOR_MAP_SWIZZLE_32B
                                             : CU_TENSOR_MAP_SWIZZLE_NONE;
  return function(map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 5, (void *)side.data,
                  dims, steps, box, ones, CU_TENSOR_MAP_INTERLEAVE_NONE,
                  swizzle, CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
                  CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE) == CUDA_SUCCESS;
}

template <class T>
static bool encode_all(EncodeTiled function, Long *p, const Side (&side)[3]) {
  constexpr int W = T::QK_WIDTH, R = T::REST ? T::REST : 16;
  return encode(function, &p->q, side[0], p->batch, T::D, W, T::QUERIES) &&
         encode(function, &p->q_rest, side[0], p->batch, T::D, R, T::QUERIES) &&
         encode(function, &p->k, side[1], p->batch, T::D, W, T::KEYS) &&
         encode(function, &p->k_rest, side[1], p->batch, T::D, R, T::KEYS) &&
         encode(function, &p->v, side[2], p->batch, T::D, T::V_WIDTH, T::KEYS);
}

/// What does not depend on the kernel.
static Long describe_call(const DsprtAttentionCall *call, Side (&side)[3]) {
  const DsprtAttention *a = &call->a;
  Long p;
  memset(&p, 0, sizeof p);
  side[0] = {call->q, a->query[0].size, a->query[0].q, {}};
  side[1] = {call->k, a->key[0].size, a->key[0].k, {}};
  side[2] = {call->v, a->key[0].size, a->key[0].v, {}};
  for (int i = 0; i < 3; i++) {
    int from = a->nbatch - 3 + i;
    p.batch[i] = 1;
    if (from < 0) continue;
    p.batch[i] = (uint32_t)a->batch[from].size;
    p.o_step[i] = a->batch[from].o;
    p.bias_step[i] = a->bias.batch[from];
    side[0].batch[i] = a->batch[from].q;
    side[1].batch[i] = a->batch[from].k;
    side[2].batch[i] = a->batch[from].v;
    for (int t = 0; t < 3; t++) p.moves[i] |= (side[t].batch[i] != 0) << t;
  }
  p.o = (DsprtBf16 *)call->o;
  p.o_row = a->query[0].o;
  p.queries = (int)a->query[0].size;
  p.keys = (int)a->key[0].size;
  p.scale = a->scale * 1.4426950408889634f; // log2(e)
  p.causal = a->mask.causal;
  p.window = a->mask.window < INT32_MAX / 4 ? (int)a->mask.window : 0;
  p.begin = (int)a->mask.begin;
  p.bias = (const DsprtBf16 *)a->bias.data;
  p.bias_row = a->bias.query[0];
  p.bias_key = a->bias.key[0];
  return p;
}

/// Does nothing and returns false when the tensors cannot be described.
template <class T>
static bool launch(DsprtRun *run, const DsprtAttentionCall *call,
                   int multiprocessors) {
  Side side[3];
  Long p = describe_call(call, side);
  EncodeTiled function = find_encode();
  p.key_tiles = (p.keys + T::KEYS - 1) / T::KEYS;
  p.query_tiles = (p.queries + T::QUERIES - 1) / T::QUERIES;
  int64_t works = p.query_tiles;
  for (int i = 0; i < 3; i++) works *= p.batch[i];
  if (!function || works > INT32_MAX || !encode_all<T>(function, &p, side))
    return false;
  p.works = (uint32_t)works;
  unsigned blocks =
      works < multiprocessors ? (unsigned)works : (unsigned)multiprocessors;
  cudaFuncSetAttribute(long_kernel<T>,
                       cudaFuncAttributeMaxDynamicSharedMemorySize, T::BYTES);
  long_kernel<T><<<blocks, T::THREADS, T::BYTES, dsprt_stream(run)>>>(p);
  dsprt_check_launch(run);
  return true;
}

static bool is_long(const DsprtAttentionCall *call) {
  const DsprtAttention *a = &call->a;
  bool fits = true; // the copy engine counts to 2^31
  for (int i = 0; i < a->nbatch; i++) fits &= a->batch[i].size <= INT32_MAX;
  return call->type == DSPRT_BF16 && a->nquery == 1 && a->nkey == 1 &&
         a->nbatch <= 3 && a->dot == a->width && a->scale > 0 && fits &&
         a->query[0].size <= INT32_MAX / 2 && a->key[0].size > 0 &&
         a->key[0].size <= INT32_MAX / 2 && dsprt_attention_is_aligned(call);
}

/// Multiprocessors of the GPU, 0 where it is no Hopper.
static int hopper_multiprocessors(void) {
  int device = 0, major = 0, minor = 0, count = 0;
  cudaGetDevice(&device);
  cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device);
  cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device);
  cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device);
  return major == 9 && minor == 0 ? count : 0;
}

/// The sizes that were fastest on an H200; docs/runtime.md has the figures.
template <int D, int KIND> struct Best;
template <int KIND> struct Best<64, KIND> {
  using T = Tile<64, 3, 128, 3, 64, 64, 1, 0, 1, 0, KIND>;
};
template <int KIND> struct Best<72, KIND> {
  using T = Tile<72, 3, 128, 3, 64, 64, 1, 8, 1, 8, KIND>;
};
template <int KIND> struct Best<80, KIND> {
  using T = Tile<80, 3, 112, 3, 64, 16, 1, 8, 1, 8, KIND>;
};
template <int KIND> struct Best<96, KIND> {
  using T = Tile<96, 3, 96, 2, 64, 32, 1, 8, 1, 8, KIND>;
};
template <int KIND> struct Best<128, KIND> {
  using T = Tile<128, 2, 176, 2, 64, 64, 1, 0, 1, 0, KIND>;
};

// A bias needs registers that three groups, or longer tiles, do not leave.
template <> struct Best<64, BIASED> {
  using T = Tile<64, 2, 128, 3, 64, 64, 1, 4, 1, 8, BIASED>;
};
template <> struct Best<72, BIASED> {
  using T = Tile<72, 2, 128, 3, 64, 16, 1, 4, 1, 8, BIASED>;
};
template <> struct Best<80, BIASED> {
  using T = Tile<80, 2, 112, 3, 64, 16, 1, 4, 1, 8, BIASED>;
};
template <> struct Best<96, BIASED> {
  using T = Tile<96, 2, 144, 2, 64, 32, 1, 8, 1, 8, BIASED>;
};
template <> struct Best<128, BIASED> {
  using T = Tile<128, 2, 128, 2, 64, 64, 1, 0, 1, 8, BIASED>;
};

template <int KIND>
static bool launch_kind(DsprtRun *run, const DsprtAttentionCall *call,
                        int count) {
  switch (call->a.dot) {
  case 64: return launch<typename Best<64, KIND>::T>(run, call, count);
  case 72: return launch<typename Best<72, KIND>::T>(run, call, count);
  case 80: return launch<typename Best<80, KIND>::T>(run, call, count);
  case 96: return launch<typename Best<96, KIND>::T>(run, call, count);
  case 128: return launch<typename Best<128, KIND>::T>(run, call, count);
  default: return false;
  }
}

int dsprt_attention_long(DsprtRun *run, const DsprtAttentionCall *call) {
  int count = is_long(call) ? hopper_multiprocessors() : 0;
  if (count == 0) return 0;
#ifdef DSPRT_HOPPER_MASKS
  if (call->a.bias.data) return launch_kind<BIASED>(run, call, count);
  if (call->a.mask.causal || call->a.mask.window)
    return launch_kind<MASKED>(run, call, count);
#else
  if (call->a.bias.data || call->a.mask.causal || call->a.mask.window) return 0;
#endif
  return launch_kind<PLAIN>(run, call, count);
}

#else

int dsprt_attention_long(DsprtRun *run, const DsprtAttentionCall *call) {
  (void)run, (void)call;
  return 0;
}

#endif
