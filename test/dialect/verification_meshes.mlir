// The verifier on meshes of two axes: one rule for each axis, and collectives
// that change the entries that their names say.
// RUN: dsp-opt %s -split-input-file -verify-diagnostics

// Switches, an axis swap, gathers and splits, over one axis or both.  Where axis
// 0 comes to cut what axis 1 cuts, parts move.
module attributes {dsp.ranks = 6 : i64, dsp.mesh = [2, 3],
    dsp.mesh_names = ["nodes", "gpus"], dsp.dims = [{name = "T", size = 5 : i64},
    {name = "S", size = 7 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 3 : i64},
    {name = "C", size = 6 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["T", "*"]}>
    %a = "dsp.all_to_all"(%x) {reason = "", bytes = [0, 0, 0, 0, 0, 0], stage = 0 : i64} : (tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["T", "*"]}>) -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["*", "T"]}>
    %b = "dsp.all_gather"(%a) {reason = "", bytes = [0, 0, 0, 0, 0, 0], stage = 0 : i64} : (tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["*", "T"]}>) -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["*", "*"]}>
    %c = "dsp.shard"(%b) {reason = "", bytes = [0, 0, 0, 0, 0, 0], stage = 0 : i64} : (tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["*", "*"]}>) -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["T", "T"]}>
    %d = "dsp.all_to_all"(%c) {reason = "", bytes = [0, 0, 0, 0, 0, 0], stage = 0 : i64} : (tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["T", "T"]}>) -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["S", "H"]}>
    %e = "dsp.all_to_all"(%d) {reason = "", bytes = [0, 0, 0, 0, 0, 0], stage = 0 : i64} : (tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["S", "H"]}>) -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["H", "S"]}>
    %f = "dsp.all_gather"(%e) {reason = "", bytes = [0, 0, 0, 0, 0, 0], stage = 0 : i64} : (tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["H", "S"]}>) -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["*", "S"]}>
    %g = "dsp.all_to_all"(%f) {reason = "", bytes = [0, 0, 0, 0, 0, 0], stage = 0 : i64} : (tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["*", "S"]}>) -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["S", "S"]}>
    return
  }
}

// -----

// Sums along one axis, inside the groups of the other.
module attributes {dsp.ranks = 6 : i64, dsp.mesh = [2, 3],
    dsp.mesh_names = ["nodes", "gpus"], dsp.dims = [{name = "T", size = 5 : i64},
    {name = "S", size = 7 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 3 : i64},
    {name = "C", size = 6 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["H", "T"]}>
    %r = "dsp.reduce"(%x) {kind = "sum", over = ["H"], stage = 0 : i64} : (tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["H", "T"]}>) -> tensor<5x7x3xf32, {dims = ["T", "S", "D"], layout = ["+", "T"]}>
    %a = "dsp.reduce_scatter"(%r) {reason = "", bytes = [0, 0, 0, 0, 0, 0], stage = 0 : i64} : (tensor<5x7x3xf32, {dims = ["T", "S", "D"], layout = ["+", "T"]}>) -> tensor<5x7x3xf32, {dims = ["T", "S", "D"], layout = ["S", "T"]}>
    %b = "dsp.all_reduce"(%r) {reason = "", bytes = [0, 0, 0, 0, 0, 0], stage = 0 : i64} : (tensor<5x7x3xf32, {dims = ["T", "S", "D"], layout = ["+", "T"]}>) -> tensor<5x7x3xf32, {dims = ["T", "S", "D"], layout = ["*", "T"]}>
    %s = "dsp.reduce"(%x) {kind = "sum", over = ["H"], stage = 0 : i64} : (tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["H", "T"]}>) -> tensor<5x7x3xf32, {dims = ["T", "S", "D"], layout = ["+", "T"]}>
    return
  }
}

// -----

// Axis 0 cannot split what axis 1 cuts: its parts lie in other ranks.
module attributes {dsp.ranks = 6 : i64, dsp.mesh = [2, 3],
    dsp.mesh_names = ["nodes", "gpus"], dsp.dims = [{name = "T", size = 5 : i64},
    {name = "S", size = 7 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 3 : i64},
    {name = "C", size = 6 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["*", "T"]}>
    // expected-error@+1 {{cannot change layout '*', 'T' to 'T', 'T'}}
    %y = "dsp.shard"(%x) {reason = "", bytes = [0, 0, 0, 0, 0, 0], stage = 0 : i64} : (tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["*", "T"]}>) -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["T", "T"]}>
    return
  }
}

// -----

// A split that also gathers is a switch.
module attributes {dsp.ranks = 6 : i64, dsp.mesh = [2, 3],
    dsp.mesh_names = ["nodes", "gpus"], dsp.dims = [{name = "T", size = 5 : i64},
    {name = "S", size = 7 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 3 : i64},
    {name = "C", size = 6 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["T", "*"]}>
    // expected-error@+1 {{cannot change layout 'T', '*' to '*', 'S'}}
    %y = "dsp.shard"(%x) {reason = "", bytes = [0, 0, 0, 0, 0, 0], stage = 0 : i64} : (tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["T", "*"]}>) -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["*", "S"]}>
    return
  }
}

// -----

// A gather makes entries whole and changes no other.
module attributes {dsp.ranks = 6 : i64, dsp.mesh = [2, 3],
    dsp.mesh_names = ["nodes", "gpus"], dsp.dims = [{name = "T", size = 5 : i64},
    {name = "S", size = 7 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 3 : i64},
    {name = "C", size = 6 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["T", "S"]}>
    // expected-error@+1 {{cannot change layout 'T', 'S' to '*', 'H'}}
    %y = "dsp.all_gather"(%x) {reason = "", bytes = [0, 0, 0, 0, 0, 0], stage = 0 : i64} : (tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["T", "S"]}>) -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["*", "H"]}>
    return
  }
}

// -----

// A gather is no all-to-all.
module attributes {dsp.ranks = 6 : i64, dsp.mesh = [2, 3],
    dsp.mesh_names = ["nodes", "gpus"], dsp.dims = [{name = "T", size = 5 : i64},
    {name = "S", size = 7 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 3 : i64},
    {name = "C", size = 6 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["T", "S"]}>
    // expected-error@+1 {{cannot change layout 'T', 'S' to '*', 'S'}}
    %y = "dsp.all_to_all"(%x) {reason = "", bytes = [0, 0, 0, 0, 0, 0], stage = 0 : i64} : (tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["T", "S"]}>) -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["*", "S"]}>
    return
  }
}

// -----

// Sums go one axis at a time.
module attributes {dsp.ranks = 6 : i64, dsp.mesh = [2, 3],
    dsp.mesh_names = ["nodes", "gpus"], dsp.dims = [{name = "T", size = 5 : i64},
    {name = "S", size = 7 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 3 : i64},
    {name = "C", size = 6 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %w = "dsp.input"() {name = "w", stage = 0 : i64} : () -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["H", "D"]}>
    %x = "dsp.reduce"(%w) {kind = "sum", over = ["H", "D"], stage = 0 : i64} : (tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["H", "D"]}>) -> tensor<5x7xf32, {dims = ["T", "S"], layout = ["+", "+"]}>
    // expected-error@+1 {{cannot change layout '+', '+' to 'T', 'S'}}
    %y = "dsp.reduce_scatter"(%x) {reason = "", bytes = [0, 0, 0, 0, 0, 0], stage = 0 : i64} : (tensor<5x7xf32, {dims = ["T", "S"], layout = ["+", "+"]}>) -> tensor<5x7xf32, {dims = ["T", "S"], layout = ["T", "S"]}>
    return
  }
}

// -----

// The other entry of a sum stays.
module attributes {dsp.ranks = 6 : i64, dsp.mesh = [2, 3],
    dsp.mesh_names = ["nodes", "gpus"], dsp.dims = [{name = "T", size = 5 : i64},
    {name = "S", size = 7 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 3 : i64},
    {name = "C", size = 6 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %w = "dsp.input"() {name = "w", stage = 0 : i64} : () -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["H", "T"]}>
    %x = "dsp.reduce"(%w) {kind = "sum", over = ["H", "D"], stage = 0 : i64} : (tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["H", "T"]}>) -> tensor<5x7xf32, {dims = ["T", "S"], layout = ["+", "T"]}>
    // expected-error@+1 {{cannot change layout '+', 'T' to '*', 'S'}}
    %y = "dsp.all_reduce"(%x) {reason = "", bytes = [0, 0, 0, 0, 0, 0], stage = 0 : i64} : (tensor<5x7xf32, {dims = ["T", "S"], layout = ["+", "T"]}>) -> tensor<5x7xf32, {dims = ["T", "S"], layout = ["*", "S"]}>
    return
  }
}

// -----

// Axis 0 cannot scatter what axis 1 has cut.
module attributes {dsp.ranks = 6 : i64, dsp.mesh = [2, 3],
    dsp.mesh_names = ["nodes", "gpus"], dsp.dims = [{name = "T", size = 5 : i64},
    {name = "S", size = 7 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 3 : i64},
    {name = "C", size = 6 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %w = "dsp.input"() {name = "w", stage = 0 : i64} : () -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["H", "T"]}>
    %x = "dsp.reduce"(%w) {kind = "sum", over = ["H", "D"], stage = 0 : i64} : (tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["H", "T"]}>) -> tensor<5x7xf32, {dims = ["T", "S"], layout = ["+", "T"]}>
    // expected-error@+1 {{cannot change layout '+', 'T' to 'T', 'T'}}
    %y = "dsp.reduce_scatter"(%x) {reason = "", bytes = [0, 0, 0, 0, 0, 0], stage = 0 : i64} : (tensor<5x7xf32, {dims = ["T", "S"], layout = ["+", "T"]}>) -> tensor<5x7xf32, {dims = ["T", "S"], layout = ["T", "T"]}>
    return
  }
}

// -----

// Sums are added before anything else moves.
module attributes {dsp.ranks = 6 : i64, dsp.mesh = [2, 3],
    dsp.mesh_names = ["nodes", "gpus"], dsp.dims = [{name = "T", size = 5 : i64},
    {name = "S", size = 7 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 3 : i64},
    {name = "C", size = 6 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %w = "dsp.input"() {name = "w", stage = 0 : i64} : () -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["H", "T"]}>
    %x = "dsp.reduce"(%w) {kind = "sum", over = ["H", "D"], stage = 0 : i64} : (tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["H", "T"]}>) -> tensor<5x7xf32, {dims = ["T", "S"], layout = ["+", "T"]}>
    // expected-error@+1 {{cannot change layout '+', 'T' to '+', 'S'}}
    %y = "dsp.all_to_all"(%x) {reason = "", bytes = [0, 0, 0, 0, 0, 0], stage = 0 : i64} : (tensor<5x7xf32, {dims = ["T", "S"], layout = ["+", "T"]}>) -> tensor<5x7xf32, {dims = ["T", "S"], layout = ["+", "S"]}>
    return
  }
}

// -----

// A collective changes something.
module attributes {dsp.ranks = 6 : i64, dsp.mesh = [2, 3],
    dsp.mesh_names = ["nodes", "gpus"], dsp.dims = [{name = "T", size = 5 : i64},
    {name = "S", size = 7 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 3 : i64},
    {name = "C", size = 6 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["T", "S"]}>
    // expected-error@+1 {{cannot change layout 'T', 'S' to 'T', 'S'}}
    %y = "dsp.all_to_all"(%x) {reason = "", bytes = [0, 0, 0, 0, 0, 0], stage = 0 : i64} : (tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["T", "S"]}>) -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["T", "S"]}>
    return
  }
}

// -----

// An op runs on one dim an axis, and needs each axis to agree.
module attributes {dsp.ranks = 6 : i64, dsp.mesh = [2, 3],
    dsp.mesh_names = ["nodes", "gpus"], dsp.dims = [{name = "T", size = 5 : i64},
    {name = "S", size = 7 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 3 : i64},
    {name = "C", size = 6 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["T", "S"]}>
    %m = "dsp.input"() {name = "m", stage = 0 : i64} : () -> tensor<5x7xf32, {dims = ["T", "S"], layout = ["T", "*"]}>
    // expected-error@+1 {{runs on 'S' and needs layout 'S' of operand 1, which has '*'}}
    %y = "dsp.map"(%x, %m) {operandSegmentSizes = array<i32: 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0>, expr = ["add", 0, 1], stage = 0 : i64} : (tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["T", "S"]}>, tensor<5x7xf32, {dims = ["T", "S"], layout = ["T", "*"]}>) -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["T", "S"]}>
    return
  }
}

// -----

// What an op needs whole is whole on each axis.
module attributes {dsp.ranks = 6 : i64, dsp.mesh = [2, 3],
    dsp.mesh_names = ["nodes", "gpus"], dsp.dims = [{name = "T", size = 5 : i64},
    {name = "S", size = 7 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 3 : i64},
    {name = "C", size = 6 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["T", "D"]}>
    // expected-error@+1 {{needs 'D' whole and cannot run on it}}
    %y = "dsp.layer_norm"(%x) {over = ["H", "D"], eps = 1.0e-5 : f64, stage = 0 : i64} : (tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["T", "D"]}>) -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["T", "D"]}>
    return
  }
}

// -----

// A ring along axis 0, heads on axis 1.
module attributes {dsp.ranks = 6 : i64, dsp.mesh = [2, 3],
    dsp.mesh_names = ["nodes", "gpus"], dsp.dims = [{name = "T", size = 5 : i64},
    {name = "S", size = 7 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 3 : i64},
    {name = "C", size = 6 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["S", "H"]}>
    %y = "dsp.attention"(%x, %x, %x) {over = ["S"], dot = ["D"], scale = 1.0 : f64, ring = ["S", ""], bytes = [0, 0, 0, 0, 0, 0], stage = 0 : i64} : (tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["S", "H"]}>, tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["S", "H"]}>, tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["S", "H"]}>) -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["S", "H"]}>
    return
  }
}

// -----

// Without it the keys are needed whole along axis 0.
module attributes {dsp.ranks = 6 : i64, dsp.mesh = [2, 3],
    dsp.mesh_names = ["nodes", "gpus"], dsp.dims = [{name = "T", size = 5 : i64},
    {name = "S", size = 7 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 3 : i64},
    {name = "C", size = 6 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["S", "H"]}>
    // expected-error@+1 {{runs on 'S' and needs layout '*' of operand 1, which has 'S'}}
    %y = "dsp.attention"(%x, %x, %x) {over = ["S"], dot = ["D"], scale = 1.0 : f64, stage = 0 : i64} : (tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["S", "H"]}>, tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["S", "H"]}>, tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["S", "H"]}>) -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["S", "H"]}>
    return
  }
}

// -----

// A ring is where the attended dim is cut.
module attributes {dsp.ranks = 6 : i64, dsp.mesh = [2, 3],
    dsp.mesh_names = ["nodes", "gpus"], dsp.dims = [{name = "T", size = 5 : i64},
    {name = "S", size = 7 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 3 : i64},
    {name = "C", size = 6 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["S", "H"]}>
    // expected-error@+1 {{is a ring over 'H', which it does not attend}}
    %y = "dsp.attention"(%x, %x, %x) {over = ["S"], dot = ["D"], scale = 1.0 : f64, ring = ["S", "H"], bytes = [0, 0, 0, 0, 0, 0], stage = 0 : i64} : (tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["S", "H"]}>, tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["S", "H"]}>, tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["S", "H"]}>) -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["S", "H"]}>
    return
  }
}

// -----

// Two axes cut one dim, or dims that have nothing in common.
module attributes {dsp.ranks = 6 : i64, dsp.mesh = [2, 3],
    dsp.mesh_names = ["nodes", "gpus"], dsp.dims = [{name = "T", size = 5 : i64},
    {name = "S", size = 7 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 3 : i64},
    {name = "C", size = 6 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    // expected-error@+1 {{is cut on 'C' and 'H', which overlap}}
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["C", "H"]}>
    return
  }
}

// -----

// Types have an entry for each axis of the mesh.
module attributes {dsp.ranks = 6 : i64, dsp.mesh = [2, 3],
    dsp.mesh_names = ["nodes", "gpus"], dsp.dims = [{name = "T", size = 5 : i64},
    {name = "S", size = 7 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 3 : i64},
    {name = "C", size = 6 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    // expected-error@+1 {{is planned on 1 mesh axes, the mesh has 2}}
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<5x7xf32, {dims = ["T", "S"], layout = ["T"]}>
    return
  }
}

// -----

// The mesh has all ranks.
// expected-error@+1 {{has a mesh of 2 x 3 and 8 as dsp.ranks}}
module attributes {dsp.ranks = 8 : i64, dsp.mesh = [2, 3],
    dsp.mesh_names = ["nodes", "gpus"], dsp.dims = [{name = "T", size = 5 : i64},
    {name = "S", size = 7 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 3 : i64},
    {name = "C", size = 6 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["T", "S"]}>
    return
  }
}

// -----

// expected-error@+1 {{needs two sizes as dsp.mesh and two names as dsp.mesh_names}}
module attributes {dsp.ranks = 6 : i64, dsp.mesh = [2, 3],
    dsp.mesh_names = ["nodes"], dsp.dims = [{name = "T", size = 5 : i64},
    {name = "S", size = 7 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 3 : i64},
    {name = "C", size = 6 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<5x7x2x3xf32, {dims = ["T", "S", "H", "D"], layout = ["T", "S"]}>
    return
  }
}

// -----

// Partial maxima are reduced along one axis, as sums are.
module attributes {dsp.ranks = 6 : i64, dsp.mesh = [2, 3],
    dsp.mesh_names = ["nodes", "gpus"], dsp.dims = [{name = "T", size = 5 : i64},
    {name = "S", size = 7 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 3 : i64},
    {name = "C", size = 6 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<5x7x2xf32, {dims = ["T", "S", "H"], layout = ["T", "H"]}>
    %y = "dsp.reduce"(%x) {kind = "max", over = ["H"], stage = 0 : i64} : (tensor<5x7x2xf32, {dims = ["T", "S", "H"], layout = ["T", "H"]}>) -> tensor<5x7xf32, {dims = ["T", "S"], layout = ["T", "^"]}>
    %a = "dsp.reduce_scatter"(%y) {reason = "", bytes = [0, 0, 0, 0, 0, 0], stage = 0 : i64} : (tensor<5x7xf32, {dims = ["T", "S"], layout = ["T", "^"]}>) -> tensor<5x7xf32, {dims = ["T", "S"], layout = ["T", "S"]}>
    %b = "dsp.all_reduce"(%y) {reason = "", bytes = [0, 0, 0, 0, 0, 0], stage = 0 : i64} : (tensor<5x7xf32, {dims = ["T", "S"], layout = ["T", "^"]}>) -> tensor<5x7xf32, {dims = ["T", "S"], layout = ["T", "*"]}>
    // expected-error@+1 {{cannot change layout 'T', '^' to '*', '^'}}
    %c = "dsp.all_gather"(%y) {reason = "", bytes = [0, 0, 0, 0, 0, 0], stage = 0 : i64} : (tensor<5x7xf32, {dims = ["T", "S"], layout = ["T", "^"]}>) -> tensor<5x7xf32, {dims = ["T", "S"], layout = ["*", "^"]}>
    return
  }
}
