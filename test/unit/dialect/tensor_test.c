// tensor_test.c - types, local shapes and places of the dialect, from C.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <mlir-c/BuiltinAttributes.h>
#include <mlir-c/BuiltinTypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dspc/dialect/diagnostics.h"
#include "dspc/dialect/dialect.h"
#include "dspc/dialect/verify.h"

static MlirStringRef str(const char *text) {
  return mlirStringRefCreateFromCString(text);
}

static int create_context(void **state) {
  static MlirContext context;
  context = dsp_context_create();
  *state = &context;
  return mlirContextIsNull(context);
}

static int destroy_context(void **state) {
  mlirContextDestroy(*(MlirContext *)*state);
  return 0;
}

/// f32[B, H, T, D] of sizes 2, 3, 7, 5.
static DspTensorInfo example(MlirContext context) {
  return (DspTensorInfo){.element = mlirF32TypeGet(context),
                         .ndims = 4,
                         .sizes = {2, 3, 7, 5},
                         .dims = {str("B"), str("H"), str("T"), str("D")}};
}

static void test_round_trip(void **state) {
  MlirContext context = *(MlirContext *)*state;
  DspTensorInfo info = example(context), back;
  info.naxes = 2;
  info.layout[0] = str("T");
  info.layout[1] = str("*");
  MlirType type = dsp_tensor_type(context, &info);
  MlirType parsed = mlirTypeParseGet(
      context, str("tensor<2x3x7x5xf32, {dims = [\"B\", \"H\", \"T\", \"D\"], "
                   "layout = [\"T\", \"*\"]}>"));
  assert_true(mlirTypeEqual(type, parsed));
  assert_true(dsp_tensor_read(type, &back));
  assert_int_equal(back.ndims, 4);
  assert_int_equal(back.naxes, 2);
  assert_int_equal(back.sizes[2], 7);
  assert_int_equal(dsp_tensor_find(&back, str("T")), 2);
  assert_int_equal(dsp_tensor_find(&back, str("X")), -1);
  assert_int_equal(dsp_tensor_elements(&back), 210);
  assert_true(mlirTypeEqual(dsp_tensor_type(context, &back), type));
}

static void test_layout(void **state) {
  MlirContext context = *(MlirContext *)*state;
  DspTensorInfo info = example(context);
  MlirType bare = dsp_tensor_type(context, &info);
  assert_int_equal(dsp_tensor_layout(bare).length, 0);
  MlirType cut = dsp_tensor_with_layout(bare, str("T"));
  assert_true(mlirStringRefEqual(dsp_tensor_layout(cut), str("T")));
  MlirType whole = dsp_tensor_with_layout(cut, str("*"));
  assert_true(mlirStringRefEqual(dsp_tensor_layout(whole), str("*")));
  MlirType again = dsp_tensor_with_layout(cut, mlirStringRefCreate(NULL, 0));
  assert_true(mlirTypeEqual(again, bare));
}

static void test_other_types(void **state) {
  static const char *const types[] = {
      "f32",
      "tensor<*xf32>",
      "tensor<2xf32>",
      "tensor<?xf32, {dims = [\"B\"]}>",
      "tensor<2xf32, {dims = [\"B\", \"C\"]}>",
      "tensor<2xf32, {dims = [\"B\"], shard = \"B\"}>",
      "tensor<2xf32, {dims = [1]}>",
      "tensor<2xf32, {dims = [\"B\"], layout = []}>",
      "tensor<2xf32, \"B\">",
  };
  MlirContext context = *(MlirContext *)*state;
  DspTensorInfo info;
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
    MlirType type = mlirTypeParseGet(context, str(types[i]));
    assert_false(mlirTypeIsNull(type));
    assert_false(dsp_tensor_read(type, &info));
  }
}

static void test_local_shape(void **state) {
  MlirContext context = *(MlirContext *)*state;
  MlirAttribute dims = mlirAttributeParseGet(
      context, str("[{name = \"B\", size = 2}, {name = \"H\", size = 3}, "
                   "{name = \"T\", size = 7}, {name = \"D\", size = 5}, "
                   "{name = \"HT\", size = 21, factors = [\"H\", \"T\"]}]"));
  DspTensorInfo info = example(context);
  MlirType bare = dsp_tensor_type(context, &info);
  DspLocalShape shape;
  assert_true(
      dsp_local_shape(dims, dsp_tensor_with_layout(bare, str("T")), &shape));
  assert_int_equal(shape.ndims, 4);
  assert_true(shape.dims[2].cut);
  assert_int_equal(dsp_local_bytes(&shape, dsp_mesh_row(4)), 2 * 3 * 2 * 5 * 4);
  assert_true(
      dsp_local_shape(dims, dsp_tensor_with_layout(bare, str("HT")), &shape));
  assert_int_equal(shape.ndims, 3);
  assert_int_equal(shape.dims[1].first, 1);
  assert_int_equal(shape.dims[1].count, 2);
  assert_int_equal(dsp_local_bytes(&shape, dsp_mesh_row(4)), 2 * 6 * 5 * 4);
  assert_false(
      dsp_local_shape(dims, dsp_tensor_with_layout(bare, str("S")), &shape));
}

static MlirType with_layouts(MlirType type, const char *outer,
                             const char *inner) {
  DspTensorInfo info;
  assert_true(dsp_tensor_read(type, &info));
  info.naxes = 2;
  info.layout[0] = str(outer);
  info.layout[1] = str(inner);
  return dsp_tensor_type(mlirTypeGetContext(type), &info);
}

/// Axis 1 cuts what axis 0 leaves: of 7, axis 0 of 2 x 3 ranks leaves 4, and
/// axis 1 of these 2.
static void test_local_shape_on_a_mesh(void **state) {
  MlirContext context = *(MlirContext *)*state;
  MlirAttribute dims = mlirAttributeParseGet(
      context, str("[{name = \"B\", size = 2}, {name = \"H\", size = 3}, "
                   "{name = \"T\", size = 7}, {name = \"D\", size = 5}, "
                   "{name = \"HT\", size = 21, factors = [\"H\", \"T\"]}]"));
  DspMesh mesh = {2, {2, 3}};
  DspTensorInfo info = example(context);
  MlirType bare = dsp_tensor_type(context, &info);
  DspLocalShape shape;
  assert_true(dsp_local_shape(dims, with_layouts(bare, "T", "T"), &shape));
  assert_int_equal(shape.ndims, 4);
  assert_int_equal(shape.dims[2].cut, 3);
  assert_int_equal(dsp_local_bytes(&shape, mesh), 2 * 3 * 2 * 5 * 4);
  assert_true(dsp_local_shape(dims, with_layouts(bare, "D", "HT"), &shape));
  assert_int_equal(shape.ndims, 3);
  assert_int_equal(shape.dims[1].cut, 2);
  assert_int_equal(shape.dims[2].cut, 1);
  assert_int_equal(dsp_local_bytes(&shape, mesh), 2 * 7 * 3 * 4);
  assert_true(dsp_local_shape(dims, with_layouts(bare, "*", "+"), &shape));
  assert_int_equal(shape.partial, 2);
  assert_false(dsp_local_shape(dims, with_layouts(bare, "HT", "T"), &shape));
}

static void test_parts(void **state) {
  (void)state;
  for (int64_t size = 0; size < 40; size++)
    for (int64_t ranks = 1; ranks < 10; ranks++) {
      int64_t begin = 0;
      for (int64_t rank = 0; rank < ranks; rank++) {
        assert_int_equal(dsp_part_begin(size, rank, ranks), begin);
        begin += dsp_part(size, rank, ranks);
      }
      assert_int_equal(begin, size);
      assert_true(dsp_part(size, 0, ranks) - dsp_part(size, ranks - 1, ranks) <=
                  1);
    }
}

static void test_long_arrays(void **state) {
  MlirContext context = *(MlirContext *)*state;
  int64_t numbers[300], back[300];
  for (int i = 0; i < 300; i++) numbers[i] = (int64_t)i * i;
  MlirAttribute array = dsp_attr_ints(context, 300, numbers);
  memset(back, 0, sizeof back);
  assert_int_equal(dsp_attr_read_ints(array, back, 100), 300);
  assert_int_equal(back[99], 99 * 99);
  assert_int_equal(back[100], 0);
}

static void test_places(void **state) {
  MlirContext context = *(MlirContext *)*state;
  MlirLocation at = mlirLocationFileLineColGet(context, str("a.dsp"), 4, 7);
  MlirLocation unknown = mlirLocationUnknownGet(context);
  MlirLocation named = mlirLocationNameGet(context, str("x"), at);
  MlirLocation call = mlirLocationCallSiteGet(named, unknown);
  MlirLocation parts[] = {unknown, call};
  MlirLocation fused =
      mlirLocationFusedGet(context, 2, parts, mlirAttributeGetNull());
  MlirStringRef file;
  int line, column;
  assert_false(dsp_location_place(unknown, &file, &line, &column));
  assert_true(dsp_location_place(fused, &file, &line, &column));
  assert_true(mlirStringRefEqual(file, str("a.dsp")));
  assert_int_equal(line, 4);
  assert_int_equal(column, 7);
}

static void test_sink(void **state) {
  MlirContext context = *(MlirContext *)*state;
  DspMlirSink sink;
  dsp_mlir_sink_attach(&sink, context);
  MlirModule module = mlirModuleCreateParse(
      context, str("module {\n  \"dsp.input\"() : () -> i32\n}"));
  dsp_mlir_sink_detach(&sink);
  assert_true(mlirModuleIsNull(module));
  assert_true(sink.nerrors >= 1);
  assert_int_equal(sink.messages[0].severity, MlirDiagnosticError);
  assert_int_equal(sink.messages[0].line, 2);
  assert_non_null(strstr(sink.messages[0].text, "attribute"));
  char *text = NULL;
  size_t length;
  FILE *out = open_memstream(&text, &length);
  dsp_mlir_sink_write(&sink, out);
  fclose(out);
  assert_non_null(strstr(text, ":2:3: error: "));
  free(text);
  dsp_mlir_sink_clear(&sink);
  assert_int_equal(sink.count, 0);
}

static void test_op_names(void **state) {
  (void)state;
  assert_string_equal(dsp_op_name(DSP_OP_LINEAR), "dsp.linear");
  assert_true(dsp_op_changes_layout(DSP_OP_SHARD));
  assert_false(dsp_op_changes_layout(DSP_OP_COPY));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_round_trip),  cmocka_unit_test(test_layout),
      cmocka_unit_test(test_other_types), cmocka_unit_test(test_local_shape),
      cmocka_unit_test(test_local_shape_on_a_mesh),
      cmocka_unit_test(test_parts),       cmocka_unit_test(test_long_arrays),
      cmocka_unit_test(test_places),      cmocka_unit_test(test_sink),
      cmocka_unit_test(test_op_names),
  };
  return cmocka_run_group_tests(tests, create_context, destroy_context);
}
