"""The memory that a plan surely needs is no more than what it needs when every
value has its place, for all examples, methods, weights in parts, on CPUs and
GPUs: the bound of --memory stands on it.

  floors.py EXAMPLES -n 4 [--target=cuda]"""

import json
import pathlib
import subprocess
import sys


def check(path, flags):
    done = subprocess.run(["dspc", "plan", str(path), "--memory=1TiB",
                           "--json", *flags], capture_output=True, text=True)
    if done.returncode:
        assert "has no way to run this op" in done.stderr, done.stderr
        return 0
    memory = json.loads(done.stdout)["memory"]
    assert 0 < memory["floor"] <= memory["needed"], (path, flags, memory)
    assert not memory["limited"]
    return 1


checked = 0
for example in sorted(pathlib.Path(sys.argv[1]).glob("*.dsp")):
    for flag in ("--allow=tensor", "--plan=auto", "--plan=ulysses",
                 "--plan=megatron-sp", "--plan=ring"):
        if example.stem in ("latte", "stdit3") and flag == "--allow=tensor":
            continue  # many layouts: seconds
        checked += check(example, [flag, *sys.argv[2:]])
print(f"{checked} plans")
