// verify_shapes.c - dims, sizes and element types of an op fit each other.
//
// The size of a dim is the same everywhere (verify.c compares every type with
// dsp.dims), so that names are compared here and sizes only where dims end:
// slices, concatenations and files.
#include <mlir-c/BuiltinTypes.h>

#include <mlir-c/BuiltinAttributes.h>

#include "verifier.h"

/// `found` must equal `needed`; `what` says which list it is.
static bool need_dims(DspVerifier *v, const DspOpView *view, const char *what,
                      const DspNameList *found, const DspNameList *needed) {
  if (dsp_names_equal(found, needed)) return true;
  DspNameText a, b;
  return dsp_verify_fail(v, view->op, "has %s %s, needs %s", what,
                         dsp_names_text(found, &a), dsp_names_text(needed, &b));
}

/// Every one of `names` is in `list`.
static bool need_members(DspVerifier *v, const DspOpView *view,
                         const char *attr, const DspNameList *names,
                         const char *what, const DspNameList *list) {
  for (size_t i = 0; i < names->count; i++) {
    if (dsp_names_find(list, names->names[i]) >= 0) continue;
    DspNameText text;
    return dsp_verify_fail(v, view->op, "names '%.*s' in '%s', but %s has %s",
                           DSP_REF_FMT(names->names[i]), attr, what,
                           dsp_names_text(list, &text));
  }
  return true;
}

static DspNameList without(const DspNameList *list, const DspNameList *drop) {
  DspNameList rest;
  rest.count = 0;
  for (size_t i = 0; i < list->count; i++)
    if (dsp_names_find(drop, list->names[i]) < 0)
      dsp_names_add(&rest, list->names[i]);
  return rest;
}

/// `list` with the members of `drop` taken out and `insert` put where the last
/// of them was.
static DspNameList replaced(const DspNameList *list, const DspNameList *drop,
                            const DspNameList *insert) {
  DspNameList out;
  out.count = 0;
  size_t left = 0;
  for (size_t i = 0; i < list->count; i++)
    left += dsp_names_find(drop, list->names[i]) >= 0;
  for (size_t i = 0; i < list->count; i++) {
    if (dsp_names_find(drop, list->names[i]) < 0)
      dsp_names_add(&out, list->names[i]);
    else if (--left == 0)
      dsp_names_append(&out, insert);
  }
  return out;
}

static int64_t size_of(const DspVerifier *v, const DspNameList *names) {
  int64_t size = 1;
  for (size_t i = 0; i < names->count; i++) {
    const DspDimEntry *dim = dsp_verifier_dim(v, names->names[i]);
    if (dim) size *= dim->size;
  }
  return size;
}

static bool verify_file_shape(DspVerifier *v, const DspOpView *view,
                              const DspTensorInfo *info) {
  MlirAttribute shape = dsp_verifier_attr(view, "file_shape");
  if (mlirAttributeIsNull(shape)) return true;
  int64_t sizes[2 * DSP_MAX_RANK], elements = 1;
  size_t count = dsp_attr_read_ints(shape, sizes, 2 * DSP_MAX_RANK);
  for (size_t i = 0; i < count && i < 2 * DSP_MAX_RANK; i++)
    elements *= sizes[i];
  if (count <= 2 * DSP_MAX_RANK && elements == dsp_tensor_elements(info))
    return true;
  return dsp_verify_fail(v, view->op,
                         "has a file_shape of %lld elements, the value has "
                         "%lld",
                         (long long)elements,
                         (long long)dsp_tensor_elements(info));
}

static bool verify_linear(DspVerifier *v, const DspOpView *view) {
  DspNameList contract = dsp_verifier_names(view, "contract");
  DspNameList out = dsp_verifier_names(view, "out");
  DspNameList x = dsp_verifier_dims(view->operands[0]);
  DspNameList w = dsp_verifier_dims(view->operands[1]);
  DspNameList y = dsp_verifier_dims(view->result);
  if (contract.count == 0)
    return dsp_verify_fail(v, view->op, "contracts no dim");
  if (!need_members(v, view, "contract", &contract, "operand 0", &x))
    return false;
  DspNameList needed = out;
  dsp_names_append(&needed, &contract);
  if (!need_dims(v, view, "a weight of", &w, &needed)) return false;
  needed = replaced(&x, &contract, &out);
  if (!need_dims(v, view, "a result of", &y, &needed)) return false;
  size_t rest = view->noperands - 2;
  if (dsp_verifier_adds(view)) {
    DspNameList r = dsp_verifier_dims(view->operands[view->noperands - 1]);
    if (!need_dims(v, view, "a residual of", &r, &y)) return false;
    rest--;
  }
  if (rest == 0) return true;
  DspNameList b = dsp_verifier_dims(view->operands[2]);
  return need_dims(v, view, "a bias of", &b, &out);
}

/// The epilogue is known, and there is a residual when it adds one.
static bool verify_fused_linear(DspVerifier *v, const DspOpView *view) {
  MlirStringRef epilogue = dsp_verifier_string(view, "epilogue");
  bool adds = dsp_verifier_adds(view);
  if (!adds && !mlirStringRefEqual(
                   epilogue, mlirStringRefCreateFromCString("gelu_tanh")))
    return dsp_verify_fail(v, view->op, "has an unknown epilogue '%.*s'",
                           DSP_REF_FMT(epilogue));
  if (view->noperands != 3u + adds)
    return dsp_verify_fail(v, view->op,
                           "has %zu operands, which do not fit its epilogue",
                           view->noperands);
  return verify_linear(v, view);
}

/// x over its last dims, and `params` parameters behind it.
static bool verify_norm_of(DspVerifier *v, const DspOpView *view,
                           size_t params) {
  DspNameList over = dsp_verifier_names(view, "over");
  DspNameList x = dsp_verifier_dims(view->operands[0]);
  DspNameList y = dsp_verifier_dims(view->result);
  if (!need_dims(v, view, "a result of", &y, &x)) return false;
  DspNameList rest = without(&x, &over);
  dsp_names_append(&rest, &over);
  if (over.count == 0 || !dsp_names_equal(&rest, &x)) {
    DspNameText a, b;
    return dsp_verify_fail(v, view->op, "is over %s, not the last dims of %s",
                           dsp_names_text(&over, &a), dsp_names_text(&x, &b));
  }
  for (size_t i = 1; i <= params; i++) {
    DspNameList w = dsp_verifier_dims(view->operands[i]);
    if (!need_dims(v, view, "a parameter of", &w, &over)) return false;
  }
  return true;
}

static bool verify_norm(DspVerifier *v, const DspOpView *view) {
  return verify_norm_of(v, view, view->noperands - 1);
}

/// Cosines and sines: f32, of the rows and all of `over` but the pairs.
static bool verify_waves(DspVerifier *v, const DspOpView *view,
                         const DspNameList *over, size_t first) {
  DspNameList pair, x = dsp_verifier_dims(view->operands[0]);
  pair.count = 0;
  dsp_names_add(&pair, dsp_verifier_string(view, "rope"));
  if (!need_members(v, view, "rope", &pair, "'over'", over)) return false;
  if (size_of(v, &pair) != 2)
    return dsp_verify_fail(v, view->op, "rotates a dim that has not size 2");
  DspNameList angles = without(over, &pair), rows = without(&x, over);
  for (size_t i = first; i < first + 2; i++) {
    DspNameList wave = dsp_verifier_dims(view->operands[i]);
    DspNameList own = without(&wave, &rows);
    if (!mlirTypeIsAF32(view->operands[i]->element))
      return dsp_verify_fail(v, view->op, "needs f32 in operand %zu", i);
    if (!need_dims(v, view, "angles of", &own, &angles)) return false;
  }
  return true;
}

/// The expression reads x and what comes behind the norm's own operands.
static bool verify_reads(DspVerifier *v, const DspOpView *view,
                         MlirAttribute expr, int64_t first) {
  if (mlirAttributeIsAInteger(expr)) {
    int64_t operand = mlirIntegerAttrGetValueInt(expr);
    if (operand == 0 || operand >= first) return true;
    return dsp_verify_fail(v, view->op,
                           "reads operand %lld, which is the norm's",
                           (long long)operand);
  }
  if (!mlirAttributeIsAArray(expr)) return true;
  for (intptr_t i = 1; i < mlirArrayAttrGetNumElements(expr); i++)
    if (!verify_reads(v, view, mlirArrayAttrGetElement(expr, i), first))
      return false;
  return true;
}

/// What is normalised is the second result, of the type of x.
static bool verify_sum(DspVerifier *v, const DspOpView *view, int64_t first,
                       bool rotates) {
  MlirAttribute before = dsp_verifier_attr(view, "before");
  bool sums = mlirOperationGetNumResults(view->op) == 2;
  if (sums == mlirAttributeIsNull(before))
    return dsp_verify_fail(v, view->op,
                           "needs both 'before' and a second result, or none");
  if (!sums) return true;
  if (rotates)
    return dsp_verify_fail(v, view->op, "has both 'before' and 'rope'");
  MlirValue x = mlirOperationGetOperand(view->op, 0);
  MlirValue sum = mlirOperationGetResult(view->op, 1);
  if (!mlirTypeEqual(mlirValueGetType(x), mlirValueGetType(sum)))
    return dsp_verify_fail(v, view->op,
                           "has a second result of another type than operand "
                           "0");
  return dsp_verify_before(v, view) && verify_reads(v, view, before, first);
}

/// A norm inside an attention is read by that one alone, as q or k.
static bool verify_inside(DspVerifier *v, const DspOpView *view) {
  if (mlirAttributeIsNull(dsp_verifier_attr(view, "inside"))) return true;
  MlirOpOperand use =
      mlirValueGetFirstUse(mlirOperationGetResult(view->op, 0));
  if (!mlirOpOperandIsNull(use) &&
      mlirOpOperandIsNull(mlirOpOperandGetNextUse(use)) &&
      dsp_op_kind(mlirOpOperandGetOwner(use)) == DSP_OP_ATTENTION &&
      mlirOpOperandGetOperandNumber(use) < 2)
    return true;
  return dsp_verify_fail(v, view->op,
                         "is 'inside', but not q or k of one attention alone");
}

static bool verify_fused_norm(DspVerifier *v, const DspOpView *view) {
  MlirStringRef norm = dsp_verifier_string(view, "norm");
  bool layer = mlirStringRefEqual(norm, mlirStringRefCreateFromCString("layer"));
  if (!layer && !mlirStringRefEqual(norm, mlirStringRefCreateFromCString("rms")))
    return dsp_verify_fail(v, view->op, "has an unknown norm '%.*s'",
                           DSP_REF_FMT(norm));
  DspNameList over = dsp_verifier_names(view, "over");
  int64_t params = dsp_verifier_int(view, "params");
  bool rotates = dsp_verifier_string(view, "rope").length > 0;
  int64_t first = 1 + params + (rotates ? 2 : 0);
  if (params < 0 || params > (layer ? 2 : 1) ||
      first > (int64_t)view->noperands)
    return dsp_verify_fail(v, view->op, "has no %lld parameters",
                           (long long)params);
  if (!verify_norm_of(v, view, (size_t)params) ||
      (rotates && !verify_waves(v, view, &over, 1 + (size_t)params)) ||
      !verify_reads(v, view, dsp_verifier_attr(view, "expr"), first) ||
      !verify_sum(v, view, first, rotates) || !verify_inside(v, view))
    return false;
  DspNameList y = dsp_verifier_dims(view->result);
  for (size_t i = (size_t)first; i < view->noperands; i++) {
    DspNameList x = dsp_verifier_dims(view->operands[i]);
    if (!need_members(v, view, "an operand", &x, "the result", &y))
      return false;
  }
  return dsp_verify_expr(v, view);
}

/// Who sees only some keys must be among them: one dim, which q has.
static bool verify_mask(DspVerifier *v, const DspOpView *view,
                        const DspNameList *over, const DspNameList *q) {
  MlirAttribute causal = dsp_verifier_attr(view, "causal");
  MlirAttribute window = dsp_verifier_attr(view, "window");
  if (mlirAttributeIsNull(causal) && mlirAttributeIsNull(window)) return true;
  if (over->count != 1)
    return dsp_verify_fail(v, view->op, "masks keys of %zu dims, not of one",
                           over->count);
  if (!mlirAttributeIsNull(window) && mlirIntegerAttrGetValueInt(window) < 1)
    return dsp_verify_fail(v, view->op, "needs a window of at least 1");
  return need_members(v, view, "over", over, "q", q);
}

static bool verify_attention(DspVerifier *v, const DspOpView *view) {
  DspNameList over = dsp_verifier_names(view, "over");
  DspNameList dot = dsp_verifier_names(view, "dot");
  DspNameList q = dsp_verifier_dims(view->operands[0]);
  DspNameList k = dsp_verifier_dims(view->operands[1]);
  DspNameList x = dsp_verifier_dims(view->operands[2]);
  DspNameList y = dsp_verifier_dims(view->result);
  if (over.count == 0 || dot.count == 0)
    return dsp_verify_fail(v, view->op, "needs dims in 'over' and 'dot'");
  if (!need_members(v, view, "over", &over, "k", &k) ||
      !need_members(v, view, "over", &over, "v", &x) ||
      !need_members(v, view, "dot", &dot, "q", &q) ||
      !need_members(v, view, "dot", &dot, "k", &k))
    return false;
  for (size_t i = 3; i < view->noperands; i++) {
    DspNameList bias = dsp_verifier_dims(view->operands[i]);
    bias = without(&bias, &over);
    DspNameList of_queries = without(&q, &dot);
    if (!need_members(v, view, "the bias", &bias, "q", &of_queries))
      return false;
  }
  if (!verify_mask(v, view, &over, &q)) return false;
  DspNameList batch = without(&k, &over);
  batch = without(&batch, &dot);
  if (!need_members(v, view, "k", &batch, "q", &q)) return false;
  // What v has of its own takes the place of the contracted dims.
  DspNameList kept = without(&q, &dot);
  DspNameList own = without(&x, &over);
  own = without(&own, &kept);
  DspNameList needed = replaced(&q, &dot, &own);
  return need_dims(v, view, "a result of", &y, &needed);
}

static bool verify_index(DspVerifier *v, const DspOpView *view) {
  if (view->result->ndims == 1 && mlirTypeIsAF32(view->result->element))
    return true;
  return dsp_verify_fail(v, view->op, "gives one dim of f32");
}

static bool verify_einsum(DspVerifier *v, const DspOpView *view) {
  DspNameList over = dsp_verifier_names(view, "over");
  DspNameList a = dsp_verifier_dims(view->operands[0]);
  DspNameList b = dsp_verifier_dims(view->operands[1]);
  DspNameList y = dsp_verifier_dims(view->result);
  if (over.count == 0)
    return dsp_verify_fail(v, view->op, "needs dims in 'over'");
  if (!need_members(v, view, "over", &over, "a", &a) ||
      !need_members(v, view, "over", &over, "b", &b))
    return false;
  DspNameList own = without(&b, &a);
  DspNameList needed = replaced(&a, &over, &own);
  return need_dims(v, view, "a result of", &y, &needed);
}

static bool verify_embedding(DspVerifier *v, const DspOpView *view) {
  DspNameList over = dsp_verifier_names(view, "over");
  DspNameList out = dsp_verifier_names(view, "out");
  DspNameList ids = dsp_verifier_dims(view->operands[0]);
  DspNameList w = dsp_verifier_dims(view->operands[1]);
  DspNameList y = dsp_verifier_dims(view->result);
  if (over.count == 0 || out.count == 0)
    return dsp_verify_fail(v, view->op, "needs dims in 'over' and 'out'");
  if (!mlirTypeIsAInteger(view->operands[0]->element) ||
      !mlirTypeEqual(view->operands[1]->element, view->result->element))
    return dsp_verify_fail(v, view->op,
                           "needs ids of i32 and a result of the type of its "
                           "weight");
  DspNameList needed = over;
  dsp_names_append(&needed, &out);
  if (!need_dims(v, view, "a weight of", &w, &needed)) return false;
  dsp_names_append(&ids, &out);
  return need_dims(v, view, "a result of", &y, &ids);
}

/// Pairs along one dim of two positions; the angles have other dims of x.
static bool verify_rope(DspVerifier *v, const DspOpView *view) {
  DspNameList over = dsp_verifier_names(view, "over");
  DspNameList x = dsp_verifier_dims(view->operands[0]);
  DspNameList angles = dsp_verifier_dims(view->operands[1]);
  DspNameList y = dsp_verifier_dims(view->result);
  if (!need_members(v, view, "over", &over, "x", &x) ||
      !need_dims(v, view, "a result of", &y, &x))
    return false;
  if (over.count != 1 || size_of(v, &over) != 2)
    return dsp_verify_fail(v, view->op, "needs one dim of size 2 in 'over'");
  if (!mlirTypeIsAF32(view->operands[1]->element) ||
      !mlirTypeEqual(view->operands[0]->element, view->result->element))
    return dsp_verify_fail(v, view->op,
                           "needs angles of f32 and a result of the type of x");
  DspNameList rest = without(&x, &over);
  return need_members(v, view, "the angles", &angles, "x", &rest);
}

static bool verify_rename(DspVerifier *v, const DspOpView *view) {
  const DspTensorInfo *x = view->operands[0], *y = view->result;
  bool same = x->ndims == y->ndims;
  for (size_t i = 0; same && i < x->ndims; i++)
    same = x->sizes[i] == y->sizes[i];
  if (same) return true;
  return dsp_verify_fail(v, view->op, "changes sizes, not just names");
}

static bool verify_map(DspVerifier *v, const DspOpView *view) {
  DspNameList y = dsp_verifier_dims(view->result);
  for (size_t i = 0; i < view->noperands; i++) {
    DspNameList x = dsp_verifier_dims(view->operands[i]);
    for (size_t d = 0; d < x.count; d++)
      if (dsp_names_find(&y, x.names[d]) < 0)
        return dsp_verify_fail(v, view->op,
                               "has no '%.*s' of operand %zu in its result",
                               DSP_REF_FMT(x.names[d]), i);
  }
  return dsp_verify_expr(v, view);
}

static bool verify_slice(DspVerifier *v, const DspOpView *view) {
  MlirStringRef dim = dsp_verifier_string(view, "dim");
  int64_t start = dsp_verifier_int(view, "start");
  int64_t size = dsp_verifier_int(view, "size");
  const DspTensorInfo *x = view->operands[0], *y = view->result;
  ptrdiff_t slot = dsp_tensor_find(x, dim);
  DspNameList cut;
  cut.count = 0;
  dsp_names_add(&cut, dim);
  DspNameList xs = dsp_verifier_dims(x), ys = dsp_verifier_dims(y);
  if (!need_members(v, view, "dim", &cut, "operand 0", &xs)) return false;
  if (start < 0 || size < 1 || start > x->sizes[slot] - size)
    return dsp_verify_fail(v, view->op,
                           "takes %lld positions from %lld on of '%.*s', "
                           "which has %lld",
                           (long long)size, (long long)start, DSP_REF_FMT(dim),
                           (long long)x->sizes[slot]);
  DspNameList own;
  own.count = 0;
  size_t first = (size_t)slot, behind = xs.count - first - 1;
  for (size_t i = first; i + behind < ys.count; i++)
    dsp_names_add(&own, ys.names[i]);
  DspNameList needed = replaced(&xs, &cut, &own);
  if (!need_dims(v, view, "a result of", &ys, &needed)) return false;
  if (size_of(v, &own) == size) return true;
  return dsp_verify_fail(v, view->op,
                         "takes %lld positions, its result holds %lld there",
                         (long long)size, (long long)size_of(v, &own));
}

/// Operand `i` holds positions starts[i] .. end of the concatenated dim.
static bool verify_term(DspVerifier *v, const DspOpView *view, size_t i,
                        int64_t size) {
  DspNameList x = dsp_verifier_dims(view->operands[i]);
  DspNameList y = dsp_verifier_dims(view->result);
  DspNameList term = without(&x, &y);
  for (size_t k = 0, at = 0; k < term.count; k++, at++) {
    if (k == 0) at = (size_t)dsp_names_find(&x, term.names[0]);
    if (at < x.count && mlirStringRefEqual(x.names[at], term.names[k]))
      continue;
    DspNameText text;
    return dsp_verify_fail(v, view->op,
                           "needs the dims %s of operand %zu side by side",
                           dsp_names_text(&term, &text), i);
  }
  if (size_of(v, &term) == size) return true;
  return dsp_verify_fail(v, view->op,
                         "has room for %lld positions of operand %zu, which "
                         "has %lld",
                         (long long)size, i, (long long)size_of(v, &term));
}

static bool verify_concat(DspVerifier *v, const DspOpView *view) {
  MlirStringRef dim = dsp_verifier_string(view, "dim");
  ptrdiff_t slot = dsp_tensor_find(view->result, dim);
  int64_t starts[DSP_MAX_OPERANDS + 1];
  size_t count = dsp_attr_read_ints(dsp_verifier_attr(view, "starts"), starts,
                                    DSP_MAX_OPERANDS);
  if (slot < 0)
    return dsp_verify_fail(v, view->op, "has no '%.*s' in its result",
                           DSP_REF_FMT(dim));
  if (count != view->noperands || starts[0] != 0)
    return dsp_verify_fail(v, view->op,
                           "needs one start for each of %zu operands, the "
                           "first 0",
                           view->noperands);
  starts[count] = view->result->sizes[slot];
  for (size_t i = 0; i < count; i++) {
    if (dsp_tensor_find(view->operands[i], dim) >= 0)
      return dsp_verify_fail(v, view->op, "has '%.*s' in operand %zu already",
                             DSP_REF_FMT(dim), i);
    if (!verify_term(v, view, i, starts[i + 1] - starts[i])) return false;
  }
  return true;
}

static bool verify_rearrange(DspVerifier *v, const DspOpView *view) {
  DspNameList x = dsp_verifier_dims(view->operands[0]);
  DspNameList y = dsp_verifier_dims(view->result);
  if (x.count == y.count && without(&x, &y).count == 0) return true;
  DspNameText a, b;
  return dsp_verify_fail(v, view->op, "has a result of %s, not the dims of %s",
                         dsp_names_text(&y, &a), dsp_names_text(&x, &b));
}

static bool verify_reduce(DspVerifier *v, const DspOpView *view) {
  static const char *const kinds[] = {"sum", "mean", "max"};
  MlirStringRef kind = dsp_verifier_string(view, "kind");
  bool known = false;
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
    known |= mlirStringRefEqual(kind, mlirStringRefCreateFromCString(kinds[i]));
  if (!known)
    return dsp_verify_fail(v, view->op, "has kind '%.*s', not sum, mean or max",
                           DSP_REF_FMT(kind));
  DspNameList over = dsp_verifier_names(view, "over");
  DspNameList x = dsp_verifier_dims(view->operands[0]);
  DspNameList y = dsp_verifier_dims(view->result);
  if (!need_members(v, view, "over", &over, "operand 0", &x)) return false;
  DspNameList needed = without(&x, &over);
  return need_dims(v, view, "a result of", &y, &needed);
}

static bool verify_pin(DspVerifier *v, const DspOpView *view) {
  MlirStringRef on = dsp_verifier_string(view, "on");
  DspNameList x = dsp_verifier_dims(view->operands[0]);
  DspNameList y = dsp_verifier_dims(view->result);
  size_t first, count;
  if (!need_dims(v, view, "a result of", &y, &x)) return false;
  if (dsp_verifier_cut(v, view->result, on, &first, &count)) return true;
  DspNameText text;
  return dsp_verify_fail(v, view->op, "pins on '%.*s', which is no dim of %s",
                         DSP_REF_FMT(on), dsp_names_text(&x, &text));
}

static bool verify_move(DspVerifier *v, const DspOpView *view) {
  DspNameList x = dsp_verifier_dims(view->operands[0]);
  DspNameList y = dsp_verifier_dims(view->result);
  if (!need_dims(v, view, "a result of", &y, &x)) return false;
  MlirAttribute bytes = dsp_verifier_attr(view, "bytes");
  if (mlirAttributeIsNull(bytes) || v->ranks == 0 ||
      mlirArrayAttrGetNumElements(bytes) == v->ranks)
    return true;
  return dsp_verify_fail(v, view->op, "has bytes for %lld ranks, not %lld",
                         (long long)mlirArrayAttrGetNumElements(bytes),
                         (long long)v->ranks);
}

/// No dim twice, but in weights: they may have an output and an input called
/// the same.
static bool verify_distinct(DspVerifier *v, const DspOpView *view) {
  if (!view->result || view->kind == DSP_OP_PARAM ||
      dsp_op_changes_layout(view->kind) || view->kind == DSP_OP_COPY)
    return true;
  DspNameList y = dsp_verifier_dims(view->result);
  for (size_t i = 0; i < y.count; i++)
    if (dsp_names_find(&y, y.names[i]) != (ptrdiff_t)i)
      return dsp_verify_fail(v, view->op, "has '%.*s' twice in its result",
                             DSP_REF_FMT(y.names[i]));
  return true;
}

/// Only dsp.map converts elements; ids are not of the type of what they name,
/// nor angles, cosines and sines of what they rotate.
static bool verify_elements(DspVerifier *v, const DspOpView *view) {
  if (!view->result || view->kind == DSP_OP_MAP ||
      view->kind == DSP_OP_EMBEDDING || view->kind == DSP_OP_ROPE)
    return true;
  int64_t waves = view->kind == DSP_OP_FUSED_NORM &&
                          dsp_verifier_string(view, "rope").length
                      ? dsp_verifier_int(view, "params") + 1
                      : -2;
  for (size_t i = 0; i < view->noperands; i++)
    if ((int64_t)i != waves && (int64_t)i != waves + 1 &&
        !mlirTypeEqual(view->operands[i]->element, view->result->element))
      return dsp_verify_fail(v, view->op,
                             "has elements of another type in operand %zu "
                             "than in its result",
                             i);
  return true;
}

static bool verify_kind(DspVerifier *v, const DspOpView *view) {
  switch (view->kind) {
  case DSP_OP_INPUT:
  case DSP_OP_PARAM: return verify_file_shape(v, view, view->result);
  case DSP_OP_OUTPUT: return verify_file_shape(v, view, view->operands[0]);
  case DSP_OP_LINEAR: return verify_linear(v, view);
  case DSP_OP_FUSED_LINEAR: return verify_fused_linear(v, view);
  case DSP_OP_LAYER_NORM:
  case DSP_OP_RMS_NORM: return verify_norm(v, view);
  case DSP_OP_FUSED_NORM: return verify_fused_norm(v, view);
  case DSP_OP_ATTENTION: return verify_attention(v, view);
  case DSP_OP_INDEX: return verify_index(v, view);
  case DSP_OP_EINSUM: return verify_einsum(v, view);
  case DSP_OP_EMBEDDING: return verify_embedding(v, view);
  case DSP_OP_ROPE: return verify_rope(v, view);
  case DSP_OP_RENAME: return verify_rename(v, view);
  case DSP_OP_MAP: return verify_map(v, view);
  case DSP_OP_SLICE: return verify_slice(v, view);
  case DSP_OP_CONCAT: return verify_concat(v, view);
  case DSP_OP_REARRANGE: return verify_rearrange(v, view);
  case DSP_OP_REDUCE: return verify_reduce(v, view);
  case DSP_OP_PIN: return verify_pin(v, view);
  case DSP_OP_ALL_TO_ALL:
  case DSP_OP_ALL_GATHER:
  case DSP_OP_REDUCE_SCATTER:
  case DSP_OP_ALL_REDUCE:
  case DSP_OP_SHARD:
  case DSP_OP_COPY: return verify_move(v, view);
  case DSP_OP_NONE:
  case DSP_OP_COUNT: break;
  }
  return true;
}

bool dsp_verify_shapes(DspVerifier *v, const DspOpView *view) {
  return verify_elements(v, view) && verify_distinct(v, view) &&
         verify_kind(v, view);
}
