// dsprt_compute.h - linear, norms, attention and copies on one rank.
//
// _f32 stores f32; _bf16 and _f16 store that and compute in f32.  Strides and
// leading dimensions count elements; a leading dimension of 0 means dense rows.
// All threads of the rank take part.  Sizes may be 0: then nothing happens.
#ifndef DSPRT_COMPUTE_H
#define DSPRT_COMPUTE_H

#include "dsprt_profile.h"
#include "dsprt_program.h"
#include "dsprt_types.h"

/// y = x w^T + bias
typedef struct DsprtLinear {
  int64_t rows, in, out;
  int64_t ldx, ldw, ldy; ///< 0: in, in, out
} DsprtLinear;

///   x     [rows, in]   rows ldx apart       w     [out, in]   rows ldw apart
///   bias  [out] or NULL                     y     [rows, out] rows ldy apart
///
/// y overlaps nothing else.
void dsprt_linear_f32(DsprtRun *run, const DsprtLinear *linear, const float *x,
                      const float *w, const float *bias, float *y);
/// The same; `workspace` has dsprt_linear_workspace bytes.
void dsprt_linear_bf16(DsprtRun *run, const DsprtLinear *linear,
                       const DsprtBf16 *x, const DsprtBf16 *w,
                       const DsprtBf16 *bias, DsprtBf16 *y, void *workspace);
void dsprt_linear_f16(DsprtRun *run, const DsprtLinear *linear,
                       const DsprtF16 *x, const DsprtF16 *w,
                       const DsprtF16 *bias, DsprtF16 *y, void *workspace);

enum { DSPRT_LINEAR_TILE = 512 };

/// Bytes of workspace for dsprt_linear_bf16 and _f16: with m = min(rows, 512)
/// and n = min(out, 512), 4 * (m * in + n * in + m * n).
static inline int64_t dsprt_linear_workspace(int64_t rows, int64_t in,
                                             int64_t out) {
  int64_t m = rows < DSPRT_LINEAR_TILE ? rows : DSPRT_LINEAR_TILE;
  int64_t n = out < DSPRT_LINEAR_TILE ? out : DSPRT_LINEAR_TILE;
  return 4 * (m * in + n * in + m * n);
}

/// Normalises rows of `channels` elements.
typedef struct DsprtNorm {
  int64_t rows, channels;
  int64_t ldx, ldy; ///< 0: channels
  float eps;
} DsprtNorm;

/// y = (x - mean) / sqrt(variance + eps) * weight + bias, statistics in f32
/// and in two passes.  weight [channels] or NULL; bias likewise; y may be x.
void dsprt_layer_norm_f32(DsprtRun *run, const DsprtNorm *norm, const float *x,
                          const float *weight, const float *bias, float *y);
void dsprt_layer_norm_bf16(DsprtRun *run, const DsprtNorm *norm,
                           const DsprtBf16 *x, const DsprtBf16 *weight,
                           const DsprtBf16 *bias, DsprtBf16 *y);
void dsprt_layer_norm_f16(DsprtRun *run, const DsprtNorm *norm,
                           const DsprtF16 *x, const DsprtF16 *weight,
                           const DsprtF16 *bias, DsprtF16 *y);
/// y = x / sqrt(mean(x^2) + eps) * weight.
void dsprt_rms_norm_f32(DsprtRun *run, const DsprtNorm *norm, const float *x,
                        const float *weight, float *y);
void dsprt_rms_norm_bf16(DsprtRun *run, const DsprtNorm *norm,
                         const DsprtBf16 *x, const DsprtBf16 *weight,
                         DsprtBf16 *y);
void dsprt_rms_norm_f16(DsprtRun *run, const DsprtNorm *norm,
                         const DsprtF16 *x, const DsprtF16 *weight,
                         DsprtF16 *y);

enum { DSPRT_MAX_BATCH = 8, DSPRT_MAX_OVER = 3 };

/// o = softmax(scale * q k^T + bias) v for each element of the batch dims.
///
/// Each dim has a size and a stride in every tensor that it touches; a batch
/// dim that k and v lack has stride 0 there (when it can be a query dim, make
/// it one: keys are then read once for all its queries).  No query dim: one
/// query.  q, k and v may be slices of one packed tensor.
typedef struct DsprtAttention {
  int nbatch, nquery, nkey;
  struct {
    int64_t size, q, k, v, o;
  } batch[DSPRT_MAX_BATCH];
  struct {
    int64_t size, q, o;
  } query[DSPRT_MAX_OVER];
  struct {
    int64_t size, k, v;
  } key[DSPRT_MAX_OVER];
  int64_t dot;   ///< channels of a head in q and k, contiguous
  int64_t width; ///< channels of a head in v and o, contiguous
  float scale;
  struct {
    const void *data; ///< of q's type, added to the scaled products; or NULL
    int64_t batch[DSPRT_MAX_BATCH], query[DSPRT_MAX_OVER], key[DSPRT_MAX_OVER];
  } bias; ///< and its strides along the same dims
  struct {
    int causal;     ///< a query does not see the keys behind it
    int64_t window; ///< nor those that are this far away, or farther; 0: all
    int query;      ///< the query dim along the one key dim
    int64_t begin;  ///< where its first query stands among the keys
  } mask;
} DsprtAttention;

/// The keys that a query sees: from `begin` on, in front of `end`.
typedef struct DsprtKeys {
  int64_t begin, end;
} DsprtKeys;

/// Of query number `query` of an element of the batch; `end` may lie behind the
/// last key.
DSPRT_INLINE DsprtKeys dsprt_keys_seen(const DsprtAttention *a,
                                       int64_t query) {
  DsprtKeys seen = {0, INT64_MAX};
  if (!a->mask.causal && !a->mask.window) return seen;
  for (int i = a->nquery; --i > a->mask.query;) query /= a->query[i].size;
  int64_t at = a->mask.begin + query % a->query[a->mask.query].size;
  if (a->mask.window && at >= a->mask.window)
    seen.begin = at - a->mask.window + 1;
  if (a->mask.window) seen.end = at + a->mask.window;
  if (a->mask.causal) seen.end = at + 1;
  return seen;
}

/// Works in tiles with a running softmax: memory is a few tiles a thread,
/// never queries x keys.  o overlaps neither q, k nor v.  A bias of -INFINITY
/// hides a key from a query; one that sees no key gets 0.
/// Cost: 2 * batch * queries * keys * (dot + width) operations.
void dsprt_attention_f32(DsprtRun *run, const DsprtAttention *attention,
                         const float *q, const float *k, const float *v,
                         float *o);
void dsprt_attention_bf16(DsprtRun *run, const DsprtAttention *attention,
                          const DsprtBf16 *q, const DsprtBf16 *k,
                          const DsprtBf16 *v, DsprtBf16 *o);
void dsprt_attention_f16(DsprtRun *run, const DsprtAttention *attention,
                          const DsprtF16 *q, const DsprtF16 *k,
                          const DsprtF16 *v, DsprtF16 *o);

/// The ranks of a ring.
typedef enum DsprtRingRanks {
  DSPRT_RING_AXIS_0, ///< those along axis 0 of the mesh, which cuts the dim
  DSPRT_RING_AXIS_1,
  DSPRT_RING_ALL, ///< all: both axes cut the dim
} DsprtRingRanks;

/// A dim that is cut in q, k, v and o alike.
typedef struct DsprtRing {
  int64_t size; ///< of the dim, global
  int key;      ///< which of the key dims it is
  DsprtRingRanks ranks;
  unsigned alone; ///< bit i: k and v do not have dim i of the batch
} DsprtRing;

/// Attention of this rank's queries to the keys of all ranks of the ring: sizes
/// are this rank's, and the parts of k and v travel round the ranks.
///
///   scratch  2 * ceil64(bytes of the largest part of k and v) + 4 * (elements
///            of o) + 8 * (rows of o); 64-byte aligned, overlaps nothing
///
/// Collective.  Traffic: the parts of all its ranks but the next one's.
/// Source: Ring Attention, arXiv:2310.01889.
void dsprt_ring_attention_f32(DsprtRun *run, const DsprtAttention *attention,
                              const DsprtRing *ring, const float *q,
                              const float *k, const float *v, float *o,
                              void *scratch);
void dsprt_ring_attention_bf16(DsprtRun *run, const DsprtAttention *attention,
                               const DsprtRing *ring, const DsprtBf16 *q,
                               const DsprtBf16 *k, const DsprtBf16 *v,
                               DsprtBf16 *o, void *scratch);
void dsprt_ring_attention_f16(DsprtRun *run, const DsprtAttention *attention,
                               const DsprtRing *ring, const DsprtF16 *q,
                               const DsprtF16 *k, const DsprtF16 *v,
                               DsprtF16 *o, void *scratch);

enum { DSPRT_MAX_EINSUM = 8 };

/// A dim of an einsum and its strides, 0 where a tensor lacks it.
typedef struct DsprtEinsumDim {
  int64_t size, a, b, y;
} DsprtEinsumDim;

/// y = sum of a * b over the dims `sum`.
///
/// batch: dims of a, b and y; row: of a and y; column: of b and y; sum: of a
/// and b.
typedef struct DsprtEinsum {
  DsprtType type; ///< DSPRT_F32, _BF16 or _F16, summed in f32
  int nbatch, nrow, ncolumn, nsum;
  DsprtEinsumDim batch[DSPRT_MAX_EINSUM], row[DSPRT_MAX_EINSUM],
      column[DSPRT_MAX_EINSUM], sum[DSPRT_MAX_EINSUM];
} DsprtEinsum;

/// y overlaps neither a nor b.  Over no elements the sum is 0.
void dsprt_einsum(DsprtRun *run, const DsprtEinsum *einsum, const void *a,
                  const void *b, void *y);

/// Rows of a table.
typedef struct DsprtEmbedding {
  int64_t rows;     ///< ids
  int64_t entries;  ///< rows of the table
  int64_t channels; ///< of a row
  DsprtType type;   ///< of the table and of y
} DsprtEmbedding;

///   ids  [rows], each in 0 .. entries - 1
///   w    [entries, channels]
///   y    [rows, channels]; overlaps neither
///
/// Another id ends the program with an error: on CPUs one that names it, on
/// GPUs one of the launch, which the pass reports.
void dsprt_embedding(DsprtRun *run, const DsprtEmbedding *embedding,
                     const int32_t *ids, const void *w, void *y);

/// A copy between two layouts: permutes, slices, concatenates, broadcasts.
typedef struct DsprtCopy {
  int ndims;
  struct {
    int64_t size, in, out; ///< an `in` of 0 repeats
  } dims[DSPRT_MAX_DIMS];
} DsprtCopy;

/// Copies elements of `type`; in and out must not overlap.
void dsprt_copy(DsprtRun *run, DsprtType type, const DsprtCopy *copy,
                const void *in, void *out);

#endif
