// words.cuh - a strided copy as words of up to 16 bytes.
//
// Needs:  dims from the slowest to the fastest of the output.
// Leaves: neighbouring dims that are one in both layouts merged; words as wide
//         as the strides and the addresses of both sides allow.
#ifndef DSPRT_CUDA_WORDS_CUH
#define DSPRT_CUDA_WORDS_CUH

#include "dsprt_kernels.cuh"
#include "exchange.h"
extern "C" {
#include "dsprt_compute.h"
}

/// A copy of `count` words; dims from the slowest to the fastest.
struct Words {
  int ndims;
  int64_t count;
  uint32_t size[DSPRT_MAX_DIMS];
  int64_t in[DSPRT_MAX_DIMS], out[DSPRT_MAX_DIMS];
};

/// Where word number `at` lies in both.
static __device__ inline void find_word(const Words &w, int64_t at, int64_t *in,
                                        int64_t *out) {
  int64_t from = 0, to = 0;
  if (w.count <= UINT32_MAX) {
    uint32_t rest = (uint32_t)at;
    for (int i = w.ndims - 1; i > 0; i--) {
      uint32_t next = rest / w.size[i], index = rest - next * w.size[i];
      from += index * w.in[i];
      to += index * w.out[i];
      rest = next;
    }
    from += rest * w.in[0];
    to += rest * w.out[0];
  } else {
    for (int i = w.ndims - 1; i > 0; i--) {
      int64_t index = at % w.size[i];
      from += index * w.in[i];
      to += index * w.out[i];
      at /= w.size[i];
    }
    from += at * w.in[0];
    to += at * w.out[0];
  }
  *in = from;
  *out = to;
}

static inline DsprtCopy merged(const DsprtCopy *copy) {
  DsprtCopy m = {};
  for (int i = 0; i < copy->ndims; i++) {
    auto dim = copy->dims[i];
    int last = m.ndims - 1;
    if (dim.size == 1) continue;
    if (last >= 0 && m.dims[last].in == dim.in * dim.size &&
        m.dims[last].out == dim.out * dim.size) {
      m.dims[last].size *= dim.size;
      m.dims[last].in = dim.in;
      m.dims[last].out = dim.out;
    } else {
      m.dims[m.ndims++] = dim;
    }
  }
  if (m.ndims == 0) {
    m.ndims = 1;
    m.dims[0] = {1, 1, 1};
  }
  return m;
}

/// How many elements of `bytes` a word can have: at most 16 bytes.
static inline int64_t elements_of_word(const DsprtCopy *m, int64_t bytes,
                                       const void *in, const void *out) {
  int last = m->ndims - 1;
  if (m->dims[last].in != 1 || m->dims[last].out != 1) return 1;
  for (int64_t word = 16; word > bytes; word /= 2) {
    int64_t n = word / bytes;
    bool fits = (uintptr_t)in % word == 0 && (uintptr_t)out % word == 0 &&
                m->dims[last].size % n == 0;
    for (int i = 0; i < last; i++)
      fits &= m->dims[i].in % n == 0 && m->dims[i].out % n == 0;
    if (fits) return n;
  }
  return 1;
}

static inline Words words_of(const DsprtCopy *m, int64_t n) {
  Words w = {};
  w.ndims = m->ndims;
  w.count = 1;
  for (int i = 0; i < m->ndims; i++) {
    bool last = i + 1 == m->ndims && n > 1;
    int64_t size = last ? m->dims[i].size / n : m->dims[i].size;
    w.size[i] = (uint32_t)size;
    w.in[i] = last ? m->dims[i].in : m->dims[i].in / n;
    w.out[i] = last ? m->dims[i].out : m->dims[i].out / n;
    w.count *= size;
  }
  return w;
}

/// The copy of a box to one of the same sizes, dims merged.
static inline DsprtCopy copy_of_boxes(const DsprtBox *from,
                                      const DsprtBox *to) {
  DsprtCopy copy = {};
  copy.ndims = DSPRT_BOX_DIMS;
  for (int i = 0; i < DSPRT_BOX_DIMS; i++)
    copy.dims[i] = {from->size[i], from->stride[i], to->stride[i]};
  return merged(&copy);
}

#endif
