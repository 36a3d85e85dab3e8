// nests.c - each op is one of a few kinds that models are made of.
#include "nests.h"

#include <string.h>

enum { ATOMS = 4, PRODUCT = ATOMS, NDIMS, MAX_DIMS = 4, MOST_OPS = 24 };

typedef struct Maker {
  DspArena *arena;
  Random *random;
  DspPlanDim *dims;
  DspPlanValue values[MOST_OPS];
  DspPlanOp ops[MOST_OPS];
  uint32_t nvalues, nops;
} Maker;

/// An op under construction.
typedef struct Nest {
  size_t nloops, nmaps, nvalues;
  DspPlanLoop loops[16];
  uint8_t maps[16];
  uint32_t values[4];
} Nest;

static void *keep(Maker *m, const void *bytes, size_t size) {
  return memcpy(dsp_arena_alloc(m->arena, size + 1), bytes, size);
}

static uint32_t add_value(Maker *m, size_t ndims, const uint32_t *dims) {
  static const int64_t bytes[] = {1, 2, 4};
  m->values[m->nvalues] = (DspPlanValue){
    .name = "", .ndims = ndims, .dims = keep(m, dims, ndims * sizeof *dims),
    .element_bytes = bytes[random_below(m->random, 3)]};
  return m->nvalues++;
}

static uint32_t source(Maker *m, DspPlanOpKind kind, size_t ndims,
                       const uint32_t *dims) {
  uint32_t value = add_value(m, ndims, dims);
  m->values[value].is_param = kind == DSP_PLAN_PARAM;
  m->ops[m->nops++] =
      (DspPlanOp){.kind = kind, .nresults = 1, .pin = DSP_PLAN_NO_DIM,
                  .results = keep(m, &value, sizeof value)};
  return value;
}

static uint8_t loop(Nest *n, uint32_t dim, DspLoopKind kind, bool weight) {
  for (size_t i = 0; i < n->nloops; ++i)
    if (n->loops[i].dim == dim && n->loops[i].kind == kind)
      return (uint8_t)i;
  n->loops[n->nloops] = (DspPlanLoop){dim, kind, weight};
  return (uint8_t)n->nloops++;
}

/// Is `dim` the same as `which`, or an atom of it?
static bool is_of(uint32_t dim, uint32_t which) {
  return dim == which || (which == PRODUCT && (dim == 2 || dim == 3));
}

/// Both atoms of a product stand side by side.
static bool has(const DspPlanValue *value, uint32_t dim) {
  for (size_t i = 0; i < value->ndims; ++i)
    if (dim == PRODUCT ? i > 0 && value->dims[i - 1] == 2 && value->dims[i] == 3
                       : value->dims[i] == dim)
      return true;
  return false;
}

/// Adds a value; its dim `special`, or the atoms of it, have loops of that kind.
static void use(Maker *m, Nest *n, uint32_t value, uint32_t special,
                DspLoopKind kind, bool weight) {
  const DspPlanValue *v = &m->values[value];
  n->values[n->nvalues++] = value;
  for (size_t i = 0; i < v->ndims; ++i)
    n->maps[n->nmaps++] = is_of(v->dims[i], special)
                              ? loop(n, v->dims[i], kind, weight)
                              : loop(n, v->dims[i], DSP_LOOP_FREE, false);
}

/// The last value that was used is the result.
static DspPlanOp *finish(Maker *m, Nest *n, DspPlanOpKind kind) {
  uint32_t *values = keep(m, n->values, n->nvalues * sizeof *values);
  m->ops[m->nops] = (DspPlanOp){
    .kind = kind, .noperands = n->nvalues - 1, .operands = values,
    .nresults = 1, .results = values + n->nvalues - 1, .nloops = n->nloops,
    .loops = keep(m, n->loops, n->nloops * sizeof n->loops[0]),
    .maps = keep(m, n->maps, n->nmaps), .pin = DSP_PLAN_NO_DIM};
  return &m->ops[m->nops++];
}

/// A value that is no parameter, the younger the likelier.
static uint32_t any_value(Maker *m) {
  uint32_t value;
  do {
    uint32_t back = random_below(m->random, 1 + random_below(m->random, 4));
    value = back < m->nvalues ? m->nvalues - 1 - back : 0;
  } while (m->values[value].is_param);
  return value;
}

static uint32_t any_dim(Maker *m, uint32_t value) {
  const DspPlanValue *v = &m->values[value];
  if (has(v, PRODUCT) && random_once_in(m->random, 4))
    return PRODUCT;
  return v->dims[random_below(m->random, (uint32_t)v->ndims)];
}

static uint32_t like(Maker *m, uint32_t value) {
  return add_value(m, m->values[value].ndims, m->values[value].dims);
}

/// The dims of x without `gone`, then those that y has alone.
static uint32_t joined(Maker *m, uint32_t x, uint32_t y, uint32_t gone) {
  uint32_t dims[2 * MAX_DIMS];
  size_t n = 0;
  for (size_t i = 0; i < m->values[x].ndims; ++i)
    if (!is_of(m->values[x].dims[i], gone))
      dims[n++] = m->values[x].dims[i];
  for (size_t i = 0; i < m->values[y].ndims; ++i)
    if (!is_of(m->values[y].dims[i], gone) &&
        !has(&m->values[x], m->values[y].dims[i]))
      dims[n++] = m->values[y].dims[i];
  return add_value(m, n, dims);
}

/// Something that needs a dim whole.
static void add_mix(Maker *m, uint32_t x) {
  Nest n = {0};
  uint32_t over = any_dim(m, x);
  use(m, &n, x, over, DSP_LOOP_WHOLE, false);
  use(m, &n, like(m, x), over, DSP_LOOP_WHOLE, false);
  finish(m, &n, DSP_PLAN_COMPUTE);
}

/// Queries of x, keys of y: both have the attended dim.
static void add_attention(Maker *m, uint32_t x, uint32_t y) {
  Nest n = {0};
  uint32_t over = any_dim(m, x);
  if (!has(&m->values[y], over))
    y = x;
  for (size_t i = 0; i < m->values[y].ndims; ++i)
    if (!has(&m->values[x], m->values[y].dims[i]))
      y = x;
  use(m, &n, x, DSP_PLAN_NO_DIM, DSP_LOOP_FREE, false);
  use(m, &n, y, over, DSP_LOOP_RING, false);
  use(m, &n, like(m, x), DSP_PLAN_NO_DIM, DSP_LOOP_FREE, false);
  finish(m, &n, DSP_PLAN_COMPUTE)->attention = true;
}

/// y's dims are some of x's, or y is x.
static void add_map(Maker *m, uint32_t x, uint32_t y) {
  Nest n = {0};
  for (size_t i = 0; i < m->values[y].ndims; ++i)
    if (!has(&m->values[x], m->values[y].dims[i]))
      y = x;
  use(m, &n, x, DSP_PLAN_NO_DIM, DSP_LOOP_FREE, false);
  if (y != x)
    use(m, &n, y, DSP_PLAN_NO_DIM, DSP_LOOP_FREE, false);
  use(m, &n, like(m, x), DSP_PLAN_NO_DIM, DSP_LOOP_FREE, false);
  finish(m, &n, DSP_PLAN_ELEMENTWISE);
}

static void add_reduce(Maker *m, uint32_t x) {
  Nest n = {0};
  uint32_t over = any_dim(m, x);
  use(m, &n, x, over, DSP_LOOP_CONTRACTED, false);
  use(m, &n, joined(m, x, x, over), DSP_PLAN_NO_DIM, DSP_LOOP_FREE, false);
  finish(m, &n, DSP_PLAN_COMPUTE)->partial = true;
}

/// Sums over a dim that both have.
static void add_einsum(Maker *m, uint32_t x, uint32_t y) {
  Nest n = {0};
  uint32_t over = any_dim(m, x);
  if (!has(&m->values[y], over)) {
    add_reduce(m, x);
    return;
  }
  use(m, &n, x, over, DSP_LOOP_CONTRACTED, false);
  use(m, &n, y, over, DSP_LOOP_CONTRACTED, false);
  use(m, &n, joined(m, x, y, over), DSP_PLAN_NO_DIM, DSP_LOOP_FREE, false);
  finish(m, &n, DSP_PLAN_COMPUTE)->partial = true;
}

/// A weight [out, in] replaces the last dim of x, or the product that it ends
/// in.
static void add_linear(Maker *m, uint32_t x) {
  Nest n = {0};
  const DspPlanValue *v = &m->values[x];
  bool product = v->dims[v->ndims - 1] == 3 && has(v, PRODUCT);
  uint32_t in = product ? PRODUCT : v->dims[v->ndims - 1];
  uint32_t out = random_below(m->random, ATOMS);
  uint32_t weight[] = {out, product ? 2 : in, 3};
  if (has(v, out)) {
    add_mix(m, x);
    return;
  }
  uint32_t w = source(m, DSP_PLAN_PARAM, product ? 3 : 2, weight);
  use(m, &n, x, in, DSP_LOOP_CONTRACTED, true);
  n.values[n.nvalues++] = w;
  n.maps[n.nmaps++] = loop(&n, out, DSP_LOOP_FREE, true);
  for (size_t i = 1; i < m->values[w].ndims; ++i)
    n.maps[n.nmaps++] = loop(&n, weight[i], DSP_LOOP_CONTRACTED, true);
  use(m, &n, joined(m, x, w, in), DSP_PLAN_NO_DIM, DSP_LOOP_FREE, false);
  finish(m, &n, DSP_PLAN_COMPUTE)->partial = true;
}

static void add_op(Maker *m) {
  uint32_t x = any_value(m), y = any_value(m);
  if (m->values[x].ndims == 0)
    x = 0;
  switch (random_below(m->random, 7)) {
  case 0: add_mix(m, x); break;
  case 1: add_attention(m, x, y); break;
  case 2: add_map(m, x, y); break;
  case 3: add_reduce(m, x); break;
  case 4: add_einsum(m, x, y); break;
  case 5: add_linear(m, x); break;
  default: add_mix(m, x); break;
  }
}

static void make_dims(Maker *m) {
  static const uint32_t atoms[] = {2, 3};
  static const char *const names[] = {"A", "B", "C", "D"};
  m->dims = dsp_arena_alloc(m->arena, NDIMS * sizeof *m->dims);
  for (uint32_t d = 0; d < ATOMS; ++d)
    m->dims[d] = (DspPlanDim){.name = names[d],
                              .size = 1 + random_below(m->random, 6)};
  m->dims[PRODUCT] =
      (DspPlanDim){.name = "P", .size = m->dims[2].size * m->dims[3].size,
                   .natoms = 2, .atoms = atoms};
}

/// Some atoms in some order; most often all of them in order.
static uint32_t input(Maker *m) {
  uint32_t dims[ATOMS] = {0, 1, 2, 3}, n = 2 + random_below(m->random, 3);
  if (random_once_in(m->random, 2))
    for (uint32_t i = 0; i < ATOMS; ++i) {
      uint32_t k = i + random_below(m->random, ATOMS - i), swap = dims[i];
      dims[i] = dims[k];
      dims[k] = swap;
    }
  return source(m, DSP_PLAN_INPUT, n, dims + (ATOMS - n));
}

static void output(Maker *m, uint32_t value) {
  m->ops[m->nops++] =
      (DspPlanOp){.kind = DSP_PLAN_OUTPUT, .noperands = 1,
                  .pin = DSP_PLAN_NO_DIM,
                  .operands = keep(m, &value, sizeof value)};
}

DspPlanGraph random_nests(DspArena *arena, Random *random, uint32_t nops) {
  Maker m = {.arena = arena, .random = random};
  make_dims(&m);
  input(&m);
  if (random_once_in(random, 3))
    input(&m);
  while (m.nops + 1 < nops)
    add_op(&m);
  output(&m, m.nvalues - 1);
  return (DspPlanGraph){NDIMS, m.dims, m.nvalues,
                        keep(&m, m.values, m.nvalues * sizeof m.values[0]),
                        m.nops, keep(&m, m.ops, m.nops * sizeof m.ops[0])};
}
