"""Axial attention over frames, rows and columns (Ho et al., Axial Attention in
Multidimensional Transformers, arXiv:1912.12180): random weights, f32.  The
attention is that of the public package axial-attention, its class PreNorm of
its class SelfAttention; it has no mask, so that each frame is given the frames
up to it as keys.  The order of the layer and its MLP are our own.

  python3 axial3d.py OUTPUT_FOLDER  needs axial-attention; written with 0.6.1"""

import torch
from axial_attention.axial_attention import PreNorm, SelfAttention
from torch import nn

from common import draw, save

LAYERS, B, T, Y, X, H, D = 2, 1, 4, 5, 7, 2, 4
C = H * D


def attend(x, dim, module):
    h = x.movedim(dim, -2)
    return x + module(h.flatten(0, -3)).view(h.shape).movedim(-2, dim)


def attend_causal(x, module):
    """Over frames, dim 1."""
    h = module.norm(x.movedim(1, -2))
    flat = h.flatten(0, -3)
    frames = [module.fn(flat[:, t:t + 1], kv=flat[:, :t + 1]) for t in range(T)]
    return x + torch.cat(frames, 1).view(h.shape).movedim(-2, 1)


def layer():
    attentions = {name: PreNorm(C, SelfAttention(C, H))
                  for name in ("width", "height", "time")}
    mlp = PreNorm(C, nn.Sequential(nn.Linear(C, 4 * C), nn.GELU(),
                                   nn.Linear(4 * C, C)))
    return nn.ModuleDict(attentions | {"mlp": mlp})


layers = nn.ModuleList(layer() for _ in range(LAYERS)).eval()
draw(layers, "layers.")
x = start = torch.randn(B, T, Y, X, C)
with torch.no_grad():
    for one in layers:
        x = attend(x, 3, one["width"])
        x = attend(x, 2, one["height"])
        x = attend_causal(x, one["time"])
        x = x + one["mlp"](x)
save({"x": start}, {"x": x})
