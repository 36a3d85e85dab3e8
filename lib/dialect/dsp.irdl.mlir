// dsp.irdl.mlir - the `dsp` dialect.
//
// Ops are leaves inside func.func.  What IRDL cannot state (dims, sizes,
// layouts, the types of attributes) is checked by dsp_verify.  Attributes
// that are declared here are mandatory; include/dspc/dialect/ops.def lists the
// optional ones too.  One IRDL value used twice means the same type or
// attribute, in a variadic operand too: hence one value for each, and as many
// optional operands as dsp.map and dsp.concat may have.  MLIR then asks for an
// attribute operandSegmentSizes, which dsp_verify keeps up to date.
irdl.dialect @dsp {
  // A tensor that the program reads.
  irdl.operation @input {
    %y = irdl.base "!builtin.tensor"
    %stage = irdl.any
    %name = irdl.any
    irdl.attributes {"stage" = %stage, "name" = %name}
    irdl.results(y: %y)
  }

  // A parameter: a tensor of the weights file.
  irdl.operation @param {
    %y = irdl.base "!builtin.tensor"
    %stage = irdl.any
    %path = irdl.any
    %rel = irdl.any
    %file_shape = irdl.any
    irdl.attributes {
      "stage" = %stage,
      "path" = %path,
      "rel" = %rel,
      "file_shape" = %file_shape
    }
    irdl.results(y: %y)
  }

  // A tensor that the program writes.
  irdl.operation @output {
    %x = irdl.base "!builtin.tensor"
    %stage = irdl.any
    %name = irdl.any
    %file_shape = irdl.any
    irdl.operands(x: %x)
    irdl.attributes {
      "stage" = %stage,
      "name" = %name,
      "file_shape" = %file_shape
    }
  }

  // The sum of a b over dims of both.
  irdl.operation @einsum {
    %a = irdl.base "!builtin.tensor"
    %b = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    %stage = irdl.any
    %over = irdl.any
    irdl.operands(a: %a, b: %b)
    irdl.attributes {"stage" = %stage, "over" = %over}
    irdl.results(y: %y)
  }

  // Rows of w [over.., out..] that ids names.
  irdl.operation @embedding {
    %ids = irdl.base "!builtin.tensor"
    %w = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    %stage = irdl.any
    %over = irdl.any
    %out = irdl.any
    irdl.operands(ids: %ids, w: %w)
    irdl.attributes {"stage" = %stage, "over" = %over, "out" = %out}
    irdl.results(y: %y)
  }

  // x, the pairs along a dim rotated by angles.
  irdl.operation @rope {
    %x = irdl.base "!builtin.tensor"
    %angles = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    %stage = irdl.any
    %over = irdl.any
    irdl.operands(x: %x, angles: %angles)
    irdl.attributes {"stage" = %stage, "over" = %over}
    irdl.results(y: %y)
  }

  // x, some dims called otherwise.
  irdl.operation @rename {
    %x = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    %stage = irdl.any
    irdl.operands(x: %x)
    irdl.attributes {"stage" = %stage}
    irdl.results(y: %y)
  }

  // 0, 1, 2, .. along a dim.
  irdl.operation @index {
    %y = irdl.base "!builtin.tensor"
    %stage = irdl.any
    irdl.attributes {"stage" = %stage}
    irdl.results(y: %y)
  }

  // y = x w + b: contracts dims of x with a weight.
  irdl.operation @linear {
    %x = irdl.base "!builtin.tensor"
    %w = irdl.base "!builtin.tensor"
    %b = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    %stage = irdl.any
    %contract = irdl.any
    %out = irdl.any
    irdl.operands(x: %x, w: %w, b: optional %b)
    irdl.attributes {"stage" = %stage, "contract" = %contract, "out" = %out}
    irdl.results(y: %y)
  }

  // A linear with a bias and what follows it in one product of a library: the
  // tanh form of GELU (epilogue "gelu_tanh"), or the addition of r ("add").
  irdl.operation @fused_linear {
    %x = irdl.base "!builtin.tensor"
    %w = irdl.base "!builtin.tensor"
    %b = irdl.base "!builtin.tensor"
    %r = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    %stage = irdl.any
    %contract = irdl.any
    %out = irdl.any
    %epilogue = irdl.any
    irdl.operands(x: %x, w: %w, b: %b, r: optional %r)
    irdl.attributes {"stage" = %stage, "contract" = %contract, "out" = %out,
                     "epilogue" = %epilogue}
    irdl.results(y: %y)
  }

  // (x - mean) / sqrt(variance + eps) * weight + bias.
  irdl.operation @layer_norm {
    %x = irdl.base "!builtin.tensor"
    %w = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    %stage = irdl.any
    %over = irdl.any
    %eps = irdl.any
    irdl.operands(x: %x, w: variadic %w)
    irdl.attributes {"stage" = %stage, "over" = %over, "eps" = %eps}
    irdl.results(y: %y)
  }

  // x / sqrt(mean(x * x) + eps) * weight.
  irdl.operation @rms_norm {
    %x = irdl.base "!builtin.tensor"
    %w = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    %stage = irdl.any
    %over = irdl.any
    %eps = irdl.any
    irdl.operands(x: %x, w: optional %w)
    irdl.attributes {"stage" = %stage, "over" = %over, "eps" = %eps}
    irdl.results(y: %y)
  }

  // softmax(q k^T * scale + bias) v, over dims of k and v.
  irdl.operation @attention {
    %q = irdl.base "!builtin.tensor"
    %k = irdl.base "!builtin.tensor"
    %v = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    %stage = irdl.any
    %over = irdl.any
    %dot = irdl.any
    %scale = irdl.any
    %bias = irdl.base "!builtin.tensor"
    irdl.operands(q: %q, k: %k, v: %v, bias: optional %bias)
    irdl.attributes {
      "stage" = %stage,
      "over" = %over,
      "dot" = %dot,
      "scale" = %scale
    }
    irdl.results(y: %y)
  }

  // Elementwise: an expression over operands, broadcast by name.
  irdl.operation @map {
    %x0 = irdl.base "!builtin.tensor"
    %x1 = irdl.base "!builtin.tensor"
    %x2 = irdl.base "!builtin.tensor"
    %x3 = irdl.base "!builtin.tensor"
    %x4 = irdl.base "!builtin.tensor"
    %x5 = irdl.base "!builtin.tensor"
    %x6 = irdl.base "!builtin.tensor"
    %x7 = irdl.base "!builtin.tensor"
    %x8 = irdl.base "!builtin.tensor"
    %x9 = irdl.base "!builtin.tensor"
    %x10 = irdl.base "!builtin.tensor"
    %x11 = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    %stage = irdl.any
    %expr = irdl.any
    irdl.operands(
      x0: optional %x0, x1: optional %x1, x2: optional %x2,
      x3: optional %x3, x4: optional %x4, x5: optional %x5,
      x6: optional %x6, x7: optional %x7, x8: optional %x8,
      x9: optional %x9, x10: optional %x10, x11: optional %x11)
    irdl.attributes {"stage" = %stage, "expr" = %expr}
    irdl.results(y: %y)
  }

  // A norm over the innermost dims, the rotation of its pairs, and an
  // elementwise expression of the outcome (operand 0) and further values.  With
  // "before" what is normalised is an expression, too: the second result.
  irdl.operation @fused_norm {
    %x0 = irdl.base "!builtin.tensor"
    %x1 = irdl.base "!builtin.tensor"
    %x2 = irdl.base "!builtin.tensor"
    %x3 = irdl.base "!builtin.tensor"
    %x4 = irdl.base "!builtin.tensor"
    %x5 = irdl.base "!builtin.tensor"
    %x6 = irdl.base "!builtin.tensor"
    %x7 = irdl.base "!builtin.tensor"
    %x8 = irdl.base "!builtin.tensor"
    %x9 = irdl.base "!builtin.tensor"
    %x10 = irdl.base "!builtin.tensor"
    %x11 = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    %sum = irdl.base "!builtin.tensor"
    %stage = irdl.any
    %norm = irdl.any
    %over = irdl.any
    %eps = irdl.any
    %params = irdl.any
    %expr = irdl.any
    irdl.operands(
      x0: optional %x0, x1: optional %x1, x2: optional %x2,
      x3: optional %x3, x4: optional %x4, x5: optional %x5,
      x6: optional %x6, x7: optional %x7, x8: optional %x8,
      x9: optional %x9, x10: optional %x10, x11: optional %x11)
    irdl.attributes {"stage" = %stage, "norm" = %norm, "over" = %over,
                     "eps" = %eps, "params" = %params, "expr" = %expr}
    irdl.results(y: %y, sum: optional %sum)
  }

  // Positions start .. start + size of one dim.
  irdl.operation @slice {
    %x = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    %stage = irdl.any
    %dim = irdl.any
    %start = irdl.any
    %size = irdl.any
    irdl.operands(x: %x)
    irdl.attributes {
      "stage" = %stage,
      "dim" = %dim,
      "start" = %start,
      "size" = %size
    }
    irdl.results(y: %y)
  }

  // Operands one after the other along a dim.
  irdl.operation @concat {
    %x0 = irdl.base "!builtin.tensor"
    %x1 = irdl.base "!builtin.tensor"
    %x2 = irdl.base "!builtin.tensor"
    %x3 = irdl.base "!builtin.tensor"
    %x4 = irdl.base "!builtin.tensor"
    %x5 = irdl.base "!builtin.tensor"
    %x6 = irdl.base "!builtin.tensor"
    %x7 = irdl.base "!builtin.tensor"
    %x8 = irdl.base "!builtin.tensor"
    %x9 = irdl.base "!builtin.tensor"
    %x10 = irdl.base "!builtin.tensor"
    %x11 = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    %stage = irdl.any
    %dim = irdl.any
    %starts = irdl.any
    irdl.operands(
      x0: optional %x0, x1: optional %x1, x2: optional %x2,
      x3: optional %x3, x4: optional %x4, x5: optional %x5,
      x6: optional %x6, x7: optional %x7, x8: optional %x8,
      x9: optional %x9, x10: optional %x10, x11: optional %x11)
    irdl.attributes {"stage" = %stage, "dim" = %dim, "starts" = %starts}
    irdl.results(y: %y)
  }

  // The same elements in another order of dims.
  irdl.operation @rearrange {
    %x = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    %stage = irdl.any
    irdl.operands(x: %x)
    irdl.attributes {"stage" = %stage}
    irdl.results(y: %y)
  }

  // Sum, mean or max over dims.
  irdl.operation @reduce {
    %x = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    %stage = irdl.any
    %kind = irdl.any
    %over = irdl.any
    irdl.operands(x: %x)
    irdl.attributes {"stage" = %stage, "kind" = %kind, "over" = %over}
    irdl.results(y: %y)
  }

  // The value must be cut on a dim.
  irdl.operation @pin {
    %x = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    %stage = irdl.any
    %on = irdl.any
    irdl.operands(x: %x)
    irdl.attributes {"stage" = %stage, "on" = %on}
    irdl.results(y: %y)
  }

  // S(d) -> S(e): the dynamic switch.
  irdl.operation @all_to_all {
    %x = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    %stage = irdl.any
    %reason = irdl.any
    %bytes = irdl.any
    irdl.operands(x: %x)
    irdl.attributes {"stage" = %stage, "reason" = %reason, "bytes" = %bytes}
    irdl.results(y: %y)
  }

  // S(d) -> R.
  irdl.operation @all_gather {
    %x = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    %stage = irdl.any
    %reason = irdl.any
    %bytes = irdl.any
    irdl.operands(x: %x)
    irdl.attributes {"stage" = %stage, "reason" = %reason, "bytes" = %bytes}
    irdl.results(y: %y)
  }

  // P -> S(d).
  irdl.operation @reduce_scatter {
    %x = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    %stage = irdl.any
    %reason = irdl.any
    %bytes = irdl.any
    irdl.operands(x: %x)
    irdl.attributes {"stage" = %stage, "reason" = %reason, "bytes" = %bytes}
    irdl.results(y: %y)
  }

  // P -> R.
  irdl.operation @all_reduce {
    %x = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    %stage = irdl.any
    %reason = irdl.any
    %bytes = irdl.any
    irdl.operands(x: %x)
    irdl.attributes {"stage" = %stage, "reason" = %reason, "bytes" = %bytes}
    irdl.results(y: %y)
  }

  // R -> S(d): a local slice; moves nothing.
  irdl.operation @shard {
    %x = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    %stage = irdl.any
    %reason = irdl.any
    %bytes = irdl.any
    irdl.operands(x: %x)
    irdl.attributes {"stage" = %stage, "reason" = %reason, "bytes" = %bytes}
    irdl.results(y: %y)
  }

  // A view made contiguous.
  irdl.operation @copy {
    %x = irdl.base "!builtin.tensor"
    %y = irdl.base "!builtin.tensor"
    %stage = irdl.any
    irdl.operands(x: %x)
    irdl.attributes {"stage" = %stage}
    irdl.results(y: %y)
  }
}
