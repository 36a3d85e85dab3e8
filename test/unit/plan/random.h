// random.h - numbers that are the same on every machine.
#ifndef DSPC_TEST_PLAN_RANDOM_H
#define DSPC_TEST_PLAN_RANDOM_H

#include <stdint.h>

typedef struct Random {
  uint64_t state;
} Random;

/// The next 64 bits (splitmix64).
static inline uint64_t random_next(Random *random) {
  uint64_t x = random->state += 0x9e3779b97f4a7c15u;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

/// A number from 0 to n - 1.
static inline uint32_t random_below(Random *random, uint32_t n) {
  return (uint32_t)(random_next(random) % n);
}

/// True once in `n` times.
static inline int random_once_in(Random *random, uint32_t n) {
  return random_below(random, n) == 0;
}

#endif
