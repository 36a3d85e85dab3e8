"""The Transformer-2D of Dynamic Sequence Parallelism (Zhao et al.,
arXiv:2403.10266): pairs of a spatial and a temporal layer, each the public
class Block of timm, with random weights, f32.

  python3 transformer2d.py OUTPUT_FOLDER     needs timm; written with 1.0.31"""

import functools

import torch
from timm.models.vision_transformer import Block
from torch import nn

from common import draw, save

PAIRS, B, T, S, H, D = 2, 1, 5, 7, 3, 4
C = H * D
gelu = functools.partial(nn.GELU, approximate="tanh")
spatial, temporal = (
    nn.ModuleList(Block(C, H, qkv_bias=True, act_layer=gelu,
                        norm_layer=nn.LayerNorm)
                  for _ in range(PAIRS)).eval() for _ in range(2))
draw(spatial, "spatial.")
draw(temporal, "temporal.")
x = start = torch.randn(B, T, S, C)
with torch.no_grad():
    for over_s, over_t in zip(spatial, temporal):
        x = over_s(x.flatten(0, 1)).view(x.shape)
        x = over_t(x.transpose(1, 2).flatten(0, 1)).view(B, S, T, C)
        x = x.transpose(1, 2).contiguous()
save({"x": start}, {"x": x})
