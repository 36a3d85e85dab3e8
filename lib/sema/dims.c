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
    size *= s->model->dims[atoms->ids[i]].size;
  return size;
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

static bool append(DspSema *s, DspRange range, DspAtoms *atoms,
                   const DspAtoms *more) {
  if (atoms->count + more->count > DSP_MODEL_MAX_RANK) {
    dsp_sema_error(s, DSP_E0303, range, "more than %d dims",
                   DSP_MODEL_MAX_RANK);
    return false;
  }
  for (size_t i = 0; i < more->count; i++) dsp_atoms_add(atoms, more->ids[i]);
  return true;
}

static bool read_dim_name(DspSema *s, const DspExpr *expr, DspAtoms *atoms) {
  DspBinding *binding = dsp_need(s, expr->name, "dim");
  if (!binding || binding->kind == DSP_BOUND_ERROR) return false;
  if (binding->kind == DSP_BOUND_DIM) {
    return append(s, expr->range, atoms, &binding->atoms);
  }
  if (binding->kind == DSP_BOUND_CONST) {
    double n = binding->number;
    if (n < 1 || n > 1e12 || n != (double)(int64_t)n)
      return bad_size(s, expr->range);
    if (n != 1) dsp_atoms_add(atoms, integer_atom(s, (int64_t)n, expr->range));
    return true;
  }
  DspDiag *diag = dsp_sema_error(s, DSP_E0303, expr->range,
                                 "'%.*s' is not a dim", DSP_FMT(binding->name));
  dsp_note(s->diags, diag, binding->range, "it is declared here");
  return false;
}

bool dsp_read_dim(DspSema *s, const DspExpr *expr, DspAtoms *atoms) {
  if (expr->kind == DSP_EXPR_NAME) return read_dim_name(s, expr, atoms);
  if (expr->kind == DSP_EXPR_NUMBER) {
    if (!expr->is_integer || expr->number < 1 || expr->number > 1e12)
      return bad_size(s, expr->range);
    if (expr->number != 1)
      dsp_atoms_add(atoms,
                    integer_atom(s, (int64_t)expr->number, expr->range));
    return true;
  }
  if (expr->kind == DSP_EXPR_BINARY && expr->op == '*')
    return dsp_read_dim(s, expr->items[0], atoms) &&
           dsp_read_dim(s, expr->items[1], atoms);
  DspDiag *diag = dsp_sema_error(s, DSP_E0303, expr->range,
                                 "expected a dim or a product of dims");
  dsp_help(s->diags, diag,
           "declare a sum as a dim of its own: dim A = 1 + S");
  return false;
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
    DspAtoms one = {0};
    if (!dsp_read_dim(s, item, &one) || !append(s, item->range, atoms, &one))
      return false;
    if (file) file[(*nfile)++] = dsp_atoms_size(s, &one);
  }
  return true;
}

/// The value that -D gives to `name`, or NULL.
static const DspDefine *define_of(DspSema *s, DspStr name) {
  const DspDefine *found = NULL;
  for (size_t i = 0; i < s->ndefines; i++)
    if (dsp_str_equal(s->defines[i].name, name)) {
      s->define_used[i] = true;
      found = &s->defines[i];
    }
  return found;
}

static bool define_size(DspSema *s, DspName name, const DspDefine *define,
                        int64_t *size) {
  char text[32], *end;
  if (define->value.length >= sizeof text) return bad_size(s, name.range);
  memcpy(text, define->value.data, define->value.length);
  text[define->value.length] = '\0';
  *size = strtoll(text, &end, 10);
  if (*end || end == text || *size < 1 || *size > (1LL << 40)) {
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
  for (size_t i = 0; i < dim->nterms; i++)
    dim->size += dsp_atoms_size(s, &terms[i]);
  return true;
}

static bool make_dim(DspSema *s, DspName name, const DspExpr *value,
                     DspModelDim *dim) {
  const DspDefine *define = define_of(s, name.text);
  bool number = value->kind == DSP_EXPR_NUMBER;
  if (define && !number) {
    DspDiag *diag = dsp_sema_error(
        s, DSP_E0307, name.range,
        "-D %.*s: its size follows from other dims", DSP_FMT(name.text));
    dsp_help(s->diags, diag, "set the dims that it is made of");
    return false;
  }
  if (define) return define_size(s, name, define, &dim->size);
  if (number) {
    dim->size = (int64_t)value->number;
    return (value->is_integer && value->number >= 1 &&
            value->number <= 1e12) ||
           bad_size(s, value->range);
  }
  if (has_sum(value)) return make_sum(s, value, dim);
  dim->kind = DSP_DIM_PRODUCT;
  if (!dsp_read_dim(s, value, &dim->factors)) return false;
  dim->size = dsp_atoms_size(s, &dim->factors);
  return true;
}

void dsp_declare_dim(DspSema *s, DspName name, const DspExpr *value) {
  DspBinding *earlier = dsp_lookup(s, name.text);
  if (earlier) {
    DspDiag *diag =
        dsp_sema_error(s, DSP_E0302, name.range, "'%.*s' is declared twice",
                       DSP_FMT(name.text));
    dsp_note(s->diags, diag, earlier->range, "the first one is here");
    return;
  }
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

static bool read_element(DspSema *s, DspName name, DspElement *element) {
  if (dsp_parse_element(name.text, element)) return true;
  DspBinding *binding = dsp_lookup(s, name.text);
  if (binding && binding->kind == DSP_BOUND_TYPE) {
    *element = binding->element;
    return true;
  }
  DspDiag *diag =
      dsp_sema_error(s, DSP_E0305, name.range, "'%.*s' is no element type",
                     DSP_FMT(name.text));
  dsp_help(s->diags, diag, "element types are f32, bf16, f16 and i32");
  return false;
}

bool dsp_read_type(DspSema *s, const DspTypeSyntax *syntax, bool allow_inline,
                   DspValueType *type, int64_t **file, size_t *nfile,
                   bool *has_element) {
  *has_element = syntax->element.text.length > 0;
  if (*has_element && !read_element(s, syntax->element, &type->element))
    return false;
  type->atoms = (DspAtoms){0};
  *file = dsp_arena_alloc(s->arena, (syntax->ndims + 1) * sizeof **file);
  *nfile = 0;
  for (size_t i = 0; i < syntax->ndims; i++) {
    const DspExpr *dim = syntax->dims[i];
    DspAtoms one = {0};
    DspExpr name = {.kind = DSP_EXPR_NAME, .range = dim->range};
    if (dim->kind == DSP_EXPR_NAMED) {
      if (allow_inline) dsp_declare_dim(s, dim->name, dim->items[0]);
      name.name = dim->name;
      dim = &name;
    }
    if (!dsp_read_dim(s, dim, &one)) return false;
    for (size_t k = 0; k < one.count; k++)
      if (dsp_atoms_find(&type->atoms, one.ids[k]) >= 0) {
        dsp_sema_error(s, DSP_E0306, dim->range,
                       "dim '%.*s' stands twice in one value",
                       DSP_FMT(s->model->dims[one.ids[k]].name));
        return false;
      }
    if (!append(s, dim->range, &type->atoms, &one)) return false;
    (*file)[(*nfile)++] = dsp_atoms_size(s, &one);
  }
  return true;
}
