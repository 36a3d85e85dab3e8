"""bf16 activations, f32 norms and tables: what is cast where.

  python3 mixed.py OUTPUT_FOLDER"""

import torch
import torch.nn.functional as F

from common import layer_norm, save, weight, weights

B, T, C = 2, 5, 24
x = torch.randn(B, T, C).bfloat16()
h = layer_norm(x.float() + weight("table", T, C), "norm").bfloat16()
w, b = weight("proj.weight", C, C), weight("proj.bias", C)
weights["proj.weight"], weights["proj.bias"] = w.bfloat16(), b.bfloat16()
y = F.linear(h.float(), w.bfloat16().float(), b.bfloat16().float()).bfloat16()
save({"x": x}, {"y": y, "means": y.float().mean(1)})
