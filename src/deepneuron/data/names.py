r"""Names of files and classes: in natural order, and fit to be written anywhere.

A file's name may hold bytes that are no text, and line breaks. A path keeps them, or
the file would not be found again; a name in a table or a sentence cannot.
"""

from __future__ import annotations

import os
import re
import unicodedata

_DIGITS = re.compile(r"([0-9]+)")
_LONGEST = 240


def printable(name: str | os.PathLike[str]) -> str:
    r"""The name as text that UTF-8 can hold: bytes that are no text become `\xff`.

    >>> printable("caf\udce9.png")
    'caf\\xe9.png'
    """
    text = os.fspath(name)
    try:
        return text.encode("utf-8", "surrogateescape").decode(
            "utf-8", "backslashreplace"
        )
    except UnicodeEncodeError:  # half of a UTF-16 pair, from Windows
        return text.encode("utf-8", "backslashreplace").decode("utf-8")


def shown(name: str | os.PathLike[str]) -> str:
    r"""The name as it stands in a sentence: printable, on one line, and not endless.

    >>> shown("a\nb.png")
    'a\\nb.png'
    """
    text = printable(name)
    if not text.isprintable():
        text = "".join(
            c if c.isprintable() else c.encode("unicode_escape").decode("ascii")
            for c in text
        )
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST // 2]}…{text[-_LONGEST // 2 :]}"
    return text


def class_name(name: str) -> str:
    r"""One spelling for each class: é is one character, on macOS as elsewhere (NFC).

    >>> class_name("e\u0301te\u0301") == "\xe9t\xe9"
    True
    """
    return unicodedata.normalize("NFC", printable(name))


def natural_key(name: str) -> tuple[list[str | tuple[int, str]], str]:
    """A key to sort by in which 2 comes before 10, the same in every country.

    >>> sorted(["b10", "b2", "B1", "a"], key=natural_key)
    ['a', 'B1', 'b2', 'b10']
    """
    parts: list[str | tuple[int, str]] = []
    # Text stands at even places and digits at odd ones, so like meets like.
    for place, part in enumerate(_DIGITS.split(name.casefold())):
        if place % 2:
            number = part.lstrip("0")
            parts.append((len(number), number))  # as int(part) would, at any length
        else:
            parts.append(part)
    return parts, name
