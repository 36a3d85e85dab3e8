// verify_attributes.c - every attribute of an op is known and of its type.
//
// IRDL accepts attributes that it does not know: without this check a typo in
// an optional one would pass in silence.
#include <mlir-c/BuiltinAttributes.h>
#include <mlir-c/BuiltinTypes.h>

#include "verifier.h"

typedef enum AttrType { STRING, INT, FLOAT, STRINGS, INTS, EXPR, ANY } AttrType;

typedef struct AttrRule {
  DspOpKind kind; ///< DSP_OP_NONE: any op
  const char *name;
  AttrType type;
  bool required;
} AttrRule;

static const AttrRule rules[] = {
#define DSP_OP_ATTR(id, name, type, required) \
  {DSP_OP_##id, name, type, required},
#define DSP_ANY_ATTR(name, type, required) {DSP_OP_NONE, name, type, required},
#include "dspc/dialect/ops.def"
};

enum { NRULES = sizeof rules / sizeof rules[0] };

static bool is_i64(MlirAttribute attr) {
  return mlirAttributeIsAInteger(attr) &&
         mlirTypeIsAInteger(mlirAttributeGetType(attr)) &&
         mlirIntegerTypeGetWidth(mlirAttributeGetType(attr)) == 64;
}

static bool is_f64(MlirAttribute attr) {
  return mlirAttributeIsAFloat(attr) &&
         mlirTypeIsAF64(mlirAttributeGetType(attr));
}

static bool is_string(MlirAttribute attr) {
  return mlirAttributeIsAString(attr);
}

static bool is_array_of(MlirAttribute attr, bool (*is)(MlirAttribute)) {
  if (!mlirAttributeIsAArray(attr)) return false;
  for (intptr_t i = 0; i < mlirArrayAttrGetNumElements(attr); i++)
    if (!is(mlirArrayAttrGetElement(attr, i))) return false;
  return true;
}

static bool has_type(MlirAttribute attr, AttrType type) {
  switch (type) {
  case STRING: return is_string(attr);
  case INT: return is_i64(attr);
  case FLOAT: return is_f64(attr);
  case STRINGS: return is_array_of(attr, is_string);
  case INTS: return is_array_of(attr, is_i64);
  case EXPR: return is_i64(attr) || is_f64(attr) || mlirAttributeIsAArray(attr);
  case ANY: return true;
  }
  return false;
}

static const char *type_text(AttrType type) {
  switch (type) {
  case STRING: return "a string";
  case INT: return "an i64";
  case FLOAT: return "an f64";
  case STRINGS: return "an array of strings";
  case INTS: return "an array of i64";
  case EXPR: return "an expression";
  case ANY: return "anything";
  }
  return "";
}

static const AttrRule *find_rule(DspOpKind kind, MlirStringRef name) {
  const AttrRule *found = NULL;
  for (size_t i = 0; i < NRULES; i++) {
    if (rules[i].kind != kind && rules[i].kind != DSP_OP_NONE) continue;
    if (!mlirStringRefEqual(name,
                            mlirStringRefCreateFromCString(rules[i].name)))
      continue;
    if (!found || rules[i].kind == kind) found = &rules[i];
  }
  return found;
}

static bool verify_present(DspVerifier *v, MlirOperation op, DspOpKind kind) {
  for (intptr_t i = 0; i < mlirOperationGetNumAttributes(op); i++) {
    MlirNamedAttribute attr = mlirOperationGetAttribute(op, i);
    MlirStringRef name = mlirIdentifierStr(attr.name);
    const AttrRule *rule = find_rule(kind, name);
    if (!rule)
      return dsp_verify_fail(v, op, "has no attribute '%.*s'",
                             DSP_REF_FMT(name));
    if (!has_type(attr.attribute, rule->type))
      return dsp_verify_fail(v, op, "needs %s as '%s'", type_text(rule->type),
                             rule->name);
  }
  return true;
}

static bool verify_required(DspVerifier *v, MlirOperation op, DspOpKind kind) {
  for (size_t i = 0; i < NRULES; i++) {
    if (!rules[i].required) continue;
    if (rules[i].kind != kind && rules[i].kind != DSP_OP_NONE) continue;
    MlirStringRef name = mlirStringRefCreateFromCString(rules[i].name);
    if (mlirAttributeIsNull(mlirOperationGetAttributeByName(op, name)))
      return dsp_verify_fail(v, op, "needs an attribute '%s'", rules[i].name);
  }
  return true;
}

bool dsp_verify_attributes(DspVerifier *v, MlirOperation op, DspOpKind kind) {
  if (!verify_present(v, op, kind) || !verify_required(v, op, kind))
    return false;
  DspOpView view = {.op = op, .kind = kind};
  int64_t stage = dsp_verifier_int(&view, "stage");
  if (stage < 0 || (v->nstages >= 0 && stage >= v->nstages))
    return dsp_verify_fail(v, op, "is in stage %lld of %lld", (long long)stage,
                           (long long)v->nstages);
  return true;
}
