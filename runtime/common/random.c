// random.c - hashed random numbers.
//
// Needs:  nothing.
// Leaves: nothing.  Source: splitmix64 (Steele, Lea, Flood 2014); FNV-1a.
#include "random.h"

#include <string.h>

#include "convert.h"

static uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

uint64_t dsprt_random_key(uint64_t seed, const char *name) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (; *name; name++) hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
  return mix(hash ^ mix(seed));
}

float dsprt_random(uint64_t key, int64_t index) {
  uint64_t bits = mix(key + (uint64_t)index) >> 40; // 24 of them
  float unit = (float)bits * 0x1p-23f - 1.0f;       // [-1, 1)
  return unit * 1.7320508f;
}

enum { BLOCK = 1024 };

/// Elements begin to begin + n of the part, n <= BLOCK.
static void random_block(uint64_t key, const DsprtRuns *runs, float shift,
                         float scale, int64_t begin, int64_t n, float *out) {
  for (int64_t i = 0; i < n;) {
    int64_t run = (begin + i) / runs->length;
    int64_t at = (begin + i) % runs->length, end = i + runs->length - at;
    int64_t whole = dsprt_run_begin(runs, run) + at - i;
    for (end = end < n ? end : n; i < end; i++)
      out[i] = shift + scale * dsprt_random(key, whole + i);
  }
}

void dsprt_random_runs(uint64_t key, const DsprtRuns *runs, float shift,
                       float scale, DsprtType type, void *out) {
  int64_t elements = runs->count * runs->length;
  int64_t bytes = dsprt_type_bytes(type);
  if (type == DSPRT_I32) {
    memset(out, 0, (size_t)(elements * bytes));
    return;
  }
#pragma omp parallel for
  for (int64_t begin = 0; begin < elements; begin += BLOCK) {
    float block[BLOCK];
    int64_t left = elements - begin, n = left < BLOCK ? left : BLOCK;
    random_block(key, runs, shift, scale, begin, n, block);
    dsprt_convert(DSPRT_F32, block, type, (unsigned char *)out + begin * bytes,
                  n);
  }
}
