"""How fast and how large dspc is: start, source to C, memory, size.

  python3 bench/compile/measure.py [--dspc build/bin/dspc] [--runs 20]

Prints one line a figure: the median over the runs, and the limit that it is
held against; for each example at the sizes of its public model (examples/sizes)
the time from source to C for 8 ranks.  Exits with 1 when a figure is over its
limit."""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

MIB = 1 << 20

def run_once(command):
    """Seconds of processor time (others at work on the machine do not count)
    and bytes of the largest resident set of one process.  Before it becomes
    `command` it is a copy of this one: some 10 MiB are the floor."""
    pid = os.spawnvp(os.P_NOWAIT, command[0], command)
    _, status, usage = os.wait4(pid, 0)
    seconds = usage.ru_utime + usage.ru_stime
    if status != 0:
        sys.exit(f"{' '.join(command)}: ended with status {status}")
    return seconds, usage.ru_maxrss * 1024


def median_of(command, runs):
    samples = [run_once(command) for _ in range(runs + 2)][2:]
    return (statistics.median(s for s, _ in samples),
            max(memory for _, memory in samples))


def stripped_size(program, folder):
    copy = folder / "stripped"
    shutil.copy(program, copy)
    subprocess.run(["strip", str(copy)], check=True)
    return copy.stat().st_size


def report(name, value, limit, unit):
    verdict = "ok" if value <= limit else "OVER"
    print(f"{name:34} {value:8.2f} {unit:3}  (limit {limit:g}) {verdict}")
    return value <= limit


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--dspc", default="build/bin/dspc")
    parser.add_argument("--model", default="examples/stdit.dsp")
    parser.add_argument("--ranks", default="8")
    parser.add_argument("--runs", type=int, default=20)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        start, _ = median_of([args.dspc, "--explain=E0301"], args.runs)
        compile_command = [args.dspc, args.model, "-n", args.ranks,
                           "--emit=c", "-o", str(folder / "out.c")]
        seconds, memory = median_of(compile_command, args.runs)
        real = {}
        for sizes in sorted(pathlib.Path("examples/sizes").iterdir()):
            command = [args.dspc, f"examples/{sizes.name}.dsp", "-D",
                       f"@{sizes}", "-n", args.ranks, "--emit=c", "-o",
                       str(folder / "real.c")]
            real[sizes.name] = median_of(command, args.runs)[0]
        size = stripped_size(args.dspc, folder)
    results = [
        report("start (--explain)", start * 1e3, 10, "ms"),
        report(f"source to C, {args.model}", seconds * 1e3, 50, "ms"),
        *(report(f"real size, {model}", seconds * 1e3, 100, "ms")
          for model, seconds in real.items()),
        report("largest resident set", memory / MIB, 50, "MiB"),
        report("binary, stripped", size / MIB, 6, "MiB"),
    ]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
