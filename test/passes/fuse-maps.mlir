// A chain of elementwise ops is one op; what two ops read stays, and so does
// what is dear to compute again for a broadcast.
// RUN: dsp-opt %s -passes=fuse-maps | FileCheck %s

!x = tensor<4x8xf32, {dims = ["T", "C"], layout = ["T"]}>
!c = tensor<8xf32, {dims = ["C"], layout = ["*"]}>

// CHECK-LABEL: func.func @model
// CHECK: %[[X:.*]] = "dsp.input"
// CHECK: %[[W:.*]] = "dsp.param"
// CHECK: %[[TWICE:.*]] = "dsp.map"(%[[X]]) {expr = ["gelu", 0]
// CHECK-NEXT: %[[DEAR:.*]] = "dsp.map"(%[[W]]) {expr = ["exp", ["gelu", ["silu", 0]]]
// CHECK-NEXT: "dsp.map"(%[[TWICE]], %[[W]], %[[DEAR]]) {expr = ["mul", ["add", ["mul", 0, ["add", 1.000000e+00, 1]], 0], 2]
// CHECK-NOT: "dsp.map"
module attributes {dsp.ranks = 2 : i64, dsp.dims = [{name = "T", size = 4 : i64}, {name = "C", size = 8 : i64}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> !x
    %w = "dsp.param"() {path = "w", rel = "w", file_shape = [8], stage = 0 : i64} : () -> !c
    %g = "dsp.map"(%x) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, expr = ["gelu", 0], stage = 0 : i64} : (!x) -> !x
    %one = "dsp.map"(%w) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, expr = ["add", 1.0 : f64, 0], stage = 0 : i64} : (!c) -> !c
    %a = "dsp.map"(%g, %one) {operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, expr = ["mul", 0, 1], stage = 0 : i64} : (!x, !c) -> !x
    %b = "dsp.map"(%a, %g) {operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, expr = ["add", 0, 1], stage = 0 : i64} : (!x, !x) -> !x
    %d = "dsp.map"(%w) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, expr = ["silu", 0], stage = 0 : i64} : (!c) -> !c
    %e = "dsp.map"(%d) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, expr = ["gelu", 0], stage = 0 : i64} : (!c) -> !c
    %f = "dsp.map"(%e) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, expr = ["exp", 0], stage = 0 : i64} : (!c) -> !c
    %o = "dsp.map"(%b, %f) {operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, expr = ["mul", 0, 1], stage = 0 : i64} : (!x, !c) -> !x
    "dsp.output"(%g) {name = "g", file_shape = [4, 8], stage = 0 : i64} : (!x) -> ()
    "dsp.output"(%o) {name = "o", file_shape = [4, 8], stage = 0 : i64} : (!x) -> ()
    return
  }
}
