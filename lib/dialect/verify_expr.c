// verify_expr.c - the expression of a dsp.map.
//
// An i64 is the number of an operand, an f64 a literal, and an array a
// function followed by its arguments: ["add", 0, ["gelu_tanh", 1]].
#include <mlir-c/BuiltinAttributes.h>
#include <mlir-c/BuiltinTypes.h>

#include "verifier.h"

enum { MAX_DEPTH = 64 };

static const struct {
  const char *name;
  intptr_t arity;
} functions[] = {
#define DSP_FUNCTION(name, arity) {name, arity},
#include "dspc/dialect/functions.def"
};

static intptr_t arity_of(MlirStringRef name) {
  for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
    if (mlirStringRefEqual(name,
                           mlirStringRefCreateFromCString(functions[i].name)))
      return functions[i].arity;
  return -1;
}

static bool verify_node(DspVerifier *v, const DspOpView *view,
                        MlirAttribute node, int depth);

static bool verify_call(DspVerifier *v, const DspOpView *view,
                        MlirAttribute call, int depth) {
  intptr_t count = mlirArrayAttrGetNumElements(call);
  MlirAttribute head =
      count ? mlirArrayAttrGetElement(call, 0) : mlirAttributeGetNull();
  if (mlirAttributeIsNull(head) || !mlirAttributeIsAString(head))
    return dsp_verify_fail(v, view->op, "has a call without a function");
  MlirStringRef name = mlirStringAttrGetValue(head);
  intptr_t arity = arity_of(name);
  if (arity < 0)
    return dsp_verify_fail(v, view->op, "has an unknown function '%.*s'",
                           DSP_REF_FMT(name));
  if (arity != count - 1)
    return dsp_verify_fail(v, view->op, "gives %lld arguments to '%.*s'",
                           (long long)(count - 1), DSP_REF_FMT(name));
  for (intptr_t i = 1; i < count; i++)
    if (!verify_node(v, view, mlirArrayAttrGetElement(call, i), depth + 1))
      return false;
  return true;
}

static bool verify_node(DspVerifier *v, const DspOpView *view,
                        MlirAttribute node, int depth) {
  if (depth > MAX_DEPTH)
    return dsp_verify_fail(v, view->op, "nests more than %d calls", MAX_DEPTH);
  if (mlirAttributeIsAFloat(node)) return true;
  if (mlirAttributeIsAArray(node)) return verify_call(v, view, node, depth);
  if (!mlirAttributeIsAInteger(node))
    return dsp_verify_fail(v, view->op,
                           "has an expression that is no operand, "
                           "literal or call");
  int64_t operand = mlirIntegerAttrGetValueInt(node);
  if (operand >= 0 && operand < (int64_t)view->noperands) return true;
  return dsp_verify_fail(v, view->op, "uses operand %lld of %zu",
                         (long long)operand, view->noperands);
}

static bool is_plain_copy(MlirAttribute expr) {
  return mlirAttributeIsAInteger(expr);
}

bool dsp_verify_before(DspVerifier *v, const DspOpView *view) {
  return verify_node(v, view, dsp_verifier_attr(view, "before"), 0);
}

bool dsp_verify_expr(DspVerifier *v, const DspOpView *view) {
  MlirAttribute expr = dsp_verifier_attr(view, "expr");
  if (!verify_node(v, view, expr, 0)) return false;
  for (size_t i = 0; i < view->noperands; i++) {
    if (mlirTypeEqual(view->operands[i]->element, view->result->element))
      continue;
    if (view->kind != DSP_OP_MAP) continue; // verify_shapes.c knows them
    if (is_plain_copy(expr) && view->noperands == 1) return true; // a cast
    return dsp_verify_fail(v, view->op,
                           "has elements of another type in operand %zu than "
                           "in its result, and is no cast",
                           i);
  }
  return true;
}
