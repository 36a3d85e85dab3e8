// tiers.h - how many random graphs a test tries, and from which seed on.
#ifndef DSPC_TEST_PLAN_TIERS_H
#define DSPC_TEST_PLAN_TIERS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/// `graphs`, ten times as many with DSPC_LONG=1, or what DSPC_TEST_GRAPHS says.
static inline size_t graphs_to_try(size_t graphs) {
  const char *wish = getenv("DSPC_TEST_GRAPHS"), *tier = getenv("DSPC_LONG");
  if (wish)
    return strtoul(wish, NULL, 10);
  return tier && strcmp(tier, "1") == 0 ? 10 * graphs : graphs;
}

/// 1, or what DSPC_TEST_SEED says.
static inline uint64_t first_seed(void) {
  const char *wish = getenv("DSPC_TEST_SEED");
  return wish ? strtoull(wish, NULL, 10) : 1;
}

#endif
