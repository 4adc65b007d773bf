"""What was measured, as plain data."""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass
class Outcome:
    """One contestant on one case. Seconds, MB.

    Attributes:
        train, predict_1, predict_1024: a time for each round: of a step, of a call.
        first_step: building, compiling and the first step, in a fresh process.
        memory: the peak of the first 21 steps, over that after the import.
        first_loss, loss: with the initial weights, and after 20 steps.
        missing: why there is nothing, if there is not.
        asleep: the share of one core that it used during the others' turns.
    """

    train: list[float] = field(default_factory=list)
    predict_1: list[float] = field(default_factory=list)
    predict_1024: list[float] = field(default_factory=list)
    first_step: float | None = None
    memory: float | None = None
    first_loss: float | None = None
    loss: float | None = None
    missing: str = ""
    asleep: float = 0.0

    def median(self, what: str = "train") -> float | None:
        times = getattr(self, what)
        return statistics.median(times) if times else None

    def quarter(self) -> float | None:
        """The 25th percentile of the steps' times: the machine at its calmer."""
        if len(self.train) < 2:
            return self.median()
        return statistics.quantiles(self.train, n=4, method="inclusive")[0]


@dataclass
class Results:
    """Everything of one run: {case: {contestant: Outcome}} and its circumstances."""

    threads: int
    isa: str
    rounds: int
    ceiling: float = 0.0  # GFLOP/s
    machine: str = ""
    versions: str = ""
    outcomes: dict[str, dict[str, Outcome]] = field(default_factory=dict)
    imports: dict[str, float] = field(default_factory=dict)  # seconds over NumPy's
    sizes: dict[str, float] = field(default_factory=dict)  # MB

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Results:
        data = json.loads(path.read_text(encoding="utf-8"))
        data["outcomes"] = {
            case: {who: Outcome(**values) for who, values in row.items()}
            for case, row in data["outcomes"].items()
        }
        return cls(**data)
