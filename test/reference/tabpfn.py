"""Layers of TabPFN v2 (Hollmann et al., Nature 637, 2025, methods): attention
between the features of a sample, then between the samples of a feature, where
all samples attend to the training samples alone, then an MLP; each with a
residual and a norm without parameters behind it.

  python3 tabpfn.py OUTPUT_FOLDER"""

import torch
import torch.nn.functional as F

from common import attention, heads, linear, save

LAYERS, B, TRAIN, TEST, FEATURES, H, D = 2, 1, 6, 3, 5, 2, 4
C = H * D


def norm(x):
    return F.layer_norm(x, (C,))


def attend(x, keys, name):
    q = heads(linear(x, name + ".q", C, False), H)
    k = heads(linear(keys, name + ".k", C, False), H)
    v = heads(linear(keys, name + ".v", C, False), H)
    return linear(attention(q, k, v).flatten(-2), name + ".out", C, False)


x = start = torch.randn(B, TRAIN + TEST, FEATURES, C)
for i in range(LAYERS):
    p = f"layers.{i}."
    x = norm(x + attend(x, x, p + "between_features"))
    t = x.transpose(1, 2)
    a = attend(t, t[:, :, :TRAIN], p + "between_items")
    x = norm(x + a.transpose(1, 2))
    h = F.gelu(linear(x, p + "mlp.linear1", 4 * C, False))
    x = norm(x + linear(h, p + "mlp.linear2", C, False))
save({"x": start}, {"x": x})
