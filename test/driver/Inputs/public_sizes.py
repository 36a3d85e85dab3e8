"""Plans each example at the sizes of its public model: public_sizes.py EXAMPLES.

The program is found without an error and the plan is proved on 8 ranks."""

import pathlib
import subprocess
import sys

examples = pathlib.Path(sys.argv[1])
found = 0
for sizes in sorted((examples / "sizes").iterdir()):
    model = examples / (sizes.name + ".dsp")
    done = subprocess.run(
        ["dspc", model, "-D", f"@{sizes}", "-n", "8", "--emit=plan"],
        capture_output=True, text=True, check=False)
    if "no plan moves fewer" not in done.stdout:
        sys.exit(f"{model}:\n{done.stdout}{done.stderr}")
    found += 1
with_sizes = {"stdit.dsp"}  # has the public sizes itself
for model in examples.glob("*.dsp"):
    if model.name not in with_sizes and not (
            examples / "sizes" / model.stem).exists():
        sys.exit(f"{model}: no sizes")
print(f"{found} models")
