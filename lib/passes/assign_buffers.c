// assign_buffers.c - a place in memory for every value, by liveness.
//
// Needs:  stages outlined.
// Leaves: `buffers` on every op, one entry per result:
//           {frame = offset}  bytes into the frame of its function
//           {arg = i}         the memory of argument i, overwritten
//           {result = i}      where the caller wants result i
//           {view}, {weight}  part of an operand; a parameter
//         `workspace = offset` on ops that need scratch memory, `frame =
//         offset` on calls; dsp.frame_bytes on functions; dsp.arena_bytes on
//         the module: the frame of the model function is the arena.
//
// A dsp.map or a fused op writes over an operand of its own type that nobody
// reads later; a function may write over an argument that no caller reads
// later, and returns its results there where it can.
#include "frame.h"
#include "ir.h"
#include "pass_list.h"

#include <string.h>

#include "dspc/dialect/dialect.h"
#include "dspc/dialect/local_shape.h"
#include "dspc/dialect/workspace.h"
#include "dspc/support/bug.h"

enum { NO_OBJECT = -1, WEIGHT = -2 };

/// A piece of memory and the values that live in it one after the other.
typedef struct Object {
  enum { IN_FRAME, IN_ARG, IN_RESULT } where;
  int64_t number; ///< of the argument or result
  int64_t bytes, first, last;
} Object;

typedef struct Assigner {
  MlirContext context;
  DspArena *arena;
  MlirModule module;
  MlirAttribute dims; ///< dsp.dims
  DspMesh mesh;
  bool gpu;
} Assigner;

/// One function at work.
typedef struct Frame {
  Assigner *a;
  DspOpList ops;
  MlirOperation func, end;
  DspPtrMap object_of; ///< value -> object, WEIGHT for parameters
  DspPtrMap last_read; ///< value that owns memory -> last op that reads it
  DspPtrMap time;      ///< op -> its number
  Object *objects;
  size_t nobjects, capacity;
} Frame;

static bool is_view(MlirOperation op) {
  return dsp_is(op, "dsp.slice") || dsp_is(op, "dsp.shard") ||
         dsp_is(op, "dsp.rename");
}

/// The value whose memory `value` is part of.
static MlirValue root_of(MlirValue value) {
  while (mlirValueIsAOpResult(value) &&
         is_view(mlirOpResultGetOwner(value)))
    value = mlirOperationGetOperand(mlirOpResultGetOwner(value), 0);
  return value;
}

static bool is_weight(MlirValue root) {
  return mlirValueIsAOpResult(root) &&
         dsp_is(mlirOpResultGetOwner(root), "dsp.param");
}

static int64_t bytes_of(const Assigner *a, MlirValue value) {
  DspLocalShape shape;
  if (!dsp_local_shape(a->dims, mlirValueGetType(value), &shape))
    dsp_bug("a value has a layout that its type does not hold");
  return dsp_local_bytes(&shape, a->mesh);
}

static int64_t add_object(Frame *f, Object object) {
  if (f->nobjects == f->capacity) {
    f->capacity = f->capacity ? 2 * f->capacity : 32;
    Object *grown =
        dsp_arena_alloc(f->a->arena, f->capacity * sizeof *f->objects);
    if (f->nobjects)
      memcpy(grown, f->objects, f->nobjects * sizeof *f->objects);
    f->objects = grown;
  }
  f->objects[f->nobjects] = object;
  return (int64_t)f->nobjects++;
}

/// A norm inside the attention that reads it: the attention does its work.
static bool is_inside(MlirOperation op) {
  return !mlirAttributeIsNull(dsp_attr(op, "inside"));
}

static void note_reads(Frame *f, MlirOperation op, int64_t time) {
  for (intptr_t i = 0; i < mlirOperationGetNumOperands(op); i++) {
    MlirValue root = root_of(mlirOperationGetOperand(op, i));
    dsp_ptr_map_set(&f->last_read, root.ptr, time);
    if (mlirValueIsAOpResult(root) && is_inside(mlirOpResultGetOwner(root)))
      note_reads(f, mlirOpResultGetOwner(root), time);
  }
}

static Frame open_frame(Assigner *a, MlirOperation func) {
  Frame f = {.a = a, .func = func};
  MlirBlock body = dsp_body(func);
  f.ops = dsp_list_ops(a->arena, body);
  f.end = mlirBlockGetTerminator(body);
  f.object_of = dsp_ptr_map(a->arena);
  f.last_read = dsp_ptr_map(a->arena);
  f.time = dsp_ptr_map(a->arena);
  for (size_t t = 0; t < f.ops.count; t++) {
    bool output = dsp_is(f.ops.ops[t], "dsp.output"); // written at the end
    note_reads(&f, f.ops.ops[t], (int64_t)(output ? f.ops.count : t));
    dsp_ptr_map_set(&f.time, f.ops.ops[t].ptr, (int64_t)t);
  }
  note_reads(&f, f.end, (int64_t)f.ops.count);
  return f;
}

/// Is the memory of `value` free to be overwritten by the op at `time`?
static bool dies_at(const Frame *f, MlirValue value, int64_t time) {
  return dsp_ptr_map_get(&f->last_read, value.ptr, -1) == time;
}

/// A fused norm writes its second result before it reads what its last
/// expression needs besides; the first result, later, must not lie where the
/// second does.
static bool is_kept(const Frame *f, MlirOperation norm, intptr_t operand,
                    intptr_t result) {
  if (mlirOperationGetNumResults(norm) < 2) return false;
  if (result == 1)
    return operand > 0 && dsp_expr_reads(dsp_attr(norm, "expr"), operand);
  MlirValue sum = mlirOperationGetResult(norm, 1);
  MlirValue x = mlirOperationGetOperand(norm, operand);
  return dsp_ptr_map_get(&f->object_of, sum.ptr, NO_OBJECT) ==
         dsp_ptr_map_get(&f->object_of, x.ptr, NO_OBJECT);
}

/// The operand whose memory a result of a map may take over, or -1.
static intptr_t reusable_operand(const Frame *f, MlirOperation map,
                                 intptr_t result, int64_t time,
                                 const bool *arg_may_go) {
  MlirType type = mlirValueGetType(mlirOperationGetResult(map, result));
  intptr_t n = mlirOperationGetNumOperands(map), first = 0;
  if (dsp_is(map, "dsp.fused_linear")) { // may write over what it adds
    if (!dsp_str_is(dsp_string_attr(map, "epilogue"), "add")) return -1;
    first = n - 1;
  }
  if (dsp_string_attr(map, "rope").length) return -1; // reads its neighbours
  for (intptr_t i = first; i < n; i++) {
    MlirValue value = mlirOperationGetOperand(map, i);
    MlirValue root = root_of(value);
    if (!mlirValueEqual(value, root) || is_weight(root) ||
        !mlirTypeEqual(mlirValueGetType(value), type) ||
        !dies_at(f, value, time) || is_kept(f, map, i, result))
      continue;
    if (mlirValueIsABlockArgument(value) &&
        !arg_may_go[mlirBlockArgumentGetArgNumber(value)])
      continue;
    bool shared = false;
    for (intptr_t k = 0; k < n; k++)
      shared |= k != i && mlirValueEqual(
                              root_of(mlirOperationGetOperand(map, k)), root);
    if (!shared) return i;
  }
  return -1;
}

/// Inputs are read before the first op runs.
static void own_new_memory(Frame *f, MlirValue value, int64_t time) {
  int64_t last = dsp_ptr_map_get(&f->last_read, value.ptr, time);
  bool input = dsp_is(mlirOpResultGetOwner(value), "dsp.input");
  Object object = {.bytes = bytes_of(f->a, value),
                   .first = input ? 0 : time,
                   .last = last};
  dsp_ptr_map_set(&f->object_of, value.ptr, add_object(f, object));
}

static void take_over(Frame *f, MlirValue from, MlirValue to, int64_t time) {
  int64_t object = dsp_ptr_map_get(&f->object_of, from.ptr, NO_OBJECT);
  int64_t last = dsp_ptr_map_get(&f->last_read, to.ptr, time);
  dsp_ptr_map_set(&f->object_of, to.ptr, object);
  if (last > f->objects[object].last) f->objects[object].last = last;
}

static MlirOperation callee_of(const Assigner *a, MlirOperation call) {
  MlirStringRef name =
      mlirFlatSymbolRefAttrGetValue(dsp_attr(call, "callee"));
  MlirOperation op = mlirBlockGetFirstOperation(mlirModuleGetBody(a->module));
  for (; op.ptr; op = mlirOperationGetNextInBlock(op))
    if (mlirStringRefEqual(dsp_string_attr(op, "sym_name"), name)) return op;
  dsp_bug("a call of no function");
}

/// Results of a call lie in an argument that the callee overwrote, or in
/// memory of their own.
static void place_call_results(Frame *f, MlirOperation call, int64_t time) {
  MlirOperation callee = callee_of(f->a, call);
  MlirAttribute in_args = dsp_attr(callee, "result_args");
  for (intptr_t i = 0; i < mlirOperationGetNumResults(call); i++) {
    MlirValue result = mlirOperationGetResult(call, i);
    int64_t arg =
        mlirIntegerAttrGetValueInt(mlirArrayAttrGetElement(in_args, i));
    if (arg < 0)
      own_new_memory(f, result, time);
    else
      take_over(f, mlirOperationGetOperand(call, arg), result, time);
  }
}

static bool is_returned(const Frame *f, MlirValue value) {
  for (intptr_t i = 0; i < mlirOperationGetNumOperands(f->end); i++)
    if (mlirValueEqual(mlirOperationGetOperand(f->end, i), value)) return true;
  return false;
}

/// An argument of the result's type whose memory nobody needs at `time` any
/// more: a returned value that lies there lets a caller go round a loop in one
/// place.  Or none.
static MlirValue dead_argument(const Frame *f, MlirValue result, int64_t time,
                               const bool *arg_may_go) {
  MlirBlock body = dsp_body(f->func);
  for (intptr_t i = 0; i < mlirBlockGetNumArguments(body); i++) {
    MlirValue arg = mlirBlockGetArgument(body, i);
    const Object *object =
        &f->objects[dsp_ptr_map_get(&f->object_of, arg.ptr, NO_OBJECT)];
    if (arg_may_go[i] &&
        mlirTypeEqual(mlirValueGetType(arg), mlirValueGetType(result)) &&
        dsp_ptr_map_get(&f->last_read, arg.ptr, -1) < time &&
        object->last < time)
      return arg;
  }
  return (MlirValue){NULL};
}

static void place_result(Frame *f, MlirOperation op, intptr_t number,
                         int64_t time, const bool *arg_may_go) {
  MlirValue result = mlirOperationGetResult(op, number);
  bool reuses = dsp_is(op, "dsp.map") || dsp_is(op, "dsp.fused_linear") ||
                dsp_is(op, "dsp.fused_norm");
  intptr_t operand = reuses
                         ? reusable_operand(f, op, number, time, arg_may_go)
                         : -1;
  MlirValue dead = {NULL};
  if (arg_may_go && is_returned(f, result))
    dead = dead_argument(f, result, time, arg_may_go);
  if (dead.ptr)
    take_over(f, dead, result, time);
  else if (operand >= 0)
    take_over(f, mlirOperationGetOperand(op, operand), result, time);
  else
    own_new_memory(f, result, time);
}

static void place_op(Frame *f, MlirOperation op, int64_t time,
                     const bool *arg_may_go) {
  if (dsp_is(op, "func.call")) {
    place_call_results(f, op, time);
    return;
  }
  if (is_view(op) || is_inside(op)) return;
  if (dsp_is(op, "dsp.param")) {
    dsp_ptr_map_set(&f->object_of, mlirOperationGetResult(op, 0).ptr, WEIGHT);
    return;
  }
  for (intptr_t i = mlirOperationGetNumResults(op); i-- > 0;)
    place_result(f, op, i, time, arg_may_go);
}

static void place_args(Frame *f) {
  MlirBlock body = dsp_body(f->func);
  for (intptr_t i = 0; i < mlirBlockGetNumArguments(body); i++) {
    Object object = {.where = IN_ARG, .number = i};
    dsp_ptr_map_set(&f->object_of, mlirBlockGetArgument(body, i).ptr,
                    add_object(f, object));
  }
}

/// Memory of a returned value is the caller's; `result_args` says which
/// argument's, or -1.
static void place_results(Frame *f) {
  intptr_t n = mlirOperationGetNumOperands(f->end);
  MlirAttribute *args =
      dsp_arena_alloc(f->a->arena, ((size_t)n + 1) * sizeof *args);
  for (intptr_t i = 0; i < n; i++) {
    MlirValue value = mlirOperationGetOperand(f->end, i);
    int64_t number = dsp_ptr_map_get(&f->object_of, value.ptr, NO_OBJECT);
    if (number < 0) dsp_bug("a function returns a view or a parameter");
    Object *object = &f->objects[number];
    if (object->where == IN_FRAME) {
      object->where = IN_RESULT;
      object->number = i;
    }
    args[i] = dsp_int(f->a->context,
                      object->where == IN_ARG ? object->number : -1);
  }
  dsp_set_attr(f->func, "result_args",
               mlirArrayAttrGet(f->a->context, n, args));
}

static MlirAttribute dictionary1(MlirContext context, const char *key,
                                 MlirAttribute value) {
  MlirNamedAttribute entry = mlirNamedAttributeGet(
      mlirIdentifierGet(context, mlirStringRefCreateFromCString(key)), value);
  return mlirDictionaryAttrGet(context, 1, &entry);
}

static MlirAttribute describe(const Frame *f, MlirValue value,
                              const DspPlace *places) {
  MlirContext context = f->a->context;
  MlirAttribute unit = mlirUnitAttrGet(context);
  int64_t number = dsp_ptr_map_get(&f->object_of, value.ptr, NO_OBJECT);
  if (number == WEIGHT) return dictionary1(context, "weight", unit);
  if (number < 0) return dictionary1(context, "view", unit);
  const Object *object = &f->objects[number];
  if (object->where == IN_ARG)
    return dictionary1(context, "arg", dsp_int(context, object->number));
  if (object->where == IN_RESULT)
    return dictionary1(context, "result", dsp_int(context, object->number));
  return dictionary1(context, "frame", dsp_int(context, places[number].offset));
}

static void annotate(Frame *f, const DspPlace *places) {
  for (size_t t = 0; t < f->ops.count; t++) {
    MlirOperation op = f->ops.ops[t];
    intptr_t n = mlirOperationGetNumResults(op);
    if (n == 0) continue;
    MlirAttribute *buffers =
        dsp_arena_alloc(f->a->arena, (size_t)n * sizeof *buffers);
    for (intptr_t i = 0; i < n; i++)
      buffers[i] = describe(f, mlirOperationGetResult(op, i), places);
    dsp_set_attr(op, "buffers",
                 mlirArrayAttrGet(f->a->context, n, buffers));
  }
}

static int64_t scratch_bytes(const Frame *f, MlirOperation op) {
  if (dsp_is(op, "func.call"))
    return dsp_int_attr(callee_of(f->a, op), "frame_bytes", 0);
  return dsp_workspace_bytes(f->a->dims, op, f->a->mesh,
                             f->a->gpu);
}

/// Lays the frame out: the objects, then the scratch memory of single ops.
static void finish_frame(Frame *f) {
  size_t count = 0, most = f->nobjects + f->ops.count;
  DspPlace *places =
      dsp_arena_alloc(f->a->arena, (most + 1) * sizeof *places);
  for (; count < f->nobjects; count++) {
    const Object *o = &f->objects[count];
    int64_t bytes = o->where == IN_FRAME ? o->bytes : 0;
    places[count] =
        (DspPlace){.bytes = bytes, .first = o->first, .last = o->last};
  }
  size_t *owner = dsp_arena_alloc(f->a->arena, (most + 1) * sizeof *owner);
  for (size_t t = 0; t < f->ops.count; t++) {
    int64_t bytes = scratch_bytes(f, f->ops.ops[t]);
    if (bytes == 0) continue;
    owner[count] = t;
    places[count++] = (DspPlace){
        .bytes = bytes, .first = (int64_t)t, .last = (int64_t)t};
  }
  dsp_set_int(f->func, "frame_bytes", dsp_frame_layout(places, count));
  for (size_t i = f->nobjects; i < count; i++) {
    MlirOperation op = f->ops.ops[owner[i]];
    bool call = dsp_is(op, "func.call");
    dsp_set_int(op, call ? "frame" : "workspace", places[i].offset);
  }
  annotate(f, places);
}

/// Returns a copy of a result that could lie in an argument but does not.
static bool copy_back(Frame *f, const bool *arg_may_go) {
  for (intptr_t i = 0; i < mlirOperationGetNumOperands(f->end); i++) {
    MlirValue value = mlirOperationGetOperand(f->end, i);
    int64_t object = dsp_ptr_map_get(&f->object_of, value.ptr, NO_OBJECT);
    if (f->objects[object].where == IN_ARG ||
        !dead_argument(f, value, (int64_t)f->ops.count, arg_may_go).ptr)
      continue;
    MlirOperation owner = mlirOpResultGetOwner(value);
    const char *names[] = {"stage", "reason"};
    MlirAttribute attributes[] = {
        dsp_attr(owner, "stage"),
        dsp_string(f->a->context, mlirStringRefCreateFromCString(
                                      "the next iteration reads it there"))};
    MlirOperation copy = dsp_build_before(
        f->end, "dsp.copy", mlirOperationGetLocation(owner), 1, &value,
        mlirValueGetType(value), 2, names, attributes);
    mlirOperationSetOperand(f->end, i, mlirOperationGetResult(copy, 0));
    return true;
  }
  return false;
}

/// `repeats`: iterations of a loop may call the function, one with the result
/// of the other.
static void assign(Assigner *a, MlirOperation func, const bool *arg_may_go,
                   bool repeats) {
  Frame f;
  do {
    f = open_frame(a, func);
    place_args(&f);
    for (size_t t = 0; t < f.ops.count; t++)
      place_op(&f, f.ops.ops[t], (int64_t)t, arg_may_go);
  } while (repeats && copy_back(&f, arg_may_go));
  place_results(&f);
  finish_frame(&f);
}

/// Does the model function read argument `arg` of `call` afterwards, or must
/// its memory stay as it is?
static bool caller_needs(const Frame *model, MlirOperation call, intptr_t arg) {
  MlirValue value = mlirOperationGetOperand(call, arg);
  int64_t time = dsp_ptr_map_get(&model->time, call.ptr, -1);
  if (is_weight(root_of(value)) || !mlirValueEqual(value, root_of(value)))
    return true;
  return !dies_at(model, value, time);
}

enum { CALLS_OF_A_LOOP = 3 }; ///< fewer are not worth a copy each

/// Which arguments of `func` no caller needs after the call; `*calls` receives
/// how many there are.
static bool *find_free_args(Assigner *a, const Frame *model,
                            MlirOperation func, int *calls) {
  *calls = 0;
  intptr_t n = mlirBlockGetNumArguments(dsp_body(func));
  bool *may_go = dsp_arena_alloc(a->arena, ((size_t)n + 1) * sizeof *may_go);
  for (intptr_t i = 0; i < n; i++) may_go[i] = true;
  MlirStringRef name = dsp_string_attr(func, "sym_name");
  for (size_t t = 0; t < model->ops.count; t++) {
    MlirOperation op = model->ops.ops[t];
    if (!dsp_is(op, "func.call") ||
        !mlirStringRefEqual(
            mlirFlatSymbolRefAttrGetValue(dsp_attr(op, "callee")), name))
      continue;
    ++*calls;
    for (intptr_t i = 0; i < n; i++)
      may_go[i] = may_go[i] && !caller_needs(model, op, i);
  }
  return may_go;
}

bool dsp_pass_assign_buffers(MlirModule module, const DspPassOptions *options) {
  MlirOperation model = dsp_model_func(module);
  if (mlirOperationIsNull(model)) return false;
  MlirOperation top = mlirModuleGetOperation(module);
  Assigner a = {.context = mlirModuleGetContext(module),
                .arena = dsp_arena_create(),
                .module = module,
                .dims = dsp_attr(top, "dsp.dims"),
                .mesh = dsp_mesh_of(top),
                .gpu = dsp_str_is(dsp_string_attr(top, "dsp.target"), "cuda")};
  if (options->ranks && options->ranks != dsp_mesh_ranks(a.mesh))
    a.mesh = dsp_mesh_row(options->ranks);
  Frame callers = open_frame(&a, model);
  MlirOperation func = mlirBlockGetFirstOperation(mlirModuleGetBody(module));
  for (; func.ptr; func = mlirOperationGetNextInBlock(func)) {
    if (mlirOperationEqual(func, model)) continue;
    int calls;
    const bool *may_go = find_free_args(&a, &callers, func, &calls);
    assign(&a, func, may_go, calls >= CALLS_OF_A_LOOP);
  }
  assign(&a, model, NULL, false);
  dsp_set_attr(top, "dsp.arena_bytes", dsp_attr(model, "frame_bytes"));
  dsp_arena_destroy(a.arena);
  return true;
}
