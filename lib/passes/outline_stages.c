// outline_stages.c - one function for all stages that do the same.
//
// Needs:  planned ops (insert-switches ran); views that cross stages copied.
// Leaves: @model holds inputs, outputs, the collectives between stages and
//         one func.call per stage; equal stages call the same function, whose
//         dsp.param paths are relative to the call's `path`.
//
// A collective on a value from another stage stays in @model, in front of the
// call: so the first stage, whose input already has its layout, is still equal
// to the others.
#include "outline.h"
#include "pass_list.h"

#include <stdio.h>
#include <string.h>

static bool moves_layout(MlirOperation op) {
  return dsp_is(op, "dsp.all_to_all") || dsp_is(op, "dsp.all_gather") ||
         dsp_is(op, "dsp.reduce_scatter") || dsp_is(op, "dsp.all_reduce") ||
         dsp_is(op, "dsp.shard") || dsp_is(op, "dsp.copy");
}

static bool used_by_other_stage(MlirOperation op, int64_t stage) {
  MlirValue result = mlirOperationGetResult(op, 0);
  MlirOpOperand use = mlirValueGetFirstUse(result);
  for (; !mlirOpOperandIsNull(use); use = mlirOpOperandGetNextUse(use))
    if (dsp_int_attr(mlirOpOperandGetOwner(use), "stage", -1) != stage)
      return true;
  return false;
}

bool dsp_between_stages(MlirOperation op) {
  if (dsp_is(op, "dsp.input") || dsp_is(op, "dsp.output")) return true;
  int64_t stage = dsp_int_attr(op, "stage", -1);
  if (dsp_is(op, "dsp.param")) return used_by_other_stage(op, stage);
  if (!moves_layout(op)) return false;
  MlirValue operand = mlirOperationGetOperand(op, 0);
  if (!mlirValueIsAOpResult(operand)) return false;
  MlirOperation owner = mlirOpResultGetOwner(operand);
  return dsp_int_attr(owner, "stage", -1) != stage || dsp_between_stages(owner);
}

typedef struct Stage {
  int64_t number;
  MlirOperation *ops; ///< the ops that become the function's body, in order
  size_t nops;
  MlirValue *args;    ///< values from outside, in order of first use
  size_t nargs;
  MlirValue *results; ///< values used outside, in order of definition
  size_t nresults;
  const void **key; ///< equal keys: equal stages
  size_t nkey;
} Stage;

typedef struct Kind {
  const Stage *stage;
  MlirOperation func;
} Kind;

typedef struct Outliner {
  MlirModule module;
  MlirContext context;
  DspArena *arena;
  MlirAttribute stages; ///< dsp.stages
  Kind *kinds;
  size_t nkinds;
  MlirOperation model;
} Outliner;

/// Numbers the stage's own ops and results in `local`.
static void collect_args(Outliner *o, Stage *stage, DspPtrMap *local) {
  size_t total = 0;
  for (size_t i = 0; i < stage->nops; i++)
    total += (size_t)mlirOperationGetNumOperands(stage->ops[i]);
  stage->args = dsp_arena_alloc(o->arena, (total + 1) * sizeof(MlirValue));
  DspPtrMap args = dsp_ptr_map(o->arena);
  for (size_t i = 0; i < stage->nops; i++) {
    MlirOperation op = stage->ops[i];
    for (intptr_t k = 0; k < mlirOperationGetNumOperands(op); k++) {
      MlirValue operand = mlirOperationGetOperand(op, k);
      if (dsp_ptr_map_get(local, operand.ptr, -1) >= 0) continue;
      if (dsp_ptr_map_get(&args, operand.ptr, -1) >= 0) continue;
      dsp_ptr_map_set(&args, operand.ptr, (int64_t)stage->nargs);
      stage->args[stage->nargs++] = operand;
    }
  }
}

static bool escapes(MlirValue value, int64_t stage) {
  MlirOpOperand use = mlirValueGetFirstUse(value);
  for (; !mlirOpOperandIsNull(use); use = mlirOpOperandGetNextUse(use)) {
    MlirOperation user = mlirOpOperandGetOwner(use);
    if (dsp_int_attr(user, "stage", -1) != stage || dsp_between_stages(user))
      return true;
  }
  return false;
}

static void collect_results(Outliner *o, Stage *stage, DspPtrMap *local) {
  size_t total = 0;
  for (size_t i = 0; i < stage->nops; i++)
    total += (size_t)mlirOperationGetNumResults(stage->ops[i]);
  stage->results = dsp_arena_alloc(o->arena, (total + 1) * sizeof(MlirValue));
  int64_t number = 0;
  for (size_t i = 0; i < stage->nops; i++) {
    MlirOperation op = stage->ops[i];
    for (intptr_t r = 0; r < mlirOperationGetNumResults(op); r++) {
      MlirValue value = mlirOperationGetResult(op, r);
      dsp_ptr_map_set(local, value.ptr, number++);
      if (escapes(value, stage->number))
        stage->results[stage->nresults++] = value;
    }
  }
}

static bool differs_between_calls(MlirStringRef attr) {
  return dsp_str_is(attr, "stage") || dsp_str_is(attr, "path");
}

/// Everything that makes two stages equal, as one row of words.
static void build_key(Outliner *o, Stage *stage, const DspPtrMap *local) {
  size_t words = 4 + stage->nargs + stage->nresults;
  for (size_t i = 0; i < stage->nops; i++) {
    MlirOperation op = stage->ops[i];
    words += 3 + (size_t)(mlirOperationGetNumOperands(op) +
                          mlirOperationGetNumResults(op) +
                          2 * mlirOperationGetNumAttributes(op));
  }
  const void **key = dsp_arena_alloc(o->arena, words * sizeof *key);
  size_t n = 0;
  DspPtrMap args = dsp_ptr_map(o->arena);
  for (size_t i = 0; i < stage->nargs; i++) {
    dsp_ptr_map_set(&args, stage->args[i].ptr, -2 - (int64_t)i);
    key[n++] = mlirValueGetType(stage->args[i]).ptr;
  }
  for (size_t i = 0; i < stage->nresults; i++)
    key[n++] = (const void *)(intptr_t)dsp_ptr_map_get(
        local, stage->results[i].ptr, -1);
  for (size_t i = 0; i < stage->nops; i++) {
    MlirOperation op = stage->ops[i];
    key[n++] = mlirOperationGetName(op).ptr;
    for (intptr_t k = 0; k < mlirOperationGetNumOperands(op); k++) {
      const void *value = mlirOperationGetOperand(op, k).ptr;
      int64_t number = dsp_ptr_map_get(local, value, -1);
      if (number < 0) number = dsp_ptr_map_get(&args, value, -1);
      key[n++] = (const void *)(intptr_t)number;
    }
    for (intptr_t r = 0; r < mlirOperationGetNumResults(op); r++)
      key[n++] = mlirValueGetType(mlirOperationGetResult(op, r)).ptr;
    for (intptr_t a = 0; a < mlirOperationGetNumAttributes(op); a++) {
      MlirNamedAttribute attr = mlirOperationGetAttribute(op, a);
      if (differs_between_calls(mlirIdentifierStr(attr.name))) continue;
      key[n++] = attr.name.ptr;
      key[n++] = attr.attribute.ptr;
    }
    key[n++] = NULL;
  }
  stage->key = key;
  stage->nkey = n;
}

static bool same_kind(const Stage *a, const Stage *b) {
  return a->nkey == b->nkey && a->nops == b->nops && a->nargs == b->nargs &&
         a->nresults == b->nresults &&
         memcmp(a->key, b->key, a->nkey * sizeof *a->key) == 0;
}

/// The variable that `value` was bound to in the source.
static MlirStringRef value_name(MlirValue value) {
  if (!mlirValueIsAOpResult(value)) return mlirStringRefCreate(NULL, 0);
  MlirOperation owner = mlirOpResultGetOwner(value);
  MlirAttribute names = dsp_attr(owner, "result_names");
  if (!mlirAttributeIsNull(names))
    return mlirStringAttrGetValue(mlirArrayAttrGetElement(
        names, mlirOpResultGetResultNumber(value)));
  return dsp_string_attr(owner, "name");
}

static MlirAttribute names_of(Outliner *o, const MlirValue *values, size_t n) {
  MlirAttribute *names = dsp_arena_alloc(o->arena, (n + 1) * sizeof *names);
  for (size_t i = 0; i < n; i++)
    names[i] = dsp_string(o->context, value_name(values[i]));
  return mlirArrayAttrGet(o->context, (intptr_t)n, names);
}

static MlirType *types_of(Outliner *o, const MlirValue *values, size_t n) {
  MlirType *types = dsp_arena_alloc(o->arena, (n + 1) * sizeof *types);
  for (size_t i = 0; i < n; i++) types[i] = mlirValueGetType(values[i]);
  return types;
}

static bool is_taken(const Outliner *o, const char *name) {
  for (size_t i = 0; i < o->nkinds; i++)
    if (dsp_str_is(dsp_string_attr(o->kinds[i].func, "sym_name"), name))
      return true;
  return dsp_str_is(dsp_string_attr(o->model, "sym_name"), name);
}

static size_t append_word(char *out, size_t n, size_t limit,
                          MlirStringRef word) {
  if (n && n + 1 < limit && word.length) out[n++] = '_';
  for (size_t i = 0; i < word.length && n + 1 < limit; i++) {
    char c = word.data[i];
    bool keep = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                (c >= '0' && c <= '9');
    if (keep)
      out[n++] = c;
    else if (n && out[n - 1] != '_')
      out[n++] = '_';
  }
  out[n] = '\0';
  return n;
}

/// The last word of a path template that is no loop variable.
static MlirStringRef last_literal(MlirStringRef path) {
  size_t end = path.length;
  while (end > 0) {
    size_t begin = end;
    while (begin > 0 && path.data[begin - 1] != '.') begin--;
    if (begin < end && path.data[begin] != '{')
      return mlirStringRefCreate(path.data + begin, end - begin);
    end = begin ? begin - 1 : 0;
  }
  return mlirStringRefCreate(NULL, 0);
}

/// "layer_over_S"; a stage without a block is named after its path or place.
static void choose_name(Outliner *o, const Stage *stage, char *out,
                        size_t limit) {
  MlirAttribute info = mlirArrayAttrGetElement(o->stages, stage->number);
  MlirStringRef block = mlirStringAttrGetValue(dsp_dict_get(info, "name"));
  MlirStringRef args = mlirStringAttrGetValue(dsp_dict_get(info, "args"));
  MlirStringRef path = mlirStringAttrGetValue(dsp_dict_get(info, "path"));
  if (!block.length) block = last_literal(path);
  if (!block.length) block = mlirStringRefCreateFromCString("between");
  size_t n = append_word(out, 0, limit - 8, block);
  n = append_word(out, n, limit - 8, args);
  for (int copy = 2; is_taken(o, out); copy++)
    snprintf(out + n, limit - n, "_%d", copy);
}

static MlirOperation create_func(Outliner *o, const Stage *stage) {
  char name[96];
  choose_name(o, stage, name, sizeof name);
  MlirType *in = types_of(o, stage->args, stage->nargs);
  MlirType *out = types_of(o, stage->results, stage->nresults);
  MlirType type = mlirFunctionTypeGet(o->context, (intptr_t)stage->nargs, in,
                                      (intptr_t)stage->nresults, out);
  MlirLocation location = mlirOperationGetLocation(stage->ops[0]);
  MlirLocation *places =
      dsp_arena_alloc(o->arena, (stage->nargs + 1) * sizeof *places);
  for (size_t i = 0; i < stage->nargs; i++) places[i] = location;
  MlirRegion region = mlirRegionCreate();
  mlirRegionAppendOwnedBlock(
      region, mlirBlockCreate((intptr_t)stage->nargs, in, places));
  MlirOperationState state = mlirOperationStateGet(
      mlirStringRefCreateFromCString("func.func"), location);
  mlirOperationStateAddOwnedRegions(&state, 1, &region);
  MlirOperation func = mlirOperationCreate(&state);
  dsp_set_attr(func, "sym_name",
               dsp_string(o->context, mlirStringRefCreateFromCString(name)));
  dsp_set_attr(func, "function_type", mlirTypeAttrGet(type));
  dsp_set_attr(func, "sym_visibility",
               dsp_string(o->context,
                          mlirStringRefCreateFromCString("private")));
  dsp_set_attr(func, "arg_names", names_of(o, stage->args, stage->nargs));
  mlirBlockInsertOwnedOperationBefore(mlirModuleGetBody(o->module), o->model,
                                      func);
  return func;
}

/// Moves the stage's ops into a new function.
static MlirOperation make_kind(Outliner *o, const Stage *stage) {
  MlirOperation func = create_func(o, stage);
  MlirBlock body = dsp_body(func);
  DspPtrMap args = dsp_ptr_map(o->arena);
  for (size_t i = 0; i < stage->nargs; i++)
    dsp_ptr_map_set(&args, stage->args[i].ptr, (int64_t)i);
  for (size_t i = 0; i < stage->nops; i++) {
    MlirOperation op = stage->ops[i];
    mlirOperationRemoveFromParent(op);
    mlirBlockAppendOwnedOperation(body, op);
    for (intptr_t k = 0; k < mlirOperationGetNumOperands(op); k++) {
      const void *value = mlirOperationGetOperand(op, k).ptr;
      int64_t arg = dsp_ptr_map_get(&args, value, -1);
      if (arg >= 0)
        mlirOperationSetOperand(op, k, mlirBlockGetArgument(body, arg));
    }
  }
  MlirOperationState state = mlirOperationStateGet(
      mlirStringRefCreateFromCString("func.return"),
      mlirOperationGetLocation(func));
  mlirOperationStateAddOperands(&state, (intptr_t)stage->nresults,
                                stage->results);
  mlirBlockAppendOwnedOperation(body, mlirOperationCreate(&state));
  return func;
}

static MlirOperation create_call(Outliner *o, const Stage *stage,
                                 MlirOperation func, MlirOperation before) {
  MlirAttribute info = mlirArrayAttrGetElement(o->stages, stage->number);
  MlirOperationState state = mlirOperationStateGet(
      mlirStringRefCreateFromCString("func.call"),
      mlirOperationGetLocation(stage->ops[0]));
  mlirOperationStateAddOperands(&state, (intptr_t)stage->nargs, stage->args);
  mlirOperationStateAddResults(&state, (intptr_t)stage->nresults,
                               types_of(o, stage->results, stage->nresults));
  MlirOperation call = mlirOperationCreate(&state);
  dsp_set_attr(call, "callee",
               mlirFlatSymbolRefAttrGet(o->context,
                                        dsp_string_attr(func, "sym_name")));
  dsp_set_attr(call, "path", dsp_dict_get(info, "path"));
  dsp_set_int(call, "stage", stage->number);
  dsp_set_attr(call, "result_names",
               names_of(o, stage->results, stage->nresults));
  mlirBlockInsertOwnedOperationBefore(mlirOperationGetBlock(before), before,
                                      call);
  return call;
}

/// Gives the uses of `from` that are not in the block `inside` to `to`.
static void redirect_outside(MlirValue from, MlirValue to, MlirBlock inside) {
  MlirOpOperand use = mlirValueGetFirstUse(from);
  while (!mlirOpOperandIsNull(use)) {
    MlirOpOperand next = mlirOpOperandGetNextUse(use);
    MlirOperation user = mlirOpOperandGetOwner(use);
    if (!mlirBlockEqual(mlirOperationGetBlock(user), inside))
      mlirOperationSetOperand(user, mlirOpOperandGetOperandNumber(use), to);
    use = next;
  }
}

static void discard(const Stage *stage) {
  for (size_t i = stage->nops; i-- > 0;) mlirOperationDestroy(stage->ops[i]);
}

/// `after`: the first op of the model function behind the stage.
static void outline(Outliner *o, Stage *stage, MlirOperation after) {
  DspPtrMap local = dsp_ptr_map(o->arena);
  collect_results(o, stage, &local);
  collect_args(o, stage, &local);
  build_key(o, stage, &local);
  size_t k = 0;
  while (k < o->nkinds && !same_kind(o->kinds[k].stage, stage)) k++;
  bool known = k < o->nkinds;
  MlirOperation func =
      known ? o->kinds[k].func : (MlirOperation){NULL};
  if (!known) func = make_kind(o, stage);
  MlirOperation call = create_call(o, stage, func, after);
  for (size_t i = 0; i < stage->nresults; i++) {
    MlirValue result = mlirOperationGetResult(call, (intptr_t)i);
    if (known)
      dsp_replace_uses(stage->results[i], result);
    else
      redirect_outside(stage->results[i], result, dsp_body(func));
  }
  if (known)
    discard(stage);
  else
    o->kinds[o->nkinds++] = (Kind){.stage = stage, .func = func};
}

/// Outlines the run of ops that belongs to one stage: first[0 .. count).
/// Returns false when nothing of it becomes a function.
static bool outline_run(Outliner *o, MlirOperation *first, size_t count,
                        MlirOperation after) {
  Stage *stage = dsp_arena_alloc(o->arena, sizeof *stage);
  *stage = (Stage){.number = dsp_int_attr(first[0], "stage", 0)};
  stage->ops = dsp_arena_alloc(o->arena, count * sizeof *stage->ops);
  bool *between = dsp_arena_alloc(o->arena, count * sizeof *between);
  bool works = false;
  for (size_t i = 0; i < count; i++) {
    between[i] = dsp_between_stages(first[i]);
    works |= !between[i] && !dsp_is(first[i], "dsp.param");
  }
  if (!works) return false;
  for (size_t i = 0; i < count; i++)
    if (!between[i]) stage->ops[stage->nops++] = first[i];
  MlirOperation anchor = stage->ops[0], behind = after;
  for (size_t i = 0; i < count; i++) {
    if (!between[i]) continue;
    bool output = dsp_is(first[i], "dsp.output");
    mlirOperationMoveBefore(first[i], output ? after : anchor);
    if (output && behind.ptr == after.ptr) behind = first[i];
  }
  outline(o, stage, behind);
  return true;
}

bool dsp_pass_outline_stages(MlirModule module, const DspPassOptions *options) {
  (void)options;
  MlirOperation model = dsp_model_func(module);
  if (mlirOperationIsNull(model)) return false;
  Outliner o = {.module = module,
                .context = mlirModuleGetContext(module),
                .arena = dsp_arena_create(),
                .model = model};
  o.stages = dsp_attr(mlirModuleGetOperation(module), "dsp.stages");
  MlirBlock body = dsp_body(model);
  DspOpList list = dsp_list_ops(o.arena, body);
  o.kinds = dsp_arena_alloc(o.arena, (list.count + 1) * sizeof *o.kinds);
  for (size_t i = 0; i < list.count;) {
    int64_t stage = dsp_int_attr(list.ops[i], "stage", 0);
    size_t n = 1;
    while (i + n < list.count &&
           dsp_int_attr(list.ops[i + n], "stage", 0) == stage)
      n++;
    MlirOperation after = i + n < list.count ? list.ops[i + n]
                                             : mlirBlockGetTerminator(body);
    outline_run(&o, list.ops + i, n, after);
    i += n;
  }
  dsp_arena_destroy(o.arena);
  return true;
}
