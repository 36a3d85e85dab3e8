// random.c - hashed random numbers.
//
// Needs:  nothing.
// Leaves: nothing.  Source: splitmix64 (Steele, Lea, Flood 2014); FNV-1a.
#include "random.h"

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
