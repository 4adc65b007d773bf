"""Random networks, losses, metrics and optimizers: the same as in real Keras.

Each example is built layer by layer in both libraries at once, from one description,
so that a layer that fails must fail in both. Sums in float32 differ in their last bits,
and a network may magnify that: where the two disagree by more than the tolerance, Keras
is run again with weights that differ by a few units in the last place. The two must
agree within a multiple of what that changed; where it changed more than a hundredth
(CHAOS), nothing can be compared.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

import deepneuron as dn
from tests.conformance.random_parts import (
    HEADS,
    MERGES,
    Part,
    axes,
    flags,
    layers_for,
    make,
    one_of,
    optimizers,
)
from tests.peers import keras

BATCH = 6
TOLERANCE = 1e-4
# What is written beside the configurations: it says how Keras made the object.
IGNORED = ("registered_name", "build_config", "compile_config", "kwargs")
CHAOS = 1e-2
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]
# Compiling is slow, so a failure is shown as it was drawn, and not shrunk.
few = settings(
    phases=[Phase.generate],
    max_examples=15, derandomize=True, deadline=None, print_blob=False,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
many = settings(few, max_examples=400, derandomize=False)


# --- a network as data, and in both libraries


@dataclass
class Step:
    """A layer, and the tensors that it is called on (by their numbers)."""

    layer: Any  # a Part; or the number of an earlier step, whose layer is used again
    inputs: list[int]

    def __repr__(self) -> str:
        return f"{self.layer!r} on {self.inputs}"


@dataclass
class Network:
    """Inputs and steps; each of them makes the next tensor."""

    inputs: list[Part] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)

    def __repr__(self) -> str:
        lines = [*map(repr, self.inputs), *map(repr, self.steps)]
        return "\n".join(f"{i:2} {line}" for i, line in enumerate(lines))


class Built:
    """A network as far as it is built in one library."""

    def __init__(self, k: Any) -> None:
        self.k, self.layers = k, []
        self.tensors: list[Any] = []
        self.inputs: list[Any] = []

    def add_input(self, x: Part) -> None:
        self.inputs.append(make(self.k, x))
        self.tensors.append(self.inputs[-1])

    def apply(self, step: Step) -> Any:
        reused = isinstance(step.layer, int)
        layer = self.layers[step.layer] if reused else make(self.k, step.layer)
        xs = [self.tensors[i] for i in step.inputs]
        y = layer(xs if len(xs) > 1 else xs[0])
        return layer, y

    def add(self, layer: Any, y: Any) -> None:
        self.layers.append(layer)
        self.tensors.append(y)

    def model(self, outputs: list[int]) -> Any:
        ys = [self.tensors[i] for i in outputs]
        inputs = self.inputs if len(self.inputs) > 1 else self.inputs[0]
        return self.k.Model(inputs, ys if len(ys) > 1 else ys[0], name="net")


def build(k: Any, network: Network) -> Any:
    built = Built(k)
    for x in network.inputs:
        built.add_input(x)
    for step in network.steps:
        built.add(*built.apply(step))
    return built.model(network.outputs)


class Both:
    """A network that grows in both libraries at once."""

    def __init__(self) -> None:
        self.network = Network()
        self.ours, self.theirs = Built(dn), Built(keras())

    def add_input(self, x: Part) -> None:
        self.network.inputs.append(x)
        self.ours.add_input(x)
        self.theirs.add_input(x)

    def shape(self, i: int) -> tuple[int | None, ...]:
        return tuple(self.theirs.tensors[i].shape)

    def try_step(self, step: Step) -> bool:
        """Whether the step is possible: in both libraries, or in none."""
        shapes = [self.shape(i) for i in step.inputs]
        ours, our_error = attempt(self.ours, step)
        theirs, their_error = attempt(self.theirs, step)
        where = f"{step!r}, shapes {shapes}"
        if their_error is not None:
            assert our_error is not None, (
                f"only Keras refuses {where}: {their_error!r}; ours has shape "
                f"{tuple(ours[1].shape)}"
            )
            assert isinstance(our_error, (ValueError, TypeError)), repr(our_error)
            return False
        assert our_error is None, f"only ours refuses {where}: {our_error!r}"
        a, b = ours[1], theirs[1]
        assert tuple(a.shape) == tuple(b.shape), f"{where}: {a.shape} != {b.shape}"
        assert str(a.dtype) == str(b.dtype), f"{where}: {a.dtype} != {b.dtype}"
        if math.prod(n or 1 for n in b.shape) in range(1, 400):
            self.ours.add(*ours)
            self.theirs.add(*theirs)
            self.network.steps.append(step)
            return True
        return False


def attempt(built: Built, step: Step) -> tuple[Any, Exception | None]:
    try:
        return built.apply(step), None
    except Exception as error:  # noqa: BLE001 - which one is what is compared
        return None, error


# --- drawing a network


KINDS = ["layer"] * 6 + ["merge", "merge", "nest", "share"]
INPUTS = [(3,), (1,), (5,), (4, 3), (5, 2), (4, 4, 2), (5, 4, 1), (3, 6, 2)]


def draw_network(data: st.DataObject) -> Both:
    """Inputs, then a few layers, branches, shared layers and nested models."""
    draw = data.draw
    both = Both()
    for i in range(draw(st.sampled_from([1, 1, 2]))):
        shape = draw(st.sampled_from(INPUTS))
        if len(shape) > 1 and draw(st.integers(0, 5)) == 0:
            shape = (*[None] * (len(shape) - 1), shape[-1])
        both.add_input(Part("Input", {"shape": shape, "name": f"input_{i}"}))
    words: list[int] = []
    if draw(st.integers(0, 3)) == 0:
        sentence = {"shape": (draw(st.integers(1, 3)),), "dtype": "int32"}
        both.add_input(Part("Input", {**sentence, "name": "words"}))
        words = [len(both.ours.tensors) - 1]
        embedding = {"input_dim": 7, "output_dim": 2, "name": "embedding"}
        assert both.try_step(Step(Part("layers.Embedding", embedding), words))
    for number in range(1, draw(st.integers(3, 8))):
        usable = [i for i in range(len(both.ours.tensors)) if i not in words]
        at = draw(st.sampled_from([usable[-1], usable[-1], *usable]))
        kind = draw(
            st.sampled_from(["layer"] * 6 + ["merge", "merge", "nest", "share"])
        )
        name = f"layer_{number}"
        if kind == "layer":
            layer = draw(layers_for(both.shape(at)))
            both.try_step(Step(named(layer, name), [at]))
        elif kind == "merge":
            draw_merge(data, both, usable, at, name)
        elif kind == "nest":
            inner = [named(draw(layers_for(both.shape(at))), f"{name}_first")]
            inner += [
                Part("layers.Dense", {"units": 2, "name": f"{name}_second"}),
            ][: draw(st.integers(0, 1))]
            nested = Part("Sequential", {"layers": inner, "name": name})
            both.try_step(Step(nested, [at]))
        elif both.network.steps:
            again = draw(st.integers(0, len(both.network.steps) - 1))
            if len(both.network.steps[again].inputs) == 1:
                while isinstance(both.network.steps[again].layer, int):
                    again = both.network.steps[again].layer
                first = both.shape(both.network.steps[again].inputs[0])
                nested = both.network.steps[again].layer.path == "Sequential"
                # Some layers that Keras built for one rank, and Sequentials that it
                # built for one size, take others in Keras; ours do not.
                alike = both.shape(at) == first if nested else True
                # Of a layer that is called twice, Keras's steps on JAX count the
                # activity penalty of the last call only; its `losses` have both.
                penalised = "activity_regularizer" in repr(both.network.steps[again])
                if len(both.shape(at)) == len(first) and alike and not penalised:
                    both.try_step(Step(again, [at]))
    return both


def draw_merge(
    data: st.DataObject, both: Both, usable: list[int], at: int, name: str
) -> None:
    """A layer with two or three inputs, which fit more often than not."""
    draw = data.draw
    # Beside a known size Keras's merging layers forget it: not drawn.
    usable = [
        i for i in usable if (None in both.shape(i)[1:]) == (None in both.shape(at)[1:])
    ]
    alike = [i for i in usable if both.shape(i) == both.shape(at)]
    rank = [i for i in usable if len(both.shape(i)) == len(both.shape(at))]
    others = draw(st.sampled_from([alike, alike, rank, usable]))
    xs = [at, *draw(st.lists(st.sampled_from(others), min_size=1, max_size=2))]
    kind = draw(st.sampled_from([*MERGES, "Concatenate", "Concatenate", "Dot"]))
    arguments: dict[str, Any] = {}
    if kind == "Concatenate":
        arguments["axis"] = draw(axes)
    if kind == "Dot":
        xs = xs[:2]
        if None in both.shape(at)[1:]:
            return
        arguments["axes"] = draw(st.sampled_from([1, -1, 2, (1, 2), (2, 1)]))
        arguments["normalize"] = draw(flags)
    layer = Part(f"layers.{kind}", {**arguments, "name": name})
    both.try_step(Step(layer, xs))


def named(layer: Part, name: str) -> Part:
    return Part(layer.path, {**layer.arguments, "name": name})


@dataclass
class Problem:
    """An output: which head it has, and how it is judged."""

    head: str
    loss: Any
    metrics: list[Any]


def draw_head(data: st.DataObject, both: Both, i: int) -> Problem | None:
    draw = data.draw
    kind = draw(st.sampled_from(sorted(HEADS)))
    head = HEADS[kind]
    last = len(both.ours.tensors) - 1 - (i if i < len(both.network.steps) else 0)
    if "int" in str(both.theirs.tensors[last].dtype):
        return None
    shape = both.shape(last)
    if len(shape) > 2 and draw(flags):
        if None in shape[1:]:
            rank = len(shape)
            path = {4: "layers.GlobalAveragePooling2D"}.get(rank)
            if path is None:
                return None
            flat = Part(path, {"name": f"flat_{i}"})
        else:
            flat = Part("layers.Flatten", {"name": f"flat_{i}"})
        if not both.try_step(Step(flat, [last])):
            return None
        last = len(both.ours.tensors) - 1
    dense = {
        "units": draw(st.integers(*head.units)),
        "activation": draw(st.sampled_from(head.activations)),
        "name": f"output_{i}",
    }
    if not both.try_step(Step(Part("layers.Dense", dense), [last])):
        return None
    both.network.outputs.append(len(both.ours.tensors) - 1)
    drawn = draw(st.lists(one_of(head.metrics), max_size=2, unique_by=repr))
    metrics = [
        named(m, f"metric_{i}_{j}") if isinstance(m, Part) else m
        for j, m in enumerate(drawn)
    ]
    return Problem(kind, draw(one_of(head.losses)), metrics)


# --- comparing


def arrays(tree: Any) -> list[np.ndarray]:
    """The numbers of a prediction, of logs or of weights, one array after another."""
    if isinstance(tree, dict):
        return [a for key in sorted(tree) for a in arrays(tree[key])]
    if isinstance(tree, (list, tuple)):
        return [a for x in tree for a in arrays(x)]
    return [np.asarray(tree, "float64")]


def distance(a: list[np.ndarray], b: list[np.ndarray]) -> float:
    """The largest difference, relative to the size of the array that it is in."""
    assert [x.shape for x in a] == [x.shape for x in b]
    worst = 0.0
    for x, y in zip(a, b, strict=True):
        if x.size == 0:
            continue
        odd = ~np.isfinite(y) | ~np.isfinite(x)
        if odd.any():
            if not np.array_equal(np.isnan(x), np.isnan(y)):
                return math.inf
            if not np.array_equal(np.isinf(x), np.isinf(y)):
                return math.inf
        apart, size = np.abs(x - y)[~odd], np.abs(y)[~odd]
        worst = max(worst, apart.max(initial=0) / size.max(initial=1e-3))
    return worst


def agree(ours: Any, theirs: Any, what: str, shaken: Any = None) -> None:
    """The same numbers, up to what rounding does to Keras itself."""
    a, b = arrays(ours), arrays(theirs)
    d = distance(a, b)
    if d <= TOLERANCE:
        return
    moved = distance(arrays(shaken()), b) if shaken else 0.0
    if moved > CHAOS:
        return
    assert d <= 30 * moved, (
        f"{what} differ by {d:.2g} (rounding alone moves Keras by {moved:.2g}):"
        f"\nours   {ours}\ntheirs {theirs}"
    )


def same(ours: Any, theirs: Any, where: str = "") -> None:
    """ours == theirs; the error names the first place where they differ."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        assert set(ours) == set(theirs), f"{where}: {list(ours)} != {list(theirs)}"
        for name in ours:
            same(ours[name], theirs[name], f"{where}.{name}")
    elif isinstance(ours, list) and isinstance(theirs, list):
        assert len(ours) == len(theirs), f"{where}: {ours} != {theirs}"
        for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            same(a, b, f"{where}[{i}]")
    else:
        assert ours == theirs, f"{where}: ours {ours!r}, theirs {theirs!r}"


def plain(x: Any) -> Any:
    """A configuration as JSON has it, with float32 numbers rounded."""

    def rounded(x: Any) -> Any:
        if isinstance(x, dict):
            return {n: rounded(v) for n, v in x.items() if n not in IGNORED}
        if isinstance(x, list):
            return [rounded(v) for v in x]
        return float(f"{x:.6g}") if isinstance(x, float) else x

    return rounded(json.loads(json.dumps(x)))


def serialized(k: Any, layer: Any) -> Any:
    return plain(k.saving.serialize_keras_object(layer))


def random_weights(model: Any, seed: int) -> list[np.ndarray]:
    """Weights that are neither zero nor one; variances positive."""
    rng = np.random.default_rng(seed)

    def value(w: Any) -> np.ndarray:
        if "variance" in w.path:
            return rng.uniform(0.5, 2, w.shape).astype("float32")
        fresh = np.asarray(w.numpy() if hasattr(w, "numpy") else w)
        return (0.3 * fresh + 0.3 * rng.normal(size=w.shape)).astype("float32")

    return [value(w) for w in model.weights]


def shake(arrays: list[np.ndarray]) -> list[np.ndarray]:
    """The same up to a few units in the last place."""
    rng = np.random.default_rng(0)
    return [
        a * (1 + 3e-7 * rng.choice([-1, 1], a.shape)).astype(a.dtype)
        if a.dtype.kind == "f"
        else a
        for a in arrays
    ]


def inputs_for(network: Network, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    xs = []
    for x in network.inputs:
        sizes = {1: 5, 2: 4, 3: 4}
        shape = x.arguments["shape"]
        shape = (BATCH, *(n or sizes[len(shape)] for n in shape))
        if "dtype" in x.arguments:
            xs.append(rng.integers(0, 7, shape).astype("int32"))
        else:
            xs.append(rng.normal(size=shape).astype("float32"))
    return xs if len(xs) > 1 else xs[0]


def summary_of(model: Any) -> list[str]:
    lines: list[str] = []
    model.summary(print_fn=lambda text, **_: lines.append(text))
    text = "\n".join(lines)
    counts = [
        line.split("(")[0].strip() for line in text.splitlines() if "params" in line
    ]
    return [count for count in counts if count]


# --- the test


def check_network(data: st.DataObject, tmp_path: Any) -> None:
    k, draw = keras(), data.draw
    for library in (k, dn):  # the names of nested inputs count on from here
        library.utils.clear_session()
    both = draw_network(data)
    note(repr(both.network))
    problems = [
        draw_head(data, both, i) for i in range(draw(st.sampled_from([1, 1, 2])))
    ]
    problems = [p for p in problems if p]
    if not problems:
        return
    network = both.network
    note(repr(network))
    note(f"outputs {network.outputs}: {problems}")
    ours, theirs = both.ours.model(network.outputs), both.theirs.model(network.outputs)

    # what they are
    same([l.name for l in ours.layers], [l.name for l in theirs.layers])
    same([w.path for w in ours.weights], [w.path for w in theirs.weights])
    assert [tuple(w.shape) for w in ours.weights] == [
        tuple(w.shape) for w in theirs.weights
    ]
    same(
        [w.path for w in ours.trainable_weights],
        [w.path for w in theirs.trainable_weights],
    )
    same(ours.count_params(), theirs.count_params())
    same(summary_of(ours), summary_of(theirs))
    for a, b in zip(ours.layers, theirs.layers, strict=True):
        same(serialized(dn, a), serialized(k, b))
    same(
        plain(json.loads(ours.to_json())["config"]),
        plain(json.loads(theirs.to_json())["config"]),
    )

    # what they compute
    seed = draw(st.integers(0, 100))
    weights = random_weights(theirs, seed)
    ours.set_weights(weights)
    theirs.set_weights(weights)
    x = inputs_for(network, seed)
    prediction = theirs.predict(x, verbose=0, batch_size=BATCH)

    def shaken_model() -> Any:
        model = build(k, network)
        model.set_weights(shake(weights))
        return model

    mine = ours.predict(x, verbose=0, batch_size=BATCH)
    agree(
        mine, prediction, "predictions",
        lambda: shaken_model().predict(x, verbose=0, batch_size=BATCH),
    )  # fmt: skip
    again = dn.models.model_from_json(theirs.to_json())
    again.set_weights(weights)
    assert distance(arrays(again.predict(x, verbose=0)), arrays(mine)) == 0

    # how they learn
    optimizer = draw(optimizers())
    note(repr(optimizer))
    rng = np.random.default_rng(seed + 1)
    predicted = prediction if isinstance(prediction, list) else [prediction]
    ys = [HEADS[p.head].targets(rng, y.shape)
          for p, y in zip(problems, predicted, strict=True)]  # fmt: skip
    losses = [p.loss for p in problems]
    metrics = [p.metrics for p in problems]
    compiled: dict[str, Any] = {
        "loss": losses if len(losses) > 1 else losses[0],
        "metrics": metrics if len(metrics) > 1 else metrics[0],
    }
    if draw(flags):
        compiled["weighted_metrics"] = compiled["metrics"]
    if len(problems) > 1 and draw(flags):
        compiled["loss_weights"] = [0.5, 2.0]
    weighted: dict[str, Any] = {}
    choice = draw(st.sampled_from(["none", "none", "samples", "classes"]))
    # With more axes Keras spreads the samples' weights along the last one; we refuse.
    if choice == "samples" and all(y.ndim <= 3 for y in predicted):
        w = [rng.uniform(0, 2, BATCH).astype("float32") for _ in ys]
        weighted["sample_weight"] = w if len(w) > 1 else w[0]
    of_classes = problems[0].head in ("classes", "class logits", "one hot")
    if choice == "classes" and len(ys) == 1 and ys[0].ndim <= 2 and of_classes:
        weighted["class_weight"] = {0: 0.5, 1: 2.0, 2: 1.0, 3: 0.25}
    y = ys if len(ys) > 1 else ys[0]
    note(f"{compiled} {weighted}")

    def compile_in(k: Any, model: Any, **more: Any) -> Any:
        settings = {**make(k, compiled), "optimizer": make(k, optimizer), **more}
        model.compile(**settings)
        return model

    compile_in(dn, ours)
    compile_in(k, theirs)
    plainly = {n: v for n, v in weighted.items() if n == "sample_weight"}

    def steps(model: Any) -> list[Any]:
        return [
            model.train_on_batch(x, y, **weighted, return_dict=True) for _ in range(5)
        ]

    def evaluate(model: Any) -> Any:
        return model.evaluate(
            x, y, batch_size=4, verbose=0, return_dict=True, **plainly
        )

    try:
        real = evaluate(theirs)
    except Exception as error:  # noqa: BLE001 - such as weights that do not fit
        note(f"Keras refuses: {error!r}")
        with pytest.raises((ValueError, TypeError)):
            evaluate(ours)
        return
    evaluated = evaluate(ours)
    same(list(evaluated), list(real))
    agree(
        evaluated, real, "evaluations",
        lambda: evaluate(compile_in(k, shaken_model())),
    )  # fmt: skip
    mine, real = steps(ours), steps(theirs)
    same(list(mine[0]), list(real[0]))
    shaken: list[Any] = []

    def shaken_training() -> Any:
        if not shaken:
            model = compile_in(k, shaken_model())
            shaken.extend([steps(model), model.get_weights()])
        return shaken

    for i in range(5):
        agree(mine[i], real[i], f"logs of step {i}", lambda: shaken_training()[0][i])  # noqa: B023 - called at once
    if optimizer.path == "optimizers.SGD":
        agree(ours.get_weights(), theirs.get_weights(), "weights after training",
              lambda: shaken_training()[1])  # fmt: skip

    # the same without a plan
    eager = dn.models.model_from_json(ours.to_json())
    eager.set_weights(weights)
    compile_in(dn, eager, run_eagerly=True)
    logs = steps(eager)
    agree(logs, mine, "planned and eager logs")

    # and in files, which take the optimizer along
    first, second = (dn, ours), (k, theirs)
    if draw(flags):
        first, second = second, first
    first[1].save(tmp_path / "net.keras", overwrite=True)
    loaded = second[0].models.load_model(tmp_path / "net.keras")
    assert_same = arrays(first[1].predict(x, verbose=0))
    agree(arrays(loaded.predict(x, verbose=0)), assert_same, "loaded predictions")


@few
@given(st.data())
def test_random_networks_are_those_of_keras(tmp_path_factory, data):
    check_network(data, tmp_path_factory.mktemp("net"))


@pytest.mark.slow
@many
@given(st.data())
def test_many_random_networks_are_those_of_keras(tmp_path_factory, data):
    check_network(data, tmp_path_factory.mktemp("net"))
