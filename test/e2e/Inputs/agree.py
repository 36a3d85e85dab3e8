"""Compiles a model for several rank counts, runs each, and compares.

  agree.py --mpirun "mpirun -np" MODEL --ranks 1-8 | --meshes 2x2,2x3
           [-D NAME=VALUE]... [--tolerance X] [--weights F --input F --expected F --expected-tolerance X]
           [--flag FLAG]... [--run-flag FLAG]...

The outputs of every count must be those of one rank, within --tolerance of
the largest; with --expected also those of a public implementation.  The bytes
counted at the MPI calls must be the predicted ones, rank by rank, and the
arena as large as predicted.  Prints a line for each count; exits with 1 at
the first that fails."""

import argparse
import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile


def run(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode:
        sys.exit(f"{shlex.join(command)}\n{done.stdout}{done.stderr}")
    return done


def counts_of(text):
    if "," in text:
        return [int(n) for n in text.split(",")]
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def shapes_of(args):
    """What to compile for: (ranks, option, text), one rank first."""
    if not args.meshes:
        return [(n, f"-n{n}", f"{n} ranks")
                for n in sorted({1, *counts_of(args.ranks)})]
    shapes = [(1, "-n1", "1 ranks")]
    for mesh in args.meshes.split(","):
        outer, inner = mesh.split("x")
        shapes.append((int(outer) * int(inner), f"--mesh={mesh}", mesh))
    return shapes


def errors_of(text):
    found = re.findall(r"relative ([0-9.e+-]+)", text)
    if not found:
        sys.exit("nothing was compared:\n" + text)
    return max(float(x) for x in found)


def check_counts(stats):
    if stats["counted_bytes"] != stats["predicted_bytes"]:
        sys.exit(f"counted {stats['counted_bytes']}, "
                 f"predicted {stats['predicted_bytes']}")
    if stats["arena_bytes"] != stats["predicted_arena_bytes"]:
        sys.exit(f"an arena of {stats['arena_bytes']} bytes, "
                 f"predicted {stats['predicted_arena_bytes']}")
    return sum(stats["counted_bytes"])


def read_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--mpirun", required=True)
    parser.add_argument("--ranks", default="1-8")
    parser.add_argument("--meshes")
    parser.add_argument("-D", action="append", default=[])
    parser.add_argument("--flag", action="append", default=[])
    parser.add_argument("--tolerance", default="1e-5")
    parser.add_argument("--run-flag", action="append", default=[])
    parser.add_argument("--weights")
    parser.add_argument("--input")
    parser.add_argument("--expected")
    parser.add_argument("--expected-tolerance", default="1e-4")
    return parser.parse_args()


def main():
    args = read_arguments()
    data = (["--weights", args.weights, "--input", args.input]
            if args.weights else
            ["--random-weights", "1", "--random-input", "2"])
    data += args.run_flag
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        one = folder / "one.safetensors"
        for ranks, option, text in shapes_of(args):
            program = folder / f"on{text.replace(' ', '')}"
            run(["dspc", args.model, option, "-o", str(program),
                 *[f"-D{d}" for d in args.D], *args.flag])
            start = [*shlex.split(args.mpirun), str(ranks), str(program), *data]
            stats = folder / "stats.json"
            command = [*start, "--stats", str(stats)]
            if ranks == 1:
                command += ["--output", str(one)]
            else:
                command += ["--verify", str(one), "--tolerance", args.tolerance]
            done = run(command)
            moved = check_counts(json.loads(stats.read_text()))
            line = f"{text}: {moved} bytes counted and predicted"
            if ranks > 1:
                line += f", relative error {errors_of(done.stdout + done.stderr):.1e}"
            if args.expected:
                done = run([*start, "--verify", args.expected, "--tolerance",
                            args.expected_tolerance])
                line += (", to the reference "
                         f"{errors_of(done.stdout + done.stderr):.1e}")
            print(line, flush=True)


main()
