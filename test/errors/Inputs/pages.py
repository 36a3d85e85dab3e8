"""Checks the pages of the diagnostics: pages.py SOURCE SCRATCH.

Every ID of diag.def has a page and a test.  A page holds a wrong program, the
command and what it prints, and a right program: dspc has to agree.
"""

import pathlib
import re
import subprocess
import sys


def run(command, program, scratch):
    (scratch / "model.dsp").write_text(program)
    return subprocess.run(command.split() + ["--emit=plan"], cwd=scratch,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)


def faults(name, title, page, scratch):
    if not page.startswith(f"# {name}: {title}\n"):
        yield "another title than in diag.def"
    if any(len(line) > 80 for line in re.sub(r"```.*?```", "", page,
                                             flags=re.S).splitlines()):
        yield "a line of more than 80 columns"
    programs = re.findall(r"```dsp\n(.*?)```", page, re.S)
    sessions = re.findall(r"```\n\$ (.*?)\n(.*?)```", page, re.S)
    if len(programs) != 2 or not sessions:
        yield "not one wrong and one right program"
        return
    wrong = run(sessions[0][0], programs[0], scratch)
    if wrong.returncode != 1 or wrong.stdout != sessions[0][1]:
        yield "the wrong program prints\n" + wrong.stdout
    right = run(sessions[-1][0], programs[1], scratch)
    if right.returncode != 0:
        yield "the right program prints\n" + right.stdout


def main():
    source, scratch = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    scratch.mkdir(parents=True, exist_ok=True)
    table = (source / "include/dspc/support/diag.def").read_text()
    found = 0
    for name, title in re.findall(r'DSP_DIAG\((\w+), "(.*)"\)', table):
        path = source / "docs/errors" / f"{name}.md"
        wrong = ["no page"]
        if path.exists():
            wrong = list(faults(name, title, path.read_text(), scratch))
        if not list((source / "test/errors").glob(f"{name}_*.dsp")):
            wrong.append("no test")
        for text in wrong:
            print(f"{name}: {text}")
        found += len(wrong)
    return 1 if found else 0


sys.exit(main())
