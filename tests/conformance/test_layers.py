"""Every layer that is registered, against real Keras, finite differences and itself."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import numpy as np
import pytest

import deepneuron as dn
from deepneuron import layers, ops, serialization
from deepneuron.engine.capture import Function
from deepneuron.engine.gradients import value_and_grad
from deepneuron.layers.layer import training_scope
from tests.conformance.layer_cases import CASES, LayerCase, double
from tests.peers import keras

pytestmark = [
    # Keras's own variables under NumPy 2.
    pytest.mark.filterwarnings("ignore:__array__ implementation"),
    # ... and what it thinks of an argument that is compared nevertheless.
    pytest.mark.filterwarnings("ignore:You passed `rms_scaling=True`"),
]

CLASSES = serialization.classes_of("keras.layers")
ALL = [
    pytest.param(name, case, id=f"{name}-{i}")
    for name, cases in CASES.items()
    for i, case in enumerate(cases)
]
CALLED = [p for p in ALL if not p.values[1].symbolic_only]
# In training only where it makes a difference, and where that is not left to chance:
# what is random is tested in tests/layers.
MODES = [
    pytest.param(*p.values, training, id=f"{p.id}-{'training' if training else 'rest'}")
    for p in CALLED
    for training in (False, True)
    if not training
    or (
        "training" in inspect.signature(CLASSES[p.values[0]].call).parameters
        and not p.values[1].random
    )
]


def make(name: str, case: LayerCase, dtype: str = "float32") -> Any:
    """Our layer, built, with random weights."""
    layer = CLASSES[name](**case.arguments, dtype=dtype, name="under_test")
    layer(case.pack(case.inputs(dtype)))
    rng = np.random.default_rng(1)
    layer.set_weights(
        [
            w if w.dtype.kind == "i" else rng.uniform(0.5, 1.5, w.shape).astype(dtype)
            for w in layer.get_weights()
        ]
    )
    return layer


def make_peer(name: str, case: LayerCase, ours: Any) -> Any:
    """Real Keras's layer with the same weights."""
    layer = getattr(keras().layers, name)(**case.arguments, name="under_test")
    layer(case.pack(case.inputs()))
    layer.set_weights(ours.get_weights())
    if name == "Normalization":  # it computes with copies
        layer.finalize_state()
    return layer


def assert_close(ours: Any, theirs: Any, tolerance: float = 1e-5) -> None:
    """Equal up to a part of the largest magnitude."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape
    largest = np.max(np.abs(theirs), initial=1e-30)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * largest)


def rounded(value: Any) -> Any:
    """A configuration as Keras has it, which rounds some of its numbers to float32."""
    if isinstance(value, float):
        return float(np.float32(value))
    if isinstance(value, dict):
        return {key: rounded(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(rounded, value))
    return value


def loss(layer: Any, case: LayerCase, xs: list[Any], r: Any, training: bool) -> Any:
    with training_scope(training):
        return ops.sum(layer(case.pack(xs)) * r)


# --- the form


def test_every_layer_has_a_case():
    assert sorted(CLASSES) == sorted(CASES)


def test_every_name_is_listed_and_known_to_keras():
    public = {name for name in vars(layers) if not name.startswith("_")}
    modules = {name for name in public if inspect.ismodule(getattr(layers, name))}
    assert set(layers.__all__) == public - modules - {"Any", "annotations"}
    ours_alone = {"DTypePolicy"}
    assert not [
        name
        for name in set(layers.__all__) - ours_alone
        if not hasattr(keras().layers, name)
    ]


@pytest.mark.parametrize("name", sorted(CASES))
def test_signature_is_that_of_keras(name: str):
    for method in ("__init__", "call"):
        ours = inspect.signature(getattr(CLASSES[name], method)).parameters
        theirs = inspect.signature(getattr(getattr(keras().layers, name), method))
        assert [(p.name, p.kind, p.default) for p in ours.values()] == [
            (p.name, p.kind, p.default) for p in theirs.parameters.values()
        ]


@pytest.mark.parametrize(
    "name", [n for n in layers.__all__ if n[0].islower() or n in ("InputSpec", "Input")]
)
def test_function_signature_is_that_of_keras(name: str):
    ours = inspect.signature(getattr(layers, name)).parameters
    theirs = inspect.signature(getattr(keras().layers, name)).parameters
    assert [(p.name, p.default) for p in ours.values()] == [
        (p.name, p.default) for p in theirs.values()
    ]


@pytest.mark.parametrize(("name", "case"), ALL)
def test_config_is_that_of_keras(name: str, case: LayerCase):
    ours = CLASSES[name](**case.arguments, name="under_test")
    theirs = getattr(keras().layers, name)(**case.arguments, name="under_test")
    if name == "Lambda":  # a function's module is written where Keras can import it
        return
    assert rounded(ours.get_config()) == rounded(theirs.get_config())
    if not case.symbolic_only:
        ours(case.pack(case.inputs()))
        theirs(case.pack(case.inputs()))
        assert rounded(ours.get_config()) == rounded(theirs.get_config())


@pytest.mark.parametrize(("name", "case"), ALL)
def test_config_goes_to_keras_and_back(name: str, case: LayerCase):
    ours = CLASSES[name](**case.arguments, name="under_test")
    if not case.symbolic_only:
        ours(case.pack(case.inputs()))
    known = {"double": double}
    with serialization.custom_object_scope(known):
        data = layers.serialize(ours)
        again = layers.deserialize(data)
        assert layers.serialize(again) == data
    with keras().utils.custom_object_scope(known):
        theirs = keras().layers.deserialize(copy.deepcopy(data))
        assert type(theirs).__name__ == name
        assert theirs.name == "under_test"
        returned = keras().layers.serialize(theirs)
    with serialization.custom_object_scope(known):
        back = layers.deserialize(returned)
        assert rounded(layers.serialize(back)["config"]) == rounded(data["config"])
    assert [w.shape for w in again.weights] == [w.shape for w in ours.weights]
    assert [w.shape for w in theirs.weights] == [w.shape for w in ours.weights]
    assert [w.shape for w in back.weights] == [w.shape for w in ours.weights]


@pytest.mark.parametrize(("name", "case"), CALLED)
def test_weights_are_those_of_keras(name: str, case: LayerCase):
    ours = make(name, case)
    theirs = make_peer(name, case, ours)
    for kind in ("weights", "trainable_weights", "non_trainable_weights"):
        assert [(w.name, w.shape, str(w.dtype)) for w in getattr(ours, kind)] == [
            (w.name, tuple(w.shape), str(w.dtype)) for w in getattr(theirs, kind)
        ]
    ours.set_weights(theirs.get_weights())


# --- the numbers


@pytest.mark.parametrize(("name", "case", "training"), MODES)
def test_output_is_that_of_keras(name: str, case: LayerCase, training: bool):
    ours = make(name, case)
    theirs = make_peer(name, case, ours)
    x = case.inputs(seed=2)
    takes = "training" in inspect.signature(theirs.call).parameters
    y_theirs = theirs(case.pack(x), **({"training": training} if takes else {}))
    with training_scope(training):
        y = ours(case.pack(x))
    assert y.dtype == str(y_theirs.dtype)
    assert_close(y, y_theirs)
    for w, v in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert_close(w, v)  # moving statistics
    for mine, real in zip(ours.losses, theirs.losses, strict=True):
        assert_close(mine, real)


@pytest.mark.parametrize(("name", "case"), CALLED)
def test_output_shape_is_that_of_keras(name: str, case: LayerCase):
    ours = make(name, case)
    theirs = make_peer(name, case, ours)
    shapes = [(None, *s[1:]) for s in case.shapes]
    expected = theirs(
        case.pack([keras().Input(batch_shape=s, dtype="float32") for s in shapes])
    ).shape
    dtype = "int32" if case.integers is not None else "float32"
    inputs = [dn.Input(batch_shape=s, dtype=dtype) for s in shapes]
    y = ours(case.pack(inputs))
    assert y.shape == expected
    assert y.dtype == "float32"
    packed = shapes if case.listed else shapes[0]
    assert tuple(ours.compute_output_shape(packed)) == expected
    fresh = CLASSES[name](**case.arguments)
    assert fresh(case.pack(inputs)).shape == expected


@pytest.mark.parametrize(("name", "case", "training"), MODES)
def test_planned_equals_eager(name: str, case: LayerCase, training: bool):
    layer = make(name, case)
    x = case.inputs(seed=3)
    start = layer.get_weights()
    with training_scope(training):
        expected = layer(case.pack(x))
    moved = layer.get_weights()
    layer.set_weights(start)
    r = np.random.default_rng(5).normal(size=expected.shape).astype("float32")

    def step(*xs: Any) -> Any:
        wrt = list(layer.trainable_weights)
        with training_scope(training):
            y = layer(case.pack(list(xs)))
        return y, dn.gradients(ops.sum(y * r), wrt) if wrt else []

    planned, grads = Function(step)(*x)
    np.testing.assert_allclose(planned, expected, rtol=1e-6, atol=1e-6)
    for w, v in zip(layer.get_weights(), moved, strict=True):
        np.testing.assert_allclose(w, v, rtol=1e-6)
    layer.set_weights(start)
    if layer.trainable_weights:
        _, eager = value_and_grad(
            lambda: loss(layer, case, x, r, training), layer.trainable_weights
        )
        for g, e in zip(grads, eager, strict=True):
            assert_close(g, e)


# --- the gradients


def gradients_of(
    layer: Any, case: LayerCase, xs: list[np.ndarray], r: np.ndarray, training: bool
) -> tuple[list[Any], list[Any]]:
    """Of sum(y * r), with respect to the inputs and to the weights."""
    start = layer.get_weights()
    dxs: list[Any] = []
    if case.integers is None:
        _, dxs = value_and_grad(lambda *v: loss(layer, case, list(v), r, training), xs)
        layer.set_weights(start)
    dws: list[Any] = []
    if layer.trainable_weights:
        _, dws = value_and_grad(
            lambda: loss(layer, case, xs, r, training), layer.trainable_weights
        )
        layer.set_weights(start)
    return dxs, dws


@pytest.mark.parametrize(("name", "case", "training"), MODES)
def test_gradient_is_that_of_finite_differences(
    name: str, case: LayerCase, training: bool
):
    layer = make(name, case, "float64")
    xs = case.inputs("float64", seed=4)
    start = layer.get_weights()
    y = layer(case.pack(xs))
    assert y.dtype == "float64"
    rng = np.random.default_rng(6)
    r = rng.normal(size=y.shape)
    dxs, dws = gradients_of(layer, case, xs, r, training)

    def value() -> float:
        result = float(loss(layer, case, xs, r, training))
        for w, v in zip(layer.non_trainable_weights, frozen, strict=True):
            w.assign(v)
        return result

    frozen = [w.numpy() for w in layer.non_trainable_weights]
    places = [
        *zip(xs, dxs, strict=bool(dxs)),
        *((w.array, d) for w, d in zip(layer.trainable_weights, dws, strict=True)),
    ]
    step = 1e-5
    for array, exact in places:
        numeric = np.zeros_like(array)
        for i in np.ndindex(array.shape):
            kept = array[i]
            array[i] = kept + step
            above = value()
            array[i] = kept - step
            below = value()
            array[i] = kept
            numeric[i] = (above - below) / (2 * step)
        assert exact.dtype == "float64"
        error = np.linalg.norm(exact - numeric)
        scale = max(np.linalg.norm(numeric), 1e-3)
        assert error <= 1e-6 * scale, (error, scale)
    layer.set_weights(start)


@pytest.mark.parametrize(("name", "case", "training"), MODES)
def test_gradient_is_that_of_jax(name: str, case: LayerCase, training: bool):
    import jax

    ours = make(name, case)
    theirs = make_peer(name, case, ours)
    xs = case.inputs(seed=4)
    r = (
        np.random.default_rng(6)
        .normal(size=ours(case.pack(xs)).shape)
        .astype("float32")
    )
    dxs, dws = gradients_of(ours, case, xs, r, training)
    takes = "training" in inspect.signature(theirs.call).parameters
    kwargs = {"training": training} if takes else {}

    def peer_loss(weights: Any, inputs: Any) -> Any:
        state = [v.value for v in theirs.non_trainable_variables]
        y, _ = theirs.stateless_call(weights, state, case.pack(inputs), **kwargs)
        return (y * r).sum()

    weights = [v.value for v in theirs.trainable_variables]
    expected_w = jax.grad(peer_loss)(weights, xs)
    for ours_w, w in zip(dws, expected_w, strict=True):
        assert_close(ours_w, w, 2e-5)
    if dxs:
        expected_x = jax.grad(peer_loss, argnums=1)(weights, xs)
        for ours_x, x in zip(dxs, expected_x, strict=True):
            # Where a normalisation cancels, both are noise of this size.
            assert_close(ours_x, x, 2e-5)


# --- the edges


@pytest.mark.parametrize(("name", "case"), CALLED)
def test_empty_batch(name: str, case: LayerCase):
    layer = make(name, case)
    full = layer(case.pack(case.inputs()))
    xs = [x[:0] for x in case.inputs()]
    y = layer(case.pack(xs))
    assert y.shape == (0, *full.shape[1:])
    planned = Function(lambda *v: layer(case.pack(list(v))))(*xs)
    assert planned.shape == y.shape


@pytest.mark.parametrize(("name", "case"), CALLED)
def test_does_not_write_on_its_input(name: str, case: LayerCase):
    layer = make(name, case)
    xs = case.inputs()
    kept = [x.copy() for x in xs]
    with training_scope(True):
        layer(case.pack(xs))
    for x, before in zip(xs, kept, strict=True):
        np.testing.assert_array_equal(x, before)
