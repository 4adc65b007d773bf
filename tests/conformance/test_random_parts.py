"""Random losses, metrics and optimizers by themselves: the same numbers as in Keras.

The networks of test_random_networks.py contain all of them, but are slow to compile;
here each is called directly, on many more settings.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

import deepneuron as dn
from tests.conformance.random_parts import HEADS, Part, make, one_of, optimizers
from tests.peers import keras

# Compiling is slow, so a failure is shown as it was drawn, and not shrunk.
few = settings(
    phases=[Phase.generate],
    max_examples=30, derandomize=True, deadline=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
many = settings(few, max_examples=3000, derandomize=False)
SHAPES = [(4, 3), (5, 2), (4, 3, 2), (2, 2, 3, 2), (6, 1)]


def predictions(head: Any, rng: Any, shape: tuple[int, ...]) -> np.ndarray:
    """What a layer with the head's activation may say."""
    logits = rng.normal(size=shape).astype("float32")
    kind = head.activations[0]
    return np.asarray(getattr(dn.activations, kind)(logits))


def draw_problem(data: st.DataObject) -> tuple[Any, np.ndarray, np.ndarray, Any]:
    """(head, targets, predictions, weights or None)"""
    draw = data.draw
    name = draw(st.sampled_from(sorted(HEADS)))
    head = HEADS[name]
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    shape = draw(st.sampled_from([s for s in SHAPES if s[-1] >= head.units[0]]))
    y_true = head.targets(rng, shape)
    y_pred = predictions(head, rng, shape)
    weights = draw(st.sampled_from([None, None, (1,), (2,), "values"]))
    if weights is not None:
        axes = len(shape) - 1 if weights == "values" else weights[0]
        weights = rng.uniform(0, 2, shape[: max(1, axes)]).astype("float32")
    note(f"{name} {shape} weights {None if weights is None else weights.shape}")
    return head, y_true, y_pred, weights


def attempt(function: Any) -> tuple[Any, Exception | None]:
    try:
        return np.asarray(function()), None
    except Exception as error:  # noqa: BLE001 - compared by the caller
        return None, error


def agree(ours: Any, theirs: Any, what: str, tolerance: float = 2e-5) -> None:
    """Both answer the same; or Keras refuses."""
    (mine, our_error), (real, their_error) = attempt(ours), attempt(theirs)
    if their_error is not None:
        assert our_error is None or isinstance(our_error, (ValueError, TypeError)), what
        return
    assert our_error is None, f"only ours refuses {what}: {our_error!r}"
    assert mine.shape == real.shape, f"{what}: {mine.shape} != {real.shape}"
    scale = float(np.abs(real[np.isfinite(real)]).max(initial=1.0))
    np.testing.assert_allclose(
        mine, real, rtol=tolerance, atol=tolerance * scale, err_msg=what
    )


def check_loss(data: st.DataObject) -> None:
    head, y_true, y_pred, weights = draw_problem(data)
    choices = [x for x in head.losses if x not in ("crossentropy", "ce")]
    loss = data.draw(one_of(choices))
    if isinstance(loss, Part) and data.draw(st.booleans()):
        loss = Part(loss.path, {**loss.arguments, "reduction": "none"})

    def value(k: Any) -> Any:
        function = k.losses.get(make(k, loss))
        if isinstance(loss, str):
            return lambda: function(y_true, y_pred)
        return lambda: function(y_true, y_pred, sample_weight=weights)

    agree(value(dn), value(keras()), f"{loss} {y_pred.shape}")


def check_metric(data: st.DataObject) -> None:
    head, y_true, y_pred, weights = draw_problem(data)
    choices = [m for m in head.metrics if m not in ("accuracy", "acc")]
    metric = data.draw(one_of(choices))

    def value(k: Any) -> Any:
        one = make(k, metric)
        if isinstance(one, str):
            function = k.metrics.get(one)
            return lambda: function(y_true, y_pred)

        def twice() -> Any:
            one.update_state(y_true, y_pred, sample_weight=weights)
            one.update_state(y_true[:1], y_pred[:1])
            return one.result()

        return twice

    agree(value(dn), value(keras()), f"{metric} {y_pred.shape}")


def check_optimizer(data: st.DataObject) -> None:
    """Nine steps on two variables, compared after each."""
    part = data.draw(optimizers())
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    values = [rng.normal(size=s).astype("float32") for s in ((3, 2), (4,))]
    gradients = [
        [rng.normal(size=v.shape).astype("float32") for v in values] for _ in range(9)
    ]
    note(repr(part))
    sides = []
    for k in (dn, keras()):
        optimizer = make(k, part)
        variables = [k.Variable(v, name=f"v{i}") for i, v in enumerate(values)]
        if data.draw(st.booleans(), label="excluded") if not sides else sides[0][2]:
            optimizer.exclude_from_weight_decay(var_list=variables[:1])
            sides.append((optimizer, variables, True))
        else:
            sides.append((optimizer, variables, False))
    (ours, mine, _), (theirs, real, _) = sides
    for i, step in enumerate(gradients):
        ours.apply(step, mine)
        theirs.apply([keras().ops.convert_to_tensor(g) for g in step], real)
        agree(
            lambda: float(np.asarray(ours.learning_rate)),
            lambda: float(np.asarray(theirs.learning_rate)),
            f"rate of {part}, step {i}",
        )
        for a, b in zip(mine, real, strict=True):
            agree(a.numpy, lambda b=b: np.asarray(b), f"{part}, step {i}", 5e-5)
    names = [
        [v.name for v in side.variables if not v.name.startswith("variable")]
        for side in (ours, theirs)
    ]
    assert names[0] == names[1]
    for a, b in zip(ours.variables, theirs.variables, strict=True):
        agree(a.numpy, lambda b=b: np.asarray(b), f"{part}, {a.name}", 5e-5)
    for side, variables in ((ours, mine), (theirs, real)):
        side.finalize_variable_values(variables)
    for a, b in zip(mine, real, strict=True):
        agree(a.numpy, lambda b=b: np.asarray(b), f"{part}, finally", 5e-5)


CHECKS = {"losses": check_loss, "metrics": check_metric, "optimizers": check_optimizer}
each = pytest.mark.parametrize("what", CHECKS)
quiet = pytest.mark.filterwarnings("ignore")


@quiet
@each
@few
@given(data=st.data())
def test_random_parts_are_those_of_keras(what, data):
    CHECKS[what](data)


@pytest.mark.slow
@quiet
@each
@many
@given(data=st.data())
def test_many_random_parts_are_those_of_keras(what, data):
    CHECKS[what](data)
