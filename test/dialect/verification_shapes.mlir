// The verifier: dims, sizes and element types.
// RUN: dsp-opt %s -split-input-file -verify-diagnostics

// A tensor names its dims.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    // expected-error@+1 {{has a type that is not of the form}}
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3xf32>
    return
  }
}

// -----

// Names are those of dsp.dims.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    // expected-error@+1 {{has a dim 'Z' that dsp.dims lacks}}
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x1xf32, {dims = ["B", "Z"]}>
    return
  }
}

// -----

// A dim has one size.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    // expected-error@+1 {{has 4 of dim 'T', which is 3}}
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x4xf32, {dims = ["B", "T"]}>
    return
  }
}

// -----

// A type holds atoms.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    // expected-error@+1 {{has a dim 'C', which is a product: a type holds its factors}}
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x16xf32, {dims = ["B", "C"]}>
    return
  }
}

// -----

// No dim twice.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    // expected-error@+1 {{has 'B' twice in its result}}
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3x2xf32, {dims = ["B", "T", "B"]}>
    return
  }
}

// -----

// A file holds as many elements as the value.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    // expected-error@+1 {{has a file_shape of 720 elements, the value has 768}}
    %w = "dsp.param"() {path = "w", rel = "w", file_shape = [48, 15], stage = 0 : i64} : () -> tensor<3x2x8x2x8xf32, {dims = ["3", "H", "D", "H", "D"]}>
    return
  }
}

// -----

// linear: contracted dims are in x.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3x8xf32, {dims = ["B", "T", "D"]}>
    %w = "dsp.param"() {path = "w", rel = "w", file_shape = [8, 2], stage = 0 : i64} : () -> tensor<8x2xf32, {dims = ["E", "H"]}>
    // expected-error@+1 {{names 'H' in 'contract', but operand 0 has [B, T, D]}}
    %y = "dsp.linear"(%x, %w) {contract = ["H"], out = ["E"], stage = 0 : i64} : (tensor<2x3x8xf32, {dims = ["B", "T", "D"]}>, tensor<8x2xf32, {dims = ["E", "H"]}>) -> tensor<2x3x8xf32, {dims = ["B", "T", "E"]}>
    return
  }
}

// -----

// linear: the weight is out, then contracted.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3x8xf32, {dims = ["B", "T", "D"]}>
    %w = "dsp.param"() {path = "w", rel = "w", file_shape = [8, 8], stage = 0 : i64} : () -> tensor<8x8xf32, {dims = ["D", "E"]}>
    // expected-error@+1 {{has a weight of [D, E], needs [E, D]}}
    %y = "dsp.linear"(%x, %w) {contract = ["D"], out = ["E"], stage = 0 : i64} : (tensor<2x3x8xf32, {dims = ["B", "T", "D"]}>, tensor<8x8xf32, {dims = ["D", "E"]}>) -> tensor<2x3x8xf32, {dims = ["B", "T", "E"]}>
    return
  }
}

// -----

// linear: out stands where the last contracted dim was.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x8x3xf32, {dims = ["B", "D", "T"]}>
    %w = "dsp.param"() {path = "w", rel = "w", file_shape = [8, 8], stage = 0 : i64} : () -> tensor<8x8xf32, {dims = ["E", "D"]}>
    // expected-error@+1 {{has a result of [B, T, E], needs [B, E, T]}}
    %y = "dsp.linear"(%x, %w) {contract = ["D"], out = ["E"], stage = 0 : i64} : (tensor<2x8x3xf32, {dims = ["B", "D", "T"]}>, tensor<8x8xf32, {dims = ["E", "D"]}>) -> tensor<2x3x8xf32, {dims = ["B", "T", "E"]}>
    return
  }
}

// -----

// linear: the bias is out.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3x8xf32, {dims = ["B", "T", "D"]}>
    %w = "dsp.param"() {path = "w", rel = "w", file_shape = [8, 8], stage = 0 : i64} : () -> tensor<8x8xf32, {dims = ["E", "D"]}>
    %b = "dsp.param"() {path = "b", rel = "b", file_shape = [8], stage = 0 : i64} : () -> tensor<8xf32, {dims = ["D"]}>
    // expected-error@+1 {{has a bias of [D], needs [E]}}
    %y = "dsp.linear"(%x, %w, %b) {contract = ["D"], out = ["E"], stage = 0 : i64} : (tensor<2x3x8xf32, {dims = ["B", "T", "D"]}>, tensor<8x8xf32, {dims = ["E", "D"]}>, tensor<8xf32, {dims = ["D"]}>) -> tensor<2x3x8xf32, {dims = ["B", "T", "E"]}>
    return
  }
}

// -----

// Norms are over the last dims.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    // expected-error@+1 {{is over [H], not the last dims of [B, T, S, H, D]}}
    %y = "dsp.layer_norm"(%x) {over = ["H"], eps = 1.0e-5 : f64, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    return
  }
}

// -----

// A norm has the parameters of its dims.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    %w = "dsp.param"() {path = "w", rel = "w", file_shape = [2], stage = 0 : i64} : () -> tensor<2xf32, {dims = ["H"]}>
    // expected-error@+1 {{has a parameter of [H], needs [H, D]}}
    %y = "dsp.rms_norm"(%x, %w) {over = ["H", "D"], eps = 1.0e-5 : f64, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>, tensor<2xf32, {dims = ["H"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    return
  }
}

// -----

// attention: k has the dims attended over.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    %k = "dsp.input"() {name = "k", stage = 0 : i64} : () -> tensor<2x3x2x8xf32, {dims = ["B", "T", "H", "D"]}>
    // expected-error@+1 {{names 'S' in 'over', but k has [B, T, H, D]}}
    %y = "dsp.attention"(%x, %k, %k) {over = ["S"], dot = ["D"], scale = 1.0 : f64, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>, tensor<2x3x2x8xf32, {dims = ["B", "T", "H", "D"]}>, tensor<2x3x2x8xf32, {dims = ["B", "T", "H", "D"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    return
  }
}

// -----

// attention: q and k share what is contracted.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    %k = "dsp.input"() {name = "k", stage = 0 : i64} : () -> tensor<2x4x2x8xf32, {dims = ["B", "S", "H", "E"]}>
    // expected-error@+1 {{names 'D' in 'dot', but k has [B, S, H, E]}}
    %y = "dsp.attention"(%x, %k, %k) {over = ["S"], dot = ["D"], scale = 1.0 : f64, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>, tensor<2x4x2x8xf32, {dims = ["B", "S", "H", "E"]}>, tensor<2x4x2x8xf32, {dims = ["B", "S", "H", "E"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    return
  }
}

// -----

// attention: a dim that only k has means nothing.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %q = "dsp.input"() {name = "q", stage = 0 : i64} : () -> tensor<2x3x4x8xf32, {dims = ["B", "T", "S", "D"]}>
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    // expected-error@+1 {{names 'H' in 'k', but q has [B, T, S, D]}}
    %y = "dsp.attention"(%q, %x, %x) {over = ["S"], dot = ["D"], scale = 1.0 : f64, stage = 0 : i64} : (tensor<2x3x4x8xf32, {dims = ["B", "T", "S", "D"]}>, tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>, tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>) -> tensor<2x3x4x8xf32, {dims = ["B", "T", "S", "D"]}>
    return
  }
}

// -----

// attention: the channels of the result are those of v.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    %v = "dsp.input"() {name = "v", stage = 0 : i64} : () -> tensor<2x4x2x8xf32, {dims = ["B", "S", "H", "E"]}>
    // expected-error@+1 {{has a result of [B, T, S, H, D], needs [B, T, S, H, E]}}
    %y = "dsp.attention"(%x, %x, %v) {over = ["S"], dot = ["D"], scale = 1.0 : f64, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>, tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>, tensor<2x4x2x8xf32, {dims = ["B", "S", "H", "E"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    return
  }
}

// -----

// attention: and so they are here.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    %v = "dsp.input"() {name = "v", stage = 0 : i64} : () -> tensor<2x4x2x8xf32, {dims = ["B", "S", "H", "E"]}>
    %y = "dsp.attention"(%x, %x, %v) {over = ["S"], dot = ["D"], scale = 1.0 : f64, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>, tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>, tensor<2x4x2x8xf32, {dims = ["B", "S", "H", "E"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "E"]}>
    return
  }
}

// -----

// map: the result has every dim.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    %z = "dsp.input"() {name = "z", stage = 0 : i64} : () -> tensor<8xf32, {dims = ["E"]}>
    // expected-error@+1 {{has no 'E' of operand 1 in its result}}
    %y = "dsp.map"(%x, %z) {expr = ["add", 0, 1], operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>, tensor<8xf32, {dims = ["E"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    return
  }
}

// -----

// map: functions are known.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    // expected-error@+1 {{has an unknown function 'glu'}}
    %y = "dsp.map"(%x) {expr = ["glu", 0], operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    return
  }
}

// -----

// map: functions have their arguments.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    // expected-error@+1 {{gives 1 arguments to 'add'}}
    %y = "dsp.map"(%x) {expr = ["add", 0], operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    return
  }
}

// -----

// map: operands are there.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    // expected-error@+1 {{uses operand 1 of 1}}
    %y = "dsp.map"(%x) {expr = ["add", 0, 1], operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    return
  }
}

// -----

// map: calls have a function.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    // expected-error@+1 {{has a call without a function}}
    %y = "dsp.map"(%x) {expr = [0], operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    return
  }
}

// -----

// map: only a cast changes the type of elements.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    // expected-error@+1 {{has elements of another type in operand 0 than in its result, and is no cast}}
    %y = "dsp.map"(%x) {expr = ["neg", 0], operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>) -> tensor<2x3x4x2x8xbf16, {dims = ["B", "T", "S", "H", "D"]}>
    return
  }
}

// -----

// Other ops never do.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    // expected-error@+1 {{has elements of another type in operand 0 than in its result}}
    %y = "dsp.rearrange"(%x) {name = "h", stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>) -> tensor<2x3x4x2x8xbf16, {dims = ["B", "T", "S", "H", "D"]}>
    return
  }
}

// -----

// slice: positions exist.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x5xf32, {dims = ["B", "A"]}>
    // expected-error@+1 {{takes 4 positions from 2 on of 'A', which has 5}}
    %y = "dsp.slice"(%x) {dim = "A", start = 2 : i64, size = 4 : i64, stage = 0 : i64} : (tensor<2x5xf32, {dims = ["B", "A"]}>) -> tensor<2x4xf32, {dims = ["B", "S"]}>
    return
  }
}

// -----

// slice: as many as the result holds.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x5x8xf32, {dims = ["B", "A", "D"]}>
    // expected-error@+1 {{takes 3 positions, its result holds 4 there}}
    %y = "dsp.slice"(%x) {dim = "A", start = 0 : i64, size = 3 : i64, stage = 0 : i64} : (tensor<2x5x8xf32, {dims = ["B", "A", "D"]}>) -> tensor<2x4x8xf32, {dims = ["B", "S", "D"]}>
    return
  }
}

// -----

// slice: the other dims stay.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x5x8xf32, {dims = ["B", "A", "D"]}>
    // expected-error@+1 {{has a result of [T, S, D], needs [B, S, D]}}
    %y = "dsp.slice"(%x) {dim = "A", start = 0 : i64, size = 4 : i64, stage = 0 : i64} : (tensor<2x5x8xf32, {dims = ["B", "A", "D"]}>) -> tensor<3x4x8xf32, {dims = ["T", "S", "D"]}>
    return
  }
}

// -----

// concat: one start an operand.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x4xf32, {dims = ["B", "S"]}>
    %c = "dsp.input"() {name = "c", stage = 0 : i64} : () -> tensor<2xf32, {dims = ["B"]}>
    // expected-error@+1 {{needs one start for each of 2 operands, the first 0}}
    %y = "dsp.concat"(%c, %x) {dim = "A", starts = [0], operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, stage = 0 : i64} : (tensor<2xf32, {dims = ["B"]}>, tensor<2x4xf32, {dims = ["B", "S"]}>) -> tensor<2x5xf32, {dims = ["B", "A"]}>
    return
  }
}

// -----

// concat: terms fill their places.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x4xf32, {dims = ["B", "S"]}>
    %c = "dsp.input"() {name = "c", stage = 0 : i64} : () -> tensor<2xf32, {dims = ["B"]}>
    // expected-error@+1 {{has room for 2 positions of operand 0, which has 1}}
    %y = "dsp.concat"(%c, %x) {dim = "A", starts = [0, 2], operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, stage = 0 : i64} : (tensor<2xf32, {dims = ["B"]}>, tensor<2x4xf32, {dims = ["B", "S"]}>) -> tensor<2x5xf32, {dims = ["B", "A"]}>
    return
  }
}

// -----

// concat: the atoms of a term are adjacent.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x2x2xf32, {dims = ["K", "B", "H"]}>
    %c = "dsp.input"() {name = "c", stage = 0 : i64} : () -> tensor<2xf32, {dims = ["B"]}>
    // expected-error@+1 {{needs the dims [K, H] of operand 0 side by side}}
    %y = "dsp.concat"(%x, %c) {dim = "A", starts = [0, 4], operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, stage = 0 : i64} : (tensor<2x2x2xf32, {dims = ["K", "B", "H"]}>, tensor<2xf32, {dims = ["B"]}>) -> tensor<2x5xf32, {dims = ["B", "A"]}>
    return
  }
}

// -----

// rearrange: the same dims.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    // expected-error@+1 {{has a result of [B, T, S, D], not the dims of [B, T, S, H, D]}}
    %y = "dsp.rearrange"(%x) {name = "h", stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>) -> tensor<2x3x4x8xf32, {dims = ["B", "T", "S", "D"]}>
    return
  }
}

// -----

// reduce: the dims go away.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    // expected-error@+1 {{has a result of [B, T, S, H, D], needs [B, T, H, D]}}
    %y = "dsp.reduce"(%x) {kind = "mean", over = ["S"], stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    return
  }
}

// -----

// reduce: three kinds.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    // expected-error@+1 {{has kind 'min', not sum, mean or max}}
    %y = "dsp.reduce"(%x) {kind = "min", over = ["S"], stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>) -> tensor<2x3x2x8xf32, {dims = ["B", "T", "H", "D"]}>
    return
  }
}

// -----

// pin: on a dim of the value.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3xf32, {dims = ["B", "T"]}>
    // expected-error@+1 {{pins on 'S', which is no dim of [B, T]}}
    %y = "dsp.pin"(%x) {on = "S", stage = 0 : i64} : (tensor<2x3xf32, {dims = ["B", "T"]}>) -> tensor<2x3xf32, {dims = ["B", "T"]}>
    return
  }
}

// -----

// The ids of an embedding are integers.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "V", size = 9 : i64}, {name = "D", size = 8 : i64}]} {
  func.func @model() {
    %ids = "dsp.input"() {name = "ids", stage = 0 : i64} : () -> tensor<2x3xf32, {dims = ["B", "T"]}>
    %w = "dsp.param"() {file_shape = [9, 8], path = "w", rel = "w", stage = 0 : i64} : () -> tensor<9x8xf32, {dims = ["V", "D"]}>
    // expected-error@+1 {{needs ids of i32 and a result of the type of its weight}}
    %y = "dsp.embedding"(%ids, %w) {out = ["D"], over = ["V"], stage = 0 : i64} : (tensor<2x3xf32, {dims = ["B", "T"]}>, tensor<9x8xf32, {dims = ["V", "D"]}>) -> tensor<2x3x8xf32, {dims = ["B", "T", "D"]}>
    return
  }
}

// -----

// The channels stand behind the dims of the ids.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "V", size = 9 : i64}, {name = "D", size = 8 : i64}]} {
  func.func @model() {
    %ids = "dsp.input"() {name = "ids", stage = 0 : i64} : () -> tensor<2x3xi32, {dims = ["B", "T"]}>
    %w = "dsp.param"() {file_shape = [9, 8], path = "w", rel = "w", stage = 0 : i64} : () -> tensor<9x8xf32, {dims = ["V", "D"]}>
    // expected-error@+1 {{a result of}}
    %y = "dsp.embedding"(%ids, %w) {out = ["D"], over = ["V"], stage = 0 : i64} : (tensor<2x3xi32, {dims = ["B", "T"]}>, tensor<9x8xf32, {dims = ["V", "D"]}>) -> tensor<2x8x3xf32, {dims = ["B", "D", "T"]}>
    return
  }
}

// -----

// A pair has two positions.
module attributes {dsp.dims = [
    {name = "T", size = 4 : i64}, {name = "R", size = 3 : i64},
    {name = "P", size = 2 : i64}, {name = "S", size = 5 : i64}]} {
  func.func @model(%x: tensor<4x3x2xf32, {dims = ["T", "R", "P"]}>, %a: tensor<4x3xf32, {dims = ["T", "R"]}>, %b: tensor<5xf32, {dims = ["S"]}>, %c: tensor<4xbf16, {dims = ["T"]}>) {
    // expected-error@+1 {{needs one dim of size 2 in 'over'}}
    %y = "dsp.rope"(%x, %a) {over = ["R"], stage = 0 : i64} : (tensor<4x3x2xf32, {dims = ["T", "R", "P"]}>, tensor<4x3xf32, {dims = ["T", "R"]}>) -> tensor<4x3x2xf32, {dims = ["T", "R", "P"]}>
    return
  }
}

// -----

// Angles have dims of what they rotate.
module attributes {dsp.dims = [
    {name = "T", size = 4 : i64}, {name = "R", size = 3 : i64},
    {name = "P", size = 2 : i64}, {name = "S", size = 5 : i64}]} {
  func.func @model(%x: tensor<4x3x2xf32, {dims = ["T", "R", "P"]}>, %a: tensor<4x3xf32, {dims = ["T", "R"]}>, %b: tensor<5xf32, {dims = ["S"]}>, %c: tensor<4xbf16, {dims = ["T"]}>) {
    // expected-error@+1 {{names 'S' in 'the angles', but x has [T, R]}}
    %y = "dsp.rope"(%x, %b) {over = ["P"], stage = 0 : i64} : (tensor<4x3x2xf32, {dims = ["T", "R", "P"]}>, tensor<5xf32, {dims = ["S"]}>) -> tensor<4x3x2xf32, {dims = ["T", "R", "P"]}>
    return
  }
}

// -----

// Angles are f32.
module attributes {dsp.dims = [
    {name = "T", size = 4 : i64}, {name = "R", size = 3 : i64},
    {name = "P", size = 2 : i64}, {name = "S", size = 5 : i64}]} {
  func.func @model(%x: tensor<4x3x2xf32, {dims = ["T", "R", "P"]}>, %a: tensor<4x3xf32, {dims = ["T", "R"]}>, %b: tensor<5xf32, {dims = ["S"]}>, %c: tensor<4xbf16, {dims = ["T"]}>) {
    // expected-error@+1 {{needs angles of f32 and a result of the type of x}}
    %y = "dsp.rope"(%x, %c) {over = ["P"], stage = 0 : i64} : (tensor<4x3x2xf32, {dims = ["T", "R", "P"]}>, tensor<4xbf16, {dims = ["T"]}>) -> tensor<4x3x2xf32, {dims = ["T", "R", "P"]}>
    return
  }
}

// -----

// A mask is over one dim.
module attributes {dsp.dims = [
    {name = "T", size = 3 : i64}, {name = "S", size = 4 : i64},
    {name = "D", size = 8 : i64}]} {
  func.func @model(%q: tensor<3x4x8xf32, {dims = ["T", "S", "D"]}>, %k: tensor<3x4x8xf32, {dims = ["T", "S", "D"]}>) {
    // expected-error@+1 {{masks keys of 2 dims, not of one}}
    %y = "dsp.attention"(%q, %k, %k) {over = ["T", "S"], dot = ["D"], scale = 1.0 : f64, causal = 1 : i64, stage = 0 : i64} : (tensor<3x4x8xf32, {dims = ["T", "S", "D"]}>, tensor<3x4x8xf32, {dims = ["T", "S", "D"]}>, tensor<3x4x8xf32, {dims = ["T", "S", "D"]}>) -> tensor<3x4x8xf32, {dims = ["T", "S", "D"]}>
    return
  }
}

// -----

// A window sees something.
module attributes {dsp.dims = [
    {name = "T", size = 3 : i64}, {name = "S", size = 4 : i64},
    {name = "D", size = 8 : i64}]} {
  func.func @model(%q: tensor<3x4x8xf32, {dims = ["T", "S", "D"]}>, %k: tensor<3x4x8xf32, {dims = ["T", "S", "D"]}>) {
    // expected-error@+1 {{needs a window of at least 1}}
    %y = "dsp.attention"(%q, %k, %k) {over = ["S"], dot = ["D"], scale = 1.0 : f64, window = 0 : i64, stage = 0 : i64} : (tensor<3x4x8xf32, {dims = ["T", "S", "D"]}>, tensor<3x4x8xf32, {dims = ["T", "S", "D"]}>, tensor<3x4x8xf32, {dims = ["T", "S", "D"]}>) -> tensor<3x4x8xf32, {dims = ["T", "S", "D"]}>
    return
  }
}

// -----

// Queries stand among the keys that are masked.
module attributes {dsp.dims = [
    {name = "T", size = 3 : i64}, {name = "S", size = 4 : i64},
    {name = "D", size = 8 : i64}]} {
  func.func @model(%q: tensor<3x8xf32, {dims = ["T", "D"]}>, %k: tensor<3x4x8xf32, {dims = ["T", "S", "D"]}>) {
    // expected-error@+1 {{names 'S' in 'over', but q has [T, D]}}
    %y = "dsp.attention"(%q, %k, %k) {over = ["S"], dot = ["D"], scale = 1.0 : f64, causal = 1 : i64, stage = 0 : i64} : (tensor<3x8xf32, {dims = ["T", "D"]}>, tensor<3x4x8xf32, {dims = ["T", "S", "D"]}>, tensor<3x4x8xf32, {dims = ["T", "S", "D"]}>) -> tensor<3x8xf32, {dims = ["T", "D"]}>
    return
  }
}

// -----

// A fused norm: its parameters, its waves, what its expression reads.
!x = tensor<3x8x2xf32, {dims = ["T", "R", "two"]}>
!r = tensor<8x2xf32, {dims = ["R", "two"]}>
!a = tensor<3x8xf32, {dims = ["T", "R"]}>
module attributes {dsp.dims = [
    {name = "T", size = 3 : i64}, {name = "R", size = 8 : i64},
    {name = "two", size = 2 : i64}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> !x
    %a = "dsp.input"() {name = "a", stage = 0 : i64} : () -> !a
    %w = "dsp.param"() {path = "w", rel = "w", file_shape = [16], stage = 0 : i64} : () -> !r
    // expected-error@+1 {{has an unknown norm 'batch'}}
    %1 = "dsp.fused_norm"(%x) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, norm = "batch", over = ["R", "two"], eps = 1.0e-6 : f64, params = 0 : i64, expr = 0 : i64, stage = 0 : i64} : (!x) -> !x
    // expected-error@+1 {{has no 2 parameters}}
    %2 = "dsp.fused_norm"(%x, %w, %w) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0>, norm = "rms", over = ["R", "two"], eps = 1.0e-6 : f64, params = 2 : i64, expr = 0 : i64, stage = 0 : i64} : (!x, !r, !r) -> !x
    // expected-error@+1 {{reads operand 1, which is the norm's}}
    %3 = "dsp.fused_norm"(%x, %w) {operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, norm = "rms", over = ["R", "two"], eps = 1.0e-6 : f64, params = 1 : i64, expr = ["mul", 0, 1], stage = 0 : i64} : (!x, !r) -> !x
    // expected-error@+1 {{rotates a dim that has not size 2}}
    %4 = "dsp.fused_norm"(%x, %a, %a) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0>, norm = "rms", over = ["R", "two"], eps = 1.0e-6 : f64, params = 0 : i64, rope = "R", expr = 0 : i64, stage = 0 : i64} : (!x, !a, !a) -> !x
    // expected-error@+1 {{angles of}}
    %5 = "dsp.fused_norm"(%x, %w, %w) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0>, norm = "rms", over = ["R", "two"], eps = 1.0e-6 : f64, params = 0 : i64, rope = "two", expr = 0 : i64, stage = 0 : i64} : (!x, !r, !r) -> !x
    // expected-error@+1 {{needs both 'before' and a second result, or none}}
    %6 = "dsp.fused_norm"(%x) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, norm = "rms", over = ["R", "two"], eps = 1.0e-6 : f64, params = 0 : i64, before = ["mul", 0, 2.0], expr = 0 : i64, stage = 0 : i64} : (!x) -> !x
    // expected-error@+1 {{needs both 'before' and a second result, or none}}
    %7:2 = "dsp.fused_norm"(%x) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, norm = "rms", over = ["R", "two"], eps = 1.0e-6 : f64, params = 0 : i64, expr = 0 : i64, stage = 0 : i64} : (!x) -> (!x, !x)
    // expected-error@+1 {{has a second result of another type than operand 0}}
    %8:2 = "dsp.fused_norm"(%x) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, norm = "rms", over = ["R", "two"], eps = 1.0e-6 : f64, params = 0 : i64, before = ["mul", 0, 2.0], expr = 0 : i64, stage = 0 : i64} : (!x) -> (!x, !r)
    // expected-error@+1 {{is 'inside', but not q or k of one attention alone}}
    %i = "dsp.fused_norm"(%x) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, norm = "rms", over = ["R", "two"], eps = 1.0e-6 : f64, params = 0 : i64, expr = 0 : i64, inside, stage = 0 : i64} : (!x) -> !x
    %o = "dsp.attention"(%x, %x, %i) {over = ["T"], dot = ["R", "two"], scale = 1.0 : f64, stage = 0 : i64} : (!x, !x, !x) -> !x
    // expected-error@+1 {{is 'inside', but not q or k of one attention alone}}
    %j = "dsp.fused_norm"(%x) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, norm = "rms", over = ["R", "two"], eps = 1.0e-6 : f64, params = 0 : i64, expr = 0 : i64, inside, stage = 0 : i64} : (!x) -> !x
    %p = "dsp.attention"(%j, %j, %x) {over = ["T"], dot = ["R", "two"], scale = 1.0 : f64, stage = 0 : i64} : (!x, !x, !x) -> !x
    // expected-error@+1 {{uses operand 3 of 1}}
    %9:2 = "dsp.fused_norm"(%x) {operandSegmentSizes = array<i32: 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, norm = "rms", over = ["R", "two"], eps = 1.0e-6 : f64, params = 0 : i64, before = ["mul", 0, 3], expr = 0 : i64, stage = 0 : i64} : (!x) -> (!x, !x)
    // expected-error@+1 {{reads operand 1, which is the norm's}}
    %10:2 = "dsp.fused_norm"(%x, %w) {operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, norm = "rms", over = ["R", "two"], eps = 1.0e-6 : f64, params = 1 : i64, before = ["mul", 0, 1], expr = 0 : i64, stage = 0 : i64} : (!x, !r) -> (!x, !x)
    return
  }
}
