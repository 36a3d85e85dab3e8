// roll_loops.c - one scf.for for the equal iterations of a repeat.
//
// Needs:  stages outlined, buffers assigned.
// Leaves: a run of iterations that call the same functions on the same buffers
//         is one scf.for whose bounds are the repeat's indices; iterations
//         that differ (often the first) stand beside it.
//
// Two neighbouring iterations are equal when their ops are, one by one, and
// each operand is the corresponding value: made in the same iteration, or in
// the one before (then it is carried, and its buffer must be the same), or
// outside of both.
#include "ir.h"
#include "pass_list.h"

#include <string.h>

typedef struct Roller {
  MlirContext context;
  DspArena *arena;
  MlirAttribute stages; ///< dsp.stages
} Roller;

/// The ops of one iteration and its values, numbered in the order in which
/// they are defined, block arguments and nested ones included.
typedef struct Iteration {
  MlirOperation *ops;
  size_t count;
  int64_t index; ///< value of the loop variable
  DspPtrMap numbers;
  MlirValue *values;
  size_t nvalues, capacity;
} Iteration;

/// A run of equal iterations first .. last-1 and what it carries.
typedef struct Loop {
  Iteration *iterations;
  size_t first, last;
  int64_t *carried; ///< numbers of values that the next iteration reads
  MlirValue *inits; ///< what iteration `first` reads instead
  size_t ncarried;
} Loop;

static MlirAttribute loops_of(const Roller *r, MlirOperation op) {
  int64_t stage = dsp_int_attr(op, "stage", -1);
  if (stage < 0 || stage >= mlirArrayAttrGetNumElements(r->stages))
    return mlirAttributeGetNull();
  return dsp_dict_get(mlirArrayAttrGetElement(r->stages, stage), "loops");
}

/// `key` of the loop at `depth` round `op`, or -1 when there is none.
static int64_t loop_number(const Roller *r, MlirOperation op, intptr_t depth,
                           const char *key) {
  MlirAttribute loops = loops_of(r, op);
  if (mlirAttributeIsNull(loops) || mlirArrayAttrGetNumElements(loops) <= depth)
    return -1;
  MlirAttribute loop = mlirArrayAttrGetElement(loops, depth);
  return mlirIntegerAttrGetValueInt(dsp_dict_get(loop, key));
}

static MlirAttribute buffer_of(MlirValue value) {
  if (!mlirValueIsAOpResult(value)) return mlirAttributeGetNull();
  MlirOperation owner = mlirOpResultGetOwner(value);
  MlirAttribute buffers = dsp_attr(owner, "buffers");
  intptr_t number = mlirOpResultGetResultNumber(value);
  if (mlirAttributeIsNull(buffers)) return buffers;
  return mlirArrayAttrGetElement(buffers, number);
}

static void number_value(Roller *r, Iteration *it, MlirValue value) {
  if (it->nvalues == it->capacity) {
    it->capacity = it->capacity ? 2 * it->capacity : 16;
    MlirValue *grown = dsp_arena_alloc(r->arena, it->capacity * sizeof *grown);
    if (it->nvalues) memcpy(grown, it->values, it->nvalues * sizeof *grown);
    it->values = grown;
  }
  dsp_ptr_map_set(&it->numbers, value.ptr, (int64_t)it->nvalues);
  it->values[it->nvalues++] = value;
}

static void number_op(Roller *r, Iteration *it, MlirOperation op) {
  for (intptr_t i = 0; i < mlirOperationGetNumResults(op); i++)
    number_value(r, it, mlirOperationGetResult(op, i));
  if (mlirOperationGetNumRegions(op) == 0) return;
  MlirBlock body = dsp_body(op);
  for (intptr_t i = 0; i < mlirBlockGetNumArguments(body); i++)
    number_value(r, it, mlirBlockGetArgument(body, i));
  MlirOperation inner = mlirBlockGetFirstOperation(body);
  for (; inner.ptr; inner = mlirOperationGetNextInBlock(inner))
    number_op(r, it, inner);
}

static int64_t number_in(const Iteration *it, MlirValue value) {
  return dsp_ptr_map_get(&it->numbers, value.ptr, -1);
}

static int64_t carried_slot(const Loop *loop, int64_t number) {
  for (size_t i = 0; i < loop->ncarried; i++)
    if (loop->carried[i] == number) return (int64_t)i;
  return -1;
}

/// Notes that the loop hands value `number` of `now` on to the next iteration.
static bool add_carried(Loop *loop, const Iteration *now, int64_t number,
                        MlirValue init) {
  int64_t slot = carried_slot(loop, number);
  if (slot >= 0) return mlirValueEqual(loop->inits[slot], init);
  MlirAttribute buffer = buffer_of(now->values[number]);
  if (mlirAttributeIsNull(buffer) ||
      !mlirAttributeEqual(buffer, buffer_of(init)))
    return false;
  loop->carried[loop->ncarried] = number;
  loop->inits[loop->ncarried++] = init;
  return true;
}

/// Is operand `b` of iteration k+1 what operand `a` is for iteration k?
static bool same_operand(Loop *loop, size_t k, MlirValue a, MlirValue b) {
  const Iteration *now = &loop->iterations[k];
  int64_t own = number_in(&loop->iterations[k + 1], b);
  if (own >= 0) return number_in(now, a) == own;
  int64_t before = number_in(now, b);
  if (before >= 0 && k == loop->first)
    return number_in(now, a) < 0 && add_carried(loop, now, before, a);
  if (before >= 0) return number_in(now - 1, a) == before;
  if (!mlirValueEqual(a, b)) return false;
  for (size_t i = loop->first; i < k; i++)
    if (number_in(&loop->iterations[i], b) >= 0) return false;
  return true;
}

static bool is_free_to_differ(MlirOperation op, MlirStringRef attr,
                              bool has_loop_path) {
  return dsp_str_is(attr, "stage") ||
         (has_loop_path && dsp_is(op, "dsp.param") && dsp_str_is(attr, "path"));
}

static bool same_attributes(MlirOperation a, MlirOperation b, bool loop_path) {
  intptr_t n = mlirOperationGetNumAttributes(a);
  if (n != mlirOperationGetNumAttributes(b)) return false;
  for (intptr_t i = 0; i < n; i++) {
    MlirNamedAttribute attr = mlirOperationGetAttribute(a, i);
    MlirStringRef name = mlirIdentifierStr(attr.name);
    if (is_free_to_differ(a, name, loop_path)) continue;
    MlirAttribute other = mlirOperationGetAttributeByName(b, name);
    if (!mlirAttributeEqual(other, attr.attribute)) return false;
  }
  return true;
}

static bool same_op(Roller *r, Loop *loop, size_t k, MlirOperation a,
                    MlirOperation b);

static bool same_block(Roller *r, Loop *loop, size_t k, MlirBlock a,
                       MlirBlock b) {
  if (mlirBlockGetNumArguments(a) != mlirBlockGetNumArguments(b)) return false;
  MlirOperation x = mlirBlockGetFirstOperation(a);
  MlirOperation y = mlirBlockGetFirstOperation(b);
  for (; x.ptr && y.ptr; x = mlirOperationGetNextInBlock(x),
                         y = mlirOperationGetNextInBlock(y))
    if (!same_op(r, loop, k, x, y)) return false;
  return !x.ptr && !y.ptr;
}

static bool same_op(Roller *r, Loop *loop, size_t k, MlirOperation a,
                    MlirOperation b) {
  intptr_t n = mlirOperationGetNumOperands(a);
  intptr_t nresults = mlirOperationGetNumResults(a);
  intptr_t nregions = mlirOperationGetNumRegions(a);
  if (mlirOperationGetName(a).ptr != mlirOperationGetName(b).ptr ||
      n != mlirOperationGetNumOperands(b) ||
      nresults != mlirOperationGetNumResults(b) ||
      nregions != mlirOperationGetNumRegions(b) ||
      !same_attributes(a, b, loop_number(r, a, 0, "index") >= 0))
    return false;
  for (intptr_t i = 0; i < n; i++)
    if (!same_operand(loop, k, mlirOperationGetOperand(a, i),
                      mlirOperationGetOperand(b, i)))
      return false;
  for (intptr_t i = 0; i < nresults; i++)
    if (!mlirTypeEqual(mlirValueGetType(mlirOperationGetResult(a, i)),
                       mlirValueGetType(mlirOperationGetResult(b, i))))
      return false;
  return nregions == 0 || same_block(r, loop, k, dsp_body(a), dsp_body(b));
}

static bool same_iteration(Roller *r, Loop *loop, size_t k) {
  Iteration *now = &loop->iterations[k], *next = &loop->iterations[k + 1];
  if (now->count != next->count || now->index + 1 != next->index) return false;
  size_t carried = loop->ncarried;
  for (size_t i = 0; i < now->count; i++)
    if (!same_op(r, loop, k, now->ops[i], next->ops[i])) {
      loop->ncarried = carried;
      return false;
    }
  return true;
}

/// The top-level op of the function's or loop's block that holds `op`.
static MlirOperation ancestor_in(MlirBlock block, MlirOperation op) {
  while (op.ptr && !mlirBlockEqual(mlirOperationGetBlock(op), block))
    op = mlirOperationGetParentOperation(op);
  return op;
}

static bool holds(const Iteration *it, MlirOperation op) {
  for (size_t i = 0; i < it->count; i++)
    if (mlirOperationEqual(it->ops[i], op)) return true;
  return false;
}

/// May a loop hide this use of value `number` of iteration k?
static bool use_is_covered(const Loop *loop, size_t k, int64_t number,
                           MlirOperation user) {
  const Iteration *it = &loop->iterations[k];
  user = ancestor_in(mlirOperationGetBlock(it->ops[0]), user);
  if (holds(it, user)) return true;
  if (k + 1 < loop->last) return holds(it + 1, user);
  return carried_slot(loop, number) >= 0;
}

static bool is_covered(const Loop *loop, size_t k) {
  const Iteration *it = &loop->iterations[k];
  for (size_t v = 0; v < it->nvalues; v++) {
    MlirOpOperand use = mlirValueGetFirstUse(it->values[v]);
    for (; !mlirOpOperandIsNull(use); use = mlirOpOperandGetNextUse(use))
      if (!use_is_covered(loop, k, (int64_t)v, mlirOpOperandGetOwner(use)))
        return false;
  }
  return true;
}

/// Shortens the loop until only carried values of its last iteration are read
/// behind it.
static bool settle(Loop *loop) {
  for (; loop->last - loop->first >= 2; loop->last--) {
    bool fine = true;
    for (size_t k = loop->first; k < loop->last && fine; k++)
      fine = is_covered(loop, k);
    if (fine) return true;
  }
  return false;
}

static MlirValue index_constant(Roller *r, MlirOperation before,
                                int64_t value) {
  MlirType type = mlirIndexTypeGet(r->context);
  const char *names[] = {"value"};
  MlirAttribute attr = mlirIntegerAttrGet(type, value);
  MlirOperation op =
      dsp_build_before(before, "arith.constant",
                       mlirOperationGetLocation(before), 0, NULL, type, 1,
                       names, &attr);
  return mlirOperationGetResult(op, 0);
}

static void append_yield(Roller *r, MlirBlock body, const Loop *loop,
                         MlirLocation location) {
  const Iteration *first = &loop->iterations[loop->first];
  MlirValue *values =
      dsp_arena_alloc(r->arena, (loop->ncarried + 1) * sizeof *values);
  for (size_t i = 0; i < loop->ncarried; i++)
    values[i] = first->values[loop->carried[i]];
  MlirOperationState state = mlirOperationStateGet(
      mlirStringRefCreateFromCString("scf.yield"), location);
  mlirOperationStateAddOperands(&state, (intptr_t)loop->ncarried, values);
  mlirBlockAppendOwnedOperation(body, mlirOperationCreate(&state));
}

/// An empty scf.for in front of the first iteration.
static MlirOperation create_for(Roller *r, const Loop *loop, MlirBlock *body) {
  const Iteration *first = &loop->iterations[loop->first];
  MlirOperation before = first->ops[0];
  MlirLocation location = mlirOperationGetLocation(before);
  size_t n = loop->ncarried;
  MlirType *types = dsp_arena_alloc(r->arena, (n + 1) * sizeof *types);
  MlirLocation *places = dsp_arena_alloc(r->arena, (n + 1) * sizeof *places);
  types[0] = mlirIndexTypeGet(r->context);
  places[0] = location;
  for (size_t i = 0; i < n; i++) {
    types[i + 1] = mlirValueGetType(loop->inits[i]);
    places[i + 1] = location;
  }
  *body = mlirBlockCreate((intptr_t)n + 1, types, places);
  MlirRegion region = mlirRegionCreate();
  mlirRegionAppendOwnedBlock(region, *body);
  int64_t last = loop->iterations[loop->last - 1].index;
  MlirValue bounds[3] = {index_constant(r, before, first->index),
                         index_constant(r, before, last + 1),
                         index_constant(r, before, 1)};
  MlirOperationState state = mlirOperationStateGet(
      mlirStringRefCreateFromCString("scf.for"), location);
  mlirOperationStateAddOperands(&state, 3, bounds);
  mlirOperationStateAddOperands(&state, (intptr_t)n, loop->inits);
  mlirOperationStateAddResults(&state, (intptr_t)n, types + 1);
  mlirOperationStateAddOwnedRegions(&state, 1, &region);
  MlirOperation loop_op = mlirOperationCreate(&state);
  mlirBlockInsertOwnedOperationBefore(mlirOperationGetBlock(before), before,
                                      loop_op);
  return loop_op;
}

static void replace_in(MlirOperation op, MlirValue from, MlirValue to) {
  for (intptr_t k = 0; k < mlirOperationGetNumOperands(op); k++)
    if (mlirValueEqual(mlirOperationGetOperand(op, k), from))
      mlirOperationSetOperand(op, k, to);
  if (mlirOperationGetNumRegions(op) == 0) return;
  MlirOperation inner = mlirBlockGetFirstOperation(dsp_body(op));
  for (; inner.ptr; inner = mlirOperationGetNextInBlock(inner))
    replace_in(inner, from, to);
}

static void copy_loop_attributes(Roller *r, MlirOperation from, intptr_t depth,
                                 MlirOperation to, const Loop *loop) {
  MlirAttribute info = mlirArrayAttrGetElement(loops_of(r, from), depth);
  dsp_set_attr(to, "var", dsp_dict_get(info, "var"));
  dsp_set_attr(to, "stage", dsp_attr(from, "stage"));
  MlirAttribute *buffers =
      dsp_arena_alloc(r->arena, (loop->ncarried + 1) * sizeof *buffers);
  for (size_t i = 0; i < loop->ncarried; i++)
    buffers[i] = buffer_of(loop->inits[i]);
  dsp_set_attr(to, "buffers",
               mlirArrayAttrGet(r->context, (intptr_t)loop->ncarried, buffers));
}

/// Replaces the iterations by one scf.for and returns it.
static MlirOperation build_loop(Roller *r, Loop *loop, intptr_t depth) {
  MlirBlock body;
  MlirOperation result = create_for(r, loop, &body);
  Iteration *first = &loop->iterations[loop->first];
  copy_loop_attributes(r, first->ops[0], depth, result, loop);
  const Iteration *last = &loop->iterations[loop->last - 1];
  for (size_t c = 0; c < loop->ncarried; c++)
    dsp_replace_uses(last->values[loop->carried[c]],
                     mlirOperationGetResult(result, (intptr_t)c));
  for (size_t k = loop->last; k-- > loop->first + 1;)
    for (size_t i = loop->iterations[k].count; i-- > 0;)
      mlirOperationDestroy(loop->iterations[k].ops[i]);
  for (size_t i = 0; i < first->count; i++) {
    mlirOperationRemoveFromParent(first->ops[i]);
    mlirBlockAppendOwnedOperation(body, first->ops[i]);
    for (size_t c = 0; c < loop->ncarried; c++)
      replace_in(first->ops[i], loop->inits[c],
                 mlirBlockGetArgument(body, (intptr_t)c + 1));
  }
  append_yield(r, body, loop, mlirOperationGetLocation(result));
  return result;
}

/// Rolls the iterations of one repeat; `out` receives what stands there now.
static size_t roll_iterations(Roller *r, Iteration *iterations, size_t count,
                              intptr_t depth, MlirOperation *out) {
  size_t n = 0, most = 1;
  for (size_t i = 0; i < count; i++)
    if (iterations[i].nvalues > most) most = iterations[i].nvalues;
  for (size_t i = 0; i < count;) {
    Loop loop = {.iterations = iterations, .first = i, .last = i + 1};
    loop.carried = dsp_arena_alloc(r->arena, most * sizeof *loop.carried);
    loop.inits = dsp_arena_alloc(r->arena, most * sizeof *loop.inits);
    while (loop.last < count && same_iteration(r, &loop, loop.last - 1))
      loop.last++;
    if (settle(&loop)) {
      out[n++] = build_loop(r, &loop, depth);
      i = loop.last;
      continue;
    }
    for (size_t k = 0; k < iterations[i].count; k++)
      out[n++] = iterations[i].ops[k];
    i++;
  }
  return n;
}

/// Rolls what it can of ops[0 .. count), innermost repeats first; the array
/// then holds the new ops, whose number it returns.
static size_t roll(Roller *r, MlirOperation *ops, size_t count,
                   intptr_t depth) {
  size_t n = 0;
  for (size_t i = 0; i < count;) {
    int64_t repeat = loop_number(r, ops[i], depth, "repeat");
    if (repeat < 0) {
      ops[n++] = ops[i++];
      continue;
    }
    size_t end = i;
    while (end < count && loop_number(r, ops[end], depth, "repeat") == repeat)
      end++;
    Iteration *iterations =
        dsp_arena_alloc(r->arena, (end - i) * sizeof *iterations);
    size_t niterations = 0;
    for (size_t from = i; from < end;) {
      int64_t index = loop_number(r, ops[from], depth, "index");
      size_t to = from;
      while (to < end && loop_number(r, ops[to], depth, "index") == index) to++;
      Iteration *it = &iterations[niterations++];
      *it = (Iteration){.ops = ops + from, .index = index};
      it->count = roll(r, ops + from, to - from, depth + 1);
      it->numbers = dsp_ptr_map(r->arena);
      for (size_t k = 0; k < it->count; k++) number_op(r, it, it->ops[k]);
      from = to;
    }
    MlirOperation *out = dsp_arena_alloc(r->arena, (end - i) * sizeof *out);
    size_t kept = roll_iterations(r, iterations, niterations, depth, out);
    memcpy(ops + n, out, kept * sizeof *out);
    n += kept;
    i = end;
  }
  return n;
}

bool dsp_pass_roll_loops(MlirModule module, const DspPassOptions *options) {
  (void)options;
  MlirOperation model = dsp_model_func(module);
  if (mlirOperationIsNull(model)) return false;
  Roller r = {.context = mlirModuleGetContext(module),
              .arena = dsp_arena_create(),
              .stages = dsp_attr(mlirModuleGetOperation(module), "dsp.stages")};
  DspOpList list = dsp_list_ops(r.arena, dsp_body(model));
  roll(&r, list.ops, list.count, 0);
  dsp_arena_destroy(r.arena);
  return true;
}
