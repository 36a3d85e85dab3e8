// Ops that compute the same are one; what nobody reads goes, but inputs stay.
// RUN: dsp-opt %s -passes=merge-equal-ops | FileCheck %s

!x = tensor<4x8xf32, {dims = ["T", "C"]}>
!w = tensor<8xf32, {dims = ["C"]}>

// CHECK-LABEL: func.func @model
// CHECK: %[[X:.*]] = "dsp.input"() {name = "x"
// CHECK: "dsp.input"() {name = "unread"
// CHECK: %[[W:.*]] = "dsp.param"() {{.*}}path = "w"
// CHECK-NOT: path = "w"
// CHECK-NOT: path = "lost"
// CHECK: %[[N:.*]] = "dsp.rms_norm"(%[[X]], %[[W]]) {eps = 1.0
// The same op with another eps is another op.
// CHECK-NEXT: %[[M:.*]] = "dsp.rms_norm"(%[[X]], %[[W]]) {eps = 2.0
// CHECK-NEXT: %[[S:.*]] = "dsp.map"(%[[N]], %[[N]])
// CHECK-NEXT: "dsp.map"(%[[S]], %[[M]])
module attributes {dsp.dims = [{name = "T", size = 4 : i64}, {name = "C", size = 8 : i64}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> !x
    %u = "dsp.input"() {name = "unread", stage = 0 : i64} : () -> !x
    %w = "dsp.param"() {path = "w", rel = "w", file_shape = [8], stage = 0 : i64} : () -> !w
    %again = "dsp.param"() {path = "w", rel = "w", file_shape = [8], stage = 0 : i64} : () -> !w
    %lost = "dsp.param"() {path = "lost", rel = "lost", file_shape = [8], stage = 0 : i64} : () -> !w
    %a = "dsp.rms_norm"(%x, %w) {over = ["C"], eps = 1.0 : f64, stage = 0 : i64} : (!x, !w) -> !x
    %b = "dsp.rms_norm"(%x, %again) {over = ["C"], eps = 1.0 : f64, stage = 0 : i64} : (!x, !w) -> !x
    %c = "dsp.rms_norm"(%x, %w) {over = ["C"], eps = 2.0 : f64, stage = 0 : i64} : (!x, !w) -> !x
    %s = "dsp.map"(%a, %b) {operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, expr = ["add", 0, 1], stage = 0 : i64} : (!x, !x) -> !x
    %o = "dsp.map"(%s, %c) {operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, expr = ["mul", 0, 1], stage = 0 : i64} : (!x, !x) -> !x
    "dsp.output"(%o) {name = "o", file_shape = [4, 8], stage = 0 : i64} : (!x) -> ()
    return
  }
}
