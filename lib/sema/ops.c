// ops.c - the built-in ops: the table of them, and those that compute element
// by element, reduce or reorder.
#include <string.h>

#include "ops.h"

bool dsp_merge_atoms(const DspAtoms *a, const DspAtoms *b, DspAtoms *out) {
  DspAtoms merged = {0};
  size_t next = 0, total = a->count;
  for (size_t i = 0; i < b->count; i++)
    total += dsp_atoms_find(a, b->ids[i]) < 0;
  if (total > DSP_MODEL_MAX_RANK) return false;
  for (size_t i = 0; i < a->count; i++) {
    int at = dsp_atoms_find(b, a->ids[i]);
    for (; at >= 0 && next < (size_t)at; next++)
      if (dsp_atoms_find(a, b->ids[next]) < 0 &&
          dsp_atoms_find(&merged, b->ids[next]) < 0)
        dsp_atoms_add(&merged, b->ids[next]);
    if (at >= 0 && next <= (size_t)at) next = (size_t)at + 1;
    dsp_atoms_add(&merged, a->ids[i]);
  }
  for (; next < b->count; next++)
    if (dsp_atoms_find(&merged, b->ids[next]) < 0)
      dsp_atoms_add(&merged, b->ids[next]);
  *out = merged;
  return true;
}

const char *dsp_element_name(DspElement element) {
  static const char *const names[] = {[DSP_F32] = "f32",
                                      [DSP_BF16] = "bf16",
                                      [DSP_F16] = "f16",
                                      [DSP_I32] = "i32"};
  return names[element];
}

bool dsp_need_real(DspSema *s, DspRange range, const char *op, uint32_t value) {
  if (dsp_type_of(s, value)->element != DSP_I32) return true;
  DspDiag *diag =
      dsp_sema_error(s, DSP_E0410, range,
                     "'%s' computes with real numbers, the value is i32", op);
  dsp_help(s->diags, diag, "convert it: cast(x, f32)");
  return false;
}

DspModelOp dsp_op_new(DspSema *s, DspModelOpKind kind, const DspArgs *args,
                      size_t n, const uint32_t *operands) {
  return (DspModelOp){.kind = kind,
                      .range = args->call->range,
                      .operands = dsp_ids(s, n, operands),
                      .noperands = n};
}

DspResult dsp_op_add(DspSema *s, DspModelOp op, DspValueType type) {
  if (!dsp_atoms_distinct(s, op.range, &type.atoms, NULL))
    return dsp_op_failed();
  return (DspResult){.values = {dsp_add_op(s, op, type)}, .count = 1};
}

/// Is each of `a` in `b`, and no other when the counts have to agree?
static bool are_among(const DspAtoms *a, const DspAtoms *b, bool all) {
  if (all && a->count != b->count) return false;
  for (size_t i = 0; i < a->count; i++)
    if (dsp_atoms_find(b, a->ids[i]) < 0) return false;
  return true;
}

/// rearrange(x, [dims]) and expand(x, [dims])
static DspResult dsp_op_reorder(DspSema *s, const DspArgs *args, bool expand) {
  DspAtoms dims = {0};
  uint32_t value;
  if (!dsp_eval_value(s, args->plain[0], &value) ||
      !dsp_read_dims(s, args->plain[1], &dims, NULL, NULL))
    return dsp_op_failed();
  DspValueType type = *dsp_type_of(s, value);
  if (!are_among(&type.atoms, &dims, !expand)) {
    DspStr have = dsp_atoms_text(s, &type.atoms);
    DspStr want = dsp_atoms_text(s, &dims);
    dsp_sema_error(s, DSP_E0408, args->plain[1]->range,
                   "the value has dims %.*s, which are not %s %.*s",
                   DSP_FMT(have), expand ? "all in" : "those of",
                   DSP_FMT(want));
    return dsp_op_failed();
  }
  type.atoms = dims;
  return dsp_op_add(s,
                    dsp_op_new(s, expand ? DSP_MODEL_MAP : DSP_MODEL_REARRANGE,
                               args, 1, &value),
                    type);
}

static DspResult dsp_op_rearrange(DspSema *s, const DspArgs *args) {
  return dsp_op_reorder(s, args, false);
}

static DspResult dsp_op_expand(DspSema *s, const DspArgs *args) {
  return dsp_op_reorder(s, args, true);
}

DspResult dsp_reduce(DspSema *s, const DspArgs *args, const char *kind,
                     uint32_t x, const DspAtoms *over) {
  DspValueType type = *dsp_type_of(s, x);
  DspAtoms kept = {0};
  for (size_t i = 0; i < type.atoms.count; i++)
    if (dsp_atoms_find(over, type.atoms.ids[i]) < 0)
      dsp_atoms_add(&kept, type.atoms.ids[i]);
  type.atoms = kept;
  DspModelOp op = dsp_op_new(s, DSP_MODEL_REDUCE, args, 1, &x);
  op.over = *over;
  op.function = dsp_str(kind);
  return dsp_op_add(s, op, type);
}

/// mean(x, over T), sum, max
DspResult dsp_op_reduce(DspSema *s, const DspArgs *args) {
  DspAtoms over = {0};
  uint32_t value;
  if (!dsp_eval_value(s, args->plain[0], &value) ||
      !dsp_need_real(s, args->plain[0]->range, args->rule->name, value) ||
      !dsp_args_dims(s, args, args->over, value, &over, NULL, NULL))
    return dsp_op_failed();
  return dsp_reduce(s, args, args->rule->name, value, &over);
}

/// index(K): 0, 1, 2, .. along K, in f32
static DspResult dsp_op_index(DspSema *s, const DspArgs *args) {
  DspValueType type = {.element = DSP_F32};
  if (!dsp_args_dims(s, args, args->plain[0], DSP_NONE, &type.atoms, NULL,
                     NULL))
    return dsp_op_failed();
  if (type.atoms.count > 1) {
    DspDiag *diag = dsp_sema_error(
        s, DSP_E0402, args->plain[0]->range,
        "'index' counts along one dim, this is a product of %zu",
        type.atoms.count);
    dsp_help(s->diags, diag, "count along each of its dims by itself");
    return dsp_op_failed();
  }
  return dsp_op_add(s, dsp_op_new(s, DSP_MODEL_INDEX, args, 0, NULL), type);
}

uint32_t dsp_cast(DspSema *s, DspRange range, uint32_t x, DspElement element) {
  DspValueType type = *dsp_type_of(s, x);
  if (type.element == element) return x;
  type.element = element;
  DspModelOp op = {.kind = DSP_MODEL_MAP, .range = range, .noperands = 1};
  op.operands = dsp_ids(s, 1, &x);
  return dsp_add_op(s, op, type);
}

/// cast(x, f32)
static DspResult dsp_op_cast(DspSema *s, const DspArgs *args) {
  uint32_t value;
  DspElement element;
  if (args->plain[1]->kind != DSP_EXPR_NAME) return dsp_args_wrong(s, args);
  if (!dsp_eval_value(s, args->plain[0], &value) ||
      !dsp_read_element(s, args->plain[1]->name, &element))
    return dsp_op_failed();
  DspValueType type = *dsp_type_of(s, value);
  type.element = element;
  return dsp_op_add(s, dsp_op_new(s, DSP_MODEL_MAP, args, 1, &value), type);
}

static const DspOpRule rules[] = {
#define OVER DSP_ARG_OVER
#define ARROW DSP_ARG_ARROW
#define PATH DSP_ARG_PATH
#define OPTIONS(...) {__VA_ARGS__}
#define DSP_OP(name, eval, fewest, most, needs, takes, options, usage) \
  {#name, dsp_op_##eval, fewest, most, needs, takes, options, usage},
#include "ops.def"
};

enum { NRULES = sizeof rules / sizeof rules[0] };

static const DspOpRule *find_rule(DspStr name) {
  for (size_t i = 0; i < NRULES; i++)
    if (dsp_str_equal_c(name, rules[i].name)) return &rules[i];
  return NULL;
}

bool dsp_is_op(DspStr name) {
  return find_rule(name) != NULL;
}

size_t dsp_op_names(DspStr *names, size_t most) {
  size_t n = NRULES < most ? NRULES : most;
  for (size_t i = 0; i < n; i++) names[i] = dsp_str(rules[i].name);
  return n;
}

DspResult dsp_eval_op(DspSema *s, const DspExpr *call) {
  const DspOpRule *rule = find_rule(call->name.text);
  DspArgs args;
  if (!dsp_args_collect(s, call, rule, &args)) return dsp_op_failed();
  return rule->eval(s, &args);
}
