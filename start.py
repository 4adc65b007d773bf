"""One command from a fresh checkout: sets everything up, then does what it is asked.

    python3 start.py train digits --out runs/digits
    python3 start.py predict runs/digits picture.png
    python3 start.py test

The first call makes a virtual environment (`.venv`, beside this file) and installs
deepneuron into it; later calls only look whether `pyproject.toml` or the C++ sources
have changed. Nothing outside of this folder is touched. Needs Python 3.11 or newer, and
pip or ensurepip. With a C++20 compiler, the native kernels are built as well.
"""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "deepneuron needs Python 3.11 or newer; this is Python "
        f"{sys.version_info[0]}.{sys.version_info[1]} ({sys.executable}).\n"
        "Start this file with a newer one, for example: python3.12 start.py"
    )

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "deepneuron-setup.json"
NATIVE = ROOT / "src" / "deepneuron" / "kernels" / "native"
SCRIPTS = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = SCRIPTS / ("python.exe" if os.name == "nt" else "python")

# Test processes share the cores among them; more threads in each only get in the way.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
}
PEERS = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "MPLBACKEND": "Agg"}


class SetupError(Exception):
    """Set-up cannot go on; the message says what to do."""


def say(text: str) -> None:
    """Print a line about the set-up, on stderr: stdout belongs to the command."""
    print(f"start.py: {text}", file=sys.stderr, flush=True)


def run(command: list[str | Path], env: dict[str, str] | None = None) -> int:
    """Run a program in the foreground and return its exit code, as a shell sees it."""
    process = subprocess.Popen(
        [str(part) for part in command], env={**os.environ, **(env or {})}
    )
    while True:
        try:
            code = process.wait()
        except KeyboardInterrupt:
            continue  # the program got it too, and decides what to do
        return code if code >= 0 else 128 - code


def works(command: list[str | Path]) -> bool:
    """Whether a program runs and succeeds; what it prints is dropped."""
    try:
        done = subprocess.run(
            [str(part) for part in command], capture_output=True, check=False
        )
    except OSError:
        return False
    return done.returncode == 0


# ------------------------------------------------------------------ the environment


def make_environment() -> None:
    """Make `.venv` with a pip in it, by whatever way this Python offers.

    Debian and Ubuntu split `venv` and `ensurepip` off into a package that is often
    missing, so the environment is made without pip, which always works, and then gets
    its pip from ensurepip or from the pip of the Python outside.
    """
    if PYTHON.exists() and not works(
        [PYTHON, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
    ):
        raise SetupError(
            f"The Python in {VENV} does not start or is older than 3.11. "
            "Remove that folder and call this again."
        )
    if not PYTHON.exists():
        say(f"making a virtual environment in {VENV}")
        made = works([sys.executable, "-m", "venv", "--without-pip", VENV])
        if not made and not works([sys.executable, "-m", "virtualenv", VENV]):
            raise SetupError(
                f"{sys.executable} can make no virtual environment in {ROOT}: is the "
                "folder writable, and does this Python have the module venv? On Debian "
                "and Ubuntu: sudo apt install python3-venv"
            )
    if works([PYTHON, "-m", "pip", "--version"]):
        return
    ways: list[list[str | Path]] = [
        [PYTHON, "-m", "ensurepip", "--default-pip"],
        [sys.executable, "-m", "pip", "--python", PYTHON, "install", "-q", "pip"],
    ]
    if not any(works(way) for way in ways):
        raise SetupError(
            f"{sys.executable} has neither ensurepip nor a pip (22.3 or newer) that "
            "reaches its index. On Debian and Ubuntu: sudo apt install python3-venv"
        )


def fingerprint() -> str:
    """What an installation depends on: its recipes, the C++ sources, and the place."""
    digest = hashlib.sha256(str(ROOT).encode())
    recipes = ["pyproject.toml", "CMakeLists.txt", "src/deepneuron/_version.py"]
    sources = (path for path in (NATIVE / "cpp").rglob("*") if path.is_file())
    for path in [*(ROOT / name for name in recipes), *sorted(sources)]:
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def native_kernels() -> list[Path]:
    """The extension modules that are built into this tree."""
    return [path for path in NATIVE.glob("_native.*") if path.suffix in {".so", ".pyd"}]


def installed() -> set[str]:
    """The extras that are installed; "" stands for deepneuron itself."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
        return set(stamp["extras"]) if stamp["fingerprint"] == fingerprint() else set()
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def requirements(extras: set[str]) -> list[str]:
    """What pyproject.toml demands for deepneuron, "", and for extras of it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    every = project["project"]["optional-dependencies"]
    if unknown := extras - {"", *every}:
        raise SetupError(
            f"There is no extra {', '.join(sorted(unknown))}; there are "
            f"{', '.join(every)}."
        )
    lines = list(project["project"]["dependencies"])
    return lines + [line for name in sorted(extras - {""}) for line in every[name]]


def set_up(*extras: str) -> None:
    """See to it that `.venv` holds deepneuron, editable, with these extras."""
    have = installed() if PYTHON.exists() else set()
    wanted = {"", *extras}
    if wanted <= have:
        return
    make_environment()
    wanted |= have
    named = ",".join(sorted(wanted - {""}))
    say(f"installing deepneuron{f' with {named}' if named else ''} (once)")
    if have:  # deepneuron itself is as it should be: its kernels are not built again
        packages = requirements(wanted)
    else:
        STAMP.unlink(missing_ok=True)
        packages = ["--editable", f"{ROOT}[{named}]" if named else str(ROOT)]
        for old in native_kernels():
            old.unlink()  # it would be taken for new, if no new one can be built
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    command = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check"]
    code = run([*command, *quiet, *packages])
    if code:
        raise SetupError(
            f"pip could not install deepneuron (its message stands above; exit code "
            f"{code}). Is there a connection to the package index? Calling this again "
            "goes on where it stopped."
        )
    if not have and not native_kernels():
        say(
            "the native kernels could not be built, so NumPy computes. They need a "
            "C++20 compiler; what went wrong is told by: "
            f"{PYTHON} -m pip install -v --editable {ROOT}"
        )
    stamp = {"fingerprint": fingerprint(), "extras": sorted(wanted)}
    fresh = STAMP.with_suffix(".new")
    fresh.write_text(json.dumps(stamp), encoding="utf-8")
    fresh.replace(STAMP)


def script(name: str) -> Path:
    """The path of a program that pip installed into `.venv`."""
    found = shutil.which(name, path=str(SCRIPTS))
    if found is None:
        raise SetupError(
            f"{name} is missing in {SCRIPTS}. Remove {VENV} and call this again."
        )
    return Path(found)


# ------------------------------------------------------------------ the commands


def deepneuron(*arguments: str) -> int:
    """Run the command line of deepneuron."""
    # So that help and advice name commands that work here, outside of `.venv`.
    program = f"{'py' if os.name == 'nt' else 'python3'} {Path(sys.argv[0])}"
    return run([script("deepneuron"), *arguments], env={"DEEPNEURON_PROGRAM": program})


def train(rest: list[str]) -> int:
    """Train a classifier of pictures."""
    set_up()
    return deepneuron("train", *rest)


def predict(rest: list[str]) -> int:
    """Say what pictures show."""
    set_up()
    return deepneuron("predict", *rest)


def evaluate(rest: list[str]) -> int:
    """Test a trained network on other pictures."""
    set_up()
    return deepneuron("evaluate", *rest)


def report(rest: list[str]) -> int:
    """Draw the report of a run again."""
    set_up()
    return deepneuron("report", *rest)


def export(rest: list[str]) -> int:
    """Write a trained network for other programs; installs ONNX where it is needed."""
    # ONNX is what is written where nothing else is named; help needs nothing at all.
    words = " ".join(rest).replace("--to=", "--to ")
    needed = "--to keras" not in words and not {"-h", "--help"} & set(rest)
    set_up(*(["onnx"] if needed else []))
    return deepneuron("export", *rest)


def test(rest: list[str]) -> int:
    """Run the tests with pytest: arguments as for `pytest`."""
    set_up("sklearn", "test")
    os.chdir(ROOT)
    # One process, when a number of them is given or a debugger wants the terminal.
    own = any(part.startswith(("-n", "--numprocesses", "--pdb")) for part in rest)
    workers = [] if own else ["-n", "auto"]
    return run([PYTHON, "-m", "pytest", *workers, *rest], env={**ONE_THREAD, **PEERS})


def lint(rest: list[str]) -> int:
    """Check style, format, types, floors and size; arguments are not taken."""
    if rest:
        raise SetupError(f"lint takes no arguments; it received {' '.join(rest)}.")
    set_up("sklearn", "lint")
    os.chdir(ROOT)
    checks: list[list[str | Path]] = [
        [script("ruff"), "check", "."],
        [script("ruff"), "format", "--check", "."],
        [PYTHON, "-m", "mypy"],
        [script("lint-imports"), "--no-logo"],
        [PYTHON, ROOT / "tools" / "stub_ops.py", "--check"],
        [PYTHON, ROOT / "tools" / "size.py"],
    ]
    # All of them run, so that one call shows everything there is to mend.
    codes = []
    for check in checks:
        say(" ".join([Path(check[0]).name, *(str(part) for part in check[1:])]))
        codes.append(run(check))
    return next((code for code in codes if code), 0)


def install(rest: list[str]) -> int:
    """Install extras: onnx, sklearn, test, lint, build, torch."""
    set_up(*rest)
    return 0


def python(rest: list[str]) -> int:
    """Run the Python of the environment: a script and its arguments."""
    set_up("sklearn")
    return run([PYTHON, *rest], env={"KERAS_BACKEND": PEERS["KERAS_BACKEND"]})


COMMANDS = {
    "train": train,
    "predict": predict,
    "evaluate": evaluate,
    "report": report,
    "export": export,
    "test": test,
    "lint": lint,
    "install": install,
    "python": python,
}


def main(arguments: list[str]) -> int:
    """Read the command, hand the rest to it, and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="start.py",
        description="Sets deepneuron up in .venv where needed, then runs a command.\n"
        "The first five are deepneuron's own, and take the same arguments.",
        epilog="examples:\n"
        "  python3 start.py train digits --out runs/digits\n"
        "  python3 start.py train fashion --epochs 5\n"
        "  python3 start.py train --help\n"
        "  python3 start.py predict runs/digits picture.png\n"
        "  python3 start.py report runs/digits --open\n"
        "  python3 start.py test tests/data -x\n"
        "  python3 start.py lint\n"
        "  python3 start.py python examples/01_perceptron.py\n"
        "On Windows: py start.py ...",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", title="commands"
    )
    for name, function in COMMANDS.items():
        # The rest belongs to the program that is started, --help included.
        commands.add_parser(name, help=(function.__doc__ or "").strip(), add_help=False)
    if not arguments:
        parser.print_help()
        return 2
    chosen, _ = parser.parse_known_args(arguments[:1])
    try:
        return COMMANDS[chosen.command](arguments[1:])
    except SetupError as error:
        say(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
