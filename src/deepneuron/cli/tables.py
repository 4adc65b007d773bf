"""Tables: drawn on a terminal, plain lines in columns everywhere else."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click


def show_table(
    titles: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = ()
) -> None:
    """Print rows under their titles.

    Args:
        titles: of the columns.
        rows: a text for each column.
        right: titles of the columns whose texts end below one another, as numbers do.
    """
    if getattr(sys.stdout, "isatty", lambda: False)():
        _draw(titles, rows, right)
    else:
        for line in plain_lines(titles, rows, right):
            click.echo(line)


def plain_lines(
    titles: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = ()
) -> list[str]:
    """The table as lines of text.

    >>> for line in plain_lines(["a", "n"], [["x", "1"], ["yyy", "20"]], right=["n"]):
    ...     print(line)
    a     n
    x     1
    yyy  20
    """
    lines = [titles, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(
            text.rjust(width) if title in right else text.ljust(width)
            for text, title, width in zip(line, titles, widths, strict=True)
        ).rstrip()
        for line in lines
    ]


def _draw(
    titles: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str]
) -> None:
    from deepneuron.showing import import_rich

    import_rich()
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for title in titles:
        table.add_column(
            title, justify="right" if title in right else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(*map(Text, row))  # a Text: brackets in it mean nothing
    Console(highlight=False).print(table)
