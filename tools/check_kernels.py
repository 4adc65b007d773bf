"""Check what a build of the native kernels on this machine does not show.

    python tools/check_kernels.py

- Every kernel compiles for ARM (NEON), where a cross compiler is installed.
- No kernel shares an inline function: of the copies for several instruction sets the
  linker keeps one, and a processor could meet instructions that it does not know.
- Nothing that runs when the extension is imported uses AVX: the kernels register
  themselves on every processor.

Reads how the newest build below `build/` called the compiler, so build first
(`tools/build_native.py`, or `start.py`). What cannot be checked is said, and no error.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CROSS_COMPILERS = (["aarch64-linux-gnu-g++"], ["clang++", "--target=aarch64-linux-gnu"])


@dataclass
class Compilation:
    """How one kernel source was compiled for one instruction set."""

    source: Path
    isa: str
    command: list[str]
    object: Path


def compilations() -> list[Compilation]:
    """Those of the kernels in the newest build; an empty list if there is none."""
    found = sorted(
        (ROOT / "build").glob("*/compile_commands.json"),
        key=lambda path: path.stat().st_mtime,
    )
    if not found:
        return []
    kernels = []
    for entry in json.loads(found[-1].read_text(encoding="utf-8")):
        command = shlex.split(entry["command"])
        isa = re.search(r"-DDEEPNEURON_ISA=(\w+)", entry["command"])
        if isa:
            target = Path(entry["directory"]) / command[command.index("-o") + 1]
            kernels.append(Compilation(Path(entry["file"]), isa[1], command, target))
    return kernels


def output(command: list[str]) -> str:
    """Run a program and return what it prints; end with its message if it fails."""
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - ours
    if done.returncode:
        sys.exit(f"{done.stderr}\nThis command failed: {shlex.join(command)}")
    sys.stderr.write(done.stderr)  # warnings
    return done.stdout


def check_neon(kernels: list[Compilation]) -> str:
    """Compile every kernel for ARM, as for the machine at hand otherwise."""
    compiler = next((c for c in CROSS_COMPILERS if shutil.which(c[0])), None)
    if compiler is None:
        return "NEON: skipped, there is no cross compiler (g++-aarch64-linux-gnu)"
    first = kernels[0].isa
    ours = [kernel for kernel in kernels if kernel.isa == first]
    with tempfile.TemporaryDirectory() as folder:
        for kernel in ours:
            options = [
                part.replace(f"ISA={first}", "ISA=neon")
                for part in kernel.command[1:]
                if not part.startswith("-m")
            ]
            options[options.index("-o") + 1] = str(Path(folder) / "kernel.o")
            output([*compiler, *without_dependencies(options)])
    return f"NEON: {len(ours)} sources compile"


def without_dependencies(options: list[str]) -> list[str]:
    """The same, without the files about dependencies that a build asks for."""
    parts = iter(options)
    kept = []
    for part in parts:
        if part in {"-MT", "-MF"}:
            next(parts)
        elif part != "-MD":
            kept.append(part)
    return kept


def shared_functions(kernel: Compilation) -> Iterator[str]:
    """Inline functions whose copies for other instruction sets have the same name."""
    symbols = output(["nm", "--demangle", "--defined-only", str(kernel.object)])
    for line in symbols.splitlines():
        kind, name = line.split(maxsplit=2)[1:]
        if kind == "W" and f"deepneuron::{kernel.isa}::" not in name:
            yield f"{kernel.source.name}, {kernel.isa}: {name}"


def avx_at_import(kernel: Compilation) -> Iterator[str]:
    """Instructions of AVX among those that run when the extension is imported."""
    sections = output(["objdump", "--section-headers", str(kernel.object)])
    if ".text.startup" not in sections:
        return
    code = output(["objdump", "-d", "--section=.text.startup", str(kernel.object)])
    for line in code.splitlines():
        if re.search(r"\t(v\w+|[kz]mov\w+)\s", line):
            yield f"{kernel.source.name}, {kernel.isa}: {line.strip()}"


def main() -> int:
    """Check, say what was found, and return 1 if it must be mended."""
    kernels = compilations()
    if not kernels:
        print("kernels: skipped, there is no build (tools/build_native.py makes one)")
        return 0
    print(check_neon(kernels))
    faults = [fault for kernel in kernels for fault in shared_functions(kernel)]
    faults += [fault for kernel in kernels for fault in avx_at_import(kernel)]
    for fault in faults:
        print(f"shared by instruction sets, or too new for some processors: {fault}")
    if not faults:
        print(f"{len(kernels)} objects share no functions, and register without AVX")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
