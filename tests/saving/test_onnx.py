"""What is exported to ONNX gives in onnxruntime what the model gives here."""

from __future__ import annotations

import importlib
import json
import math
import subprocess
import sys
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import deepneuron as dn
from deepneuron import layers, ops, serialization
from deepneuron.engine.registry import registry
from deepneuron.errors import ArgumentError, NotBuiltError, SavingError
from deepneuron.layers import InputSpec
from deepneuron.saving import export_onnx
from deepneuron.saving import onnx_check as checking
from deepneuron.saving.onnx_check import difference, largest_difference, session
from deepneuron.saving.onnx_rules import RULES
from tests.conformance import test_random_networks as networks
from tests.conformance.layer_cases import CASES, LayerCase

CLASSES = serialization.classes_of("keras.layers")
ALL = [
    pytest.param(name, case, id=f"{name}-{i}")
    for name, cases in CASES.items()
    for i, case in enumerate(cases)
    if not case.symbolic_only
]


@pytest.fixture
def exported(tmp_path):
    """Exports a model: (the ONNX model, a function that onnxruntime computes)."""

    def export(model: Any, **options: Any) -> tuple[Any, Any]:
        path = tmp_path / "model.onnx"
        export_onnx(model, path, **options)
        data = path.read_bytes()
        return onnx.load_from_string(data), session(data)

    return export


def kinds(proto: Any) -> list[str]:
    return [node.op_type for node in proto.graph.node]


def weights(proto: Any) -> set[str]:
    return {weight.name for weight in proto.graph.initializer}


def randomised(model: Any, seed: int = 1) -> Any:
    """The model with random weights; variances are positive."""
    rng = np.random.default_rng(seed)
    model.set_weights(
        [
            w if w.dtype.kind in "iu" else rng.uniform(0.1, 1, w.shape).astype(w.dtype)
            for w in model.get_weights()
        ]
    )
    return model


def predicted(model: Any, xs: list[np.ndarray]) -> list[np.ndarray]:
    y = model.predict(xs if len(xs) > 1 else xs[0], verbose=0)
    return [y] if isinstance(y, np.ndarray) else list(y)


def assert_agrees(model: Any, run: Any, xs: list[np.ndarray]) -> None:
    assert largest_difference(run(xs), predicted(model, xs)) < 1e-5


def assert_agrees_up_to_rounding(model: Any, run: Any, xs: list[np.ndarray]) -> None:
    """As above; but exp(exp(x)) may magnify what the last bits of x are."""
    ys = predicted(model, xs)
    shaken = [x * np.float32(1 + 2**-21) if x.dtype.kind == "f" else x for x in xs]
    moved = largest_difference(predicted(model, shaken), ys)
    if not moved > 1e-2:  # nothing can be said of chaos
        assert largest_difference(run(xs), ys) < 1e-5 + 30 * moved


def sample(shape: Any, dtype: str = "float32", seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if "int" in dtype:
        return rng.integers(0, 7, shape).astype(dtype)
    return rng.normal(size=shape).astype(dtype)


def of(shape: Any, function: Any, **kwargs: Any) -> Any:
    """A model of one Lambda layer."""
    x = dn.Input(shape, **kwargs)
    return dn.Model(x, layers.Lambda(function)(x))


# --- every layer


@pytest.mark.parametrize(("name", "case"), ALL)
def test_every_layer_is_exported(name: str, case: LayerCase, exported):
    dtype = "int32" if case.integers else "float32"
    xs = [dn.Input(shape[1:], dtype=dtype) for shape in case.shapes]
    layer = CLASSES[name](**case.arguments)
    model = randomised(dn.Model(case.pack(xs), layer(case.pack(xs))))
    _, run = exported(model)
    for batch in (1, 2, 5):
        shapes = [(batch, *shape[1:]) for shape in case.shapes]
        arrays = [sample(shape, dtype, batch + i) for i, shape in enumerate(shapes)]
        assert_agrees(model, run, arrays)


# Every operation's own cases. What writes into arrays is refused; a key of arrays is
# exported for one axis (tested below); the inputs of a model have axes.
OPERATIONS = [
    pytest.param(name, i, id=f"{name}-{i}")
    for name in sorted(RULES)
    if not name.startswith(("setitem", "scatter", "getitem_at"))
    for i, case in enumerate(registry[name].cases)
    if all(x.ndim for x in case.arrays())
]


@pytest.mark.parametrize(("name", "index"), OPERATIONS)
def test_every_operation_is_exported(name: str, index: int, exported):
    op = registry[name]
    case = op.cases[index]
    arrays = [np.asarray(x) for x in case.arrays()]
    arrays = [x.astype("float32") if x.dtype == "float64" else x for x in arrays]
    inputs = [dn.Input(batch_shape=x.shape, dtype=x.dtype.name) for x in arrays]

    class Applied(layers.Layer):
        def call(self, xs):
            y = op(*xs, **case.attrs)
            return y[0] if isinstance(y, tuple) else y

    layer = Applied(dtype="float32", autocast=False)
    model = dn.Model(inputs, layer(inputs))
    _, run = exported(model, check=False)
    (y,) = run(arrays)
    assert difference(y, np.asarray(model(arrays, training=False))) < 1e-5


# --- random networks


class Ours(networks.Both):
    """A network that grows in deepneuron alone."""

    def __init__(self) -> None:
        self.network = networks.Network()
        self.ours = self.theirs = networks.Built(dn)

    def add_input(self, x: Any) -> None:
        self.network.inputs.append(x)
        self.ours.add_input(x)

    def try_step(self, step: Any) -> bool:
        made, error = networks.attempt(self.ours, step)
        if error is not None:
            return False
        if math.prod(n or 1 for n in made[1].shape) not in range(1, 400):
            return False
        self.ours.add(*made)
        self.network.steps.append(step)
        return True


def check_random_network(data: st.DataObject, patch: Any, exported: Any) -> None:
    patch.setattr(networks, "Both", Ours)
    both = networks.draw_network(data)
    last = len(both.ours.tensors) - 1
    if not both.network.steps:
        return
    model = randomised(both.ours.model([last, last - 1] if last > 2 else [last]))
    given = [
        sample([5, *(n or 64 for n in x.shape[1:])], x.dtype) for x in model.inputs
    ]
    try:
        model.predict(given if len(given) > 1 else given[0], verbose=0)
    except ValueError:  # it fits no pictures of equal sizes
        return
    _, run = exported(
        model,
        examples=lambda n: [x[:n] for x in given] if len(given) > 1 else given[0][:n],
    )
    for batch in (1, 2, 5):
        assert_agrees_up_to_rounding(model, run, [x[:batch] for x in given])


few = settings(
    phases=[Phase.generate], max_examples=30, derandomize=True, deadline=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@few
@given(st.data())
def test_random_networks_are_exported(monkeypatch, exported, data):
    check_random_network(data, monkeypatch, exported)


@pytest.mark.slow
@settings(few, max_examples=1000, derandomize=False)
@given(st.data())
def test_many_random_networks_are_exported(monkeypatch, exported, data):
    check_random_network(data, monkeypatch, exported)


# --- forms of models


def test_a_picture_network_has_a_small_and_named_graph(exported):
    model = dn.Sequential(
        [
            dn.Input((12, 12, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3, padding="same", activation="relu", name="first"),
            layers.MaxPooling2D(),
            layers.Conv2D(6, 3, name="second"),
            layers.Activation("relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, activation="softmax", name="classes"),
        ],
        name="net",
    )
    proto, run = exported(randomised(model))
    assert kinds(proto) == [
        "Mul", "Add", "Transpose", "Conv", "Relu", "MaxPool", "Conv", "Relu",
        "ReduceMean", "Gemm", "Softmax",
    ]  # fmt: skip
    assert {v.path for v in model.variables} <= weights(proto)
    names = [node.name for node in proto.graph.node]
    assert {"net/first/Conv", "net/classes/Gemm", "net/classes/Softmax"} <= set(names)
    (x,), (y,) = proto.graph.input, proto.graph.output
    assert (x.name, y.name) == (model.input_names[0], "classes")
    dims = [d.dim_param or d.dim_value for d in x.type.tensor_type.shape.dim]
    assert dims == ["batch", 12, 12, 1]
    pixels = np.random.default_rng(0).integers(0, 256, (4, 12, 12, 1))
    assert_agrees(model, run, [pixels.astype("float32")])


def test_pictures_with_channels_first_need_no_transpose(exported):
    first = {"data_format": "channels_first"}
    model = dn.Sequential(
        [
            dn.Input((2, 8, 8)),
            layers.Conv2D(4, 3, **first),
            layers.MaxPooling2D(**first),
            layers.UpSampling2D((2, 3), **first),
        ]
    )
    proto, run = exported(model)
    assert kinds(proto) == ["Conv", "MaxPool", "Resize"]
    assert_agrees(model, run, [sample((2, 2, 8, 8))])


def test_a_residual_network_transposes_once(exported):
    x = dn.Input((8, 8, 3))
    y = layers.Conv2D(4, 3, padding="same")(x)
    for _ in range(2):
        z = layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same")(y))
        y = layers.ReLU()(layers.Add()([y, z]))
    y = layers.Concatenate()([y, y])
    model = dn.Model(x, layers.Flatten()(layers.GlobalMaxPooling2D()(y)))
    proto, run = exported(randomised(model))
    assert kinds(proto).count("Transpose") == 1
    assert_agrees(model, run, [sample((2, 8, 8, 3))])


def test_lines_are_convolved_as_lines(exported):
    model = dn.Sequential(
        [
            dn.Input((9, 3)),
            layers.Conv1D(4, 3, padding="causal", activation="relu"),
            layers.Conv1D(2, 3, strides=2),
            layers.Flatten(),
        ]
    )
    proto, run = exported(model)
    expected = ["Pad", "Transpose", "Conv", "Relu", "Conv", "Transpose", "Flatten"]
    assert kinds(proto) == expected
    assert_agrees(model, run, [sample((2, 9, 3))])


def test_depthwise_convolutions_are_convolutions_in_groups(exported):
    x = dn.Input((8, 8, 3))
    shared = layers.DepthwiseConv2D(3, padding="same", name="shared")
    y = layers.ReLU()(shared(shared(x)))
    y = layers.DepthwiseConv2D(2, strides=2, depth_multiplier=2)(y)
    y = layers.SeparableConv2D(5, 3, padding="same", dilation_rate=2)(y)
    model = dn.Model(x, layers.Flatten()(layers.GlobalMaxPooling2D()(y)))
    proto, run = exported(randomised(model))
    assert kinds(proto)[:4] == ["Transpose", "Conv", "Conv", "Relu"]
    assert kinds(proto).count("Conv") == 5
    assert "shared/kernel" in weights(proto)
    assert len(weights(proto) & {"shared/kernel", "shared/kernel_1"}) == 1
    assert_agrees(model, run, [sample((2, 8, 8, 3))])


def test_depthwise_convolutions_of_lines_are_exported(exported):
    model = dn.Sequential(
        [
            dn.Input((9, 3)),
            layers.DepthwiseConv1D(3, depth_multiplier=2),
            layers.SeparableConv1D(4, 2, strides=2, padding="same"),
        ]
    )
    proto, run = exported(randomised(model))
    assert kinds(proto) == ["Transpose", "Conv", "Conv", "Conv", "Transpose"]
    assert_agrees(model, run, [sample((2, 9, 3))])


def test_several_inputs_and_outputs_keep_their_order_and_names(exported):
    a, b = dn.Input((3,), name="a"), dn.Input((4,), dtype="int32", name="b")
    table = layers.Embedding(7, 2)(b)
    both = layers.Concatenate(name="both")([layers.Flatten()(table), a])
    model = dn.Model([b, a], [a, layers.Dense(2, name="end")(both), both])
    proto, run = exported(model)
    assert [x.name for x in proto.graph.input] == ["b", "a"]
    assert [y.name for y in proto.graph.output] == ["a_1", "end", "both"]
    assert_agrees(model, run, [sample((2, 4), "int32"), sample((2, 3))])


def test_a_model_in_half_precision_is_exported(exported):
    layer = layers.Conv2D(4, 3, dtype="float16")
    x = dn.Input((6, 6, 2))
    model = dn.Model(x, layers.Flatten(dtype="float16")(layer(x)))
    _, run = exported(model)
    x = sample((2, 6, 6, 2))
    (y,) = run([x])
    assert y.dtype == "float16"
    assert difference(y, np.asarray(model(x))) < 1e-2


def test_a_shared_layer_has_its_weights_once(exported):
    x, y = dn.Input((3,)), dn.Input((3,))
    shared = layers.Dense(3, name="shared", bias_initializer="ones")
    model = dn.Model([x, y], layers.Add()([shared(shared(x)), shared(y)]))
    proto, run = exported(model)
    assert weights(proto) == {"shared/kernel", "shared/bias"}
    assert kinds(proto) == ["Gemm", "Gemm", "Gemm", "Add"]
    assert_agrees(model, run, [sample((2, 3)), sample((2, 3), seed=1)])


def test_a_shared_convolution_has_its_weights_once(exported):
    x = dn.Input((6, 6, 2))
    shared = layers.Conv2D(2, 3, padding="same", bias_initializer="ones", name="shared")
    model = dn.Model(x, shared(shared(x)))
    proto, run = exported(model)
    assert len(weights(proto)) == 2
    assert_agrees(model, run, [sample((2, 6, 6, 2))])


def test_a_number_may_be_the_bias_of_layers_of_different_widths(exported):
    more = layers.Lambda(lambda x: x + 0.5)
    x = dn.Input((5, 5, 2))
    y = more(layers.Conv2D(3, 2, use_bias=False)(x))
    y = more(layers.Conv2D(4, 2, use_bias=False)(y))
    y = more(layers.Dense(6, use_bias=False)(layers.Flatten()(y)))
    model = dn.Model(x, more(layers.Dense(1, use_bias=False)(y)))
    proto, run = exported(model)
    assert "Add" not in kinds(proto)
    assert_agrees(model, run, [sample((2, 5, 5, 2))])


def test_a_model_within_a_model_is_exported(exported):
    inner = dn.Sequential([dn.Input((4,)), layers.Dense(3, "tanh")], name="inner")
    x = dn.Input((4,))
    model = dn.Model(x, layers.Dense(2)(inner(x)), name="outer")
    proto, run = exported(model)
    assert proto.graph.node[0].name.startswith("outer/inner/dense")
    assert_agrees(model, run, [sample((2, 4))])


class Recurrent(dn.Model):
    """Subclassed, with a loop, and a state in the size of the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = layers.Dense(5, activation="tanh")

    def call(self, x, training=False):
        h = ops.zeros((x.shape[0], 5))
        for t in range(x.shape[1]):
            h = self.mix(ops.concatenate([x[:, t], h], axis=-1))
        return {"last": h, "mean": ops.sum(h, axis=0) / x.shape[0]}


def test_a_subclassed_model_is_exported_once_it_was_called(exported, tmp_path):
    model = Recurrent()
    with pytest.raises(NotBuiltError, match="not been called yet"):
        export_onnx(model, tmp_path / "model.onnx")
    model(sample((3, 4, 2)))
    proto, run = exported(model)
    for batch in (1, 2, 5):
        x = sample((batch, 4, 2))
        last, mean = run([x])
        y = model(x)
        assert difference(last, y["last"]) < 1e-5
        assert difference(mean, y["mean"]) < 1e-5
    assert proto.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"


def test_a_signature_tells_the_shapes(exported):
    model = Recurrent()
    model(sample((3, 4, 2)))
    _, run = exported(model, input_signature=[InputSpec(shape=(None, 6, 2))])
    assert run([sample((2, 6, 2))])[0].shape == (2, 5)
    x = dn.Input((None, None, 1))
    pictures = dn.Model(x, layers.Conv2D(2, 3)(x))
    fixed, _ = exported(
        pictures, input_signature=[InputSpec(shape=(1, 9, 9, 1), dtype="float32")]
    )
    dims = fixed.graph.output[0].type.tensor_type.shape.dim
    assert [d.dim_value for d in dims] == [1, 7, 7, 2]
    with pytest.raises(ArgumentError, match="1 inputs; input_signature describes 2"):
        exported(pictures, input_signature=[sample((1, 2)), sample((1, 2))])


def test_pictures_of_any_size(exported):
    x = dn.Input((None, None, 3))
    y = layers.Conv2D(4, 3, strides=2, padding="same")(x)
    y = layers.MaxPooling2D(padding="same")(y)
    y = layers.UpSampling2D(2)(y)
    y = layers.Cropping2D(((1, 0), (0, 2)))(layers.ZeroPadding2D(1)(y))
    y = layers.Conv2D(2, 2, dilation_rate=2, padding="same")(y)
    model = dn.Model(x, [y, layers.Reshape((-1, 2))(y)])
    proto, run = exported(model)
    names = [d.dim_param for d in proto.graph.input[0].type.tensor_type.shape.dim]
    assert len(set(names)) == 4
    for shape in ((1, 9, 14, 3), (2, 16, 7, 3), (3, 33, 20, 3)):
        assert_agrees(model, run, [sample(shape)])


def test_sentences_of_any_length_that_must_be_equally_long(exported):
    a, b = dn.Input((None, 3)), dn.Input((None, 3))
    model = dn.Model([a, b], layers.Dense(2)(layers.Multiply()([a, b])))
    _, run = exported(model)
    for length in (1, 7):
        assert_agrees(model, run, [sample((2, length, 3)), sample((2, length, 3))])


def test_inputs_of_other_types(exported):
    for dtype in ("uint8", "int32", "float64", "bool"):
        x = dn.Input((4,), dtype=dtype)
        wide = "float64" if dtype == "float64" else "float32"
        y = layers.Rescaling(0.5, 1.0, dtype=wide)(x)
        model = dn.Model(x, layers.Dense(2, dtype=wide)(y))
        _, run = exported(model)
        given = sample((3, 4), "int32").astype(dtype)
        assert difference(run([given])[0], np.asarray(model(given))) < 1e-6


# --- operations that layers of one's own use


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x[::-1, 1:-1],
        lambda x: x[..., None, -1],
        lambda x: x[-1:, ::2],
        lambda x: x[:2],
        lambda x: ops.take(x, [0, -1], axis=1),
        lambda x: x[:, np.array([[2, -1], [0, 0]])],
        lambda x: ops.top_k(x, 2)[0],
        lambda x: ops.one_hot(ops.argmax(x, axis=-1), 6),
        lambda x: ops.mod(x, 0.3) + ops.floor_divide(x, 0.3) + ops.round(x, 1),
        lambda x: ops.cast(ops.any(x > 1, axis=0), "int32"),
        lambda x: ops.logsumexp(x, axis=1) + ops.norm(x, axis=1),
        lambda x: ops.softmax(ops.reshape(x, (-1, 2, 3)), axis=(1, 2)),
        lambda x: ops.matmul(ops.transpose(x), x),
        lambda x: ops.matmul(x, ops.transpose(x)),
        lambda x: ops.broadcast_to(x[:, None], (x.shape[0], 3, 6)),
        lambda x: ops.tile(ops.pad(x, ((0, 0), (1, 2)), "reflect"), (1, 2)),
        lambda x: ops.var(x) + ops.prod(x, axis=1),
        lambda x: ops.sparsemax(x) + ops.sparse_plus(x),
        lambda x: ops.image.resize(ops.reshape(x, (-1, 2, 3, 1)), (4, 4)),
        lambda x: ops.max_pool(x[..., None], 2, padding="same"),
        lambda x: ops.average_pool(x[..., None], 3, 2, padding="same"),
        lambda x: ops.where(ops.isfinite(ops.log(x)), ops.log(ops.abs(x)), 0.0),
        lambda x: ops.einsum("ij,kj->ik", x, x),
        lambda x: ops.sum(x, axis=0) / x.shape[0],
        lambda x: x // 2 + ops.cast(ops.cast(x * 3, "int32") // 2, "float32"),
    ],
)  # fmt: skip
def test_functions_of_operations_are_exported(function, exported):
    class Mine(dn.Model):
        def call(self, inputs):
            return function(inputs)

    model = Mine()
    model(sample((3, 6)))
    _, run = exported(model)
    for batch in (2, 5):
        x = sample((batch, 6), seed=batch)
        assert difference(run([x])[0], np.asarray(model(x))) < 1e-5


# --- the file


def test_the_file_explains_itself(exported):
    model = dn.Sequential([dn.Input((4,)), layers.Dense(2)], name="pets")
    names = ["Katze", "日本", 'a "dog"\n']
    proto, _ = exported(model, class_names=names, metadata={"pixels": "0 to 255"})
    told = {prop.key: prop.value for prop in proto.metadata_props}
    assert json.loads(told.pop("class_names")) == names
    assert told == {"model": "pets", "pixels": "0 to 255"}
    assert proto.producer_name == "deepneuron"
    assert proto.producer_version == dn.__version__
    assert proto.graph.name == "pets"


@pytest.mark.parametrize("opset", range(17, 23))
def test_every_opset_is_written(opset, exported):
    model = dn.Sequential(
        [
            dn.Input((6, 6, 2)),
            layers.ZeroPadding2D(),
            layers.Conv2D(3, 3, activation="elu"),
            layers.UpSampling2D(),
            layers.AveragePooling2D(2, padding="same"),
            layers.GlobalMaxPooling2D(),
            layers.LayerNormalization(),
            layers.Softmax(),
        ]
    )
    proto, run = exported(model, opset_version=opset)
    assert proto.opset_import[0].version == opset
    assert proto.ir_version <= 10
    assert_agrees(model, run, [sample((2, 6, 6, 2))])


def test_what_opsets_there_are_is_said(tmp_path):
    model = dn.Sequential([dn.Input((4,)), layers.Dense(2)])
    with pytest.raises(ArgumentError, match="from 17 to 22; received 9"):
        export_onnx(model, tmp_path / "model.onnx", opset_version=9)


def test_the_same_model_gives_the_same_bytes(tmp_path):
    model = dn.Sequential([dn.Input((4,)), layers.Dense(2), layers.Softmax()])
    for name in ("a", "b"):
        export_onnx(model, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_exporting_changes_no_weight_and_no_state(tmp_path):
    model = dn.Sequential(
        [dn.Input((4,)), layers.BatchNormalization(), layers.Dropout(0.5)]
    )
    before = [w.copy() for w in model.get_weights()]
    export_onnx(model, tmp_path / "model.onnx")
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


# --- what cannot be exported


@pytest.fixture
def refused(tmp_path):
    """Exports a model that cannot be: the error's sentence. Nothing is written."""
    path = tmp_path / "model.onnx"
    path.write_bytes(b"an older file")

    def export(model: Any, **options: Any) -> str:
        with pytest.raises(SavingError) as caught:
            export_onnx(model, path, **options)
        assert path.read_bytes() == b"an older file"
        assert [p.name for p in tmp_path.iterdir()] == ["model.onnx"]
        return str(caught.value)

    return export


def test_an_operation_without_counterpart_is_named_with_its_line(refused):
    model = of((4,), lambda x: ops.arctan2(x, 2.0))
    sentence = refused(model)
    assert "'arctan2' of layer 'functional" in sentence
    assert "test_onnx.py:" in sentence
    assert "Write the layer with other operations" in sentence


def test_positions_along_several_axes_are_refused(refused):
    model = of((4, 3), lambda x: x[:, np.array([0, 1]), np.array([1, 1])])
    assert "use ops.take along one axis" in refused(model)
    model = of((4, 3), lambda x: ops.slice_update(x, (0, 0, 0), np.ones((1, 1, 1))))
    assert "'setitem' of layer" in refused(model)


def test_chance_in_inference_is_refused(refused):
    x = dn.Input((4,))
    model = dn.Model(x, layers.Dropout(0.5, name="always")(x, training=True))
    sentence = refused(model)
    assert "always' draws random numbers in inference" in sentence


def test_a_variable_that_changes_in_inference_is_refused(refused):
    class Counting(layers.Layer):
        def build(self, input_shape):
            self.count = self.add_weight((), "zeros", trainable=False, name="count")

        def call(self, x):
            y = x + self.count
            self.count.assign(self.count + 1.0)
            return y

    x = dn.Input((4,))
    sentence = refused(dn.Model(x, Counting()(x)))
    assert "changes its variable" in sentence
    assert "count" in sentence


def test_work_that_depends_on_the_size_is_refused(refused):
    class Odd(dn.Model):
        def call(self, x):
            return x + 1 if x.shape[0] > 70 else x

    class Slope(dn.Model):
        def call(self, x):
            return x * ops.reshape(ops.arange(x.shape[0], dtype="float32"), (-1, 1))

    for model, said in ((Odd(), "other operations for another size"),
                        (Slope(), "depend on the size of the input")):  # fmt: skip
        model(sample((2, 3)))
        assert said in refused(model)


def test_a_network_that_magnifies_rounding_is_exported(exported):
    def steep(x: Any) -> Any:
        return ops.sin(200000.0 * ops.exp(x))

    proto, run = exported(of((4,), steep))
    assert kinds(proto) == ["Exp", "Mul", "Sin"]
    x = np.zeros((2, 4), "float32")
    assert difference(run([x])[0], np.sin(np.full((2, 4), 2e5, "float32"))) < 1e-5


def twice(g: Any, step: Any) -> None:
    a, b = step.inputs
    y = g.emit("Gemm", g.read(a), g.read(b), alpha=2.0)
    g.store(step.outputs[0], y)


def test_outputs_that_differ_are_never_written(refused, monkeypatch):
    model = dn.Sequential([dn.Input((4,)), layers.Dense(2)])
    monkeypatch.setitem(RULES, "gemm", twice)
    sentence = refused(model)
    assert "differ from the model's by 1.0e+00 of the largest magnitude" in sentence


@pytest.mark.parametrize("missing", ["onnx", "onnxruntime"])
def test_a_missing_package_is_said(missing, refused, monkeypatch):
    found = importlib.import_module

    def find(name: str, *args: Any) -> Any:
        if name.split(".", maxsplit=1)[0] == missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return found(name, *args)

    monkeypatch.setattr(checking.importlib, "import_module", find)
    sentence = refused(dn.Sequential([dn.Input((4,)), layers.Dense(2)]))
    assert f"{missing!r}, which is missing" in sentence
    assert 'pip install "deepneuron-ai[onnx]"' in sentence


def test_onnx_is_imported_by_the_export_alone():
    script = "import sys, deepneuron.saving; sys.exit('onnx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_model_that_takes_not_any_input_is_checked_on_examples(refused, exported):
    def look_up(x: Any) -> Any:
        return ops.take(np.eye(3, dtype="float32"), ops.cast(x * 50, "int32"), axis=0)

    model = of((4,), look_up)
    sentence = refused(model)
    assert "cannot compute these inputs" in sentence
    assert "Pass examples" in sentence
    _, run = exported(model, examples=lambda n: np.full((n, 4), 0.04, "float32"))
    assert run([np.full((2, 4), 0.04, "float32")])[0].argmax() == 2
    exported(model, check=False)


def test_what_is_no_model_is_said(refused):
    assert "takes a model; it received a int" in refused(3)


# --- Model.export


def test_model_export_writes_onnx_and_nothing_else(tmp_path, capsys):
    model = dn.Sequential([dn.Input((4,)), layers.Dense(2)])
    path = tmp_path / "model.onnx"
    assert model.export(path, format="onnx") is None
    assert capsys.readouterr().out == ""
    model.export(path, format="onnx", verbose=True, opset_version=18)
    assert str(path) in capsys.readouterr().out
    assert onnx.load(path).opset_import[0].version == 18
    for other in ("tf_saved_model", "openvino", "litert", "torch"):
        with pytest.raises(ArgumentError, match=f'{other}" is not written.*"onnx"'):
            model.export(tmp_path / "other", format=other)
    with pytest.raises(ArgumentError, match="Did you mean 'onnx'"):
        model.export(path, format="onxx")
    with pytest.raises(ArgumentError, match="Did you mean 'opset_version'"):
        model.export(path, format="onnx", opset_versoin=18)
    assert {p.name for p in tmp_path.iterdir()} == {"model.onnx"}
