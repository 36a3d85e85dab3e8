"""Names and shapes of the tensors in public checkpoints, from the public classes
at their public sizes, without memory for their weights.

  python3 names.py OUTPUT_FOLDER CHECKOUTS [MODEL]..
     needs transformers, diffusers, fair-esm, boltz and tabpfn, each for its
     model; written with 5.24.0, 0.42.1, 2.0.0, 0.4.1 and 9.2.0; CHECKOUTS holds
     Open-Sora, Open-Sora-Plan and openfold, see public.py

One file a model, a line a tensor: NAME [SIZES]; `{0..11}` stands for the numbers
of layers that have the tensor alike."""

import argparse
import pathlib
import re
import sys
from unittest import mock

import torch

import public

CHECKOUTS = pathlib.Path(sys.argv[2])


def timesformer():
    from transformers import (TimesformerConfig,
                              TimesformerForVideoClassification)
    return "", TimesformerForVideoClassification(
        TimesformerConfig(num_labels=400))


def latte():
    from diffusers import LatteTransformer3DModel
    return "", LatteTransformer3DModel(
        num_attention_heads=16, attention_head_dim=72, in_channels=4,
        out_channels=8, num_layers=28, cross_attention_dim=1152,
        attention_bias=True, sample_size=64, patch_size=2,
        norm_type="ada_norm_single", caption_channels=4096, video_length=16,
        activation_fn="gelu-approximate", norm_elementwise_affine=False)


def mmdit3d():
    from diffusers import CogVideoXTransformer3DModel
    return "", CogVideoXTransformer3DModel(
        num_attention_heads=48, attention_head_dim=64, num_layers=42,
        use_rotary_positional_embeddings=True)


def msa_transformer():
    from esm.data import Alphabet
    from esm.model.msa_transformer import MSATransformer
    return "", MSATransformer(
        argparse.Namespace(
            layers=12, embed_dim=768, ffn_embed_dim=3072, attention_heads=12,
            dropout=0., attention_dropout=0., activation_dropout=0.,
            max_tokens=2**14, max_positions=1024, embed_positions_msa=True,
            embed_positions_msa_dim=768),
        Alphabet.from_architecture("MSA Transformer"))


def pairformer():
    from boltz.model.modules.trunk import PairformerModule
    return "pairformer_module.", PairformerModule(token_s=384, token_z=128,
                                                  num_blocks=48)


def tabpfn():
    from tabpfn.architectures.tabpfn_v2 import TabPFNBlock
    return "blocks.", torch.nn.ModuleList(
        TabPFNBlock(emsize=192, nhead=6, dim_feedforward=768)
        for _ in range(12))


def stdit3():
    module = public.open_sora(CHECKOUTS / "Open-Sora")
    # it looks at the values of its drop path, which is nowhere
    with mock.patch("torch.linspace", lambda first, last, n: torch.zeros(
            n, device="cpu")):
        return "", module.STDiT3(module.STDiT3Config())


def skiparse():
    module = public.open_sora_plan(CHECKOUTS / "Open-Sora-Plan")
    return "", module.OpenSoraT2V_v1_3_2B_122(
        in_channels=8, out_channels=8, sample_size_t=24, sample_size_h=44,
        sample_size_w=80, norm_elementwise_affine=False, sparse1d=True,
        sparse_n=4)


def evoformer():
    module = public.openfold(CHECKOUTS / "openfold")
    return "evoformer.", module.EvoformerStack(
        c_m=256, c_z=128, c_hidden_msa_att=32, c_hidden_opm=32,
        c_hidden_mul=128, c_hidden_pair_att=32, c_s=384, no_heads_msa=8,
        no_heads_pair=4, no_blocks=48, transition_n=4, msa_dropout=0.15,
        pair_dropout=0.25, no_column_attention=False, opm_first=False,
        fuse_projection_weights=False, blocks_per_ckpt=None, inf=1e9, eps=1e-8)


MODELS = (timesformer, latte, mmdit3d, msa_transformer, pairformer, tabpfn,
          stdit3, skiparse, evoformer)


def folded(tensors):
    """Layers 0 .. n that hold a tensor of one shape are one line."""
    groups = {}
    for name, shape in tensors:
        found = re.search(r"\.(\d+)\.", name)
        key = (name[:found.start(1)] + "{}" + name[found.end(1):]
               if found else name)
        groups.setdefault((key, shape), []).append(
            int(found[1]) if found else None)
    for (key, shape), numbers in groups.items():
        if numbers == list(range(len(numbers))) and len(numbers) > 1:
            yield key.format(f"{{0..{numbers[-1]}}}"), shape
        else:
            for n in numbers:
                yield key.format(n) if n is not None else key, shape


for model in MODELS:
    if sys.argv[3:] and model.__name__ not in sys.argv[3:]:
        continue
    with torch.device("meta"):
        prefix, module = model()
    tensors = [(prefix + n, list(t.shape))
               for n, t in module.state_dict().items()]
    lines = [f"{n} {s}" for n, s in folded(
        [(n, str(s)) for n, s in tensors])]
    (pathlib.Path(sys.argv[1]) / f"{model.__name__}.txt").write_text(
        "\n".join(lines) + "\n")
