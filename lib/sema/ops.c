// ops.c - the built-in ops: their arguments, dims and results.
#include <math.h>
#include <string.h>

#include "sema.h"

/// The arguments of a call by kind.
typedef struct Args {
  const DspExpr *call;
  const DspExpr *plain[4]; ///< values, words, lists, numbers
  size_t nplain;
  const DspExpr *over, *arrow, *path;
  const DspExpr *named[4];
  size_t nnamed;
} Args;

static DspResult failed(void) { return (DspResult){.failed = true}; }

static DspResult one(uint32_t value) {
  return (DspResult){.values = {value}, .count = 1};
}

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

static bool bad_args(DspSema *s, const DspExpr *call, const char *usage) {
  DspDiag *diag = dsp_sema_error(s, DSP_E0402, call->range,
                                 "wrong arguments for '%.*s'",
                                 DSP_FMT(call->name.text));
  dsp_help(s->diags, diag, "write %s", usage);
  return false;
}

static bool collect(const DspExpr *call, Args *args) {
  *args = (Args){.call = call};
  for (size_t i = 0; i < call->nitems; i++) {
    const DspExpr *arg = call->items[i];
    if (arg->kind == DSP_EXPR_OVER) {
      if (args->over) return false;
      args->over = arg->items[0];
    } else if (arg->kind == DSP_EXPR_ARROW) {
      if (args->arrow) return false;
      args->arrow = arg;
    } else if (arg->kind == DSP_EXPR_STRING) {
      if (args->path) return false;
      args->path = arg;
    } else if (arg->kind == DSP_EXPR_NAMED) {
      if (args->nnamed == 4) return false;
      args->named[args->nnamed++] = arg;
    } else {
      if (args->nplain == 4) return false;
      args->plain[args->nplain++] = arg;
    }
  }
  return true;
}

static const DspExpr *named(const Args *args, const char *name) {
  for (size_t i = 0; i < args->nnamed; i++)
    if (dsp_str_equal_c(args->named[i]->name.text, name))
      return args->named[i]->items[0];
  return NULL;
}

/// Are all named arguments among `a` and `b`?
static bool only_named(DspSema *s, const Args *args, const char *a,
                       const char *b) {
  for (size_t i = 0; i < args->nnamed; i++) {
    DspStr name = args->named[i]->name.text;
    if ((a && dsp_str_equal_c(name, a)) || (b && dsp_str_equal_c(name, b)))
      continue;
    dsp_sema_error(s, DSP_E0402, args->named[i]->range,
                   "'%.*s' has no argument called '%.*s'",
                   DSP_FMT(args->call->name.text), DSP_FMT(name));
    return false;
  }
  return true;
}

static bool number_arg(DspSema *s, const Args *args, const char *name,
                       double *number) {
  const DspExpr *expr = named(args, name);
  return !expr || dsp_eval_number(s, expr, number);
}

/// Does `value` have all of `dims`?  An error at `range` when not.
static bool need_dims(DspSema *s, DspRange range, uint32_t value,
                      const DspAtoms *dims, DspStr op) {
  const DspAtoms *atoms = &dsp_type_of(s, value)->atoms;
  for (size_t i = 0; i < dims->count; i++) {
    if (dsp_atoms_find(atoms, dims->ids[i]) >= 0) continue;
    const DspModelDim *dim = &s->model->dims[dims->ids[i]];
    DspStr text = dsp_atoms_text(s, atoms);
    DspDiag *diag = dsp_sema_error(
        s, DSP_E0403, range, "'%.*s' needs dim '%.*s', the value has dims %.*s",
        DSP_FMT(op), DSP_FMT(dim->name), DSP_FMT(text));
    dsp_note(s->diags, diag, dim->range, "the dim is declared here");
    return false;
  }
  return true;
}

static DspModelOp new_op(DspModelOpKind kind, const DspExpr *call) {
  return (DspModelOp){.kind = kind, .range = call->range};
}

static uint32_t weight(DspSema *s, const Args *args, const char *suffix,
                       DspElement element, DspAtoms atoms,
                       const int64_t *file, size_t nfile) {
  DspStr path = dsp_eval_string(s, args->path, false);
  DspStr rel = dsp_sema_text(s, "%.*s.%s", DSP_FMT(path), suffix);
  DspValueType type = {.element = element, .atoms = atoms};
  return dsp_add_param(s, args->path->range, rel, type, file, nfile);
}

static DspAtoms joined(const DspAtoms *a, const DspAtoms *b) {
  DspAtoms out = *a;
  for (size_t i = 0; i < b->count; i++) dsp_atoms_add(&out, b->ids[i]);
  return out;
}

/// x without `in`, `out` where the last of `in` was.
static DspAtoms linear_result(const DspAtoms *x, const DspAtoms *in,
                              const DspAtoms *out) {
  int last = -1;
  for (size_t i = 0; i < x->count; i++)
    if (dsp_atoms_find(in, x->ids[i]) >= 0) last = (int)i;
  DspAtoms result = {0};
  for (size_t i = 0; i < x->count; i++) {
    if (dsp_atoms_find(in, x->ids[i]) < 0) dsp_atoms_add(&result, x->ids[i]);
    if ((int)i != last) continue;
    for (size_t k = 0; k < out->count; k++) dsp_atoms_add(&result, out->ids[k]);
  }
  return result;
}

/// linear(x, IN -> OUT, "path" [, bias: no])
static DspResult op_linear(DspSema *s, const Args *args) {
  uint32_t x, operands[3];
  double bias = 1;
  int64_t file[2 * DSP_MODEL_MAX_RANK];
  size_t nout = 0, nfile;
  DspModelOp op = new_op(DSP_MODEL_LINEAR, args->call);
  if (args->nplain != 1 || !args->arrow || !args->path || args->over)
    return bad_args(s, args->call, "linear(x, IN -> OUT, \"path\")"), failed();
  if (!only_named(s, args, "bias", NULL) ||
      !number_arg(s, args, "bias", &bias) ||
      !dsp_eval_value(s, args->plain[0], &x) ||
      !dsp_read_dims(s, args->arrow->items[1], &op.out, file, &nout))
    return failed();
  nfile = nout;
  if (!dsp_read_dims(s, args->arrow->items[0], &op.over, file, &nfile) ||
      !need_dims(s, args->arrow->items[0]->range, x, &op.over,
                 args->call->name.text))
    return failed();
  DspValueType type = *dsp_type_of(s, x);
  type.atoms = linear_result(&type.atoms, &op.over, &op.out);
  if (op.over.count + op.out.count > DSP_MODEL_MAX_RANK)
    return bad_args(s, args->call, "fewer dims"), failed();
  operands[0] = x;
  operands[1] = weight(s, args, "weight", type.element,
                       joined(&op.out, &op.over), file, nfile);
  op.noperands = 2;
  if (bias != 0)
    operands[op.noperands++] =
        weight(s, args, "bias", type.element, op.out, file, nout);
  op.operands = dsp_ids(s, op.noperands, operands);
  return one(dsp_add_op(s, op, type));
}

static bool is_innermost(const DspAtoms *atoms, const DspAtoms *last) {
  size_t skip = atoms->count - last->count;
  return atoms->count >= last->count &&
         memcmp(atoms->ids + skip, last->ids,
                last->count * sizeof last->ids[0]) == 0;
}

/// layer_norm(x, over C [, "path"] [, eps: e] [, affine: no]); rms_norm too
static DspResult op_norm(DspSema *s, const Args *args, bool layer) {
  uint32_t operands[3];
  double affine = args->path != NULL;
  int64_t file[DSP_MODEL_MAX_RANK];
  size_t nfile = 0;
  DspModelOp op =
      new_op(layer ? DSP_MODEL_LAYER_NORM : DSP_MODEL_RMS_NORM, args->call);
  op.number = layer ? 1e-5 : 1e-6;
  if (args->nplain != 1 || !args->over || args->arrow)
    return bad_args(s, args->call, "layer_norm(x, over C, \"path\")"), failed();
  if (!only_named(s, args, "eps", "affine") ||
      !number_arg(s, args, "eps", &op.number) ||
      !number_arg(s, args, "affine", &affine) ||
      !dsp_eval_value(s, args->plain[0], &operands[0]) ||
      !dsp_read_dims(s, args->over, &op.over, file, &nfile) ||
      !need_dims(s, args->over->range, operands[0], &op.over,
                 args->call->name.text))
    return failed();
  DspValueType type = *dsp_type_of(s, operands[0]);
  if (!is_innermost(&type.atoms, &op.over)) {
    DspDiag *diag = dsp_sema_error(
        s, DSP_E0405, args->over->range,
        "a norm works on the innermost dims, the value has dims %.*s",
        DSP_FMT(dsp_atoms_text(s, &type.atoms)));
    dsp_help(s->diags, diag, "put them last with rearrange(x, [...])");
    return failed();
  }
  op.noperands = 1;
  if (affine != 0 && !args->path)
    return bad_args(s, args->call, "a path for its weight"), failed();
  if (affine != 0)
    operands[op.noperands++] =
        weight(s, args, "weight", type.element, op.over, file, nfile);
  if (affine != 0 && layer)
    operands[op.noperands++] =
        weight(s, args, "bias", type.element, op.over, file, nfile);
  op.operands = dsp_ids(s, op.noperands, operands);
  return one(dsp_add_op(s, op, type));
}

/// The dims of k and v must be those of q, the attended ones or dot.
static bool check_keys(DspSema *s, const Args *args, const DspModelOp *op) {
  const DspAtoms *q = &dsp_type_of(s, op->operands[0])->atoms;
  for (size_t k = 1; k < 3; k++) {
    const DspAtoms *atoms = &dsp_type_of(s, op->operands[k])->atoms;
    if (!need_dims(s, args->plain[k]->range, op->operands[k], &op->over,
                   args->call->name.text) ||
        !need_dims(s, args->plain[k]->range, op->operands[k], &op->out,
                   args->call->name.text))
      return false;
    for (size_t i = 0; i < atoms->count; i++) {
      uint32_t id = atoms->ids[i];
      if (dsp_atoms_find(q, id) >= 0 || dsp_atoms_find(&op->over, id) >= 0)
        continue;
      dsp_sema_error(s, DSP_E0403, args->plain[k]->range,
                     "keys and values have dim '%.*s', the queries do not",
                     DSP_FMT(s->model->dims[id].name));
      return false;
    }
    if (!is_innermost(atoms, &op->out)) {
      dsp_sema_error(s, DSP_E0405, args->plain[k]->range,
                     "the channels of a head must be the innermost dims");
      return false;
    }
  }
  return true;
}

/// attention(q, k, v, over A [, dot: D] [, scale: x])
static DspResult op_attention(DspSema *s, const Args *args) {
  DspModelOp op = new_op(DSP_MODEL_ATTENTION, args->call);
  uint32_t operands[3];
  if (args->nplain != 3 || !args->over || args->arrow || args->path)
    return bad_args(s, args->call, "attention(q, k, v, over S)"), failed();
  if (!only_named(s, args, "dot", "scale") ||
      !dsp_read_dims(s, args->over, &op.over, NULL, NULL))
    return failed();
  for (size_t i = 0; i < 3; i++)
    if (!dsp_eval_value(s, args->plain[i], &operands[i])) return failed();
  op.operands = dsp_ids(s, 3, operands);
  op.noperands = 3;
  DspValueType type = *dsp_type_of(s, operands[0]);
  const DspExpr *dot = named(args, "dot");
  if (dot && !dsp_read_dims(s, dot, &op.out, NULL, NULL)) return failed();
  if (!dot && type.atoms.count)
    dsp_atoms_add(&op.out, type.atoms.ids[type.atoms.count - 1]);
  if (!need_dims(s, args->plain[0]->range, operands[0], &op.out,
                 args->call->name.text) ||
      !check_keys(s, args, &op))
    return failed();
  if (!is_innermost(&type.atoms, &op.out)) {
    dsp_sema_error(s, DSP_E0405, args->plain[0]->range,
                   "the channels of a head must be the innermost dims");
    return failed();
  }
  op.number = 1 / sqrt((double)dsp_atoms_size(s, &op.out));
  if (!number_arg(s, args, "scale", &op.number)) return failed();
  return one(dsp_add_op(s, op, type));
}

static DspResult slice(DspSema *s, const DspExpr *call, uint32_t value,
                       int at, const DspAtoms *part, int64_t start,
                       int64_t size) {
  DspValueType type = *dsp_type_of(s, value);
  DspModelOp op = new_op(DSP_MODEL_SLICE, call);
  op.dim = type.atoms.ids[at];
  op.start = start;
  op.size = size;
  op.operands = dsp_ids(s, 1, &value);
  op.noperands = 1;
  DspAtoms result = {0};
  for (int i = 0; i < (int)type.atoms.count; i++) {
    if (i != at) dsp_atoms_add(&result, type.atoms.ids[i]);
    for (size_t k = 0; i == at && k < part->count; k++)
      dsp_atoms_add(&result, part->ids[k]);
  }
  type.atoms = result;
  return one(dsp_add_op(s, op, type));
}

static DspResult split_failed(DspSema *s, const Args *args, uint32_t value) {
  DspStr text = dsp_atoms_text(s, &dsp_type_of(s, value)->atoms);
  DspDiag *diag = dsp_sema_error(
      s, DSP_E0406, args->call->range,
      "nothing to split so: the value has dims %.*s", DSP_FMT(text));
  dsp_help(s->diags, diag,
           "split(x, 3) needs a factor 3, as linear(x, C -> 3 * C, ..) makes; "
           "split(x, over A) a sum dim like A = 1 + S");
  return failed();
}

/// split(x, 3) along a factor 3; split(x, over A) into the terms of a sum
static DspResult op_split(DspSema *s, const Args *args) {
  uint32_t value;
  if (args->nplain + (args->over != NULL) != 2 || args->nplain < 1)
    return bad_args(s, args->call, "split(x, 3) or split(x, over A)"), failed();
  if (!dsp_eval_value(s, args->plain[0], &value)) return failed();
  DspAtoms dim = {0};
  if (!dsp_read_dims(s, args->over ? args->over : args->plain[1], &dim, NULL,
                     NULL))
    return failed();
  int at = dim.count == 1
               ? dsp_atoms_find(&dsp_type_of(s, value)->atoms, dim.ids[0])
               : -1;
  if (at < 0) return split_failed(s, args, value);
  bool sum = args->over != NULL;
  size_t n = sum ? s->model->dims[dim.ids[0]].nterms
                 : (size_t)s->model->dims[dim.ids[0]].size;
  if (n == 0 || n > DSP_MAX_VALUES) return split_failed(s, args, value);
  DspResult result = {.count = n};
  static const DspAtoms nothing;
  int64_t start = 0;
  for (size_t i = 0; i < n; i++) {
    const DspAtoms *part =
        sum ? &s->model->dims[dim.ids[0]].terms[i] : &nothing;
    int64_t size = dsp_atoms_size(s, part);
    result.values[i] =
        slice(s, args->call, value, at, part, start, size).values[0];
    start += size;
  }
  return result;
}

/// Replaces the atoms of `term` in `atoms` by the sum dim, or drops nothing
/// and appends no dim when the value has none of the term.
static bool put_sum(const DspAtoms *atoms, const DspAtoms *term, uint32_t sum,
                    DspAtoms *out) {
  *out = (DspAtoms){0};
  if (term->count == 0) {
    *out = *atoms;
    return true;
  }
  int first = dsp_atoms_find(atoms, term->ids[0]);
  if (first < 0 || (size_t)first + term->count > atoms->count ||
      memcmp(atoms->ids + first, term->ids, term->count * sizeof term->ids[0]))
    return false;
  for (size_t i = 0; i < atoms->count; i++) {
    if (i == (size_t)first) dsp_atoms_add(out, sum);
    if (i < (size_t)first || i >= (size_t)first + term->count)
      dsp_atoms_add(out, atoms->ids[i]);
  }
  return true;
}

/// Does a value, its own term put away, still have dims of the sum?
static bool has_term_left(const DspModelDim *sum, const DspAtoms *with) {
  for (size_t i = 0; i < sum->nterms; i++)
    for (size_t k = 0; k < sum->terms[i].count; k++)
      if (dsp_atoms_find(with, sum->terms[i].ids[k]) >= 0) return true;
  return false;
}

static DspResult concat_failed(DspSema *s, const DspExpr *at,
                               const DspModelDim *dim) {
  DspDiag *diag = dsp_sema_error(
      s, DSP_E0407, at->range,
      "this does not fit sum dim '%.*s': each value has the dims of its term, "
      "side by side",
      DSP_FMT(dim->name));
  dsp_note(s->diags, diag, dim->range, "the dim is declared here");
  return failed();
}

/// concat([a, b], over A): A a sum dim, a value for each term
static DspResult op_concat(DspSema *s, const Args *args) {
  DspAtoms over = {0};
  if (args->nplain != 1 || !args->over ||
      args->plain[0]->kind != DSP_EXPR_LIST)
    return bad_args(s, args->call, "concat([a, b], over A)"), failed();
  if (!dsp_read_dims(s, args->over, &over, NULL, NULL)) return failed();
  const DspExpr *list = args->plain[0];
  if (over.count != 1 || s->model->dims[over.ids[0]].nterms != list->nitems) {
    dsp_sema_error(s, DSP_E0407, args->call->range,
                   "concat needs a sum dim with one term for each value");
    return failed();
  }
  uint32_t values[DSP_MAX_VALUES];
  DspModelOp op = new_op(DSP_MODEL_CONCAT, args->call);
  op.dim = over.ids[0];
  op.starts = dsp_arena_alloc(s->arena, list->nitems * sizeof *op.starts);
  DspValueType type = {0};
  int64_t start = 0;
  size_t most = 0;
  for (int pass = 0; pass < 2; pass++) // first the values that hold the dim
    for (size_t i = 0; i < list->nitems; i++) {
      if (pass == 0 && !dsp_eval_value(s, list->items[i], &values[i]))
        return failed();
      const DspValueType *t = dsp_type_of(s, values[i]);
      const DspAtoms *term = &s->model->dims[op.dim].terms[i];
      DspAtoms with;
      if (!put_sum(&t->atoms, term, op.dim, &with) ||
          has_term_left(&s->model->dims[op.dim], &with))
        return concat_failed(s, list->items[i], &s->model->dims[op.dim]);
      if (pass == 0) {
        op.starts[i] = start;
        start += dsp_atoms_size(s, term);
        if (term->count && with.count > most) {
          most = with.count;
          type = (DspValueType){.element = t->element, .atoms = with};
        }
      } else if (t->element != type.element) {
        dsp_sema_error(s, DSP_E0404, list->items[i]->range,
                       "the values differ in element type");
        return failed();
      } else {
        DspAtoms left = type.atoms;
        if (!dsp_merge_atoms(&left, &with, &type.atoms))
          return concat_failed(s, list->items[i], &s->model->dims[op.dim]);
      }
    }
  if (most == 0)
    return concat_failed(s, list, &s->model->dims[op.dim]);
  op.operands = dsp_ids(s, list->nitems, values);
  op.noperands = list->nitems;
  return one(dsp_add_op(s, op, type));
}

static bool same_set(const DspAtoms *a, const DspAtoms *b, bool superset) {
  if (!superset && a->count != b->count) return false;
  for (size_t i = 0; i < a->count; i++)
    if (dsp_atoms_find(b, a->ids[i]) < 0) return false;
  return true;
}

/// rearrange(x, [dims]) and expand(x, [dims])
static DspResult op_reorder(DspSema *s, const Args *args, bool expand) {
  DspAtoms dims = {0};
  uint32_t value;
  if (args->nplain != 2 || args->over || args->arrow)
    return bad_args(s, args->call, "rearrange(x, [A, B, C])"), failed();
  if (!dsp_eval_value(s, args->plain[0], &value) ||
      !dsp_read_dims(s, args->plain[1], &dims, NULL, NULL))
    return failed();
  DspValueType type = *dsp_type_of(s, value);
  if (!same_set(&type.atoms, &dims, expand)) {
    DspStr have = dsp_atoms_text(s, &type.atoms);
    DspStr want = dsp_atoms_text(s, &dims);
    dsp_sema_error(s, DSP_E0408, args->plain[1]->range,
                   "the value has dims %.*s, which are not those of %.*s",
                   DSP_FMT(have), DSP_FMT(want));
    return failed();
  }
  type.atoms = dims;
  DspModelOp op =
      new_op(expand ? DSP_MODEL_MAP : DSP_MODEL_REARRANGE, args->call);
  op.operands = dsp_ids(s, 1, &value);
  op.noperands = 1;
  return one(dsp_add_op(s, op, type));
}

/// mean(x, over T), sum, max
static DspResult op_reduce(DspSema *s, const Args *args) {
  DspModelOp op = new_op(DSP_MODEL_REDUCE, args->call);
  uint32_t value;
  if (args->nplain != 1 || !args->over || args->arrow)
    return bad_args(s, args->call, "mean(x, over T)"), failed();
  if (!dsp_eval_value(s, args->plain[0], &value) ||
      !dsp_read_dims(s, args->over, &op.over, NULL, NULL) ||
      !need_dims(s, args->over->range, value, &op.over, args->call->name.text))
    return failed();
  DspValueType type = *dsp_type_of(s, value);
  DspAtoms kept = {0};
  for (size_t i = 0; i < type.atoms.count; i++)
    if (dsp_atoms_find(&op.over, type.atoms.ids[i]) < 0)
      dsp_atoms_add(&kept, type.atoms.ids[i]);
  type.atoms = kept;
  op.function = args->call->name.text;
  op.operands = dsp_ids(s, 1, &value);
  op.noperands = 1;
  return one(dsp_add_op(s, op, type));
}

/// gelu(x [, tanh]) and the other functions of one value
static DspResult op_unary(DspSema *s, const Args *args) {
  uint32_t value;
  DspStr name = args->call->name.text;
  bool tanh_form = dsp_str_equal_c(name, "gelu") && args->nplain == 2 &&
                   args->plain[1]->kind == DSP_EXPR_NAME &&
                   dsp_str_equal_c(args->plain[1]->name.text, "tanh");
  if (args->nplain != 1 + (size_t)tanh_form || args->over || args->arrow)
    return bad_args(s, args->call, "one value, as in silu(x)"), failed();
  if (!dsp_eval_value(s, args->plain[0], &value)) return failed();
  DspModelOp op = new_op(DSP_MODEL_MAP, args->call);
  op.function = tanh_form ? dsp_str("gelu_tanh") : name;
  op.nargs = 1;
  op.operands = dsp_ids(s, 1, &value);
  op.noperands = 1;
  return one(dsp_add_op(s, op, *dsp_type_of(s, value)));
}

/// cast(x, f32)
static DspResult op_cast(DspSema *s, const Args *args) {
  uint32_t value;
  DspElement element;
  if (args->nplain != 2 || args->plain[1]->kind != DSP_EXPR_NAME)
    return bad_args(s, args->call, "cast(x, f32)"), failed();
  if (!dsp_eval_value(s, args->plain[0], &value)) return failed();
  DspStr name = args->plain[1]->name.text;
  DspBinding *binding = dsp_lookup(s, name);
  if (binding && binding->kind == DSP_BOUND_TYPE)
    element = binding->element;
  else if (!dsp_parse_element(name, &element))
    return dsp_sema_error(s, DSP_E0305, args->plain[1]->range,
                          "'%.*s' is no element type", DSP_FMT(name)),
           failed();
  DspValueType type = *dsp_type_of(s, value);
  type.element = element;
  DspModelOp op = new_op(DSP_MODEL_MAP, args->call);
  op.operands = dsp_ids(s, 1, &value);
  op.noperands = 1;
  return one(dsp_add_op(s, op, type));
}

static const char *const unary[] = {"gelu", "silu", "relu",  "sigmoid",
                                    "tanh", "exp",  "sqrt", "rsqrt"};
static const char *const others[] = {
    "linear", "layer_norm", "rms_norm", "attention", "split", "concat",
    "rearrange", "expand", "mean", "sum", "max", "cast"};

static bool among(DspStr name, const char *const *words, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (dsp_str_equal_c(name, words[i])) return true;
  return false;
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

bool dsp_is_op(DspStr name) {
  return among(name, unary, COUNT(unary)) || among(name, others, COUNT(others));
}

DspResult dsp_eval_op(DspSema *s, const DspExpr *call) {
  Args args;
  DspStr name = call->name.text;
  if (!collect(call, &args) || call->path)
    return bad_args(s, call, "each kind of argument once, no 'at'"), failed();
  if (dsp_str_equal_c(name, "linear")) return op_linear(s, &args);
  if (dsp_str_equal_c(name, "layer_norm")) return op_norm(s, &args, true);
  if (dsp_str_equal_c(name, "rms_norm")) return op_norm(s, &args, false);
  if (dsp_str_equal_c(name, "attention")) return op_attention(s, &args);
  if (args.nnamed) return only_named(s, &args, NULL, NULL), failed();
  if (dsp_str_equal_c(name, "split")) return op_split(s, &args);
  if (dsp_str_equal_c(name, "concat")) return op_concat(s, &args);
  if (dsp_str_equal_c(name, "rearrange")) return op_reorder(s, &args, false);
  if (dsp_str_equal_c(name, "expand")) return op_reorder(s, &args, true);
  if (dsp_str_equal_c(name, "cast")) return op_cast(s, &args);
  if (among(name, unary, COUNT(unary))) return op_unary(s, &args);
  return op_reduce(s, &args);
}
