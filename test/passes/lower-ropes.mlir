// A rotation of pairs becomes slices, maps and a concat; cosines and sines are
// computed once a stage, and rounded to the type of what they rotate.
// RUN: dsp-opt %s -passes=lower-ropes | FileCheck %s

!q = tensor<4x3x2xf32, {dims = ["T", "R", "two"], layout = ["T"]}>
!k = tensor<4x3x2xbf16, {dims = ["T", "R", "two"], layout = ["T"]}>
!a = tensor<4x3xf32, {dims = ["T", "R"], layout = ["T"]}>

// CHECK-LABEL: func.func @model
// CHECK: %[[Q:.*]] = "dsp.input"
// CHECK: %[[K:.*]] = "dsp.input"
// CHECK: %[[A:.*]] = "dsp.input"
// CHECK-NEXT: %[[COS:.*]] = "dsp.map"(%[[A]]) {expr = ["cos", 0]
// CHECK-NEXT: %[[SIN:.*]] = "dsp.map"(%[[A]]) {expr = ["sin", 0]
// CHECK-NEXT: %[[Q0:.*]] = "dsp.slice"(%[[Q]]) {dim = "two", size = 1 : i64, stage = 0 : i64, start = 0 : i64}
// CHECK-NEXT: %[[Q1:.*]] = "dsp.slice"(%[[Q]]) {dim = "two", size = 1 : i64, stage = 0 : i64, start = 1 : i64}
// CHECK-NEXT: %[[Y0:.*]] = "dsp.map"(%[[Q0]], %[[COS]], %[[Q1]], %[[SIN]]) {expr = ["sub", ["mul", 0, 1], ["mul", 2, 3]]
// CHECK-NEXT: %[[Y1:.*]] = "dsp.map"(%[[Q1]], %[[COS]], %[[Q0]], %[[SIN]]) {expr = ["add", ["mul", 0, 1], ["mul", 2, 3]]
// CHECK-NEXT: %[[Q2:.*]] = "dsp.concat"(%[[Y0]], %[[Y1]]) {dim = "two", name = "q"{{.*}}starts = [0, 1]}
// The same angles, the same stage, another type.
// CHECK-NEXT: %[[WIDE:.*]] = "dsp.map"(%[[A]]) {expr = ["cos", 0]
// CHECK-NEXT: %{{.*}} = "dsp.map"(%[[WIDE]]) {expr = 0 : i64{{.*}}-> tensor<4x3xbf16
// CHECK: %[[K2:.*]] = "dsp.concat"
// Both once more: no further waves in the first stage, new ones in the second.
// CHECK-NOT: "cos"
// CHECK: %[[Q3:.*]] = "dsp.concat"
// CHECK: {expr = ["cos", 0]{{.*}}stage = 1
// CHECK: %[[Q4:.*]] = "dsp.concat"
// CHECK-NOT: dsp.rope
module attributes {dsp.ranks = 2 : i64, dsp.dims = [{name = "T", size = 4 : i64}, {name = "R", size = 3 : i64}, {name = "two", size = 2 : i64}],
    dsp.stages = [{name = "", path = "", args = "", loops = []}, {name = "", path = "", args = "", loops = []}]} {
  func.func @model() {
    %q = "dsp.input"() {name = "q", stage = 0 : i64} : () -> !q
    %k = "dsp.input"() {name = "k", stage = 0 : i64} : () -> !k
    %a = "dsp.input"() {name = "a", stage = 0 : i64} : () -> !a
    %q2 = "dsp.rope"(%q, %a) {over = ["two"], name = "q", stage = 0 : i64} : (!q, !a) -> !q
    %k2 = "dsp.rope"(%k, %a) {over = ["two"], stage = 0 : i64} : (!k, !a) -> !k
    %q3 = "dsp.rope"(%q2, %a) {over = ["two"], stage = 0 : i64} : (!q, !a) -> !q
    %q4 = "dsp.rope"(%q3, %a) {over = ["two"], stage = 1 : i64} : (!q, !a) -> !q
    "dsp.output"(%k2) {name = "k", file_shape = [4, 6], stage = 1 : i64} : (!k) -> ()
    "dsp.output"(%q4) {name = "q", file_shape = [4, 6], stage = 1 : i64} : (!q) -> ()
    return
  }
}
