// What dsp-opt prints it reads again, and mlir-opt accepts it with the
// definition of the dialect.
// RUN: dsp-opt %s > %t.once
// RUN: dsp-opt %t.once | diff %t.once -
// RUN: FileCheck %s < %t.once
// RUN: dsp-opt --irdl > %t.irdl.mlir
// RUN: mlir-opt --irdl-file=%t.irdl.mlir %t.once > %t.mlir-opt
// RUN: dsp-opt %t.mlir-opt | diff %t.once -
// RUN: diff %t.irdl.mlir %source/lib/dialect/dsp.irdl.mlir

#x = {dims = ["B", "T", "S", "H", "D"]}

// CHECK: module attributes {dsp.dims = [
module attributes {
    dsp.model = "all_ops",
    dsp.dims = [
      {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
      {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
      {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
      {name = "C", size = 16 : i64, factors = ["H", "D"]},
      {name = "A", size = 5 : i64, terms = [[], ["S"]]},
      {name = "K", size = 2 : i64}],
    dsp.stages = [
      {name = "layer", path = "layer.{i}", args = "over S",
       loops = [{repeat = 0 : i64, var = "i", index = 0 : i64,
                 count = 2 : i64}]}]} {
  // CHECK: func.func @model()
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3x4x2x8xf32, #x>
    // CHECK: "dsp.param"() {file_shape = [48, 16], path = "layer.0.attn.qkv.weight", rel = "attn.qkv.weight", stage = 0 : i64}
    %w = "dsp.param"() {path = "layer.0.attn.qkv.weight", rel = "attn.qkv.weight", file_shape = [48, 16], stage = 0 : i64} : () -> tensor<3x2x8x2x8xf32, {dims = ["3", "H", "D", "H", "D"]}>
    %b = "dsp.param"() {path = "layer.0.attn.qkv.bias", rel = "attn.qkv.bias", file_shape = [48], stage = 0 : i64} : () -> tensor<3x2x8xf32, {dims = ["3", "H", "D"]}>
    %n = "dsp.param"() {path = "layer.0.norm.weight", rel = "norm.weight", file_shape = [16], stage = 0 : i64} : () -> tensor<2x8xf32, {dims = ["H", "D"]}>
    // CHECK: "dsp.layer_norm"(%{{.*}}, %{{.*}}) {eps = 1.000000e-05 : f64, name = "h", over = ["H", "D"], stage = 0 : i64}
    %h = "dsp.layer_norm"(%x, %n, %n) {over = ["H", "D"], eps = 1.0e-5 : f64, name = "h", stage = 0 : i64} : (tensor<2x3x4x2x8xf32, #x>, tensor<2x8xf32, {dims = ["H", "D"]}>, tensor<2x8xf32, {dims = ["H", "D"]}>) -> tensor<2x3x4x2x8xf32, #x>
    %h2 = "dsp.rms_norm"(%h) {over = ["H", "D"], eps = 1.0e-6 : f64, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, #x>) -> tensor<2x3x4x2x8xf32, #x>
    // CHECK: "dsp.linear"(%{{.*}}) {contract = ["H", "D"], out = ["3", "H", "D"], stage = 0 : i64}
    %qkv = "dsp.linear"(%h2, %w, %b) {contract = ["H", "D"], out = ["3", "H", "D"], stage = 0 : i64} : (tensor<2x3x4x2x8xf32, #x>, tensor<3x2x8x2x8xf32, {dims = ["3", "H", "D", "H", "D"]}>, tensor<3x2x8xf32, {dims = ["3", "H", "D"]}>) -> tensor<2x3x4x3x2x8xf32, {dims = ["B", "T", "S", "3", "H", "D"]}>
    // CHECK-COUNT-3: "dsp.slice"
    %q = "dsp.slice"(%qkv) {dim = "3", start = 0 : i64, size = 1 : i64, name = "q", stage = 0 : i64} : (tensor<2x3x4x3x2x8xf32, {dims = ["B", "T", "S", "3", "H", "D"]}>) -> tensor<2x3x4x2x8xf32, #x>
    %k = "dsp.slice"(%qkv) {dim = "3", start = 1 : i64, size = 1 : i64, name = "k", stage = 0 : i64} : (tensor<2x3x4x3x2x8xf32, {dims = ["B", "T", "S", "3", "H", "D"]}>) -> tensor<2x3x4x2x8xf32, #x>
    %v = "dsp.slice"(%qkv) {dim = "3", start = 2 : i64, size = 1 : i64, name = "v", stage = 0 : i64} : (tensor<2x3x4x3x2x8xf32, {dims = ["B", "T", "S", "3", "H", "D"]}>) -> tensor<2x3x4x2x8xf32, #x>
    // CHECK: "dsp.attention"
    %a = "dsp.attention"(%q, %k, %v) {over = ["S"], dot = ["D"], scale = 0.35 : f64, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, #x>, tensor<2x3x4x2x8xf32, #x>, tensor<2x3x4x2x8xf32, #x>) -> tensor<2x3x4x2x8xf32, #x>
    // CHECK: "dsp.map"(%{{.*}}, %{{.*}}) {expr = ["add", 0, ["mul", ["gelu_tanh", 1], 5.000000e-01]]
    %y = "dsp.map"(%x, %a) {expr = ["add", 0, ["mul", ["gelu_tanh", 1], 0.5]], operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, #x>, tensor<2x3x4x2x8xf32, #x>) -> tensor<2x3x4x2x8xf32, #x>
    // CHECK: "dsp.map"(%{{.*}}) {expr = 0 : i64, {{.*}}stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {{.*}}>) -> tensor<2x3x4x2x8xbf16
    %c = "dsp.map"(%y) {expr = 0 : i64, operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, #x>) -> tensor<2x3x4x2x8xbf16, #x>
    // CHECK: "dsp.reduce"(%{{.*}}) {kind = "mean", over = ["S"]
    %cls = "dsp.reduce"(%y) {kind = "mean", over = ["S"], stage = 0 : i64} : (tensor<2x3x4x2x8xf32, #x>) -> tensor<2x3x2x8xf32, {dims = ["B", "T", "H", "D"]}>
    // CHECK: "dsp.concat"(%{{.*}}, %{{.*}}) {dim = "A", {{.*}}stage = 0 : i64, starts = [0, 1]}
    %all = "dsp.concat"(%cls, %y) {dim = "A", starts = [0, 1], operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, stage = 0 : i64} : (tensor<2x3x2x8xf32, {dims = ["B", "T", "H", "D"]}>, tensor<2x3x4x2x8xf32, #x>) -> tensor<2x3x5x2x8xf32, {dims = ["B", "T", "A", "H", "D"]}>
    // CHECK: "dsp.slice"(%{{.*}}) {dim = "A", size = 4 : i64, stage = 0 : i64, start = 1 : i64}
    %patches = "dsp.slice"(%all) {dim = "A", start = 1 : i64, size = 4 : i64, stage = 0 : i64} : (tensor<2x3x5x2x8xf32, {dims = ["B", "T", "A", "H", "D"]}>) -> tensor<2x3x4x2x8xf32, #x>
    // CHECK: "dsp.slice"(%{{.*}}) {dim = "A", size = 2 : i64, stage = 0 : i64, start = 0 : i64}
    %two = "dsp.slice"(%all) {dim = "A", start = 0 : i64, size = 2 : i64, stage = 0 : i64} : (tensor<2x3x5x2x8xf32, {dims = ["B", "T", "A", "H", "D"]}>) -> tensor<2x3x2x2x8xf32, {dims = ["B", "T", "K", "H", "D"]}>
    // CHECK: "dsp.rearrange"
    %r = "dsp.rearrange"(%patches) {stage = 0 : i64} : (tensor<2x3x4x2x8xf32, #x>) -> tensor<2x4x3x2x8xf32, {dims = ["B", "S", "T", "H", "D"]}>
    // CHECK: "dsp.pin"(%{{.*}}) {on = "C"
    %p = "dsp.pin"(%r) {on = "C", stage = 0 : i64} : (tensor<2x4x3x2x8xf32, {dims = ["B", "S", "T", "H", "D"]}>) -> tensor<2x4x3x2x8xf32, {dims = ["B", "S", "T", "H", "D"]}>
    // CHECK: "dsp.output"(%{{.*}}) {file_shape = [2, 4, 3, 16], name = "y"
    "dsp.output"(%p) {name = "y", file_shape = [2, 4, 3, 16], stage = 0 : i64} : (tensor<2x4x3x2x8xf32, {dims = ["B", "S", "T", "H", "D"]}>) -> ()
    return
  }
}
