"""The project's own files: what is promised in one place is true in the others."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_pytorch_stands_in_an_extra_of_its_own():
    extras = PROJECT["project"]["optional-dependencies"]
    assert extras["torch"] == ["torch==2.13.0"]
    others = [*PROJECT["project"]["dependencies"]]
    others += [line for name in extras if name != "torch" for line in extras[name]]
    assert not [line for line in others if line.startswith("torch")]


def test_every_extra_of_start_exists():
    source = (ROOT / "start.py").read_text(encoding="utf-8")
    named = re.findall(r'"(\w+)"', " ".join(re.findall(r"set_up\((\".*?)\)", source)))
    assert named
    assert set(named) <= PROJECT["project"]["optional-dependencies"].keys()


def test_the_changelog_knows_the_version():
    version = re.search(
        r'__version__ = "(.+)"',
        (ROOT / "src" / "deepneuron" / "_version.py").read_text(encoding="utf-8"),
    )
    assert version
    assert f"## [{version[1]}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_size_counts_code_only(tmp_path):
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import size
    finally:
        sys.path.pop(0)
    source = (
        '"""Two\nlines."""\n\n# why\nx = """a\nb"""\n\n'
        'def f():\n    "doc"\n    return x\n'
    )
    assert size.code_lines(source) == 4


def test_size_prints_a_table():
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "size.py"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.search(r"^engine +\d+ +[\d,]+ +1,500", done.stdout, re.MULTILINE)
