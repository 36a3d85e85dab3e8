"""Attention over text of several lengths, an empty one too; with a bias, causal,
over several dims, with fewer heads of keys than of queries.

  python3 lengths.py OUTPUT_FOLDER"""

import torch

from common import save

B, T, S, L, H, D = 2, 3, 4, 7, 2, 4
N = 290  # more keys than a tile


def attend(q, k, v, mask):
    """q [.., queries, H, D], k and v [.., keys, H, D]; 0 where all is hidden"""
    logits = torch.einsum("...qhd,...khd->...hqk", q, k) / D**0.5 + mask
    weights = logits.softmax(-1).nan_to_num(0)
    return torch.einsum("...hqk,...khd->...qhd", weights, v)


def seen(condition):
    return torch.where(condition, 0., -torch.inf)


q, k, v = (torch.randn(B, T, S, H, D), torch.randn(B, L, H, D),
           torch.randn(B, L, H, D))
text = torch.tensor([4, 0], dtype=torch.int32)
bias = torch.randn(H, L)
mask = seen(torch.arange(L) < text[:, None])[:, None, None, None]
outputs = {
    "text_only": attend(q, k[:, None], v[:, None], mask),
    "biased": attend(q, k[:, None], v[:, None],
                     mask + bias[None, None, :, None]),
}

long = torch.randn(B, N, H, D)
parts = torch.tensor([N, 3], dtype=torch.int32)
i = torch.arange(N)
inside = seen(i < parts[:, None])[:, None, None]
outputs["inside"] = attend(long, long, long, inside)
outputs["before"] = attend(long, long, long, inside + seen(i[:, None] >= i))

flat = q.flatten(1, 2)
frame, patch = torch.arange(T * S) // S, torch.arange(T * S) % S
rows = torch.tensor([3, 1], dtype=torch.int32)
pair = torch.randn(T, S, T, S)
for name, m in {
        "whole": torch.zeros(()),
        "frames": seen(frame[:, None] >= frame),
        "patches": seen(patch < rows[:, None])[:, None, None],
        "pairs": pair.reshape(T * S, T * S),
}.items():
    outputs[name] = attend(flat, flat, flat, m).view_as(q)

grouped, few = torch.randn(B, L, H, 3, D), torch.randn(B, L, H, D)
outputs["grouped"] = attend(
    grouped.flatten(2, 3), few.repeat_interleave(3, 2),
    few.repeat_interleave(3, 2), mask[:, 0]).view_as(grouped)
save({"q": q, "k": k, "v": v, "text": text, "bias": bias, "long": long,
      "parts": parts, "rows": rows, "pair": pair, "queries": grouped,
      "few": few}, outputs)
