"""CogVideoX (Yang et al., arXiv:2408.06072) with rotary embeddings: the outputs
of the public class CogVideoXTransformer3DModel with random weights, f32.

  python3 mmdit3d.py OUTPUT_FOLDER     needs diffusers; written with 0.35.1"""

import torch
from diffusers import CogVideoXTransformer3DModel
from diffusers.models.embeddings import get_3d_rotary_pos_embed

from common import save, weights

B, T, CH, ROWS, COLS, P, L, CY, D = 2, 5, 4, 3, 4, 2, 7, 24, 16
model = CogVideoXTransformer3DModel(
    num_attention_heads=3, attention_head_dim=D, in_channels=CH,
    out_channels=CH, time_embed_dim=32, text_embed_dim=CY, num_layers=2,
    sample_width=COLS * P, sample_height=ROWS * P, sample_frames=17,
    patch_size=P, max_text_seq_length=L,
    use_rotary_positional_embeddings=True).eval()

for name, p in model.named_parameters():
    r = torch.randn(p.shape)
    norm = ".norm." in name or "norm_q" in name or "norm_k" in name or \
        "norm_final" in name
    if name.endswith("bias"):
        p.data = 0.1 * r
    elif norm:
        p.data = 1 + 0.1 * r
    else:
        p.data = r / p[0].numel()**0.5
    weights[name] = p.data

latents = torch.randn(B, T, CH, ROWS * P, COLS * P)
text = torch.randn(B, L, CY)
timestep = torch.tensor([871., 310.])
rotary = get_3d_rotary_pos_embed(D, ((0, 0), (ROWS, COLS)), (ROWS, COLS), T)
with torch.no_grad():
    o = model(latents, text, timestep, image_rotary_emb=rotary,
              return_dict=False)[0]
save({"hidden_states": latents, "encoder_hidden_states": text,
      "timestep": timestep}, {"output": o})
