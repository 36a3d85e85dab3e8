"""The Pairformer (Abramson et al., Nature 630, 2024, algorithm 17) of Boltz-1
(Wohlwend et al., 2024): the outputs of its public class PairformerModule with
random weights, f32, some tokens being padding.  What padding computes is left
out of the outputs.

  python3 pairformer.py OUTPUT_FOLDER        needs boltz; written with 0.4.1"""

import torch
from boltz.model.modules.trunk import PairformerModule

from common import draw, save

LAYERS, N, HS, DS, HZ, DZ = 2, 7, 2, 3, 2, 4
model = PairformerModule(
    token_s=HS * DS, token_z=HZ * DZ, num_blocks=LAYERS, num_heads=HS,
    pairwise_head_width=DZ, pairwise_num_heads=HZ).eval()
draw(model, "pairformer_module.")
single, pair = torch.randn(N, HS * DS), torch.randn(N, N, HZ * DZ)
mask = torch.ones(N)
mask[-2:] = 0
pairs = mask[:, None] * mask
with torch.no_grad():
    s, z = model(single[None], pair[None], mask[None], pairs[None])
save({"single": single, "pair": pair, "mask": mask},
     {"single": s[0] * mask[:, None], "pair": z[0] * pairs[..., None]})
