"""Layers of the MSA Transformer (Rao et al., MSA Transformer, ICML 2021): row
attention whose weights are tied over the sequences (the logits are summed over
them and scaled by 1 / sqrt(sequences * D)), column attention, feed-forward;
pre-norm.  Names follow the public ESM code.

  python3 msa_transformer.py OUTPUT_FOLDER"""

import torch
import torch.nn.functional as F

from common import attention, heads, layer_norm, linear, save

LAYERS, B, R, N, H, D = 2, 1, 4, 7, 2, 4
C = H * D


def tied_rows(x, p):
    h = layer_norm(x, p + "layer_norm")
    q, k, v = (heads(linear(h, p + f"layer.{n}_proj", C), H) for n in "qkv")
    logits = torch.einsum("brihd,brjhd->bhij", q, k) / (D * R)**0.5
    o = torch.einsum("bhij,brjhd->brihd", logits.softmax(-1), v)
    return x + linear(o.flatten(-2), p + "layer.out_proj", C)


def columns(x, p):
    h = layer_norm(x, p + "layer_norm").transpose(1, 2)
    q, k, v = (heads(linear(h, p + f"layer.{n}_proj", C), H) for n in "qkv")
    o = attention(q, k, v).flatten(-2).transpose(1, 2)
    return x + linear(o, p + "layer.out_proj", C)


x = start = torch.randn(B, R, N, C)
for i in range(LAYERS):
    p = f"layers.{i}."
    x = tied_rows(x, p + "row_self_attention.")
    x = columns(x, p + "column_self_attention.")
    h = layer_norm(x, p + "feed_forward_layer.layer_norm")
    h = F.gelu(linear(h, p + "feed_forward_layer.layer.fc1", 4 * C))
    x = x + linear(h, p + "feed_forward_layer.layer.fc2", C)
save({"x": start}, {"x": x})
