// shape.c - where the elements of a value lie, as C text and as numbers.
#include "shape.h"

#include <mlir-c/BuiltinAttributes.h>
#include <mlir-c/BuiltinTypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dspc/support/bug.h"

const char *dsp_format(DspArena *arena, const char *format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int length = vsnprintf(NULL, 0, format, args);
  va_end(args);
  char *out = dsp_arena_alloc(arena, (size_t)length + 1);
  vsnprintf(out, (size_t)length + 1, format, again);
  va_end(again);
  return out;
}

const DspDimNames *dsp_dim_names(const DspEmitDims *dims, MlirStringRef name) {
  for (size_t i = 0; i < dims->count; i++)
    if (mlirStringRefEqual(dims->names[i].name, name)) return &dims->names[i];
  dsp_bug("dsp.dims has no '%.*s'", (int)name.length, name.data);
}

DspExtent dsp_extent_one(void) { return (DspExtent){.number = 1}; }

const char *dsp_part_text(const DspEmitDims *dims, const DspDimNames *dim,
                          DspAxes cut, bool begin) {
  const char *word = begin ? "begin" : "part", *n = dim->size_name;
  if (dims->mesh.naxes == 1)
    return dsp_format(dims->arena, "dsprt_%s(%s, run->rank, run->ranks)", word,
                      n);
  if (cut == DSP_CUTS - 1)
    return dsp_format(dims->arena, "dsprt_mesh_%s(run, %s)", word, n);
  return dsp_format(dims->arena, "dsprt_axis_%s(run, %u, %s)", word, cut >> 1,
                    n);
}

static DspExtent extent_of_dim(const DspDimNames *dim, DspAxes cut) {
  DspExtent extent = {.number = cut ? 1 : dim->size, .count = 1};
  extent.dims[0] = dim;
  extent.cut[0] = cut;
  return extent;
}

DspExtent dsp_extent_times(DspExtent a, DspExtent b) {
  a.number *= b.number;
  for (size_t i = 0; i < b.count; i++) {
    if (a.count == DSP_MAX_RANK) dsp_bug("too many dims in one extent");
    a.dims[a.count] = b.dims[i];
    a.cut[a.count++] = b.cut[i];
  }
  return a;
}

/// Is there the same part of the same dim?
static bool has_part(const DspExtent *extent, const DspExtent *of, size_t at) {
  for (size_t i = 0; i < extent->count; i++)
    if (extent->cut[i] == of->cut[at] && extent->dims[i] == of->dims[at])
      return true;
  return false;
}

bool dsp_extent_equal(DspExtent a, DspExtent b) {
  if (a.number != b.number) return false;
  for (size_t i = 0; i < a.count; i++)
    if (a.cut[i] && !has_part(&b, &a, i)) return false;
  for (size_t i = 0; i < b.count; i++)
    if (b.cut[i] && !has_part(&a, &b, i)) return false;
  return true;
}

bool dsp_extent_is_one(DspExtent a) {
  for (size_t i = 0; i < a.count; i++)
    if (a.cut[i]) return false;
  return a.number == 1;
}

DspExtent dsp_extent_of(const DspAxis *axes, size_t count) {
  DspExtent extent = dsp_extent_one();
  for (size_t i = 0; i < count; i++)
    extent = dsp_extent_times(extent, axes[i].extent);
  return extent;
}

/// The longest product that dims[at ..] of the extent spell, or NULL.
static const DspDimNames *folded(const DspEmitDims *dims,
                                 const DspExtent *extent, size_t at,
                                 size_t *length) {
  const DspDimNames *best = NULL;
  *length = 1;
  for (size_t d = 0; d < dims->count; d++) {
    MlirAttribute factors = dims->names[d].factors;
    if (mlirAttributeIsNull(factors)) continue;
    size_t n = (size_t)mlirArrayAttrGetNumElements(factors), i = 0;
    if (n <= *length || at + n > extent->count) continue;
    while (i < n && !extent->cut[at + i] &&
           mlirStringRefEqual(extent->dims[at + i]->name,
                              mlirStringAttrGetValue(mlirArrayAttrGetElement(
                                  factors, (intptr_t)i))))
      i++;
    if (i < n) continue;
    best = &dims->names[d];
    *length = n;
  }
  return best;
}

/// Writes the dims of `extent`, folded, with `between` between them.
static const char *list_dims(const DspEmitDims *dims, const DspExtent *extent,
                             const char *between, size_t *words) {
  const char *text = "";
  *words = 0;
  for (size_t i = 0; i < extent->count;) {
    size_t length;
    const DspDimNames *product = folded(dims, extent, i, &length);
    const DspDimNames *dim = product ? product : extent->dims[i];
    DspAxes cut = extent->cut[i];
    const char *word = cut ? dim->part_name[cut] : dim->size_name;
    text = dsp_format(dims->arena, "%s%s%s", text, *words ? between : "", word);
    (*words)++;
    i += length;
  }
  return text;
}

const char *dsp_extent_text(const DspEmitDims *dims, DspExtent extent) {
  size_t words;
  const char *text = list_dims(dims, &extent, " * ", &words);
  if (extent.number > INT32_MAX) // dims are ints
    return dsp_format(dims->arena, "(int64_t)%s", text);
  return words ? text : "1";
}

const char *dsp_extent_factor(const DspEmitDims *dims, DspExtent extent) {
  size_t words;
  const char *text = list_dims(dims, &extent, " * ", &words);
  if (words == 0) return "1";
  if (extent.number > INT32_MAX)
    return dsp_format(dims->arena, "((int64_t)%s)", text);
  return words == 1 ? text : dsp_format(dims->arena, "(%s)", text);
}

const char *dsp_shape_text(const DspEmitDims *dims, const DspAccess *a) {
  DspExtent all = dsp_extent_of(a->axes, a->naxes);
  size_t words;
  return dsp_format(dims->arena, "[%s]", list_dims(dims, &all, ", ", &words));
}

const char *dsp_access_pointer(const DspEmitDims *dims, const DspAccess *a) {
  if (!a->offset) return a->base;
  return dsp_format(dims->arena, "%s + %s", a->base, a->offset);
}

static void read_axes(const DspEmitDims *dims, DspAccess *a) {
  a->naxes = a->shape.ndims;
  for (size_t i = 0; i < a->naxes; i++) {
    const DspLocalDim *dim = &a->shape.dims[i];
    const DspDimNames *names = dsp_dim_names(dims, dim->name);
    a->axes[i] = (DspAxis){.dim = names,
                           .extent = extent_of_dim(names, dim->cut),
                           .cut = dim->cut,
                           .first = dim->first,
                           .count = dim->count};
  }
}

static void set_row_major(DspAccess *a) {
  DspExtent stride = dsp_extent_one();
  for (size_t i = a->naxes; i-- > 0;) {
    a->axes[i].stride = stride;
    stride = dsp_extent_times(a->axes[i].extent, stride);
  }
}

DspAccess dsp_access(const DspEmitDims *dims, MlirType type, const char *base) {
  DspAccess a = {.base = base, .contiguous = true};
  if (!dsp_local_shape(dims->dims, type, &a.shape))
    dsp_bug("a type with a layout that it does not hold");
  read_axes(dims, &a);
  set_row_major(&a);
  a.span = 1;
  for (size_t i = 0; i < a.shape.natoms; i++) a.span *= a.shape.sizes[i];
  return a;
}

static int64_t common_divisor(int64_t a, int64_t b) {
  while (b) {
    int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

static const char *plus_offset(const DspEmitDims *dims, const DspAccess *a,
                               const char *more) {
  if (!a->offset) return more;
  return dsp_format(dims->arena, "%s + %s", a->offset, more);
}

DspAccess dsp_access_slice(const DspEmitDims *dims, const DspAccess *whole,
                           MlirStringRef dim, int64_t start, MlirType result) {
  DspAccess a = dsp_access(dims, result, whole->base);
  size_t slot = 0;
  while (slot < whole->naxes &&
         !mlirStringRefEqual(whole->axes[slot].dim->name, dim))
    slot++;
  if (slot == whole->naxes) dsp_bug("a slice of a dim that is cut or missing");
  size_t inside = a.naxes + 1 - whole->naxes; // axes in place of the sliced one
  for (size_t i = 0; i < slot; i++) a.axes[i].stride = whole->axes[i].stride;
  DspExtent stride = whole->axes[slot].stride;
  for (size_t i = slot + inside; i-- > slot;) {
    a.axes[i].stride = stride;
    stride = dsp_extent_times(a.axes[i].extent, stride);
  }
  for (size_t i = slot + inside; i < a.naxes; i++)
    a.axes[i].stride = whole->axes[i + 1 - inside].stride;
  a.contiguous = false;
  a.offset = whole->offset;
  a.span = whole->span;
  a.grain = common_divisor(whole->grain,
                           start * whole->axes[slot].stride.number);
  if (start == 0) return a;
  const char *text = dsp_extent_factor(dims, whole->axes[slot].stride);
  bool unit = dsp_extent_is_one(whole->axes[slot].stride);
  a.offset = plus_offset(
      dims, whole,
      unit ? dsp_format(dims->arena, "%lld", (long long)start)
           : start == 1
               ? text
               : dsp_format(dims->arena, "%lld * %s", (long long)start, text));
  return a;
}

/// Where this rank's part begins in what it has, which `had` cut already.
static const char *begin_text(const DspEmitDims *dims, const DspAxis *axis,
                              DspAxes had) {
  const char *begin = axis->dim->begin_name[axis->cut];
  if (!had) return begin;
  return dsp_format(dims->arena, "(%s - %s)", begin,
                    axis->dim->begin_name[had]);
}

/// The axis of `whole` that ends with the same atom.
static const DspAxis *axis_that_ends(const DspAccess *whole,
                                     const DspAxis *axis) {
  size_t k = 0, end = axis->first + axis->count;
  while (whole->axes[k].first + whole->axes[k].count != end) k++;
  return &whole->axes[k];
}

DspAccess dsp_access_shard(const DspEmitDims *dims, const DspAccess *whole,
                           MlirType result) {
  DspAccess a = dsp_access(dims, result, whole->base);
  a.offset = whole->offset;
  a.span = whole->span;
  a.grain = whole->grain;
  a.contiguous = false;
  for (size_t i = 0; i < a.naxes; i++) {
    const DspAxis *from = axis_that_ends(whole, &a.axes[i]);
    a.axes[i].stride = from->stride;
    if (a.axes[i].cut == from->cut) continue;
    const char *begin = begin_text(dims, &a.axes[i], from->cut);
    a.grain = common_divisor(a.grain, a.axes[i].stride.number);
    bool unit = dsp_extent_is_one(a.axes[i].stride);
    a.offset = plus_offset(
        dims, &a,
        unit ? begin
             : dsp_format(dims->arena, "%s * %s", begin,
                          dsp_extent_factor(dims, a.axes[i].stride)));
  }
  return a;
}

DspAccess dsp_access_rename(const DspEmitDims *dims, const DspAccess *x,
                            MlirType result) {
  DspAccess out = dsp_access(dims, result, x->base);
  out.offset = x->offset;
  out.contiguous = x->contiguous;
  out.grain = x->grain;
  out.span = x->span;
  for (size_t i = 0; i < out.naxes && !x->contiguous; i++)
    out.axes[i].stride = x->axes[i].stride;
  return out;
}
