"""Axial attention over frames, rows and columns, causal in time: a direct
transcription of the layers of Ho et al., Axial Attention in Multidimensional
Transformers, arXiv:1912.12180, section 3, with pre-norm.

  python3 axial3d.py OUTPUT_FOLDER"""

import torch
import torch.nn.functional as F

from common import attention, heads, layer_norm, linear, save

LAYERS, B, T, Y, X, H, D = 2, 1, 4, 5, 7, 2, 4
C = H * D


def attend(x, dim, name, causal=False):
    h = layer_norm(x, name + ".norm").movedim(dim, -2)
    q, k, v = (heads(t, H) for t in linear(h, name + ".qkv", 3 * C).chunk(
        3, -1))
    n = h.shape[-2]
    mask = torch.full((n, n), float("-inf")).triu(1) if causal else None
    o = attention(q, k, v, mask).flatten(-2)
    return x + linear(o.movedim(-2, dim), name + ".proj", C)


x = start = torch.randn(B, T, Y, X, C)
for i in range(LAYERS):
    p = f"layers.{i}."
    x = attend(x, 3, p + "width")
    x = attend(x, 2, p + "height")
    x = attend(x, 1, p + "time", causal=True)
    h = layer_norm(x, p + "mlp.norm")
    x = x + linear(F.gelu(linear(h, p + "mlp.fc1", 4 * C)), p + "mlp.fc2", C)
save({"x": start}, {"x": x})
