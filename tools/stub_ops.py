"""Writes `src/deepneuron/ops/__init__.pyi`: the operations as typed functions.

An operation is a class that `@op` replaces by what it does; type checkers and editors
do not see that. The stub tells them. Lint compares it with what this prints.

    python tools/stub_ops.py           write it
    python tools/stub_ops.py --check   exit with 1 if it is out of date
"""

from __future__ import annotations

import inspect
import sys
import types
from pathlib import Path

from deepneuron import ops
from deepneuron.engine.registry import registry

STUB = Path(__file__).resolve().parent.parent / "src/deepneuron/ops/__init__.pyi"
HEAD = """# The operations as typed functions; written by tools/stub_ops.py.

from typing import Any

"""
UPDATES = "deepneuron.ops.optimizer"
BETWEEN = """
# What optimizers do to a weight; ops/optimizer.py.
"""
TAIL = """
# Operations that are registered but not listed, such as one that you wrote.
def __getattr__(name: str) -> Any: ...
"""


def parameter(p: inspect.Parameter) -> str:
    """One parameter: its name, Any, and its default where that is a plain value."""
    star = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
    text = f"{star}{p.name}: Any"
    if p.default is p.empty:
        return text
    plain = isinstance(p.default, (bool, int, float, str, type(None)))
    default = repr(p.default).replace("'", '"') if plain else "..."
    return f"{text} = {default}"


def function(name: str) -> str:
    """`def name(...) -> Any: ...`"""
    parts: list[str] = []
    parameters = list(inspect.signature(getattr(ops, name)).parameters.values())
    keyword_only = False
    for p in parameters:
        if p.kind is p.KEYWORD_ONLY and not keyword_only:
            if all(q.kind is not q.VAR_POSITIONAL for q in parameters):
                parts.append("*")
            keyword_only = True
        parts.append(parameter(p))
    line = f"def {name}({', '.join(parts)}) -> Any: ..."
    if len(line) <= 88:
        return line
    line = f"    {', '.join(parts)}"
    if len(line) <= 88:
        return f"def {name}(\n{line}\n) -> Any: ..."
    inside = "".join(f"    {part},\n" for part in parts)
    return f"def {name}(\n{inside}) -> Any: ..."


def stub() -> str:
    """The whole file."""
    modules = [n for n in ops.__all__ if isinstance(getattr(ops, n), types.ModuleType)]
    functions = [n for n in ops.__all__ if n not in modules]
    updates = [n for n, op in registry.items() if type(op).__module__ == UPDATES]
    imports = "".join(f"from deepneuron.ops import {m} as {m}\n" for m in modules)
    body = "\n".join(map(function, functions))
    rest = "\n".join(f"{name}: Any" for name in sorted(updates))
    return f"{HEAD}{imports}\n{body}\n{BETWEEN}{rest}\n{TAIL}"


def main() -> int:
    """Write the stub, or compare it."""
    if "--check" in sys.argv:
        if STUB.exists() and STUB.read_text(encoding="utf-8") == stub():
            return 0
        print("ops/__init__.pyi is out of date: run python tools/stub_ops.py")
        return 1
    STUB.write_text(stub(), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
