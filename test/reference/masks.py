"""Attention that is causal, that sees a window, and both: along T and along S,
one after the other.

  python3 masks.py OUTPUT_FOLDER"""

import torch

from common import attention, heads, linear, save

B, T, S, H, D = 1, 5, 300, 2, 4
C = H * D


def mask(n, causal, window):
    apart = torch.arange(n)[:, None] - torch.arange(n)
    seen = torch.ones(n, n, dtype=torch.bool)
    if causal:
        seen &= apart >= 0
    if window:
        seen &= apart.abs() < window
    return torch.where(seen, 0., -torch.inf)


def attend(x, name, n, causal=False, window=0):
    """x [.., n, C]"""
    q, k, v = (heads(t, H)
               for t in linear(x, name + ".qkv", 3 * C).chunk(3, -1))
    return x + attention(q, k, v, mask(n, causal, window)).flatten(-2)


x = start = torch.randn(B, T, S, C)
x = attend(x, "window", S, window=3)
x = attend(x.transpose(1, 2), "causal", T, causal=True).transpose(1, 2)
x = attend(x, "both", S, causal=True, window=40)
x = attend(x.transpose(1, 2), "short", T, window=2).transpose(1, 2)
x = attend(x, "long", S, causal=True)
save({"x": start}, {"x": x})
