// params.c - parameters and their paths in the checkpoint.
#include <string.h>

#include "sema.h"

static DspStr join(DspSema *s, DspStr prefix, DspStr rest) {
  if (!prefix.length) return rest;
  size_t length = prefix.length + 1 + rest.length;
  char *text = dsp_arena_alloc(s->arena, length + 1); // with its '\0'
  memcpy(text, prefix.data, prefix.length);
  text[prefix.length] = '.';
  if (rest.length) memcpy(text + prefix.length + 1, rest.data, rest.length);
  text[length] = '\0';
  return (DspStr){text, length};
}

/// The place of bytes begin .. end-1 of a string.
static DspRange inside(const DspExpr *string, size_t begin, size_t end) {
  uint32_t first = string->range.begin + 1;
  return (DspRange){first + (uint32_t)begin, first + (uint32_t)end};
}

static DspStr bad_path(DspSema *s, DspRange range, const char *what) {
  DspDiag *diag = dsp_sema_error(s, DSP_E0308, range, "%s", what);
  dsp_help(s->diags, diag, "{i} in a path is the number of index or const i");
  return (DspStr){NULL, 0};
}

/// The number that a name in braces stands for, as digits.
static DspStr eval_hole(DspSema *s, DspName name, bool keep_loops) {
  static const DspStr nothing;
  if (!name.text.length)
    return bad_path(s, name.range, "no name stands in these braces");
  if (!dsp_is_identifier(name.text))
    return bad_path(s, name.range, "this is more than the name of a number");
  DspBinding *binding = dsp_need(s, name, DSP_WANT_NUMBER);
  if (!binding || binding->kind == DSP_BOUND_ERROR) return nothing;
  if (binding->kind != DSP_BOUND_CONST) {
    DspDiag *diag = dsp_sema_error(
        s, DSP_E0505, name.range, "'%.*s' is not a number", DSP_FMT(name.text));
    dsp_note(s->diags, diag, binding->range, "it is declared here");
    return nothing;
  }
  if (keep_loops && binding->is_loop)
    return dsp_sema_text(s, "{%.*s}", DSP_FMT(binding->variable));
  double n = binding->number;
  if (n >= -1e15 && n <= 1e15 && n == (double)(int64_t)n)
    return dsp_sema_text(s, "%lld", (long long)n);
  DspDiag *diag = dsp_sema_error(s, DSP_E0308, name.range,
                                 "'%.*s' is %g, a path needs an integer",
                                 DSP_FMT(name.text), n);
  dsp_note(s->diags, diag, binding->range, "it is declared here");
  return nothing;
}

DspStr dsp_eval_path(DspSema *s, const DspExpr *expr, bool keep_loops) {
  DspStr in = expr->name.text, out = dsp_str("");
  for (size_t i = 0, end; i < in.length; i = end + 1) {
    for (end = i; end < in.length; end++)
      if (in.data[end] == '{' || in.data[end] == '}') break;
    out =
        dsp_sema_text(s, "%.*s%.*s", DSP_FMT(out), (int)(end - i), in.data + i);
    if (end == in.length) break;
    size_t open = end++;
    if (in.data[open] == '}')
      return bad_path(s, inside(expr, open, end), "a '}' without its '{'");
    while (end < in.length && in.data[end] != '}') end++;
    if (end == in.length)
      return bad_path(s, inside(expr, open, end), "a '{' without its '}'");
    DspName name = {{in.data + open + 1, end - open - 1},
                    inside(expr, open + 1, end)};
    if (!name.text.length) name.range = inside(expr, open, end + 1);
    DspStr hole = eval_hole(s, name, keep_loops);
    if (!hole.data) return hole;
    out = dsp_sema_text(s, "%.*s%.*s", DSP_FMT(out), DSP_FMT(hole));
  }
  return out;
}

bool dsp_enter_path(DspSema *s, const DspExpr *path) {
  if (!path) return true;
  DspStr concrete = dsp_eval_path(s, path, false);
  if (!concrete.data) return false;
  s->where.path = join(s, s->where.path, concrete);
  s->where.pattern = join(s, s->where.pattern, dsp_eval_path(s, path, true));
  return true;
}

/// What of `path` stands behind the prefix of the stage.
static DspStr relative(DspSema *s, DspStr path) {
  size_t n = s->stage_path.length;
  if (n && path.length > n + 1 &&
      memcmp(path.data, s->stage_path.data, n) == 0 && path.data[n] == '.')
    return (DspStr){path.data + n + 1, path.length - n - 1};
  return path;
}

/// Where in the table the op with `path` is, or would be.
static uint32_t *slot_of(const DspSema *s, DspStr path) {
  uint64_t hash = 14695981039346656037u;
  for (size_t i = 0; i < path.length; i++)
    hash = (hash ^ (unsigned char)path.data[i]) * 1099511628211u;
  size_t mask = s->params_capacity - 1, slot = (size_t)hash & mask;
  while (s->params[slot] != DSP_NONE &&
         !dsp_str_equal(s->model->ops[s->params[slot]].path, path))
    slot = (slot + 1) & mask;
  return &s->params[slot];
}

static void grow_table(DspSema *s) {
  const uint32_t *old = s->params;
  size_t count = s->params_capacity;
  s->params_capacity = count ? 2 * count : 256;
  size_t bytes = s->params_capacity * sizeof *s->params;
  s->params = dsp_arena_alloc(s->arena, bytes);
  memset(s->params, 0xff, bytes); // DSP_NONE everywhere
  for (size_t i = 0; i < count; i++)
    if (old[i] != DSP_NONE) *slot_of(s, s->model->ops[old[i]].path) = old[i];
}

/// "f32[8, 3]", as the checkpoint has it.
static DspStr file_text(DspSema *s, const DspModelOp *op, DspElement element) {
  DspStr text = dsp_str("");
  for (size_t i = 0; i < op->nfile_shape; i++)
    text = dsp_sema_text(s, "%.*s%s%lld", DSP_FMT(text), i ? ", " : "",
                         (long long)op->file_shape[i]);
  return dsp_sema_text(s, "%s[%.*s]", dsp_element_name(element), DSP_FMT(text));
}

/// A tensor of the checkpoint has one shape and one element type.
static void check_same(DspSema *s, const DspModelOp *op, DspElement element,
                       const DspModelOp *first) {
  DspElement own = s->model->values[first->result].type.element;
  if (element == own && op->nfile_shape == first->nfile_shape &&
      memcmp(op->file_shape, first->file_shape,
             op->nfile_shape * sizeof *op->file_shape) == 0)
    return;
  DspStr here = file_text(s, op, element), there = file_text(s, first, own);
  DspDiag *diag = dsp_sema_error(
      s, DSP_E0309, op->range, "parameter '%.*s' is %.*s here, but was %.*s",
      DSP_FMT(op->path), DSP_FMT(here), DSP_FMT(there));
  dsp_note(s->diags, diag, first->range, "the other place");
}

uint32_t dsp_add_param(DspSema *s, DspRange range, DspStr rel,
                       DspValueType type, const int64_t *file, size_t nfile) {
  if (s->stage == DSP_NONE) dsp_open_stage(s, dsp_str(""), dsp_str(""));
  DspModelOp op = {.kind = DSP_MODEL_PARAM, .range = range};
  op.path = join(s, s->where.path, rel);
  op.rel = relative(s, op.path);
  op.file_shape = dsp_arena_alloc(s->arena, (nfile + 1) * sizeof *file);
  if (nfile) memcpy(op.file_shape, file, nfile * sizeof *file);
  op.nfile_shape = nfile;
  uint32_t value = dsp_add_op(s, op, type);
  if (!rel.data) return value; // its path was an error
  if (2 * (s->nparams + 1) > s->params_capacity) grow_table(s);
  uint32_t *slot = slot_of(s, op.path);
  if (*slot != DSP_NONE) {
    s->model->ops[s->model->values[value].op].again = true;
    check_same(s, &op, type.element, &s->model->ops[*slot]);
  } else {
    *slot = s->model->values[value].op;
    s->nparams++;
  }
  return value;
}
