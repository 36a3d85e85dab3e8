// safetensors_write.c - the header of a new safetensors file.
//
// Needs:  names that differ.
// Leaves: tensors one after the other in the given order, data 64-byte
//         aligned behind a header padded with spaces.
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "safetensors.h"
#include "shape.h"

enum { LENGTH_BYTES = 8 };

static json_t *describe(const DsprtNewTensor *t, int64_t begin, int64_t end) {
  json_t *shape = json_array();
  for (int i = 0; i < t->shape.ndims; i++)
    json_array_append_new(shape, json_integer(t->shape.dims[i]));
  return json_pack("{s:s, s:o, s:[I, I]}", "dtype",
                   dsprt_type_name(t->shape.type), "shape", shape,
                   "data_offsets", (json_int_t)begin, (json_int_t)end);
}

/// The length, the text and spaces.
static char *frame(const char *text, size_t *length) {
  size_t n = strlen(text);
  size_t all = (LENGTH_BYTES + n + DSPRT_ALIGNMENT - 1) / DSPRT_ALIGNMENT *
               DSPRT_ALIGNMENT;
  char *out = malloc(all);
  if (!out) return NULL;
  memset(out, ' ', all);
  memcpy(out + LENGTH_BYTES, text, n);
  uint64_t rest = all - LENGTH_BYTES;
  for (int i = 0; i < LENGTH_BYTES; i++) out[i] = (char)(rest >> 8 * i & 255);
  *length = all;
  return out;
}

char *dsprt_tensors_header(DsprtNewTensor *tensors, size_t count,
                           size_t *length, int64_t *file_bytes) {
  int64_t end = 0;
  json_t *header = json_object();
  for (size_t i = 0; i < count; i++) {
    DsprtNewTensor *t = &tensors[i];
    t->begin = end;
    end += dsprt_elements(&t->shape) * dsprt_type_bytes(t->shape.type);
    json_object_set_new(header, t->name, describe(t, t->begin, end));
  }
  char *text = json_dumps(header, JSON_COMPACT | JSON_PRESERVE_ORDER);
  json_decref(header);
  char *out = text ? frame(text, length) : NULL;
  free(text);
  if (!out) return NULL;
  for (size_t i = 0; i < count; i++) tensors[i].begin += (int64_t)*length;
  *file_bytes = end + (int64_t)*length;
  return out;
}
