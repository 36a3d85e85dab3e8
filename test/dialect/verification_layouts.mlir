// The verifier: planned layouts follow the one rule.
// RUN: dsp-opt %s -split-input-file -verify-diagnostics

// A norm runs on a dim that it leaves alone.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>) {
    %y = "dsp.layer_norm"(%x0) {over = ["H", "D"], eps = 1.0e-5 : f64, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>
    return
  }
}

// -----

// A norm cannot run on its own dim.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["H"]}>) {
    // expected-error@+1 {{needs 'H' whole and cannot run on it}}
    %y = "dsp.layer_norm"(%x0) {over = ["H", "D"], eps = 1.0e-5 : f64, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["H"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["H"]}>
    return
  }
}

// -----

// A cut over a product is a cut of its factors.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["C"]}>) {
    // expected-error@+1 {{needs 'C' whole and cannot run on it}}
    %y = "dsp.layer_norm"(%x0) {over = ["H", "D"], eps = 1.0e-5 : f64, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["C"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["C"]}>
    return
  }
}

// -----

// Only collectives change a layout.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>) {
    // expected-error@+1 {{runs on 'S' and needs layout 'S' of operand 0, which has 'T'}}
    %y = "dsp.layer_norm"(%x0) {over = ["H", "D"], eps = 1.0e-5 : f64, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["S"]}>
    return
  }
}

// -----

// Planned and unplanned types do not meet.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>) {
    // expected-error@+1 {{has types planned on 1 mesh axes and on 0}}
    %y = "dsp.layer_norm"(%x0) {over = ["H", "D"], eps = 1.0e-5 : f64, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>
    return
  }
}

// -----

// A layout names a dim of the type.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    // expected-error@+1 {{has layout 'S', which is no dim of [B, T]}}
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3xf32, {dims = ["B", "T"], layout = ["S"]}>
    return
  }
}

// -----

// A product is cut where its atoms are adjacent.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    // expected-error@+1 {{has layout 'C', which is no dim of [B, H, T, D]}}
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x2x3x8xf32, {dims = ["B", "H", "T", "D"], layout = ["C"]}>
    return
  }
}

// -----

// Attention over S runs on T.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>, %x1: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>, %x2: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>) {
    %y = "dsp.attention"(%x0, %x1, %x2) {over = ["S"], dot = ["D"], scale = 1.0 : f64, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>, tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>, tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>
    return
  }
}

// -----

// Attention over S runs on heads.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["H"]}>, %x1: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["H"]}>, %x2: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["H"]}>) {
    %y = "dsp.attention"(%x0, %x1, %x2) {over = ["S"], dot = ["D"], scale = 1.0 : f64, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["H"]}>, tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["H"]}>, tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["H"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["H"]}>
    return
  }
}

// -----

// Attention over S runs on its queries: K and V are whole.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["S"]}>, %x1: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["*"]}>, %x2: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["*"]}>) {
    %y = "dsp.attention"(%x0, %x1, %x2) {over = ["S"], dot = ["D"], scale = 1.0 : f64, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["S"]}>, tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["*"]}>, tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["*"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["S"]}>
    return
  }
}

// -----

// And not with K and V cut.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["S"]}>, %x1: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["S"]}>, %x2: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["S"]}>) {
    // expected-error@+1 {{runs on 'S' and needs layout '*' of operand 1, which has 'S'}}
    %y = "dsp.attention"(%x0, %x1, %x2) {over = ["S"], dot = ["D"], scale = 1.0 : f64, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["S"]}>, tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["S"]}>, tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["S"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["S"]}>
    return
  }
}

// -----

// The dot dim is needed whole.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["D"]}>, %x1: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["D"]}>, %x2: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["D"]}>) {
    // expected-error@+1 {{needs 'D' whole and cannot run on it}}
    %y = "dsp.attention"(%x0, %x1, %x2) {over = ["S"], dot = ["D"], scale = 1.0 : f64, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["D"]}>, tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["D"]}>, tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["D"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["D"]}>
    return
  }
}

// -----

// No softmax of partial sums.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["+"]}>, %x1: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["+"]}>, %x2: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["+"]}>) {
    // expected-error@+1 {{cannot leave partial values}}
    %y = "dsp.attention"(%x0, %x1, %x2) {over = ["S"], dot = ["D"], scale = 1.0 : f64, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["+"]}>, tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["+"]}>, tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["+"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["+"]}>
    return
  }
}

// -----

// A linear on a free dim has a whole weight.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x8xf32, {dims = ["B", "T", "D"], layout = ["T"]}>, %x1: tensor<8x8xf32, {dims = ["E", "D"], layout = ["*"]}>, %x2: tensor<8xf32, {dims = ["E"], layout = ["*"]}>) {
    %y = "dsp.linear"(%x0, %x1, %x2) {contract = ["D"], out = ["E"], stage = 0 : i64} : (tensor<2x3x8xf32, {dims = ["B", "T", "D"], layout = ["T"]}>, tensor<8x8xf32, {dims = ["E", "D"], layout = ["*"]}>, tensor<8xf32, {dims = ["E"], layout = ["*"]}>) -> tensor<2x3x8xf32, {dims = ["B", "T", "E"], layout = ["T"]}>
    return
  }
}

// -----

// And not a cut one.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x8xf32, {dims = ["B", "T", "D"], layout = ["T"]}>, %x1: tensor<8x8xf32, {dims = ["E", "D"], layout = ["E"]}>) {
    // expected-error@+1 {{runs on 'T' and needs layout '*' of operand 1, which has 'E'}}
    %y = "dsp.linear"(%x0, %x1) {contract = ["D"], out = ["E"], stage = 0 : i64} : (tensor<2x3x8xf32, {dims = ["B", "T", "D"], layout = ["T"]}>, tensor<8x8xf32, {dims = ["E", "D"], layout = ["E"]}>) -> tensor<2x3x8xf32, {dims = ["B", "T", "E"], layout = ["T"]}>
    return
  }
}

// -----

// A linear on an output dim cuts weight and bias.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x8xf32, {dims = ["B", "T", "D"], layout = ["*"]}>, %x1: tensor<8x8xf32, {dims = ["E", "D"], layout = ["E"]}>, %x2: tensor<8xf32, {dims = ["E"], layout = ["E"]}>) {
    %y = "dsp.linear"(%x0, %x1, %x2) {contract = ["D"], out = ["E"], stage = 0 : i64} : (tensor<2x3x8xf32, {dims = ["B", "T", "D"], layout = ["*"]}>, tensor<8x8xf32, {dims = ["E", "D"], layout = ["E"]}>, tensor<8xf32, {dims = ["E"], layout = ["E"]}>) -> tensor<2x3x8xf32, {dims = ["B", "T", "E"], layout = ["E"]}>
    return
  }
}

// -----

// A linear on a contracted dim leaves partial sums.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x8xf32, {dims = ["B", "T", "D"], layout = ["D"]}>, %x1: tensor<8x8xf32, {dims = ["E", "D"], layout = ["D"]}>) {
    %y = "dsp.linear"(%x0, %x1) {contract = ["D"], out = ["E"], stage = 0 : i64} : (tensor<2x3x8xf32, {dims = ["B", "T", "D"], layout = ["D"]}>, tensor<8x8xf32, {dims = ["E", "D"], layout = ["D"]}>) -> tensor<2x3x8xf32, {dims = ["B", "T", "E"], layout = ["+"]}>
    return
  }
}

// -----

// With a whole weight it would not.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x8xf32, {dims = ["B", "T", "D"], layout = ["D"]}>, %x1: tensor<8x8xf32, {dims = ["E", "D"], layout = ["*"]}>) {
    // expected-error@+1 {{runs on 'D' and needs layout 'D' of operand 1, which has '*'}}
    %y = "dsp.linear"(%x0, %x1) {contract = ["D"], out = ["E"], stage = 0 : i64} : (tensor<2x3x8xf32, {dims = ["B", "T", "D"], layout = ["D"]}>, tensor<8x8xf32, {dims = ["E", "D"], layout = ["*"]}>) -> tensor<2x3x8xf32, {dims = ["B", "T", "E"], layout = ["+"]}>
    return
  }
}

// -----

// One rank adds the bias to its partial sums: it has all of it.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x8xf32, {dims = ["B", "T", "D"], layout = ["D"]}>, %x1: tensor<8x8xf32, {dims = ["E", "D"], layout = ["D"]}>, %x2: tensor<8xf32, {dims = ["E"], layout = ["E"]}>) {
    // expected-error@+1 {{needs layout '*' of operand 2}}
    %y = "dsp.linear"(%x0, %x1, %x2) {contract = ["D"], out = ["E"], stage = 0 : i64} : (tensor<2x3x8xf32, {dims = ["B", "T", "D"], layout = ["D"]}>, tensor<8x8xf32, {dims = ["E", "D"], layout = ["D"]}>, tensor<8xf32, {dims = ["E"], layout = ["E"]}>) -> tensor<2x3x8xf32, {dims = ["B", "T", "E"], layout = ["+"]}>
    return
  }
}

// -----

// The keys have k, of which the queries hold a part of (n, k): no index fits.
module attributes {dsp.dims = [
    {name = "n", size = 2 : i64}, {name = "k", size = 4 : i64},
    {name = "D", size = 8 : i64},
    {name = "S", size = 8 : i64, factors = ["n", "k"]}]} {
  func.func @model(%q: tensor<2x4x8xf32, {dims = ["n", "k", "D"], layout = ["S"]}>, %k: tensor<2x4x8xf32, {dims = ["n", "k", "D"], layout = ["*"]}>) {
    // expected-error@+1 {{runs on 'S', of which operand 1 has 'k' alone}}
    %y = "dsp.attention"(%q, %k, %k) {over = ["n"], dot = ["D"], scale = 1.0 : f64, stage = 0 : i64} : (tensor<2x4x8xf32, {dims = ["n", "k", "D"], layout = ["S"]}>, tensor<2x4x8xf32, {dims = ["n", "k", "D"], layout = ["*"]}>, tensor<2x4x8xf32, {dims = ["n", "k", "D"], layout = ["*"]}>) -> tensor<2x4x8xf32, {dims = ["n", "k", "D"], layout = ["S"]}>
    return
  }
}

// -----

// A ring runs over a dim that is attended.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "S", size = 4 : i64},
    {name = "D", size = 8 : i64}]} {
  func.func @model(%q: tensor<2x4x8xf32, {dims = ["B", "S", "D"], layout = ["B"]}>) {
    // expected-error@+1 {{is a ring over 'B', which it does not attend}}
    %y = "dsp.attention"(%q, %q, %q) {over = ["S"], dot = ["D"], scale = 1.0 : f64, ring = "B", bytes = [0, 0], stage = 0 : i64} : (tensor<2x4x8xf32, {dims = ["B", "S", "D"], layout = ["B"]}>, tensor<2x4x8xf32, {dims = ["B", "S", "D"], layout = ["B"]}>, tensor<2x4x8xf32, {dims = ["B", "S", "D"], layout = ["B"]}>) -> tensor<2x4x8xf32, {dims = ["B", "S", "D"], layout = ["B"]}>
    return
  }
}

// -----

// A free dim leaves no partial sums.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x8xf32, {dims = ["B", "T", "D"], layout = ["T"]}>, %x1: tensor<8x8xf32, {dims = ["E", "D"], layout = ["*"]}>) {
    // expected-error@+1 {{cannot leave partial values}}
    %y = "dsp.linear"(%x0, %x1) {contract = ["D"], out = ["E"], stage = 0 : i64} : (tensor<2x3x8xf32, {dims = ["B", "T", "D"], layout = ["T"]}>, tensor<8x8xf32, {dims = ["E", "D"], layout = ["*"]}>) -> tensor<2x3x8xf32, {dims = ["B", "T", "E"], layout = ["+"]}>
    return
  }
}

// -----

// A broadcast operand without the dim is whole.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>, %x1: tensor<4x2x8xf32, {dims = ["S", "H", "D"], layout = ["*"]}>) {
    %y = "dsp.map"(%x0, %x1) {expr = ["add", 0, 1], operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>, tensor<4x2x8xf32, {dims = ["S", "H", "D"], layout = ["*"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>
    return
  }
}

// -----

// An operand with the dim is cut alike.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>, %x1: tensor<3x2x8xf32, {dims = ["T", "H", "D"], layout = ["*"]}>) {
    // expected-error@+1 {{runs on 'T' and needs layout 'T' of operand 1, which has '*'}}
    %y = "dsp.map"(%x0, %x1) {expr = ["add", 0, 1], operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>, tensor<3x2x8xf32, {dims = ["T", "H", "D"], layout = ["*"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>
    return
  }
}

// -----

// An operand with half of a product is whole.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["C"]}>, %x1: tensor<8xf32, {dims = ["D"], layout = ["*"]}>) {
    %y = "dsp.map"(%x0, %x1) {expr = ["add", 0, 1], operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["C"]}>, tensor<8xf32, {dims = ["D"], layout = ["*"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["C"]}>
    return
  }
}

// -----

// Partial sums go into collectives only.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["+"]}>, %x1: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["+"]}>) {
    // expected-error@+1 {{cannot leave partial values}}
    %y = "dsp.map"(%x0, %x1) {expr = ["add", 0, 1], operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["+"]}>, tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["+"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["+"]}>
    return
  }
}

// -----

// A mean over a cut dim is partial.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>) {
    %y = "dsp.reduce"(%x0) {kind = "mean", over = ["T"], stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>) -> tensor<2x4x2x8xf32, {dims = ["B", "S", "H", "D"], layout = ["+"]}>
    return
  }
}

// -----

// A maximum is no sum.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>) {
    // expected-error@+1 {{cannot leave partial values}}
    %y = "dsp.reduce"(%x0) {kind = "max", over = ["T"], stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>) -> tensor<2x4x2x8xf32, {dims = ["B", "S", "H", "D"], layout = ["+"]}>
    return
  }
}

// -----

// A maximum over a cut dim is a partial maximum.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>) {
    %y = "dsp.reduce"(%x0) {kind = "max", over = ["T"], stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>) -> tensor<2x4x2x8xf32, {dims = ["B", "S", "H", "D"], layout = ["^"]}>
    return
  }
}

// -----

// A sum is no maximum.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>) {
    // expected-error@+1 {{cannot leave partial values}}
    %y = "dsp.reduce"(%x0) {kind = "sum", over = ["T"], stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>) -> tensor<2x4x2x8xf32, {dims = ["B", "S", "H", "D"], layout = ["^"]}>
    return
  }
}

// -----

// A slice leaves the other dims cut.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x5xf32, {dims = ["B", "T", "A"], layout = ["T"]}>) {
    %y = "dsp.slice"(%x0) {dim = "A", start = 1 : i64, size = 4 : i64, stage = 0 : i64} : (tensor<2x3x5xf32, {dims = ["B", "T", "A"], layout = ["T"]}>) -> tensor<2x3x4xf32, {dims = ["B", "T", "S"], layout = ["T"]}>
    return
  }
}

// -----

// A slice cannot cut what it takes.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x5xf32, {dims = ["B", "T", "A"], layout = ["A"]}>) {
    // expected-error@+1 {{needs 'S' whole and cannot run on it}}
    %y = "dsp.slice"(%x0) {dim = "A", start = 1 : i64, size = 4 : i64, stage = 0 : i64} : (tensor<2x3x5xf32, {dims = ["B", "T", "A"], layout = ["A"]}>) -> tensor<2x3x4xf32, {dims = ["B", "T", "S"], layout = ["S"]}>
    return
  }
}

// -----

// A concatenation needs its dim whole.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3xf32, {dims = ["B", "T"], layout = ["*"]}>, %x1: tensor<2x3x4xf32, {dims = ["B", "T", "S"], layout = ["*"]}>) {
    // expected-error@+1 {{needs 'A' whole and cannot run on it}}
    %y = "dsp.concat"(%x0, %x1) {dim = "A", starts = [0, 1], operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, stage = 0 : i64} : (tensor<2x3xf32, {dims = ["B", "T"], layout = ["*"]}>, tensor<2x3x4xf32, {dims = ["B", "T", "S"], layout = ["*"]}>) -> tensor<2x3x5xf32, {dims = ["B", "T", "A"], layout = ["A"]}>
    return
  }
}

// -----

// all_to_all: S(d) -> S(e).
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>) {
    %y = "dsp.all_to_all"(%x0) {reason = "", bytes = [], stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["S"]}>
    return
  }
}

// -----

// all_to_all: Not the same dim.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>) {
    // expected-error@+1 {{cannot change layout 'T' to 'T'}}
    %y = "dsp.all_to_all"(%x0) {reason = "", bytes = [], stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>
    return
  }
}

// -----

// all_gather: S(d) -> R.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>) {
    %y = "dsp.all_gather"(%x0) {reason = "", bytes = [], stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["*"]}>
    return
  }
}

// -----

// all_gather: Not from partial sums.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["+"]}>) {
    // expected-error@+1 {{cannot change layout '+' to '*'}}
    %y = "dsp.all_gather"(%x0) {reason = "", bytes = [], stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["+"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["*"]}>
    return
  }
}

// -----

// reduce_scatter: P -> S(d).
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["+"]}>) {
    %y = "dsp.reduce_scatter"(%x0) {reason = "", bytes = [], stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["+"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>
    return
  }
}

// -----

// reduce_scatter: Not to whole.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["+"]}>) {
    // expected-error@+1 {{cannot change layout '+' to '*'}}
    %y = "dsp.reduce_scatter"(%x0) {reason = "", bytes = [], stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["+"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["*"]}>
    return
  }
}

// -----

// all_reduce: P -> R.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["+"]}>) {
    %y = "dsp.all_reduce"(%x0) {reason = "", bytes = [], stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["+"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["*"]}>
    return
  }
}

// -----

// all_reduce: Not from a cut.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>) {
    // expected-error@+1 {{cannot change layout 'T' to '*'}}
    %y = "dsp.all_reduce"(%x0) {reason = "", bytes = [], stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["*"]}>
    return
  }
}

// -----

// shard: R -> S(d).
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["*"]}>) {
    %y = "dsp.shard"(%x0) {reason = "", bytes = [], stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["*"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>
    return
  }
}

// -----

// shard: Not from another cut.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["S"]}>) {
    // expected-error@+1 {{cannot change layout 'S' to 'T'}}
    %y = "dsp.shard"(%x0) {reason = "", bytes = [], stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["S"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>
    return
  }
}

// -----

// copy: the same layout.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>) {
    // expected-error@+1 {{changes layout 'T' to '*'; only collectives do}}
    %y = "dsp.copy"(%x0) {reason = "", stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["*"]}>
    return
  }
}

// -----

// Partial sums are no output.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model(%x0: tensor<2x3xf32, {dims = ["B", "T"], layout = ["+"]}>) {
    // expected-error@+1 {{cannot write partial values}}
    "dsp.output"(%x0) {name = "x", file_shape = [2, 3], stage = 0 : i64} : (tensor<2x3xf32, {dims = ["B", "T"], layout = ["+"]}>) -> ()
    return
  }
}

// -----

// Inputs are no partial sums.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    // expected-error@+1 {{cannot leave partial values}}
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3xf32, {dims = ["B", "T"], layout = ["+"]}>
    return
  }
}

// -----

// A table is whole where its rows are looked up.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "V", size = 9 : i64}, {name = "D", size = 8 : i64}]} {
  func.func @model() {
    %ids = "dsp.input"() {name = "ids", stage = 0 : i64} : () -> tensor<2x3xi32, {dims = ["B", "T"], layout = ["T"]}>
    %w = "dsp.param"() {file_shape = [9, 8], path = "w", rel = "w", stage = 0 : i64} : () -> tensor<9x8xf32, {dims = ["V", "D"], layout = ["V"]}>
    // expected-error@+1 {{runs on 'T' and needs layout '*' of operand 1, which has 'V'}}
    %y = "dsp.embedding"(%ids, %w) {out = ["D"], over = ["V"], stage = 0 : i64} : (tensor<2x3xi32, {dims = ["B", "T"], layout = ["T"]}>, tensor<9x8xf32, {dims = ["V", "D"], layout = ["V"]}>) -> tensor<2x3x8xf32, {dims = ["B", "T", "D"], layout = ["T"]}>
    return
  }
}

// -----

// Ids are whole where the channels are cut.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "V", size = 9 : i64}, {name = "D", size = 8 : i64}]} {
  func.func @model() {
    %ids = "dsp.input"() {name = "ids", stage = 0 : i64} : () -> tensor<2x3xi32, {dims = ["B", "T"], layout = ["T"]}>
    %w = "dsp.param"() {file_shape = [9, 8], path = "w", rel = "w", stage = 0 : i64} : () -> tensor<9x8xf32, {dims = ["V", "D"], layout = ["D"]}>
    // expected-error@+1 {{runs on 'D' and needs layout '*' of operand 0, which has 'T'}}
    %y = "dsp.embedding"(%ids, %w) {out = ["D"], over = ["V"], stage = 0 : i64} : (tensor<2x3xi32, {dims = ["B", "T"], layout = ["T"]}>, tensor<9x8xf32, {dims = ["V", "D"], layout = ["D"]}>) -> tensor<2x3x8xf32, {dims = ["B", "T", "D"], layout = ["D"]}>
    return
  }
}

// -----

// Pairs are rotated where they are whole.
module attributes {dsp.dims = [
    {name = "T", size = 4 : i64}, {name = "R", size = 3 : i64},
    {name = "P", size = 2 : i64}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<4x3x2xf32, {dims = ["T", "R", "P"], layout = ["P"]}>
    %a = "dsp.input"() {name = "a", stage = 0 : i64} : () -> tensor<4x3xf32, {dims = ["T", "R"], layout = ["*"]}>
    // expected-error@+1 {{needs 'P' whole and cannot run on it}}
    %y = "dsp.rope"(%x, %a) {over = ["P"], stage = 0 : i64} : (tensor<4x3x2xf32, {dims = ["T", "R", "P"], layout = ["P"]}>, tensor<4x3xf32, {dims = ["T", "R"], layout = ["*"]}>) -> tensor<4x3x2xf32, {dims = ["T", "R", "P"], layout = ["P"]}>
    return
  }
}

// -----

// Angles are cut as what they rotate.
module attributes {dsp.dims = [
    {name = "T", size = 4 : i64}, {name = "R", size = 3 : i64},
    {name = "P", size = 2 : i64}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<4x3x2xf32, {dims = ["T", "R", "P"], layout = ["T"]}>
    %a = "dsp.input"() {name = "a", stage = 0 : i64} : () -> tensor<4x3xf32, {dims = ["T", "R"], layout = ["*"]}>
    // expected-error@+1 {{runs on 'T' and needs layout 'T' of operand 1, which has '*'}}
    %y = "dsp.rope"(%x, %a) {over = ["P"], stage = 0 : i64} : (tensor<4x3x2xf32, {dims = ["T", "R", "P"], layout = ["T"]}>, tensor<4x3xf32, {dims = ["T", "R"], layout = ["*"]}>) -> tensor<4x3x2xf32, {dims = ["T", "R", "P"], layout = ["T"]}>
    return
  }
}
