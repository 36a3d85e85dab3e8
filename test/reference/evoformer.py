"""Writes test/fixtures/evoformer: random weights, an input and the outputs of
two Evoformer blocks in PyTorch, f32.

A transcription of algorithms 7 to 15 of the supplement of Jumper et al., Highly
accurate protein structure prediction with AlphaFold, Nature 596 (2021), without
dropout: MSA row attention with pair bias, MSA column attention, MSA transition,
outer product mean, triangle multiplication (outgoing, incoming), triangle
attention (starting, ending node), pair transition.  Names of modules follow the
public PyTorch implementation OpenFold; projections of all heads are [heads *
channels, in], as linears store them.

  python3 evoformer.py OUTPUT_FOLDER"""

import pathlib
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

BLOCKS, S, N = 2, 5, 7
HM, DM, HZ, DZ, CT, CO = 2, 4, 2, 4, 6, 3
CM, CZ = HM * DM, HZ * DZ

torch.manual_seed(7)
weights = {}


def weight(name, out, into):
    if name + ".weight" not in weights:
        weights[name + ".weight"] = torch.randn(out, into) / into**0.5
    return weights[name + ".weight"]


def linear(x, name, out, bias=True):
    w = weight(name, out, x.shape[-1])
    if bias and name + ".bias" not in weights:
        weights[name + ".bias"] = 0.1 * torch.randn(out)
    return F.linear(x, w, weights[name + ".bias"] if bias else None)


def norm(x, name):
    c = x.shape[-1]
    if name + ".weight" not in weights:
        weights[name + ".weight"] = 1 + 0.1 * torch.randn(c)
        weights[name + ".bias"] = 0.1 * torch.randn(c)
    return F.layer_norm(x, (c,), weights[name + ".weight"],
                        weights[name + ".bias"])


def heads(x, count):
    return x.view(*x.shape[:-1], count, -1)


def row_attention_with_pair_bias(m, z, p):  # algorithm 7
    h = norm(m, p + "layer_norm_m")
    q, k, v = (heads(linear(h, p + "linear_" + n, CM, False), HM)
               for n in "qkv")
    b = linear(norm(z, p + "layer_norm_z"), p + "linear_z", HM, False)
    g = torch.sigmoid(heads(linear(h, p + "linear_g", CM), HM))
    logits = torch.einsum("sihd,sjhd->sijh", q, k) / DM**0.5 + b[None]
    a = torch.softmax(logits, dim=2)
    o = g * torch.einsum("sijh,sjhd->sihd", a, v)
    return linear(o.flatten(-2), p + "linear_o", CM)


def column_attention(m, p):  # algorithm 8
    h = norm(m, p + "layer_norm_m")
    q, k, v = (heads(linear(h, p + "linear_" + n, CM, False), HM)
               for n in "qkv")
    g = torch.sigmoid(heads(linear(h, p + "linear_g", CM), HM))
    a = torch.softmax(torch.einsum("sihd,tihd->stih", q, k) / DM**0.5, dim=1)
    o = g * torch.einsum("stih,tihd->sihd", a, v)
    return linear(o.flatten(-2), p + "linear_o", CM)


def transition(x, p):  # algorithms 9 and 15
    h = norm(x, p + "layer_norm")
    c = x.shape[-1]
    return linear(F.relu(linear(h, p + "linear_1", 4 * c)), p + "linear_2", c)


def outer_product_mean(m, p):  # algorithm 10
    h = norm(m, p + "layer_norm")
    a, b = linear(h, p + "linear_1", CO), linear(h, p + "linear_2", CO)
    o = torch.einsum("sic,sjd->ijcd", a, b) / S
    return linear(o.flatten(-2), p + "linear_out", CZ)


def triangle_multiplication(z, p, outgoing):  # algorithms 11 and 12
    h = norm(z, p + "layer_norm_in")
    a = torch.sigmoid(linear(h, p + "linear_a_g", CT)) * linear(
        h, p + "linear_a_p", CT)
    b = torch.sigmoid(linear(h, p + "linear_b_g", CT)) * linear(
        h, p + "linear_b_p", CT)
    x = torch.einsum("ikc,jkc->ijc" if outgoing else "kic,kjc->ijc", a, b)
    y = linear(norm(x, p + "layer_norm_out"), p + "linear_z", CZ)
    return torch.sigmoid(linear(h, p + "linear_g", CZ)) * y


def triangle_attention(z, p, starting):  # algorithms 13 and 14
    h = norm(z, p + "layer_norm")
    q, k, v = (heads(linear(h, p + "linear_" + n, CZ, False), HZ)
               for n in "qkv")
    b = linear(h, p + "linear", HZ, False)
    g = torch.sigmoid(heads(linear(h, p + "linear_g", CZ), HZ))
    if starting:  # softmax over k of q_ij . k_ik + b_jk
        logits = torch.einsum("ijhd,ikhd->ijkh", q, k) / DZ**0.5 + b[None]
        o = torch.einsum("ijkh,ikhd->ijhd", torch.softmax(logits, 2), v)
    else:  # softmax over k of q_ij . k_kj + b_ki
        logits = torch.einsum("ijhd,kjhd->ijkh", q, k) / DZ**0.5
        logits = logits + b.transpose(0, 1)[:, None]
        o = torch.einsum("ijkh,kjhd->ijhd", torch.softmax(logits, 2), v)
    return linear((g * o).flatten(-2), p + "linear_o", CZ)


def block(m, z, p):  # algorithm 6
    m = m + row_attention_with_pair_bias(m, z, p + "msa_att_row.")
    m = m + column_attention(m, p + "msa_att_col.")
    m = m + transition(m, p + "msa_transition.")
    z = z + outer_product_mean(m, p + "outer_product_mean.")
    z = z + triangle_multiplication(z, p + "tri_mul_out.", True)
    z = z + triangle_multiplication(z, p + "tri_mul_in.", False)
    z = z + triangle_attention(z, p + "tri_att_start.", True)
    z = z + triangle_attention(z, p + "tri_att_end.", False)
    return m, z + transition(z, p + "pair_transition.")


def main():
    folder = pathlib.Path(sys.argv[1])
    msa, pair = torch.randn(S, N, CM), torch.randn(N, N, CZ)
    m, z = msa, pair
    for i in range(BLOCKS):
        m, z = block(m, z, f"blocks.{i}.")
    save_file(weights, folder / "weights.safetensors")
    save_file({"msa": msa, "pair": pair}, folder / "input.safetensors")
    save_file({"msa": m.contiguous(), "pair": z.contiguous()},
              folder / "expected.safetensors")


main()
