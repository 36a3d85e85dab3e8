// Attention reads views of outer dims in place; a linear gets a copy, and so
// does attention when any view on the way took a part of the innermost dim.
// RUN: dsp-opt %s -passes=materialize-views | FileCheck %s

!p = tensor<3x4x8xf32, {dims = ["K", "T", "D"], layout = ["*"]}>
!q = tensor<4x8x3xf32, {dims = ["T", "D", "K"], layout = ["*"]}>
!r = tensor<2x4x8x3xf32, {dims = ["M", "T", "D", "K"], layout = ["*"]}>
!s = tensor<2x4x8xf32, {dims = ["M", "T", "D"], layout = ["*"]}>
!x = tensor<4x8xf32, {dims = ["T", "D"], layout = ["*"]}>
!w = tensor<8x8xf32, {dims = ["D", "D"], layout = ["*"]}>

// CHECK-LABEL: func.func @model
// CHECK: %[[OUTER:.*]] = "dsp.slice"{{.*}}dim = "K"{{.*}}name = "outer"
// CHECK: %[[COPY:.*]] = "dsp.copy"(%[[OUTER]])
// CHECK: %[[DEEP:.*]] = "dsp.slice"{{.*}}dim = "K"{{.*}}name = "deep"
// CHECK: %[[DEEPER:.*]] = "dsp.slice"(%[[DEEP]]){{.*}}dim = "M"
// CHECK: %[[DENSE:.*]] = "dsp.copy"(%[[DEEPER]])
// CHECK: "dsp.attention"(%[[OUTER]], %[[OUTER]], %[[DENSE]])
// CHECK: "dsp.linear"(%[[COPY]],
module attributes {dsp.ranks = 1 : i64, dsp.dims = [{name = "K", size = 3 : i64}, {name = "M", size = 2 : i64}, {name = "T", size = 4 : i64}, {name = "D", size = 8 : i64}]} {
  func.func @model() {
    %p = "dsp.input"() {name = "p", stage = 0 : i64} : () -> !p
    %r = "dsp.input"() {name = "r", stage = 0 : i64} : () -> !r
    %w = "dsp.param"() {path = "w", rel = "w", file_shape = [8, 8], stage = 0 : i64} : () -> !w
    %a = "dsp.slice"(%p) {dim = "K", start = 1 : i64, size = 1 : i64, name = "outer", stage = 0 : i64} : (!p) -> !x
    %b = "dsp.slice"(%r) {dim = "K", start = 0 : i64, size = 1 : i64, name = "deep", stage = 0 : i64} : (!r) -> !s
    %c = "dsp.slice"(%b) {dim = "M", start = 1 : i64, size = 1 : i64, name = "deeper", stage = 0 : i64} : (!s) -> !x
    %t = "dsp.attention"(%a, %a, %c) {over = ["T"], dot = ["D"], scale = 1.0 : f64, stage = 0 : i64} : (!x, !x, !x) -> !x
    %l = "dsp.linear"(%a, %w) {contract = ["D"], out = ["D"], stage = 0 : i64} : (!x, !w) -> !x
    %o = "dsp.map"(%t, %l) {operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, expr = ["add", 0, 1], stage = 0 : i64} : (!x, !x) -> !x
    "dsp.output"(%o) {name = "o", file_shape = [4, 8], stage = 0 : i64} : (!x) -> ()
    return
  }
}
