"""TabPFN v2 (Hollmann et al., Nature 637, 2025): the outputs of the blocks of
the public class TabPFNV2 with random weights, f32.  Training samples attend to
training samples; test samples to training samples too, with every head to the
first head's keys and values.

  python3 tabpfn_v2.py OUTPUT_FOLDER         needs tabpfn; written with 9.2.0"""

import torch
from tabpfn.architectures.tabpfn_v2 import TabPFNBlock

from common import draw, save

LAYERS, B, TRAIN, TEST, FEATURES, H, D = 2, 1, 6, 3, 5, 2, 4
C = H * D
blocks = torch.nn.ModuleList(
    TabPFNBlock(emsize=C, nhead=H, dim_feedforward=4 * C)
    for _ in range(LAYERS)).eval()
draw(blocks, "blocks.")
x = start = torch.randn(B, TRAIN + TEST, FEATURES, C)
with torch.no_grad():
    for block in blocks:
        x, _ = block(x, TRAIN, None)
save({"x": start}, {"x": x})
