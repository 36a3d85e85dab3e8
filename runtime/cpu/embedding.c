// embedding.c - rows of a table that ids name.
//
// Needs:  dense tensors.
// Leaves: y; or the end of the program when an id names no row.
#include <string.h>

#include "backend.h"
#include "dsprt_compute.h"
#include "work.h"

static void check_ids(const DsprtRun *run, const DsprtEmbedding *e,
                      const int32_t *ids) {
  for (int64_t i = 0; i < e->rows; i++)
    if (ids[i] < 0 || ids[i] >= e->entries)
      dsprt_fail(run, "an embedding of %lld entries is asked for entry %ld",
                 (long long)e->entries, (long)ids[i]);
}

void dsprt_embedding(DsprtRun *run, const DsprtEmbedding *embedding,
                     const int32_t *ids, const void *w, void *y) {
  DSPRT_SPAN(run, DSPRT_WORK_COPY, "embedding", 0,
             dsprt_embedding_bytes(embedding));
  int64_t rows = embedding->rows;
  size_t bytes =
      (size_t)(embedding->channels * dsprt_type_bytes(embedding->type));
  check_ids(run, embedding, ids);
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < rows; i++)
    memcpy((unsigned char *)y + (size_t)i * bytes,
           (const unsigned char *)w + (size_t)ids[i] * bytes, bytes);
}
