"""Runs the blocks of a page: run_page.py PAGE SOURCE SCRATCH LAUNCHER MPIRUN.

The blocks run in order, in a folder of their own, where `examples` and
`build/bin` are those of the source, and mpirun is `LAUNCHER MPIRUN`.  What a
block is, its first line says:

  ```dsp [FILE]     a model, written to FILE (model.dsp); it must compile
  ```dsp FILE wrong a model that is only written: what follows shows its error
  ```python FILE    a program, written to FILE
  ```sh             commands: all must end well
  ```console        commands behind `$`, and what each prints, in order.  A
                    line `...` stands for any lines, runs of spaces are equal,
                    and so are any two times (`102 us`) and errors of rounding
                    (`error 1e-07 of 3.1, relative 3e-08`).  `$?1` instead of
                    `$`: the command must end with code 1
  ```sh gpu         commands that need a GPU: those of dspc run, as they only
                    write text; the others do not
  ```sh root        commands that install or build: they must be there
  ```mlir           a type of MLIR a line: it must parse
  ```c FILE         lines of FILE, in order, but `...`
  ```text           neither a program nor what one prints

A block without any of these words is an error, and so is one that is a block
because it is indented: nobody would see that it is not run."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

BLOCK = re.compile(r"^```([^\n`]*)\n(.*?)^```$", re.S | re.M)
TIME = re.compile(r"\b[0-9.]+(e[+-]\d+)? (us|ms|s)\b")
ROUNDING = re.compile(r"error \S+ of (\S+), relative \S+")


class Wrong(Exception):
    """What is wrong with a block."""


def shell(text, folder):
    done = subprocess.run(["bash", "-euc", text], cwd=folder, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, timeout=100)
    return done.returncode, done.stdout


def must_run(text, folder):
    code, printed = shell(text, folder)
    if code:
        raise Wrong(f"{text}\nends with code {code}:\n{printed}")


def normal(line):
    return " ".join(ROUNDING.sub(r"ROUNDING of \1", TIME.sub("TIME", line))
                    .split())


def compare(shown, printed):
    """Every shown line is the next printed one, but behind `...`."""
    lines, at, anywhere = printed.splitlines(), 0, False
    for line in shown:
        if line.strip() == "...":
            anywhere = True
            continue
        found = at
        while (found < len(lines) and anywhere
               and normal(lines[found]) != normal(line)):
            found += 1
        if found >= len(lines) or normal(lines[found]) != normal(line):
            raise Wrong(f"not printed:\n{line}\nprinted is:\n{printed}")
        at, anywhere = found + 1, False
    if at < len(lines) and not anywhere:
        raise Wrong(f"printed, but not shown:\n{lines[at]}")


def run_model(words, text, folder):
    name = words[1] if len(words) > 1 else "model.dsp"
    (folder / name).write_text(text)
    if "wrong" not in words:
        must_run(f"dspc {name} -n 2 --emit=lowered >/dev/null", folder)


def run_file(words, text, folder):
    (folder / words[1]).write_text(text)


def run_shell(words, text, folder):
    text = text.replace("\\\n", " ")
    if "root" in words:
        for line in text.splitlines():
            if not (folder / line.split()[0]).exists():
                raise Wrong("not there: " + line)
    elif "gpu" in words:
        for line in text.splitlines():
            if re.match(r"(build/bin/)?dspc ", line):
                must_run(line, folder)
    else:
        must_run(text, folder)


def run_console(_, text, folder):
    parts = re.split(r"^\$(\?1)? ((?:.*\\\n)*.*)\n", text, flags=re.M)
    if parts[0] or len(parts) == 1:
        raise Wrong("a console block begins with '$ '")
    for fails, command, shown in zip(parts[1::3], parts[2::3], parts[3::3]):
        code, printed = shell(command, folder)
        if code != (1 if fails else 0):
            raise Wrong(f"{command}\nends with code {code}:\n{printed}")
        compare(shown.splitlines(), printed)


def run_excerpt(words, text, folder):
    lines = iter((folder / words[1]).read_text().splitlines())
    for line in text.splitlines():
        if not line.startswith("...") and line not in lines:
            raise Wrong(f"not in {words[1]}, or not there: {line}")


def run_types(_, text, folder):
    for line in text.splitlines():
        must_run(f"echo 'func.func private @f({line})' | mlir-opt >/dev/null",
                 folder)


RUN = {"dsp": run_model, "python": run_file, "sh": run_shell,
       "console": run_console, "mlir": run_types, "c": run_excerpt,
       "text": lambda words, text, folder: None}


INDENTED = re.compile(r"\n\n    [^ \n].*")


def check_indented(text):
    """Text outside of the blocks, each of which left its empty lines."""
    found = INDENTED.search(BLOCK.sub(lambda b: "\n" * b[0].count("\n"), text))
    if found:
        raise Wrong("an indented block: " + found[0].strip())


def make_folder(scratch, source, launcher):
    """An empty folder with the project's parts, and mpirun on the path."""
    subprocess.run(["rm", "-rf", scratch], check=True)
    (scratch / "build").mkdir(parents=True)
    tools = scratch / "tools"
    tools.mkdir()
    program = subprocess.run(["which", "dspc"], capture_output=True, text=True,
                             check=True).stdout.strip()
    for name in ("bin", "lib"):
        (scratch / "build" / name).symlink_to(
            pathlib.Path(program).parents[1] / name)
    for name in ("examples", "scripts", "topologies", "test"):
        (scratch / name).symlink_to(source / name)
    launcher = [shutil.which(word) or word for word in launcher]
    wrapper = tools / "mpirun"
    wrapper.write_text('#!/bin/sh\n[ "$1" = -n ] && shift\n'
                       f'exec {" ".join(launcher)} "$@"\n')
    wrapper.chmod(0o755)
    os.environ["PATH"] = f"{tools}:{os.environ['PATH']}"


def main():
    page, source = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    scratch = pathlib.Path(sys.argv[3])
    make_folder(scratch, source, sys.argv[4:])
    text = page.read_text()
    found, line = 0, 1
    try:
        check_indented(text)
        for block in BLOCK.finditer(text):
            words = block[1].split() or ["no word behind ```"]
            line = text.count("\n", 0, block.start()) + 1
            if words[0] not in RUN:
                raise Wrong("what block is this: " + words[0])
            RUN[words[0]](words, block[2], scratch)
            found += 1
    except (Wrong, subprocess.TimeoutExpired) as wrong:
        print(f"{page}:{line}: {wrong}")
        return 1
    print(f"{found} blocks")
    return 0


sys.exit(main())
