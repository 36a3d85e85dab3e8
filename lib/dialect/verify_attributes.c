// verify_attributes.c - every attribute of an op is known and of its type.
//
// IRDL accepts attributes that it does not know: without this check a typo in
// an optional one would pass in silence.
#include <mlir-c/BuiltinAttributes.h>
#include <mlir-c/BuiltinTypes.h>

#include "verifier.h"

typedef enum AttrType {
  STRING,
  INT,
  FLOAT,
  STRINGS,
  INTS,
  AXES, ///< a string for each axis of the mesh
  EXPR,
  ANY
} AttrType;

typedef struct AttrRule {
  DspOpKind kind; ///< DSP_OP_NONE: any op
  MlirStringRef name;
  AttrType type;
  bool required;
} AttrRule;

static const AttrRule rules[] = {
#define DSP_OP_ATTR(id, name, type, required) \
  {DSP_OP_##id, {name, sizeof name - 1}, type, required},
#define DSP_ANY_ATTR(name, type, required) \
  {DSP_OP_NONE, {name, sizeof name - 1}, type, required},
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
  case AXES: return is_string(attr) || is_array_of(attr, is_string);
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
  case AXES: return "a string or one for each mesh axis";
  case EXPR: return "an expression";
  case ANY: return "anything";
  }
  return "";
}

/// The op's own rule goes before one for any op: both may speak of `name`.
static const AttrRule *find_rule(DspOpKind kind, MlirStringRef name) {
  for (size_t i = 0; i < NRULES; i++)
    if ((rules[i].kind == kind || rules[i].kind == DSP_OP_NONE) &&
        mlirStringRefEqual(name, rules[i].name))
      return &rules[i];
  return NULL;
}

static bool verify_present(DspVerifier *v, MlirOperation op, DspOpKind kind,
                           bool *seen) {
  for (intptr_t i = 0; i < mlirOperationGetNumAttributes(op); i++) {
    MlirNamedAttribute attr = mlirOperationGetAttribute(op, i);
    MlirStringRef name = mlirIdentifierStr(attr.name);
    const AttrRule *rule = find_rule(kind, name);
    if (!rule)
      return dsp_verify_fail(v, op, "has no attribute '%.*s'",
                             DSP_REF_FMT(name));
    if (!has_type(attr.attribute, rule->type))
      return dsp_verify_fail(v, op, "needs %s as '%s'", type_text(rule->type),
                             rule->name.data);
    seen[rule - rules] = true;
  }
  return true;
}

static bool verify_required(DspVerifier *v, MlirOperation op, DspOpKind kind,
                            const bool *seen) {
  for (size_t i = 0; i < NRULES; i++)
    if (rules[i].required && !seen[i] &&
        (rules[i].kind == kind || rules[i].kind == DSP_OP_NONE))
      return dsp_verify_fail(v, op, "needs an attribute '%s'",
                             rules[i].name.data);
  return true;
}

bool dsp_verify_attributes(DspVerifier *v, MlirOperation op, DspOpKind kind) {
  bool seen[NRULES] = {false};
  return verify_present(v, op, kind, seen) &&
         verify_required(v, op, kind, seen) && dsp_verify_stage(v, op);
}

bool dsp_verify_stage(DspVerifier *v, MlirOperation op) {
  MlirAttribute attr = mlirOperationGetAttributeByName(
      op, mlirStringRefCreateFromCString("stage"));
  if (mlirAttributeEqual(attr, v->stage)) return true;
  if (!is_i64(attr)) return dsp_verify_fail(v, op, "needs an i64 as 'stage'");
  int64_t stage = mlirIntegerAttrGetValueInt(attr);
  if (stage < 0 || (v->nstages >= 0 && stage >= v->nstages))
    return dsp_verify_fail(v, op, "is in stage %lld of %lld", (long long)stage,
                           (long long)v->nstages);
  v->stage = attr;
  return true;
}
