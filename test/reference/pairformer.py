"""Layers of the Pairformer (Abramson et al., Accurate structure prediction of
biomolecular interactions with AlphaFold 3, Nature 630, 2024, algorithm 17), with
the order, names and epsilons of Boltz-1 (Wohlwend et al., 2024), without
dropout: pairs first, then tokens; masks of pairs are products of masks of
tokens.  What padding computes is left out of the outputs.

  python3 pairformer.py OUTPUT_FOLDER"""

import torch
import torch.nn.functional as F

from common import heads, layer_norm, linear, save

LAYERS, N, HS, DS, HZ, DZ = 2, 7, 2, 3, 2, 4
CS, CZ = HS * DS, HZ * DZ


def project(x, name, out):
    return linear(x, name, out, False)


def triangle_multiplication(z, mask, p, equation):
    h = layer_norm(z, p + "norm_in")
    x = project(h, p + "p_in", 2 * CZ) * project(h, p + "g_in", 2 * CZ).sigmoid()
    a, b = (x * mask[..., None]).chunk(2, -1)
    x = layer_norm(torch.einsum(equation, a, b), p + "norm_out")
    return project(x, p + "p_out", CZ) * project(h, p + "g_out", CZ).sigmoid()


def triangle_attention(z, mask, p):
    h = layer_norm(z, p + "layer_norm")
    q, k, v = (heads(project(h, p + "mha.linear_" + n, CZ), HZ) for n in "qkv")
    edge = project(h, p + "linear", HZ)
    logits = torch.einsum("ijhd,ikhd->ijkh", q / DZ**0.5, k)
    logits = logits + edge + 1e9 * (mask - 1)[:, None, :, None]
    o = torch.einsum("ijkh,ikhd->ijhd", logits.softmax(2), v).flatten(-2)
    gate = project(h, p + "mha.linear_g", CZ).sigmoid()
    return project(o * gate, p + "mha.linear_o", CZ)


def transition(x, p):
    h, c = layer_norm(x, p + "norm"), x.shape[-1]
    f = F.silu(project(h, p + "fc1", 4 * c)) * project(h, p + "fc2", 4 * c)
    return project(f, p + "fc3", c)


def token_attention(s, z, mask, p):
    h = layer_norm(s, p + "norm_s")
    q = heads(linear(h, p + "proj_q", CS), HS)
    k, v = (heads(project(h, p + "proj_" + n, CS), HS) for n in "kv")
    edge = project(layer_norm(z, p + "proj_z.0"), p + "proj_z.1", HS)
    logits = torch.einsum("ihd,jhd->ijh", q, k) / DS**0.5 + edge
    logits = logits - (1 - mask)[None, :, None] * 1e6
    o = torch.einsum("ijh,jhd->ihd", logits.softmax(1), v).flatten(-2)
    return project(project(h, p + "proj_g", CS).sigmoid() * o, p + "proj_o", CS)


def layer(s, z, mask, p):
    pairs = mask[:, None] * mask[None]
    z = z + triangle_multiplication(z, pairs, p + "tri_mul_out.",
                                    "ikd,jkd->ijd")
    z = z + triangle_multiplication(z, pairs, p + "tri_mul_in.", "kid,kjd->ijd")
    z = z + triangle_attention(z, pairs, p + "tri_att_start.")
    end = triangle_attention(z.transpose(0, 1), pairs.T, p + "tri_att_end.")
    z = z + end.transpose(0, 1)
    z = z + transition(z, p + "transition_z.")
    s = s + token_attention(s, z, mask, p + "attention.")
    return s + transition(s, p + "transition_s."), z


single, pair = torch.randn(N, CS), torch.randn(N, N, CZ)
mask = torch.ones(N)
mask[-2:] = 0
s, z = single, pair
for i in range(LAYERS):
    s, z = layer(s, z, mask, f"layers.{i}.")
save({"single": single, "pair": pair, "mask": mask},
     {"single": s * mask[:, None],
      "pair": z * (mask[:, None] * mask[None])[..., None]})
