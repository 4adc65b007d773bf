"""How large the house is: lines of code per package of src/deepneuron.

Blank lines, comments and docstrings do not count. Lint checks the format first, so no
line is saved by making one longer. Past its aim, a package is marked; growing is a
decision that the commit message explains, and no error.

    python tools/size.py
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections import Counter
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "src" / "deepneuron"
AIMS = {"engine": 1_500, "ops": 2_500}
IDLE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def code_lines(source: str) -> int:
    """The number of lines that hold code: no blanks, comments or docstrings."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in IDLE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        # A string that is a statement of its own: a docstring, or as good as one.
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            lines.difference_update(range(node.lineno, (node.end_lineno or 0) + 1))
    return len(lines)


def sizes(folder: Path) -> tuple[Counter[str], Counter[str]]:
    """Code lines and files of each package right below `folder`."""
    lines: Counter[str] = Counter()
    files: Counter[str] = Counter()
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).parts
        package = parts[0] if len(parts) > 1 else "(top)"
        lines[package] += code_lines(path.read_text(encoding="utf-8"))
        files[package] += 1
    return lines, files


def main() -> None:
    """Print the table, the largest package first."""
    lines, files = sizes(SOURCE)
    print(f"{'package':<16}{'files':>6}{'lines':>8}{'aim':>8}")
    for package, count in lines.most_common():
        aim = AIMS.get(package)
        note = "" if aim is None else f"{aim:>8,}" + ("  over" if count > aim else "")
        print(f"{package:<16}{files[package]:>6}{count:>8,}{note}")
    print(f"{'all':<16}{files.total():>6}{lines.total():>8,}")


if __name__ == "__main__":
    sys.exit(main())
