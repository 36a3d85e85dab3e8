"""The MSA Transformer (Rao et al., ICML 2021): the logits of the public class
MSATransformer with random weights, f32, for an MSA without padding.

  python3 msa_transformer.py OUTPUT_FOLDER   needs fair-esm; written with 2.0.0"""

import argparse

import torch
from esm.data import Alphabet
from esm.model.msa_transformer import MSATransformer

from common import draw, save, weights

LAYERS, B, R, N, H, D, POSITIONS = 2, 1, 4, 7, 2, 4, 12
C = H * D
alphabet = Alphabet.from_architecture("MSA Transformer")
model = MSATransformer(
    argparse.Namespace(
        layers=LAYERS, embed_dim=C, ffn_embed_dim=4 * C, attention_heads=H,
        dropout=0., attention_dropout=0., activation_dropout=0.,
        max_tokens=2**14, max_positions=POSITIONS, embed_positions_msa=True,
        embed_positions_msa_dim=C), alphabet).eval()
draw(model)
for name in [n for n in weights if n.startswith("contact_head.")]:
    del weights[name]  # it reads attentions, not the logits
weights["lm_head.weight"] = weights["embed_tokens.weight"].clone()  # tied
residues = [alphabet.get_idx(c) for c in alphabet.standard_toks]
tokens = torch.tensor(residues)[torch.randint(len(residues), (B, R, N))]
tokens[:, :, 0] = alphabet.cls_idx
with torch.no_grad():
    logits = model(tokens)["logits"]
save({"tokens": tokens.int()}, {"logits": logits})
