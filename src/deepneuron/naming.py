"""Names that nobody has chosen: "dense", "dense_1", "dense_2" ...

>>> to_snake_case("GlobalAveragePooling2D")
'global_average_pooling2d'
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

_given: Counter[str] = Counter()


def to_snake_case(name: str) -> str:
    """The class name in lower case, with underscores between its words."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def auto_name(prefix: str) -> str:
    """The prefix for the first that asks, then with a growing number behind it."""
    number = _given[prefix]
    _given[prefix] += 1
    return f"{prefix}_{number}" if number else prefix


def reset_names() -> None:
    """Begin again at the first name; `utils.clear_session` does this."""
    _given.clear()


@contextmanager
def fresh_names() -> Iterator[None]:
    """Within, names begin at the first; after it, they go on as if nothing had been.

    So a model that is made within has the same names whatever was made before.

    >>> with fresh_names():
    ...     auto_name("layer"), auto_name("layer")
    ('layer', 'layer_1')
    """
    before = _given.copy()
    _given.clear()
    try:
        yield
    finally:
        _given.clear()
        _given.update(before)
