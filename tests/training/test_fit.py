"""fit, evaluate and predict: the numbers of Keras, and the manners of ours."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import deepneuron as dn
from deepneuron import layers, ops
from deepneuron.errors import (
    ArgumentError,
    CaptureError,
    DataError,
    NotCompiledError,
    ShapeError,
    UnknownNameError,
)
from tests.peers import keras

rng = np.random.default_rng(3)
X = rng.normal(size=(50, 6)).astype("float32")
Y = rng.integers(0, 3, 50)


def classifier(k=dn, **compiled):
    model = k.Sequential(
        [
            k.layers.Input((6,)),
            k.layers.Dense(8, activation="relu"),
            k.layers.Dense(3, activation="softmax"),
        ]
    )
    arguments = {
        "optimizer": "sgd",
        "loss": "sparse_categorical_crossentropy",
        "metrics": ["accuracy"],
    }
    model.compile(**{**arguments, **compiled})
    return model


def twins(make):
    ours, theirs = make(dn), make(keras())
    ours.set_weights(theirs.get_weights())
    return ours, theirs


def assert_same_history(mine, real, tolerance=2e-5):
    assert sorted(mine.history) == sorted(real.history)
    for name, values in real.history.items():
        assert mine.history[name] == pytest.approx(values, rel=tolerance, abs=1e-6), (
            name
        )


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"batch_size": 7},  # the last batch is smaller
        {"validation_split": 0.3},
        {"validation_data": (X[:9], Y[:9]), "validation_batch_size": 4},
        {"class_weight": {0: 1.0, 1: 3.0, 2: 0.5}},
        {"sample_weight": np.linspace(0, 1, 50).astype("float32")},
        {"steps_per_epoch": 1},
        {"validation_data": (X[:9], Y[:9]), "validation_freq": 2},
        {"initial_epoch": 1},
    ],
    ids=lambda a: "-".join(a) or "plain",
)
def test_history_as_in_keras(arguments):
    ours, theirs = twins(classifier)
    common = {"epochs": 3, "shuffle": False, "verbose": 0, **arguments}
    assert_same_history(ours.fit(X, Y, **common), theirs.fit(X, Y, **common))


def test_weighted_metrics_regularizers_and_evaluate_as_in_keras():
    def make(k):
        model = k.Sequential(
            [
                k.layers.Input((6,)),
                k.layers.Dense(8, kernel_regularizer="l2", activity_regularizer="l1"),
                k.layers.Dense(1, activation="sigmoid", bias_constraint="non_neg"),
            ]
        )
        model.compile(
            "rmsprop",
            "binary_crossentropy",
            metrics=["accuracy", "mae"],
            weighted_metrics=["mse"],
        )
        return model

    ours, theirs = twins(make)
    y, weight = (Y > 0).astype("float32"), np.linspace(0.5, 2, 50).astype("float32")
    common = {"sample_weight": weight, "verbose": 0}
    mine = ours.fit(X, y, epochs=3, shuffle=False, **common)
    real = theirs.fit(X, y, epochs=3, shuffle=False, **common)
    assert_same_history(mine, real)
    mine = ours.evaluate(X, y, return_dict=True, **common)
    real = theirs.evaluate(X, y, return_dict=True, **common)
    assert mine == pytest.approx({k: float(v) for k, v in real.items()}, rel=2e-5)
    assert ours.evaluate(X, y, **common) == pytest.approx(
        theirs.evaluate(X, y, **common), rel=2e-5
    )


@pytest.mark.parametrize("form", ["list", "dict"])
def test_several_outputs_have_the_log_names_of_keras(form):
    def make(k):
        x = k.layers.Input((6,), name="x")
        hidden = k.layers.Dense(4, activation="tanh")(x)
        a = k.layers.Dense(1, name="a")(hidden)
        b = k.layers.Dense(3, activation="softmax", name="b")(hidden)
        model = k.Model(x, [a, b] if form == "list" else {"a": a, "b": b})
        model.compile(
            "sgd",
            loss={"a": "mse", "b": "sparse_categorical_crossentropy"},
            loss_weights={"a": 0.5, "b": 2.0},
            metrics={"a": ["mae"], "b": ["accuracy"]},
        )
        return model

    ours, theirs = twins(make)
    y = [X[:, :1], Y] if form == "list" else {"a": X[:, :1], "b": Y}
    common = {"epochs": 2, "shuffle": False, "verbose": 0}
    assert_same_history(ours.fit(X, y, **common), theirs.fit(X, y, **common))


def test_planned_equals_eager():
    planned, eager = (
        classifier(optimizer="adam"),
        classifier(optimizer="adam", run_eagerly=True),
    )
    eager.set_weights(planned.get_weights())
    histories = [
        m.fit(X, Y, epochs=2, batch_size=16, shuffle=False, verbose=0).history
        for m in (planned, eager)
    ]
    for name, values in histories[0].items():
        assert values == pytest.approx(histories[1][name], rel=1e-6), name
    for a, b in zip(planned.get_weights(), eager.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_a_seed_makes_training_repeat_bit_for_bit():
    def weights():
        dn.utils.set_random_seed(5)
        model = dn.Sequential(
            [layers.Dense(16, activation="relu"), layers.Dropout(0.3), layers.Dense(3)]
        )
        model.compile("adam", dn.losses.SparseCategoricalCrossentropy(from_logits=True))
        model.fit(X, Y, epochs=3, batch_size=8, verbose=0)
        return model.get_weights()

    for a, b in zip(weights(), weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_custom_train_step_writes_its_own_gradient_step():
    class Custom(dn.Model):
        def train_step(self, data):
            x, y = data[:2]
            y_pred = self(x, training=True)
            loss = ops.mean(ops.square(y_pred - y))
            grads = dn.gradients(loss, self.trainable_variables)
            self.optimizer.apply(grads, self.trainable_variables)
            return {"my_loss": loss}

    x = layers.Input((6,))
    model = Custom(x, layers.Dense(1)(x))
    model.compile(optimizer=dn.optimizers.SGD(0.05))
    history = model.fit(X, X[:, :1], epochs=20, verbose=0).history["my_loss"]
    assert history[-1] < 0.2 * history[0]


@pytest.mark.parametrize("eagerly", [False, True])
def test_a_subclassed_model_with_python_in_it(eagerly):
    class Branching(dn.Model):
        def __init__(self):
            super().__init__()
            self.blocks = [layers.Dense(8, activation="relu") for _ in range(2)]
            self.out = layers.Dense(1)

        def call(self, x, training=False):
            for block in self.blocks:
                x = block(x)
            if eagerly and float(ops.sum(x)) < 0:
                raise AssertionError("a sum of rectified values")
            return self.out(x)

    model = Branching()
    model.compile("adam", "mse", run_eagerly=eagerly)
    history = model.fit(X, X[:, :1], epochs=4, verbose=0).history["loss"]
    assert history[-1] < history[0]
    assert len(model.weights) == 6
    assert model.predict(X[:3], verbose=0).shape == (3, 1)


def test_python_on_values_says_how_to_go_on():
    class Asking(dn.Model):
        def __init__(self):
            super().__init__()
            self.out = layers.Dense(1)

        def call(self, x):
            y = self.out(x)
            if ops.sum(y) > 0:
                y = y + 1
            return y

    model = Asking()
    model.compile("sgd", "mse")
    with pytest.raises(CaptureError, match=r"test_fit\.py:\d+.*run_eagerly=True"):
        model.fit(X, X[:, :1], verbose=0)


def test_freezing_between_two_fits():
    model = classifier(optimizer="adam")
    model.fit(X, Y, verbose=0)
    model.layers[0].trainable = False
    before = model.get_weights()
    model.fit(X, Y, verbose=0)
    after = model.get_weights()
    np.testing.assert_array_equal(before[0], after[0])
    assert not np.array_equal(before[2], after[2])
    model.layers[0].trainable = True
    model.fit(X, Y, verbose=0)
    assert not np.array_equal(model.get_weights()[0], after[0])


def test_a_layer_shared_by_two_compiled_models():
    shared = layers.Dense(4, activation="tanh")
    x = layers.Input((6,))
    one, two = (dn.Model(x, layers.Dense(1)(shared(x))) for _ in range(2))
    for model in (one, two):
        model.compile("adam", "mse")
    losses = []
    for _ in range(15):
        losses.append(one.fit(X, X[:, :1], verbose=0).history["loss"][0])
        two.fit(X, X[:, 1:2], verbose=0)
        np.testing.assert_array_equal(one.get_weights()[0], two.get_weights()[0])
    assert losses[-1] < losses[0]


def test_two_threads_predict_with_one_model():
    model = classifier()
    inputs = [rng.normal(size=(64, 6)).astype("float32") for _ in range(4)]
    expected = [model.predict(x, verbose=0) for x in inputs]
    wrong = []

    def work(x, y):
        results = [model.predict(x, verbose=0) for _ in range(30)]
        wrong.extend(1 for result in results if not np.array_equal(result, y))

    threads = [
        threading.Thread(target=work, args=pair)
        for pair in zip(inputs, expected, strict=True)
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_batches_from_a_generator_and_from_a_sequence():
    def batches():
        while True:
            yield X[:10], Y[:10]

    model = classifier()
    history = model.fit(batches(), steps_per_epoch=3, epochs=2, verbose=0)
    assert len(history.history["loss"]) == 2

    class Pairs(dn.utils.PyDataset):
        def __len__(self):
            return 5

        def __getitem__(self, i):
            return X[10 * i : 10 * i + 10], Y[10 * i : 10 * i + 10]

    a, b = classifier(), classifier()
    b.set_weights(a.get_weights())
    a.fit(Pairs(), verbose=0, shuffle=False)
    b.fit(X, Y, batch_size=10, shuffle=False, verbose=0)
    for v, w in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_allclose(v, w, rtol=1e-6, atol=1e-8)


def test_data_may_be_lists():
    model = classifier()
    model.fit(X.tolist(), Y.tolist(), verbose=0)
    assert model.predict(X[:2].tolist(), verbose=0).shape == (2, 3)


def test_validation_data_does_not_train():
    model = classifier()
    before = model.get_weights()
    model.evaluate(X, Y, verbose=0)
    model.predict(X, verbose=0)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


# --- errors


def with_nan():
    x = X.copy()
    x[3, 2] = np.nan
    return x


@pytest.mark.parametrize(
    ("x", "y", "error", "sentence"),
    [
        (X, Y[:40], DataError, "x: 50, y: 40"),
        (with_nan(), Y, DataError, r"x contains NaN.*x\[3, 2\]"),
        (X, np.array(["cat"] * 50), DataError, "'cat'.*return_inverse"),
        (X[:, :4], Y, ShapeError, r"\(None, 6\).*\(32, 4\)"),
        (X, Y + 1, DataError, "3"),
        (X[:0], Y[:0], DataError, "0 samples"),
        (X, np.eye(3)[Y], ValueError, "categorical_crossentropy"),
    ],
    ids=["lengths", "nan", "text", "features", "labels", "empty", "one-hot"],
)
def test_data_that_cannot_work_is_named(x, y, error, sentence):
    model = classifier()
    with pytest.raises(error, match=sentence):
        model.fit(x, y, verbose=0)


def test_sparse_targets_for_the_loss_of_one_hot_ones():
    model = classifier(loss="categorical_crossentropy", metrics=[])
    with pytest.raises(ValueError, match="sparse_categorical_crossentropy"):
        model.fit(X, Y, verbose=0)


def test_what_was_forgotten_or_misspelt_is_named():
    model = dn.Sequential([layers.Dense(1)])
    with pytest.raises(NotCompiledError, match="compile"):
        model.fit(X, Y)
    with pytest.raises(UnknownNameError, match="adam"):
        model.compile("adm", "mse")
    with pytest.raises(UnknownNameError, match="mean_squared_error"):
        model.compile("adam", "mean_squred_error")
    with pytest.raises(ArgumentError, match="metrics"):
        model.compile("adam", "mse", metrics="mae")
