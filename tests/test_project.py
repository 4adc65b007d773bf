"""The project's own files: what is promised in one place is true in the others."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

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


PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "docs/architecture.md",
    "docs/gradients.md",
    "docs/train.md",
]


@pytest.mark.parametrize("page", PAGES)
def test_every_path_that_a_page_names_exists(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    here = (ROOT / page).parent
    links = [t for t in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in t]
    quoted = re.findall(r"`([\w./-]+/[\w./-]*\w\.(?:py|pyi|md|toml|png))`", text)
    roots = (here, ROOT, ROOT / "src" / "deepneuron")
    missing = [t for t in links if not (here / t).exists()]
    missing += [q for q in quoted if not any((root / q).exists() for root in roots)]
    assert links + quoted
    assert not missing


@pytest.mark.parametrize("room", ["engine", "ops"])
def test_the_plan_of_the_house_lists_every_file_of_a_room(room):
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    folder = ROOT / "src" / "deepneuron" / room
    files = {path.name for path in folder.glob("*.py")}
    listed = set(re.findall(rf"\]\(\.\./src/deepneuron/{room}/(\w+\.py)\)", text))
    assert files == listed


def test_the_plan_of_the_house_lists_every_room():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    package = ROOT / "src" / "deepneuron"
    rooms = {p.parent.name for p in package.glob("*/__init__.py")}
    listed = set(re.findall(r"\[`(\w+)`\]\(\.\./src/deepneuron/(?:\w+)/", text))
    assert rooms == listed
