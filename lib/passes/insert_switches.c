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
#include "dspc/plan/collective.h"
#include "dspc/support/bug.h"
#include "ir.h"
#include "pass_list.h"

enum { AXES = DSP_PLAN_AXES };

/// One entry an axis; those that a mesh does not have are "*".
typedef struct Layout {
  MlirStringRef axes[AXES];
} Layout;

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

static Layout whole_layout(void) {
  MlirStringRef whole = mlirStringRefCreateFromCString("*");
  return (Layout){{whole, whole}};
}

static Layout layout_of(MlirValue value) {
  DspTensorInfo info;
  Layout layout = whole_layout();
  if (dsp_tensor_read(mlirValueGetType(value), &info))
    for (size_t a = 0; a < info.naxes && a < AXES; a++)
      layout.axes[a] = info.layout[a];
  return layout;
}

/// A string, or a list with an entry for each axis.
static Layout layout_from(MlirAttribute attr) {
  Layout layout = whole_layout();
  if (mlirAttributeIsAString(attr))
    layout.axes[0] = mlirStringAttrGetValue(attr);
  else
    dsp_attr_read_strings(attr, layout.axes, AXES);
  return layout;
}

static bool same_on(Layout a, Layout b, size_t axis) {
  return mlirStringRefEqual(a.axes[axis], b.axes[axis]);
}

static bool same_layout(Layout a, Layout b) {
  return same_on(a, b, 0) && same_on(a, b, 1);
}

static MlirType in_layout(Inserter *in, MlirType type, Layout layout) {
  DspTensorInfo info;
  if (!dsp_tensor_read(type, &info)) return type;
  for (size_t a = 0; a < info.naxes && a < AXES; a++)
    info.layout[a] = layout.axes[a];
  return dsp_tensor_type(in->context, &info);
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

static MlirValue find_copy(Inserter *in, MlirValue original, Layout layout) {
  for (Copy *c = *copies_of(in, original); c; c = c->next)
    if (same_layout(layout_of(c->value), layout)) return c->value;
  return (MlirValue){NULL};
}

/// Nobody receives anything: axes that were whole are cut.  Axis 1 cuts what
/// axis 0 leaves, so it keeps its part only where axis 0 cuts something else.
static bool is_split(Layout from, Layout to) {
  for (size_t a = 0; a < AXES; a++)
    if (!same_on(from, to, a) && !dsp_str_is(from.axes[a], "*")) return false;
  return same_on(from, to, 0) || dsp_str_is(from.axes[1], "*") ||
         !mlirStringRefEqual(to.axes[0], to.axes[1]);
}

/// A copy of which every rank has its part of `layout` already.
static MlirValue find_to_split(Inserter *in, MlirValue original,
                               Layout layout) {
  for (Copy *c = *copies_of(in, original); c; c = c->next)
    if (is_split(layout_of(c->value), layout)) return c->value;
  return (MlirValue){NULL};
}

static const char *collective(Layout from, Layout to) {
  bool gathers = true;
  for (size_t a = 0; a < AXES; a++) {
    if (same_on(from, to, a)) continue;
    bool whole = dsp_str_is(to.axes[a], "*");
    if (dsp_str_is(from.axes[a], "+"))
      return whole ? "dsp.all_reduce" : "dsp.reduce_scatter";
    gathers &= whole;
  }
  if (is_split(from, to)) return "dsp.shard";
  return gathers ? "dsp.all_gather" : "dsp.all_to_all";
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

/// The dim of the first axis that changes and was cut; else what it was.
static MlirStringRef given_up(Layout from, Layout to) {
  MlirStringRef dim = {NULL, 0};
  for (size_t a = 0; a < AXES; a++)
    if (!same_on(from, to, a) && (!dim.data || dsp_str_is(dim, "*")))
      dim = from.axes[a];
  return dim;
}

static void append(char *text, size_t size, const char *between,
                   MlirStringRef more) {
  size_t used = strlen(text);
  snprintf(text + used, size - used, "%s%.*s", used ? between : "",
           (int)more.length, more.data);
}

/// What an op works on: "all of it", or the dims that are cut from now on.
static void write_target(Layout from, Layout to, char *text, size_t size) {
  text[0] = '\0';
  for (size_t a = 0; a < AXES; a++)
    if (!same_on(from, to, a) && !dsp_str_is(to.axes[a], "*"))
      append(text, size, ", ", to.axes[a]);
  if (!*text) snprintf(text, size, "all of it");
}

static MlirAttribute reason(Inserter *in, size_t at, Layout from, Layout to) {
  char text[256], target[160];
  MlirStringRef dim = given_up(from, to);
  MlirOperation op = who_needs(in, at, dim), user = in->ops.ops[at];
  MlirStringRef name =
      mlirIdentifierStr(mlirOperationGetName(op.ptr ? op : user));
  MlirStringRef file;
  int line = 0, column;
  dsp_location_place(mlirOperationGetLocation(op.ptr ? op : user), &file, &line,
                     &column);
  write_target(from, to, target, sizeof target);
  if (op.ptr)
    snprintf(text, sizeof text, "%.*s at line %d needs %.*s whole",
             (int)name.length - 4, name.data + 4, line, (int)dim.length,
             dim.data);
  else
    snprintf(text, sizeof text, "%.*s at line %d works on %s",
             (int)name.length - 4, name.data + 4, line, target);
  return dsp_string(in->context, mlirStringRefCreateFromCString(text));
}

/// The layout as a part of a name: "T", "T_S", "T_whole", "whole".
static void write_suffix(Layout to, bool two, char *text, size_t size) {
  text[0] = '\0';
  if (same_layout(to, whole_layout())) two = false;
  for (size_t a = 0; a < (two ? AXES : 1); a++) {
    MlirStringRef entry = to.axes[a];
    if (dsp_str_is(entry, "*")) entry = mlirStringRefCreateFromCString("whole");
    if (dsp_str_is(entry, "+")) entry = mlirStringRefCreateFromCString("sum");
    append(text, size, "_", entry);
  }
}

static MlirAttribute new_name(Inserter *in, MlirValue original, Layout to) {
  char text[128], suffix[64];
  MlirStringRef name = {NULL, 0};
  if (mlirValueIsAOpResult(original))
    name = dsp_string_attr(mlirOpResultGetOwner(original), "name");
  if (!name.length) name = mlirStringRefCreateFromCString("h");
  DspTensorInfo info = {.naxes = 0};
  dsp_tensor_read(mlirValueGetType(original), &info);
  write_suffix(to, info.naxes > 1, suffix, sizeof suffix);
  snprintf(text, sizeof text, "%.*s_%s", (int)name.length, name.data, suffix);
  return dsp_string(in->context, mlirStringRefCreateFromCString(text));
}

static MlirValue convert(Inserter *in, size_t at, MlirValue original,
                         MlirValue from, Layout to, MlirAttribute bytes) {
  MlirOperation user = in->ops.ops[at];
  const char *names[] = {"reason", "bytes", "stage", "name"};
  MlirAttribute attributes[] = {reason(in, at, layout_of(from), to), bytes,
                                dsp_attr(user, "stage"),
                                new_name(in, original, to)};
  MlirType type = in_layout(in, mlirValueGetType(from), to);
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
    MlirValue from =
        find_copy(in, original, layout_from(dsp_dict_get(step, "from")));
    if (!from.ptr) dsp_bug("a conversion from a layout that does not exist");
    convert(in, at, original, from, layout_from(dsp_dict_get(step, "to")),
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
    Layout layout = layout_from(mlirArrayAttrGetElement(needs, i));
    MlirValue value = find_copy(in, original, layout);
    MlirValue larger = value.ptr ? value : find_to_split(in, original, layout);
    if (!value.ptr && larger.ptr)
      value = convert(in, at, original, larger, layout, no_bytes(in));
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
