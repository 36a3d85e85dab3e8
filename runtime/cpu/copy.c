// copy.c - copies between two layouts.
//
// Needs:  dims from the slowest to the fastest of the output.
// Leaves: out.  Neighbouring dims that are one in both layouts are merged;
//         runs that are contiguous in both go by memcpy.
#include <string.h>

#include "dsprt_compute.h"
#include "work.h"

static DsprtCopy merged(const DsprtCopy *copy) {
  DsprtCopy m = {0};
  for (int i = 0; i < copy->ndims; i++) {
    if (copy->dims[i].size == 1) continue;
    int last = m.ndims - 1;
    if (last >= 0 && m.dims[last].in == copy->dims[i].in * copy->dims[i].size &&
        m.dims[last].out == copy->dims[i].out * copy->dims[i].size) {
      m.dims[last].size *= copy->dims[i].size;
      m.dims[last].in = copy->dims[i].in;
      m.dims[last].out = copy->dims[i].out;
    } else {
      m.dims[m.ndims++] = copy->dims[i];
    }
  }
  return m;
}

static void copy_run(int64_t n, int64_t bytes, const unsigned char *in,
                     int64_t in_stride, unsigned char *out,
                     int64_t out_stride) {
  if (in_stride == 1 && out_stride == 1) {
    memcpy(out, in, (size_t)(n * bytes));
  } else if (bytes == 4) {
    const uint32_t *from = (const void *)in;
    uint32_t *to = (void *)out;
    for (int64_t i = 0; i < n; i++) to[i * out_stride] = from[i * in_stride];
  } else {
    const uint16_t *from = (const void *)in;
    uint16_t *to = (void *)out;
    for (int64_t i = 0; i < n; i++) to[i * out_stride] = from[i * in_stride];
  }
}

/// The offsets, in elements, of row `index` of all dims but the last.
static void find_row(const DsprtCopy *copy, int64_t index, int64_t *in,
                     int64_t *out) {
  *in = *out = 0;
  for (int i = copy->ndims - 1; i-- > 0;) {
    int64_t at = index % copy->dims[i].size;
    index /= copy->dims[i].size;
    *in += at * copy->dims[i].in;
    *out += at * copy->dims[i].out;
  }
}

void dsprt_copy(DsprtRun *run, DsprtType type, const DsprtCopy *copy,
                const void *in, void *out) {
  DSPRT_SPAN(run, DSPRT_WORK_COPY, "copy", 0, dsprt_copy_bytes(copy, type));
  DsprtCopy m = merged(copy);
  int64_t bytes = dsprt_type_bytes(type), rows = 1;
  if (m.ndims == 0) {
    m.ndims = 1;
    m.dims[0].size = m.dims[0].in = m.dims[0].out = 1;
  }
  for (int i = 0; i + 1 < m.ndims; i++) rows *= m.dims[i].size;
  int last = m.ndims - 1;
  int64_t n = m.dims[last].size;
#pragma omp parallel for if (rows * n > 1 << 15)
  for (int64_t row = 0; row < rows; row++) {
    int64_t from, to;
    find_row(&m, row, &from, &to);
    copy_run(n, bytes, (const unsigned char *)in + from * bytes,
             m.dims[last].in, (unsigned char *)out + to * bytes,
             m.dims[last].out);
  }
}
