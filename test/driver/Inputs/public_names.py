"""Compares the parameters of each example at its public sizes with the tensors
of the public checkpoint: public_names.py EXAMPLES NAMES.

Every parameter must be there, with its shape.  Prints what else is there."""

import pathlib
import re
import subprocess
import sys


def tensors_of(text):
    found = {}
    for line in text.splitlines():
        name, _, shape = line.partition(" ")
        many = re.search(r"\{0\.\.(\d+)\}", name)
        for n in range(int(many[1]) + 1) if many else [0]:
            found[re.sub(r"\{.*\}", str(n), name)] = shape
    return found


examples, names = map(pathlib.Path, sys.argv[1:])
for listed in sorted(names.iterdir()):
    model = listed.stem
    public = tensors_of(listed.read_text())
    printed = subprocess.run(
        ["dspc", examples / f"{model}.dsp", "-D", f"@{examples}/sizes/{model}",
         "--emit=tensors"], capture_output=True, text=True, check=True).stdout
    params = dict(re.findall(r"^param (\S+) \S+ (.*)$", printed, re.M))
    wrong = [f"{n} {s}, in the checkpoint {public.get(n)}"
             for n, s in params.items() if public.get(n) != s]
    others = [n for n in public if n not in params]
    print(model, len(params), "parameters,", len(others), "other tensors",
          *others, *wrong, sep="\n  " if wrong else " ")
