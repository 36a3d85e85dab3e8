// Pins that no plan can follow.
// RUN: dsp-opt %s -split-input-file -verify-diagnostics -passes='plan-shards{ranks=2}'

!x = tensor<4x6x8xf32, {dims = ["T", "S", "D"]}>
module attributes {dsp.dims = [{name = "T", size = 4 : i64}, {name = "S", size = 6 : i64}, {name = "D", size = 8 : i64}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> !x
    // expected-error@+1 {{this op cannot be cut on the dim of its pin}}
    %n = "dsp.rms_norm"(%x) {over = ["D"], eps = 1.0 : f64, stage = 0 : i64} : (!x) -> !x
    %p = "dsp.pin"(%n) {on = "D", stage = 0 : i64} : (!x) -> !x
    "dsp.output"(%p) {name = "o", file_shape = [4, 6, 8], stage = 0 : i64} : (!x) -> ()
    return
  }
}

// -----

!x = tensor<4x6x8xf32, {dims = ["T", "S", "D"]}>
module attributes {dsp.dims = [{name = "T", size = 4 : i64}, {name = "S", size = 6 : i64}, {name = "D", size = 8 : i64}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> !x
    %p = "dsp.pin"(%x) {on = "T", stage = 0 : i64} : (!x) -> !x
    // expected-error@+1 {{the pins of this model contradict each other}}
    %q = "dsp.pin"(%p) {on = "S", stage = 0 : i64} : (!x) -> !x
    "dsp.output"(%q) {name = "o", file_shape = [4, 6, 8], stage = 0 : i64} : (!x) -> ()
    return
  }
}
