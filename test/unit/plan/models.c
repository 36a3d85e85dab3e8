// models.c - a builder of graphs and three models.
#include "models.h"

#include <string.h>

enum { SIX = MODEL_L + 1, THREE, FOUR, NDIMS, MAX_DIMS = 8, MAX_LOOPS = 24 };

typedef struct Builder {
  DspArena *arena;
  DspPlanDim *dims;
  DspPlanValue *values;
  DspPlanOp *ops;
  uint32_t nvalues, nops, values_capacity, ops_capacity;
} Builder;

typedef struct Dims {
  size_t count;
  uint32_t ids[MAX_DIMS];
} Dims;

/// An op while its loops are listed.
typedef struct Nest {
  Builder *b;
  size_t nloops, nmaps, nvalues;
  DspPlanLoop loops[MAX_LOOPS];
  uint8_t maps[8 * MAX_DIMS];
  uint32_t values[8];
} Nest;

static const Dims of_c = {2, {MODEL_H, MODEL_D}};
static const Dims of_x = {5, {MODEL_B, MODEL_T, MODEL_S, MODEL_H, MODEL_D}};
static const Dims no_dims = {0, {0}};

static void *keep(Builder *b, const void *bytes, size_t size) {
  void *copy = dsp_arena_alloc(b->arena, size + 1);
  return size > 0 ? memcpy(copy, bytes, size) : copy;
}

static void *grow(Builder *b, void *array, size_t size, uint32_t count,
                  uint32_t *capacity) {
  if (count < *capacity)
    return array;
  *capacity = *capacity ? *capacity * 2 : 64;
  void *copy = dsp_arena_alloc(b->arena, size * *capacity);
  return count > 0 ? memcpy(copy, array, size * count) : copy;
}

static uint32_t add_value(Builder *b, Dims dims, bool is_param) {
  b->values = grow(b, b->values, sizeof *b->values, b->nvalues,
                   &b->values_capacity);
  b->values[b->nvalues] = (DspPlanValue){
    .name = "", .ndims = dims.count, .element_bytes = 2, .is_param = is_param,
    .dims = keep(b, dims.ids, dims.count * sizeof dims.ids[0])};
  return b->nvalues++;
}

static void add_op(Builder *b, DspPlanOp op) {
  b->ops = grow(b, b->ops, sizeof *b->ops, b->nops, &b->ops_capacity);
  b->ops[b->nops++] = op;
}

static uint32_t source(Builder *b, DspPlanOpKind kind, Dims dims) {
  uint32_t value = add_value(b, dims, kind == DSP_PLAN_PARAM);
  add_op(b, (DspPlanOp){.kind = kind, .nresults = 1, .pin = DSP_PLAN_NO_DIM,
                        .results = keep(b, &value, sizeof value)});
  return value;
}

static void output(Builder *b, uint32_t value) {
  add_op(b, (DspPlanOp){.kind = DSP_PLAN_OUTPUT, .noperands = 1,
                        .pin = DSP_PLAN_NO_DIM,
                        .operands = keep(b, &value, sizeof value)});
}

static bool has(Dims dims, uint32_t dim) {
  for (size_t i = 0; i < dims.count; ++i)
    if (dims.ids[i] == dim)
      return true;
  return false;
}

static Dims dims_of(const Builder *b, uint32_t value) {
  Dims dims = {.count = b->values[value].ndims};
  memcpy(dims.ids, b->values[value].dims, dims.count * sizeof dims.ids[0]);
  return dims;
}

static uint8_t loop(Nest *n, uint32_t dim, DspLoopKind kind, bool weight) {
  for (size_t i = 0; i < n->nloops; ++i)
    if (n->loops[i].dim == dim && n->loops[i].kind == kind &&
        n->loops[i].weight == weight)
      return (uint8_t)i;
  n->loops[n->nloops] = (DspPlanLoop){dim, kind, weight};
  return (uint8_t)n->nloops++;
}

/// Adds a value whose dims `special` have loops of another kind.
static void use(Nest *n, uint32_t value, Dims special, DspLoopKind kind,
                bool weight) {
  Dims dims = dims_of(n->b, value);
  n->values[n->nvalues++] = value;
  for (size_t i = 0; i < dims.count; ++i)
    n->maps[n->nmaps++] = has(special, dims.ids[i])
                              ? loop(n, dims.ids[i], kind, weight)
                              : loop(n, dims.ids[i], DSP_LOOP_FREE, false);
}

/// The last value that was used is the result.
static uint32_t finish(Nest *n, DspPlanOpKind kind) {
  uint32_t *values = keep(n->b, n->values, n->nvalues * sizeof n->values[0]);
  add_op(n->b, (DspPlanOp){
    .kind = kind, .noperands = n->nvalues - 1, .operands = values,
    .nresults = 1, .results = values + n->nvalues - 1, .nloops = n->nloops,
    .loops = keep(n->b, n->loops, n->nloops * sizeof n->loops[0]),
    .maps = keep(n->b, n->maps, n->nmaps), .pin = DSP_PLAN_NO_DIM});
  return values[n->nvalues - 1];
}

static uint32_t map(Builder *b, Dims out, const uint32_t *in, size_t count) {
  Nest n = {.b = b};
  for (size_t i = 0; i < count; ++i)
    use(&n, in[i], no_dims, DSP_LOOP_FREE, false);
  use(&n, add_value(b, out, false), no_dims, DSP_LOOP_FREE, false);
  return finish(&n, DSP_PLAN_ELEMENTWISE);
}

static uint32_t map1(Builder *b, uint32_t x) {
  return map(b, dims_of(b, x), &x, 1);
}

static uint32_t map2(Builder *b, uint32_t x, uint32_t y) {
  return map(b, dims_of(b, x), (uint32_t[]){x, y}, 2);
}

static Dims without(Dims dims, Dims gone) {
  Dims left = {0};
  for (size_t i = 0; i < dims.count; ++i)
    if (!has(gone, dims.ids[i]))
      left.ids[left.count++] = dims.ids[i];
  return left;
}

static Dims joined(Dims a, Dims b) {
  for (size_t i = 0; i < b.count; ++i)
    a.ids[a.count++] = b.ids[i];
  return a;
}

static void use_weight(Nest *n, Dims out, Dims in) {
  n->values[n->nvalues++] = source(n->b, DSP_PLAN_PARAM, joined(out, in));
  for (size_t i = 0; i < out.count; ++i)
    n->maps[n->nmaps++] = loop(n, out.ids[i], DSP_LOOP_FREE, true);
  for (size_t i = 0; i < in.count; ++i)
    n->maps[n->nmaps++] = loop(n, in.ids[i], DSP_LOOP_CONTRACTED, true);
}

/// The contracted dims are the last ones of x; with a bias.
static uint32_t linear(Builder *b, uint32_t x, Dims in, Dims out) {
  Nest n = {.b = b};
  use(&n, x, in, DSP_LOOP_CONTRACTED, true);
  use_weight(&n, out, in);
  use_weight(&n, out, no_dims);
  Dims dims = joined(without(dims_of(b, x), in), out);
  use(&n, add_value(b, dims, false), out, DSP_LOOP_FREE, true);
  uint32_t y = finish(&n, DSP_PLAN_COMPUTE);
  b->ops[b->nops - 1].partial = true;
  return y;
}

static uint32_t norm(Builder *b, uint32_t x, Dims over) {
  Nest n = {.b = b};
  use(&n, x, over, DSP_LOOP_WHOLE, false);
  use(&n, add_value(b, dims_of(b, x), false), over, DSP_LOOP_WHOLE, false);
  return finish(&n, DSP_PLAN_COMPUTE);
}

/// One position of `dim`.
static uint32_t slice(Builder *b, uint32_t x, uint32_t dim) {
  Nest n = {.b = b};
  Dims gone = {1, {dim}};
  use(&n, x, gone, DSP_LOOP_WHOLE, false);
  use(&n, add_value(b, without(dims_of(b, x), gone), false), no_dims,
      DSP_LOOP_FREE, false);
  return finish(&n, DSP_PLAN_ELEMENTWISE);
}

/// The heads are free; K and V need the attended dim whole.
/// k or v of attention: the channels are whole, the attended dim travels.
static void use_keys(Nest *n, uint32_t value, uint32_t over) {
  Dims dims = dims_of(n->b, value);
  n->values[n->nvalues++] = value;
  for (size_t i = 0; i < dims.count; ++i) {
    DspLoopKind kind = dims.ids[i] == over      ? DSP_LOOP_RING
                       : dims.ids[i] == MODEL_D ? DSP_LOOP_WHOLE
                                                : DSP_LOOP_FREE;
    n->maps[n->nmaps++] = loop(n, dims.ids[i], kind, false);
  }
}

static uint32_t attention(Builder *b, uint32_t q, uint32_t k, uint32_t v,
                          uint32_t over) {
  Nest n = {.b = b};
  Dims dot = {1, {MODEL_D}};
  use(&n, q, dot, DSP_LOOP_WHOLE, false);
  use_keys(&n, k, over);
  use_keys(&n, v, over);
  use(&n, add_value(b, dims_of(b, q), false), dot, DSP_LOOP_WHOLE, false);
  uint32_t o = finish(&n, DSP_PLAN_COMPUTE);
  b->ops[b->nops - 1].attention = true;
  return o;
}

static Dims times_c(uint32_t factor) {
  return (Dims){3, {factor, MODEL_H, MODEL_D}};
}

static uint32_t mlp(Builder *b, uint32_t h) {
  uint32_t wide = map1(b, linear(b, h, of_c, times_c(FOUR)));
  return linear(b, wide, times_c(FOUR), of_c);
}

static uint32_t self_attention(Builder *b, uint32_t h, uint32_t over,
                               bool norms) {
  uint32_t qkv = linear(b, h, of_c, times_c(THREE));
  uint32_t q = slice(b, qkv, THREE), k = slice(b, qkv, THREE);
  uint32_t v = slice(b, qkv, THREE);
  Dims dot = {1, {MODEL_D}};
  if (norms) {
    q = norm(b, q, dot);
    k = norm(b, k, dot);
  }
  return linear(b, attention(b, q, k, v, over), of_c, of_c);
}

static Builder begin(DspArena *arena, ModelSizes s) {
  Builder b = {.arena = arena};
  const DspPlanDim dims[NDIMS] = {
    [MODEL_B] = {.name = "B", .size = s.B},
    [MODEL_T] = {.name = "T", .size = s.T},
    [MODEL_S] = {.name = "S", .size = s.S},
    [MODEL_H] = {.name = "H", .size = s.H},
    [MODEL_D] = {.name = "D", .size = s.D},
    [MODEL_L] = {.name = "L", .size = s.L > 0 ? s.L : 1},
    [SIX] = {.name = "six", .size = 6},
    [THREE] = {.name = "3", .size = 3},
    [FOUR] = {.name = "4", .size = 4},
  };
  b.dims = keep(&b, dims, sizeof dims);
  return b;
}

static DspPlanGraph end(const Builder *b) {
  return (DspPlanGraph){NDIMS, b->dims, b->nvalues, b->values, b->nops, b->ops};
}

static uint32_t transformer2d_layer(Builder *b, uint32_t x, uint32_t over) {
  x = map2(b, x, self_attention(b, norm(b, x, of_c), over, false));
  return map2(b, x, mlp(b, norm(b, x, of_c)));
}

DspPlanGraph model_transformer2d(DspArena *arena, ModelSizes sizes) {
  Builder b = begin(arena, sizes);
  uint32_t x = source(&b, DSP_PLAN_INPUT, of_x);
  for (uint32_t i = 0; i < sizes.pairs; ++i) {
    x = transformer2d_layer(&b, x, MODEL_S);
    x = transformer2d_layer(&b, x, MODEL_T);
  }
  output(&b, x);
  return end(&b);
}

static uint32_t modulate(Builder *b, uint32_t x, uint32_t m) {
  uint32_t scale = slice(b, m, SIX), shift = slice(b, m, SIX);
  uint32_t in[] = {norm(b, x, of_c), scale, shift};
  return map(b, of_x, in, 3);
}

static uint32_t gated(Builder *b, uint32_t x, uint32_t m, uint32_t h) {
  uint32_t in[] = {x, slice(b, m, SIX), h};
  return map(b, of_x, in, 3);
}

static uint32_t cross_attention(Builder *b, uint32_t x, uint32_t text) {
  uint32_t q = linear(b, x, of_c, of_c);
  uint32_t k = linear(b, text, of_c, of_c), v = linear(b, text, of_c, of_c);
  return linear(b, attention(b, q, k, v, MODEL_L), of_c, of_c);
}

static uint32_t stdit_layer(Builder *b, uint32_t x, uint32_t text, uint32_t t,
                            uint32_t over) {
  uint32_t table = source(b, DSP_PLAN_PARAM, times_c(SIX));
  uint32_t m = map2(b, t, table);
  uint32_t h = self_attention(b, modulate(b, x, m), over, true);
  x = gated(b, x, m, h);
  x = map2(b, x, cross_attention(b, x, text));
  return gated(b, x, m, mlp(b, modulate(b, x, m)));
}

DspPlanGraph model_stdit(DspArena *arena, ModelSizes sizes) {
  Builder b = begin(arena, sizes);
  uint32_t x = source(&b, DSP_PLAN_INPUT, of_x);
  Dims of_text = {4, {MODEL_B, MODEL_L, MODEL_H, MODEL_D}};
  Dims of_t = {4, {MODEL_B, SIX, MODEL_H, MODEL_D}};
  uint32_t text = source(&b, DSP_PLAN_INPUT, of_text);
  uint32_t t = source(&b, DSP_PLAN_INPUT, of_t);
  for (uint32_t i = 0; i < sizes.pairs; ++i) {
    x = stdit_layer(&b, x, text, t, MODEL_S);
    x = stdit_layer(&b, x, text, t, MODEL_T);
  }
  output(&b, x);
  return end(&b);
}

DspPlanGraph model_wide(DspArena *arena, ModelSizes sizes, uint32_t count) {
  Builder b = begin(arena, sizes);
  uint32_t x = source(&b, DSP_PLAN_INPUT, of_x);
  uint32_t *all = dsp_arena_alloc(arena, count * sizeof *all);
  for (uint32_t i = 0; i < count; ++i)
    all[i] = attention(&b, x, x, x, i % 2 ? MODEL_S : MODEL_T);
  for (uint32_t i = 0; i < count; ++i)
    output(&b, attention(&b, all[i], all[(i * 7 + 3) % count], x, MODEL_T));
  return end(&b);
}
