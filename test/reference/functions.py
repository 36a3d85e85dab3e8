"""Every elementwise function, operator, choice, softmax and reduction.

  python3 functions.py OUTPUT_FOLDER"""

import torch
import torch.nn.functional as F

from common import save

B, T, S, C = 2, 5, 6, 8
x, y = 3 * torch.randn(B, T, S, C), torch.randn(B, T, S, C)
t, s = torch.arange(T)[:, None, None], torch.arange(S)[:, None]
hide = torch.tensor(-torch.inf)


def like(z):
    return z.expand(B, T, S, C)


def control(e):
    for i in range(6):
        if i == 0:
            e = e + 1
        elif i % 2 == 0 and i < 4:
            e = e * 2
        elif not i >= 4:
            e = e - 3
        else:
            e = -e
        if i == 5 or i == 1:
            e = e + 0.5
    return e


save({"x": x, "y": y}, {
    "gelu": F.gelu(x),
    "gelu_tanh": F.gelu(x, approximate="tanh"),
    "gelu_sigmoid": x * torch.sigmoid(1.702 * x),
    "silu": F.silu(x),
    "relu": F.relu(x),
    "leaky": F.leaky_relu(x),
    "leaky_2": F.leaky_relu(x, 0.2),
    "elus": F.elu(x),
    "elu_5": F.elu(x, 0.5),
    "softpluses": F.softplus(x),
    "mishes": F.mish(x),
    "hardswishes": F.hardswish(x),
    "hardsigmoids": F.hardsigmoid(x),
    "sigmoids": x.sigmoid(),
    "tanhs": x.tanh(),
    "exps": x.exp(),
    "logs": x.abs().log(),
    "erfs": x.erf(),
    "floors": x.floor(),
    "waves": x.sin() * x.cos(),
    "roots": x.abs().sqrt() + (x.abs() + 1).rsqrt(),
    "extremes": torch.minimum(x, y) + x.clamp(min=.5) + x.clamp(max=1),
    "powers": x.abs()**y + x**2 + 2**x,
    "rest": torch.remainder(x, 2.) + torch.remainder(t.float(), 3.),
    "less": (x < y).float() + 2 * (x <= y) + 4 * (x > 0) + 8 * (x >= y),
    "equal": (t == 3).float() + 2 * (s != 2) + 0 * x,
    "logic": ((x > 0) & (y > 0)).float() + 2 * ((x > 0) | (y > 1) & ~(y > 2)),
    "chosen": torch.where(x > y, x, torch.tensor(-1.)),
    "some": torch.where(s < 3, x, y),
    "odd": x * (t % 2 == 1),
    "third": x + s // 3,
    "constants": x * 9.210340371976184 + 8 + 2 + 1,
    "soft_s": x.softmax(2),
    "soft_ts": x.flatten(1, 2).softmax(1).view_as(x),
    "soft_c": x.softmax(-1),
    "soft_none": torch.zeros_like(x),
    "soft_some": torch.where(s < 3, x, hide).softmax(2),
    "most_s": x.amax(2),
    "least_ts": x.amin((1, 2)),
    "most_b": x.amax(0),
    "means": x.mean(1),
    "sums": x.sum((2, 3)),
    "products": (x * y).amax((1, 2)),
    "controlled": control(x),
})
