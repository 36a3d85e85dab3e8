"""Checks that the parts include and link only what their layer may.

  python3 scripts/check_layers.py [ROOT]

Prints "file:line: message" for each line that breaks the table below, and
exits with 1 when there is one."""

import pathlib
import re
import sys

# The table of docs/architecture.md: what each library may include directly,
# besides itself and support.
MAY_INCLUDE = {
    "support": set(),
    "syntax": set(),
    "sema": {"syntax"},
    "plan": set(),
    "dialect": set(),
    "import": {"sema", "dialect"},
    "passes": {"plan", "dialect"},
    "emit": {"dialect"},
    "opt": {"passes", "dialect"},
    "driver": {"syntax", "sema", "plan", "dialect", "import", "passes",
               "emit"},
}
MLIR = {"dialect", "import", "passes", "emit", "opt", "driver"}
RUNTIME_HEADERS = re.compile(
    r"(mpi|cblas|omp|cuda\w*|nccl|cublas\w*|cudnn\w*|dsprt/.*|dsprt)\.h$")

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
LINK = re.compile(r"target_link_libraries\(\s*dspc_(\w+)([^)]*)\)")
SOURCES = {".c", ".h", ".def", ".cu", ".cuh", ".cpp"}


def allowed(library):
    return MAY_INCLUDE[library] | {library, "support"}


def includes(path):
    text = path.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1), match.group(2)


def check_compiler_include(library, kind, header):
    if header.startswith("dspc/"):
        other = header.split("/")[1]
        if other not in allowed(library):
            return f"{library} may not include {other}"
    elif header.startswith("mlir-c/"):
        if library == "support" and header == "mlir-c/Support.h":
            return None
        if library not in MLIR:
            return f"{library} may not include MLIR"
    elif header.startswith(("mlir/", "llvm/", "llvm-c/")):
        return "only MLIR's C API is used"
    elif RUNTIME_HEADERS.search(header):
        return f"{library} may not include headers of the runtime"
    elif kind == '"' and ".." in header:
        return "a private header of another folder"
    return None


def check_runtime_include(header):
    if header.startswith(("dspc/", "mlir-c/", "mlir/", "llvm/")):
        return "the runtime may not include headers of the compiler"
    return None


def check_links(root, library):
    path = root / "lib" / library / "CMakeLists.txt"
    if not path.exists():
        return
    text = path.read_text(encoding="utf-8")
    for match in LINK.finditer(text):
        number = text.count("\n", 0, match.start()) + 1
        for other in re.findall(r"\bdspc_(\w+)", match.group(2)):
            if other == "mlir":
                if match.group(1) not in MLIR:
                    yield path, number, f"{match.group(1)} may not link MLIR"
            elif other not in allowed(match.group(1)):
                yield path, number, f"{match.group(1)} may not link {other}"


def sources(folder):
    return sorted(path for path in folder.rglob("*")
                  if path.suffix in SOURCES) if folder.is_dir() else []


def findings(root):
    for folder in ("lib", "include/dspc"):
        for library in sorted(p.name for p in (root / folder).glob("*")
                              if p.is_dir()):
            if library not in MAY_INCLUDE:
                yield root / folder / library, 0, "a library without a layer"
                continue
            for path in sources(root / folder / library):
                for number, kind, header in includes(path):
                    text = check_compiler_include(library, kind, header)
                    if text:
                        yield path, number, f"{text} ({header})"
    for library in MAY_INCLUDE:
        yield from check_links(root, library)
    for path in sources(root / "runtime"):
        for number, _, header in includes(path):
            text = check_runtime_include(header)
            if text:
                yield path, number, f"{text} ({header})"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    count = 0
    for path, number, text in findings(root):
        print(f"{path.relative_to(root)}:{number}: {text}")
        count += 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
