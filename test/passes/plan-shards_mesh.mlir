// Two mesh axes: the sharded dims of every op, one an axis, and the bytes of a
// switch over both, rank by rank.
// RUN: dsp-opt %s -passes='plan-shards{mesh=2x2}' | FileCheck %s
// RUN: dsp-opt %s -passes='plan-shards{mesh=nodes:2,gpus:2,plan=dsp}' | FileCheck %s --check-prefix=NAMES
// RUN: dsp-opt %s --plan-shards=mesh=nodes:2,gpus:2 | FileCheck %s --check-prefix=NAMES
// RUN: not dsp-opt %s -passes='plan-shards{mesh=nodes:2,gpus:2,more:2}' 2>&1 | FileCheck %s --check-prefix=MORE
// MORE: cannot read the list of passes at 'more:2}'
// NAMES: dsp.mesh = [2, 2], dsp.mesh_names = ["nodes", "gpus"]
// RUN: dsp-opt %s -passes='plan-shards{mesh=2x3}' | FileCheck %s --check-prefix=UNEVEN

// CHECK: dsp.certificate = {bound = 576 : i64, exact = true, optimum = 576 : i64
// CHECK-SAME: dsp.mesh = [2, 2], dsp.mesh_names = ["outer", "inner"]
// CHECK-SAME: dsp.predicted_bytes = [128, 160, 128, 160]
// CHECK-SAME: dsp.ranks = 4
// CHECK-LABEL: func.func @model
// CHECK: "dsp.input"{{.*}} -> {{.*}}layout = ["T", "T"]}>
// CHECK: "dsp.attention"{{.*}}over = ["S"]{{.*}} -> {{.*}}layout = ["T", "T"]}>
// A rank holds one of 4 T: 6 x 8 x 4 bytes. The 6 S are cut into 3 and 3, and
// these into 2 and 1: it keeps 2 or 1 of its 6 pieces of 32 bytes, and sends
// 128 or 160 bytes.
// CHECK: "dsp.attention"{{.*}}conversions = [{bytes = [128, 160, 128, 160], from = ["T", "T"], operand = 0 : i64, to = ["S", "S"]}]{{.*}}over = ["T"]{{.*}} -> {{.*}}layout = ["S", "S"]}>
// CHECK: "dsp.map"{{.*}}needs = {{\[}}["S", "S"], ["S", "S"]]

// 2x3, and 4 T fall into 2, 1, 1. Keys and values are gathered on the first
// axis: 3 S x 2 T or 1 T of 32 bytes leave a rank. The switch stays on the
// second: of these, a rank keeps one S.
// UNEVEN: optimum = 1280 : i64
// UNEVEN-SAME: dsp.predicted_bytes = [320, 160, 160, 320, 160, 160]
// UNEVEN-LABEL: func.func @model
// UNEVEN: "dsp.attention"{{.*}}conversions = [{bytes = [192, 96, 96, 192, 96, 96], from = ["S", "T"], operand = 0 : i64, to = ["*", "T"]}]{{.*}}needs = {{\[}}["S", "T"], ["*", "T"], ["*", "T"]]{{.*}}over = ["S"]
// UNEVEN: "dsp.attention"{{.*}}conversions = [{bytes = [128, 64, 64, 128, 64, 64], from = ["S", "T"], operand = 0 : i64, to = ["S", "S"]}]{{.*}}over = ["T"]

!x = tensor<4x6x8xf32, {dims = ["T", "S", "D"]}>
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
