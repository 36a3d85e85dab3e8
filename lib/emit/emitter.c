// emitter.c - what the files of lib/emit share: attributes, places, comments.
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "dspc/support/bug.h"
#include "emitter.h"

MlirAttribute dsp_get(MlirOperation op, const char *name) {
  return mlirOperationGetAttributeByName(op,
                                         mlirStringRefCreateFromCString(name));
}

MlirAttribute dsp_entry(MlirAttribute dictionary, const char *name) {
  return mlirDictionaryAttrGetElementByName(
      dictionary, mlirStringRefCreateFromCString(name));
}

MlirStringRef dsp_get_text(MlirOperation op, const char *name) {
  MlirAttribute attr = dsp_get(op, name);
  if (mlirAttributeIsNull(attr)) return mlirStringRefCreate(NULL, 0);
  return mlirStringAttrGetValue(attr);
}

int64_t dsp_get_int(MlirOperation op, const char *name) {
  MlirAttribute attr = dsp_get(op, name);
  return mlirAttributeIsNull(attr) ? 0 : mlirIntegerAttrGetValueInt(attr);
}

bool dsp_is_named(MlirOperation op, const char *name) {
  return mlirStringRefEqual(mlirIdentifierStr(mlirOperationGetName(op)),
                            mlirStringRefCreateFromCString(name));
}

const char *dsp_c_type(MlirType element) {
  if (mlirTypeIsAF32(element)) return "float";
  if (mlirTypeIsABF16(element)) return "DsprtBf16";
  return mlirTypeIsAF16(element) ? "DsprtF16" : "int32_t";
}

const char *dsp_c_suffix(MlirType element) {
  if (mlirTypeIsAF32(element)) return "f32";
  return mlirTypeIsABF16(element) ? "bf16" : "f16";
}

const char *dsp_type_constant(MlirType element) {
  if (mlirTypeIsAF32(element)) return "DSPRT_F32";
  if (mlirTypeIsABF16(element)) return "DSPRT_BF16";
  return mlirTypeIsAF16(element) ? "DSPRT_F16" : "DSPRT_I32";
}

void dsp_place(DspEmitter *e, MlirValue value, DspAccess access) {
  if (e->nplaced == e->capacity) {
    e->capacity = e->capacity ? 2 * e->capacity : 64;
    DspPlacedValue *grown =
        dsp_arena_alloc(e->arena, e->capacity * sizeof *grown);
    if (e->nplaced) memcpy(grown, e->placed, e->nplaced * sizeof *grown);
    e->placed = grown;
  }
  e->placed[e->nplaced++] = (DspPlacedValue){value.ptr, access};
}

const DspAccess *dsp_placed(DspEmitter *e, MlirValue value) {
  for (size_t i = e->nplaced; i-- > 0;)
    if (e->placed[i].value == value.ptr) return &e->placed[i].access;
  dsp_bug("a value without a place");
}

/// Would a `//` comment that ends like this go on in the next line?
static bool joins_next_line(const char *text, size_t length) {
  return strchr("\\ \t\r", text[length - 1]) ||
         (length >= 3 && memcmp(text + length - 3, "?\?/", 3) == 0);
}

void dsp_emit_source(DspEmitter *e, MlirOperation op) {
  MlirLocation location = mlirOperationGetLocation(op);
  if (!mlirLocationIsAFileLineColRange(location)) return;
  int line = mlirLocationFileLineColRangeGetStartLine(location);
  if (line == e->last_line) return;
  e->last_line = line;
  size_t length = 0;
  const char *text =
      e->options->source_line
          ? e->options->source_line(e->options->user, line, &length)
          : NULL;
  while (length && (*text == ' ' || *text == '\t')) text++, length--;
  while (length && joins_next_line(text, length)) length--;
  dsp_comment(&e->text, "%d: %.*s", line, (int)length, text ? text : "");
}

void dsp_emit_at(DspEmitter *e, MlirOperation op) {
  MlirLocation location = mlirOperationGetLocation(op);
  bool known = mlirLocationIsAFileLineColRange(location);
  int line = known ? mlirLocationFileLineColRangeGetStartLine(location) : 0;
  MlirStringRef name = dsp_get_text(op, "name");
  if (!name.length)
    name = mlirStringRefCreateFromCString(dsp_op_name(dsp_op_kind(op)) + 4);
  dsp_line(&e->text, "dsprt_at(run, %d, \"%.*s\");", line, (int)name.length,
           name.data);
}

const char *dsp_emit_shape(DspEmitter *e, const DspAccess *a) {
  const char *text = dsp_format(e->arena, "{%s, %zu, {",
                                dsp_type_constant(a->shape.element),
                                a->shape.natoms);
  for (size_t i = 0; i < a->shape.natoms; i++)
    text = dsp_format(e->arena, "%s%s%s", text, i ? ", " : "",
                      dsp_dim_names(&e->dims, a->shape.atoms[i])->size_name);
  return dsp_format(e->arena, "%s}}", text);
}

const char *dsp_emit_cut(DspEmitter *e, const DspAccess *a, size_t axis) {
  for (size_t i = 0; i < a->naxes; i++)
    if (a->axes[i].cut & 1u << axis)
      return dsp_format(e->arena, "{%zu, %zu}", a->axes[i].first,
                        a->axes[i].count);
  return "{0, 0}";
}

MlirBlock dsp_body_of(MlirOperation op) {
  return mlirRegionGetFirstBlock(mlirOperationGetRegion(op, 0));
}

static bool is_word_part(char c) {
  return isalnum((unsigned char)c) || c == '_';
}

bool dsp_mentions(const char *code, const char *word) {
  size_t length = strlen(word);
  for (const char *at = strstr(code, word); at; at = strstr(at + 1, word)) {
    if (at > code && is_word_part(at[-1])) continue;
    if (is_word_part(at[length])) continue;
    const char *line = at;
    while (line > code && line[-1] != '\n') line--;
    const char *comment = strstr(line, "//");
    if (!comment || comment > at) return true;
  }
  return false;
}
