"""Files for the program of hand.c: good ones, and ones that are wrong."""
import json
import os
import random
import struct
import sys

C, F = 16, 64
SHAPES = {
    "norm1.weight": [C], "norm1.bias": [C],
    "attn.qkv.weight": [3 * C, C], "attn.qkv.bias": [3 * C],
    "attn.proj.weight": [C, C], "attn.proj.bias": [C],
    "norm2.weight": [C],
    "mlp.fc1.weight": [F, C], "mlp.fc1.bias": [F],
    "mlp.fc2.weight": [C, F], "mlp.fc2.bias": [C],
}


def count(shape):
    n = 1
    for size in shape:
        n *= size
    return n


def save(path, tensors, dtype="F32", cut=0):
    header, data = {}, b""
    code = {"F32": "f", "F16": "e"}[dtype]
    for name, (shape, values) in tensors.items():
        packed = struct.pack("<%d%s" % (len(values), code), *values)
        header[name] = {"dtype": dtype, "shape": shape,
                        "data_offsets": [len(data), len(data) + len(packed)]}
        data += packed
    text = json.dumps(header).encode()
    text += b" " * (-(len(text) + 8) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data[:len(data) - cut])


def main(folder):
    draw = random.Random(1)

    def some(shape):
        return shape, [draw.uniform(-0.4, 0.4) for _ in range(count(shape))]

    def path(name):
        return os.path.join(folder, name + ".safetensors")

    weights = {"%s.%d.%s" % (kind, i, name): some(shape)
               for kind in ("spatial", "temporal") for i in range(2)
               for name, shape in SHAPES.items()}
    x = {"x": some([2, 5, 7, C])}
    save(path("weights"), weights)
    save(path("f16"), weights, "F16")
    halves = {"part-%d.safetensors" % i: list(weights)[i::2] for i in range(2)}
    for file, names in halves.items():
        save(os.path.join(folder, file), {n: weights[n] for n in names})
    files = {n: file for file, names in halves.items() for n in names}
    with open(os.path.join(folder, "index.json"), "w") as file:
        json.dump({"metadata": {}, "weight_map": files}, file)
    save(path("short"), weights, cut=5)
    save(path("extra"), dict(weights, more=some([2])))
    wrong = dict(weights, **{"temporal.1.more": some([3])})
    del wrong["spatial.0.norm1.weight"]
    wrong["spatial.1.norm1.weight"] = some([2, 8])
    save(path("wrong"), wrong)
    save(path("input"), x)
    save(path("other_input"), {"x": some([2, 7, 5, C])})
    x["x"][1][3] = float("nan")
    save(path("nan"), x)


main(sys.argv[1])
