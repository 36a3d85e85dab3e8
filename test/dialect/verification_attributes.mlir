// The verifier: attributes of ops and of the module.
// RUN: dsp-opt %s -split-input-file -verify-diagnostics

// A typo in an optional attribute is no silent no-op.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    // expected-error@+1 {{'dsp.rearrange' op has no attribute 'nmae'}}
    %y = "dsp.rearrange"(%x) {nmae = "h", stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    return
  }
}

// -----

// Attributes have types.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    // expected-error@+1 {{needs an array of strings as 'over'}}
    %y = "dsp.layer_norm"(%x) {over = "D", eps = 1.0e-5 : f64, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    return
  }
}

// -----

// An eps is an f64.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    // expected-error@+1 {{needs an f64 as 'eps'}}
    %y = "dsp.rms_norm"(%x) {over = ["D"], eps = 1.0e-5 : f32, stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    return
  }
}

// -----

// IRDL asks for what is mandatory.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    // expected-error@+1 {{attribute "eps" is expected but not provided}}
    %y = "dsp.rms_norm"(%x) {over = ["D"], stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    return
  }
}

// -----

// A stage is one of dsp.stages.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}], dsp.stages = [
    {name = "", path = "", args = "", loops = []}]} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    // expected-error@+1 {{is in stage 7 of 1}}
    %y = "dsp.rearrange"(%x) {name = "h", stage = 7 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"]}>
    return
  }
}

// -----

// Bytes are told for every rank.
module attributes {dsp.dims = [
    {name = "B", size = 2 : i64}, {name = "T", size = 3 : i64},
    {name = "S", size = 4 : i64}, {name = "H", size = 2 : i64},
    {name = "D", size = 8 : i64}, {name = "3", size = 3 : i64},
    {name = "A", size = 5 : i64, terms = [[], ["S"]]},
    {name = "K", size = 2 : i64}, {name = "E", size = 8 : i64},
    {name = "C", size = 16 : i64, factors = ["H", "D"]}], dsp.ranks = 4 : i64} {
  func.func @model() {
    %x = "dsp.input"() {name = "x", stage = 0 : i64} : () -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>
    // expected-error@+1 {{has bytes for 2 ranks, not 4}}
    %y = "dsp.all_gather"(%x) {reason = "", bytes = [1, 2], stage = 0 : i64} : (tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["T"]}>) -> tensor<2x3x4x2x8xf32, {dims = ["B", "T", "S", "H", "D"], layout = ["*"]}>
    return
  }
}

// -----

// Dims are listed once.
// expected-error@+1 {{has two dims 'B' in dsp.dims}}
module attributes {dsp.dims = [{name = "B", size = 2 : i64},
                               {name = "B", size = 2 : i64}]} {
}

// -----

// A product is the product of its factors.
// expected-error@+1 {{needs atoms of dsp.dims whose product is 15 as the factors of 'C'}}
module attributes {dsp.dims = [
    {name = "H", size = 2 : i64}, {name = "D", size = 8 : i64},
    {name = "C", size = 15 : i64, factors = ["H", "D"]}]} {
}

// -----

// A sum is the sum of its terms.
// expected-error@+1 {{needs terms of atoms whose sum is 6 for 'A'}}
module attributes {dsp.dims = [
    {name = "S", size = 4 : i64},
    {name = "A", size = 6 : i64, terms = [[], ["S"]]}]} {
}
