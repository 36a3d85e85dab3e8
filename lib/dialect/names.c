// names.c - lists of dim names, as the verifier compares and prints them.
#include <mlir-c/BuiltinAttributes.h>
#include <stdio.h>

#include "verifier.h"

MlirAttribute dsp_verifier_attr(const DspOpView *view, const char *name) {
  return mlirOperationGetAttributeByName(view->op,
                                         mlirStringRefCreateFromCString(name));
}

MlirStringRef dsp_verifier_string(const DspOpView *view, const char *name) {
  MlirAttribute attr = dsp_verifier_attr(view, name);
  return mlirAttributeIsNull(attr) ? mlirStringRefCreate(NULL, 0)
                                   : mlirStringAttrGetValue(attr);
}

int64_t dsp_verifier_int(const DspOpView *view, const char *name) {
  return mlirIntegerAttrGetValueInt(dsp_verifier_attr(view, name));
}

bool dsp_verifier_adds(const DspOpView *view) {
  return view->kind == DSP_OP_FUSED_LINEAR &&
         mlirStringRefEqual(dsp_verifier_string(view, "epilogue"),
                            mlirStringRefCreateFromCString("add"));
}

MlirStringRef dsp_verifier_ring(const DspOpView *view, size_t axis) {
  MlirAttribute attr = dsp_verifier_attr(view, "ring");
  MlirStringRef none = {NULL, 0};
  if (mlirAttributeIsNull(attr)) return none;
  if (mlirAttributeIsAString(attr))
    return axis == 0 ? mlirStringAttrGetValue(attr) : none;
  if (mlirArrayAttrGetNumElements(attr) <= (intptr_t)axis) return none;
  return mlirStringAttrGetValue(mlirArrayAttrGetElement(attr, (intptr_t)axis));
}

void dsp_names_add(DspNameList *list, MlirStringRef name) {
  if (list->count < sizeof list->names / sizeof list->names[0])
    list->names[list->count++] = name;
}

void dsp_names_append(DspNameList *list, const DspNameList *more) {
  for (size_t i = 0; i < more->count; i++) dsp_names_add(list, more->names[i]);
}

DspNameList dsp_verifier_names(const DspOpView *view, const char *name) {
  DspNameList list;
  list.count = 0;
  MlirAttribute array = dsp_verifier_attr(view, name);
  for (intptr_t i = 0; i < mlirArrayAttrGetNumElements(array); i++)
    dsp_names_add(&list,
                  mlirStringAttrGetValue(mlirArrayAttrGetElement(array, i)));
  return list;
}

DspNameList dsp_verifier_dims(const DspTensorInfo *info) {
  DspNameList list;
  list.count = 0;
  for (size_t i = 0; i < info->ndims; i++) dsp_names_add(&list, info->dims[i]);
  return list;
}

bool dsp_names_equal(const DspNameList *a, const DspNameList *b) {
  if (a->count != b->count) return false;
  for (size_t i = 0; i < a->count; i++)
    if (!mlirStringRefEqual(a->names[i], b->names[i])) return false;
  return true;
}

ptrdiff_t dsp_names_find(const DspNameList *list, MlirStringRef name) {
  for (size_t i = 0; i < list->count; i++)
    if (mlirStringRefEqual(list->names[i], name)) return (ptrdiff_t)i;
  return -1;
}

const char *dsp_names_text(const DspNameList *list, DspNameText *buffer) {
  size_t limit = sizeof buffer->text, n = 0;
  buffer->text[n++] = '[';
  for (size_t i = 0; i < list->count && n < limit - 4; i++) {
    int written = snprintf(buffer->text + n, limit - n - 2, "%s%.*s",
                           i ? ", " : "", DSP_REF_FMT(list->names[i]));
    n += (size_t)written < limit - n - 2 ? (size_t)written : limit - n - 3;
  }
  buffer->text[n++] = ']';
  buffer->text[n] = '\0';
  return buffer->text;
}
