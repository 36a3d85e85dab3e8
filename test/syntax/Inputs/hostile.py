"""Gives dspc texts that broke compilers before; needs dspc on PATH."""

import json
import random
import subprocess
import sys
from pathlib import Path

HEAD = "model m {\n  dim B = 2;\n  input x: f32[B];\n  output y;\n  let y = "
MODEL = HEAD + "x + 1;\n}\n"


def run(text, *options):
    path = Path(sys.argv[1] + ".dsp")
    path.write_bytes(text)
    return subprocess.run(["dspc", path, "--emit=dsp", *options],
                          capture_output=True, timeout=20)


def fails(text, needed):
    done = run(text)
    assert done.returncode == 1, (done.returncode, text[:80])
    assert needed in done.stderr, (needed, done.stderr[-300:])


def main():
    assert run(MODEL.encode()).returncode == 0
    for left, right in (("x + ", ""), ("(", ")"), ("- ", ""),
                        ("gelu(", ")"), ("[", "]"), ("(x + ", ")")):
        chain = left * 100000 + "x" + right * 100000
        fails((HEAD + chain + ";\n}\n").encode(), b"E0202")
    long_index = "x" + "[B: 0]" * 100000
    fails((HEAD + long_index + ";\n}\n").encode(), b"E0202")
    fails(b"model m { " + b"@ " * 200000 + b"}", b"and 199980 more")
    fails(b"model m {" + b"dim \xff\xfe = 1;" * 50 + b"}", b"E0101")
    done = run(b'model m { let a = "\xff" + \xc3; }', "--diagnostics=json")
    for diag in json.loads(done.stderr):
        assert {"id", "message", "file", "line"} <= diag.keys(), diag
    rng = random.Random(1)
    for _ in range(150):
        text = bytearray(MODEL.encode() * 2)
        for _ in range(rng.randrange(1, 12)):
            text[rng.randrange(len(text))] = rng.randrange(256)
        code = run(bytes(text)).returncode
        assert code in (0, 1), (code, bytes(text))


main()
