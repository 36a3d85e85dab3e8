// Attention over a few keys norms and rotates the rows of its queries and keys
// itself, where nothing else reads them and they need no more than their place
// along the attended dim.
// RUN: dsp-opt %s -split-input-file -passes=fuse-attention | FileCheck %s

!x = tensor<2x16x3x8x2xbf16, {dims = ["B", "T", "H", "R", "two"], layout = ["B"]}>
!w = tensor<8x2xbf16, {dims = ["R", "two"], layout = ["*"]}>
!a = tensor<16x8xf32, {dims = ["T", "R"], layout = ["*"]}>
!b = tensor<2x16xbf16, {dims = ["B", "T"], layout = ["B"]}>

// CHECK-LABEL: func.func @rotated
// CHECK: %[[Q:.*]] = "dsp.fused_norm"({{.*}} inside, {{.*}}rope = "two"
// A norm that is not fused becomes one.
// CHECK: %[[K:.*]] = "dsp.fused_norm"({{.*}} inside, norm = "rms"
// CHECK: "dsp.attention"(%[[Q]], %[[K]],
// Its values come as they are.
// CHECK: "dsp.rms_norm"
module attributes {dsp.target = "cuda", dsp.ranks = 2 : i64, dsp.dims = [{name = "B", size = 2 : i64}, {name = "T", size = 16 : i64}, {name = "H", size = 3 : i64}, {name = "R", size = 8 : i64}, {name = "two", size = 2 : i64}]} {
  func.func @rotated() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> !x
    %y = "dsp.input"() {name = "y", stage = 0 : i64} : () -> !x
    %c = "dsp.input"() {name = "c", stage = 0 : i64} : () -> !a
    %s = "dsp.input"() {name = "s", stage = 0 : i64} : () -> !a
    %w = "dsp.param"() {path = "w", rel = "w", file_shape = [16], stage = 0 : i64} : () -> !w
    %q = "dsp.fused_norm"(%x, %w, %c, %s) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0>, norm = "rms", over = ["R", "two"], eps = 1.0e-6 : f64, params = 1 : i64, expr = 0 : i64, rope = "two", stage = 0 : i64} : (!x, !w, !a, !a) -> !x
    %k = "dsp.rms_norm"(%y, %w) {over = ["R", "two"], eps = 1.0e-6 : f64, stage = 0 : i64} : (!x, !w) -> !x
    %o = "dsp.attention"(%q, %k, %y) {over = ["T"], dot = ["R", "two"], scale = 1.0 : f64, stage = 0 : i64} : (!x, !x, !x) -> !x
    "dsp.output"(%o) {name = "o", file_shape = [2, 16, 3, 16], stage = 0 : i64} : (!x) -> ()
    %v = "dsp.rms_norm"(%y) {over = ["R", "two"], eps = 1.0e-6 : f64, stage = 0 : i64} : (!x) -> !x
    %p = "dsp.attention"(%x, %y, %v) {over = ["T"], dot = ["R", "two"], scale = 1.0 : f64, stage = 0 : i64} : (!x, !x, !x) -> !x
    "dsp.output"(%p) {name = "p", file_shape = [2, 16, 3, 16], stage = 0 : i64} : (!x) -> ()
    return
  }
}

// -----

!x = tensor<2x16x3x8x2xbf16, {dims = ["B", "T", "H", "R", "two"], layout = ["B"]}>
!w = tensor<8x2xbf16, {dims = ["R", "two"], layout = ["*"]}>
!a = tensor<16x8xf32, {dims = ["T", "R"], layout = ["*"]}>
!b = tensor<2x16xbf16, {dims = ["B", "T"], layout = ["B"]}>

// Not inside: read twice; with a mask; with values of the batch; over more than
// the channels of a head.
// CHECK-LABEL: func.func @alone
// CHECK-NOT: inside
module attributes {dsp.target = "cuda", dsp.ranks = 2 : i64, dsp.dims = [{name = "B", size = 2 : i64}, {name = "T", size = 16 : i64}, {name = "H", size = 3 : i64}, {name = "R", size = 8 : i64}, {name = "two", size = 2 : i64}]} {
  func.func @alone() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> !x
    %y = "dsp.input"() {name = "y", stage = 0 : i64} : () -> !x
    %c = "dsp.input"() {name = "c", stage = 0 : i64} : () -> !a
    %s = "dsp.input"() {name = "s", stage = 0 : i64} : () -> !a
    %w = "dsp.param"() {path = "w", rel = "w", file_shape = [16], stage = 0 : i64} : () -> !w
    %b = "dsp.input"() {name = "b", stage = 0 : i64} : () -> !b
    %q = "dsp.fused_norm"(%x) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, norm = "rms", over = ["R", "two"], eps = 1.0e-6 : f64, params = 0 : i64, expr = 0 : i64, stage = 0 : i64} : (!x) -> !x
    %o = "dsp.attention"(%q, %q, %y) {over = ["T"], dot = ["R", "two"], scale = 1.0 : f64, stage = 0 : i64} : (!x, !x, !x) -> !x
    "dsp.output"(%o) {name = "o", file_shape = [2, 16, 3, 16], stage = 0 : i64} : (!x) -> ()
    %r = "dsp.fused_norm"(%x) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, norm = "rms", over = ["R", "two"], eps = 1.0e-6 : f64, params = 0 : i64, expr = 0 : i64, stage = 0 : i64} : (!x) -> !x
    %p = "dsp.attention"(%r, %y, %y) {over = ["T"], dot = ["R", "two"], scale = 1.0 : f64, causal = 1 : i64, stage = 0 : i64} : (!x, !x, !x) -> !x
    "dsp.output"(%p) {name = "p", file_shape = [2, 16, 3, 16], stage = 0 : i64} : (!x) -> ()
    %t = "dsp.fused_norm"(%x, %b) {operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, norm = "rms", over = ["R", "two"], eps = 1.0e-6 : f64, params = 0 : i64, expr = ["mul", 0, 1], stage = 0 : i64} : (!x, !b) -> !x
    %u = "dsp.attention"(%t, %y, %y) {over = ["T"], dot = ["R", "two"], scale = 1.0 : f64, stage = 0 : i64} : (!x, !x, !x) -> !x
    "dsp.output"(%u) {name = "u", file_shape = [2, 16, 3, 16], stage = 0 : i64} : (!x) -> ()
    %g = "dsp.fused_norm"(%x) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, norm = "rms", over = ["H", "R", "two"], eps = 1.0e-6 : f64, params = 0 : i64, expr = 0 : i64, stage = 0 : i64} : (!x) -> !x
    %z = "dsp.attention"(%g, %y, %y) {over = ["T"], dot = ["R", "two"], scale = 1.0 : f64, stage = 0 : i64} : (!x, !x, !x) -> !x
    "dsp.output"(%z) {name = "z", file_shape = [2, 16, 3, 16], stage = 0 : i64} : (!x) -> ()
    return
  }
}

// -----

!x = tensor<2x65x3x8x2xbf16, {dims = ["B", "T", "H", "R", "two"], layout = ["B"]}>
!w = tensor<8x2xbf16, {dims = ["R", "two"], layout = ["*"]}>
!a = tensor<65x8xf32, {dims = ["T", "R"], layout = ["*"]}>
!b = tensor<2x16xbf16, {dims = ["B", "T"], layout = ["B"]}>

// Too many keys.
// CHECK-LABEL: func.func @many
// CHECK-NOT: inside
module attributes {dsp.target = "cuda", dsp.ranks = 2 : i64, dsp.dims = [{name = "B", size = 2 : i64}, {name = "T", size = 65 : i64}, {name = "H", size = 3 : i64}, {name = "R", size = 8 : i64}, {name = "two", size = 2 : i64}]} {
  func.func @many() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> !x
    %y = "dsp.input"() {name = "y", stage = 0 : i64} : () -> !x
    %q = "dsp.fused_norm"(%x) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, norm = "rms", over = ["R", "two"], eps = 1.0e-6 : f64, params = 0 : i64, expr = 0 : i64, stage = 0 : i64} : (!x) -> !x
    %o = "dsp.attention"(%q, %y, %y) {over = ["T"], dot = ["R", "two"], scale = 1.0 : f64, stage = 0 : i64} : (!x, !x, !x) -> !x
    "dsp.output"(%o) {name = "o", file_shape = [2, 65, 3, 16], stage = 0 : i64} : (!x) -> ()
    return
  }
}

// -----

!x = tensor<2x16x3x8x2xbf16, {dims = ["B", "T", "H", "R", "two"], layout = ["T"]}>
!w = tensor<8x2xbf16, {dims = ["R", "two"], layout = ["*"]}>
!a = tensor<16x8xf32, {dims = ["T", "R"], layout = ["T"]}>
!b = tensor<2x16xbf16, {dims = ["B", "T"], layout = ["*"]}>
!k = tensor<2x16x3x8x2xbf16, {dims = ["B", "T", "H", "R", "two"], layout = ["*"]}>

// Queries in parts, with all keys.
// CHECK-LABEL: func.func @parts
// CHECK-NOT: inside
module attributes {dsp.target = "cuda", dsp.ranks = 2 : i64, dsp.dims = [{name = "B", size = 2 : i64}, {name = "T", size = 16 : i64}, {name = "H", size = 3 : i64}, {name = "R", size = 8 : i64}, {name = "two", size = 2 : i64}]} {
  func.func @parts() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> !x
    %y = "dsp.input"() {name = "y", stage = 0 : i64} : () -> !x
    %q = "dsp.fused_norm"(%x) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, norm = "rms", over = ["R", "two"], eps = 1.0e-6 : f64, params = 0 : i64, expr = 0 : i64, stage = 0 : i64} : (!x) -> !x
    %k = "dsp.all_gather"(%y) {bytes = [1536, 1536], reason = "attention needs all keys", stage = 0 : i64} : (!x) -> !k
    %o = "dsp.attention"(%q, %k, %k) {over = ["T"], dot = ["R", "two"], scale = 1.0 : f64, stage = 0 : i64} : (!x, !k, !k) -> !x
    "dsp.output"(%o) {name = "o", file_shape = [2, 16, 3, 16], stage = 0 : i64} : (!x) -> ()
    return
  }
}

// -----

!x = tensor<2x16x3x8x2xbf16, {dims = ["B", "T", "H", "R", "two"], layout = ["B"]}>
!w = tensor<8x2xbf16, {dims = ["R", "two"], layout = ["*"]}>
!a = tensor<16x8xf32, {dims = ["T", "R"], layout = ["*"]}>
!b = tensor<2x16xbf16, {dims = ["B", "T"], layout = ["B"]}>

// For CPUs.
// CHECK-LABEL: func.func @cpu
// CHECK-NOT: inside
module attributes {dsp.ranks = 2 : i64, dsp.dims = [{name = "B", size = 2 : i64}, {name = "T", size = 16 : i64}, {name = "H", size = 3 : i64}, {name = "R", size = 8 : i64}, {name = "two", size = 2 : i64}]} {
  func.func @cpu() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> !x
    %y = "dsp.input"() {name = "y", stage = 0 : i64} : () -> !x
    %q = "dsp.fused_norm"(%x) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, norm = "rms", over = ["R", "two"], eps = 1.0e-6 : f64, params = 0 : i64, expr = 0 : i64, stage = 0 : i64} : (!x) -> !x
    %o = "dsp.attention"(%q, %y, %y) {over = ["T"], dot = ["R", "two"], scale = 1.0 : f64, stage = 0 : i64} : (!x, !x, !x) -> !x
    "dsp.output"(%o) {name = "o", file_shape = [2, 16, 3, 16], stage = 0 : i64} : (!x) -> ()
    return
  }
}
