// problems.c - random problems with everything that a graph may do: values
// read by many, read twice by one op, or by nobody; ops with several results;
// layouts that cannot be left; costs with and without a triangle inequality.
#include "problems.h"

#include <string.h>

typedef struct Builder {
  DspArena *arena;
  Random *random;
  DspLayoutClass *classes;
  uint32_t nclasses;
  DspChoice *choices;
  DspSearchOp *ops;
  uint32_t nops;
  uint32_t *value_class;
  uint32_t nvalues;
} Builder;

static void *allocate(DspArena *arena, size_t size) {
  return memset(dsp_arena_alloc(arena, size + 1), 0, size + 1);
}

static DspLayoutClass random_class(Builder *b, uint32_t n) {
  int64_t *bytes = allocate(b->arena, n * n * sizeof *bytes);
  uint8_t *collectives = allocate(b->arena, n * n);
  uint32_t spread = random_once_in(b->random, 2) ? 4 : 40;
  for (uint32_t i = 0; i < n * n; ++i) {
    bytes[i] = random_once_in(b->random, 4) ? 0
                                            : random_below(b->random, spread);
    collectives[i] = bytes[i] > 0;
    if (random_once_in(b->random, 8))
      bytes[i] = DSP_PLAN_NEVER;
  }
  return (DspLayoutClass){n, bytes, collectives};
}

static uint8_t *random_layouts(Builder *b, const uint32_t *values, uint32_t n) {
  uint8_t *layouts = allocate(b->arena, n);
  for (uint32_t i = 0; i < n; ++i)
    layouts[i] = (uint8_t)random_below(
        b->random, b->classes[b->value_class[values[i]]].count);
  return layouts;
}

static void random_choice(Builder *b, DspChoice *choice, const DspSearchOp *op,
                          uint32_t count) {
  choice->count = count;
  DspAlternative *ways = allocate(b->arena, count * sizeof *ways);
  for (uint32_t a = 0; a < count; ++a) {
    ways[a].needs = random_layouts(b, op->operands, choice->noperands);
    ways[a].gives = random_layouts(b, op->results, choice->nresults);
    ways[a].bytes = random_once_in(b->random, 4) ? random_below(b->random, 20)
                                                 : 0;
    ways[a].collectives = ways[a].bytes > 0;
    ways[a].penalty = random_below(b->random, 3);
    ways[a].order = a;
  }
  choice->alternatives = ways;
}

static void random_op(Builder *b) {
  DspChoice *choice = &b->choices[b->nops];
  DspSearchOp *op = &b->ops[b->nops];
  uint32_t can_read = b->nvalues < 3 ? b->nvalues : 3;
  choice->noperands = random_once_in(b->random, 5)
                          ? 0
                          : random_below(b->random, can_read + 1);
  choice->nresults = random_once_in(b->random, 6)
                         ? random_below(b->random, 3)
                         : 1;
  uint32_t *operands = allocate(b->arena, choice->noperands * sizeof *operands);
  uint32_t *results = allocate(b->arena, choice->nresults * sizeof *results);
  for (uint32_t i = 0; i < choice->noperands; ++i)
    operands[i] = random_below(b->random, b->nvalues);
  for (uint32_t i = 0; i < choice->nresults; ++i) {
    results[i] = b->nvalues++;
    b->value_class[results[i]] = random_below(b->random, b->nclasses);
  }
  op->choice = b->nops++;
  op->operands = operands;
  op->results = results;
  random_choice(b, choice, op, 1 + random_below(b->random, 4));
}

DspSearchProblem random_problem(DspArena *arena, Random *random, uint32_t nops,
                                uint32_t nlayouts) {
  Builder b = {.arena = arena, .random = random, .nclasses = 3};
  b.classes = allocate(arena, b.nclasses * sizeof *b.classes);
  b.choices = allocate(arena, nops * sizeof *b.choices);
  b.ops = allocate(arena, nops * sizeof *b.ops);
  b.value_class = allocate(arena, nops * 2 * sizeof *b.value_class);
  for (uint32_t i = 0; i < b.nclasses; ++i)
    b.classes[i] = random_class(&b, 1 + random_below(random, nlayouts));
  while (b.nops < nops)
    random_op(&b);
  return (DspSearchProblem){b.nclasses, b.classes, nops,   b.choices,
                            b.nvalues,  b.value_class, nops, b.ops};
}
