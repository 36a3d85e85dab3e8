"""Examples with all methods on 1 to 8 ranks and on meshes of two axes: the
bytes counted at the MPI calls are the predicted ones, rank by rank, the arena
is as large as predicted, and the outputs are those of one rank.

  matrix.py --mpirun "mpirun -np" FOLDER --shard 0/3 [--full] [--axes 1|2]

Tiny sizes.  Without --full (or DSPC_LONG=1 in the environment) each example
meets `auto` on one number of ranks, in turn from 2 to 8, and every second of the
other methods, in turn, on one from 2 to 4: each method meets half of the
examples.  On two axes it meets `auto` on one mesh, in turn, and one of the
other methods on the next.  --axes leaves the other meshes out.
Most of the time goes into compiling the programs.  A program that
is the same text under two methods runs once.  A method that cannot run an
example must say so; it is listed with \"-\".  Prints a line for each example;
exits with 1 at the first that fails."""

import argparse
import hashlib
import json
import math
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

from agree import check_counts, run

MESHES = ["2x2", "2x3", "4x2"]
METHODS = ["auto", "dsp", "ulysses", "megatron-sp", "ring", "data", "tensor"]
TINY = {
    "skiparse": ["layers=6"],
    "transformer2d": ["B=2", "T=5", "S=6", "H=2", "D=4", "pairs=2"],
    "stdit": ["E=f32", "B=2", "T=5", "S=6", "L=3", "H=2", "D=4", "depth=2"],
}


def ranks_of(mesh):
    return math.prod(map(int, mesh.split("x")))


# What dspc says of a method that it does not run: the method cannot run an
# op ("-"), or a value has more layouts than the search looks at ("wide").
REFUSALS = {"has no way to run this op": "-",
            "has too many layouts to look at": "wide"}


def flags_of(method):
    if method == "tensor":
        return ["--allow=tensor"]
    return [f"--plan={method}"]


def text_of(command):
    """The C text and None, or None and how dspc refuses."""
    done = subprocess.run([*command, "--emit=c"], capture_output=True,
                          text=True)
    for said, refusal in REFUSALS.items():
        if done.returncode == 1 and said in done.stderr:
            return None, refusal
    if done.returncode:
        sys.exit(f"{shlex.join(command)}\n{done.stderr}")
    return done.stdout, None


class Example:
    def __init__(self, path, mpirun, folder):
        self.path, self.mpirun, self.folder = path, mpirun, folder
        self.defines = [f"-D{d}" for d in TINY.get(path.stem, [])]
        self.known = {}

    def command(self, method, mesh):
        return ["dspc", str(self.path), f"--mesh={mesh}", *self.defines,
                *flags_of(method)]

    def check(self, method, mesh):
        """The bytes that moved, or how dspc refuses."""
        command = self.command(method, mesh)
        text, refusal = text_of(command)
        if text is None:
            return refusal
        key = hashlib.sha256(text.encode()).hexdigest()
        if key not in self.known:
            self.known[key] = self.run(command, ranks_of(mesh))
        return self.known[key]

    def run(self, command, ranks):
        program = self.folder / f"{self.path.stem}{len(self.known)}"
        one, stats = self.folder / "one.safetensors", self.folder / "stats"
        run([*command, "-o", str(program)])
        start = [*shlex.split(self.mpirun), str(ranks), str(program),
                 "--random-weights", "1", "--random-input", "2",
                 "--stats", str(stats)]
        run([*start, *(["--output", str(one)] if ranks == 1 else
                       ["--verify", str(one), "--tolerance", "2e-5"])])
        program.unlink()
        return check_counts(json.loads(stats.read_text()))


def one_axis(number, full):
    if full:
        return [(m, str(n)) for m in METHODS for n in range(2, 9)]
    auto, *others = METHODS
    return [(auto, str(2 + number % 7)),
            *((m, str(2 + (number + k) % 3)) for k, m in enumerate(others)
              if (number + k) % 2 == 0)]


def two_axes(number, full):
    if full:
        return [(m, mesh) for m in METHODS for mesh in MESHES]
    auto, *others = METHODS
    return [(auto, MESHES[number % 3]),
            (others[number % len(others)], MESHES[(number + 1) % 3])]


def pairs_of(number, full, axes):
    return [*(one_axis(number, full) if axes != 2 else []),
            *(two_axes(number, full) if axes != 1 else [])]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("examples")
    parser.add_argument("--mpirun", required=True)
    parser.add_argument("--shard", default="0/1")
    parser.add_argument("--full", action="store_true",
                        default=os.environ.get("DSPC_LONG") == "1")
    parser.add_argument("--axes", type=int, choices=[1, 2])
    args = parser.parse_args()
    shard, shards = map(int, args.shard.split("/"))
    paths = sorted(pathlib.Path(args.examples).glob("*.dsp"))
    for number, path in list(enumerate(paths))[shard::shards]:
        with tempfile.TemporaryDirectory() as name:
            example = Example(path, args.mpirun, pathlib.Path(name))
            if example.check("auto", "1") != 0:
                sys.exit(f"{path}: one rank moves something")
            moved = {}
            for method, mesh in pairs_of(number, args.full, args.axes):
                bytes_moved = example.check(method, mesh)
                moved.setdefault(method, []).append(f"{mesh}:{bytes_moved}")
            line = "; ".join(f"{m} {' '.join(v)}" for m, v in moved.items())
            print(f"{path.stem}: {line} ({len(example.known)} programs)",
                  flush=True)
    print(f"shard {shard} done")


main()
