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
  if (s->where.in_call) dsp_note(s->diags, diag, s->where.call, "in this call");
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

/// The scope of the model itself.
static DspScope *outermost(const DspSema *s) {
  DspScope *scope = s->scope;
  while (scope->parent) scope = scope->parent;
  return scope;
}

DspBinding *dsp_lookup(DspSema *s, DspStr name) {
  for (DspScope *scope = s->scope; scope; scope = scope->parent) {
    DspBinding *found = find_in(scope, name);
    if (found) return found;
    if (!scope->is_block) continue;
    found = find_in(outermost(s), name);
    return found && found->kind != DSP_BOUND_VALUE ? found : NULL;
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

static const struct {
  const char *text;
  unsigned kinds;
} wants[] = {
    [DSP_WANT_VALUE] = {"value", 1u << DSP_BOUND_VALUE | 1u << DSP_BOUND_CONST},
    [DSP_WANT_VARIABLE] = {"value", 1u << DSP_BOUND_VALUE},
    [DSP_WANT_DIM] = {"dim", 1u << DSP_BOUND_DIM | 1u << DSP_BOUND_CONST},
    [DSP_WANT_NUMBER] = {"index or const", 1u << DSP_BOUND_CONST},
    [DSP_WANT_CALL] = {"op or block", 1u << DSP_BOUND_BLOCK},
};

/// A name of one letter is near to every other one: it is no suggestion.
static DspStr nearest(DspSema *s, DspStr name, DspWanted wanted) {
  DspStr words[256];
  size_t count = wanted == DSP_WANT_CALL ? dsp_op_names(words, 64) : 0;
  if (name.length < 2) return (DspStr){NULL, 0};
  for (DspScope *scope = s->scope; scope;
       scope = scope->is_block ? outermost(s) : scope->parent) {
    for (size_t i = 0; i < scope->count && count < 256; i++) {
      const DspBinding *binding = &scope->list[i];
      bool seen = dsp_lookup(s, binding->name) == binding;
      if (seen && binding->name.length > 1 &&
          wants[wanted].kinds >> binding->kind & 1)
        words[count++] = binding->name;
    }
  }
  return dsp_nearest(name, words, count);
}

/// What `name` stands for outside of the block at work, where it is not seen.
static const DspBinding *hidden(const DspSema *s, DspStr name) {
  const DspBinding *found = NULL;
  for (DspScope *scope = s->scope; scope && !found; scope = scope->parent)
    found = find_in(scope, name);
  return found;
}

static void say_hidden(DspSema *s, DspDiag *diag, const DspBinding *binding) {
  bool value = binding->kind == DSP_BOUND_VALUE;
  dsp_note(s->diags, diag, binding->range, "this %s is not seen in a block",
           value ? "value" : "name");
  dsp_help(s->diags, diag,
           "a block sees its parameters, and the dims, consts and types of "
           "the model");
}

DspBinding *dsp_need(DspSema *s, DspName name, DspWanted wanted) {
  DspBinding *found = dsp_lookup(s, name.text);
  if (found) return found;
  DspDiag *diag =
      dsp_sema_error(s, DSP_E0301, name.range, "no %s is called '%.*s'",
                     wants[wanted].text, DSP_FMT(name.text));
  const DspBinding *outside = hidden(s, name.text);
  DspStr near = nearest(s, name.text, wanted);
  if (outside && wants[wanted].kinds >> outside->kind & 1) {
    say_hidden(s, diag, outside);
  } else if (near.data) {
    dsp_help(s->diags, diag, "did you mean '%.*s'?", DSP_FMT(near));
  }
  return NULL;
}

void dsp_declared_twice(DspSema *s, DspName name, DspRange first) {
  DspDiag *diag = dsp_sema_error(
      s, DSP_E0302, name.range, "'%.*s' is declared twice", DSP_FMT(name.text));
  dsp_note(s->diags, diag, first, "the first one is here");
}

bool dsp_is_taken(DspSema *s, DspName name) {
  const DspBinding *earlier = dsp_lookup(s, name.text);
  if (earlier) dsp_declared_twice(s, name, earlier->range);
  return earlier != NULL;
}

bool dsp_hides(DspSema *s, DspName name) {
  const DspBinding *earlier = dsp_lookup(s, name.text);
  if (!earlier || earlier->kind == DSP_BOUND_VALUE ||
      earlier->kind == DSP_BOUND_ERROR)
    return false;
  dsp_declared_twice(s, name, earlier->range);
  return true;
}

DspStr dsp_defined(DspSema *s, DspName name) {
  DspStr found = {NULL, 0};
  for (size_t i = 0; i < s->ndefines; i++) {
    if (!dsp_str_equal(s->defines[i].name, name.text)) continue;
    s->define_used[i] = true;
    if (found.data)
      dsp_sema_error(
          s, DSP_E0307, name.range, "-D %.*s is given twice: %.*s and %.*s",
          DSP_FMT(name.text), DSP_FMT(found), DSP_FMT(s->defines[i].value));
    found = s->defines[i].value;
  }
  return found;
}
