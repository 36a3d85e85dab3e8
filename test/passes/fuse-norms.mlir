// A norm does what follows it to its rows: a scale and a shift, the rotation of
// its pairs.  For CPUs, and where something else reads it, it stays alone.
// RUN: dsp-opt %s -split-input-file -passes=lower-ropes,fuse-norms | FileCheck %s

!x = tensor<4x3x8xf32, {dims = ["T", "S", "C"], layout = ["T"]}>
!m = tensor<4x2x8xf32, {dims = ["T", "n", "C"], layout = ["T"]}>
!s = tensor<4x8xf32, {dims = ["T", "C"], layout = ["T"]}>
!g = tensor<4xf32, {dims = ["T"], layout = ["T"]}>
!c = tensor<8xf32, {dims = ["C"], layout = ["*"]}>

// CHECK-LABEL: func.func @modulate
// CHECK: %[[X:.*]] = "dsp.input"
// CHECK: %[[SHIFT:.*]] = "dsp.slice"
// CHECK: %[[SCALE:.*]] = "dsp.slice"
// CHECK-NEXT: %[[Y:.*]] = "dsp.fused_norm"(%[[X]], %[[SCALE]], %[[SHIFT]]) {{.*}}expr = ["add", ["mul", 0, ["add", 1.000000e+00, 1]], 2], name = "y", norm = "layer"{{.*}}over = ["C"], params = 0 : i64
// A parameter of the norm comes first; one value a row is fine.
// CHECK: %[[W:.*]] = "dsp.param"
// CHECK-NEXT: %[[Z:.*]] = "dsp.fused_norm"(%[[Y]], %[[W]], %[[G:.*]]) {{.*}}expr = ["mul", 0, 2]{{.*}}norm = "rms"{{.*}}params = 1 : i64
// Read twice.
// CHECK-NEXT: %[[N:.*]] = "dsp.layer_norm"(%[[Z]])
// CHECK-NEXT: "dsp.map"(%[[N]], %[[G]])
// Of a slice: read in place.
// CHECK: %[[PART:.*]] = "dsp.slice"(%{{.*}}) {dim = "n"
// CHECK-NEXT: "dsp.fused_norm"(%[[PART]]) {{.*}}expr = 0 : i64
module attributes {dsp.target = "cuda", dsp.ranks = 2 : i64, dsp.dims = [{name = "T", size = 4 : i64}, {name = "S", size = 3 : i64}, {name = "C", size = 8 : i64}, {name = "n", size = 2 : i64}]} {
  func.func @modulate() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> !x
    %m = "dsp.input"() {name = "m", stage = 0 : i64} : () -> !m
    %g = "dsp.input"() {name = "g", stage = 0 : i64} : () -> !g
    %shift = "dsp.slice"(%m) {dim = "n", start = 0 : i64, size = 1 : i64, stage = 0 : i64} : (!m) -> !s
    %scale = "dsp.slice"(%m) {dim = "n", start = 1 : i64, size = 1 : i64, stage = 0 : i64} : (!m) -> !s
    %h = "dsp.layer_norm"(%x) {over = ["C"], eps = 1.0e-6 : f64, stage = 0 : i64} : (!x) -> !x
    %y = "dsp.map"(%h, %scale, %shift) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0>, expr = ["add", ["mul", 0, ["add", 1.0, 1]], 2], name = "y", stage = 0 : i64} : (!x, !s, !s) -> !x
    %w = "dsp.param"() {path = "w", rel = "w", file_shape = [8], stage = 0 : i64} : () -> !c
    %r = "dsp.rms_norm"(%y, %w) {over = ["C"], eps = 1.0e-6 : f64, stage = 0 : i64} : (!x, !c) -> !x
    %z = "dsp.map"(%g, %r) {operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, expr = ["mul", 1, 0], stage = 0 : i64} : (!g, !x) -> !x
    %n = "dsp.layer_norm"(%z) {over = ["C"], eps = 1.0e-6 : f64, stage = 0 : i64} : (!x) -> !x
    %o = "dsp.map"(%n, %g) {operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, expr = ["mul", 0, 1], stage = 0 : i64} : (!x, !g) -> !x
    %p = "dsp.map"(%n, %o) {operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, expr = ["mul", 0, 1], stage = 0 : i64} : (!x, !x) -> !x
    %a = "dsp.slice"(%m) {dim = "n", start = 0 : i64, size = 1 : i64, stage = 0 : i64} : (!m) -> !s
    %q = "dsp.layer_norm"(%a) {over = ["C"], eps = 1.0e-6 : f64, stage = 0 : i64} : (!s) -> !s
    "dsp.output"(%n) {name = "n", file_shape = [4, 3, 8], stage = 1 : i64} : (!x) -> ()
    "dsp.output"(%p) {name = "p", file_shape = [4, 3, 8], stage = 0 : i64} : (!x) -> ()
    "dsp.output"(%q) {name = "q", file_shape = [4, 8], stage = 0 : i64} : (!s) -> ()
    return
  }
}

// -----

!q = tensor<4x3x2xbf16, {dims = ["T", "R", "two"], layout = ["T"]}>
!h = tensor<4x2x3xbf16, {dims = ["T", "two", "R"], layout = ["T"]}>
!a = tensor<4x3xf32, {dims = ["T", "R"], layout = ["T"]}>
!w = tensor<3x2xbf16, {dims = ["R", "two"], layout = ["*"]}>

// Neighbours and halves; cosines and sines are not rounded.
// CHECK-LABEL: func.func @rotate
// CHECK: %[[COS:.*]] = "dsp.map"(%{{.*}}) {expr = ["cos", 0]
// CHECK-NEXT: %[[SIN:.*]] = "dsp.map"(%{{.*}}) {expr = ["sin", 0]{{.*}}-> tensor<4x3xf32
// CHECK-NEXT: "dsp.fused_norm"(%{{.*}}, %{{.*}}, %[[COS]], %[[SIN]]) {{.*}}norm = "rms"{{.*}}params = 1 : i64, rope = "two"
// CHECK-NEXT: "dsp.fused_norm"(%{{.*}}, %[[COS]], %[[SIN]]) {{.*}}norm = "layer"{{.*}}over = ["two", "R"], params = 0 : i64, rope = "two"
// CHECK-NOT: dsp.rope
module attributes {dsp.target = "cuda", dsp.ranks = 2 : i64, dsp.dims = [{name = "T", size = 4 : i64}, {name = "R", size = 3 : i64}, {name = "two", size = 2 : i64}]} {
  func.func @rotate() {
    %q = "dsp.input"() {name = "q", stage = 0 : i64} : () -> !q
    %k = "dsp.input"() {name = "k", stage = 0 : i64} : () -> !h
    %a = "dsp.input"() {name = "a", stage = 0 : i64} : () -> !a
    %w = "dsp.param"() {path = "w", rel = "w", file_shape = [6], stage = 0 : i64} : () -> !w
    %n = "dsp.rms_norm"(%q, %w) {over = ["R", "two"], eps = 1.0e-6 : f64, stage = 0 : i64} : (!q, !w) -> !q
    %r = "dsp.rope"(%n, %a) {over = ["two"], stage = 0 : i64} : (!q, !a) -> !q
    %m = "dsp.layer_norm"(%k) {over = ["two", "R"], eps = 1.0e-6 : f64, stage = 0 : i64} : (!h) -> !h
    %s = "dsp.rope"(%m, %a) {over = ["two"], stage = 0 : i64} : (!h, !a) -> !h
    "dsp.output"(%r) {name = "r", file_shape = [4, 6], stage = 0 : i64} : (!q) -> ()
    "dsp.output"(%s) {name = "s", file_shape = [4, 6], stage = 0 : i64} : (!h) -> ()
    return
  }
}

// -----

!x = tensor<4x3x8xf32, {dims = ["T", "S", "C"], layout = ["T"]}>
!g = tensor<4x8xf32, {dims = ["T", "C"], layout = ["T"]}>

// What a norm and others read becomes the second result of the norm.
// CHECK-LABEL: func.func @sums
// CHECK: %[[X:.*]] = "dsp.input"
// CHECK-NEXT: %[[Y:.*]] = "dsp.input"
// CHECK-NEXT: %[[G:.*]] = "dsp.input"
// CHECK-NEXT: %[[N:.*]]:2 = "dsp.fused_norm"(%[[X]], %[[G]], %[[Y]]) {before = ["add", 0, ["mul", 1, 2]], eps = {{.*}}expr = ["mul", 0, 1], name = "n"{{.*}}sum_name = "s"
// CHECK-NEXT: "dsp.rearrange"(%[[N]]#1)
// Read by the norm alone.
// CHECK-NEXT: %[[P:.*]] = "dsp.map"(%[[Y]])
// CHECK-NEXT: "dsp.layer_norm"(%[[P]])
// Read in front of the norm.
// CHECK-NEXT: %[[U:.*]] = "dsp.map"(%[[X]])
// CHECK-NEXT: "dsp.rearrange"(%[[U]])
// CHECK-NEXT: "dsp.layer_norm"(%[[U]])
// Of another stage.
// CHECK-NEXT: %[[A:.*]] = "dsp.map"(%[[Y]])
// CHECK-NEXT: "dsp.layer_norm"(%[[A]])
module attributes {dsp.target = "cuda", dsp.ranks = 2 : i64, dsp.dims = [{name = "T", size = 4 : i64}, {name = "S", size = 3 : i64}, {name = "C", size = 8 : i64}]} {
  func.func @sums() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> !x
    %y = "dsp.input"() {name = "y", stage = 0 : i64} : () -> !x
    %g = "dsp.input"() {name = "g", stage = 0 : i64} : () -> !g
    %s = "dsp.map"(%x, %g, %y) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0>, expr = ["add", 0, ["mul", 1, 2]], name = "s", stage = 0 : i64} : (!x, !g, !x) -> !x
    %h = "dsp.layer_norm"(%s) {over = ["C"], eps = 1.0e-6 : f64, stage = 0 : i64} : (!x) -> !x
    %n = "dsp.map"(%h, %g) {operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, expr = ["mul", 0, 1], name = "n", stage = 0 : i64} : (!x, !g) -> !x
    %p = "dsp.rearrange"(%s) {stage = 0 : i64} : (!x) -> !x
    %q = "dsp.map"(%y) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, expr = ["exp", 0], stage = 0 : i64} : (!x) -> !x
    %r = "dsp.layer_norm"(%q) {over = ["C"], eps = 1.0e-6 : f64, stage = 0 : i64} : (!x) -> !x
    %u = "dsp.map"(%x) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, expr = ["silu", 0], stage = 0 : i64} : (!x) -> !x
    %v = "dsp.rearrange"(%u) {stage = 0 : i64} : (!x) -> !x
    %w = "dsp.layer_norm"(%u) {over = ["C"], eps = 1.0e-6 : f64, stage = 0 : i64} : (!x) -> !x
    %a = "dsp.map"(%y) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, expr = ["silu", 0], stage = 0 : i64} : (!x) -> !x
    %b = "dsp.layer_norm"(%a) {over = ["C"], eps = 1.0e-6 : f64, stage = 1 : i64} : (!x) -> !x
    "dsp.output"(%p) {name = "p", file_shape = [4, 3, 8], stage = 1 : i64} : (!x) -> ()
    "dsp.output"(%r) {name = "r", file_shape = [4, 3, 8], stage = 1 : i64} : (!x) -> ()
    "dsp.output"(%v) {name = "v", file_shape = [4, 3, 8], stage = 1 : i64} : (!x) -> ()
    "dsp.output"(%w) {name = "w", file_shape = [4, 3, 8], stage = 1 : i64} : (!x) -> ()
    "dsp.output"(%a) {name = "a", file_shape = [4, 3, 8], stage = 1 : i64} : (!x) -> ()
    "dsp.output"(%b) {name = "b", file_shape = [4, 3, 8], stage = 1 : i64} : (!x) -> ()
    return
  }
}

// -----

!q = tensor<4x6xf32, {dims = ["T", "C"], layout = ["T"]}>

// CHECK-LABEL: func.func @cpu
// CHECK: dsp.layer_norm
// CHECK-NEXT: dsp.map
module attributes {dsp.target = "cpu", dsp.ranks = 2 : i64, dsp.dims = [{name = "T", size = 4 : i64}, {name = "C", size = 6 : i64}]} {
  func.func @cpu() {
    %q = "dsp.input"() {name = "q", stage = 0 : i64} : () -> !q
    %n = "dsp.layer_norm"(%q) {over = ["C"], eps = 1.0e-6 : f64, stage = 0 : i64} : (!q) -> !q
    %o = "dsp.map"(%n) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, expr = ["silu", 0], stage = 0 : i64} : (!q) -> !q
    "dsp.output"(%o) {name = "o", file_shape = [4, 6], stage = 0 : i64} : (!q) -> ()
    return
  }
}
