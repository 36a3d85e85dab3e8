"""Writes test/fixtures/tokens: embeddings of tokens and positions, attention
over rows and columns and gated MLPs in PyTorch, f32 (torch.nn.functional:
embedding, rms_norm, scaled_dot_product_attention, silu).

  python3 tokens.py OUTPUT_FOLDER"""

import torch
import torch.nn.functional as F
from common import attention, heads, linear, save, weight, weights

LAYERS, M, L, V, H, D, WIDE = 2, 5, 7, 11, 2, 4, 6
C = H * D


def norm(x, name):
    return F.rms_norm(x, (C,), 1 + weight(name + ".weight", C), 1e-6)


def layer(x, p):
    qkv = linear(norm(x, p + "norm1"), p + "qkv", 3 * C, False)
    a = attention(*(heads(t, H) for t in qkv.chunk(3, -1)))
    x = x + linear(a.flatten(-2), p + "proj", C, False)
    up, gate = linear(norm(x, p + "norm2"), p + "up", 2 * WIDE, False).chunk(
        2, -1)
    return x + linear(up * F.silu(gate), p + "down", C, False)


ids = torch.randint(V, (M, L), dtype=torch.int32)
ids[0, 0], ids[0, 1] = 0, V - 1
positions = torch.randperm(L).to(torch.int32)
x = F.embedding(ids, weight("tokens.weight", V, C))
x = x + F.embedding(positions, weight("positions.weight", L, C))
for i in range(LAYERS):
    x = layer(x, f"rows.{i}.")
    x = layer(x.transpose(0, 1), f"columns.{i}.").transpose(0, 1)
logits = linear(x, "head", V)
for name in weights:
    if "norm" in name:
        weights[name] = 1 + weights[name]
save({"ids": ids, "positions": positions}, {"logits": logits})
