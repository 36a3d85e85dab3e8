"""Programs that --memory shapes: a limit between what the cheapest plan needs
and less is kept, the bytes counted at the MPI calls are the predicted ones, and
the outputs those of one rank.

  fit.py --mpirun "mpirun -np" MODEL --share 0.6 [--mesh 4] [-D NAME=VALUE]...
         [--flag FLAG]...

--share: the limit, as a part of what the cheapest plan needs.  Prints a line;
exits with 1 when something does not hold."""

import argparse
import json
import pathlib
import shlex
import tempfile

from agree import check_counts, errors_of, run


def plan_of(command):
    return json.loads(run(["dspc", "plan", *command, "--json"]).stdout)


def check_run(command, one, args, folder):
    """Runs the program on all ranks; the bytes moved and the error."""
    program, stats = folder / "fitting", folder / "stats.json"
    data = ["--random-weights", "1", "--random-input", "2"]
    run(["dspc", *one, "-o", str(folder / "one")])
    run([*shlex.split(args.mpirun), "1", str(folder / "one"), *data,
         "--output", str(folder / "one.safetensors")])
    run(["dspc", *command, "-o", str(program)])
    sizes = args.mesh.split("x")
    ranks = int(sizes[0]) * int(sizes[-1] if len(sizes) > 1 else 1)
    done = run([*shlex.split(args.mpirun), str(ranks), str(program), *data,
                "--stats", str(stats), "--verify",
                str(folder / "one.safetensors"), "--tolerance", "2e-5"])
    moved = check_counts(json.loads(stats.read_text()))
    return moved, errors_of(done.stdout + done.stderr)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--mpirun", required=True)
    parser.add_argument("--share", type=float, required=True)
    parser.add_argument("--mesh", default="4")
    parser.add_argument("-D", action="append", default=[])
    parser.add_argument("--flag", action="append", default=[])
    args = parser.parse_args()
    one = [args.model, *[f"-D{d}" for d in args.D]]
    command = [*one, f"--mesh={args.mesh}", *args.flag]
    free = plan_of([*command, "--memory=1TiB"])
    limit = int(free["memory"]["needed"] * args.share)
    command.append(f"--memory={limit}")
    plan = plan_of(command)
    memory, certificate = plan["memory"], plan["certificate"]
    assert memory["limited"] and memory["floor"] <= memory["needed"] <= limit
    assert memory["unlimited_bytes"] == free["certificate"]["bytes"]
    assert plan["plan"]["bytes"] == certificate["bytes"]
    assert certificate["bytes"] >= certificate["lower_bound"]
    assert certificate["bytes"] >= free["certificate"]["lower_bound"]
    with tempfile.TemporaryDirectory() as name:
        moved, error = check_run(command, one, args, pathlib.Path(name))
    assert moved == certificate["bytes"], (moved, certificate)
    print(f"{moved} bytes counted and predicted within {limit}, "
          f"{memory['unlimited_bytes']} without a limit, "
          f"relative error {error:.1e}")


main()
