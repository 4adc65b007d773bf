"""Who takes part. Each trains in a process of its own; this table imports none."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np

from benchmarks.compare.cases import Case


class AbsentError(Exception):
    """This contestant cannot take part here; the message says why."""


class Learner(Protocol):
    """A network of one contestant, built with the weights of the task."""

    def ready(self, x: np.ndarray, y: np.ndarray) -> tuple[Any, Any]:
        """x and y in the contestant's own arrays and layout; not timed."""

    def fit(self, x: Any, y: Any) -> float:
        """One pass over the batches, in order; the loss (of one batch: that batch's)"""

    def predict(self, x: Any) -> np.ndarray:
        """The outputs for x, as one batch."""


class Contestant(NamedTuple):
    """One row of the table below.

    Attributes:
        key: how it is called on the command line.
        title: how it is called in tables.
        module: of this package; its `build(task, variant)` makes a Learner.
        variant: what is switched on.
        environment: variables that its process is started with.
        imports: the statement whose time is the contestant's import time.
        packages: the distributions that it is installed with.
        mlps_only: whether it cannot convolve.
    """

    key: str
    title: str
    module: str
    variant: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    imports: str = ""
    packages: tuple[str, ...] = ()
    mlps_only: bool = False

    @property
    def tuned(self) -> bool:
        return self.module == "torch" and bool(self.variant)

    def takes(self, case: Case) -> bool:
        """Whether this contestant has a meaning for the case."""
        if case.is_mlp:  # there are no channels that could stand last
            return "channels_last" not in self.variant
        plain = self.variant in {(), ("fused",)}
        tuned = plain or "channels_last" in self.variant
        return not self.mlps_only and (tuned or self.module != "torch")


def _ours(kernels: str, title: str) -> Contestant:
    return Contestant(
        f"ours-{kernels}",
        title,
        "ours",
        (kernels,),
        (("DEEPNEURON_KERNELS", kernels),),
        "from deepneuron import Sequential, layers, losses, optimizers",
        ("deepneuron-ai",),
    )


def _torch(*variant: str) -> Contestant:
    title = "PyTorch " + (" + ".join(variant).replace("_", " ") or "eager")
    key = "-".join(("torch", *(variant or ("eager",))))
    return Contestant(key, title, "torch", variant, (), "import torch", ("torch",))


def _keras(backend: str, title: str) -> Contestant:
    return Contestant(
        f"keras-{backend}",
        title,
        "keras",
        (),
        (("KERAS_BACKEND", backend),),
        "import keras",
        ("keras", backend),
    )


CONTESTANTS = (
    _ours("native", "deepneuron"),
    _ours("numpy", "deepneuron, NumPy kernels"),
    _torch(),
    _torch("fused"),
    _torch("fused", "compile"),
    _torch("fused", "bf16"),
    _torch("fused", "compile", "bf16"),
    _torch("fused", "channels_last"),
    _torch("fused", "channels_last", "compile"),
    _torch("fused", "channels_last", "bf16"),
    _torch("fused", "channels_last", "compile", "bf16"),
    Contestant("jax", "JAX", "jax", imports="import jax", packages=("jax",)),
    _keras("jax", "Keras on JAX"),
    _keras("torch", "Keras on PyTorch"),
    Contestant(
        "sklearn",
        "scikit-learn",
        "sklearn",
        imports="from sklearn.neural_network import MLPClassifier",
        packages=("scikit-learn",),
        mlps_only=True,
    ),
)


def named(key: str) -> list[Contestant]:
    """The contestant of that key, or those whose key begins with it ("torch")."""
    exact = [c for c in CONTESTANTS if c.key == key]
    return exact or [c for c in CONTESTANTS if c.key.startswith(f"{key}-")]
