// A product of a GPU library does the GELU or the addition behind it; on CPUs,
// where a BLAS cannot, nothing changes.
// RUN: dsp-opt %s -split-input-file -passes=fuse-epilogues | FileCheck %s

!x = tensor<4x8xf32, {dims = ["T", "C"], layout = ["T"]}>
!w = tensor<8x8xf32, {dims = ["C", "C"], layout = ["*"]}>
!c = tensor<8xf32, {dims = ["C"], layout = ["*"]}>

// CHECK-LABEL: func.func @model
// CHECK: %[[X:.*]] = "dsp.input"
// CHECK: %[[W:.*]] = "dsp.param"
// CHECK: %[[B:.*]] = "dsp.param"
// CHECK: %[[F:.*]] = "dsp.fused_linear"(%[[X]], %[[W]], %[[B]]) {{.*}}epilogue = "gelu_tanh", name = "f"
// CHECK-NEXT: %[[Y:.*]] = "dsp.fused_linear"(%[[F]], %[[W]], %[[B]], %[[X]]) {{.*}}epilogue = "add"
// Without a bias, and read twice: left alone.
// CHECK-NEXT: %[[L:.*]] = "dsp.linear"(%[[Y]], %[[W]])
// CHECK-NEXT: %[[A:.*]] = "dsp.map"(%[[L]], %[[Y]])
// CHECK-NEXT: %[[M:.*]] = "dsp.linear"(%[[A]], %[[W]], %[[B]])
// CHECK-NEXT: "dsp.map"(%[[M]], %[[M]])
module attributes {dsp.target = "cuda", dsp.ranks = 2 : i64, dsp.dims = [{name = "T", size = 4 : i64}, {name = "C", size = 8 : i64}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> !x
    %w = "dsp.param"() {path = "w", rel = "w", file_shape = [8, 8], stage = 0 : i64} : () -> !w
    %b = "dsp.param"() {path = "b", rel = "b", file_shape = [8], stage = 0 : i64} : () -> !c
    %l = "dsp.linear"(%x, %w, %b) {contract = ["C"], out = ["C"], stage = 0 : i64} : (!x, !w, !c) -> !x
    %f = "dsp.map"(%l) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, expr = ["gelu_tanh", 0], name = "f", stage = 0 : i64} : (!x) -> !x
    %m = "dsp.linear"(%f, %w, %b) {contract = ["C"], out = ["C"], stage = 0 : i64} : (!x, !w, !c) -> !x
    %y = "dsp.map"(%x, %m) {operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, expr = ["add", 0, 1], stage = 0 : i64} : (!x, !x) -> !x
    %n = "dsp.linear"(%y, %w) {contract = ["C"], out = ["C"], stage = 0 : i64} : (!x, !w) -> !x
    %z = "dsp.map"(%n, %y) {operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, expr = ["add", 0, 1], stage = 0 : i64} : (!x, !x) -> !x
    %k = "dsp.linear"(%z, %w, %b) {contract = ["C"], out = ["C"], stage = 0 : i64} : (!x, !w, !c) -> !x
    %o = "dsp.map"(%k, %k) {operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, expr = ["mul", 0, 1], stage = 0 : i64} : (!x, !x) -> !x
    "dsp.output"(%o) {name = "o", file_shape = [4, 8], stage = 0 : i64} : (!x) -> ()
    return
  }
}

// -----

!x = tensor<4x8xf32, {dims = ["T", "C"], layout = ["T"]}>
!w = tensor<8x8xf32, {dims = ["C", "C"], layout = ["*"]}>
!c = tensor<8xf32, {dims = ["C"], layout = ["*"]}>
// CHECK-LABEL: func.func @model
// CHECK: "dsp.linear"
// CHECK-NEXT: "dsp.map"
module attributes {dsp.ranks = 2 : i64, dsp.dims = [{name = "T", size = 4 : i64}, {name = "C", size = 8 : i64}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> !x
    %w = "dsp.param"() {path = "w", rel = "w", file_shape = [8, 8], stage = 0 : i64} : () -> !w
    %b = "dsp.param"() {path = "b", rel = "b", file_shape = [8], stage = 0 : i64} : () -> !c
    %l = "dsp.linear"(%x, %w, %b) {contract = ["C"], out = ["C"], stage = 0 : i64} : (!x, !w, !c) -> !x
    %f = "dsp.map"(%l) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, expr = ["gelu_tanh", 0], stage = 0 : i64} : (!x) -> !x
    "dsp.output"(%f) {name = "o", file_shape = [4, 8], stage = 0 : i64} : (!x) -> ()
    return
  }
}
