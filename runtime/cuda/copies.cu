// copies.cu - strided copies and sums on the GPU.
//
// Needs:  dims from the slowest to the fastest of the output.
// Leaves: out.  Neighbouring dims that are one in both layouts are merged;
//         innermost runs that are contiguous in both go by 16 bytes.
#include "copies.h"

#include "dsprt_kernels.cuh"
extern "C" {
#include "dsprt_compute.h"
#include "work.h"
}

DsprtBox dsprt_packed_box(const DsprtBox *box) {
  DsprtBox flat = *box;
  int64_t stride = 1;
  flat.offset = 0;
  for (int i = DSPRT_BOX_DIMS; i-- > 0;) {
    flat.stride[i] = stride;
    stride *= flat.size[i];
  }
  return flat;
}

/// A copy of `count` words; dims from the slowest to the fastest.
struct Words {
  int ndims;
  int64_t count;
  uint32_t size[DSPRT_MAX_DIMS];
  int64_t in[DSPRT_MAX_DIMS], out[DSPRT_MAX_DIMS];
};

template <typename Word>
static __global__ void copy_kernel(Words w, const Word *in, Word *out) {
  int64_t at = dsprt_thread();
  if (at >= w.count) return;
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
  out[to] = in[from];
}

static DsprtCopy merged(const DsprtCopy *copy) {
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
static int64_t elements_of_word(const DsprtCopy *m, int64_t bytes,
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

static Words words_of(const DsprtCopy *m, int64_t n) {
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

template <typename Word>
static void launch(DsprtRun *run, const Words &w, const void *in, void *out) {
  copy_kernel<<<dsprt_blocks(w.count), DSPRT_THREADS, 0, dsprt_stream(run)>>>(
      w, (const Word *)in, (Word *)out);
  dsprt_check_launch(run);
}

void dsprt_copy(DsprtRun *run, DsprtType type, const DsprtCopy *copy,
                const void *in, void *out) {
  DSPRT_SPAN(run, DSPRT_WORK_COPY, "copy", 0, dsprt_copy_bytes(copy, type));
  for (int i = 0; i < copy->ndims; i++)
    if (copy->dims[i].size == 0) return;
  DsprtCopy m = merged(copy);
  int64_t bytes = dsprt_type_bytes(type);
  int64_t n = elements_of_word(&m, bytes, in, out);
  Words w = words_of(&m, n);
  switch (n * bytes) {
  case 2: launch<uint16_t>(run, w, in, out); break;
  case 4: launch<uint32_t>(run, w, in, out); break;
  case 8: launch<uint2>(run, w, in, out); break;
  default: launch<uint4>(run, w, in, out); break;
  }
}

void dsprt_copy_box(DsprtRun *run, DsprtType type, const void *in,
                    const DsprtBox *from, void *out, const DsprtBox *to) {
  DsprtCopy copy = {};
  int64_t bytes = dsprt_type_bytes(type);
  copy.ndims = DSPRT_BOX_DIMS;
  for (int i = 0; i < DSPRT_BOX_DIMS; i++)
    copy.dims[i] = {from->size[i], from->stride[i], to->stride[i]};
  dsprt_copy(run, type, &copy,
             (const unsigned char *)in + from->offset * bytes,
             (unsigned char *)out + to->offset * bytes);
}


static __global__ void reduce_kernel(int64_t n, int ranks, bool max,
                                     const void *slots, void *out,
                                     DsprtType type) {
  int64_t i = dsprt_thread();
  if (i >= n) return;
  if (type == DSPRT_I32) {
    const int32_t *x = (const int32_t *)slots;
    int64_t all = x[i];
    for (int r = 1; r < ranks; r++) {
      int64_t next = x[r * n + i];
      all = max ? (next > all ? next : all) : all + next;
    }
    ((int32_t *)out)[i] = (int32_t)all;
    return;
  }
  auto load = [&](int64_t at) {
    if (type == DSPRT_F32) return ((const float *)slots)[at];
    if (type == DSPRT_BF16)
      return dsprt_from_bf16(((const DsprtBf16 *)slots)[at]);
    return dsprt_from_f16(((const DsprtF16 *)slots)[at]);
  };
  float all = load(i);
  for (int r = 1; r < ranks; r++) {
    float next = load(r * n + i);
    all = max ? (all < next || next != next ? next : all) : all + next;
  }
  if (type == DSPRT_F32)
    ((float *)out)[i] = all;
  else if (type == DSPRT_BF16)
    ((DsprtBf16 *)out)[i] = dsprt_to_bf16(all);
  else
    ((DsprtF16 *)out)[i] = dsprt_to_f16(all);
}

void dsprt_reduce_slots(DsprtRun *run, DsprtType type, DsprtReduction op,
                        int64_t n, const void *slots, void *out) {
  if (n == 0) return;
  reduce_kernel<<<dsprt_blocks(n), DSPRT_THREADS, 0, dsprt_stream(run)>>>(
      n, run->ranks, op == DSPRT_MAX, slots, out, type);
  dsprt_check_launch(run);
}
