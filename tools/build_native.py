"""Build the native kernels into this tree, for the Python that runs this.

    python tools/build_native.py
    python tools/build_native.py --build-dir build/checked -DCMAKE_BUILD_TYPE=Debug

Configures and builds with CMake, compiles only what has changed since the last time,
and puts the extension beside its Python files, in `src/deepneuron/kernels/native`.
Needs a C++20 compiler and the extra `build`. An editable installation does the same.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "src" / "deepneuron" / "kernels" / "native"


class BuildError(Exception):
    """The extension could not be built; the message says what to do."""


def program(name: str) -> str | None:
    """The path of a program: this Python's own comes before the system's."""
    return shutil.which(name, path=sysconfig.get_path("scripts")) or shutil.which(name)


def build(build_dir: Path | None = None, arguments: Sequence[str] = ()) -> Path:
    """Build the extension and return its path; raise BuildError where that fails."""
    # One folder for each version of Python: they have different headers.
    build_dir = build_dir or ROOT / "build" / f"native-{sys.implementation.cache_tag}"
    try:
        import nanobind
    except ImportError:
        raise BuildError(
            f"{sys.executable} has no nanobind. Install what building needs: "
            "pip install nanobind cmake ninja"
        ) from None
    cmake = program("cmake")
    if cmake is None:
        raise BuildError("There is no CMake. Install it: pip install cmake ninja")
    # A copied or moved tree brings a cache that speaks of the original.
    cache = build_dir / "CMakeCache.txt"
    place = f"CMAKE_HOME_DIRECTORY:INTERNAL={ROOT.as_posix()}\n"
    if cache.exists() and place not in cache.read_text(encoding="utf-8"):
        cache.unlink()
    configure = [
        cmake,
        *("-S", str(ROOT), "-B", str(build_dir)),
        f"-DPython_EXECUTABLE={Path(sys.executable).as_posix()}",
        f"-Dnanobind_DIR={Path(nanobind.cmake_dir()).as_posix()}",
        *arguments,
    ]
    ninja = program("ninja")
    if sys.platform == "win32":
        configure += ["-T", "ClangCL"]
    elif ninja is not None:
        configure += ["-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={Path(ninja).as_posix()}"]
    compilation = [cmake, "--build", str(build_dir), "--config", "Release"]
    compilation.append("--parallel")
    for step in (configure, compilation):
        if subprocess.run(step, check=False).returncode:  # noqa: S603 - that is its use
            remove()  # what other sources made would only mislead
            raise BuildError(f"This command failed: {' '.join(step)}")
    remove()
    installation = [cmake, "--install", str(build_dir), "--config", "Release"]
    installation += ["--prefix", str(ROOT / "src")]
    subprocess.run(installation, check=True)  # noqa: S603 - as above
    return built()[0]


def built() -> list[Path]:
    """The extensions in this tree that this Python would import."""
    paths = [HOME / f"_native{ending}" for ending in EXTENSION_SUFFIXES]
    return [path for path in paths if path.exists()]


def remove() -> None:
    """Remove them."""
    for path in built():
        try:
            path.unlink()
        except PermissionError:
            raise BuildError(
                f"{path} is in use. End the program that has imported it."
            ) from None


def main() -> int:
    """Read the command line, build, and say where the extension is."""
    parser = argparse.ArgumentParser(
        description="Builds the native kernels into this tree.",
        epilog="Other arguments are handed to CMake.",
    )
    parser.add_argument("--build-dir", type=Path, help="default: build/native-PYTHON")
    options, rest = parser.parse_known_args()
    try:
        print(build(options.build_dir, rest))
    except BuildError as error:
        print(f"build_native.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
