"""STDiT3, the video model of Open-Sora 1.2: the outputs of the public class
STDiT3 with random weights, f32, for text of several lengths and frames that are
given.

  python3 stdit3.py OUTPUT_FOLDER CHECKOUT   needs hpcaitech/Open-Sora at v1.2.0
                                             in CHECKOUT; see public.py"""

import pathlib
import sys

import torch

from common import draw, save, weights
from public import open_sora

DEPTH, B, CH, T, ROWS, COLS, P, H, D, L, CY = 2, 2, 4, 5, 3, 5, 2, 4, 8, 7, 24

stdit3 = open_sora(pathlib.Path(sys.argv[2]))
model = stdit3.STDiT3(stdit3.STDiT3Config(
    hidden_size=H * D, depth=DEPTH, num_heads=H, in_channels=CH,
    patch_size=(1, P, P), caption_channels=CY, model_max_length=L)).eval()
frequencies = model.rope.freqs.clone()  # a constant that checkpoints hold too
draw(model)
model.rope.freqs.data = frequencies
del weights["rope.freqs"]

latents = torch.randn(B, CH, T, ROWS * P, COLS * P)
timestep, fps = torch.tensor([871., 310.]), torch.tensor([24., 8.])
text, lengths = torch.randn(B, L, CY), torch.tensor([6, 3])
frames = torch.ones(B, T, dtype=torch.bool)
frames[0, :2] = False
frames[1, 3] = False
height, width = torch.tensor([96.]), torch.tensor([160.])
with torch.no_grad():
    o = model(latents, timestep, text[:, None],
              mask=(torch.arange(L) < lengths[:, None]).int(), x_mask=frames,
              fps=fps, height=height, width=width)
    positions = model.pos_embed(
        latents, ROWS, COLS, scale=(height * width).item()**0.5 / 512,
        base_size=round((ROWS * COLS)**0.5))[0]
save({"x": latents, "timestep": timestep, "fps": fps, "y": text,
      "y_length": lengths.int(), "frame_mask": frames.float(),
      "pos_embed": positions}, {"output": o})
