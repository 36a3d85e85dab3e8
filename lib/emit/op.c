// op.c - the texts that the calls of most ops are made of.
#include "op.h"

const DspAccess *dsp_operand(DspEmitter *e, MlirOperation op, intptr_t i) {
  return dsp_placed(e, mlirOperationGetOperand(op, i));
}

const char *dsp_argument(DspEmitter *e, const DspAccess *a) {
  return dsp_access_pointer(&e->dims, a);
}

const char *dsp_product_text(DspEmitter *e, MlirAttribute names) {
  DspExtent extent = dsp_extent_one();
  for (intptr_t i = 0; i < mlirArrayAttrGetNumElements(names); i++) {
    const DspDimNames *dim = dsp_dim_names(
        &e->dims, mlirStringAttrGetValue(mlirArrayAttrGetElement(names, i)));
    DspExtent one = {.number = dim->size, .count = 1, .dims = {dim}};
    extent = dsp_extent_times(extent, one);
  }
  return dsp_extent_text(&e->dims, extent);
}

bool dsp_is_in(MlirAttribute names, MlirStringRef name) {
  for (intptr_t i = 0; i < mlirArrayAttrGetNumElements(names); i++)
    if (mlirStringRefEqual(
            mlirStringAttrGetValue(mlirArrayAttrGetElement(names, i)), name))
      return true;
  return false;
}

void dsp_unsupported(DspEmitter *e, MlirOperation op, const char *what) {
  mlirEmitError(mlirOperationGetLocation(op), what);
  e->failed = true;
}

const DspAxis *dsp_axis_like(const DspAccess *a, const DspAxis *axis) {
  for (size_t i = 0; i < a->naxes; i++)
    if (a->axes[i].dim == axis->dim && a->axes[i].cut == axis->cut)
      return &a->axes[i];
  return NULL;
}

const char *dsp_stride_text(DspEmitter *e, const DspAccess *a,
                               const DspAxis *axis) {
  const DspAxis *own = dsp_axis_like(a, axis);
  return own ? dsp_extent_text(&e->dims, own->stride) : "0";
}

const char *dsp_leaving_text(DspEmitter *e, MlirOperation op) {
  MlirAttribute bytes = dsp_get(op, "bytes");
  long long least = INT64_MAX, most = 0;
  for (intptr_t i = 0; i < mlirArrayAttrGetNumElements(bytes); i++) {
    long long rank =
        mlirIntegerAttrGetValueInt(mlirArrayAttrGetElement(bytes, i));
    if (rank < least) least = rank;
    if (rank > most) most = rank;
  }
  return least == most
             ? dsp_format(e->arena, "%lld bytes leave each rank", most)
             : dsp_format(e->arena, "%lld to %lld bytes leave a rank", least,
                          most);
}
