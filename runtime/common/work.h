// work.h - the useful operations and the least bytes of the runtime's calls.
#ifndef DSPRT_COMMON_WORK_H
#define DSPRT_COMMON_WORK_H

#include "dsprt_compute.h"

static inline double dsprt_linear_flops(const DsprtLinear *l) {
  return 2.0 * (double)l->rows * (double)l->in * (double)l->out;
}

static inline double dsprt_linear_bytes(const DsprtLinear *l, DsprtType type) {
  return (double)dsprt_type_bytes(type) *
         ((double)l->rows * (double)(l->in + l->out) +
          (double)l->in * (double)l->out);
}

static inline double dsprt_norm_bytes(const DsprtNorm *n, DsprtType type) {
  return 2.0 * (double)dsprt_type_bytes(type) * (double)n->rows *
         (double)n->channels;
}

/// Pairs of a query and a key that it sees, of one element of the batch.
static inline double dsprt_attention_pairs(const DsprtAttention *a) {
  int64_t queries = 1, keys = 1;
  double pairs = 0;
  for (int i = 0; i < a->nquery; i++) queries *= a->query[i].size;
  for (int i = 0; i < a->nkey; i++) keys *= a->key[i].size;
  if (!a->mask.causal && !a->mask.window) return (double)queries * (double)keys;
  for (int64_t q = 0; q < queries; q++) {
    DsprtKeys seen = dsprt_keys_seen(a, q);
    int64_t end = seen.end < keys ? seen.end : keys;
    if (end > seen.begin) pairs += (double)(end - seen.begin);
  }
  return pairs;
}

/// As the cost in dsprt_compute.h: keys that a mask hides do not count.
static inline double dsprt_attention_flops(const DsprtAttention *a) {
  double batch = 1;
  for (int i = 0; i < a->nbatch; i++) batch *= (double)a->batch[i].size;
  return 2.0 * batch * dsprt_attention_pairs(a) * (double)(a->dot + a->width);
}

/// q, k, v and o once each; a batch dim that k lacks does not repeat it.
static inline double dsprt_attention_bytes(const DsprtAttention *a,
                                           DsprtType type) {
  double q = 1, k = 1;
  for (int i = 0; i < a->nbatch; i++) {
    q *= (double)a->batch[i].size;
    if (a->batch[i].k) k *= (double)a->batch[i].size;
  }
  for (int i = 0; i < a->nquery; i++) q *= (double)a->query[i].size;
  for (int i = 0; i < a->nkey; i++) k *= (double)a->key[i].size;
  return (double)dsprt_type_bytes(type) * (q + k) * (double)(a->dot + a->width);
}

static inline double dsprt_einsum_size(const DsprtEinsumDim *dims, int n) {
  double size = 1;
  for (int i = 0; i < n; i++) size *= (double)dims[i].size;
  return size;
}

static inline double dsprt_einsum_flops(const DsprtEinsum *e) {
  return 2.0 * dsprt_einsum_size(e->batch, e->nbatch) *
         dsprt_einsum_size(e->row, e->nrow) *
         dsprt_einsum_size(e->column, e->ncolumn) *
         dsprt_einsum_size(e->sum, e->nsum);
}

static inline double dsprt_einsum_bytes(const DsprtEinsum *e) {
  double row = dsprt_einsum_size(e->row, e->nrow);
  double column = dsprt_einsum_size(e->column, e->ncolumn);
  double sum = dsprt_einsum_size(e->sum, e->nsum);
  return (double)dsprt_type_bytes(e->type) *
         dsprt_einsum_size(e->batch, e->nbatch) *
         (row * sum + column * sum + row * column);
}

static inline double dsprt_embedding_bytes(const DsprtEmbedding *e) {
  return 2.0 * (double)dsprt_type_bytes(e->type) * (double)e->rows *
         (double)e->channels;
}

static inline double dsprt_copy_bytes(const DsprtCopy *c, DsprtType type) {
  double bytes = 2.0 * (double)dsprt_type_bytes(type);
  for (int i = 0; i < c->ndims; i++) bytes *= (double)c->dims[i].size;
  return bytes;
}

#endif
