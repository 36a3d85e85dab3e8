"""How far PyTorch's bf16 is from f32 on this GPU, and what a program of dspc
needs to be compared: on the same weights and input, its bf16 may be at most 1.5
times as far.

  python3 precision.py FOLDER

FOLDER/timesformer holds weights.safetensors, input.safetensors and the public
expected.safetensors.  Writes FOLDER/timesformer/bf16_tolerance and
FOLDER/transformer2d/{weights,input,expected}.safetensors, bf16_tolerance.

Errors are max |y - r| / max |r| over an output, r in f32 without TF32; of
several outputs the smallest error counts.  PyTorch takes its own choice of
kernels (SDPA, cuBLAS); the fixture's public class is written out here from its
description, because few GPU machines have its package."""

import json
import pathlib
import struct
import sys

import torch
import torch.nn.functional as F

from torch_transformer2d_cpu import Layer

torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def read(path):
    """The tensors of a safetensors file, all of them f32."""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = (8 + length + x for x in entry["data_offsets"])
        values = torch.frombuffer(bytearray(data[begin:end]),
                                  dtype=torch.float32)
        tensors[name] = values.reshape(entry["shape"]).to(DEVICE)
    return tensors


def write(path, tensors):
    header, at = {}, 0
    for name, tensor in tensors.items():
        size = 4 * tensor.numel()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape),
                        "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            file.write(tensor.float().cpu().contiguous().numpy().tobytes())


def error(result, reference):
    difference = (result.float() - reference).abs().max()
    return (difference / reference.abs().max()).item()


# ------------------------------------------------------------ Transformer-2D
NAMES = {"qkv": "attn.qkv", "proj": "attn.proj", "fc1": "mlp.fc1",
         "fc2": "mlp.fc2"}


def transformer2d(folder, pairs=2, shape=(1, 16, 64, 144), heads=2):
    layers = [Layer(shape[-1], heads, over)
              for _ in range(pairs) for over in ("S", "T")]
    model = torch.nn.Sequential(*layers).to(DEVICE).eval()
    x = torch.randn(shape, device=DEVICE).bfloat16().float()
    weights = {}
    for i, layer in enumerate(layers):
        for name, tensor in layer.named_parameters():
            tensor.data = tensor.data.bfloat16().float()
            first, rest = name.split(".", 1)
            block = f"{('spatial', 'temporal')[i % 2]}.{i // 2}"
            weights[f"{block}.{NAMES.get(first, first)}.{rest}"] = tensor.data
    reference = model(x)
    folder.mkdir(exist_ok=True)
    for name, tensors in (("weights", weights), ("input", {"x": x}),
                          ("expected", {"x": reference})):
        write(folder / f"{name}.safetensors", tensors)
    return error(model.bfloat16()(x.bfloat16()), reference)


# --------------------------------------------------------------- TimeSformer
def timesformer(folder, heads=4, eps=1e-6):
    """Divided space-time attention, as the fixture's README describes it."""
    w = {name: tensor.bfloat16()
         for name, tensor in read(folder / "weights.safetensors").items()}
    pixels = read(folder / "input.safetensors")["pixel_values"].bfloat16()
    expected = read(folder / "expected.safetensors")
    root = "timesformer.embeddings."

    def linear(x, name):
        return F.linear(x, w[name + ".weight"], w[name + ".bias"])

    def norm(x, name):
        return F.layer_norm(x, x.shape[-1:], w[name + ".weight"],
                            w[name + ".bias"], eps)

    def attend(x, name):  # [batch, tokens, C]
        q, k, v = (y.unflatten(-1, (heads, -1)).transpose(1, 2) for y in
                   linear(x, name + ".attention.qkv").chunk(3, -1))
        a = F.scaled_dot_product_attention(q, k, v)
        return linear(a.transpose(1, 2).flatten(2), name + ".output.dense")

    b, t = pixels.shape[:2]
    projection = root + "patch_embeddings.projection"
    kernel = w[projection + ".weight"]
    x = F.conv2d(pixels.flatten(0, 1), kernel, w[projection + ".bias"],
                 stride=kernel.shape[-2:]).flatten(2).transpose(1, 2)
    position = w[root + "position_embeddings"]
    s, c = x.shape[1:]
    x = (x + position[:, 1:]).view(b, t, s, c).transpose(1, 2)
    x = x + w[root + "time_embeddings"]              # [B, S, T, C]
    z = (w[root + "cls_token"] + position[:, :1]).expand(b, 1, c)
    layers = sum(name.endswith("temporal_dense.weight") for name in w)
    for i in range(layers):
        at = f"timesformer.encoder.layer.{i}."
        a = attend(norm(x, at + "temporal_layernorm").flatten(0, 1),
                   at + "temporal_attention")
        u = x + linear(a, at + "temporal_dense").view(b, s, t, c)
        frames = torch.cat((z.unsqueeze(1).expand(b, t, 1, c),
                            u.transpose(1, 2)), 2)   # [B, T, 1 + S, C]
        a = attend(norm(frames, at + "layernorm_before").flatten(0, 1),
                   at + "attention").view(b, t, 1 + s, c)
        z = z + a[:, :, :1].mean(1)
        x = u + a[:, :, 1:].transpose(1, 2)
        tokens = torch.cat((z, x.flatten(1, 2)), 1)
        h = F.gelu(linear(norm(tokens, at + "layernorm_after"),
                          at + "intermediate.dense"))
        tokens = tokens + linear(h, at + "output.dense")
        z, x = tokens[:, :1], tokens[:, 1:].view(b, s, t, c)
    last = norm(torch.cat((z, x.flatten(1, 2)), 1), "timesformer.layernorm")
    return min(error(last, expected["last_hidden_state"]),
               error(linear(last[:, 0], "classifier"), expected["logits"]))


def main():
    torch.manual_seed(1)
    root = pathlib.Path(sys.argv[1])
    with torch.inference_mode():
        for model in (transformer2d, timesformer):
            folder = root / model.__name__
            found = model(folder)
            (folder / "bf16_tolerance").write_text(f"{1.5 * found:.3g}\n")
            print(f"{model.__name__}: PyTorch's bf16 is {found:.2e} from f32")


if __name__ == "__main__":
    main()
