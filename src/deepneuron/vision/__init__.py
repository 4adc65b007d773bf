"""Pictures in, a classifier out. Everything is imported when it is first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deepneuron.vision.details import write_report
    from deepneuron.vision.evaluation import evaluate
    from deepneuron.vision.job import resume, train
    from deepneuron.vision.prediction import Prediction, predict
    from deepneuron.vision.run import Interrupted, Run

_NAMES = {
    "Interrupted": "run",
    "Prediction": "prediction",
    "Run": "run",
    "evaluate": "evaluation",
    "predict": "prediction",
    "resume": "job",
    "train": "job",
    "write_report": "details",
}

__all__ = [
    "Interrupted",
    "Prediction",
    "Run",
    "evaluate",
    "predict",
    "resume",
    "train",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_NAMES[name]}")
    return getattr(module, name)


def __dir__() -> list[str]:
    return __all__
