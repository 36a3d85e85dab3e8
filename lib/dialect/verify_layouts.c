// verify_layouts.c - planned layouts follow the one rule.
//
// On a mesh axis an op runs on one dim d, or on none:
//   free        d is in the result: the result is S(d), operands with d too
//   contracted  d is summed away: operands with d are S(d), the result is P
//   whole       a dim that the op needs whole cannot be cut
// An operand without d, or with d's atoms in another form, is R.  Partial sums
// go into collectives only.
#include <stdio.h>

#include "verifier.h"

/// The rule of one op on one mesh axis.
typedef struct Rule {
  DspVerifier *v;
  const DspOpView *view;
  size_t axis;
  MlirStringRef dim; ///< what the op runs on; "*" for nothing
  DspNameList atoms; ///< of `dim`
} Rule;

static bool is(MlirStringRef layout, const char *text) {
  return mlirStringRefEqual(layout, mlirStringRefCreateFromCString(text));
}

static MlirStringRef layout_of(const Rule *rule, const DspTensorInfo *info) {
  return info->layout[rule->axis];
}

static void run_on(Rule *rule, MlirStringRef dim) {
  rule->dim = dim;
  rule->atoms.count = 0;
  const DspDimEntry *entry = dsp_verifier_dim(rule->v, dim);
  if (!entry) return;
  if (!entry->nfactors) dsp_names_add(&rule->atoms, dim);
  for (size_t i = 0; i < entry->nfactors; i++)
    dsp_names_add(&rule->atoms, entry->factors[i]);
}

/// Does the op run on one of `names`?
static bool touches(const Rule *rule, const DspNameList *names) {
  for (size_t i = 0; i < rule->atoms.count; i++)
    if (dsp_names_find(names, rule->atoms.names[i]) >= 0) return true;
  return false;
}

static bool need_layout(const Rule *rule, size_t operand,
                        MlirStringRef needed) {
  MlirStringRef found = layout_of(rule, rule->view->operands[operand]);
  if (mlirStringRefEqual(found, needed)) return true;
  return dsp_verify_fail(rule->v, rule->view->op,
                         "runs on '%.*s' and needs layout '%.*s' of operand "
                         "%zu, which has '%.*s'",
                         DSP_REF_FMT(rule->dim), DSP_REF_FMT(needed), operand,
                         DSP_REF_FMT(found));
}

static bool need_whole(const Rule *rule, size_t operand) {
  return need_layout(rule, operand, mlirStringRefCreateFromCString("*"));
}

/// An operand that has the dim is cut on it, another is whole.
static bool need_by_name(const Rule *rule, size_t operand) {
  size_t first, count;
  bool has = dsp_verifier_cut(rule->v, rule->view->operands[operand], rule->dim,
                              &first, &count);
  return has ? need_layout(rule, operand, rule->dim)
             : need_whole(rule, operand);
}

static bool need_all_by_name(const Rule *rule) {
  for (size_t i = 0; i < rule->view->noperands; i++)
    if (!need_by_name(rule, i)) return false;
  return true;
}

static bool cannot_run_on(const Rule *rule) {
  return dsp_verify_fail(rule->v, rule->view->op,
                         "needs '%.*s' whole and cannot run on it",
                         DSP_REF_FMT(rule->dim));
}

static bool no_partial(const Rule *rule) {
  return dsp_verify_fail(rule->v, rule->view->op, "cannot leave partial sums");
}

static bool result_is_partial(const Rule *rule) {
  return is(layout_of(rule, rule->view->result), "+");
}

/// The weight [out.., contract..] is cut where the dim is contracted: at its
/// second occurrence when it is among the outputs too.
static bool need_contracted_weight(const Rule *rule, const DspNameList *out) {
  char text[128];
  MlirStringRef needed = rule->dim;
  if (dsp_names_find(out, rule->atoms.names[0]) >= 0) {
    int n = snprintf(text, sizeof text, "%.*s.2", DSP_REF_FMT(rule->dim));
    needed = mlirStringRefCreate(text, (size_t)n);
  }
  return need_layout(rule, 1, needed);
}

static bool verify_linear(Rule *rule) {
  DspNameList contract = dsp_verifier_names(rule->view, "contract");
  DspNameList out = dsp_verifier_names(rule->view, "out");
  bool adds = dsp_verifier_adds(rule->view);
  bool bias = rule->view->noperands - adds == 3;
  if (adds && !need_by_name(rule, rule->view->noperands - 1)) return false;
  if (result_is_partial(rule)) {
    run_on(rule, layout_of(rule, rule->view->operands[0]));
    if (!touches(rule, &contract)) return no_partial(rule);
    if (bias && !need_whole(rule, 2)) return false; // one rank adds it
    return need_contracted_weight(rule, &out);
  }
  if (!touches(rule, &out))
    return need_by_name(rule, 0) && need_whole(rule, 1) &&
           (!bias || need_whole(rule, 2));
  return need_whole(rule, 0) && need_layout(rule, 1, rule->dim) &&
         (!bias || need_layout(rule, 2, rule->dim));
}

static bool verify_norm(Rule *rule) {
  DspNameList over = dsp_verifier_names(rule->view, "over");
  if (touches(rule, &over)) return cannot_run_on(rule);
  return need_all_by_name(rule);
}

/// A whole operand has no atom of the product that the op runs on, but those
/// in `except`: it would have to be indexed by a part of the cut.
static bool need_apart(const Rule *rule, size_t operand,
                       const DspNameList *except) {
  DspNameList dims = dsp_verifier_dims(rule->view->operands[operand]);
  if (!is(layout_of(rule, rule->view->operands[operand]), "*")) return true;
  for (size_t i = 0; i < rule->atoms.count; i++)
    if (dsp_names_find(&dims, rule->atoms.names[i]) >= 0 &&
        dsp_names_find(except, rule->atoms.names[i]) < 0)
      return dsp_verify_fail(
          rule->v, rule->view->op,
          "runs on '%.*s', of which operand %zu has '%.*s' alone",
          DSP_REF_FMT(rule->dim), operand,
          DSP_REF_FMT(rule->atoms.names[i]));
  return true;
}

static bool verify_attention(Rule *rule) {
  DspNameList over = dsp_verifier_names(rule->view, "over");
  DspNameList dot = dsp_verifier_names(rule->view, "dot");
  size_t first, count;
  MlirStringRef ring = dsp_verifier_string(rule->view, "ring");
  if (ring.length && mlirStringRefEqual(ring, rule->dim)) {
    if (touches(rule, &over)) return need_all_by_name(rule);
    return dsp_verify_fail(rule->v, rule->view->op,
                           "is a ring over '%.*s', which it does not attend",
                           DSP_REF_FMT(ring));
  }
  if (touches(rule, &over)) // the queries are cut: the keys are needed whole
    return need_by_name(rule, 0) && need_whole(rule, 1) &&
           need_apart(rule, 1, &over) && need_whole(rule, 2) &&
           need_apart(rule, 2, &over) &&
           (rule->view->noperands < 4 ||
            (need_whole(rule, 3) && need_apart(rule, 3, &over)));
  bool contracted =
      touches(rule, &dot) && dsp_verifier_cut(rule->v, rule->view->operands[0],
                                              rule->dim, &first, &count);
  if (contracted) return cannot_run_on(rule);
  return need_all_by_name(rule);
}

/// Free in the dims of the ids, or in the channels of the weight.
static bool verify_embedding(Rule *rule) {
  DspNameList out = dsp_verifier_names(rule->view, "out");
  if (!touches(rule, &out)) return need_by_name(rule, 0) && need_whole(rule, 1);
  DspNameList none = {.count = 0};
  return need_whole(rule, 0) && need_apart(rule, 0, &none) &&
         need_layout(rule, 1, rule->dim);
}

static bool verify_slice(Rule *rule) {
  DspNameList own = dsp_verifier_dims(rule->view->result);
  DspNameList x = dsp_verifier_dims(rule->view->operands[0]);
  for (size_t i = 0; i < rule->atoms.count; i++)
    if (dsp_names_find(&own, rule->atoms.names[i]) >= 0 &&
        dsp_names_find(&x, rule->atoms.names[i]) < 0)
      return cannot_run_on(rule);
  return need_all_by_name(rule);
}

static bool verify_concat(Rule *rule) {
  DspNameList dim;
  dim.count = 0;
  dsp_names_add(&dim, dsp_verifier_string(rule->view, "dim"));
  if (touches(rule, &dim)) return cannot_run_on(rule);
  return need_all_by_name(rule);
}

/// The same positions are cut, whatever they are called.
static bool verify_rename(Rule *rule) {
  size_t first, count, own_first, own_count;
  MlirStringRef from = layout_of(rule, rule->view->operands[0]);
  if (is(rule->dim, "*")) return need_whole(rule, 0);
  if (dsp_verifier_cut(rule->v, rule->view->operands[0], from, &first,
                       &count) &&
      dsp_verifier_cut(rule->v, rule->view->result, rule->dim, &own_first,
                       &own_count) &&
      first == own_first && count == own_count)
    return true;
  return dsp_verify_fail(rule->v, rule->view->op,
                         "is cut on '%.*s' and its operand on '%.*s', which "
                         "lies elsewhere",
                         DSP_REF_FMT(rule->dim), DSP_REF_FMT(from));
}

static bool verify_reduce(Rule *rule) {
  if (!result_is_partial(rule)) return need_all_by_name(rule);
  DspNameList over = dsp_verifier_names(rule->view, "over");
  run_on(rule, layout_of(rule, rule->view->operands[0]));
  bool max = is(dsp_verifier_string(rule->view, "kind"), "max");
  return touches(rule, &over) && !max ? true : no_partial(rule);
}

/// Free as a map, or contracted: both operands are cut where they are summed.
static bool verify_einsum(Rule *rule) {
  DspNameList over = dsp_verifier_names(rule->view, "over");
  DspNameList none = {.count = 0};
  if (!result_is_partial(rule))
    return need_all_by_name(rule) && need_apart(rule, 0, &none) &&
           need_apart(rule, 1, &none);
  run_on(rule, layout_of(rule, rule->view->operands[0]));
  if (!touches(rule, &over)) return no_partial(rule);
  return need_layout(rule, 1, rule->dim);
}

typedef enum Form { WHOLE, PARTIAL, CUT } Form;

static Form form_of(MlirStringRef layout) {
  return is(layout, "*") ? WHOLE : is(layout, "+") ? PARTIAL : CUT;
}

/// The change of layout that each collective makes.
static bool verify_move(const Rule *rule) {
  MlirStringRef from = layout_of(rule, rule->view->operands[0]);
  MlirStringRef to = layout_of(rule, rule->view->result);
  static const struct {
    Form from, to;
  } moves[DSP_OP_COUNT] = {
      [DSP_OP_ALL_TO_ALL] = {CUT, CUT},
      [DSP_OP_ALL_GATHER] = {CUT, WHOLE},
      [DSP_OP_REDUCE_SCATTER] = {PARTIAL, CUT},
      [DSP_OP_ALL_REDUCE] = {PARTIAL, WHOLE},
      [DSP_OP_SHARD] = {WHOLE, CUT},
  };
  bool fits = moves[rule->view->kind].from == form_of(from) &&
              moves[rule->view->kind].to == form_of(to);
  if (fits && !mlirStringRefEqual(from, to)) return true;
  return dsp_verify_fail(rule->v, rule->view->op,
                         "cannot change layout '%.*s' to '%.*s'",
                         DSP_REF_FMT(from), DSP_REF_FMT(to));
}

static bool verify_same(const Rule *rule) {
  MlirStringRef from = layout_of(rule, rule->view->operands[0]);
  MlirStringRef to = layout_of(rule, rule->view->result);
  if (mlirStringRefEqual(from, to)) return true;
  return dsp_verify_fail(rule->v, rule->view->op,
                         "changes layout '%.*s' to '%.*s'; only collectives do",
                         DSP_REF_FMT(from), DSP_REF_FMT(to));
}

static bool verify_output(const Rule *rule) {
  if (!is(layout_of(rule, rule->view->operands[0]), "+")) return true;
  return dsp_verify_fail(rule->v, rule->view->op, "cannot write partial sums");
}

static bool verify_axis(Rule *rule) {
  DspOpKind kind = rule->view->kind;
  if (dsp_op_changes_layout(kind)) return verify_move(rule);
  if (kind == DSP_OP_COPY || kind == DSP_OP_PIN) return verify_same(rule);
  if (kind == DSP_OP_OUTPUT) return verify_output(rule);
  run_on(rule, layout_of(rule, rule->view->result));
  if (kind == DSP_OP_FUSED_LINEAR && result_is_partial(rule))
    return no_partial(rule);
  if (kind == DSP_OP_LINEAR || kind == DSP_OP_FUSED_LINEAR)
    return verify_linear(rule);
  if (kind == DSP_OP_REDUCE) return verify_reduce(rule);
  if (kind == DSP_OP_EINSUM) return verify_einsum(rule);
  if (result_is_partial(rule)) return no_partial(rule);
  switch (kind) {
  case DSP_OP_LAYER_NORM:
  case DSP_OP_RMS_NORM:
  case DSP_OP_FUSED_NORM:
  case DSP_OP_ROPE: return verify_norm(rule);
  case DSP_OP_ATTENTION: return verify_attention(rule);
  case DSP_OP_EMBEDDING: return verify_embedding(rule);
  case DSP_OP_RENAME: return verify_rename(rule);
  case DSP_OP_SLICE: return verify_slice(rule);
  case DSP_OP_CONCAT: return verify_concat(rule);
  default: return need_all_by_name(rule);
  }
}

/// All types of an op are planned on the same number of axes, or none is.
static bool verify_axes(DspVerifier *v, const DspOpView *view, size_t *naxes) {
  *naxes = view->result ? view->result->naxes : view->operands[0]->naxes;
  for (size_t i = 0; i < view->noperands; i++)
    if (view->operands[i]->naxes != *naxes)
      return dsp_verify_fail(v, view->op,
                             "has types planned on %zu mesh axes and on %zu",
                             *naxes, view->operands[i]->naxes);
  return true;
}

bool dsp_verify_layouts(DspVerifier *v, const DspOpView *view) {
  size_t naxes;
  if (!verify_axes(v, view, &naxes)) return false;
  for (size_t axis = 0; axis < naxes; axis++) {
    Rule rule = {.v = v, .view = view, .axis = axis};
    if (!verify_axis(&rule)) return false;
  }
  return true;
}
