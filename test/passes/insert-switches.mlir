// Every change of layout is an op in front of its first reader, with its bytes
// and its reason; a second reader in the same layout reads the same value.
// RUN: dsp-opt %s -passes='plan-shards{ranks=2},insert-switches' | FileCheck %s

!x = tensor<4x6x8xf32, {dims = ["T", "S", "D"]}>
!m = tensor<6x8xf32, {dims = ["S", "D"]}>

// CHECK-LABEL: func.func @model
// CHECK: %[[A:.*]] = "dsp.attention"{{.*}}over = ["S"]
// CHECK: %[[C:.*]] = "dsp.all_to_all"(%[[A]]) {bytes = [192, 192], name = "a_S", reason = "attention at line {{[0-9]+}} needs T whole"
// CHECK-SAME: layout = ["T"]}>) -> {{.*}}layout = ["S"]}>
// CHECK: %[[B:.*]] = "dsp.attention"(%[[C]], %[[C]], %[[C]])
// CHECK: "dsp.map"(%[[C]], %[[B]])
// A mean over the dim that is cut: partial sums, then one reduce-scatter.
// CHECK-NOT: "dsp.all_to_all"
// CHECK-NOT: needs
// CHECK-NOT: conversions
module attributes {dsp.dims = [{name = "T", size = 4 : i64}, {name = "S", size = 6 : i64}, {name = "D", size = 8 : i64}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> !x
    %n = "dsp.rms_norm"(%x) {over = ["D"], eps = 1.0 : f64, stage = 0 : i64} : (!x) -> !x
    %a = "dsp.attention"(%n, %n, %n) {over = ["S"], dot = ["D"], scale = 1.0 : f64, name = "a", stage = 0 : i64} : (!x, !x, !x) -> !x
    %b = "dsp.attention"(%a, %a, %a) {over = ["T"], dot = ["D"], scale = 1.0 : f64, stage = 0 : i64} : (!x, !x, !x) -> !x
    %c = "dsp.map"(%a, %b) {operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, expr = ["add", 0, 1], stage = 0 : i64} : (!x, !x) -> !x
    "dsp.output"(%c) {name = "o", file_shape = [4, 6, 8], stage = 0 : i64} : (!x) -> ()
    return
  }
}
