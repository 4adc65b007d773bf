"""Training that users write themselves, and plans that must not outlive a setting."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import deepneuron as dn
from deepneuron import layers, ops, optimizers
from deepneuron.errors import ArgumentError, DTypeError
from tests.peers import keras

rng = np.random.default_rng(5)
X = rng.normal(size=(24, 4)).astype("float32")
Y = X @ np.array([[1.0], [-2.0], [0.5], [0.0]], "float32")
QUIET = {"shuffle": False, "verbose": 0}


def line(k=dn, kind=None, **arguments):
    x = k.layers.Input((4,))
    model = (kind or k.Model)(x, k.layers.Dense(1, name="line")(x))
    model.set_weights([np.full((4, 1), 0.1, "float32"), np.zeros(1, "float32")])
    model.compile(**{"optimizer": "sgd", "loss": "mse", **arguments})
    return model


def assert_same_weights(a, b, tolerance=1e-5):
    for v, w in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_allclose(v, w, rtol=tolerance, atol=1e-6)


# --- steps of one's own


class TapeStyle(dn.Model):
    """The step of Keras's guide, with our two names for a tape."""

    def train_step(self, data):
        x, y = data[:2]
        with dn.recording():
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
            grads = dn.gradients(loss, self.trainable_variables)
        self.optimizer.apply_gradients(
            zip(grads, self.trainable_variables, strict=True)
        )
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


@pytest.mark.parametrize("eagerly", [True, False], ids=["eager", "planned"])
def test_the_step_of_the_guide_trains_as_the_built_in_one(eagerly):
    arguments = {"metrics": ["mae"], "optimizer": "adam", "run_eagerly": eagerly}
    mine, plain = line(kind=TapeStyle, **arguments), line(**arguments)
    one, other = (
        m.fit(X, Y, epochs=3, batch_size=8, **QUIET).history for m in (mine, plain)
    )
    assert one == {k: pytest.approx(v, rel=1e-5) for k, v in other.items()}
    assert_same_weights(mine, plain)


@pytest.mark.parametrize("eagerly", [True, False], ids=["eager", "planned"])
def test_metrics_of_ones_own_are_reset_and_reported(eagerly):
    class Own(dn.Model):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.seen = dn.metrics.Sum(name="seen")

        def train_step(self, data):
            x = data[0]
            self.seen.update_state(ops.sum(ops.ones_like(x[:, 0])))
            return {"seen": self.seen.result(), "constant": 3.0}

        @property
        def metrics(self):
            return [self.seen]

    model = line(kind=Own, run_eagerly=eagerly)
    history = model.fit(X, Y, epochs=3, batch_size=10, verbose=0).history
    assert history == {"constant": [3.0] * 3, "seen": [24.0] * 3}
    assert model.get_metrics_result().keys() == {"seen"}


def powers(k, with_training):
    """A model whose `compute_loss` is written in one of the two ways of Keras."""

    def loss_of(y, y_pred):
        return k.ops.mean((y_pred - y) ** 4)

    class New(k.Model):
        def compute_loss(self, x, y, y_pred, sample_weight, training=True):
            return loss_of(y, y_pred)

    class Old(k.Model):
        def compute_loss(self, x, y, y_pred, sample_weight):
            return loss_of(y, y_pred)

    return line(k, New if with_training else Old, loss=None, metrics=["mae"])


@pytest.mark.parametrize("with_training", [True, False])
def test_a_loss_of_ones_own_as_in_keras(with_training):
    mine, real = (
        powers(k, with_training).fit(X, Y, epochs=2, **QUIET).history
        for k in (dn, keras())
    )
    assert mine == {name: pytest.approx(v, rel=1e-5) for name, v in real.items()}


def test_metrics_computed_by_ones_own_method():
    class Own(dn.Model):
        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            logs = super().compute_metrics(x, y, y_pred, sample_weight)
            return {**logs, "largest": ops.max(y_pred)}

    history = line(kind=Own).fit(X, Y, validation_data=(X, Y), verbose=0).history
    assert list(history) == ["largest", "loss", "val_largest", "val_loss"]


@pytest.mark.parametrize("returned", [None, 3.0, ["loss"]], ids=repr)
def test_a_step_that_returns_no_dictionary_is_told_so(returned):
    class Own(dn.Model):
        def train_step(self, data):
            return returned

    with pytest.raises(DTypeError, match="dictionary"):
        line(kind=Own, run_eagerly=True).fit(X, Y, verbose=0)


def test_a_model_in_parts_with_two_optimizers():
    class Adversaries(dn.Model):
        def __init__(self):
            super().__init__()
            self.one, self.two = layers.Dense(1), layers.Dense(1)

        def compile(self, first, second):
            super().compile(optimizer=first)
            self.second = second

        def call(self, x):
            return self.one(x) - self.two(x)

        def train_step(self, data):
            x, y = data[:2]
            distance = ops.mean(ops.square(self(x) - y))
            own = self.one.trainable_variables
            self.optimizer.apply(dn.gradients(distance, own), own)
            away = self.two.trainable_variables
            self.second.apply(dn.gradients(-distance, away), away)
            return {"distance": distance}

    model = Adversaries()
    model.build((None, 4))
    before = [w.copy() for w in model.get_weights()]
    model.compile(optimizers.SGD(0.1), optimizers.SGD(0.01))
    model.fit(X, Y, epochs=2, verbose=0)
    assert all(
        not np.array_equal(a, b)
        for a, b in zip(before, model.get_weights(), strict=True)
    )
    assert int(model.second.iterations.numpy()) == 2
    assert len(model.weights) == 4


# --- losses that layers add


def penalised(k):
    class Penalty(k.layers.Layer):
        def call(self, x):
            self.add_loss(0.1 * (k.ops.mean(k.ops.square(x))))
            return x

    x = k.layers.Input((4,))
    y = k.layers.Dense(3, activity_regularizer="l2", kernel_regularizer="l1")(x)
    model = k.Model(x, k.layers.Dense(1)(Penalty()(y)))
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def test_added_losses_and_regularizers_as_in_keras():
    ours, theirs = penalised(dn), penalised(keras())
    ours.set_weights(theirs.get_weights())
    common = {**QUIET, "epochs": 3, "batch_size": 10, "validation_data": (X, Y)}
    mine, real = (m.fit(X, Y, **common).history for m in (ours, theirs))
    assert mine == {k: pytest.approx(v, rel=1e-5) for k, v in real.items()}
    assert_same_weights(ours, theirs)
    ours.run_eagerly = True
    eager, planned = ours, penalised(dn)
    planned.set_weights(eager.get_weights())
    assert eager.fit(X, Y, **common).history == {
        k: pytest.approx(v, rel=1e-5)
        for k, v in planned.fit(X, Y, **common).history.items()
    }


def test_a_loss_that_only_layers_add_is_enough():
    class Penalty(layers.Layer):
        def call(self, x):
            self.add_loss(ops.mean(ops.square(x)))
            return x

    x = layers.Input((4,))
    model = dn.Model(x, Penalty()(layers.Dense(2)(x)))
    model.compile("sgd")
    losses = model.fit(X, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_nothing_to_minimise_is_an_error():
    with pytest.raises(ArgumentError, match="give compile a loss"):
        line(loss=None).fit(X, Y, verbose=0)


# --- planned = eager


@pytest.mark.parametrize(
    "optimizer",
    ["sgd", "rmsprop", "adamw", "lion"],
)
def test_planned_steps_are_the_eager_ones(optimizer):
    def make(eagerly):
        dn.utils.set_random_seed(2)
        model = dn.Sequential(
            [
                layers.Input((4,)),
                layers.Dense(5, activation="relu"),
                layers.BatchNormalization(),
                layers.Dropout(0.4, seed=3),
                layers.Dense(2),
            ]
        )
        model.compile(optimizer, "mse", metrics=["mae"], run_eagerly=eagerly)
        return model

    models = [make(False), make(True)]
    common = {**QUIET, "epochs": 3, "batch_size": 9, "validation_split": 0.25}
    one, other = (m.fit(X, Y[:, [0, 0]], **common).history for m in models)
    assert one == {k: pytest.approx(v, rel=1e-5) for k, v in other.items()}
    assert_same_weights(*models)


# --- settings that change between two fits


def steps_after(change, make=optimizers.SGD, first=1):
    """Weights after a fit, a change, and another fit; and the same without a plan."""
    results = []
    for eagerly in (False, True):
        model = line(optimizer=make(0.05), run_eagerly=eagerly)
        model.fit(X, Y, epochs=first, **QUIET)
        change(model)
        model.fit(X, Y, epochs=2, **QUIET)
        results.append(model)
    return results


def set_(name, value):
    return lambda model: setattr(model.optimizer, name, value)


CHANGES = {
    "assign": lambda m: m.optimizer.learning_rate.assign(0.5),
    "learning_rate": set_("learning_rate", 0.5),
    "clipnorm": set_("clipnorm", 0.01),
    "clipvalue": set_("clipvalue", 0.01),
    "global_clipnorm": set_("global_clipnorm", 0.01),
    "weight_decay": set_("weight_decay", 0.5),
    "momentum": set_("nesterov", True),
    "schedule": set_(
        "learning_rate",
        optimizers.schedules.PiecewiseConstantDecay([2], [0.01, 0.5]),
    ),
    "loss_scale": set_("loss_scale_factor", 8.0),
    "compile": lambda m: m.compile("adam", "mae", run_eagerly=m.run_eagerly),
    "optimizer": lambda m: setattr(m, "optimizer", optimizers.RMSprop(0.1)),
}


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_no_plan_outlives_a_setting(change):
    def momentum(rate):
        return optimizers.SGD(rate, momentum=0.9)

    make = momentum if change == "momentum" else optimizers.SGD
    planned, eager = steps_after(CHANGES[change], make)
    assert_same_weights(planned, eager)
    unchanged, _ = steps_after(lambda model: None, make)
    if change != "loss_scale":  # it is divided out again
        assert not np.allclose(unchanged.get_weights()[0], planned.get_weights()[0])


def test_a_setting_changed_by_a_callback_holds_from_the_next_epoch():
    class Freeze(dn.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                self.model.optimizer.clipnorm = 1e-12

    model = line()
    model.fit(X, Y, epochs=1, verbose=0)
    after_one = model.get_weights()
    model = line()
    model.fit(X, Y, epochs=5, verbose=0, callbacks=[Freeze()])
    np.testing.assert_allclose(model.get_weights()[0], after_one[0], atol=1e-6)


def test_freezing_is_honoured_in_every_order_with_and_without_compile():
    model = dn.Sequential([layers.Input((4,)), layers.Dense(3), layers.Dense(1)])
    model.compile(optimizers.Adam(0.01), "mse")
    for frozen in ((), (0,), (1,), (0, 1), (0,), ()):
        for i, layer in enumerate(model.layers):
            layer.trainable = i not in frozen
        if len(frozen) == 2:
            model.compile(optimizers.Adam(0.01), "mse")
        before = model.get_weights()
        if len(frozen) == 2:
            with pytest.warns(UserWarning, match="trainable"):
                model.fit(X, Y, verbose=0)
        else:
            model.fit(X, Y, verbose=0)
        after = model.get_weights()
        for i in range(2):
            same = np.array_equal(before[2 * i], after[2 * i])
            assert same == (i in frozen), (frozen, i)


def test_frozen_batch_normalization_keeps_its_statistics_as_in_keras():
    def make(k):
        x = k.layers.Input((4,))
        norm = k.layers.BatchNormalization(name="norm")
        norm.trainable = False
        model = k.Model(x, k.layers.Dense(1, kernel_initializer="ones")(norm(x)))
        model.compile("sgd", "mse")
        return model

    ours, theirs = make(dn), make(keras())
    for model in (ours, theirs):
        model.fit(X, Y, epochs=2, **QUIET)
    assert_same_weights(ours, theirs)


def test_averaged_weights_are_put_in_place_as_in_keras():
    results = []
    for k in (dn, keras()):
        optimizer = k.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9)
        model = line(k, optimizer=optimizer)
        model.fit(X, Y, epochs=3, batch_size=8, **QUIET)
        results.append(model)
    assert_same_weights(*results)


# --- models within models, and in threads


def test_nested_and_shared_models_train_as_in_keras():
    def make(k):
        inner = k.Sequential(
            [k.layers.Input((4,)), k.layers.Dense(4, activation="tanh")], name="inner"
        )
        a, b = k.layers.Input((4,)), k.layers.Input((4,))
        joined = k.layers.Subtract()([inner(inner(a)), inner(b)])
        model = k.Model([a, b], k.layers.Dense(1)(joined))
        model.compile("adam", "mse")
        return model

    ours, theirs = make(dn), make(keras())
    ours.set_weights(theirs.get_weights())
    x = [X, X[::-1].copy()]
    mine, real = (
        m.fit(x, Y, epochs=2, batch_size=10, **QUIET).history for m in (ours, theirs)
    )
    assert mine["loss"] == pytest.approx(real["loss"], rel=1e-5)
    assert_same_weights(ours, theirs)


def test_a_metric_within_a_layer_counts_and_is_reset():
    class Counting(layers.Layer):
        def __init__(self):
            super().__init__()
            self.mean = dn.metrics.Mean(name="activity")

        def call(self, x):
            self.mean.update_state(ops.abs(x))
            return x

    x = layers.Input((4,))
    model = dn.Model(x, layers.Dense(1)(Counting()(x)))
    model.compile("sgd", "mse")
    history = model.fit(X, Y, epochs=2, batch_size=8, verbose=0).history
    assert history["activity"] == pytest.approx([float(np.abs(X).mean())] * 2, rel=1e-5)
    assert len(model.weights) == 2


@pytest.mark.parametrize("lazily", [False, True])
def test_threads_predict_while_one_model_is_not_trained(lazily):
    first = [] if lazily else [layers.Input((4,))]
    model = dn.Sequential([*first, layers.Dense(8, activation="relu"), layers.Dense(2)])
    if not lazily:
        model.compile("sgd", "mse")
    parts = [X[:7], X[7:], X]
    wrong, results = [], {}

    def work(i):
        try:
            for _ in range(20):
                y = model.predict(parts[i], batch_size=4, verbose=0)
                results.setdefault(i, y)
                if not np.array_equal(results[i], y):
                    wrong.append(i)
        except Exception as error:  # noqa: BLE001 - shown by the assertion
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    np.testing.assert_allclose(
        np.concatenate([results[0], results[1]]), results[2], rtol=1e-5
    )


def test_a_subclassed_model_is_built_by_fit():
    class Small(dn.Model):
        def __init__(self):
            super().__init__()
            self.hidden = layers.Dense(4, activation="relu")
            self.drop = layers.Dropout(0.5)
            self.out = [layers.Dense(1)]

        def call(self, x, training=False):
            x = self.hidden(x)
            if training:
                x = self.drop(x, training=training)
            return self.out[0](x)

    for eagerly in (False, True):
        model = Small()
        model.compile("adam", "mse", run_eagerly=eagerly)
        history = model.fit(X, Y, epochs=2, batch_size=7, verbose=0).history
        assert len(history["loss"]) == 2
        assert [w.shape for w in model.weights] == [(4, 4), (4,), (4, 1), (1,)]
        one = model.predict(X, verbose=0)
        np.testing.assert_array_equal(one, model.predict(X, verbose=0))  # no dropout


def test_arrays_that_are_handed_out_are_ones_own():
    model = line(metrics=["mae"])
    outputs = []

    class Keep(dn.callbacks.Callback):
        def on_predict_batch_end(self, batch, logs=None):
            outputs.append(logs["outputs"])

    y = model.predict(X, batch_size=6, verbose=0, callbacks=[Keep()])
    np.testing.assert_array_equal(np.concatenate(outputs), y)
    weights = model.get_weights()
    copies = [w.copy() for w in weights]
    model.fit(X, Y, verbose=0)
    for w, copy in zip(weights, copies, strict=True):
        np.testing.assert_array_equal(w, copy)
    x = X.copy()
    model.fit(x, Y, verbose=0)
    np.testing.assert_array_equal(x, X)
