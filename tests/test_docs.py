"""Documents that run: every example in README.md and docs/ is executed."""

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
)
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
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
                doctest.DocTestRunner(False, FLAGS),
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
