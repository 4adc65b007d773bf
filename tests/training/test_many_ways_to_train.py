"""Ways to call fit and its siblings: the numbers, names and order of Keras.

Keras runs eagerly here: for steps as small as these, compiling them takes longer.
"""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest

import deepneuron as dn
from deepneuron.errors import ArgumentError, DataError
from tests.peers import keras

rng = np.random.default_rng(11)
X = rng.normal(size=(20, 4)).astype("float32")
Z = rng.normal(size=(20, 3)).astype("float32")
Y = rng.integers(0, 3, 20)
W = np.linspace(0.1, 2, 20).astype("float32")
ONE_HOT = np.eye(3, dtype="float32")[Y]
QUIET = {"shuffle": False, "verbose": 0}


def compiled(k, model, **arguments):
    arguments = {"optimizer": "sgd", "loss": "mse", **arguments}
    model.compile(**arguments, run_eagerly=k is not dn)
    return model


def dense(k, units=3, activation="softmax", **arguments):
    model = k.Sequential([k.layers.Input((4,)), k.layers.Dense(units, activation)])
    return compiled(
        k, model, **{"loss": "sparse_categorical_crossentropy", **arguments}
    )


def twins(make, *args, **arguments):
    ours, theirs = make(dn, *args, **arguments), make(keras(), *args, **arguments)
    ours.set_weights(theirs.get_weights())
    return ours, theirs


def assert_same(mine, real):
    """Histories, dictionaries, lists and numbers: keys, their order, and values."""
    if hasattr(real, "history"):
        assert mine.epoch == real.epoch
        mine, real = mine.history, real.history
    if isinstance(real, dict):
        assert list(mine) == list(real)
        for name, value in real.items():
            assert mine[name] == pytest.approx(np.asarray(value), rel=1e-5, abs=1e-6), (
                name
            )
    else:
        assert np.asarray(mine) == pytest.approx(np.asarray(real), rel=1e-5, abs=1e-6)


def assert_same_weights(ours, theirs):
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


# --- inputs and outputs in every form


def two_ended(k, form):
    a, b = k.layers.Input((4,), name="a"), k.layers.Input((3,), name="b")
    joined = k.layers.Concatenate()([a, b])
    number = k.layers.Dense(1, name="number")(joined)
    kind = k.layers.Dense(3, activation="softmax", name="kind")(joined)
    if form == "list":
        model = k.Model([a, b], [number, kind])
    else:
        model = k.Model({"a": a, "b": b}, {"number": number, "kind": kind})
    return compiled(
        k,
        model,
        loss={"number": "mse", "kind": "sparse_categorical_crossentropy"},
        loss_weights={"number": 0.5, "kind": 2.0},
        metrics={"number": ["mae", "mse"], "kind": "accuracy"},
        weighted_metrics={"kind": ["accuracy"]},
    )


@pytest.mark.parametrize("form", ["list", "dict"])
@pytest.mark.parametrize("weights", ["none", "one", "each"])
def test_several_inputs_and_outputs_as_in_keras(form, weights):
    ours, theirs = twins(two_ended, form)
    x, y = [X, Z], [X[:, :1], Y]
    sample_weight = {"none": None, "one": W, "each": [W, W[::-1].copy()]}[weights]
    if form == "dict":
        x, y = dict(zip("ab", x, strict=True)), {"number": y[0], "kind": y[1]}
        if weights == "each":
            sample_weight = dict(zip(("number", "kind"), sample_weight, strict=True))
    common = {**QUIET, "sample_weight": sample_weight, "batch_size": 8}
    validation = {"validation_data": (x, y)}
    assert_same(
        *(m.fit(x, y, epochs=2, **common, **validation) for m in (ours, theirs))
    )
    assert_same_weights(ours, theirs)
    common = {"sample_weight": sample_weight, "verbose": 0}
    assert_same(*(m.evaluate(x, y, **common) for m in (ours, theirs)))
    assert_same(*(m.evaluate(x, y, return_dict=True, **common) for m in (ours, theirs)))
    mine, real = (m.predict(x, verbose=0, batch_size=8) for m in (ours, theirs))
    assert type(mine) is type(real)
    if form == "dict":
        assert sorted(mine) == sorted(real)
        mine, real = (list(map(y.get, sorted(y))) for y in (mine, real))
    for a, b in zip(mine, real, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_an_output_without_loss_as_in_keras():
    def make(k):
        x = k.layers.Input((4,))
        outputs = [k.layers.Dense(1, name="a")(x), k.layers.Dense(2, name="b")(x)]
        return compiled(k, k.Model(x, outputs), loss=[None, "mse"])

    ours, theirs = twins(make)
    y = [X[:, :1], X[:, :2]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two variables have no gradient
        assert_same(*(m.fit(X, y, **QUIET) for m in (ours, theirs)))


@pytest.mark.parametrize(
    "arguments",
    [
        {"optimizer": "adam", "metrics": ["accuracy"]},
        {"metrics": ["acc"], "weighted_metrics": ["acc"]},
        {"metrics": ["accuracy", "accuracy"]},
        {"metrics": ["sparse_top_k_categorical_accuracy"]},
    ],
    ids=["adam", "acc", "twice", "top-k"],
)
def test_metrics_have_the_names_and_the_order_of_keras(arguments):
    ours, theirs = twins(dense, **arguments)
    common = {**QUIET, "sample_weight": W, "validation_split": 0.25}
    assert_same(*(m.fit(X, Y, **common) for m in (ours, theirs)))
    mine, real = (m.evaluate(X, Y, verbose=0) for m in (ours, theirs))
    if len(arguments) == 1 and len(arguments["metrics"]) == 2:
        real.pop(1)  # where two metrics have one name, Keras lists the first one twice
    assert_same(mine[:2], real[:2])
    assert len(mine) == len(ours.evaluate(X, Y, verbose=0, return_dict=True))


@pytest.mark.parametrize(
    ("loss", "y", "units", "activation"),
    [
        ("crossentropy", Y, 3, "softmax"),
        ("ce", ONE_HOT, 3, "softmax"),
        ("crossentropy", Y > 0, 1, "sigmoid"),
        ("binary_crossentropy", (Y > 0).astype(int), 1, "sigmoid"),
        ("categorical_crossentropy", ONE_HOT, 3, "softmax"),
        ("mae", X[:, 0], 1, None),
        ("hinge", np.where(Y > 0, 1.0, -1.0), 1, "tanh"),
        ("kld", ONE_HOT, 3, "softmax"),
    ],
)
def test_kinds_of_targets_choose_loss_and_accuracy_as_in_keras(
    loss, y, units, activation
):
    ours, theirs = twins(dense, units, activation, loss=loss, metrics=["accuracy"])
    assert_same(*(m.fit(X, y, epochs=2, **QUIET) for m in (ours, theirs)))


def test_a_function_is_a_loss_and_a_metric():
    def cubic(y_true, y_pred):
        return abs(y_true - y_pred) ** 3

    results = [
        model.fit(X, X[:, :1], epochs=2, **QUIET)
        for model in twins(dense, 1, None, loss=cubic, metrics=[cubic])
    ]
    assert_same(*results)
    assert list(results[0].history) == ["cubic", "loss"]


# --- weights of classes and samples


@pytest.mark.parametrize("form", ["numbers", "column", "one-hot"])
def test_class_weights_as_in_keras(form):
    loss = f"{'' if form == 'one-hot' else 'sparse_'}categorical_crossentropy"
    y = {"numbers": Y, "column": Y[:, None], "one-hot": ONE_HOT}[form]
    ours, theirs = twins(dense, loss=loss, weighted_metrics=["accuracy"])
    common = {**QUIET, "class_weight": {0: 0.5, 2: 3.0}, "batch_size": 6}
    assert_same(*(m.fit(X, y, epochs=2, **common) for m in (ours, theirs)))
    for model in (ours, theirs):
        model.reset_metrics()
    weight = {"class_weight": {0: 0.5, 2: 3.0}}
    assert_same(*(m.train_on_batch(X, y, **weight) for m in (ours, theirs)))


def test_weights_for_every_moment_as_in_keras():
    def make(k):
        model = k.Sequential([k.layers.Input((5, 4)), k.layers.Dense(2)])
        return compiled(k, model, weighted_metrics=["mae"])

    ours, theirs = twins(make)
    x = rng.normal(size=(6, 5, 4)).astype("float32")
    weight = rng.uniform(size=(6, 5)).astype("float32")
    common = {**QUIET, "sample_weight": weight}
    assert_same(*(m.fit(x, x[..., :2], **common) for m in (ours, theirs)))


def test_a_share_for_validation_takes_its_weights_along():
    ours, theirs = twins(dense, weighted_metrics=["accuracy"])
    common = {**QUIET, "validation_split": 0.3, "sample_weight": W, "epochs": 2}
    assert_same(*(m.fit(X, Y, **common) for m in (ours, theirs)))
    common = {**QUIET, "validation_data": (X, Y, W), "validation_steps": 1}
    common["validation_batch_size"] = 7
    assert_same(*(m.fit(X, Y, epochs=3, **common) for m in (ours, theirs)))


# --- steps, and data that comes in batches


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5, 9])
def test_steps_per_epoch_cut_arrays_as_in_keras(steps):
    ours, theirs = twins(dense)
    common = {**QUIET, "batch_size": 5, "steps_per_epoch": steps, "epochs": 3}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        real = theirs.fit(X, Y, **common)
        expected = sum("ran out" in str(w.message) for w in caught)
        mine = ours.fit(X, Y, **common)
    assert_same(mine, real)
    assert_same_weights(ours, theirs)
    found = sum("ran out" in str(w.message) for w in caught) - expected
    assert found == expected == (0 if steps in (1, 2, 4) else found)


def batches(size=4, weighted=False):
    for i in range(0, 20, size):
        part = slice(i, i + size)
        yield (X[part], Y[part], W[part]) if weighted else (X[part], Y[part])


@pytest.mark.parametrize("weighted", [False, True])
def test_an_endless_generator_as_in_keras(weighted):
    def endless():
        while True:
            yield from batches(7, weighted)

    ours, theirs = twins(dense)
    common = {**QUIET, "steps_per_epoch": 2, "epochs": 3, "validation_steps": 2}
    mine, real = (
        m.fit(endless(), validation_data=((X, Y) for _ in range(9)), **common)
        for m in (ours, theirs)
    )
    assert_same(mine, real)


def test_a_generator_that_is_used_up_ends_training_with_a_warning():
    model = dense(dn)
    with pytest.warns(UserWarning, match="ran out"):
        history = model.fit(batches(), epochs=3, verbose=0)
    assert history.epoch == [0]
    assert int(model.optimizer.iterations.numpy()) == 5
    with pytest.warns(UserWarning, match="7 batches.*after 5"):
        model.fit(batches(), epochs=1, steps_per_epoch=7, verbose=0)


def test_an_empty_generator_is_an_error_as_in_keras():
    for k, model in zip((dn, keras()), twins(dense), strict=True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for use in (model.fit, model.evaluate, model.predict):
                with pytest.raises(DataError if k is dn else ValueError):
                    use(iter(()) if k is dn else (i for i in ()), verbose=0)


class Batches:
    """Mixed into the PyDataset of ours and of Keras."""

    def __init__(self):
        super().__init__(workers=0)
        self.events = []

    def __len__(self):
        return 4

    def __getitem__(self, i):
        self.events.append(i)
        part = slice(5 * i, 5 * i + 5)
        return X[part], Y[part]

    def on_epoch_end(self):
        self.events.append("end")


@pytest.mark.parametrize("steps", [None, 2, 3])
@pytest.mark.parametrize("class_weight", [None, {1: 5.0}])
def test_a_dataset_of_batches_as_in_keras(steps, class_weight):
    ours, theirs = twins(dense)
    results = []
    for k, model in ((dn, ours), (keras(), theirs)):
        data = type("Data", (Batches, k.utils.PyDataset), {})()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # three of four
            results.append(
                model.fit(
                    data,
                    epochs=3,
                    steps_per_epoch=steps,
                    class_weight=class_weight,
                    **QUIET,
                )
            )
        if k is dn:
            assert data.events.count("end") == 3
    assert_same(*results)
    assert_same_weights(ours, theirs)


def test_a_dataset_without_end_needs_steps():
    class Endless(dn.utils.PyDataset):
        def __getitem__(self, i):
            return X[i : i + 3], Y[i : i + 3]

    model = dense(dn)
    history = model.fit(Endless(), steps_per_epoch=2, epochs=2, verbose=0)
    assert len(history.epoch) == 2
    for use in (model.fit, model.evaluate, model.predict):
        with pytest.raises(ArgumentError, match=r"never ends.*__len__"):
            use(Endless(), verbose=0)


@pytest.mark.parametrize("eagerly", [False, True])
def test_a_model_without_weights_can_be_evaluated_first(eagerly):
    model = dn.Sequential([dn.layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=eagerly)
    loss = model.evaluate(X, Y, verbose=0)
    weights = model.get_weights()
    assert loss == pytest.approx(model.evaluate(X, Y, verbose=0), rel=1e-6)
    assert model.predict_on_batch(X).shape == (20, 3)
    np.testing.assert_array_equal(weights[0], model.get_weights()[0])


def test_batches_of_a_dataset_are_shuffled():
    data = type("Data", (Batches, dn.utils.PyDataset), {})()
    dn.utils.set_random_seed(3)
    dense(dn).fit(data, epochs=6, verbose=0)
    epochs = [e for e in data.events if e != "end"]
    orders = {tuple(epochs[i : i + 4]) for i in range(0, 24, 4)}
    assert len(orders) > 1
    assert all(sorted(order) == [0, 1, 2, 3] for order in orders)


def test_loaders_of_other_libraries():
    class Loader:  # as torch's: a length, no numbers
        def __len__(self):
            return 5

        def __iter__(self):
            return batches()

    model, twin = dense(dn), dense(dn)
    twin.set_weights(model.get_weights())
    assert_same(
        model.fit(Loader(), epochs=2, verbose=0),
        twin.fit(X, Y, batch_size=4, epochs=2, **QUIET),
    )
    for _ in range(2):
        model.fit(Loader(), steps_per_epoch=5, epochs=2, verbose=0)
    assert model.evaluate(Loader(), verbose=0) == pytest.approx(
        model.evaluate(X, Y, verbose=0), rel=1e-5
    )
    assert model.predict(Loader(), verbose=0).shape == (20, 3)


def test_shuffling_reaches_every_sample_in_every_epoch():
    seen = []

    class Watch(dn.Model):
        def train_step(self, data):
            seen.append(data[0][:, 0])
            return {"loss": dn.ops.mean(data[0])}

    x = dn.Input((1,))
    model = Watch(x, dn.layers.Dense(1)(x))
    model.compile("sgd", "mse", run_eagerly=True)
    numbers = np.arange(10, dtype="float32")
    model.fit(numbers[:, None], numbers, batch_size=4, epochs=3, verbose=0)
    epochs = [np.concatenate(seen[i : i + 3]) for i in (0, 3, 6)]
    for order in epochs:
        np.testing.assert_array_equal(np.sort(order), numbers)
    assert not all(np.array_equal(a, b) for a, b in itertools.pairwise(epochs))


# --- one batch


def test_steps_on_single_batches_as_in_keras():
    ours, theirs = twins(dense, metrics=["accuracy"])
    for part in (slice(0, 8), slice(8, 20)):
        for arguments in ({}, {"sample_weight": W[part]}, {"return_dict": True}):
            assert_same(
                *(
                    m.train_on_batch(X[part], Y[part], **arguments)
                    for m in (ours, theirs)
                )
            )
            assert_same(
                *(
                    m.test_on_batch(X[part], Y[part], **arguments)
                    for m in (ours, theirs)
                )
            )
    assert_same(*(np.asarray(m.predict_on_batch(X)) for m in (ours, theirs)))
    assert_same_weights(ours, theirs)


def test_single_batches_do_not_disturb_the_metrics_of_fit():
    ours, theirs = twins(dense, metrics=["accuracy"])
    for model in (ours, theirs):
        model.train_on_batch(X[:5], Y[:5])
    assert_same(*(m.fit(X, Y, **QUIET) for m in (ours, theirs)))


def test_evaluate_and_predict_take_steps():
    model = dense(dn)
    assert model.predict(X, steps=2, batch_size=3, verbose=0).shape == (6, 3)
    assert model.evaluate(X, Y, steps=2, batch_size=3, verbose=0) == pytest.approx(
        model.evaluate(X[:6], Y[:6], verbose=0), rel=1e-5
    )
    with pytest.raises(ArgumentError, match="'size'"):
        model.evaluate(X, Y, size=3)


def test_callbacks_can_end_evaluate_and_predict_as_in_keras():
    for k, model in zip((dn, keras()), twins(dense), strict=True):

        def stop_predicting(batch, logs, model=model):
            model.stop_predicting = batch == 1

        def stop_evaluating(batch, logs, model=model, noted=[]):  # noqa: B006 - meant
            noted.append(batch)
            assert batch <= 1
            model.stop_evaluating = batch == 1

        callback = k.callbacks.LambdaCallback(
            on_predict_batch_end=stop_predicting, on_test_batch_end=stop_evaluating
        )
        common = {"batch_size": 4, "verbose": 0, "callbacks": [callback]}
        assert model.predict(X, **common).shape == (8, 3)
        model.evaluate(X, Y, **common)
