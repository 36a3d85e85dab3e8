// parts.c - which op takes part in which share of which value.
//
// A value with many readers has several shares, each with the maker and a few
// readers, and each at an equal part of what a conversion costs.  Readers that
// convert alike then pay together what the conversion costs; others pay less:
// the sum is a lower bound.
//
// Needs:  ops in topological order.
// Leaves: shares and edges; a position of a share has exactly one edge.
#include "parts.h"

#include "tree.h"

enum { MOST_LABELS = 512 };

/// The uses of the values, one after the other.
typedef struct Uses {
  uint32_t *first; ///< [nvalues + 1]
  uint32_t *ops, *slots;
  uint32_t *maker, *maker_slot; ///< [nvalues]
} Uses;

/// What the alternatives of a choice need of some of their operands.
typedef struct Labels {
  uint32_t count;     ///< of sets, or 0: the layouts
  const uint16_t *of; ///< [alternatives]
  const DspLayoutSet *sets;
} Labels;

typedef struct Builder {
  DspArena *arena;
  const DspSearchProblem *problem;
  const DspSets *sets;
  DspTrees trees;
  Uses uses;
  DspInterner label_keys, table_keys;
  Labels *labels;
  DspShare *tables;
  uint32_t labels_capacity, tables_capacity;
  uint32_t *next; ///< [nops] edges so far
  DspParts parts;
} Builder;

static void count_uses(Builder *b) {
  const DspSearchProblem *p = b->problem;
  Uses *uses = &b->uses;
  for (size_t op = 0; op < p->nops; ++op)
    for (uint32_t i = 0; i < dsp_choice_of(p, op)->noperands; ++i)
      ++uses->first[p->ops[op].operands[i] + 1];
  for (size_t v = 0; v < p->nvalues; ++v) {
    uses->maker[v] = UINT32_MAX;
    uses->first[v + 1] += uses->first[v];
  }
}

static void find_uses(Builder *b) {
  const DspSearchProblem *p = b->problem;
  Uses *uses = &b->uses;
  uses->first = DSP_NEW(b->arena, uint32_t, p->nvalues + 1);
  uses->maker = DSP_NEW(b->arena, uint32_t, p->nvalues);
  uses->maker_slot = DSP_NEW(b->arena, uint32_t, p->nvalues);
  count_uses(b);
  uint32_t *next = DSP_NEW(b->arena, uint32_t, p->nvalues);
  uses->ops = DSP_NEW(b->arena, uint32_t, uses->first[p->nvalues]);
  uses->slots = DSP_NEW(b->arena, uint32_t, uses->first[p->nvalues]);
  for (uint32_t op = 0; op < p->nops; ++op) {
    const DspChoice *choice = dsp_choice_of(p, op);
    for (uint32_t i = 0; i < choice->noperands; ++i) {
      uint32_t value = p->ops[op].operands[i];
      uint32_t at = uses->first[value] + next[value]++;
      uses->ops[at] = op;
      uses->slots[at] = i;
    }
    for (uint32_t i = 0; i < choice->nresults; ++i) {
      uses->maker[p->ops[op].results[i]] = op;
      uses->maker_slot[p->ops[op].results[i]] = choice->noperands + i;
    }
  }
}

static uint32_t count_readers(const Builder *b, size_t value) {
  return b->uses.first[value + 1] - b->uses.first[value];
}

/// The operands of the only op that reads the value, in several places, a bit
/// each; or 0.
static uint32_t slots_alone(const Builder *b, size_t value) {
  uint32_t first = b->uses.first[value], n = count_readers(b, value);
  uint32_t slots = 0;
  if (n < 2 || n > DSP_SHARE_READERS) return 0;
  for (uint32_t u = first; u < first + n; ++u) {
    if (b->uses.ops[u] != b->uses.ops[first]) return 0;
    slots |= 1u << b->uses.slots[u];
  }
  return slots;
}

static uint32_t shares_of(const Builder *b, size_t value) {
  if (b->uses.maker[value] == UINT32_MAX) return 0;
  return (count_readers(b, value) + DSP_SHARE_READERS - 1) / DSP_SHARE_READERS;
}

static void count_edges(Builder *b) {
  const DspSearchProblem *p = b->problem;
  uint32_t *first = b->parts.first_edge;
  for (size_t v = 0; v < p->nvalues; ++v) {
    uint32_t shares = shares_of(b, v);
    if (shares == 0) continue;
    b->parts.nshares += shares;
    first[b->uses.maker[v] + 1] += shares;
    for (uint32_t u = b->uses.first[v]; u < b->uses.first[v + 1]; ++u)
      ++first[b->uses.ops[u] + 1];
  }
  for (size_t op = 0; op < p->nops; ++op) first[op + 1] += first[op];
}

static uint32_t layout_of(const DspChoice *choice, uint32_t alternative,
                          uint32_t slot) {
  const DspAlternative *way = &choice->alternatives[alternative];
  return slot < choice->noperands ? way->needs[slot]
                                  : way->gives[slot - choice->noperands];
}

static Labels list_layouts(Builder *b, const DspChoice *choice, uint32_t slot) {
  uint16_t *of = DSP_NEW(b->arena, uint16_t, choice->count);
  for (uint32_t a = 0; a < choice->count; ++a)
    of[a] = (uint16_t)layout_of(choice, a, slot);
  return (Labels){0, of, NULL};
}

/// Numbers the sets of layouts; none where they are too many.
static Labels list_sets(Builder *b, const DspChoice *choice, uint32_t slots) {
  DspInterner keys = dsp_interner(b->arena);
  uint16_t *of = DSP_NEW(b->arena, uint16_t, choice->count);
  DspLayoutSet *sets = DSP_NEW(b->arena, DspLayoutSet, MOST_LABELS);
  for (uint32_t a = 0; a < choice->count; ++a) {
    uint64_t set = 0;
    bool fresh = false;
    for (uint32_t left = slots; left; left &= left - 1)
      set |= dsp_set_of(layout_of(choice, a, (uint32_t)__builtin_ctz(left)));
    uint32_t number = dsp_intern(&keys, &set, 1, &fresh);
    if (number == MOST_LABELS) return (Labels){0};
    of[a] = (uint16_t)number;
    sets[number] = set;
  }
  return (Labels){keys.count, of, sets};
}

/// Of one operand or result, or, with `together`, of operands that are a value.
static Labels *labels_of(Builder *b, uint32_t op, uint32_t slots,
                         bool together) {
  uint64_t key[] = {b->problem->ops[op].choice,
                    (uint64_t)slots << 1 | together};
  bool fresh = false;
  uint32_t number = dsp_intern(&b->label_keys, key, 2, &fresh);
  if (fresh) {
    const DspChoice *choice = dsp_choice_of(b->problem, op);
    DSP_GROW(b->arena, b->labels, number, b->labels_capacity);
    b->labels[number] =
        together ? list_sets(b, choice, slots) : list_layouts(b, choice, slots);
  }
  return &b->labels[number];
}

static int64_t scaled(int64_t bytes, uint32_t parts) {
  int64_t cost = dsp_dual_cost(bytes);
  return cost == DSP_DUAL_NEVER ? cost : cost / parts;
}

/// The conversions of a class, each at a `parts`-th of its cost.
static void fill_near(Builder *b, const DspMetric *metric, uint32_t parts,
                      DspShare *share) {
  uint32_t n = share->count = metric->count;
  int64_t *near = DSP_NEW(b->arena, int64_t, (size_t)n * n);
  int64_t *far = DSP_NEW(b->arena, int64_t, (size_t)n * n);
  for (uint32_t x = 0; x < n; ++x)
    for (uint32_t y = 0; y < n; ++y)
      near[x * n + y] = far[y * n + x] =
          scaled(metric->near[x * n + y].bytes, parts);
  share->near = near;
  share->far = far;
}

static void fill_serve(Builder *b, uint32_t class_id, const Labels *labels,
                       DspShare *share) {
  uint32_t n = share->count, m = share->nlabels = labels->count;
  int64_t *serve = DSP_NEW(b->arena, int64_t, (size_t)n * m);
  int64_t *serve_by = DSP_NEW(b->arena, int64_t, (size_t)n * m);
  for (uint32_t l = 0; l < m; ++l) {
    const DspHop *hops = dsp_trees_to(&b->trees, class_id, labels->sets[l]);
    for (uint32_t x = 0; x < n; ++x)
      serve[x * m + l] = serve_by[l * n + x] = scaled(hops[x].bytes, 1);
  }
  share->serve = serve;
  share->serve_by = serve_by;
  share->labels = labels->sets;
}

/// Shares with equal tables have the same.
static DspShare table_of(Builder *b, uint32_t class_id, uint32_t parts,
                         const Labels *labels) {
  bool fresh = false;
  uint64_t key[] = {(uint64_t)class_id << 32 | parts,
                    labels ? (uint64_t)(labels - b->labels) + 1 : 0};
  uint32_t number = dsp_intern(&b->table_keys, key, 2, &fresh);
  if (fresh) {
    DSP_GROW(b->arena, b->tables, number, b->tables_capacity);
    DspShare *table = &b->tables[number];
    *table = (DspShare){0};
    fill_near(b, &b->sets->metrics[class_id], parts, table);
    if (labels) fill_serve(b, class_id, labels, table);
  }
  return b->tables[number];
}

static void add_edge(Builder *b, uint32_t op, DspEdge edge) {
  DspShare *share = &b->parts.shares[edge.share];
  share->add[edge.position] =
      DSP_NEW(b->arena, int64_t, dsp_share_width(share, edge.position));
  b->parts.edges[b->parts.first_edge[op] + b->next[op]++] = edge;
}

static void add_maker(Builder *b, uint32_t value, uint32_t share) {
  uint32_t op = b->uses.maker[value];
  Labels *labels = labels_of(b, op, b->uses.maker_slot[value], false);
  b->parts.share_value[share] = value;
  add_edge(b, op, (DspEdge){share, 0, labels->of, false, true});
}

/// One share, with one reader; false: it has too many labels.
static bool make_labelled(Builder *b, uint32_t value, uint32_t share) {
  uint32_t slots = slots_alone(b, value);
  uint32_t op = slots ? b->uses.ops[b->uses.first[value]] : 0;
  Labels *labels = slots ? labels_of(b, op, slots, true) : NULL;
  if (!labels || labels->count == 0) return false;
  b->parts.shares[share] =
      table_of(b, b->problem->value_class[value], 1, labels);
  b->parts.shares[share].npositions = 2;
  add_edge(b, op, (DspEdge){share, 1, labels->of, true, false});
  add_maker(b, value, share);
  return true;
}

/// The shares of a value from `share` on.
static void make_shares(Builder *b, uint32_t value, uint32_t share,
                        uint32_t parts) {
  uint32_t u = b->uses.first[value], left = count_readers(b, value);
  for (uint32_t i = 0; i < parts; ++i, ++share) {
    uint32_t readers = (left + parts - i - 1) / (parts - i);
    left -= readers;
    b->parts.shares[share] =
        table_of(b, b->problem->value_class[value], parts, NULL);
    b->parts.shares[share].npositions = 1 + readers;
    add_maker(b, value, share);
    for (uint32_t r = 1; r <= readers; ++r, ++u) {
      Labels *labels = labels_of(b, b->uses.ops[u], b->uses.slots[u], false);
      add_edge(b, b->uses.ops[u],
               (DspEdge){share, r, labels->of, true, r < readers});
    }
  }
}

/// Edges of an op lie together: those that were counted and not made are at
/// the end, and go.
static void close_gaps(Builder *b) {
  DspParts *parts = &b->parts;
  uint32_t to = 0;
  for (size_t op = 0; op < b->problem->nops; ++op) {
    uint32_t from = parts->first_edge[op];
    parts->first_edge[op] = to;
    for (uint32_t i = 0; i < b->next[op]; ++i)
      parts->edges[to++] = parts->edges[from + i];
  }
  parts->first_edge[b->problem->nops] = to;
}

DspParts dsp_parts(DspArena *arena, const DspSearchProblem *problem,
                   const DspSets *sets) {
  Builder b = {.arena = arena,
               .problem = problem,
               .sets = sets,
               .trees = dsp_trees(arena, sets),
               .label_keys = dsp_interner(arena),
               .table_keys = dsp_interner(arena)};
  b.parts.problem = problem;
  b.parts.first_edge = DSP_NEW(arena, uint32_t, problem->nops + 1);
  b.next = DSP_NEW(arena, uint32_t, problem->nops);
  find_uses(&b);
  count_edges(&b);
  b.parts.shares = DSP_NEW(arena, DspShare, b.parts.nshares);
  b.parts.share_value = DSP_NEW(arena, uint32_t, b.parts.nshares);
  b.parts.edges = DSP_NEW(arena, DspEdge, b.parts.first_edge[problem->nops]);
  uint32_t share = 0;
  for (uint32_t v = 0; v < problem->nvalues; ++v) {
    uint32_t parts = shares_of(&b, v);
    if (parts != 1 || !make_labelled(&b, v, share))
      make_shares(&b, v, share, parts);
    share += parts;
  }
  close_gaps(&b);
  return b.parts;
}
