// copies.cu - strided copies and sums on the GPU.
//
// Needs:  dims from the slowest to the fastest of the output.
// Leaves: out.  Neighbouring dims that are one in both layouts are merged;
//         innermost runs that are contiguous in both go by 16 bytes.
#include "copies.h"

#include "words.cuh"
extern "C" {
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

template <typename Word>
static __global__ void copy_kernel(Words w, const Word *in, Word *out) {
  int64_t at = dsprt_thread();
  if (at >= w.count) return;
  int64_t from, to;
  find_word(w, at, &from, &to);
  out[to] = in[from];
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
  int64_t bytes = dsprt_type_bytes(type);
  DsprtCopy copy = copy_of_boxes(from, to);
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
                        int count, int64_t n, const void *slots, void *out) {
  if (n == 0) return;
  reduce_kernel<<<dsprt_blocks(n), DSPRT_THREADS, 0, dsprt_stream(run)>>>(
      n, count, op == DSPRT_MAX, slots, out, type);
  dsprt_check_launch(run);
}
