"""Numbers and names as a reader meets them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, TypeGuard

from markupsafe import Markup, escape

_ISOLATE, _POP = "\u2068", "\u2069"  # what stands between them has its own direction
_DIRECTIONS = {*range(0x202A, 0x202F), 0x2066, 0x2067, 0x200E, 0x200F, 0x061C}
_LONGEST = 60  # characters of a name within a sentence
_PARTS = re.compile(r"(?<=[/\\_.-])(?=[^/\\_.-])")  # behind what separates
_NARROW = "\u202f"  # a narrow space that does not break


def plain(text: object) -> str:
    r"""The text with everything that cannot be seen, or be written as UTF-8, spelt out.

    Line breaks and control characters, lone surrogates (file names that are no UTF-8),
    and the characters that turn the direction of what follows them.

    >>> print(plain("a\nb"), plain("\ud800"))
    a\nb \ud800
    """
    return "".join(c if _visible(c) else _spelt(c) for c in str(text))


def _visible(c: str) -> bool:
    code = ord(c)
    control = code < 0x20 or 0x7F <= code < 0xA0 or code in {0x2028, 0x2029, 0xFEFF}
    nothing = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF  # no characters
    lone = 0xD800 <= code <= 0xDFFF
    return not (control or nothing or lone or code in _DIRECTIONS)


def _spelt(c: str) -> str:
    return c.encode("unicode_escape", "surrogatepass").decode("ascii")


def quoted(name: object) -> str:
    """The name in quotation marks, of whatever direction and length it is.

    >>> len(quoted("cat")) - len("cat")
    4
    """
    text = plain(name)
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST // 2]}…{text[-_LONGEST // 2 :]}"
    return f"“{_ISOLATE}{text}{_POP}”"


def named(name: object) -> Markup:
    """The name as HTML that keeps its own direction."""
    return Markup("<bdi>{}</bdi>").format(plain(name))


def path(name: object) -> Markup:
    """The name of a file as HTML, which may be broken where its parts end.

    >>> print(path("cats/holiday_1.png"))
    <bdi>cats/<wbr>holiday_<wbr>1.<wbr>png</bdi>
    """
    parts = _PARTS.split(plain(name))
    return Markup("<bdi>{}</bdi>").format(Markup("<wbr>").join(parts))


def in_code(sentence: str) -> Markup:
    """The sentence as HTML; what stands between `backticks` is code.

    >>> print(in_code("Try `--epochs 40` & see."))
    Try <code>--epochs 40</code> &amp; see.
    """
    parts = plain(sentence).split("`")
    if len(parts) % 2 == 0:  # one backtick too many: it is part of a name
        return escape("`".join(parts))
    code = Markup("<code>{}</code>")
    words = (code.format(part) if i % 2 else part for i, part in enumerate(parts))
    return Markup("").join(words)  # escapes what is not Markup yet


def is_number(value: Any) -> TypeGuard[float]:
    """Whether it is a finite number."""
    try:
        return not isinstance(value, (str, bool)) and math.isfinite(value)
    except TypeError:
        return False


def count(value: Any) -> str:
    """A whole number with its thousands apart.

    >>> count(60000)
    '60,000'
    """
    return f"{int(value):,}" if is_number(value) else "–"


def many(value: Any, noun: str, plural: str | None = None) -> str:
    """A number and what is counted.

    >>> many(1, "picture"), many(1200, "picture"), many(2, "class", "classes")
    ('1 picture', '1,200 pictures', '2 classes')
    """
    return f"{count(value)} {noun if value == 1 else plural or noun + 's'}"


def percent(value: Any, digits: int = 1) -> str:
    r"""A share as a percentage that says 0 or 100 only where that is exact.

    >>> percent(0.8624), percent(1.0), percent(0.99996), percent(None)
    ('86.2\u202f%', '100\u202f%', '99.996\u202f%', '–')
    >>> percent(2e-7), percent(1 - 2e-7)
    ('<\u202f0.01\u202f%', '>\u202f99.99\u202f%')
    """
    if not is_number(value):
        return "–"
    if 0 < value < 1e-4:
        return f"<{_NARROW}0.01{_NARROW}%"
    if 1 - 1e-6 < value < 1:  # four decimals would make it 100
        return f">{_NARROW}99.99{_NARROW}%"
    return f"{_hundredths(value, digits)}{_NARROW}%"


def _hundredths(value: float, digits: int) -> str:
    if value in {0, 1}:
        return f"{100 * value:.0f}"
    text = f"{100 * value:.{digits}f}"
    while digits < 4 and float(text) in {0, 100}:
        digits += 1
        text = f"{100 * value:.{digits}f}"
    return text


def between(interval: Sequence[Any], digits: int = 0) -> str:
    r"""From where to where a share may lie.

    >>> between([0.8393, 0.8827])
    'between 84 and 88\u202f%'
    """
    low, high = (_hundredths(bound, digits) for bound in interval)
    if low == high and digits < 3:
        return between(interval, digits + 1)
    return f"between {low} and {high}{_NARROW}%"


def points(difference: float) -> str:
    """The difference of two shares.

    >>> points(0.042), points(0.01)
    ('4 percentage points', '1 percentage point')
    """
    return many(round(100 * difference), "percentage point")


def figure(value: Any) -> str:
    """A number with as many digits as tell something.

    >>> figure(0.43218), figure(3e-4), figure(1234567), figure(12.0)
    ('0.432', '0.0003', '1,234,567', '12')
    """
    if not is_number(value):
        return "–"
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:.3g}"


def capitalised(sentence: str) -> str:
    """The sentence with a capital letter before it."""
    return sentence[:1].upper() + sentence[1:]


def as_sentence(words: str) -> str:
    """The words with a capital letter before and a full stop behind them."""
    return capitalised(words) + (
        "" if words.endswith((".", "!", "?")) or not words else "."
    )
