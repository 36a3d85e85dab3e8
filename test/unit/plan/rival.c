// rival.c - brute force over picks; the cheapest tree of conversions of each
// value comes from dynamic programming over the layouts that are asked for
// (Dreyfus, Wagner).
#include "rival.h"

#include <stdlib.h>
#include <string.h>

#include "owners.h"

enum { MOST_LAYOUTS = 64, MOST_ASKED = 6, KNOWN = 4096 };

static const Bill never = {INT64_MAX / 4, 0};

/// What lies between two layouts, by the cheapest way.
typedef struct Prices {
  uint32_t count;
  Bill *near; ///< [count * count]
} Prices;

/// A tree that has been priced.
typedef struct Known {
  uint32_t class_id, base;
  uint64_t asked;
  Bill bill;
} Known;

typedef struct Rival {
  DspArena *arena;
  const DspPlanGraph *graph;
  const DspPlanMesh *mesh;
  const DspLowered *low;
  Prices *prices; ///< [nclasses]
  Bill **rings;   ///< [nops][alternatives] or NULL
  int64_t bytes;  ///< the limit of memory; 0: none
  bool all;       ///< what counts (holds.h)
  uint32_t *base;   ///< [nvalues] the layout that it was made in
  uint64_t *asked;  ///< [nvalues] the layouts that ops need
  Known *known;
  Bill best, won;
  size_t left; ///< combinations to look at
} Rival;

/// One thing that an op may do next, and the bill with it.
typedef struct Way {
  uint32_t alternative;
  Bill bill;
} Way;

static bool less(Bill a, Bill b) {
  return a.bytes != b.bytes ? a.bytes < b.bytes : a.collectives < b.collectives;
}

static Bill plus(Bill a, Bill b) {
  return (Bill){a.bytes + b.bytes, a.collectives + b.collectives};
}

/// How many (element, receiver) pairs, from who holds what before and after.
static int64_t count_sent(const DspPlanMesh *mesh, DspCollective kind, int axis,
                          const uint64_t *from, const uint64_t *to,
                          int64_t elements) {
  int64_t count = 0, n = mesh->sizes[axis];
  for (int64_t e = 0; e < elements; ++e)
    if (kind == DSP_COLLECTIVE_ALL_TO_ALL)
      count += __builtin_popcountll(to[e] & ~from[e]);
    else if (kind != DSP_COLLECTIVE_NONE) // all but one of each group send
      count += __builtin_popcountll(from[e]) / n * (n - 1);
  return kind == DSP_COLLECTIVE_ALL_REDUCE ? 2 * count : count;
}

static void close_prices(Prices *prices) {
  uint32_t n = prices->count;
  for (uint32_t via = 0; via < n; ++via)
    for (uint32_t a = 0; a < n; ++a)
      for (uint32_t b = 0; b < n; ++b) {
        Bill way = plus(prices->near[a * n + via], prices->near[via * n + b]);
        if (less(way, prices->near[a * n + b]))
          prices->near[a * n + b] = way;
      }
}

static void price_class(Rival *r, uint32_t class_id, uint32_t value) {
  Prices *prices = &r->prices[class_id];
  const DspPlanLayout *layouts = r->low->layouts[class_id];
  DspPlanShape shape = judge_shape(r->arena, r->graph, value);
  int64_t elements = owners_elements(&shape);
  uint32_t n = prices->count = r->low->problem.classes[class_id].count;
  uint64_t *masks =
      dsp_arena_alloc(r->arena, n * (size_t)elements * sizeof *masks);
  prices->near = dsp_arena_alloc(r->arena, n * n * sizeof *prices->near);
  for (uint32_t i = 0; i < n; ++i)
    for (int64_t e = 0; e < elements; ++e)
      masks[i * elements + e] = owners_mask(&shape, r->mesh, layouts[i], e);
  for (uint32_t i = 0; i < n * n; ++i) {
    int axis = 0;
    DspCollective kind = owners_kind(layouts[i / n], layouts[i % n], &axis);
    int64_t sent = count_sent(r->mesh, kind, axis, &masks[i / n * elements],
                              &masks[i % n * elements], elements);
    prices->near[i] = kind == DSP_COLLECTIVE_IMPOSSIBLE
                          ? never
                          : (Bill){sent * shape.element_bytes, sent > 0};
  }
  close_prices(prices);
}

/// trees[set][at]: the cheapest tree from layout `at` to all of `set`.
static Bill grow_trees(const Prices *prices, uint32_t base,
                       const uint32_t *asked, uint32_t count) {
  static Bill trees[1 << MOST_ASKED][MOST_LAYOUTS];
  uint32_t n = prices->count;
  for (uint32_t set = 1; set < 1u << count; ++set) {
    Bill split[MOST_LAYOUTS];
    for (uint32_t at = 0; at < n; ++at) {
      split[at] = never;
      for (uint32_t k = 0; k < count; ++k)
        if (set == 1u << k && at == asked[k])
          split[at] = (Bill){0, 0};
      for (uint32_t part = (set - 1) & set; part; part = (part - 1) & set) {
        Bill both = plus(trees[part][at], trees[set & ~part][at]);
        if (less(both, split[at]))
          split[at] = both;
      }
    }
    for (uint32_t at = 0; at < n; ++at) {
      trees[set][at] = never;
      for (uint32_t to = 0; to < n; ++to) {
        Bill way = plus(prices->near[at * n + to], split[to]);
        if (less(way, trees[set][at]))
          trees[set][at] = way;
      }
    }
  }
  return trees[(1u << count) - 1][base];
}

static Bill price_of_value(Rival *r, uint32_t value) {
  uint32_t class_id = r->low->problem.value_class[value], count = 0;
  uint32_t base = r->base[value], asked[MOST_ASKED];
  uint64_t set = r->asked[value] & ~((uint64_t)1 << base);
  uint64_t hash = (set * 31 + base) * 0x9e3779b97f4a7c15u + class_id * 97;
  Known *known = &r->known[hash >> 40 & (KNOWN - 1)];
  if (!set)
    return (Bill){0, 0};
  if (known->asked == set && known->base == base &&
      known->class_id == class_id)
    return known->bill;
  for (uint64_t rest = set; rest; rest &= rest - 1) {
    if (count == MOST_ASKED)
      abort(); // the graphs of this test are smaller
    asked[count++] = (uint32_t)__builtin_ctzll(rest);
  }
  *known = (Known){class_id, base, set,
                   grow_trees(&r->prices[class_id], base, asked, count)};
  return known->bill;
}

static const DspChoice *choice_of(const Rival *r, size_t op) {
  return &r->low->problem.choices[r->low->problem.ops[op].choice];
}

/// What the ring of an alternative moves.
static Bill ring_of(Rival *r, size_t op, uint32_t alternative) {
  const DspPlanOp *it = &r->graph->ops[op];
  const DspPlanWays *ways =
      &r->low->ways[r->low->problem.ops[op].choice][alternative];
  const DspAlternative *a = &choice_of(r, op)->alternatives[alternative];
  DspPlanLayout operands[8];
  int64_t sent[64] = {0}, far[64] = {0};
  if (!ways->axes[0].ring && !ways->axes[1].ring)
    return (Bill){0, 0};
  for (size_t i = 0; i < it->noperands; ++i)
    operands[i] = r->low->layouts[r->low->problem.value_class[it->operands[i]]]
                                 [a->needs[i]];
  int64_t bytes = judge_ring(r->arena, r->graph, r->mesh, it, ways->axes,
                             operands, sent, far);
  return (Bill){bytes, bytes > 0};
}

/// Sets what the alternative needs and gives; returns what that adds.
static Bill apply(Rival *r, size_t op, uint32_t alternative) {
  const DspPlanOp *it = &r->graph->ops[op];
  const DspAlternative *a = &choice_of(r, op)->alternatives[alternative];
  Bill more = r->rings[op][alternative];
  for (size_t i = 0; i < it->noperands; ++i) {
    Bill before = price_of_value(r, it->operands[i]);
    r->asked[it->operands[i]] |= (uint64_t)1 << a->needs[i];
    Bill after = price_of_value(r, it->operands[i]);
    more = plus(more, (Bill){after.bytes - before.bytes,
                             after.collectives - before.collectives});
  }
  for (size_t i = 0; i < it->nresults; ++i) {
    r->base[it->results[i]] = a->gives[i];
    r->asked[it->results[i]] = 0;
  }
  return more;
}

static int compare_ways(const void *a, const void *b) {
  const Way *x = a, *y = b;
  return less(x->bill, y->bill) ? -1 : less(y->bill, x->bill);
}

static void save(const Rival *r, const DspPlanOp *op, uint64_t *asked) {
  for (size_t i = 0; i < op->noperands; ++i)
    asked[i] = r->asked[op->operands[i]];
}

static void restore(Rival *r, const DspPlanOp *op, const uint64_t *asked) {
  for (size_t i = 0; i < op->noperands; ++i)
    r->asked[op->operands[i]] = asked[i];
}

static DspPlanLayout layout_of(const Rival *r, uint32_t value, uint8_t local) {
  return r->low->layouts[r->low->problem.value_class[value]][local];
}

/// What an alternative holds, now that earlier ops are settled.
static Memory holds_by(const Rival *r, size_t op, uint32_t alternative) {
  const DspPlanOp *it = &r->graph->ops[op];
  const DspAlternative *a = &choice_of(r, op)->alternatives[alternative];
  DspPlanLayout operands[8], lies[8], results[8];
  DspArena *scratch = dsp_arena_create();
  for (size_t i = 0; i < it->noperands; ++i) {
    operands[i] = layout_of(r, it->operands[i], a->needs[i]);
    lies[i] = layout_of(r, it->operands[i], (uint8_t)r->base[it->operands[i]]);
  }
  for (size_t i = 0; i < it->nresults; ++i)
    results[i] = layout_of(r, it->results[i], a->gives[i]);
  Memory memory = holds_of(scratch, r->graph, r->mesh, op, operands, lies,
                           results, r->all);
  dsp_arena_destroy(scratch);
  return memory;
}

/// Goes on from op `op`, at a price of `bill` so far.
static RivalResult try_all(Rival *r, size_t op, Bill bill, Memory memory) {
  r->won = bill;
  if (op == r->graph->nops)
    return RIVAL_WINS;
  uint64_t asked[8];
  const DspPlanOp *it = &r->graph->ops[op];
  uint32_t count = choice_of(r, op)->count;
  Way *ways = malloc((count + 1) * sizeof *ways);
  RivalResult result = RIVAL_LOSES;
  save(r, it, asked);
  for (uint32_t i = 0; i < count; ++i) {
    ways[i] = (Way){i, plus(bill, apply(r, op, i))};
    restore(r, it, asked);
  }
  qsort(ways, count, sizeof *ways, compare_ways);
  for (uint32_t i = 0; i < count && result == RIVAL_LOSES &&
                       less(ways[i].bill, r->best);
       ++i) {
    Memory more = memory;
    if (r->bytes)
      more = holds_also(memory, holds_by(r, op, ways[i].alternative));
    if (r->bytes && more.weights + more.most > r->bytes)
      continue;
    if (r->left-- == 0) {
      r->left = 0;
      result = RIVAL_GIVES_UP;
      break;
    }
    apply(r, op, ways[i].alternative);
    result = try_all(r, op + 1, ways[i].bill, more);
    restore(r, it, asked);
  }
  free(ways);
  return result;
}

static void *zeros(DspArena *arena, size_t size) {
  return memset(dsp_arena_alloc(arena, size + 1), 0, size);
}

static Rival begin(DspArena *arena, const DspPlanGraph *graph,
                   const DspPlanOptions *options, const DspLowered *low,
                   Bill known, size_t limit) {
  Rival r = {.arena = arena, .graph = graph, .mesh = &options->mesh,
             .low = low, .best = known, .left = limit};
  r.prices = zeros(arena, low->problem.nclasses * sizeof *r.prices);
  r.base = zeros(arena, graph->nvalues * sizeof *r.base);
  r.asked = zeros(arena, graph->nvalues * sizeof *r.asked);
  r.known = zeros(arena, KNOWN * sizeof *r.known);
  r.rings = zeros(arena, graph->nops * sizeof *r.rings);
  for (uint32_t v = 0; v < graph->nvalues; ++v)
    if (!r.prices[low->problem.value_class[v]].near)
      price_class(&r, low->problem.value_class[v], v);
  for (size_t op = 0; op < graph->nops; ++op) {
    uint32_t count = choice_of(&r, op)->count;
    r.rings[op] = zeros(arena, count * sizeof(Bill));
    for (uint32_t i = 0; i < count; ++i)
      r.rings[op][i] = ring_of(&r, op, i);
  }
  return r;
}

RivalResult find_cheaper(DspArena *arena, const DspPlanGraph *graph,
                         const DspPlanOptions *options, const DspLowered *low,
                         Bill known, size_t limit) {
  Rival r = begin(arena, graph, options, low, known, limit);
  return try_all(&r, 0, (Bill){0, 0}, (Memory){0, 0});
}

RivalResult find_cheaper_within(DspArena *arena, const DspPlanGraph *graph,
                                const DspPlanOptions *options,
                                const DspLowered *low, Bill known,
                                size_t limit, int64_t bytes, bool all,
                                Bill *bill) {
  Rival r = begin(arena, graph, options, low, known, limit);
  r.bytes = bytes;
  r.all = all;
  RivalResult result = try_all(&r, 0, (Bill){0, 0}, (Memory){0, 0});
  *bill = r.won;
  return result;
}
