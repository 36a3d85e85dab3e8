"""Parallel branches: attention over frames, over rows and over columns of the
same value, summed: the outputs of the public class AxialAttention of the
package axial-attention with random weights, f32.

  python3 parallel.py OUTPUT_FOLDER  needs axial-attention; written with 0.6.1"""

import torch
from axial_attention import AxialAttention

from common import draw, save

B, T, Y, X, H, D = 2, 3, 4, 5, 2, 4
model = AxialAttention(H * D, num_dimensions=3, heads=H).eval()
draw(model)
x = torch.randn(B, T, Y, X, H * D)
with torch.no_grad():
    y = model(x)
save({"x": x}, {"y": y})
