// dims.c - dims: atoms, products and sums.
#include <stdlib.h>
#include <string.h>

#include "sema.h"

int dsp_atoms_find(const DspAtoms *atoms, uint32_t id) {
  for (size_t i = 0; i < atoms->count; i++)
    if (atoms->ids[i] == id) return (int)i;
  return -1;
}

bool dsp_atoms_equal(const DspAtoms *a, const DspAtoms *b) {
  return a->count == b->count &&
         memcmp(a->ids, b->ids, a->count * sizeof a->ids[0]) == 0;
}

void dsp_atoms_add(DspAtoms *atoms, uint32_t id) {
  if (atoms->count < DSP_MODEL_MAX_RANK) atoms->ids[atoms->count++] = id;
}

int64_t dsp_atoms_size(const DspSema *s, const DspAtoms *atoms) {
  int64_t size = 1;
  for (size_t i = 0; i < atoms->count; i++)
    if (__builtin_mul_overflow(size, s->model->dims[atoms->ids[i]].size, &size))
      return INT64_MAX;
  return size;
}

int dsp_atoms_part(const DspAtoms *atoms, const DspAtoms *part) {
  for (size_t i = 0; i + part->count <= atoms->count; i++)
    if (memcmp(atoms->ids + i, part->ids, part->count * sizeof part->ids[0]) ==
        0)
      return (int)i;
  return -1;
}

/// An integer factor is called by its digits.
static bool is_factor(const DspModelDim *dim) {
  return dim->name.data[0] >= '0' && dim->name.data[0] <= '9';
}

DspStr dsp_atom_text(DspSema *s, uint32_t id) {
  const DspModelDim *dim = &s->model->dims[id];
  return dsp_sema_text(s, is_factor(dim) ? "a factor %.*s" : "dim '%.*s'",
                       DSP_FMT(dim->name));
}

void dsp_note_atom(DspSema *s, DspDiag *diag, uint32_t id) {
  const DspModelDim *dim = &s->model->dims[id];
  if (!is_factor(dim))
    dsp_note(s->diags, diag, dim->range, "the dim is declared here");
}

bool dsp_atoms_distinct(DspSema *s, DspRange range, const DspAtoms *atoms,
                        const char *where) {
  for (size_t i = 0; i < atoms->count; i++) {
    if (dsp_atoms_find(atoms, atoms->ids[i]) == (int)i) continue;
    DspStr atom = dsp_atom_text(s, atoms->ids[i]);
    DspStr dims = dsp_atoms_text(s, atoms);
    if (!where) where = dsp_sema_text(s, "the result %.*s", DSP_FMT(dims)).data;
    DspDiag *diag = dsp_sema_error(
        s, DSP_E0306, range, "%.*s stands twice in %s", DSP_FMT(atom), where);
    dsp_help(s->diags, diag,
             "declare one more dim of that size: a value has each dim once");
    return false;
  }
  return true;
}

/// The longest declared product that atoms[at ..] spell, or DSP_NONE.
static uint32_t folded(const DspSema *s, const DspAtoms *atoms, size_t at,
                       size_t *length) {
  uint32_t best = DSP_NONE;
  *length = 1;
  for (uint32_t d = 0; d < s->model->ndims; d++) {
    const DspAtoms *f = &s->model->dims[d].factors;
    if (f->count <= *length || at + f->count > atoms->count) continue;
    if (memcmp(f->ids, atoms->ids + at, f->count * sizeof f->ids[0])) continue;
    best = d;
    *length = f->count;
  }
  return best;
}

DspStr dsp_atoms_text(DspSema *s, const DspAtoms *atoms) {
  DspStr text = dsp_str("");
  for (size_t i = 0; i < atoms->count;) {
    size_t length;
    uint32_t dim = folded(s, atoms, i, &length);
    if (dim == DSP_NONE) dim = atoms->ids[i];
    text = dsp_sema_text(s, "%.*s%s%.*s", DSP_FMT(text), i ? ", " : "",
                         DSP_FMT(s->model->dims[dim].name));
    i += length;
  }
  return dsp_sema_text(s, "[%.*s]", DSP_FMT(text));
}

static uint32_t add_dim(DspSema *s, DspModelDim dim) {
  DspModel *m = s->model;
  if (m->ndims == s->dims_capacity) {
    s->dims_capacity = s->dims_capacity ? 2 * s->dims_capacity : 32;
    DspModelDim *grown =
        dsp_arena_alloc(s->arena, s->dims_capacity * sizeof *grown);
    if (m->ndims) memcpy(grown, m->dims, m->ndims * sizeof *grown);
    m->dims = grown;
  }
  m->dims[m->ndims] = dim;
  uint32_t id = (uint32_t)m->ndims++;
  if (dim.kind != DSP_DIM_PRODUCT) {
    m->dims[id].factors = (DspAtoms){0};
    dsp_atoms_add(&m->dims[id].factors, id);
  }
  return id;
}

/// The atom of an integer factor.
static uint32_t integer_atom(DspSema *s, int64_t size, DspRange range) {
  DspStr name = dsp_sema_text(s, "%lld", (long long)size);
  for (uint32_t d = 0; d < s->model->ndims; d++)
    if (dsp_str_equal(s->model->dims[d].name, name)) return d;
  return add_dim(s, (DspModelDim){.name = name, .range = range, .size = size});
}

static bool bad_size(DspSema *s, DspRange range) {
  dsp_sema_error(s, DSP_E0304, range,
                 "the size of a dim is an integer from 1 to 2^40");
  return false;
}

static bool too_large(DspSema *s, DspRange range) {
  dsp_sema_error(s, DSP_E0304, range, "this dim has more than 2^40 positions");
  return false;
}

bool dsp_atoms_append(DspSema *s, DspRange range, DspAtoms *atoms,
                      const DspAtoms *more) {
  if (atoms->count + more->count > DSP_MODEL_MAX_RANK) {
    dsp_sema_error(s, DSP_E0303, range, "more than %d dims",
                   DSP_MODEL_MAX_RANK);
    return false;
  }
  for (size_t i = 0; i < more->count; i++) dsp_atoms_add(atoms, more->ids[i]);
  return true;
}

/// The size that a number is, or 0.
static int64_t size_of(double n) {
  if (!(n >= 1 && n <= (double)DSP_MAX_SIZE)) return 0;
  return n == (double)(int64_t)n ? (int64_t)n : 0;
}

static bool read_factor(DspSema *s, DspRange range, double n, DspAtoms *atoms) {
  int64_t size = size_of(n);
  if (!size) return bad_size(s, range);
  if (size == 1) return true;
  DspAtoms one = {.count = 1, .ids = {integer_atom(s, size, range)}};
  return dsp_atoms_append(s, range, atoms, &one);
}

static bool read_dim_name(DspSema *s, const DspExpr *expr, DspAtoms *atoms) {
  DspBinding *binding = dsp_need(s, expr->name, DSP_WANT_DIM);
  if (!binding || binding->kind == DSP_BOUND_ERROR) return false;
  if (binding->kind == DSP_BOUND_DIM)
    return dsp_atoms_append(s, expr->range, atoms, &binding->atoms);
  if (binding->kind == DSP_BOUND_CONST)
    return read_factor(s, expr->range, binding->number, atoms);
  DspDiag *diag = dsp_sema_error(s, DSP_E0303, expr->range,
                                 "'%.*s' is not a dim", DSP_FMT(binding->name));
  dsp_note(s->diags, diag, binding->range, "it is declared here");
  return false;
}

bool dsp_read_dim(DspSema *s, const DspExpr *expr, DspAtoms *atoms) {
  if (expr->kind == DSP_EXPR_NAME) return read_dim_name(s, expr, atoms);
  if (expr->kind == DSP_EXPR_NUMBER)
    return read_factor(s, expr->range, expr->number, atoms);
  if (expr->kind == DSP_EXPR_BINARY && expr->op == '*')
    return dsp_read_dim(s, expr->items[0], atoms) &&
           dsp_read_dim(s, expr->items[1], atoms);
  DspDiag *diag = dsp_sema_error(s, DSP_E0303, expr->range,
                                 "expected a dim or a product of dims");
  dsp_help(s->diags, diag, "declare a sum as a dim of its own: dim A = 1 + S");
  return false;
}

/// Reads a dim that is to be one of a file: not too large, nothing twice.
static bool read_whole(DspSema *s, const DspExpr *expr, DspAtoms *atoms,
                       int64_t *size) {
  DspAtoms one = {0};
  if (!dsp_read_dim(s, expr, &one)) return false;
  *size = dsp_atoms_size(s, &one);
  if (*size > DSP_MAX_SIZE) return too_large(s, expr->range);
  return dsp_atoms_append(s, expr->range, atoms, &one);
}

bool dsp_read_dims(DspSema *s, const DspExpr *expr, DspAtoms *atoms,
                   int64_t *file, size_t *nfile) {
  size_t n = expr->kind == DSP_EXPR_LIST ? expr->nitems : 1;
  if (n > DSP_MODEL_MAX_RANK) {
    dsp_sema_error(s, DSP_E0303, expr->range, "more than %d dims",
                   DSP_MODEL_MAX_RANK);
    return false;
  }
  for (size_t i = 0; i < n; i++) {
    const DspExpr *item = expr->kind == DSP_EXPR_LIST ? expr->items[i] : expr;
    int64_t size;
    if (!read_whole(s, item, atoms, &size)) return false;
    if (!dsp_atoms_distinct(s, item->range, atoms, "one list of dims"))
      return false;
    if (file) file[(*nfile)++] = size;
  }
  return true;
}

static bool define_size(DspSema *s, DspName name, DspStr value, int64_t *size) {
  char text[32], *end;
  if (value.length >= sizeof text) return bad_size(s, name.range);
  memcpy(text, value.data, value.length);
  text[value.length] = '\0';
  *size = strtoll(text, &end, 10);
  if (*end || end == text || *size < 1 || *size > DSP_MAX_SIZE) {
    dsp_sema_error(s, DSP_E0304, name.range,
                   "-D %.*s=%s: the size of a dim is an integer from 1 to 2^40",
                   DSP_FMT(name.text), text);
    return false;
  }
  return true;
}

static bool has_sum(const DspExpr *expr) {
  return expr->kind == DSP_EXPR_BINARY && expr->op == '+';
}

static bool read_terms(DspSema *s, const DspExpr *expr, DspAtoms *terms,
                       size_t *count) {
  if (has_sum(expr))
    return read_terms(s, expr->items[0], terms, count) &&
           read_terms(s, expr->items[1], terms, count);
  if (*count == DSP_MAX_VALUES) {
    dsp_sema_error(s, DSP_E0303, expr->range, "more than %d terms",
                   DSP_MAX_VALUES);
    return false;
  }
  return dsp_read_dim(s, expr, &terms[(*count)++]);
}

static bool make_sum(DspSema *s, const DspExpr *value, DspModelDim *dim) {
  DspAtoms *terms = dsp_arena_alloc(s->arena, DSP_MAX_VALUES * sizeof *terms);
  memset(terms, 0, DSP_MAX_VALUES * sizeof *terms);
  if (!read_terms(s, value, terms, &dim->nterms)) return false;
  dim->kind = DSP_DIM_SUM;
  dim->terms = terms;
  dim->size = 0;
  for (size_t i = 0; i < dim->nterms; i++) {
    int64_t size = dsp_atoms_size(s, &terms[i]);
    if (size > DSP_MAX_SIZE - dim->size) return too_large(s, value->range);
    dim->size += size;
  }
  return true;
}

/// Is `value` a number, or the name of one?
static bool is_number(DspSema *s, const DspExpr *value, double *number) {
  *number = value->number;
  if (value->kind != DSP_EXPR_NAME) return value->kind == DSP_EXPR_NUMBER;
  const DspBinding *binding = dsp_lookup(s, value->name.text);
  if (!binding || binding->kind != DSP_BOUND_CONST) return false;
  *number = binding->number;
  return true;
}

/// -D of a dim that is made of other names: what is computed from those would
/// keep its old number.
static bool follows(DspSema *s, DspName name, const DspExpr *value,
                    bool of_const) {
  DspDiag *diag = dsp_sema_error(
      s, DSP_E0307, name.range, "-D %.*s: its size follows from %s",
      DSP_FMT(name.text), of_const ? "a const" : "other dims");
  if (of_const)
    dsp_help(s->diags, diag, "set the const: -D %.*s=..",
             DSP_FMT(value->name.text));
  else
    dsp_help(s->diags, diag, "set the dims that it is made of");
  return false;
}

static bool make_dim(DspSema *s, DspName name, const DspExpr *value,
                     DspModelDim *dim) {
  DspStr define = dsp_defined(s, name);
  double number;
  bool plain = is_number(s, value, &number);
  if (define.data && value->kind != DSP_EXPR_NUMBER)
    return follows(s, name, value, plain);
  if (define.data) return define_size(s, name, define, &dim->size);
  if (plain) {
    dim->size = size_of(number);
    return dim->size || bad_size(s, value->range);
  }
  if (has_sum(value)) return make_sum(s, value, dim);
  dim->kind = DSP_DIM_PRODUCT;
  return read_whole(s, value, &dim->factors, &dim->size);
}

void dsp_declare_dim(DspSema *s, DspName name, const DspExpr *value) {
  if (dsp_is_taken(s, name)) return;
  DspModelDim dim = {.name = name.text, .range = name.range};
  if (!make_dim(s, name, value, &dim)) {
    dsp_bind(s, name, DSP_BOUND_ERROR);
    return;
  }
  uint32_t id = add_dim(s, dim);
  DspBinding *binding = dsp_bind(s, name, DSP_BOUND_DIM);
  binding->dim = id;
  binding->atoms = s->model->dims[id].factors;
}

bool dsp_parse_element(DspStr name, DspElement *element) {
  static const char *const names[] = {"f32", "bf16", "f16", "i32"};
  for (int i = 0; i < 4; i++)
    if (dsp_str_equal_c(name, names[i])) {
      *element = (DspElement)i;
      return true;
    }
  return false;
}

void dsp_no_element(DspSema *s, DspRange range, DspStr name) {
  DspDiag *diag = dsp_sema_error(s, DSP_E0305, range,
                                 "'%.*s' is no element type", DSP_FMT(name));
  dsp_help(s->diags, diag, "element types are f32, bf16, f16 and i32");
}

bool dsp_read_element(DspSema *s, DspName name, DspElement *element) {
  if (dsp_parse_element(name.text, element)) return true;
  DspBinding *binding = dsp_lookup(s, name.text);
  if (binding && binding->kind == DSP_BOUND_ERROR) return false;
  if (binding && binding->kind == DSP_BOUND_TYPE) {
    *element = binding->element;
    return true;
  }
  dsp_no_element(s, name.range, name.text);
  return false;
}

/// One dim of a type; `B = 2` declares it.
static bool read_type_dim(DspSema *s, const DspExpr *dim, bool allow_inline,
                          DspAtoms *atoms, int64_t *size) {
  DspExpr name = {.kind = DSP_EXPR_NAME, .range = dim->range};
  if (dim->kind == DSP_EXPR_NAMED && !allow_inline) {
    DspDiag *diag =
        dsp_sema_error(s, DSP_E0506, dim->range,
                       "a param cannot declare dim '%.*s': inputs and the "
                       "model can",
                       DSP_FMT(dim->name.text));
    dsp_help(s->diags, diag, "declare it in the model: dim %.*s = ..",
             DSP_FMT(dim->name.text));
    return false;
  }
  if (dim->kind == DSP_EXPR_NAMED) {
    size_t errors = s->diags->reported;
    dsp_declare_dim(s, dim->name, dim->items[0]);
    if (s->diags->reported != errors) return false;
    name.name = dim->name;
    dim = &name;
  }
  return read_whole(s, dim, atoms, size) &&
         dsp_atoms_distinct(s, dim->range, atoms, "one value");
}

bool dsp_read_type(DspSema *s, const DspTypeSyntax *syntax, bool allow_inline,
                   DspValueType *type, int64_t **file, size_t *nfile,
                   bool *has_element) {
  *has_element = syntax->element.text.length > 0;
  if (*has_element && !dsp_read_element(s, syntax->element, &type->element))
    return false;
  type->atoms = (DspAtoms){0};
  *file = dsp_arena_alloc(s->arena, (syntax->ndims + 1) * sizeof **file);
  *nfile = 0;
  for (size_t i = 0; i < syntax->ndims; i++) {
    int64_t size;
    if (!read_type_dim(s, syntax->dims[i], allow_inline, &type->atoms, &size))
      return false;
    (*file)[(*nfile)++] = size;
  }
  return true;
}
