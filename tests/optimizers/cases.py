"""Every optimizer with the options that are compared with Keras."""

from __future__ import annotations

from typing import Any

import numpy as np

CASES: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"learning_rate": 0.1, "weight_decay": 0.1}),
    ("RMSprop", {}),
    ("RMSprop", {"momentum": 0.5}),
    ("RMSprop", {"centered": True, "epsilon": 1e-2}),
    ("RMSprop", {"centered": True, "epsilon": 1e-2, "momentum": 0.5, "rho": 0.8}),
    ("Adam", {}),
    ("Adam", {"amsgrad": True, "beta_1": 0.8, "beta_2": 0.9}),
    ("Adam", {"weight_decay": 0.1}),
    ("AdamW", {}),
    ("AdamW", {"weight_decay": 0.2, "learning_rate": 0.05}),
    ("Adagrad", {}),
    ("Adagrad", {"initial_accumulator_value": 0.0, "epsilon": 1e-3}),
    ("Adadelta", {"learning_rate": 1.0}),
    ("Adamax", {}),
    ("Nadam", {}),
    ("Lion", {}),
    # What the base class does, with a rule that is quick to see through
    ("SGD", {"clipnorm": 0.5}),
    ("SGD", {"clipvalue": 0.1}),
    ("SGD", {"global_clipnorm": 0.5}),
    ("SGD", {"loss_scale_factor": 8.0}),
    ("SGD", {"learning_rate": 0.1, "use_ema": True, "ema_momentum": 0.8}),
    ("Adam", {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 3}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "gradient_accumulation_steps": 3}),
    ("Adam", {"gradient_accumulation_steps": 2, "clipnorm": 0.5, "weight_decay": 0.1}),
    ("Nadam", {"gradient_accumulation_steps": 2}),
    (
        "RMSprop",
        {
            "gradient_accumulation_steps": 2,
            "use_ema": True,
            "ema_overwrite_frequency": 2,
        },
    ),
]
IDS = [
    f"{name}-" + ",".join(f"{k}={v}" for k, v in options.items())
    for name, options in CASES
]
SHAPES = ((3, 4), (4,), (2, 2, 3), ())


def start(seed: int = 0) -> list[np.ndarray]:
    """Initial values of a few variables."""
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape).astype("float32") for shape in SHAPES]


def gradients(step: int) -> list[np.ndarray]:
    """Their gradients at one step; some are zero."""
    rng = np.random.default_rng(1000 + step)
    grads = [rng.normal(size=shape).astype("float32") for shape in SHAPES]
    grads[1][:2] = 0
    return grads


def close(ours: np.ndarray, theirs: np.ndarray, tolerance: float = 1e-6) -> None:
    """Equal to so many parts of the largest value."""
    scale = max(1.0, float(np.max(np.abs(theirs), initial=0)))
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance * scale)
