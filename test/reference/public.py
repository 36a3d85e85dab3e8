"""Classes of public repositories that are no packages: a checkout of each is
read as it is.  What is imported there for training, for several GPUs or for a
kernel of a GPU is a stand-in that does nothing; xformers' attention is computed
by PyTorch."""

import contextlib
import importlib
import sys
import types
from unittest import mock

import torch
import torch.nn.functional as F


def bare(root, *packages):
    """Packages below root without what their __init__.py imports; those of the
    same name that another checkout left are forgotten."""
    for name in [n for n in sys.modules
                 if n.partition(".")[0] == packages[0]]:
        del sys.modules[name]
    for name in packages:
        module = types.ModuleType(name)
        module.__path__ = [str(root / name.replace(".", "/"))]
        sys.modules[name] = module


def stand_ins(*modules):
    for name in modules:
        sys.modules[name] = mock.MagicMock(__spec__=None)


class BlockDiagonal:
    """Query n of sample b sees the keys of sample b."""

    def __init__(self, queries, keys):
        self.queries, self.keys = queries, keys


def attention(q, k, v, p=0., attn_bias=None):
    """xformers.ops.memory_efficient_attention of [1, tokens, heads, dim]."""
    assert p == 0
    parts = [t.transpose(1, 2).split(sizes, 2) for t, sizes in (
        (q, attn_bias.queries), (k, attn_bias.keys), (v, attn_bias.keys))]
    return torch.cat([F.scaled_dot_product_attention(*p) for p in zip(*parts)],
                     2).transpose(1, 2).contiguous()


def open_sora(checkout):
    """The module of STDiT3; hpcaitech/Open-Sora, tag v1.2.0.  Needs timm,
    transformers, einops and rotary-embedding-torch 0.5.3."""
    bare(checkout, "opensora", "opensora.acceleration", "opensora.models",
         "opensora.models.layers", "opensora.models.stdit", "opensora.utils")
    stand_ins("opensora.acceleration.checkpoint", "opensora.registry",
              "opensora.acceleration.communications",
              "opensora.acceleration.parallel_states",
              "opensora.utils.ckpt_utils", "xformers", "xformers.ops")
    xformers = sys.modules["xformers"]
    xformers.ops.memory_efficient_attention = attention
    xformers.ops.fmha.BlockDiagonalMask.from_seqlens = BlockDiagonal
    sys.modules["opensora.acceleration.checkpoint"].auto_grad_checkpoint = (
        lambda block, *args: block(*args))
    return importlib.import_module("opensora.models.stdit.stdit3")


def open_sora_plan(checkout):
    """The module of OpenSoraT2V_v1_3; PKU-YuanGroup/Open-Sora-Plan, commit
    f7fa604f4e3a.  Needs diffusers and einops."""
    bare(checkout, "opensora", "opensora.models", "opensora.models.diffusion",
         "opensora.models.diffusion.opensora_v1_3", "opensora.utils")
    stand_ins("opensora.utils.parallel_states", "opensora.utils.utils",
              "opensora.utils.communications")
    states = sys.modules["opensora.utils.parallel_states"]
    states.get_sequence_parallel_state = lambda: False
    # it asks for a kernel that processors do not have
    torch.backends.cuda.sdp_kernel = lambda **_: contextlib.nullcontext()
    return importlib.import_module(
        "opensora.models.diffusion.opensora_v1_3.modeling_opensora")


def openfold(checkout):
    """The module of EvoformerStack; aqlaboratory/openfold, commit
    ce0029e1199b.  Needs ml-collections."""
    bare(checkout, "openfold", "openfold.model", "openfold.utils")
    stand_ins("attn_core_inplace_cuda", "openfold.utils.kernel",
              "openfold.utils.kernel.attention_core")
    return importlib.import_module("openfold.model.evoformer")
