"""What every optimizer does around its rule."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import deepneuron as dn
from deepneuron import ops, optimizers
from deepneuron.engine import scope
from deepneuron.engine.capture import Function, capture
from deepneuron.engine.executor import Executor
from deepneuron.engine.plan import make_plan
from deepneuron.errors import ArgumentError, DTypeError, NotBuiltError, ShapeError
from tests.optimizers.cases import close, gradients, start
from tests.peers import keras

pytestmark = pytest.mark.filterwarnings("ignore:__array__ impl:DeprecationWarning")


def variables(count: int = 2, library: Any = dn) -> list[Any]:
    return [library.Variable(np.ones(3, "float32"), name=f"w{i}") for i in range(count)]


def ones(count: int) -> list[np.ndarray]:
    return [np.ones(3, "float32") for _ in range(count)]


class Documented(optimizers.Optimizer):
    """The custom optimizer that Keras's documentation shows."""

    def __init__(self, momentum: float = 0.9, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.momentum = momentum

    def build(self, variables: Any) -> None:
        super().build(variables)
        self.momentums = [
            self.add_variable_from_reference(reference_variable=v, name="momentum")
            for v in variables
        ]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        learning_rate = ops.cast(learning_rate, variable.dtype)
        gradient = ops.cast(gradient, variable.dtype)
        m = self.momentums[self._get_variable_index(variable)]
        momentum = ops.cast(self.momentum, variable.dtype)
        step = ops.multiply(gradient, learning_rate)
        self.assign(m, ops.subtract(ops.multiply(m, momentum), step))
        self.assign_add(variable, m)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum}


@pytest.mark.parametrize("planned", [False, True], ids=["eager", "planned"])
@pytest.mark.parametrize(
    "options",
    [{}, {"weight_decay": 0.1}, {"gradient_accumulation_steps": 2}, {"clipnorm": 0.5}],
)
def test_a_custom_optimizer_equals_the_built_in(options: Any, planned: bool) -> None:
    options = {"learning_rate": 0.1, "momentum": 0.9, **options}
    results = []
    for optimizer in (Documented(**options), optimizers.SGD(**options)):
        weights = [dn.Variable(w, name=f"w{i}") for i, w in enumerate(start())]
        optimizer.build(weights)

        def step(grads: Any, optimizer: Any = optimizer, weights: Any = weights) -> Any:
            optimizer.apply(grads, weights)
            return []

        run = Function(step) if planned else step
        for i in range(6):
            run(gradients(i))
        results.append([*weights, *optimizer.variables])
    for a, b in zip(*results, strict=True):
        close(a.numpy(), b.numpy())
        assert a.name == b.name


def test_a_rule_that_changes_the_gradient_first_decays_once() -> None:
    class Half(optimizers.SGD):
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            super().update_step(gradient / 2, variable, learning_rate)

    (w,) = variables(1)
    Half(learning_rate=0.1, weight_decay=0.5).apply(ones(1), [w])
    close(w.numpy(), np.full(3, 1 - 0.05 - 0.05, "float32"))


def test_apply_works_while_gradients_are_recorded() -> None:
    w = dn.Variable([1.0, 2.0])
    optimizer = optimizers.SGD(0.1)
    for _ in range(2):
        with scope.recording():
            loss = ops.sum(w * w)
            optimizer.apply(dn.gradients(loss, [w]), [w])
    close(w.numpy(), np.array([0.64, 1.28], "float32"))


def test_one_update_serves_all_variables() -> None:
    weights = [dn.Variable(w, name=f"w{i}") for i, w in enumerate(start()[:3])]
    for name in ("SGD", "RMSprop", "Adam", "AdamW", "Nadam", "Adamax", "Lion"):
        optimizer = getattr(optimizers, name)()
        optimizer.build(weights)

        def step(x: Any, optimizer: Any = optimizer) -> list[Any]:
            optimizer.apply([x * w for w in weights], weights)
            return []

        graph, _ = capture(step, np.float32(0.1))
        executor = Executor(make_plan(graph))
        kernels = [call.instruction.kernel for call in executor._calls]
        assert sum(kernel.endswith("_update") for kernel in kernels) == 1, kernels
        assert not executor.plan.commits, name  # everything is written in place


def test_the_learning_rate_changes_without_another_capture() -> None:
    (w,) = variables(1)
    optimizer = optimizers.SGD(0.5)
    captured = []

    def step(grads: Any) -> list[Any]:
        captured.append(1)
        optimizer.apply(grads, [w])
        return []

    run = Function(step, key=optimizer.plan_key)
    optimizer.build([w])
    run(ones(1))
    close(w.numpy(), np.full(3, 0.5, "float32"))
    for rate in (0.25, dn.Variable(0.25), np.float32(0.0)):
        optimizer.learning_rate = rate
        assert float(optimizer.learning_rate) == float(rate)
        run(ones(1))
    close(w.numpy(), np.zeros(3, "float32"))
    assert len(captured) == 1


def test_a_setting_that_changes_means_another_plan() -> None:
    optimizer = optimizers.SGD(0.5, momentum=0.9)
    key = optimizer.plan_key()
    optimizer.learning_rate = 0.1
    assert optimizer.plan_key() == key
    optimizer.momentum = 0.5
    assert optimizer.plan_key() != key
    key = optimizer.plan_key()
    optimizer.learning_rate = optimizers.schedules.CosineDecay(0.1, 10)
    assert optimizer.plan_key() != key


def test_a_schedule_follows_the_steps_in_a_plan() -> None:
    schedule = optimizers.schedules.PiecewiseConstantDecay([1, 2], [1.0, 0.5, 0.25])
    (w,) = variables(1)
    optimizer = optimizers.SGD(schedule)
    assert [v.name for v in optimizer.variables] == ["iteration"]

    def step(grads: Any) -> Any:
        optimizer.apply(grads, [w])
        return optimizer.learning_rate

    run = Function(step)
    optimizer.build([w])
    rates = [float(run(ones(1))) for _ in range(4)]
    assert rates == [1.0, 0.5, 0.25, 0.25]  # the counter had grown by then
    close(w.numpy(), np.full(3, 1 - 1 - 1 - 0.5 - 0.25, "float32"))
    with pytest.raises(DTypeError, match="follows PiecewiseConstantDecay"):
        optimizer.learning_rate = 0.1
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert again._learning_rate.get_config() == schedule.get_config()


def test_a_function_as_learning_rate() -> None:
    (w,) = variables(1)
    optimizer = optimizers.Adam(lambda: 0.5)
    assert optimizer.learning_rate == 0.5
    optimizer.build([w])

    def step(grads: Any) -> list[Any]:
        optimizer.apply(grads, [w])
        return []

    Function(step)(ones(1))
    close(w.numpy(), np.full(3, 0.5, "float32"), 1e-5)


def test_a_frozen_layer_is_left_alone() -> None:
    first, second = variables(2)
    optimizer = optimizers.Adam(0.1)
    optimizer.build([first, second])
    optimizer.apply(ones(2), [first, second])
    kept = [first.numpy(), optimizer.slot("momentum", first).numpy()]
    optimizer.apply(ones(1), [second])
    np.testing.assert_array_equal(kept[0], first.numpy())
    np.testing.assert_array_equal(kept[1], optimizer.slot("momentum", first).numpy())
    assert not np.array_equal(first.numpy(), second.numpy())
    assert len(optimizer.variables) == 2 + 4


def test_a_layer_that_thaws_gets_its_slots() -> None:
    head, base = variables(2)
    optimizer = optimizers.Adam(0.1)
    optimizer.apply(ones(1), [head])
    momentum = optimizer.slot("momentum", head).numpy()
    optimizer.apply([np.zeros(3, "float32"), np.ones(3, "float32")], [base, head])
    assert len(optimizer.variables) == 2 + 4
    assert not np.array_equal(optimizer.slot("momentum", head).numpy(), momentum)
    # In the order of the model, so that a file of it can be read back
    assert [v.name for v in optimizer.variables[2:]] == [
        "w1_momentum",
        "w1_velocity",
        "w0_momentum",
        "w0_velocity",
    ]
    custom = Documented(learning_rate=0.1)
    custom.apply(ones(1), [head])
    with pytest.raises(ArgumentError, match="Unknown variable"):
        custom.apply(ones(1), [base])


def test_missing_gradients() -> None:
    first, second, third = variables(3)
    optimizer = optimizers.SGD(0.5)
    with pytest.warns(UserWarning, match=r"\['w1', 'w2'\]"):
        optimizer.apply([ones(1)[0], None, None], [first, second, third])
    close(first.numpy(), np.full(3, 0.5, "float32"))
    close(second.numpy(), np.ones(3, "float32"))
    with pytest.raises(ValueError, match="No gradients provided for any variable"):
        optimizer.apply([None, None, None])
    assert int(optimizer.iterations) == 1
    optimizer.apply([])
    assert int(optimizer.iterations) == 1


def test_constraints_hold_after_each_step() -> None:
    (w,) = variables(1)
    w.constraint = lambda value: ops.maximum(value, 0.75)
    optimizer = optimizers.SGD(0.5)
    optimizer.build([w])

    def step(grads: Any) -> list[Any]:
        optimizer.apply(grads)
        return []

    Function(step)(ones(1))
    np.testing.assert_array_equal(w.numpy(), np.full(3, 0.75, "float32"))


@pytest.mark.parametrize("name", ["AdamW", "SGD"])
def test_variables_can_be_excluded_from_weight_decay(name: str) -> None:
    results = []
    for library in (dn, keras()):
        weights = [
            library.Variable(np.ones(3, "float32"), name=n)
            for n in ("kernel", "bias", "gamma")
        ]
        optimizer = getattr(library.optimizers, name)(0.1, weight_decay=0.5)
        optimizer.exclude_from_weight_decay([weights[2]], ["bias"])
        for _ in range(3):
            optimizer.apply([g * 0.1 for g in ones(3)], weights)
        results.append([w.numpy() for w in weights])
    for ours, theirs in zip(*results, strict=True):
        close(ours, theirs)
    assert results[0][0][0] < results[0][1][0] == results[0][2][0]


def test_clipping_by_an_infinite_norm_does_not_hide_it() -> None:
    grads = [np.array([np.inf, 1, 1], "float32"), np.ones(3, "float32")]
    for options in ({"global_clipnorm": 1.0}, {"clipnorm": 1.0}, {"clipvalue": 1.0}):
        results = []
        for library in (dn, keras()):
            weights = variables(2, library)
            library.optimizers.SGD(0.1, **options).apply(grads, weights)
            results.append([w.numpy() for w in weights])
        for ours, theirs in zip(*results, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_float64_for_checks() -> None:
    w = dn.Variable(np.ones(3), dtype="float64")
    for name in ("SGD", "RMSprop", "Adam", "Adagrad", "Adamax", "Nadam", "Adadelta"):
        optimizer = getattr(optimizers, name)()
        optimizer.apply([np.ones(3)], [w])
        assert w.dtype == "float64"
        assert {v.dtype for v in optimizer._slots.get("velocity", {}).values()} <= {
            "float64"
        }


def test_own_variables_of_another_number_are_skipped() -> None:
    optimizer = optimizers.Adam()
    with pytest.warns(UserWarning, match="has 2 variables whereas the saved"):
        optimizer.load_own_variables({"0": np.array(3)})
    assert int(optimizer.iterations) == 0


def test_weights_can_be_set() -> None:
    (w,) = variables(1)
    optimizer = optimizers.SGD(momentum=0.9)
    with pytest.raises(NotBuiltError, match="build"):
        optimizer.set_weights([])
    optimizer.build([w])
    optimizer.set_weights([5, np.float32(0.5), np.ones(3, "float32")])
    assert int(optimizer.iterations) == 5
    assert float(optimizer.learning_rate) == 0.5


def test_variables_of_a_subclass_are_saved() -> None:
    class Counting(optimizers.SGD):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.count = dn.Variable(3.0)

    assert float(Counting().variables[-1]) == 3.0

    class Hasty(optimizers.SGD):
        def __init__(self) -> None:
            self.count = dn.Variable(3.0)

    with pytest.raises(RuntimeError, match="super"):
        Hasty()


def test_names() -> None:
    for name in ("adam", "Adam", "ADAM", optimizers.Adam):
        assert isinstance(optimizers.get(name), optimizers.Adam)
    adam = optimizers.Adam()
    assert optimizers.get(adam) is adam
    assert optimizers.get(None) is None
    assert optimizers.get({"class_name": "adam", "config": {}}).beta_1 == 0.9
    with pytest.raises(ValueError, match="Did you mean 'adam'"):
        optimizers.get("adamm")
    with pytest.raises(ValueError, match="interpret optimizer identifier"):
        optimizers.get(len)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("SGD", {"learning_rate": "fast"}, "learning_rate must be a number"),
        ("SGD", {"learning_rate": True}, "learning_rate must be a number"),
        ("SGD", {"momentum": 2.0}, "momentum must lie between"),
        ("SGD", {"clipnorm": 1.0, "clipvalue": 1.0}, "Only one of"),
        ("SGD", {"gradient_accumulation_steps": 1}, "at least 2"),
        ("SGD", {"use_ema": True, "ema_momentum": 2.0}, "ema_momentum"),
        ("SGD", {"use_ema": True, "ema_overwrite_frequency": 0.5}, "positive integer"),
        ("SGD", {"lr": 0.1}, "does not know the argument"),
        ("AdamW", {"weight_decay": None}, "weight_decay"),
        ("Lion", {"beta_1": 0.0}, "beta_1"),
    ],
)
def test_arguments_that_cannot_be(name: str, options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        getattr(optimizers, name)(**options)


def test_an_old_argument_is_ignored() -> None:
    with pytest.warns(UserWarning, match="no longer supported"):
        optimizers.SGD(decay=0.1)


def test_gradients_that_do_not_fit() -> None:
    weights = variables(2)
    optimizer = optimizers.SGD()
    with pytest.raises(NotBuiltError, match="does not know the variables"):
        optimizer.apply(ones(2))
    with pytest.raises(ArgumentError, match="1 gradients for 2 variables"):
        optimizer.apply(ones(1), weights)
    with pytest.raises(ShapeError, match="'w1' has shape"):
        optimizer.apply([np.ones(3), np.ones(4)], weights)
    with pytest.raises(NotImplementedError, match="update_step"):
        optimizers.Optimizer(0.1).apply(ones(2), weights)


def test_apply_gradients_returns_the_step() -> None:
    weights = variables(2)
    optimizer = optimizers.SGD()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        steps = optimizer.apply_gradients(zip(ones(2), weights, strict=True))
    assert int(steps) == 1
