// ops_parts.c - split and concat: values and the parts they are made of.
#include <string.h>

#include "ops.h"

/// Takes one part of a dim; an error when the result would have a dim twice.
static bool add_slice(DspSema *s, const DspArgs *args, uint32_t value, int at,
                      const DspAtoms *part, int64_t start, uint32_t *result) {
  DspValueType type = *dsp_type_of(s, value);
  DspModelOp op = dsp_op_new(s, DSP_MODEL_SLICE, args, 1, &value);
  op.dim = type.atoms.ids[at];
  op.start = start;
  op.size = dsp_atoms_size(s, part);
  DspAtoms atoms = {0};
  for (int i = 0; i < (int)type.atoms.count; i++) {
    DspAtoms own = {.count = 1, .ids = {type.atoms.ids[i]}};
    if (!dsp_atoms_append(s, args->call->range, &atoms, i == at ? part : &own))
      return false;
  }
  type.atoms = atoms;
  DspResult made = dsp_op_add(s, op, type);
  *result = made.values[0];
  return !made.failed;
}

static DspResult split_failed(DspSema *s, const DspArgs *args, uint32_t value) {
  DspStr text = dsp_atoms_text(s, &dsp_type_of(s, value)->atoms);
  DspDiag *diag = dsp_sema_error(s, DSP_E0406, args->call->range,
                                 "nothing to split so: the value has dims %.*s",
                                 DSP_FMT(text));
  dsp_help(s->diags, diag,
           "split(x, 3) needs a factor 3, as linear(x, C -> 3 * C, ..) makes; "
           "split(x, over A) a sum dim like A = 1 + S");
  return dsp_op_failed();
}

/// split(x, 3) along a factor 3; split(x, over A) into the terms of a sum
DspResult dsp_op_split(DspSema *s, const DspArgs *args) {
  static const DspAtoms nothing;
  uint32_t value;
  bool sum = args->over != NULL;
  DspAtoms dims = {0};
  if (args->nplain + sum != 2) return dsp_args_wrong(s, args);
  if (!dsp_eval_value(s, args->plain[0], &value) ||
      !dsp_read_dims(s, sum ? args->over : args->plain[1], &dims, NULL, NULL))
    return dsp_op_failed();
  int at = dims.count == 1
               ? dsp_atoms_find(&dsp_type_of(s, value)->atoms, dims.ids[0])
               : -1;
  if (at < 0) return split_failed(s, args, value);
  const DspModelDim *dim = &s->model->dims[dims.ids[0]];
  int64_t n = sum ? (int64_t)dim->nterms : dim->size;
  if (n == 0 || n > DSP_MAX_VALUES) return split_failed(s, args, value);
  DspResult result = {.count = (size_t)n};
  int64_t start = 0;
  for (size_t i = 0; i < result.count; i++) {
    const DspAtoms *part = sum ? &dim->terms[i] : &nothing;
    if (!add_slice(s, args, value, at, part, start, &result.values[i]))
      return dsp_op_failed();
    start += dsp_atoms_size(s, part);
  }
  return result;
}

/// A concat under construction.
typedef struct Concat {
  const DspArgs *args;
  const DspExpr *list;
  uint32_t dim;
  uint32_t values[DSP_MAX_VALUES];
  DspAtoms with[DSP_MAX_VALUES]; ///< of each value, the term put away
} Concat;

static bool concat_failed(DspSema *s, const Concat *c, const DspExpr *at) {
  const DspModelDim *dim = &s->model->dims[c->dim];
  DspDiag *diag = dsp_sema_error(
      s, DSP_E0407, at->range,
      "this does not fit sum dim '%.*s': each value has the dims of its term, "
      "side by side",
      DSP_FMT(dim->name));
  dsp_note(s->diags, diag, dim->range, "the dim is declared here");
  return false;
}

/// Puts the sum dim where the atoms of `term` are.  A term of 1 has none:
/// nothing changes.
static bool put_sum(const DspAtoms *atoms, const DspAtoms *term, uint32_t sum,
                    DspAtoms *out) {
  *out = *atoms;
  if (term->count == 0) return true;
  int first = dsp_atoms_part(atoms, term);
  if (first < 0) return false;
  size_t behind = (size_t)first + term->count;
  out->ids[first] = sum;
  memmove(out->ids + first + 1, atoms->ids + behind,
          (atoms->count - behind) * sizeof *out->ids);
  out->count = atoms->count - term->count + 1;
  return true;
}

/// Does a value, its own term put away, still have dims of the sum, or the sum
/// besides its term?
static bool has_term_left(const DspModelDim *sum, const DspAtoms *with,
                          const DspAtoms *own, uint32_t dim) {
  for (size_t i = 0; i < sum->nterms; i++)
    for (size_t k = 0; k < sum->terms[i].count; k++)
      if (dsp_atoms_find(with, sum->terms[i].ids[k]) >= 0) return true;
  return dsp_atoms_find(own, dim) >= 0;
}

static bool read_values(DspSema *s, Concat *c) {
  for (size_t i = 0; i < c->list->nitems; i++) {
    const DspExpr *item = c->list->items[i];
    if (!dsp_eval_value(s, item, &c->values[i])) return false;
    const DspModelDim *dim = &s->model->dims[c->dim];
    const DspValueType *type = dsp_type_of(s, c->values[i]);
    if (!put_sum(&type->atoms, &dim->terms[i], c->dim, &c->with[i]) ||
        has_term_left(dim, &c->with[i], &type->atoms, c->dim))
      return concat_failed(s, c, item);
    DspElement first = dsp_type_of(s, c->values[0])->element;
    if (type->element == first) continue;
    DspDiag *diag = dsp_sema_error(
        s, DSP_E0404, item->range, "the first value is %s, this is %s",
        dsp_element_name(first), dsp_element_name(type->element));
    dsp_note(s->diags, diag, c->list->items[0]->range, "the first value");
    dsp_help(s->diags, diag, "convert one of them: cast(x, %s)",
             dsp_element_name(first));
    return false;
  }
  return true;
}

/// The dims of the result: those of the value that has most, which holds the
/// sum dim, and what others have besides.
static bool merge_values(DspSema *s, const Concat *c, DspAtoms *atoms) {
  const DspModelDim *dim = &s->model->dims[c->dim];
  for (size_t i = 0; i < c->list->nitems; i++)
    if (dim->terms[i].count && c->with[i].count > atoms->count)
      *atoms = c->with[i];
  if (!atoms->count) return concat_failed(s, c, c->list);
  for (size_t i = 0; i < c->list->nitems; i++) {
    DspAtoms left = *atoms;
    if (dsp_merge_atoms(&left, &c->with[i], atoms)) continue;
    dsp_sema_error(s, DSP_E0303, c->args->call->range, "more than %d dims",
                   DSP_MODEL_MAX_RANK);
    return false;
  }
  return true;
}

/// concat([a, b], over A): A a sum dim, a value for each term
DspResult dsp_op_concat(DspSema *s, const DspArgs *args) {
  Concat c = {.args = args, .list = args->plain[0]};
  DspAtoms over = {0};
  if (c.list->kind != DSP_EXPR_LIST) return dsp_args_wrong(s, args);
  if (!dsp_read_dims(s, args->over, &over, NULL, NULL)) return dsp_op_failed();
  size_t n = c.list->nitems;
  if (over.count != 1 || s->model->dims[over.ids[0]].nterms != n || n == 0) {
    DspDiag *diag =
        dsp_sema_error(s, DSP_E0407, args->call->range,
                       "concat needs a sum dim with one term for each value");
    if (over.count == 1) dsp_note_atom(s, diag, over.ids[0]);
    return dsp_op_failed();
  }
  c.dim = over.ids[0];
  DspValueType type = {0};
  if (!read_values(s, &c) || !merge_values(s, &c, &type.atoms))
    return dsp_op_failed();
  type.element = dsp_type_of(s, c.values[0])->element;
  DspModelOp op = dsp_op_new(s, DSP_MODEL_CONCAT, args, n, c.values);
  op.dim = c.dim;
  op.starts = dsp_arena_alloc(s->arena, n * sizeof *op.starts);
  for (size_t i = 0; i < n; i++)
    op.starts[i] =
        i ? op.starts[i - 1] +
                dsp_atoms_size(s, &s->model->dims[c.dim].terms[i - 1])
          : 0;
  return dsp_op_add(s, op, type);
}

/// Dims can take the place of each other when their atoms have equal sizes.
static bool check_rename(DspSema *s, const DspArgs *args, const DspAtoms *from,
                         const DspAtoms *to) {
  bool same = from->count == to->count;
  for (size_t i = 0; same && i < from->count; i++)
    same = s->model->dims[from->ids[i]].size == s->model->dims[to->ids[i]].size;
  if (same) return true;
  DspStr old = dsp_atoms_text(s, from), new = dsp_atoms_text(s, to);
  dsp_sema_error(s, DSP_E0404, args->arrow->range,
                 "%.*s cannot be called %.*s: %lld positions and %lld, atom "
                 "by atom",
                 DSP_FMT(old), DSP_FMT(new),
                 (long long)dsp_atoms_size(s, from),
                 (long long)dsp_atoms_size(s, to));
  return false;
}

/// rename(x, I -> J): the dims I of x are called J from here on
DspResult dsp_op_rename(DspSema *s, const DspArgs *args) {
  uint32_t value;
  DspAtoms from = {0}, to = {0};
  if (!dsp_eval_value(s, args->plain[0], &value) ||
      !dsp_args_dims(s, args, args->arrow->items[0], value, &from, NULL,
                     NULL) ||
      !dsp_args_dims(s, args, args->arrow->items[1], DSP_NONE, &to, NULL,
                     NULL) ||
      !check_rename(s, args, &from, &to))
    return dsp_op_failed();
  DspValueType type = *dsp_type_of(s, value);
  for (size_t i = 0; i < type.atoms.count; i++) {
    int at = dsp_atoms_find(&from, type.atoms.ids[i]);
    if (at >= 0) type.atoms.ids[i] = to.ids[at];
  }
  return dsp_op_add(s, dsp_op_new(s, DSP_MODEL_RENAME, args, 1, &value), type);
}
