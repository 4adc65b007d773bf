"""Documents that run: every example in README.md and docs/ is executed."""

import doctest
import re
import shlex
from pathlib import Path

import click
import pytest

from deepneuron.cli.main import cli

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
)
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
# A command in a block of code, indented or fenced, or between backticks.
COMMAND = re.compile(
    r"^(?: {4}(?:\$ )?)?(?:deepneuron|python3 start\.py) (\w+ .*)$"
    r"|`deepneuron (train|predict|evaluate|report|export) ([^`]+)`",
    re.MULTILINE,
)
OURS = set(cli.commands)
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_of_a_page_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    scope: dict = {}
    for number, block in enumerate(blocks, start=1):
        if ">>>" in block:
            parser, runner = (
                doctest.DocTestParser(),
                doctest.DocTestRunner(verbose=False, optionflags=FLAGS),
            )
            test = parser.get_doctest(
                block, scope, f"{page.name}, block {number}", None, 0
            )
            runner.run(test, clear_globs=False)
            scope = test.globs
            assert runner.summarize(verbose=False).failed == 0, number
        else:
            exec(compile(block, f"{page.name}, block {number}", "exec"), scope)  # noqa: S102


def test_there_are_examples_to_run():
    counts = {p.name: len(BLOCK.findall(p.read_text(encoding="utf-8"))) for p in PAGES}
    assert counts["README.md"] >= 3
    assert counts["gradients.md"] >= 5
    assert counts["train.md"] >= 2


def commands(page):
    """The commands of deepneuron that a page shows, without what the shell reads."""
    found = []
    for match in COMMAND.finditer(page.read_text(encoding="utf-8")):
        line = match[1] or f"{match[2]} {match[3]}"
        line = re.split(r"\s+[#|>]\s*|\s{3,}", line)[0]
        if line.split()[0] in OURS:
            found.append(line)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_of_a_page_are_understood(page):
    for line in commands(page):
        name, *arguments = shlex.split(line)
        try:
            cli.commands[name].make_context(name, arguments, parent=click.Context(cli))
        except click.ClickException as error:
            pytest.fail(f"{line!r}: {error.format_message()}")


def test_the_guide_shows_every_command_and_every_option_of_train():
    page = ROOT / "docs" / "train.md"
    assert {line.split()[0] for line in commands(page)} >= OURS - {"completion"}
    text = page.read_text(encoding="utf-8")
    options = {o for p in cli.commands["train"].params for o in p.opts if o[:2] == "--"}
    assert {o for o in options if o not in text} <= {"--overwrite"}
