"""Open-Sora Plan 1.3 (Lin et al., arXiv:2412.00131): the outputs of the public
class OpenSoraT2V_v1_3 with random weights, f32, for a video without padding and
text of which a part is left out.

  python3 skiparse.py OUTPUT_FOLDER CHECKOUT
     needs PKU-YuanGroup/Open-Sora-Plan in CHECKOUT, see public.py

All 32 layers are there: the class has the numbers of those that skip in it."""

import pathlib
import sys

import torch
from einops import rearrange

from common import draw, save
from public import open_sora_plan

LAYERS, H, D, L, CY = 32, 2, 12, 5, 10
B, T, ROWS, COLS, P, CH = 1, 3, 6, 8, 2, 2

model = open_sora_plan(pathlib.Path(sys.argv[2])).OpenSoraT2V_v1_3(
    num_attention_heads=H, attention_head_dim=D, in_channels=CH,
    out_channels=CH, num_layers=LAYERS, cross_attention_dim=H * D,
    sample_size_t=T, sample_size_h=ROWS * P, sample_size_w=COLS * P,
    patch_size=P, patch_size_t=1, activation_fn="gelu-approximate",
    caption_channels=CY, sparse1d=True, sparse_n=4).eval()
draw(model)
latents = torch.randn(B, CH, T, ROWS * P, COLS * P)
text, timestep = torch.randn(B, L, CY), torch.tensor([871.])
stays = torch.tensor([[1., 1., 1., 0., 0.]])
with torch.no_grad():
    o = model(latents, timestep, text[:, None], torch.ones(B, T, ROWS * P,
                                                           COLS * P),
              stays[:, None], return_dict=False)[0]


def patches(video, order):
    return rearrange(video, f"b c t (h p) (w q) -> b (t h w) {order}", p=P, q=P)


save({"patches": patches(latents, "c p q"), "timestep": timestep,
      "encoder_hidden_states": text,
      "encoder_attention_bias": (1 - stays) * -10000},
     {"output": patches(o, "p q c")})
