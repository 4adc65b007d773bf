"""Names and numbers as they stand in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from deepneuron.data.names import shown


def quoted(name: str) -> str:
    r"""A name in quotation marks, on one line, whatever it consists of.

    >>> print(quoted("my cats"), quoted("two" + chr(10) + "lines"))
    "my cats" "two\nlines"
    """
    return f'"{shown(name)}"'


def listed(words: Sequence[str], most: int = 3) -> str:
    """Words in a row: the first few, and how many more there are.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    >>> listed(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    if len(words) > most:
        return f"{', '.join(words[:most])} and {len(words) - most:,} more"
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def counted(count: int, one: str, many: str = "") -> str:
    """A number with its noun.

    >>> counted(1, "picture"), counted(1200, "picture"), counted(2, "class", "classes")
    ('1 picture', '1,200 pictures', '2 classes')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def percent(share: float) -> str:
    """A share of one in hundredths, with one decimal where there is one.

    >>> percent(0.5), percent(0.985), percent(0.999)
    ('50%', '98.5%', '99.9%')
    """
    return f"{100 * share:.1f}".removesuffix(".0") + "%"
