"""What the references share: weights that are made when they are first used,
or that are drawn for the modules of a public class."""

import pathlib
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

torch.manual_seed(7)
weights = {}


def weight(name, *shape):
    """A parameter: matrices of variance 1 / inputs, small vectors."""
    if name not in weights:
        fan = shape[-1] if len(shape) > 1 else 100
        weights[name] = torch.randn(*shape) / fan**0.5
    return weights[name]


def linear(x, name, out, bias=True):
    w = weight(name + ".weight", out, x.shape[-1])
    return F.linear(x, w, weight(name + ".bias", out) if bias else None)


def layer_norm(x, name, eps=1e-5):
    c = x.shape[-1]
    if name + ".weight" not in weights:
        weights[name + ".weight"] = 1 + 0.1 * torch.randn(c)
        weights[name + ".bias"] = 0.1 * torch.randn(c)
    return F.layer_norm(x, (c,), weights[name + ".weight"],
                        weights[name + ".bias"], eps)


def draw(module, prefix=""):
    """Draws the parameters of a public module; their names stay behind
    `prefix`."""
    norms = {id(p) for m in module.modules() if "Norm" in type(m).__name__
             for p in m.parameters(recurse=False)}
    for name, p in module.named_parameters():
        r = torch.randn(p.shape)
        if p.dim() == 1:
            drawn = 0.1 * r + (id(p) in norms and name.endswith("weight"))
        else:
            drawn = r / p[0].numel()**0.5
        p.data = drawn
        weights[prefix + name] = drawn


def heads(x, count):
    return x.unflatten(-1, (count, -1))


def attention(q, k, v, bias=None):
    """q [.., queries, H, D], k and v [.., keys, H, D]."""
    logits = torch.einsum("...qhd,...khd->...hqk", q, k) / q.shape[-1]**0.5
    if bias is not None:
        logits = logits + bias
    return torch.einsum("...hqk,...khd->...qhd", logits.softmax(-1), v)


def save(inputs, outputs):
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    for name, tensors in (("weights", weights), ("input", inputs),
                          ("expected", outputs)):
        save_file({k: v.contiguous() for k, v in tensors.items()},
                  folder / f"{name}.safetensors")
        (folder / f"{name}.safetensors").chmod(0o644)
