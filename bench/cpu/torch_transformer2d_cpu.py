"""Transformer-2D in PyTorch on the CPU, to compare a dspc program with.

  python3 bench/cpu/torch_transformer2d_cpu.py [--pairs 14] [--compile]

The model of examples/transformer2d.dsp: pairs of a spatial and a temporal
layer, x += proj(attention(norm1(x))), x += fc2(gelu_tanh(fc1(norm2(x)))), on
x [B, T, S, C] in f32 (or bf16 with --dtype).  Prints one line:

  torch transformer2d B1 T16 S256 C384 pairs 14 f32, 2 threads:
      median 7.91 s, min 7.85 s, 52.0 GFLOP/s

Fair on purpose: inference mode, fused attention (SDPA), weights in memory, a
warm-up, and the same number of threads as the program it is compared with."""

import argparse
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn


class Layer(nn.Module):
    """One transformer layer that attends over dim `over` of [B, T, S, C]."""

    def __init__(self, channels, heads, over):
        super().__init__()
        self.heads, self.over = heads, over
        self.norm1 = nn.LayerNorm(channels)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)
        self.norm2 = nn.LayerNorm(channels)
        self.fc1 = nn.Linear(channels, 4 * channels)
        self.fc2 = nn.Linear(4 * channels, channels)

    def attend(self, x):
        """softmax(q k^T) v over T or S; the other dim is a batch dim."""
        b, t, s, c = x.shape
        qkv = self.qkv(x).view(b, t, s, 3, self.heads, c // self.heads)
        if self.over == "S":    # [3, B, T, H, S, D]
            q, k, v = qkv.permute(3, 0, 1, 4, 2, 5).unbind(0)
            a = F.scaled_dot_product_attention(q, k, v)
            return self.proj(a.permute(0, 1, 3, 2, 4).reshape(b, t, s, c))
        q, k, v = qkv.permute(3, 0, 2, 4, 1, 5).unbind(0)  # [3, B, S, H, T, D]
        a = F.scaled_dot_product_attention(q, k, v)
        return self.proj(a.permute(0, 3, 1, 2, 4).reshape(b, t, s, c))

    def forward(self, x):
        x = x + self.attend(self.norm1(x))
        h = F.gelu(self.fc1(self.norm2(x)), approximate="tanh")
        return x + self.fc2(h)


def flops(args):
    """Multiplications and additions of linears and attention, per forward."""
    tokens, c = args.B * args.T * args.S, args.C
    linears = 2 * 12 * c * c
    attention = 4 * c * (args.S + args.T) / 2
    return 2 * args.pairs * tokens * (linears + attention)


def measure(model, x, runs, warmup):
    times = []
    with torch.inference_mode():
        for i in range(warmup + runs):
            begin = time.perf_counter()
            model(x)
            if i >= warmup:
                times.append(time.perf_counter() - begin)
    return times


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name, value in (("B", 1), ("T", 16), ("S", 256), ("C", 384),
                        ("H", 6), ("pairs", 14), ("threads", 2), ("runs", 5),
                        ("warmup", 2)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--dtype", choices=("f32", "bf16"), default="f32")
    parser.add_argument("--compile", action="store_true",
                        help="torch.compile the model first")
    return parser.parse_args()


def main():
    args = parse()
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    dtype = torch.float32 if args.dtype == "f32" else torch.bfloat16
    layers = [Layer(args.C, args.H, over)
              for _ in range(args.pairs) for over in ("S", "T")]
    model = nn.Sequential(*layers).to(dtype).eval()
    if args.compile:
        model = torch.compile(model)
    x = torch.randn(args.B, args.T, args.S, args.C, dtype=dtype)
    times = measure(model, x, args.runs, args.warmup)
    median = statistics.median(times)
    print(f"torch transformer2d B{args.B} T{args.T} S{args.S} C{args.C} "
          f"pairs {args.pairs} {args.dtype}, {args.threads} threads: "
          f"median {median:.3f} s, min {min(times):.3f} s, "
          f"{flops(args) / median / 1e9:.1f} GFLOP/s")


if __name__ == "__main__":
    main()
