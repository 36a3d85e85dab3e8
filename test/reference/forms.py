"""The forms in which public implementations differ: orders of patches and of
packed queries, keys and values, rotary embeddings, unit dims, class tokens,
pairs.

  python3 forms.py OUTPUT_FOLDER"""

import math

import torch
import torch.nn.functional as F

from common import attention, layer_norm, linear, save, weight

B, H, D = 2, 2, 12
C = H * D
inputs, outputs = {}, {}


def patches():
    """(channel, frame, row, column) in; both orders out"""
    v = inputs["video"] = torch.randn(B, 3, 6, 4, 6)
    kernel = weight("patch.weight", 8, 3, 2, 2, 3)
    x = F.conv3d(v, kernel, weight("patch.bias", 8), stride=(2, 2, 3))
    x = x.flatten(2).transpose(1, 2)
    u = linear(x, "unpatch", 2 * 2 * 3 * 3, bias=False)
    outputs["embedded"] = x
    last = u.view(B, 3, 2, 2, 2, 2, 3, 3)  # .. pt py px Ch
    outputs["channels_last"] = last.permute(0, 7, 1, 4, 2, 5, 3, 6).reshape(
        B, 3, 6, 4, 6)
    first = u.view(B, 3, 2, 2, 3, 2, 2, 3)  # .. Ch pt py px
    outputs["channels_first"] = first.permute(0, 1, 5, 4, 2, 6, 3, 7).reshape(
        B, 6, 3, 4, 6)


def packed():
    x = inputs["x"] = torch.randn(B, 6, C)
    y = inputs["y"] = torch.randn(B, 5, C)
    p = linear(x, "qkv", 3 * C, bias=False)
    kv = linear(y, "kv", 2 * C, bias=False)
    q = linear(x, "q", C, bias=False).view(B, 6, H, D)
    by_kind, by_head = p.view(B, 6, 3, H, D), p.view(B, 6, H, 3, D)
    outputs["by_kind"] = attention(*by_kind.unbind(2)).flatten(2)
    outputs["by_head"] = attention(*by_head.unbind(3)).flatten(2)
    outputs["kv_by_kind"] = attention(
        q, *kv.view(B, 5, 2, H, D).unbind(2)).flatten(2)
    outputs["kv_by_head"] = attention(
        q, *kv.view(B, 5, H, 2, D).unbind(3)).flatten(2)


def rotate(x, angles, halves=False):
    a, b = x.chunk(2, -1) if halves else (x[..., 0::2], x[..., 1::2])
    pair = (a * angles.cos() - b * angles.sin(),
            b * angles.cos() + a * angles.sin())
    return torch.cat(pair, -1) if halves else torch.stack(pair, -1).flatten(-2)


def frequencies(n):
    return torch.exp(torch.arange(n) * (-math.log(10000) / n))


def rotary():
    """over time; over time, rows and columns, in one table and in three"""
    z = inputs["z"] = torch.randn(B, 3, 4, H, D)  # time, 2 x 2 patches
    for name in ("zh", "z3", "zp"):  # its channels under other names
        inputs[name] = z.clone()
    text = inputs["text"] = torch.randn(B, 5, H, D)
    time, patch = torch.arange(3)[:, None], torch.arange(4)[:, None]
    all_time = (time * frequencies(6))[:, None, None]
    t, y, x = (p * frequencies(2) for p in (time, patch // 2, patch % 2))
    table = torch.cat([t[:, None].expand(3, 4, 2), y.expand(3, 4, 2),
                       x.expand(3, 4, 2)], -1)[:, :, None]
    outputs["neighbours"] = rotate(z, all_time)
    outputs["halves"] = rotate(z, all_time, halves=True)
    outputs["one_table"] = rotate(z, table)
    parts = z.split(4, -1)
    outputs["three_tables"] = torch.cat(
        [rotate(parts[0], t[:, None, None], True),
         rotate(parts[1], y[:, None], True),
         rotate(parts[2], x[:, None], True)], -1)
    joint = torch.cat([text, outputs["neighbours"].flatten(1, 2)], 1)
    outputs["joint"] = attention(joint, joint, joint)


def tokens():
    """channels between the sequence dims, unit dims, a class token"""
    x = inputs["between"] = torch.randn(B, 5, C, 3, 4)
    h = (x + weight("time", 1, 5, C, 1, 1)).permute(0, 1, 3, 4, 2).flatten(2, 3)
    table = weight("positions", 1, 13, C)
    token = weight("class", 1, 1, C) + table[:, :1]
    a = torch.cat([token.expand(B, 5, 1, C), h + table[:, 1:]], 2)
    h = layer_norm(a, "norm").unflatten(-1, (H, D))
    o = attention(h, h, h).flatten(3)
    outputs["class_mean"] = token[0] + o[:, :, 0].mean(1)
    outputs["class_max"] = o[:, :, 0].amax(1)
    outputs["rest"] = a[:, :, 1:] + o[:, :, 1:]
    outputs["table_row"] = table[0, 4]


def pairs():
    s = inputs["single"] = torch.randn(B, 5, 4)
    z = inputs["pair"] = torch.randn(B, 5, 5, 6)
    mask = inputs["mask"] = torch.tensor([[1, 1, 1, 1, 0], [1, 1, 0, 0, 0.]])
    both = mask[:, :, None] * mask[:, None]
    outputs["both"] = both
    outputs["outer"] = torch.cat([s[:, :, None] * s[:, None],
                                  s[:, :, None] - s[:, None]], -1)
    outputs["transposed"] = z.transpose(1, 2)
    outputs["triangle"] = torch.einsum("bikz,bjkz->bijz", z, z)
    q = s.unflatten(-1, (2, 2))
    bias = linear(z, "bias", 2, bias=False).permute(0, 3, 1, 2)
    bias = bias + torch.where(both > 0, 0., -torch.inf)[:, None]
    logits = torch.einsum("bihd,bjhd->bhij", q, q) / 2**0.5 + bias
    outputs["masked"] = torch.einsum(
        "bhij,bjhd->bihd", logits.softmax(-1).nan_to_num(0), q).flatten(2)


for part in (patches, packed, rotary, tokens, pairs):
    part()
save(inputs, {k: v.clone() for k, v in outputs.items()})
