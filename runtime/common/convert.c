// convert.c - arrays of elements from one type to another, through f32.
//
// Needs:  a pair of types that dsprt_converts.
// Leaves: values rounded to the nearest, ties to even.
#include "convert.h"

#include <string.h>

#include "dsprt_math.h"

bool dsprt_converts(DsprtType from, DsprtType to) {
  return (from == DSPRT_I32) == (to == DSPRT_I32);
}

float dsprt_element(DsprtType type, const void *in, int64_t index) {
  const unsigned char *at =
      (const unsigned char *)in + index * dsprt_type_bytes(type);
  uint16_t half = 0;
  uint32_t word = 0;
  memcpy(type == DSPRT_F32 || type == DSPRT_I32 ? (void *)&word : &half, at,
         (size_t)dsprt_type_bytes(type));
  switch (type) {
  case DSPRT_F32: return dsprt_of_bits(word);
  case DSPRT_BF16: return dsprt_from_bf16(half);
  case DSPRT_F16: return dsprt_from_f16(half);
  case DSPRT_I32: return (float)(int32_t)word;
  }
  return 0;
}

static void store(DsprtType type, void *out, int64_t index, float value) {
  switch (type) {
  case DSPRT_F32: ((float *)out)[index] = value; break;
  case DSPRT_BF16: ((uint16_t *)out)[index] = dsprt_to_bf16(value); break;
  case DSPRT_F16: ((uint16_t *)out)[index] = dsprt_to_f16(value); break;
  case DSPRT_I32: ((int32_t *)out)[index] = (int32_t)value; break;
  }
}

void dsprt_convert(DsprtType from, const void *in, DsprtType to, void *out,
                   int64_t count) {
  if (from == to) {
    if (count > 0) memcpy(out, in, (size_t)(count * dsprt_type_bytes(from)));
    return;
  }
  for (int64_t i = 0; i < count; i++)
    store(to, out, i, dsprt_element(from, in, i));
}
