// attention.c - softmax(scale * q k^T) v in tiles.
//
// Needs:  strides of q, k, v and o; contiguous channels.
// Leaves: o, or sums that later keys continue (ring.c).  A task is a tile of
//         queries of one element of the batch; it walks the keys tile by tile.
//         Few keys go through the small kernel, many through the BLAS.
//         Memory: a few tiles a thread.
#include <cblas.h>
#include <math.h>
#include <omp.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "attention.h"
#include "dsprt_compute.h"
#include "dsprt_math.h"
#include "kernel.h"
#include "state.h"
#include "work.h"

enum { QUERY_TILE = 128, KEY_TILE = 256, FEW_KEYS = 64 };

/// One call.
typedef struct Job {
  const DsprtAttention *a;
  DsprtType type;
  const unsigned char *q, *k, *v;
  unsigned char *o;
  int64_t batches, queries, keys;
  int64_t pitch; ///< width, padded for the small kernel
  const DsprtPartial *partial; ///< or NULL: all keys are here
} Job;

/// The memory of one thread.
typedef struct Tiles {
  float *q;      ///< [QUERY_TILE, dot], scaled
  float *k;      ///< [KEY_TILE, dot], or [dot, FEW_KEYS]
  float *v;      ///< [KEY_TILE, pitch]
  float *scores; ///< [QUERY_TILE, KEY_TILE]
  float *o;      ///< [QUERY_TILE, pitch], not divided yet
  DsprtSoftmax rows[QUERY_TILE];
} Tiles;

/// Where the element of the batch begins.
typedef struct Bases {
  int64_t q, k, v, o, bias;
} Bases;

static int64_t round_up(int64_t n, int64_t unit) {
  return (n + unit - 1) / unit * unit;
}

static int64_t min(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static int64_t tile_floats(const Job *job) {
  return QUERY_TILE * (round_up(job->a->dot, 16) + KEY_TILE + job->pitch) +
         KEY_TILE * (round_up(job->a->dot, 16) + job->pitch);
}

static void set_tiles(const Job *job, float *memory, Tiles *tiles) {
  int64_t dot = round_up(job->a->dot, 16);
  tiles->q = memory;
  tiles->k = tiles->q + QUERY_TILE * dot;
  tiles->v = tiles->k + KEY_TILE * dot;
  tiles->scores = tiles->v + KEY_TILE * job->pitch;
  tiles->o = tiles->scores + QUERY_TILE * KEY_TILE;
}

static Bases bases_of(const DsprtAttention *a, int64_t batch) {
  Bases at = {0};
  for (int i = a->nbatch; i-- > 0;) {
    int64_t index = batch % a->batch[i].size;
    batch /= a->batch[i].size;
    at.q += index * a->batch[i].q;
    at.k += index * a->batch[i].k;
    at.v += index * a->batch[i].v;
    at.o += index * a->batch[i].o;
    at.bias += index * a->bias.batch[i];
  }
  return at;
}

static void find_query(const DsprtAttention *a, int64_t index, int64_t *q,
                       int64_t *o) {
  *q = *o = 0;
  for (int i = a->nquery; i-- > 0; index /= a->query[i].size) {
    *q += index % a->query[i].size * a->query[i].q;
    *o += index % a->query[i].size * a->query[i].o;
  }
}

static void find_key(const DsprtAttention *a, int64_t index, int64_t *k,
                     int64_t *v) {
  *k = *v = 0;
  for (int i = a->nkey; i-- > 0; index /= a->key[i].size) {
    *k += index % a->key[i].size * a->key[i].k;
    *v += index % a->key[i].size * a->key[i].v;
  }
}

static int64_t query_bias(const DsprtAttention *a, int64_t index) {
  int64_t at = 0;
  for (int i = a->nquery; i-- > 0; index /= a->query[i].size)
    at += index % a->query[i].size * a->bias.query[i];
  return at;
}

static int64_t key_bias(const DsprtAttention *a, int64_t index) {
  int64_t at = 0;
  for (int i = a->nkey; i-- > 0; index /= a->key[i].size)
    at += index % a->key[i].size * a->bias.key[i];
  return at;
}

/// n elements from `at` on as f32, times `scale`.
static void load(const Job *job, const unsigned char *from, int64_t at,
                 int64_t n, float scale, float *out) {
  if (job->type == DSPRT_F32) {
    const float *x = (const float *)(const void *)from + at;
    for (int64_t i = 0; i < n; i++) out[i] = x[i] * scale;
  } else {
    const uint16_t *x = (const uint16_t *)(const void *)from + at;
    for (int64_t i = 0; i < n; i++)
      out[i] = dsprt_from_half(job->type, x[i]) * scale;
  }
}

static void store(const Job *job, int64_t at, int64_t n, const float *x,
                  float scale) {
  if (job->type == DSPRT_F32) {
    float *out = (float *)(void *)job->o + at;
    for (int64_t i = 0; i < n; i++) out[i] = x[i] * scale;
  } else {
    uint16_t *out = (uint16_t *)(void *)job->o + at;
    for (int64_t i = 0; i < n; i++)
      out[i] = dsprt_to_half(job->type, x[i] * scale);
  }
}

/// The queries of the tile, scaled; rows up to a multiple of 4 are zeroed.
static void load_queries(const Job *job, const Bases *at, int64_t first,
                         int64_t count, Tiles *tiles) {
  int64_t dot = job->a->dot, q, o;
  for (int64_t i = 0; i < count; i++) {
    find_query(job->a, first + i, &q, &o);
    load(job, job->q, at->q + q, dot, job->a->scale, tiles->q + i * dot);
  }
  int64_t rest = round_up(count, DSPRT_KERNEL_ROWS) - count;
  memset(tiles->q + count * dot, 0, (size_t)(rest * dot) * sizeof(float));
}

static void store_queries(const Job *job, const Bases *at, int64_t first,
                          int64_t count, const Tiles *tiles) {
  int64_t q, o;
  for (int64_t i = 0; i < count; i++) {
    float sum = tiles->rows[i].sum; // 0: the query sees no key
    find_query(job->a, first + i, &q, &o);
    store(job, at->o + o, job->a->width, tiles->o + i * job->pitch,
          sum > 0.0f ? 1.0f / sum : 0.0f);
  }
}

/// All keys as columns, padded with zeros, and all values.
static void load_few_keys(const Job *job, const Bases *at, int64_t cols,
                          Tiles *tiles) {
  int64_t dot = job->a->dot, k, v;
  float *row = tiles->scores; // not in use yet
  memset(tiles->k, 0, (size_t)(dot * cols) * sizeof(float));
  for (int64_t i = 0; i < job->keys; i++) {
    float *value = tiles->v + i * job->pitch;
    find_key(job->a, i, &k, &v);
    load(job, job->k, at->k + k, dot, 1.0f, row);
    for (int64_t d = 0; d < dot; d++) tiles->k[d * cols + i] = row[d];
    load(job, job->v, at->v + v, job->a->width, 1.0f, value);
    for (int64_t d = job->a->width; d < job->pitch; d++) value[d] = 0.0f;
  }
}

/// Adds the bias of `count` queries from `first` on and `keys` keys from `key`
/// on to their scores, rows `stride` apart.
static void add_bias(const Job *job, const Bases *at, int64_t first,
                     int64_t count, int64_t key, int64_t keys, float *scores,
                     int64_t stride) {
  const unsigned char *bias = job->a->bias.data;
  if (!bias) return;
  for (int64_t j = 0; j < keys; j++) {
    int64_t of_key = at->bias + key_bias(job->a, key + j);
    for (int64_t i = 0; i < count; i++) {
      int64_t from = of_key + query_bias(job->a, first + i);
      float value;
      load(job, bias, from, 1, 1.0f, &value);
      scores[i * stride + j] += value;
    }
  }
}

/// Hides keys from queries that do not see them, likewise: they weigh nothing.
static void hide_keys(const Job *job, int64_t first, int64_t count, int64_t key,
                      int64_t keys, float *scores, int64_t stride) {
  if (!job->a->mask.causal && !job->a->mask.window) return;
  for (int64_t i = 0; i < count; i++) {
    DsprtKeys seen = dsprt_keys_seen(job->a, first + i);
    for (int64_t j = 0; j < min(seen.begin - key, keys); j++)
      scores[i * stride + j] = -INFINITY;
    for (int64_t j = seen.end > key ? seen.end - key : 0; j < keys; j++)
      scores[i * stride + j] = -INFINITY;
  }
}

/// All keys that some of these queries sees.
static DsprtKeys keys_of(const Job *job, int64_t first, int64_t count) {
  DsprtKeys all = {INT64_MAX, 0};
  for (int64_t i = 0; i < count; i++) {
    DsprtKeys seen = dsprt_keys_seen(job->a, first + i);
    all.begin = min(all.begin, seen.begin);
    all.end = seen.end > all.end ? seen.end : all.end;
  }
  all.end = min(all.end, job->keys);
  return all;
}

/// All keys at once.
static void attend_few(const Job *job, const Bases *at, int64_t first,
                       int64_t count, Tiles *tiles) {
  int64_t rows = round_up(count, DSPRT_KERNEL_ROWS);
  int64_t cols = round_up(job->keys, DSPRT_KERNEL_COLS);
  load_few_keys(job, at, cols, tiles);
  dsprt_multiply_small(rows, cols, job->a->dot, tiles->q, job->a->dot, tiles->k,
                       cols, tiles->scores, cols);
  add_bias(job, at, first, count, 0, job->keys, tiles->scores, cols);
  hide_keys(job, first, count, 0, job->keys, tiles->scores, cols);
  for (int64_t i = 0; i < count; i++) {
    tiles->rows[i] = dsprt_softmax_begin();
    dsprt_softmax_next(&tiles->rows[i], tiles->scores + i * cols, job->keys);
  }
  dsprt_multiply_small(rows, job->pitch, job->keys, tiles->scores, cols,
                       tiles->v, job->pitch, tiles->o, job->pitch);
}

/// A tile of k or v as rows: in place when they are f32 and evenly apart.
typedef struct Rows {
  const float *data;
  int64_t stride;
} Rows;

static bool in_place(const Job *job, int64_t stride, int64_t least) {
  return job->type == DSPRT_F32 && job->a->nkey == 1 && stride >= least;
}

static Rows key_rows(const Job *job, const Bases *at, int64_t first,
                     int64_t count, Tiles *tiles) {
  int64_t dot = job->a->dot, k, v, stride = job->a->key[0].k;
  if (in_place(job, stride, dot))
    return (Rows){(const float *)(const void *)job->k + at->k + first * stride,
                  stride};
  for (int64_t i = 0; i < count; i++) {
    find_key(job->a, first + i, &k, &v);
    load(job, job->k, at->k + k, dot, 1.0f, tiles->k + i * dot);
  }
  return (Rows){tiles->k, dot};
}

static Rows value_rows(const Job *job, const Bases *at, int64_t first,
                       int64_t count, Tiles *tiles) {
  int64_t width = job->a->width, k, v, stride = job->a->key[0].v;
  if (in_place(job, stride, width))
    return (Rows){(const float *)(const void *)job->v + at->v + first * stride,
                  stride};
  for (int64_t i = 0; i < count; i++) {
    find_key(job->a, first + i, &k, &v);
    load(job, job->v, at->v + v, width, 1.0f, tiles->v + i * width);
  }
  return (Rows){tiles->v, width};
}

static void take_in(const Job *job, int64_t queries, int64_t keys,
                    Tiles *tiles) {
  for (int64_t i = 0; i < queries; i++) {
    float shrink =
        dsprt_softmax_next(&tiles->rows[i], tiles->scores + i * KEY_TILE, keys);
    float *o = tiles->o + i * job->pitch;
    for (int64_t d = 0; d < job->a->width; d++) o[d] *= shrink;
  }
}

/// The sums of the keys seen so far: none, or those of the calls before.
static void load_sums(const Job *job, int64_t row, int64_t count,
                      Tiles *tiles) {
  const DsprtPartial *partial = job->partial;
  int64_t width = job->a->width;
  if (!partial || partial->first) {
    for (int64_t i = 0; i < count; i++) tiles->rows[i] = dsprt_softmax_begin();
    memset(tiles->o, 0, (size_t)(count * job->pitch) * sizeof(float));
    return;
  }
  memcpy(tiles->rows, partial->rows + row,
         (size_t)count * sizeof *tiles->rows);
  for (int64_t i = 0; i < count; i++)
    memcpy(tiles->o + i * job->pitch, partial->o + (row + i) * width,
           (size_t)width * sizeof(float));
}

static void store_sums(const Job *job, int64_t row, int64_t count,
                       const Tiles *tiles) {
  const DsprtPartial *partial = job->partial;
  int64_t width = job->a->width;
  memcpy(partial->rows + row, tiles->rows,
         (size_t)count * sizeof *tiles->rows);
  for (int64_t i = 0; i < count; i++)
    memcpy(partial->o + (row + i) * width, tiles->o + i * job->pitch,
           (size_t)width * sizeof(float));
}

/// Tile by tile, on top of the sums so far.
static void attend_many(const Job *job, const Bases *at, int64_t query,
                        int64_t count, Tiles *tiles) {
  blasint m = (blasint)count, dot = (blasint)job->a->dot;
  blasint width = (blasint)job->a->width, pitch = (blasint)job->pitch;
  DsprtKeys seen = keys_of(job, query, count);
  for (int64_t first = seen.begin; first < seen.end; first += KEY_TILE) {
    int64_t keys = min(KEY_TILE, seen.end - first);
    Rows k = key_rows(job, at, first, keys, tiles);
    Rows v = value_rows(job, at, first, keys, tiles);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, (blasint)keys, dot,
                1.0f, tiles->q, dot, k.data, (blasint)k.stride, 0.0f,
                tiles->scores, KEY_TILE);
    add_bias(job, at, query, count, first, keys, tiles->scores, KEY_TILE);
    hide_keys(job, query, count, first, keys, tiles->scores, KEY_TILE);
    take_in(job, count, keys, tiles);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, width,
                (blasint)keys, 1.0f, tiles->scores, KEY_TILE, v.data,
                (blasint)v.stride, 1.0f, tiles->o, pitch);
  }
}

static void prefetch_row(const unsigned char *from, int64_t at, int64_t n,
                         int64_t bytes) {
  enum { LINE = 64 };
  for (int64_t i = 0; i < n * bytes; i += LINE)
    __builtin_prefetch(from + at * bytes + i);
}

/// Asks for what the next task needs.  Over a dim that is far apart in memory
/// each row is a stream of its own, more than the hardware follows.
static void prefetch(const Job *job, int64_t batch) {
  int64_t dot = job->a->dot, bytes = dsprt_type_bytes(job->type), x, y;
  Bases at = bases_of(job->a, batch);
  for (int64_t i = 0; i < job->queries; i++) {
    find_query(job->a, i, &x, &y);
    prefetch_row(job->q, at.q + x, dot, bytes);
  }
  for (int64_t i = 0; i < job->keys; i++) {
    find_key(job->a, i, &x, &y);
    prefetch_row(job->k, at.k + x, dot, bytes);
    prefetch_row(job->v, at.v + y, job->a->width, bytes);
  }
}

static void do_task(const Job *job, int64_t batch, int64_t first,
                    Tiles *tiles) {
  int64_t count = min(QUERY_TILE, job->queries - first);
  int64_t row = batch * job->queries + first;
  Bases at = bases_of(job->a, batch);
  load_queries(job, &at, first, count, tiles);
  if (job->queries + job->keys <= FEW_KEYS && batch + 1 < job->batches)
    prefetch(job, batch + 1);
  if (job->keys <= FEW_KEYS && !job->partial) {
    attend_few(job, &at, first, count, tiles);
  } else {
    load_sums(job, row, count, tiles);
    attend_many(job, &at, first, count, tiles);
  }
  if (job->partial && !job->partial->last)
    store_sums(job, row, count, tiles);
  else
    store_queries(job, &at, first, count, tiles);
}

static void do_job(DsprtRun *run, const Job *job) {
  int64_t tiles_each = (job->queries + QUERY_TILE - 1) / QUERY_TILE;
  int64_t floats = round_up(tile_floats(job), 16);
  int threads = omp_get_max_threads();
  float *memory = dsprt_tiles(run, floats * threads * (int64_t)sizeof(float));
#pragma omp parallel num_threads(threads)
  {
    Tiles tiles;
    set_tiles(job, memory + omp_get_thread_num() * floats, &tiles);
#pragma omp for schedule(dynamic, job->keys <= FEW_KEYS ? 16 : 1)
    for (int64_t i = 0; i < job->batches * tiles_each; i++)
      do_task(job, i / tiles_each, i % tiles_each * QUERY_TILE, &tiles);
  }
}

void dsprt_attend(DsprtRun *run, const DsprtAttention *a, DsprtType type,
                  const void *q, const void *k, const void *v, void *o,
                  const DsprtPartial *partial) {
  DSPRT_SPAN(run, DSPRT_WORK_ATTENTION, "attention", dsprt_attention_flops(a),
             dsprt_attention_bytes(a, type));
  Job job = {.a = a,
             .type = type,
             .q = q,
             .k = k,
             .v = v,
             .o = o,
             .batches = 1,
             .queries = 1,
             .keys = 1,
             .partial = partial,
             .pitch = round_up(a->width, DSPRT_KERNEL_COLS)};
  for (int i = 0; i < a->nbatch; i++) job.batches *= a->batch[i].size;
  for (int i = 0; i < a->nquery; i++) job.queries *= a->query[i].size;
  for (int i = 0; i < a->nkey; i++) job.keys *= a->key[i].size;
  if (job.batches == 0 || job.queries == 0 || a->width == 0) return;
  if (job.keys == 0 && !partial) dsprt_fail(run, "attention over no keys");
  do_job(run, &job);
}

void dsprt_attention_f32(DsprtRun *run, const DsprtAttention *attention,
                         const float *q, const float *k, const float *v,
                         float *o) {
  dsprt_attend(run, attention, DSPRT_F32, q, k, v, o, NULL);
}

void dsprt_attention_bf16(DsprtRun *run, const DsprtAttention *attention,
                          const DsprtBf16 *q, const DsprtBf16 *k,
                          const DsprtBf16 *v, DsprtBf16 *o) {
  dsprt_attend(run, attention, DSPRT_BF16, q, k, v, o, NULL);
}

void dsprt_attention_f16(DsprtRun *run, const DsprtAttention *attention,
                         const DsprtF16 *q, const DsprtF16 *k,
                         const DsprtF16 *v, DsprtF16 *o) {
  dsprt_attend(run, attention, DSPRT_F16, q, k, v, o, NULL);
}
