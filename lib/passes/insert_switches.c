// insert_switches.c - make every change of layout explicit.
//
// Needs:  each result has a layout; `needs` and `conversions` on the ops
//         (plan-shards ran).
// Leaves: operands and results agree with the op that uses them; the only ops
//         that change a layout are the collectives and dsp.shard.
#include <stdio.h>
#include <string.h>

#include "dspc/dialect/diagnostics.h"
#include "dspc/dialect/dialect.h"
#include "dspc/support/bug.h"
#include "ir.h"
#include "pass_list.h"

/// One value in one layout.
typedef struct Copy {
  MlirValue value;
  struct Copy *next;
} Copy;

typedef struct Inserter {
  MlirContext context;
  DspArena *arena;
  DspOpList ops;
  DspPtrMap copies; ///< original value -> index of its list
  Copy **lists;
  size_t nlists;
  MlirAttribute dims; ///< dsp.dims
  int64_t ranks;
} Inserter;

static MlirStringRef layout_of(MlirValue value) {
  return dsp_tensor_layout(mlirValueGetType(value));
}

static Copy **copies_of(Inserter *in, MlirValue original) {
  int64_t i = dsp_ptr_map_get(&in->copies, original.ptr, -1);
  if (i >= 0) return &in->lists[i];
  dsp_ptr_map_set(&in->copies, original.ptr, (int64_t)in->nlists);
  Copy *first = dsp_arena_alloc(in->arena, sizeof *first);
  *first = (Copy){.value = original};
  in->lists[in->nlists] = first;
  return &in->lists[in->nlists++];
}

static MlirValue find_copy(Inserter *in, MlirValue original,
                           MlirStringRef layout) {
  for (Copy *c = *copies_of(in, original); c; c = c->next)
    if (mlirStringRefEqual(layout_of(c->value), layout)) return c->value;
  return (MlirValue){NULL};
}

static const char *collective(MlirStringRef from, MlirStringRef to) {
  if (dsp_str_is(from, "*")) return "dsp.shard";
  if (dsp_str_is(from, "+") || dsp_str_is(from, "^"))
    return dsp_str_is(to, "*") ? "dsp.all_reduce" : "dsp.reduce_scatter";
  return dsp_str_is(to, "*") ? "dsp.all_gather" : "dsp.all_to_all";
}

static bool mentions(MlirOperation op, const char *attr, MlirStringRef dim) {
  MlirAttribute value = dsp_attr(op, attr);
  if (mlirAttributeIsNull(value)) return false;
  if (mlirAttributeIsAString(value))
    return mlirStringRefEqual(mlirStringAttrGetValue(value), dim);
  MlirStringRef names[DSP_MAX_RANK];
  size_t n = dsp_attr_read_strings(value, names, DSP_MAX_RANK);
  for (size_t i = 0; i < n; i++)
    if (mlirStringRefEqual(names[i], dim)) return true;
  return false;
}

static bool works_over(MlirOperation op, MlirStringRef dim) {
  return mentions(op, "over", dim) || mentions(op, "dim", dim) ||
         mentions(op, "contract", dim);
}

/// The atoms of a product dim, or `dim` itself; returns how many.
static size_t atoms_of(const Inserter *in, MlirStringRef dim,
                       MlirStringRef *atoms) {
  for (intptr_t i = 0; i < mlirArrayAttrGetNumElements(in->dims); i++) {
    MlirAttribute entry = mlirArrayAttrGetElement(in->dims, i);
    MlirAttribute factors = dsp_dict_get(entry, "factors");
    if (mlirStringRefEqual(mlirStringAttrGetValue(dsp_dict_get(entry, "name")),
                           dim) &&
        !mlirAttributeIsNull(factors))
      return dsp_attr_read_strings(factors, atoms, DSP_MAX_RANK);
  }
  atoms[0] = dim;
  return 1;
}

/// The first op from `from` on that needs `dim`, or an atom of it, whole.
static MlirOperation who_needs(Inserter *in, size_t from, MlirStringRef dim) {
  MlirStringRef atoms[DSP_MAX_RANK];
  size_t n = atoms_of(in, dim, atoms);
  for (size_t i = from; i < in->ops.count && i < from + 64; i++)
    for (size_t k = 0; k < n; k++)
      if (works_over(in->ops.ops[i], atoms[k])) return in->ops.ops[i];
  return (MlirOperation){NULL};
}

static MlirAttribute reason(Inserter *in, size_t at, MlirStringRef from,
                            MlirStringRef to) {
  char text[256];
  MlirOperation op = who_needs(in, at, from), user = in->ops.ops[at];
  MlirStringRef name =
      mlirIdentifierStr(mlirOperationGetName(op.ptr ? op : user));
  MlirStringRef file;
  int line = 0, column;
  dsp_location_place(mlirOperationGetLocation(op.ptr ? op : user), &file, &line,
                     &column);
  if (op.ptr)
    snprintf(text, sizeof text, "%.*s at line %d needs %.*s whole",
             (int)name.length - 4, name.data + 4, line, (int)from.length,
             from.data);
  else
    snprintf(text, sizeof text, "%.*s at line %d works on %s%.*s",
             (int)name.length - 4, name.data + 4, line,
             dsp_str_is(to, "*") ? "all of it" : "",
             dsp_str_is(to, "*") ? 0 : (int)to.length, to.data);
  return dsp_string(in->context, mlirStringRefCreateFromCString(text));
}

static MlirAttribute new_name(Inserter *in, MlirValue original,
                              MlirStringRef to) {
  char text[128];
  MlirStringRef name = {NULL, 0};
  if (mlirValueIsAOpResult(original))
    name = dsp_string_attr(mlirOpResultGetOwner(original), "name");
  if (!name.length) name = mlirStringRefCreateFromCString("h");
  bool whole = dsp_str_is(to, "*");
  snprintf(text, sizeof text, "%.*s_%.*s", (int)name.length, name.data,
           whole ? 5 : (int)to.length, whole ? "whole" : to.data);
  return dsp_string(in->context, mlirStringRefCreateFromCString(text));
}

static MlirValue convert(Inserter *in, size_t at, MlirValue original,
                         MlirValue from, MlirStringRef to,
                         MlirAttribute bytes) {
  MlirOperation user = in->ops.ops[at];
  const char *names[] = {"reason", "bytes", "stage", "name"};
  MlirAttribute attributes[] = {reason(in, at, layout_of(from), to), bytes,
                                dsp_attr(user, "stage"),
                                new_name(in, original, to)};
  MlirType type = dsp_tensor_with_layout(mlirValueGetType(from), to);
  MlirOperation op = dsp_build_before(
      user, collective(layout_of(from), to), mlirOperationGetLocation(user), 1,
      &from, type, 4, names, attributes);
  Copy **list = copies_of(in, original), *copy;
  copy = dsp_arena_alloc(in->arena, sizeof *copy);
  *copy = (Copy){.value = mlirOperationGetResult(op, 0), .next = *list};
  *list = copy;
  return copy->value;
}

static void run_conversions(Inserter *in, size_t at) {
  MlirOperation op = in->ops.ops[at];
  MlirAttribute list = dsp_attr(op, "conversions");
  if (mlirAttributeIsNull(list)) return;
  for (intptr_t i = 0; i < mlirArrayAttrGetNumElements(list); i++) {
    MlirAttribute step = mlirArrayAttrGetElement(list, i);
    int64_t operand = mlirIntegerAttrGetValueInt(dsp_dict_get(step, "operand"));
    MlirValue original = mlirOperationGetOperand(op, operand);
    MlirValue from = find_copy(
        in, original, mlirStringAttrGetValue(dsp_dict_get(step, "from")));
    if (!from.ptr) dsp_bug("a conversion from a layout that does not exist");
    convert(in, at, original, from,
            mlirStringAttrGetValue(dsp_dict_get(step, "to")),
            dsp_dict_get(step, "bytes"));
  }
  dsp_remove_attr(op, "conversions");
}

static MlirAttribute no_bytes(Inserter *in) {
  int64_t *zeros = dsp_arena_alloc(in->arena,
                                   (size_t)in->ranks * sizeof *zeros);
  memset(zeros, 0, (size_t)in->ranks * sizeof *zeros);
  return dsp_attr_ints(in->context, (size_t)in->ranks, zeros);
}

static void set_operands(Inserter *in, size_t at) {
  MlirOperation op = in->ops.ops[at];
  MlirAttribute needs = dsp_attr(op, "needs");
  if (mlirAttributeIsNull(needs)) return;
  for (intptr_t i = 0; i < mlirOperationGetNumOperands(op); i++) {
    MlirValue original = mlirOperationGetOperand(op, i);
    MlirStringRef layout =
        mlirStringAttrGetValue(mlirArrayAttrGetElement(needs, i));
    MlirValue value = find_copy(in, original, layout);
    MlirValue whole =
        find_copy(in, original, mlirStringRefCreateFromCString("*"));
    if (!value.ptr && whole.ptr)
      value = convert(in, at, original, whole, layout, no_bytes(in));
    if (!value.ptr) dsp_bug("an operand in a layout that nothing made");
    mlirOperationSetOperand(op, i, value);
  }
  dsp_remove_attr(op, "needs");
}

bool dsp_pass_insert_switches(MlirModule module,
                              const DspPassOptions *options) {
  (void)options;
  MlirOperation func = dsp_model_func(module);
  if (mlirOperationIsNull(func)) return false;
  Inserter in = {.context = mlirModuleGetContext(module),
                 .arena = dsp_arena_create()};
  in.dims = dsp_attr(mlirModuleGetOperation(module), "dsp.dims");
  in.ranks = dsp_int_attr(mlirModuleGetOperation(module), "dsp.ranks", 1);
  in.ops = dsp_list_ops(in.arena, dsp_body(func));
  in.copies = dsp_ptr_map(in.arena);
  in.lists = dsp_arena_alloc(in.arena, (in.ops.count + 1) * sizeof *in.lists);
  for (size_t i = 0; i < in.ops.count; i++) {
    run_conversions(&in, i);
    set_operands(&in, i);
  }
  dsp_arena_destroy(in.arena);
  return true;
}
