// One tensor of a call: where it begins and its strides.
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
  cudaError_t error =
      cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function,
                                       12000, cudaEnableDefault, &found);
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
  cuuint64_t steps[4] = {(cuuint64_t)side.row * 2, 16, 16, 16};
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
  return p;
}

template <class T>
static int launch_long(cudaStream_t stream, int multiprocessors,
                       EncodeTiled function, const DsprtAttentionCall *call) {
  Side side[3];
  Long p = describe_call(call, side);
  p.key_tiles = (p.keys + T::KEYS - 1) / T::KEYS;
  p.query_tiles = (p.queries + T::QUERIES - 1) / T::QUERIES;
  int64_t works = p.query_tiles;
  for (int i = 0; i < 3; i++) works *= p.batch[i];
  if (works > INT32_MAX || !encode_all<T>(function, &p, side)) return 0;
  p.works = (uint32_t)works;
  unsigned blocks = works < multiprocessors ? (unsigned)works
                                            : (unsigned)multiprocessors;
  if (cudaFuncSetAttribute(long_kernel<T>,
                           cudaFuncAttributeMaxDynamicSharedMemorySize,
                           T::BYTES) != cudaSuccess)
    return 0;
  long_kernel<T><<<blocks, T::THREADS, T::BYTES, stream>>>(p);
  return 1;
}
