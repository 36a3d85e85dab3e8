"""The blocks of STDiT3 (Open-Sora 1.2): the outputs of the public class
STDiT3Block with random weights, f32, without rotary embeddings and with all of
the text.

  python3 stdit.py OUTPUT_FOLDER CHECKOUT    needs hpcaitech/Open-Sora at v1.2.0
                                             in CHECKOUT; see public.py"""

import pathlib
import sys

import torch
from torch import nn

from common import draw, save
from public import open_sora

DEPTH, B, T, S, L, H, D = 1, 2, 5, 6, 7, 2, 8
C = H * D
module = open_sora(pathlib.Path(sys.argv[2]))


def blocks(temporal):
    return nn.ModuleList(
        module.STDiT3Block(C, H, qk_norm=True, temporal=temporal)
        for _ in range(DEPTH)).eval()


spatial, temporal = blocks(False), blocks(True)
draw(spatial, "spatial_blocks.")
draw(temporal, "temporal_blocks.")
x, y, t = torch.randn(B, T, S, C), torch.randn(B, L, C), torch.randn(B, 6, C)
tokens = x.flatten(1, 2)
with torch.no_grad():
    for pair in zip(spatial, temporal):
        for block in pair:
            tokens = block(tokens, y.view(1, B * L, C), t.flatten(1), [L] * B,
                           T=T, S=S)
save({"x": x, "y": y, "t": t}, {"x": tokens.view(x.shape)})
