"""STDiT3, the video model of Open-Sora 1.2: the forward pass of the public
class (hpcaitech/Open-Sora, opensora/models/stdit/stdit3.py, layers/blocks.py)
with text of several lengths and frames that are given, written in PyTorch.

  python3 stdit3.py OUTPUT_FOLDER"""

import torch
import torch.nn.functional as F

from common import attention, heads, linear, save, weight, weights

DEPTH, B, CH, CO, T, ROWS, COLS, P = 2, 2, 4, 8, 5, 3, 5, 2
H, D, L, CY = 4, 8, 7, 24
C, S = H * D, ROWS * COLS
RESOLUTION, INPUT_SQ_SIZE = 96 * 160, 512


def rms_norm(x, name):
    if name + ".weight" not in weights:
        weights[name + ".weight"] = 1 + 0.1 * torch.randn(x.shape[-1])
    scaled = x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6)
    return weights[name + ".weight"] * scaled


def plain_norm(x):
    return F.layer_norm(x, (C,), eps=1e-6)


def modulate(x, shift, scale):
    return x * (1 + scale) + shift


def position_embedding():
    """[S, C]: sines and cosines of the column, then of the row."""
    scale = RESOLUTION**0.5 / INPUT_SQ_SIZE
    base = round(S**0.5)
    rows = torch.arange(ROWS) / scale * (base / ROWS)
    cols = torch.arange(COLS) / scale * (base / COLS)
    f = 1 / 10000**(torch.arange(0, C // 2, 2) / (C // 2))

    def wave(p):
        return torch.cat([torch.sin(p[:, None] * f), torch.cos(p[:, None] * f)],
                         -1)

    return torch.cat([wave(cols.repeat(ROWS)),
                      wave(rows.repeat_interleave(COLS))], -1)


def scalar_embedding(t, name):
    f = torch.exp(-torch.log(torch.tensor(10000.)) * torch.arange(128) / 128)
    w = torch.cat([torch.cos(t[:, None] * f), torch.sin(t[:, None] * f)], -1)
    return linear(F.silu(linear(w, name + ".mlp.0", C)), name + ".mlp.2", C)


def rotate(x):
    """x [.., T, H, D]: pairs of neighbours turned by t 10000^(-2k/D)."""
    f = 1 / 10000**(torch.arange(0, D, 2) / D)
    angle = torch.arange(T)[:, None, None] * f
    x0, x1 = x[..., 0::2], x[..., 1::2]
    turned = torch.stack([x0 * angle.cos() - x1 * angle.sin(),
                          x1 * angle.cos() + x0 * angle.sin()], -1)
    return turned.flatten(-2)


def self_attention(x, p, temporal):
    q, k, v = (heads(t, H) for t in linear(x, p + "qkv", 3 * C).chunk(3, -1))
    q, k = rms_norm(q, p + "q_norm"), rms_norm(k, p + "k_norm")
    if temporal:
        q, k = rotate(q), rotate(k)
    return linear(attention(q, k, v).flatten(-2), p + "proj", C)


def cross_attention(x, y, lengths, p):
    q = heads(linear(x, p + "q_linear", C), H)
    k, v = (heads(t, H) for t in linear(y, p + "kv_linear", 2 * C).chunk(2, -1))
    out = [attention(q[b].flatten(0, 1), k[b, :n], v[b, :n])
           for b, n in enumerate(lengths)]
    return linear(torch.stack(out).view(B, T, S, C), p + "proj", C)


def select(frames, x, given):
    return torch.where(frames[:, :, None, None], x, given)


def block(x, y, lengths, frames, t, t0, p, temporal):
    table = weight(p + "scale_shift_table", 6, C)
    m = (table + t.view(B, 6, C))[:, :, None, None]
    m0 = (table + t0.view(B, 6, C))[:, :, None, None]
    h = plain_norm(x)
    h = select(frames, modulate(h, m[:, 0], m[:, 1]),
               modulate(h, m0[:, 0], m0[:, 1]))
    if temporal:
        h = self_attention(h.transpose(1, 2), p + "attn.", True).transpose(1, 2)
    else:
        h = self_attention(h, p + "attn.", False)
    x = x + select(frames, m[:, 2] * h, m0[:, 2] * h)
    x = x + cross_attention(x, y, lengths, p + "cross_attn.")
    h = plain_norm(x)
    h = select(frames, modulate(h, m[:, 3], m[:, 4]),
               modulate(h, m0[:, 3], m0[:, 4]))
    h = linear(F.gelu(linear(h, p + "mlp.fc1", 4 * C), approximate="tanh"),
               p + "mlp.fc2", C)
    return x + select(frames, m[:, 5] * h, m0[:, 5] * h)


def final_layer(x, frames, t, t0):
    table = weight("final_layer.scale_shift_table", 2, C)
    m = (table + t[:, None])[:, :, None, None]
    m0 = (table + t0[:, None])[:, :, None, None]
    x = modulate(plain_norm(x), m[:, 0], m[:, 1])
    # the public class normalizes what is modulated already
    given = modulate(plain_norm(x), m0[:, 0], m0[:, 1])
    return linear(select(frames, x, given), "final_layer.linear", P * P * CO)


latents = torch.randn(B, CH, T, ROWS * P, COLS * P)
timestep, fps = torch.tensor([871., 310.]), torch.tensor([24., 8.])
text = torch.randn(B, L, CY)
lengths = [6, 3]
frames = torch.ones(B, T, dtype=torch.bool)
frames[0, :2] = False
frames[1, 3] = False
pos_embed = position_embedding()

rate = scalar_embedding(fps, "fps_embedder")
t = scalar_embedding(timestep, "t_embedder") + rate
t0 = scalar_embedding(torch.zeros(B), "t_embedder") + rate
t_mlp = linear(F.silu(t), "t_block.1", 6 * C)
t0_mlp = linear(F.silu(t0), "t_block.1", 6 * C)
y = linear(F.gelu(linear(text, "y_embedder.y_proj.fc1", C), approximate="tanh"),
           "y_embedder.y_proj.fc2", C)
kernel = weight("x_embedder.proj.weight", C, CH, 1, P, P)
x = F.conv3d(latents, kernel, weight("x_embedder.proj.bias", C),
             stride=(1, P, P))
x = x.permute(0, 2, 3, 4, 1).reshape(B, T, S, C) + pos_embed
for i in range(DEPTH):
    x = block(x, y, lengths, frames, t_mlp, t0_mlp, f"spatial_blocks.{i}.",
              False)
    x = block(x, y, lengths, frames, t_mlp, t0_mlp, f"temporal_blocks.{i}.",
              True)
o = final_layer(x, frames, t, t0).view(B, T, ROWS, COLS, P, P, CO)
o = o.permute(0, 6, 1, 2, 4, 3, 5).reshape(B, CO, T, ROWS * P, COLS * P)
save({"x": latents, "timestep": timestep, "fps": fps, "y": text,
      "y_length": torch.tensor(lengths, dtype=torch.int32),
      "frame_mask": frames.float(), "pos_embed": pos_embed}, {"output": o})
