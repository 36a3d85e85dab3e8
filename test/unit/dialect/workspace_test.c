// workspace_test.c - the compiler reserves what the runtime's header asks for.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <mlir-c/BuiltinAttributes.h>
#include <stdio.h>

#include "dspc/dialect/dialect.h"
#include "dspc/dialect/workspace.h"
#include "dsprt.h"

/// Bytes for the one op that is no parameter of `text`'s function.
static int64_t bytes_of(const char *text, DspMesh mesh) {
  MlirContext context = dsp_context_create();
  MlirModule module =
      mlirModuleCreateParse(context, mlirStringRefCreateFromCString(text));
  assert_false(mlirModuleIsNull(module));
  MlirOperation top = mlirModuleGetOperation(module);
  MlirAttribute dims = mlirOperationGetAttributeByName(
      top, mlirStringRefCreateFromCString("dsp.dims"));
  MlirOperation func = mlirBlockGetFirstOperation(mlirModuleGetBody(module));
  MlirOperation op = mlirBlockGetFirstOperation(
      mlirRegionGetFirstBlock(mlirOperationGetRegion(func, 0)));
  int64_t bytes = dsp_workspace_bytes(dims, op, mesh, false);
  mlirModuleDestroy(module);
  mlirContextDestroy(context);
  return bytes;
}

#define DIMS                                                           \
  "module attributes {dsp.dims = [{name = \"T\", size = 1500 : i64}, " \
  "{name = \"D\", size = 64 : i64}, {name = \"E\", size = 700 : i64}]} {\n"

typedef struct Text {
  char text[160];
} Text;

/// The type of `element` [a, b] in `layout`; T is 1500, D is 64, E is 700.
static Text type_of(const char *element, char a, char b, const char *layout) {
  int na = a == 'T' ? 1500 : 700, nb = b == 'D' ? 64 : 700;
  Text out;
  snprintf(out.text, sizeof out.text,
           "tensor<%dx%dx%s, {dims = [\"%c\", \"%c\"], layout = [\"%s\"]}>", na,
           nb, element, a, b, layout);
  return out;
}

static int64_t linear_bytes(const char *element, const char *layout,
                            int64_t ranks) {
  Text x = type_of(element, 'T', 'D', layout);
  Text w = type_of(element, 'E', 'D', "*");
  Text y = type_of(element, 'T', 'E', layout);
  char text[2048];
  snprintf(text, sizeof text,
           DIMS "func.func @model(%%x: %s, %%w: %s) {\n"
                "%%y = \"dsp.linear\"(%%x, %%w) {contract = [\"D\"], "
                "out = [\"E\"], stage = 0 : i64} : (%s, %s) -> %s\n"
                "return\n}\n}\n",
           x.text, w.text, x.text, w.text, y.text);
  return bytes_of(text, dsp_mesh_row(ranks));
}

/// From `from` to `layout`, entries of two axes joined as "+\", \"*".
static int64_t sum_bytes(const char *op, const char *from, const char *layout,
                         DspMesh mesh) {
  Text x = type_of("f32", 'T', 'D', from), y = type_of("f32", 'T', 'D', layout);
  char text[1024];
  snprintf(text, sizeof text,
           DIMS "func.func @model(%%x: %s) {\n"
                "%%y = \"dsp.%s\"(%%x) {reason = \"\", bytes = [], "
                "stage = 0 : i64} : (%s) -> %s\n"
                "return\n}\n}\n",
           x.text, op, x.text, y.text);
  return bytes_of(text, mesh);
}

static int64_t reduce_bytes(const char *op, const char *layout, int64_t ranks) {
  return sum_bytes(op, "+", layout, dsp_mesh_row(ranks));
}

static void test_linear(void **state) {
  (void)state;
  assert_int_equal(linear_bytes("f32", "T", 4), 0);
  assert_int_equal(linear_bytes("bf16", "*", 4),
                   dsprt_linear_workspace(1500, 64, 700));
  assert_int_equal(linear_bytes("bf16", "T", 7),
                   dsprt_linear_workspace(dsprt_part(1500, 0, 7), 64, 700));
}

static void test_reductions(void **state) {
  (void)state;
  for (int ranks = 1; ranks < 9; ranks++) {
    int64_t part = dsprt_part(1500, 0, ranks) * 64 * 4;
    assert_int_equal(reduce_bytes("reduce_scatter", "T", ranks), ranks * part);
    int64_t flat = dsprt_part(1500 * 64, 0, ranks) * 4;
    assert_int_equal(reduce_bytes("all_reduce", "*", ranks), ranks * flat);
  }
}

/// Sums go round one axis; the other one cuts what is summed.
static void test_sums_on_a_mesh(void **state) {
  const DspMesh mesh = {2, {2, 7}};
  int64_t rows = dsprt_part(1500, 0, 7);
  (void)state;
  assert_int_equal(sum_bytes("reduce_scatter", "+\", \"T", "D\", \"T", mesh),
                   2 * rows * 32 * 4);
  assert_int_equal(sum_bytes("reduce_scatter", "D\", \"+", "D\", \"T", mesh),
                   7 * rows * 32 * 4);
  assert_int_equal(sum_bytes("all_reduce", "+\", \"T", "*\", \"T", mesh),
                   2 * dsprt_part(rows * 64, 0, 2) * 4);
  assert_int_equal(sum_bytes("all_reduce", "+\", \"+", "+\", \"*", mesh),
                   7 * dsprt_part(1500 * 64, 0, 7) * 4);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_linear),
      cmocka_unit_test(test_reductions),
      cmocka_unit_test(test_sums_on_a_mesh),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
