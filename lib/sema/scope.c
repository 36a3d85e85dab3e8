// scope.c - names and what they stand for.
#include <stdarg.h>
#include <string.h>

#include "sema.h"

DspStr dsp_sema_text(DspSema *s, const char *format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int length = vsnprintf(NULL, 0, format, again);
  va_end(again);
  char *out = dsp_arena_alloc(s->arena, (size_t)length + 1);
  vsnprintf(out, (size_t)length + 1, format, args);
  va_end(args);
  return (DspStr){out, (size_t)length};
}

DspDiag *dsp_sema_error(DspSema *s, DspDiagId id, DspRange range,
                        const char *format, ...) {
  char text[512];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  DspDiag *diag = dsp_error(s->diags, id, range, "%s", text);
  if (s->where.in_call)
    dsp_note(s->diags, diag, s->where.call, "in this call");
  return diag;
}

void dsp_scope_open(DspSema *s, bool is_block) {
  DspScope *scope = s->closed;
  if (scope) {
    s->closed = scope->parent;
  } else {
    scope = dsp_arena_alloc(s->arena, sizeof *scope);
    *scope = (DspScope){.count = 0};
  }
  scope->parent = s->scope;
  scope->is_block = is_block;
  scope->count = 0;
  s->scope = scope;
}

void dsp_scope_close(DspSema *s) {
  DspScope *scope = s->scope;
  s->scope = scope->parent;
  scope->parent = s->closed;
  s->closed = scope;
}

static DspBinding *find_in(const DspScope *scope, DspStr name) {
  for (size_t i = scope->count; i-- > 0;)
    if (dsp_str_equal(scope->list[i].name, name)) return &scope->list[i];
  return NULL;
}

DspBinding *dsp_lookup(DspSema *s, DspStr name) {
  bool outside = false;
  for (DspScope *scope = s->scope; scope; scope = scope->parent) {
    DspBinding *found = find_in(scope, name);
    if (found && !(outside && found->kind == DSP_BOUND_VALUE)) return found;
    outside |= scope->is_block;
  }
  return NULL;
}

DspBinding *dsp_bind(DspSema *s, DspName name, DspBindingKind kind) {
  DspScope *scope = s->scope;
  if (scope->count == scope->capacity) {
    scope->capacity = scope->capacity ? 2 * scope->capacity : 8;
    DspBinding *grown =
        dsp_arena_alloc(s->arena, scope->capacity * sizeof *grown);
    if (scope->count) memcpy(grown, scope->list, scope->count * sizeof *grown);
    scope->list = grown;
  }
  DspBinding *binding = &scope->list[scope->count++];
  *binding = (DspBinding){
      .name = name.text, .range = name.range, .kind = kind, .dim = DSP_NONE};
  return binding;
}

DspBinding *dsp_need(DspSema *s, DspName name, const char *what) {
  DspBinding *found = dsp_lookup(s, name.text);
  if (found) return found;
  DspDiag *diag = dsp_sema_error(s, DSP_E0301, name.range, "no %s is called '%.*s'",
                                 what, DSP_FMT(name.text));
  DspStr words[256];
  size_t count = 0;
  for (DspScope *scope = s->scope; scope; scope = scope->parent)
    for (size_t i = 0; i < scope->count && count < 256; i++)
      words[count++] = scope->list[i].name;
  DspStr near = dsp_nearest(name.text, words, count);
  if (near.data)
    dsp_help(s->diags, diag, "did you mean '%.*s'?", DSP_FMT(near));
  return NULL;
}
