// ops_compute.c - linear, the norms and attention: what the runtime computes.
#include <math.h>
#include <string.h>

#include "ops.h"

/// The runtime has these ops for real numbers.
static bool need_computed(DspSema *s, const DspArgs *args, DspRange range,
                          uint32_t value) {
  DspElement element = dsp_type_of(s, value)->element;
  if (element != DSP_I32) return true;
  DspDiag *diag = dsp_sema_error(
      s, DSP_E0410, range,
      "'%s' computes in f32, bf16 and f16, the value is %s",
      args->rule->name, dsp_element_name(element));
  dsp_help(s->diags, diag, "convert it: cast(x, f32)");
  return false;
}

static uint32_t weight(DspSema *s, const DspArgs *args, const char *suffix,
                       DspValueType type, const int64_t *file, size_t nfile) {
  DspStr rel = dsp_eval_path(s, args->path, false);
  if (rel.data) rel = dsp_sema_text(s, "%.*s.%s", DSP_FMT(rel), suffix);
  return dsp_add_param(s, args->path->range, rel, type, file, nfile);
}

static bool is_innermost(const DspAtoms *atoms, const DspAtoms *last) {
  size_t skip = atoms->count - last->count;
  return atoms->count >= last->count &&
         memcmp(atoms->ids + skip, last->ids,
                last->count * sizeof last->ids[0]) == 0;
}

/// "x" when the argument has no name of its own.
static DspStr name_of(const DspExpr *arg) {
  return arg->kind == DSP_EXPR_NAME ? arg->name.text : dsp_str("x");
}

/// Are the dims that the op works on the last ones of the value, in order?
static bool need_innermost(DspSema *s, DspRange range, const DspExpr *arg,
                           uint32_t value, const DspAtoms *last,
                           const char *what) {
  const DspAtoms *atoms = &dsp_type_of(s, value)->atoms;
  if (is_innermost(atoms, last)) return true;
  DspAtoms better = {0};
  for (size_t i = 0; i < atoms->count; i++)
    if (dsp_atoms_find(last, atoms->ids[i]) < 0)
      dsp_atoms_add(&better, atoms->ids[i]);
  for (size_t i = 0; i < last->count; i++) dsp_atoms_add(&better, last->ids[i]);
  DspStr have = dsp_atoms_text(s, atoms), need = dsp_atoms_text(s, &better);
  DspDiag *diag = dsp_sema_error(
      s, DSP_E0405, range, "%s must be innermost, the value has dims %.*s",
      what, DSP_FMT(have));
  dsp_help(s->diags, diag, "put them last with rearrange(%.*s, %.*s)",
           DSP_FMT(name_of(arg)), DSP_FMT(need));
  return false;
}

/// x without its last dims, and with `out` there.
static bool linear_result(DspSema *s, DspRange range, DspAtoms *atoms,
                          const DspAtoms *in, const DspAtoms *out) {
  atoms->count -= in->count;
  return dsp_atoms_append(s, range, atoms, out) &&
         dsp_atoms_distinct(s, range, atoms, NULL);
}

/// linear(x, IN -> OUT, "path" [, bias: no])
DspResult dsp_op_linear(DspSema *s, const DspArgs *args) {
  const DspExpr *in = args->arrow->items[0], *out = args->arrow->items[1];
  uint32_t operands[3];
  double bias = 1;
  int64_t file[2 * DSP_MODEL_MAX_RANK];
  size_t nout = 0;
  DspAtoms outs = {0}, ins = {0};
  if (!dsp_args_number(s, args, "bias", &bias) ||
      !dsp_eval_value(s, args->plain[0], &operands[0]) ||
      !need_computed(s, args, args->plain[0]->range, operands[0]) ||
      !dsp_read_dims(s, out, &outs, file, &nout))
    return dsp_op_failed();
  size_t nfile = nout;
  if (!dsp_args_dims(s, args, in, operands[0], &ins, file, &nfile) ||
      !need_innermost(s, in->range, args->plain[0], operands[0], &ins,
                      "the dims that a linear sums over"))
    return dsp_op_failed();
  DspValueType type = *dsp_type_of(s, operands[0]);
  DspValueType own = {.element = type.element, .atoms = outs};
  if (!linear_result(s, args->arrow->range, &type.atoms, &ins, &outs) ||
      !dsp_atoms_append(s, args->arrow->range, &own.atoms, &ins))
    return dsp_op_failed();
  operands[1] = weight(s, args, "weight", own, file, nfile);
  own.atoms = outs;
  if (bias != 0) operands[2] = weight(s, args, "bias", own, file, nout);
  DspModelOp op =
      dsp_op_new(s, DSP_MODEL_LINEAR, args, bias != 0 ? 3 : 2, operands);
  op.over = ins;
  op.out = outs;
  return dsp_op_add(s, op, type);
}

/// Whether a norm has parameters: when it has a path.
static bool read_affine(DspSema *s, const DspArgs *args, double *affine) {
  *affine = args->path != NULL;
  if (!dsp_args_number(s, args, "affine", affine)) return false;
  if ((*affine != 0) == (args->path != NULL)) return true;
  const DspExpr *option = dsp_args_named(args, "affine");
  dsp_sema_error(s, DSP_E0402, option->range,
                 args->path ? "'affine: no' leaves the path without a use"
                            : "'affine: yes' needs a path for the weight");
  return false;
}

/// layer_norm(x, over C [, "path"] [, eps: e] [, affine: no]); rms_norm too
DspResult dsp_op_norm(DspSema *s, const DspArgs *args) {
  bool layer = dsp_str_equal_c(args->call->name.text, "layer_norm");
  uint32_t operands[3];
  double affine, eps = layer ? 1e-5 : 1e-6;
  int64_t file[DSP_MODEL_MAX_RANK];
  size_t nfile = 0, n = 1;
  DspAtoms over = {0};
  if (!dsp_args_number(s, args, "eps", &eps) ||
      !read_affine(s, args, &affine) ||
      !dsp_eval_value(s, args->plain[0], &operands[0]) ||
      !need_computed(s, args, args->plain[0]->range, operands[0]) ||
      !dsp_args_dims(s, args, args->over, operands[0], &over, file, &nfile) ||
      !need_innermost(s, args->over->range, args->plain[0], operands[0], &over,
                      "the dims of a norm"))
    return dsp_op_failed();
  DspValueType type = *dsp_type_of(s, operands[0]);
  DspValueType own = {.element = type.element, .atoms = over};
  if (affine != 0) operands[n++] = weight(s, args, "weight", own, file, nfile);
  if (affine != 0 && layer)
    operands[n++] = weight(s, args, "bias", own, file, nfile);
  DspModelOp op = dsp_op_new(
      s, layer ? DSP_MODEL_LAYER_NORM : DSP_MODEL_RMS_NORM, args, n, operands);
  op.over = over;
  op.number = eps;
  return dsp_op_add(s, op, type);
}

/// k or v: the element type of q; its dims are those of q, the attended ones
/// or dot.
static bool check_key(DspSema *s, const DspArgs *args, size_t k,
                      const uint32_t *operands, const DspModelOp *op) {
  const DspValueType *q = dsp_type_of(s, operands[0]);
  const DspValueType *own = dsp_type_of(s, operands[k]);
  DspRange range = args->plain[k]->range;
  if (own->element != q->element) {
    DspDiag *diag = dsp_sema_error(
        s, DSP_E0404, range, "the queries are %s, this is %s",
        dsp_element_name(q->element), dsp_element_name(own->element));
    dsp_note(s->diags, diag, args->plain[0]->range, "the queries");
    dsp_help(s->diags, diag, "convert it: cast(%.*s, %s)",
             DSP_FMT(name_of(args->plain[k])), dsp_element_name(q->element));
    return false;
  }
  if (!dsp_args_need_dims(s, args, range, operands[k], &op->over) ||
      !dsp_args_need_dims(s, args, range, operands[k], &op->out))
    return false;
  for (size_t i = 0; i < own->atoms.count; i++) {
    uint32_t id = own->atoms.ids[i];
    if (dsp_atoms_find(&q->atoms, id) >= 0 ||
        dsp_atoms_find(&op->over, id) >= 0)
      continue;
    DspStr atom = dsp_atom_text(s, id);
    DspDiag *diag = dsp_sema_error(
        s, DSP_E0403, range, "keys and values have %.*s, the queries do not",
        DSP_FMT(atom));
    dsp_note_atom(s, diag, id);
    return false;
  }
  return need_innermost(s, range, args->plain[k], operands[k], &op->out,
                        "the channels of a head");
}

/// The channels that are summed over: `dot`, or the innermost dim of q.
static bool read_dot(DspSema *s, const DspArgs *args, uint32_t q,
                     const DspAtoms *over, DspAtoms *dot) {
  const DspAtoms *atoms = &dsp_type_of(s, q)->atoms;
  const DspExpr *given = dsp_args_named(args, "dot");
  if (given && !dsp_args_dims(s, args, given, q, dot, NULL, NULL)) return false;
  if (!given && atoms->count) dsp_atoms_add(dot, atoms->ids[atoms->count - 1]);
  if (!dot->count) {
    dsp_sema_error(s, DSP_E0403, args->plain[0]->range,
                   "the queries have no dim for the channels of a head");
    return false;
  }
  for (size_t i = 0; i < dot->count; i++) {
    if (dsp_atoms_find(over, dot->ids[i]) < 0) continue;
    DspStr atom = dsp_atom_text(s, dot->ids[i]);
    DspDiag *diag = dsp_sema_error(
        s, DSP_E0402, args->over->range,
        "%.*s cannot be attended over: it holds the channels of a head",
        DSP_FMT(atom));
    dsp_help(s->diags, diag,
             "attend over a dim of tokens, or name the channels: dot: D");
    return false;
  }
  return need_innermost(s, args->plain[0]->range, args->plain[0], q, dot,
                        "the channels of a head");
}

/// The bias of the logits, which `what` tells of: of the element type of q; it
/// has dims of the queries, and of the keys those that are attended.
static bool check_bias(DspSema *s, const DspArgs *args, const DspExpr *arg,
                       const char *what, const uint32_t *operands,
                       const DspModelOp *op) {
  const DspValueType *q = dsp_type_of(s, operands[0]);
  const DspValueType *own = dsp_type_of(s, operands[3]);
  if (own->element != q->element) {
    DspDiag *diag = dsp_sema_error(
        s, DSP_E0404, arg->range, "the queries are %s, the bias is %s",
        dsp_element_name(q->element), dsp_element_name(own->element));
    dsp_note(s->diags, diag, args->plain[0]->range, "the queries");
    dsp_help(s->diags, diag, "convert it: cast(%.*s, %s)",
             DSP_FMT(name_of(arg)), dsp_element_name(q->element));
    return false;
  }
  for (size_t i = 0; i < own->atoms.count; i++) {
    uint32_t id = own->atoms.ids[i];
    bool query = dsp_atoms_find(&q->atoms, id) >= 0 &&
                 dsp_atoms_find(&op->out, id) < 0;
    if (query || dsp_atoms_find(&op->over, id) >= 0) continue;
    DspStr atom = dsp_atom_text(s, id);
    DspDiag *diag = dsp_sema_error(
        s, DSP_E0403, arg->range,
        "%s %.*s, which is a dim of neither the queries nor the keys that are "
        "attended",
        what, DSP_FMT(atom));
    dsp_note_atom(s, diag, id);
    return false;
  }
  return true;
}

/// Reads `causal:` and `window:`: the queries stand among the keys, which are
/// of one dim.
static bool read_mask(DspSema *s, const DspArgs *args, uint32_t q,
                      DspModelOp *op) {
  const DspExpr *causal = dsp_args_named(args, "causal");
  const DspExpr *window = dsp_args_named(args, "window");
  double yes = 0;
  if (causal && !dsp_eval_number(s, causal, &yes)) return false;
  op->causal = yes != 0;
  if (window && !dsp_eval_integer(s, window, &op->window)) return false;
  if (window && op->window < 1) {
    dsp_sema_error(s, DSP_E0402, window->range,
                   "a window has at least 1 position, this has %lld",
                   (long long)op->window);
    return false;
  }
  if (!op->causal && !op->window) return true;
  if (op->over.count == 1)
    return dsp_args_need_dims(s, args, args->plain[0]->range, q, &op->over);
  DspDiag *diag = dsp_sema_error(
      s, DSP_E0402, args->over->range,
      "'%s' needs keys of one dim, this is a product of %zu",
      op->causal ? "causal" : "window", op->over.count);
  dsp_help(s->diags, diag,
           "give the keys other dims, rename(k, T -> U), and a bias: "
           "where(index(U) <= index(T), 0, -inf)");
  return false;
}

/// What `lengths:` adds to the logits: 0 in front of a length, -inf from it on.
static bool add_lengths(DspSema *s, const DspArgs *args, const DspExpr *arg,
                        DspElement element, const DspAtoms *over,
                        uint32_t *mask) {
  uint32_t lengths;
  DspRange range = arg->range;
  if (!dsp_eval_value(s, arg, &lengths)) return false;
  DspElement own = dsp_type_of(s, lengths)->element;
  if (own != DSP_I32) {
    dsp_sema_error(s, DSP_E0410, range, "lengths are i32, these are %s",
                   dsp_element_name(own));
    return false;
  }
  if (over->count != 1) {
    DspDiag *diag = dsp_sema_error(
        s, DSP_E0402, args->over->range,
        "'lengths' needs keys of one dim, this is a product of %zu",
        over->count);
    dsp_help(s->diags, diag,
             "write the mask as a bias: where(.., 0, -inf) of index(T), "
             "index(S)");
    return false;
  }
  DspModelOp index = {.kind = DSP_MODEL_INDEX, .range = range};
  DspResult pair[] = {
      dsp_value_result(
          dsp_add_op(s, index, (DspValueType){DSP_F32, *over})),
      dsp_value_result(dsp_cast(s, range, lengths, DSP_F32))};
  DspResult parts[3] = {dsp_map(s, range, "lt", "lengths", 2, pair),
                        {.is_number = true, .number = 0},
                        {.is_number = true, .number = -HUGE_VAL}};
  DspResult seen = dsp_map(s, range, "where", "lengths", 3, parts);
  if (seen.failed) return false;
  *mask = dsp_cast(s, range, seen.values[0], element);
  return true;
}

/// The bias of the logits with the mask of `lengths:`; false after an error,
/// `*given` false without either.
static bool read_bias(DspSema *s, const DspArgs *args, const DspModelOp *op,
                      uint32_t *operands, bool *given) {
  const DspExpr *bias = dsp_args_named(args, "bias");
  const DspExpr *lengths = dsp_args_named(args, "lengths");
  DspElement element = dsp_type_of(s, operands[0])->element;
  uint32_t mask;
  *given = bias || lengths;
  if (bias && (!dsp_eval_value(s, bias, &operands[3]) ||
               !check_bias(s, args, bias, "the bias has", operands, op)))
    return false;
  if (!lengths) return true;
  if (!add_lengths(s, args, lengths, element, &op->over, &mask)) return false;
  if (bias) {
    DspResult both[] = {dsp_value_result(operands[3]), dsp_value_result(mask)};
    DspResult sum = dsp_map(s, lengths->range, "add", "+", 2, both);
    if (sum.failed) return false;
    mask = sum.values[0];
  }
  operands[3] = mask;
  return check_bias(s, args, lengths, "the lengths have", operands, op);
}

/// attention(q, k, v, over A [, dot: D] [, scale: x] [, bias: b]
///           [, lengths: n] [, causal: yes] [, window: n])
DspResult dsp_op_attention(DspSema *s, const DspArgs *args) {
  uint32_t operands[4];
  bool bias = false;
  for (size_t i = 0; i < 3; i++)
    if (!dsp_eval_value(s, args->plain[i], &operands[i]))
      return dsp_op_failed();
  DspModelOp op = {.kind = DSP_MODEL_ATTENTION, .range = args->call->range};
  if (!need_computed(s, args, args->plain[0]->range, operands[0]) ||
      !dsp_args_dims(s, args, args->over, DSP_NONE, &op.over, NULL, NULL) ||
      !read_dot(s, args, operands[0], &op.over, &op.out))
    return dsp_op_failed();
  for (size_t k = 1; k < 3; k++)
    if (!check_key(s, args, k, operands, &op)) return dsp_op_failed();
  if (!read_bias(s, args, &op, operands, &bias)) return dsp_op_failed();
  op.noperands = bias ? 4 : 3;
  op.operands = dsp_ids(s, op.noperands, operands);
  op.number = 1 / sqrt((double)dsp_atoms_size(s, &op.out));
  if (!dsp_args_number(s, args, "scale", &op.number) ||
      !read_mask(s, args, operands[0], &op))
    return dsp_op_failed();
  return dsp_op_add(s, op, *dsp_type_of(s, operands[0]));
}

/// The dims of a; those that b has alone stand where the last summed dim was.
static bool einsum_result(DspSema *s, DspRange range, const DspAtoms *a,
                          const DspAtoms *b, const DspAtoms *over,
                          DspAtoms *out) {
  DspAtoms own = {0};
  size_t left = over->count;
  for (size_t i = 0; i < b->count; i++)
    if (dsp_atoms_find(a, b->ids[i]) < 0) dsp_atoms_add(&own, b->ids[i]);
  for (size_t i = 0; i < a->count; i++) {
    if (dsp_atoms_find(over, a->ids[i]) < 0) {
      DspAtoms one = {1, {a->ids[i]}};
      if (!dsp_atoms_append(s, range, out, &one)) return false;
    } else if (--left == 0 && !dsp_atoms_append(s, range, out, &own)) {
      return false;
    }
  }
  return true;
}

/// einsum(a, b, over K): the sum over K of a * b, multiplied by name
DspResult dsp_op_einsum(DspSema *s, const DspArgs *args) {
  uint32_t operands[2];
  DspAtoms over = {0};
  for (size_t i = 0; i < 2; i++)
    if (!dsp_eval_value(s, args->plain[i], &operands[i]) ||
        !need_computed(s, args, args->plain[i]->range, operands[i]))
      return dsp_op_failed();
  if (!dsp_args_dims(s, args, args->over, operands[0], &over, NULL, NULL) ||
      !dsp_args_need_dims(s, args, args->plain[1]->range, operands[1], &over))
    return dsp_op_failed();
  const DspValueType *a = dsp_type_of(s, operands[0]);
  const DspValueType *b = dsp_type_of(s, operands[1]);
  if (a->element != b->element) {
    DspDiag *diag = dsp_sema_error(
        s, DSP_E0404, args->plain[1]->range, "the one is %s, the other is %s",
        dsp_element_name(a->element), dsp_element_name(b->element));
    dsp_help(s->diags, diag, "convert it: cast(%.*s, %s)",
             DSP_FMT(name_of(args->plain[1])), dsp_element_name(a->element));
    return dsp_op_failed();
  }
  DspValueType type = {.element = a->element};
  if (!einsum_result(s, args->call->range, &a->atoms, &b->atoms, &over,
                     &type.atoms))
    return dsp_op_failed();
  DspModelOp op = dsp_op_new(s, DSP_MODEL_EINSUM, args, 2, operands);
  op.over = over;
  return dsp_op_add(s, op, type);
}

/// Are the values of `ids` whole numbers?
static bool need_ids(DspSema *s, const DspArgs *args, uint32_t ids) {
  DspElement element = dsp_type_of(s, ids)->element;
  if (element == DSP_I32) return true;
  dsp_sema_error(s, DSP_E0410, args->plain[0]->range,
                 "'embedding' looks up i32, the value is %s",
                 dsp_element_name(element));
  return false;
}

/// embedding(ids, V -> C, "path"): row ids[..] of a table [V, C]
DspResult dsp_op_embedding(DspSema *s, const DspArgs *args) {
  const DspExpr *in = args->arrow->items[0], *out = args->arrow->items[1];
  uint32_t operands[2];
  int64_t file[2 * DSP_MODEL_MAX_RANK];
  size_t nfile = 0;
  DspAtoms over = {0}, outs = {0};
  if (!dsp_eval_value(s, args->plain[0], &operands[0]) ||
      !need_ids(s, args, operands[0]) ||
      !dsp_args_dims(s, args, in, DSP_NONE, &over, file, &nfile) ||
      !dsp_args_dims(s, args, out, DSP_NONE, &outs, file, &nfile))
    return dsp_op_failed();
  DspValueType type = *dsp_type_of(s, operands[0]);
  DspValueType own = {.element = s->default_element, .atoms = over};
  type.element = own.element;
  if (!dsp_atoms_append(s, args->arrow->range, &own.atoms, &outs) ||
      !dsp_atoms_append(s, args->arrow->range, &type.atoms, &outs) ||
      !dsp_atoms_distinct(s, args->arrow->range, &type.atoms, NULL))
    return dsp_op_failed();
  operands[1] = weight(s, args, "weight", own, file, nfile);
  DspModelOp op = dsp_op_new(s, DSP_MODEL_EMBEDDING, args, 2, operands);
  op.over = over;
  op.out = outs;
  return dsp_op_add(s, op, type);
}
