"""How fast and how large dspc is: start, source to C, memory, size.

  python3 bench/compile/measure.py [--dspc build/bin/dspc] [--runs 20] [--busy]

Prints one line a figure: the median over the runs, the limit that it is held
against, and for times the least time of the processor alone beside them; for
each example at the sizes of its public model (examples/sizes) the time from
source to C for 8 ranks.  Exits with 1 when a figure is over its limit.  --busy
is for a machine that does other work: the processor's time is held against a
limit."""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

MIB = 1 << 20


def run_once(command):
    """Seconds that pass, seconds of processor time (others at work on the
    machine do not count), and bytes of the largest resident set of one process.
    Before it becomes `command` it is a copy of this one: some 10 MiB are the
    floor."""
    begin = time.perf_counter()
    pid = os.spawnvp(os.P_NOWAIT, command[0], command)
    _, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - begin
    if status != 0:
        sys.exit(f"{' '.join(command)}: ended with status {status}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def median_of(command, runs):
    samples = [run_once(command) for _ in range(runs + 2)][2:]
    passed, busy, memory = zip(*samples)
    return statistics.median(passed), min(busy), max(memory)


def stripped_size(program, folder):
    copy = folder / "stripped"
    shutil.copy(program, copy)
    subprocess.run(["strip", str(copy)], check=True)
    return copy.stat().st_size


def report(name, value, limit, unit, more=""):
    verdict = "ok" if value <= limit else "OVER"
    print(f"{name:34} {value:8.2f} {unit:3}  (limit {limit:g}) {verdict}{more}")
    return value <= limit


def report_time(name, passed, busy, limit, on_busy):
    if on_busy:
        return report(name, busy * 1e3, limit, "ms",
                      f" of a processor, {passed * 1e3:.2f} ms passed")
    return report(name, passed * 1e3, limit, "ms",
                  f", {busy * 1e3:.2f} ms of a processor")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--dspc", default="build/bin/dspc")
    parser.add_argument("--model", default="examples/stdit.dsp")
    parser.add_argument("--ranks", default="8")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--busy", action="store_true")
    args = parser.parse_args()
    os.chdir(pathlib.Path(__file__).parents[2])
    args.dspc = shutil.which(args.dspc) or args.dspc
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        start = median_of([args.dspc, "--explain=E0301"], args.runs)
        compile_command = [args.dspc, args.model, "-n", args.ranks,
                           "--emit=c", "-o", str(folder / "out.c")]
        compiled = median_of(compile_command, args.runs)
        real = {}
        for sizes in sorted(pathlib.Path("examples/sizes").iterdir()):
            command = [args.dspc, f"examples/{sizes.name}.dsp", "-D",
                       f"@{sizes}", "-n", args.ranks, "--emit=c", "-o",
                       str(folder / "real.c")]
            real[sizes.name] = median_of(command, args.runs)
        size = stripped_size(args.dspc, folder)
    results = [
        report_time("start (--explain)", *start[:2], 10, args.busy),
        report_time(f"source to C, {args.model}", *compiled[:2], 50,
                    args.busy),
        *(report_time(f"real size, {model}", *figures[:2], 100,
                      args.busy)
          for model, figures in real.items()),
        report("largest resident set", compiled[2] / MIB, 50, "MiB"),
        report("binary, stripped", size / MIB, 6, "MiB"),
    ]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
