"""Skiparse attention of Open-Sora Plan 1.3 (Lin et al., arXiv:2412.00131,
section 2.2): a sequence of n * m * k tokens; single skip attends to the tokens
that are k apart, group skip to groups of k tokens that are k groups apart; the
first and the last layer attend to all of them.  Pre-norm, self attention and
MLP.

  python3 skiparse.py OUTPUT_FOLDER"""

import torch
import torch.nn.functional as F

from common import attention, heads, layer_norm, linear, save

PAIRS, B, N, M, K, H, D = 2, 1, 3, 4, 4, 2, 4
C = H * D


def attend(x, p, kind):
    h = layer_norm(x, p + "norm1").view(B, N, M, K, C)
    if kind == "single":  # over n and m, each k by itself
        h = h.permute(0, 3, 1, 2, 4)
    elif kind == "group":  # over n and k, each m by itself
        h = h.permute(0, 2, 1, 3, 4)
    else:
        h = h.unsqueeze(1)
    shape = h.shape
    flat = h.reshape(B, shape[1], -1, C)
    q, k, v = (heads(t, H) for t in linear(flat, p + "attn.qkv", 3 * C).chunk(
        3, -1))
    o = linear(attention(q, k, v).flatten(-2), p + "attn.proj", C).view(shape)
    if kind == "single":
        o = o.permute(0, 2, 3, 1, 4)
    elif kind == "group":
        o = o.permute(0, 2, 1, 3, 4)
    return x + o.reshape(B, -1, C)


layers = [("first.", "full")]
for i in range(PAIRS):
    layers += [(f"pairs.{i}.single.", "single"), (f"pairs.{i}.group.", "group")]
layers += [("last.", "full")]

x = start = torch.randn(B, N * M * K, C)
for p, kind in layers:
    x = attend(x, p, kind)
    h = layer_norm(x, p + "norm2")
    x = x + linear(F.gelu(linear(h, p + "mlp.fc1", 4 * C), approximate="tanh"),
                   p + "mlp.fc2", C)
save({"x": start}, {"x": x})
