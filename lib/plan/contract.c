// contract.c - ops between which nothing is to be decided become one.
//
// Three things shrink a problem and leave its cheapest plans what they are:
//
//   constants  a source whose cheapest alternative gives every layout for
//              nothing (a whole weight) needs no search
//   sources    another source that is read once becomes a part of its reader
//   makers     an op whose result is read by one op alone, be it several times,
//              becomes one with that: what lies between two places of the
//              residual stream is then a single op
//
// An alternative of a merged op stands for one of each part and the cheapest
// conversions between them (tree.c).  Of two of them, one is superfluous when the
// other costs no more even if what it needs is made from what the first needs,
// and what the first gives is made from what it gives.  So the layouts of which
// nobody profits are gone before the search multiplies them.
//
// Needs:  a problem as plan.h describes it.
// Leaves: a problem on the same values, ops in topological order.
#include "contract.h"

#include <string.h>

#include "frontier.h"
#include "tree.h"

enum {
  LONGEST = 48,        ///< ops in one: layers stay alike, however deep
  MOST_PAIRS = 131072, ///< alternatives to look at for one merged choice
  MOST_WAYS = 512,     ///< alternatives of an op that is merged
  MOST_OPERANDS = 8,   ///< of an op that is merged from two with operands
  MOST_SLOTS = 4,      ///< of the reader in which the value between them is
};

/// One op of the original problem, or two nodes that became one.
typedef struct DspNode {
  uint32_t choice;
  uint32_t op;          ///< of the original, when it is one
  uint32_t first, second; ///< nodes, or UINT32_MAX
  uint32_t length;      ///< ops in it
  uint32_t place;       ///< where it stands: that of an op of the original
  uint32_t noperands, nresults;
  const uint32_t *operands, *results;
} DspNode;

/// What the alternatives of a choice are made of.
typedef struct DspBlend {
  const uint32_t *first;  ///< alternative of the first part, or of the op
  const uint32_t *second; ///< alternative of the second part, or NULL
} DspBlend;

typedef struct Contractor {
  DspArena *arena;
  DspArena *scratch; ///< of the choice that is listed
  const DspSearchProblem *problem;
  const DspSets *sets;
  DspTrees trees;
  uint32_t *uses;     ///< [nvalues]
  uint32_t *constant; ///< [nops] pick of a source, or UINT32_MAX
  bool *is_constant;  ///< [nvalues]
  uint32_t *maker;    ///< [nvalues] node
  uint32_t *at;       ///< [nops] node at this place of the order
  DspNode *nodes;
  uint32_t nnodes;
  DspInterner keys;
  DspKey key;
  DspChoice *choices;
  DspBlend *blends;
  bool *given_up; ///< a merged choice with too many alternatives
  uint32_t choices_capacity, blends_capacity, given_up_capacity;
} Contractor;

static const DspChoice *choice_of(const DspSearchProblem *problem, size_t op) {
  return &problem->choices[problem->ops[op].choice];
}

static const DspMetric *metric_of(const Contractor *c, uint32_t value) {
  return &c->sets->metrics[c->problem->value_class[value]];
}

/// Counts the uses of every value and collects what they may need.
static DspLayoutSet *find_wanted(Contractor *c) {
  const DspSearchProblem *p = c->problem;
  DspLayoutSet *wanted = DSP_NEW(c->arena, DspLayoutSet, p->nvalues);
  c->uses = DSP_NEW(c->arena, uint32_t, p->nvalues);
  for (size_t op = 0; op < p->nops; ++op)
    for (uint32_t i = 0; i < choice_of(p, op)->noperands; ++i) {
      uint32_t value = p->ops[op].operands[i];
      ++c->uses[value];
      for (uint32_t a = 0; a < choice_of(p, op)->count; ++a)
        wanted[value] |=
            dsp_set_of(choice_of(p, op)->alternatives[a].needs[i]);
    }
  return wanted;
}

/// The alternative of a source that costs least and from which every wanted
/// layout is free, or UINT32_MAX.
static uint32_t constant_pick(const Contractor *c, size_t op,
                              const DspLayoutSet *wanted) {
  const DspChoice *choice = choice_of(c->problem, op);
  if (choice->noperands != 0 || choice->nresults != 1 || choice->count == 0)
    return UINT32_MAX;
  uint32_t value = c->problem->ops[op].results[0];
  DspPlanCost least = dsp_way_cost(&choice->alternatives[0]);
  for (uint32_t a = 1; a < choice->count; ++a) {
    DspPlanCost cost = dsp_way_cost(&choice->alternatives[a]);
    least = dsp_plan_cost_compare(cost, least) < 0 ? cost : least;
  }
  for (uint32_t a = 0; a < choice->count; ++a) {
    const DspAlternative *way = &choice->alternatives[a];
    if (dsp_plan_cost_compare(dsp_way_cost(way), least) == 0 &&
        !(wanted[value] & ~metric_of(c, value)->free[way->gives[0]]))
      return a;
  }
  return UINT32_MAX;
}

static DspPlanCost find_constants(Contractor *c) {
  const DspSearchProblem *p = c->problem;
  const DspLayoutSet *wanted = find_wanted(c);
  DspPlanCost base = {0};
  c->constant = DSP_NEW(c->arena, uint32_t, p->nops);
  c->is_constant = DSP_NEW(c->arena, bool, p->nvalues);
  for (size_t op = 0; op < p->nops; ++op) {
    uint32_t pick = c->constant[op] = constant_pick(c, op, wanted);
    if (pick == UINT32_MAX)
      continue;
    c->is_constant[p->ops[op].results[0]] = true;
    const DspAlternative *way = &choice_of(p, op)->alternatives[pick];
    base = dsp_cost_add(base, dsp_way_cost(way));
  }
  return base;
}

/// An alternative while it is compared.
typedef struct Candidate {
  DspPlanCost cost;
  const uint8_t *needs, *gives;
  uint32_t first, second;
} Candidate;

static bool add_hop(DspPlanCost *cost, const DspMetric *metric, uint32_t from,
                    uint32_t to) {
  DspHop hop = metric->near[from * metric->count + to];
  if (hop.bytes == DSP_PLAN_NEVER)
    return false;
  cost->bytes += hop.bytes;
  cost->collectives += hop.collectives;
  return true;
}

static uint32_t position_of(const DspNode *node, uint32_t value) {
  uint32_t i = 0;
  while (node->operands[i] != value)
    ++i;
  return i;
}

/// Adds what it takes to have operand `i` as `to` needs it, where the value is
/// in all layouts in which `from` needs it.
static bool add_needs(const Contractor *c, const DspNode *node, uint32_t i,
                      const uint8_t *from, const uint8_t *to,
                      DspPlanCost *cost) {
  const DspMetric *metric = metric_of(c, node->operands[i]);
  const DspHop *near = metric->near + to[i];
  uint32_t best = i;
  for (uint32_t k = 0; k < node->noperands; ++k) {
    if (k == i || node->operands[k] != node->operands[i])
      continue;
    if (from[k] == to[i] || (k < i && to[k] == to[i]))
      return true; // it is there, or was added for the other one
    if (dsp_hop_less(near[from[k] * metric->count],
                     near[from[best] * metric->count]))
      best = k;
  }
  return add_hop(cost, metric, from[best], to[i]);
}

/// True when `a` may take the place of `b` at no more cost.
static bool replaces(const Contractor *c, const DspNode *node,
                     const Candidate *a, const Candidate *b) {
  DspPlanCost cost = a->cost;
  for (uint32_t i = 0; i < node->nresults; ++i)
    if (a->gives[i] != b->gives[i] &&
        (!add_hop(&cost, metric_of(c, node->results[i]), a->gives[i],
                  b->gives[i]) ||
         cost.bytes > b->cost.bytes))
      return false;
  for (uint32_t i = 0; i < node->noperands; ++i)
    if (a->needs[i] != b->needs[i] &&
        (!add_needs(c, node, i, b->needs, a->needs, &cost) ||
         cost.bytes > b->cost.bytes))
      return false;
  return dsp_plan_cost_compare(cost, b->cost) <= 0;
}

/// Cheapest first, stable.
static void sort(Candidate *list, Candidate *scratch, uint32_t count) {
  uint32_t half = count / 2;
  if (count < 2)
    return;
  sort(list, scratch, half);
  sort(list + half, scratch, count - half);
  memcpy(scratch, list, count * sizeof *list);
  for (uint32_t i = 0, a = 0, b = half; i < count; ++i) {
    bool left = a < half && (b == count ||
                             dsp_plan_cost_compare(scratch[a].cost,
                                                   scratch[b].cost) <= 0);
    list[i] = scratch[left ? a++ : b++];
  }
}

/// Of those that need and give the same, the first stays.
static uint32_t drop_equal(const Contractor *c, const DspNode *node,
                           Candidate *list, uint32_t count) {
  DspInterner keys = dsp_interner(c->scratch);
  uint64_t words[2 * DSP_PLAN_MAX_ARITY / sizeof(uint64_t) + 1] = {0};
  uint32_t kept = 0, bytes = node->noperands + node->nresults;
  for (uint32_t i = 0; i < count; ++i) {
    bool fresh = false;
    if (node->noperands > 0)
      memcpy(words, list[i].needs, node->noperands);
    if (node->nresults > 0)
      memcpy((uint8_t *)words + node->noperands, list[i].gives,
             node->nresults);
    dsp_intern(&keys, words, bytes / sizeof *words + 1, &fresh);
    if (fresh)
      list[kept++] = list[i];
  }
  return kept;
}

/// True when one of `kept` may take the place of `it`; that one is then tried
/// first, since the next is often like this one.
static bool is_superfluous(const Contractor *c, const DspNode *node,
                           const Candidate *list, uint32_t *turn,
                           uint32_t kept, const Candidate *it) {
  for (uint32_t k = 0; k < kept; ++k) {
    uint32_t other = turn[k];
    if (!replaces(c, node, &list[other], it))
      continue;
    memmove(turn + 1, turn, k * sizeof *turn);
    turn[0] = other;
    return true;
  }
  return false;
}

/// Leaves the alternatives that a cheapest plan may need, or returns
/// UINT32_MAX: they are more than `most`.
static uint32_t drop_superfluous(const Contractor *c, const DspNode *node,
                                 Candidate *list, uint32_t count,
                                 uint32_t most) {
  uint32_t kept = 0, *turn = DSP_NEW(c->scratch, uint32_t, count);
  sort(list, DSP_NEW(c->scratch, Candidate, count), count);
  count = drop_equal(c, node, list, count);
  for (uint32_t i = 0; i < count; ++i) {
    if (is_superfluous(c, node, list, turn, kept, &list[i]))
      continue;
    if (kept == most)
      return UINT32_MAX;
    turn[kept] = kept;
    list[kept++] = list[i];
  }
  return kept;
}

static const uint8_t *copied(const Contractor *c, const uint8_t *layouts,
                             uint32_t count) {
  uint8_t *copy = DSP_NEW(c->arena, uint8_t, count);
  if (count > 0)
    memcpy(copy, layouts, count);
  return copy;
}

/// Turns the candidates into the choice of `node`.
static void add_choice(Contractor *c, const DspNode *node, Candidate *list,
                       uint32_t count, bool merged) {
  DSP_GROW(c->arena, c->choices, node->choice, c->choices_capacity);
  DSP_GROW(c->arena, c->blends, node->choice, c->blends_capacity);
  DSP_GROW(c->arena, c->given_up, node->choice, c->given_up_capacity);
  count = drop_superfluous(c, node, list, count,
                           merged ? MOST_WAYS : UINT32_MAX);
  c->given_up[node->choice] = count == UINT32_MAX;
  if (count == UINT32_MAX)
    return;
  DspAlternative *ways = DSP_NEW(c->arena, DspAlternative, count);
  uint32_t *first = DSP_NEW(c->arena, uint32_t, count);
  uint32_t *second = DSP_NEW(c->arena, uint32_t, count);
  for (uint32_t i = 0; i < count; ++i) {
    DspPlanCost cost = list[i].cost;
    ways[i] = (DspAlternative){
      copied(c, list[i].needs, node->noperands), list[i].gives, cost.bytes,
      cost.collectives, cost.penalty, cost.order};
    first[i] = list[i].first;
    second[i] = list[i].second;
  }
  c->choices[node->choice] =
      (DspChoice){node->noperands, node->nresults, count, ways};
  c->blends[node->choice] = (DspBlend){first, merged ? second : NULL};
}

/// The classes of its values, and which operands are the same one.
static void key_add_classes(Contractor *c, const DspNode *node) {
  for (uint32_t i = 0; i < node->noperands; ++i)
    dsp_key_add(&c->key,
                (uint64_t)position_of(node, node->operands[i]) << 32 |
                    c->problem->value_class[node->operands[i]]);
  for (uint32_t i = 0; i < node->nresults; ++i)
    dsp_key_add(&c->key, c->problem->value_class[node->results[i]]);
}

/// The layouts of those of the values of `op` that the search looks at.
static const uint8_t *searched(const Contractor *c, const uint32_t *values,
                               uint32_t count, const uint8_t *layouts) {
  uint8_t *kept = DSP_NEW(c->scratch, uint8_t, count);
  uint32_t n = 0;
  for (uint32_t i = 0; i < count; ++i)
    if (!c->is_constant[values[i]])
      kept[n++] = layouts[i];
  return kept;
}

static void list_own(Contractor *c, const DspNode *node, uint32_t op) {
  const DspSearchOp *it = &c->problem->ops[op];
  const DspChoice *choice = choice_of(c->problem, op);
  Candidate *list = DSP_NEW(c->scratch, Candidate, choice->count);
  for (uint32_t a = 0; a < choice->count; ++a) {
    const DspAlternative *way = &choice->alternatives[a];
    list[a] = (Candidate){dsp_way_cost(way),
                          searched(c, it->operands, choice->noperands,
                                   way->needs),
                          way->gives, a, 0};
  }
  add_choice(c, node, list, choice->count, false);
}

/// A node for one op of the original; operands that are constant are left out.
static DspNode node_of_op(Contractor *c, uint32_t op) {
  const DspSearchOp *it = &c->problem->ops[op];
  const DspChoice *choice = choice_of(c->problem, op);
  uint32_t *operands = DSP_NEW(c->arena, uint32_t, choice->noperands);
  DspNode node = {.op = op, .place = op, .first = UINT32_MAX,
                  .second = UINT32_MAX, .length = 1,
                  .nresults = choice->nresults, .results = it->results,
                  .operands = operands};
  c->key.count = 0;
  dsp_key_add(&c->key, it->choice);
  for (uint32_t i = 0; i < choice->noperands; ++i) {
    dsp_key_add(&c->key, c->is_constant[it->operands[i]]);
    if (!c->is_constant[it->operands[i]])
      operands[node.noperands++] = it->operands[i];
  }
  key_add_classes(c, &node);
  bool fresh = false;
  node.choice = dsp_intern(&c->keys, c->key.words, c->key.count, &fresh);
  if (fresh) {
    c->scratch = dsp_arena_create();
    list_own(c, &node, op);
    dsp_arena_destroy(c->scratch);
  }
  return node;
}

/// What the merged op needs: all that the first part needs, and of the second
/// all but the value between them.
static const uint8_t *needs_of(const Contractor *c, const DspNode *node,
                               const uint8_t *needs, const uint8_t *more,
                               uint32_t value) {
  const DspNode *a = &c->nodes[node->first], *b = &c->nodes[node->second];
  uint8_t *all = DSP_NEW(c->scratch, uint8_t, node->noperands);
  uint32_t n = a->noperands;
  if (n > 0)
    memcpy(all, needs, n);
  for (uint32_t i = 0; i < b->noperands; ++i)
    if (b->operands[i] != value)
      all[n++] = more[i];
  return all;
}

/// The layouts in which an alternative of `node` needs `value`.
static DspLayoutSet needed(const DspNode *node, uint32_t value,
                           const uint8_t *needs) {
  DspLayoutSet set = 0;
  for (uint32_t i = 0; i < node->noperands; ++i)
    if (node->operands[i] == value)
      set |= dsp_set_of(needs[i]);
  return set;
}

static void list_pairs(Contractor *c, const DspNode *node, uint32_t value) {
  const DspNode *second = &c->nodes[node->second];
  const DspChoice *a = &c->choices[c->nodes[node->first].choice];
  const DspChoice *b = &c->choices[second->choice];
  uint32_t class_id = c->problem->value_class[value];
  Candidate *list =
      DSP_NEW(c->scratch, Candidate, (size_t)a->count * b->count);
  uint32_t count = 0;
  for (uint32_t k = 0; k < b->count; ++k) {
    const DspAlternative *y = &b->alternatives[k];
    const DspHop *hops =
        dsp_trees_to(&c->trees, class_id, needed(second, value, y->needs));
    for (uint32_t i = 0; i < a->count; ++i) {
      const DspAlternative *x = &a->alternatives[i];
      DspPlanCost cost = dsp_cost_add(dsp_way_cost(x), dsp_way_cost(y));
      DspHop hop = hops[x->gives[0]];
      if (hop.bytes == DSP_PLAN_NEVER)
        continue;
      cost.bytes += hop.bytes;
      cost.collectives += hop.collectives;
      list[count++] = (Candidate){
        cost, needs_of(c, node, x->needs, y->needs, value), y->gives, i, k};
    }
  }
  add_choice(c, node, list, count, true);
}

/// There is room: an op is merged at most once.
static uint32_t push(Contractor *c, DspNode node) {
  c->nodes[c->nnodes] = node;
  return c->nnodes++;
}

/// Where an operand of `node` is `value`, a bit each.
static uint32_t slots_of(const DspNode *node, uint32_t value) {
  uint32_t slots = 0;
  for (uint32_t i = 0; i < node->noperands; ++i)
    slots |= (uint32_t)(node->operands[i] == value) << i;
  return slots;
}

/// The operands of both but the value between them.
static void join_operands(Contractor *c, const DspNode *a, const DspNode *b,
                          uint32_t value, DspNode *node) {
  uint32_t *all =
      DSP_NEW(c->arena, uint32_t, a->noperands + b->noperands);
  uint32_t n = a->noperands;
  if (n > 0)
    memcpy(all, a->operands, n * sizeof *all);
  for (uint32_t i = 0; i < b->noperands; ++i)
    if (b->operands[i] != value)
      all[n++] = b->operands[i];
  node->operands = all;
  node->noperands = n;
}

/// One node for the maker of `value` and its only reader, or UINT32_MAX.
static uint32_t merge(Contractor *c, uint32_t first, uint32_t second,
                      uint32_t value) {
  const DspNode *a = &c->nodes[first], *b = &c->nodes[second];
  DspNode node = {.op = b->op, .first = first, .second = second,
                  .length = a->length + b->length, .nresults = b->nresults,
                  .results = b->results};
  bool chain = a->noperands > 0 && b->noperands == 1;
  node.place = chain ? a->place : b->place;
  join_operands(c, a, b, value, &node);
  c->key.count = 0;
  dsp_key_add(&c->key, (uint64_t)a->choice << 32 | b->choice);
  dsp_key_add(&c->key, (uint64_t)slots_of(b, value) << 32 |
                           c->problem->value_class[value]);
  dsp_key_add(&c->key, UINT64_MAX); // no op of the original has such a key
  key_add_classes(c, &node);
  bool fresh = false;
  node.choice = dsp_intern(&c->keys, c->key.words, c->key.count, &fresh);
  uint32_t merged = push(c, node);
  if (fresh) {
    c->scratch = dsp_arena_create();
    list_pairs(c, &c->nodes[merged], value);
    dsp_arena_destroy(c->scratch);
  }
  if (c->given_up[node.choice]) {
    --c->nnodes;
    return UINT32_MAX;
  }
  return merged;
}

/// Does `node` read a value in several places that is like what it makes?
/// Then it is a layer, and the next one begins after it.
static bool is_layer(const Contractor *c, const DspNode *node) {
  const uint32_t *class_of = c->problem->value_class;
  for (uint32_t i = 0; i < node->noperands; ++i)
    if (class_of[node->operands[i]] == class_of[node->results[0]] &&
        position_of(node, node->operands[i]) < i)
      return true;
  return false;
}

/// May the maker of `value` and its reader be one?
static bool may_merge(const Contractor *c, uint32_t value,
                      const DspNode *reader) {
  uint32_t slots =
      (uint32_t)__builtin_popcount(slots_of(reader, value));
  if (c->uses[value] != slots || slots > MOST_SLOTS)
    return false;
  const DspNode *maker = &c->nodes[c->maker[value]];
  uint32_t operands = maker->noperands + reader->noperands - slots;
  bool simple = maker->noperands == 0 || reader->noperands == 1;
  return maker->nresults == 1 && maker->length + reader->length <= LONGEST &&
         (simple || operands <= MOST_OPERANDS) &&
         (slots == 1 || !is_layer(c, maker)) &&
         (size_t)c->choices[maker->choice].count *
                 c->choices[reader->choice].count <=
             MOST_PAIRS;
}

/// Merges `node` with the maker of one of its operands, or returns UINT32_MAX.
static uint32_t merge_any(Contractor *c, uint32_t node) {
  for (uint32_t i = 0; i < c->nodes[node].noperands; ++i) {
    uint32_t value = c->nodes[node].operands[i];
    if (!may_merge(c, value, &c->nodes[node]))
      continue;
    uint32_t maker = c->maker[value];
    uint32_t merged = merge(c, maker, node, value);
    if (merged == UINT32_MAX)
      continue;
    c->at[c->nodes[maker].place] = UINT32_MAX;
    return merged;
  }
  return UINT32_MAX;
}

/// Places an op; what merges with it leaves its own place.
static void place(Contractor *c, uint32_t op) {
  uint32_t node = push(c, node_of_op(c, op)), merged;
  while ((merged = merge_any(c, node)) != UINT32_MAX)
    node = merged;
  c->at[c->nodes[node].place] = node;
  for (uint32_t i = 0; i < c->nodes[node].nresults; ++i)
    c->maker[c->nodes[node].results[i]] = node;
}

/// The ops that are left.
static void finish(Contractor *c, DspContraction *out) {
  const DspSearchProblem *p = c->problem;
  DspSearchOp *ops = DSP_NEW(c->arena, DspSearchOp, p->nops);
  uint32_t *node_of = DSP_NEW(c->arena, uint32_t, p->nops);
  size_t count = 0;
  for (size_t op = 0; op < p->nops; ++op) {
    if (c->at[op] == UINT32_MAX)
      continue;
    const DspNode *node = &c->nodes[c->at[op]];
    node_of[count] = c->at[op];
    ops[count++] = (DspSearchOp){node->choice, node->operands, node->results};
  }
  out->nodes = c->nodes;
  out->node_of = node_of;
  out->blends = c->blends;
  out->constant = c->constant;
  out->original = p->nops;
  out->problem = (DspSearchProblem){p->nclasses,      p->classes,
                                    c->keys.count,    c->choices,
                                    p->nvalues,       p->value_class,
                                    count,            ops};
}

DspContraction dsp_contract(DspArena *arena, const DspSearchProblem *problem,
                            const DspSets *sets) {
  Contractor c = {.arena = arena, .problem = problem, .sets = sets,
                  .trees = dsp_trees(arena, sets),
                  .keys = dsp_interner(arena), .key.arena = arena};
  DspContraction out = {.base = find_constants(&c)};
  c.maker = DSP_NEW(arena, uint32_t, problem->nvalues);
  c.at = DSP_NEW(arena, uint32_t, problem->nops);
  c.nodes = DSP_NEW(arena, DspNode, 2 * problem->nops);
  for (uint32_t op = 0; op < problem->nops; ++op) {
    c.at[op] = UINT32_MAX;
    if (c.constant[op] == UINT32_MAX)
      place(&c, op);
  }
  finish(&c, &out);
  return out;
}

/// Writes the picks of the ops in a node; a node has few.
static void write_picks(const DspContraction *out, uint32_t number,
                        uint32_t pick, uint32_t *picks) {
  const DspNode *node = &out->nodes[number];
  const DspBlend *blend = &out->blends[node->choice];
  if (node->first == UINT32_MAX) {
    picks[node->op] = blend->first[pick];
    return;
  }
  write_picks(out, node->first, blend->first[pick], picks);
  write_picks(out, node->second, blend->second[pick], picks);
}

void dsp_contraction_picks(const DspContraction *contraction,
                           const uint32_t *small, uint32_t *picks) {
  for (size_t op = 0; op < contraction->original; ++op)
    if (contraction->constant[op] != UINT32_MAX)
      picks[op] = contraction->constant[op];
  for (size_t i = 0; i < contraction->problem.nops; ++i)
    write_picks(contraction, contraction->node_of[i], small[i], picks);
}
