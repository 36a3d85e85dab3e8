// The sharded dim of every op: a switch between attention over S and over T,
// paid once though two ops read it; uneven parts; a pin.
// RUN: dsp-opt %s -split-input-file -passes='plan-shards{ranks=2}' | FileCheck %s

!x = tensor<4x6x8xf32, {dims = ["T", "S", "D"]}>

// CHECK: dsp.certificate = {bound = 384 : i64, exact = true, optimum = 384 : i64
// CHECK-SAME: dsp.predicted_bytes = [192, 192]
// CHECK-SAME: dsp.ranks = 2
// CHECK-LABEL: func.func @model
// CHECK: "dsp.input"{{.*}} -> {{.*}}layout = ["T"]}>
// CHECK: "dsp.attention"{{.*}}over = ["S"]{{.*}} -> {{.*}}layout = ["T"]}>
// T x S x D x 4 bytes / 2 ranks, half of which stays: 192 bytes a rank.
// CHECK: "dsp.attention"{{.*}}conversions = [{bytes = [192, 192], from = "T", operand = 0 : i64, to = "S"}]{{.*}}needs = ["S", "S", "S"]{{.*}}over = ["T"]{{.*}} -> {{.*}}layout = ["S"]}>
// CHECK: "dsp.map"{{.*}}needs = ["S", "S"]{{.*}} -> {{.*}}layout = ["S"]}>
module attributes {dsp.dims = [{name = "T", size = 4 : i64}, {name = "S", size = 6 : i64}, {name = "D", size = 8 : i64}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> !x
    %n = "dsp.rms_norm"(%x) {over = ["D"], eps = 1.0 : f64, stage = 0 : i64} : (!x) -> !x
    %a = "dsp.attention"(%n, %n, %n) {over = ["S"], dot = ["D"], scale = 1.0 : f64, stage = 0 : i64} : (!x, !x, !x) -> !x
    %b = "dsp.attention"(%a, %a, %a) {over = ["T"], dot = ["D"], scale = 1.0 : f64, stage = 0 : i64} : (!x, !x, !x) -> !x
    %c = "dsp.map"(%a, %b) {operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, expr = ["add", 0, 1], stage = 0 : i64} : (!x, !x) -> !x
    "dsp.output"(%c) {name = "o", file_shape = [4, 6, 8], stage = 0 : i64} : (!x) -> ()
    return
  }
}

// -----

// 5 and 3 do not divide: rank 0 holds 3 of T and 2 of S.
!x = tensor<5x3x2xf32, {dims = ["T", "S", "D"]}>
// CHECK-LABEL: func.func @model
// CHECK: conversions = [{bytes = [24, 32], from = "T", operand = 0 : i64, to = "S"}]
module attributes {dsp.dims = [{name = "T", size = 5 : i64}, {name = "S", size = 3 : i64}, {name = "D", size = 2 : i64}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> !x
    %n = "dsp.rms_norm"(%x) {over = ["D"], eps = 1.0 : f64, stage = 0 : i64} : (!x) -> !x
    %a = "dsp.attention"(%n, %n, %n) {over = ["S"], dot = ["D"], scale = 1.0 : f64, stage = 0 : i64} : (!x, !x, !x) -> !x
    %b = "dsp.attention"(%a, %a, %a) {over = ["T"], dot = ["D"], scale = 1.0 : f64, stage = 0 : i64} : (!x, !x, !x) -> !x
    "dsp.output"(%b) {name = "o", file_shape = [5, 3, 2], stage = 0 : i64} : (!x) -> ()
    return
  }
}

// -----

// A pin is followed, and gone.
!x = tensor<4x6x8xf32, {dims = ["T", "S", "D"]}>
// CHECK: optimum = 0
// CHECK-LABEL: func.func @model
// CHECK: "dsp.input"{{.*}}layout = ["S"]}>
// CHECK-NOT: dsp.pin
// CHECK: "dsp.map"{{.*}}layout = ["S"]}>
module attributes {dsp.dims = [{name = "T", size = 4 : i64}, {name = "S", size = 6 : i64}, {name = "D", size = 8 : i64}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> !x
    %p = "dsp.pin"(%x) {on = "S", stage = 0 : i64} : (!x) -> !x
    %a = "dsp.map"(%p) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, expr = ["gelu", 0], stage = 0 : i64} : (!x) -> !x
    "dsp.output"(%a) {name = "o", file_shape = [4, 6, 8], stage = 0 : i64} : (!x) -> ()
    return
  }
}
