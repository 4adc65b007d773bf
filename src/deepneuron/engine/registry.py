"""Every operation by its name: the one way in which the engine reaches operations.

`@op` files an operation here. Rules may name operations of files that stand after
theirs, and the engine, which knows no operation by sight, names the few that it needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deepneuron.engine.op import Op

registry: dict[str, Op] = {}
