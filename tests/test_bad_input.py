"""What goes wrong is said in one clear sentence, and costs nothing.

Each case: what a user does, the error's class, and what its sentence must name. After
the error the weights are what they were, and the model trains on. Where Keras raises
in the same place, our error is a subclass of what it raises.
"""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest

import deepneuron as dn
from deepneuron import layers, ops
from deepneuron.errors import (
    ArgumentError,
    CaptureError,
    DataError,
    DeepneuronError,
    DTypeError,
    NotBuiltError,
    NotCompiledError,
    ShapeError,
    UnknownNameError,
)
from tests.peers import keras

rng = np.random.default_rng(8)
X = rng.normal(size=(12, 4)).astype("float32")
Y = np.arange(12) % 3
ONE_HOT = np.eye(3, dtype="float32")[Y]


def classifier(k=dn, units=3, activation="softmax", loss=None, **arguments):
    model = k.Sequential(
        [
            k.layers.Input((4,)),
            k.layers.Dense(5, name="first"),
            k.layers.Dense(units, activation, name="last"),
        ]
    )
    loss = loss or "sparse_categorical_crossentropy"
    model.compile("adam", loss, **arguments, run_eagerly=k is not dn)
    return model


def changed(array, where, value):
    array = np.array(array, copy=True)
    array[where] = value
    return array


def fit(x=X, y=Y, model=None, **arguments):
    return lambda k: (model or classifier)(k).fit(x, y, verbose=0, **arguments)


def with_loss(loss, units=3, activation="softmax", y=Y):
    return fit(y=y, model=lambda k: classifier(k, units, activation, loss))


def images(k):
    return k.Sequential(
        [k.layers.Input((6, 6, 1)), k.layers.Conv2D(2, 3), k.layers.Flatten()]
    )


def generator(*batch):
    return (batch for _ in range(3))


# name: (what is done with deepneuron or Keras, our error, what it says,
#        whether Keras raises as well)
DATA = {
    "features": (fit(X[:, :3]), ShapeError, r"\(None, 4\).*\(\d+, 3\).*Input", True),
    "features of predict": (
        lambda k: classifier(k).predict(X[:, :3], verbose=0),
        ShapeError,
        r"\(None, 4\).*\(12, 3\)",
        True,
    ),
    "one axis too many": (fit(X[:, None]), ShapeError, r"\(12, 1, 4\)", True),
    "no batch axis": (
        lambda k: classifier(k).predict(X[0], verbose=0),
        ShapeError,
        r"\(4,\)",
        True,
    ),
    "lengths": (fit(y=Y[:7]), DataError, "x: 12, y: 7", True),
    "lengths of weights": (
        fit(sample_weight=np.ones(5)),
        DataError,
        "sample_weight: 5",
        True,
    ),
    "NaN in x": (fit(changed(X, (3, 2), np.nan)), DataError, r"x\[3, 2\] = nan", False),
    "Inf in x": (
        fit(changed(X, (3, 2), -np.inf)),
        DataError,
        r"infinite.*x\[3, 2\] = -inf",
        False,
    ),
    "NaN in y": (
        with_loss("mse", y=changed(ONE_HOT, (5, 1), np.nan)),
        DataError,
        r"y\[5, 1\] = nan",
        False,
    ),
    "NaN in weights": (
        fit(sample_weight=changed(np.ones(12), 2, np.nan)),
        DataError,
        r"sample_weight\[2\] = nan",
        False,
    ),
    "NaN in validation data": (
        fit(validation_data=(changed(X, (0, 0), np.nan), Y)),
        DataError,
        r"x\[0, 0\]",
        False,
    ),
    "NaN in a generator": (
        lambda k: classifier(k).fit(
            generator(changed(X, (1, 0), np.nan), Y), verbose=0
        ),
        DataError,
        r"x\[1, 0\]",
        False,
    ),
    "label too large": (fit(y=changed(Y, 4, 3)), DataError, r"\b3\b.*0.*2", False),
    "label negative": (fit(y=changed(Y, 4, -1)), DataError, "-1", False),
    "labels from 1 on": (fit(y=Y + 1), DataError, r"\b3\b", False),
    "text": (
        fit(y=np.array(["cat", "dog"] * 6)),
        DataError,
        "'cat'.*return_inverse",
        True,
    ),
    "text in x": (fit(X.astype(str)), DataError, "text", True),
    "None in a list": (
        fit([[1.0, 2.0, 3.0, None]] * 12),
        DataError,
        r"None at x\[0, 3\]",
        True,
    ),
    "objects": (
        fit(changed(X.astype(object), (2, 1), object())),
        DataError,
        r"x\[2, 1\] is a object",
        True,
    ),
    "rows of different lengths": (
        fit([[1.0], [1.0, 2.0]] * 6),
        DataError,
        "different lengths",
        True,
    ),
    "dates": (
        fit(np.array(["2020-01-01"] * 12, "datetime64[D]")),
        DataError,
        "datetime64",
        True,
    ),
    "a number": (fit(3.0), DataError, "float: 3.0", True),
    "a file name": (fit("data.csv"), DataError, "'data.csv'", True),
    "no samples": (fit(X[:0], Y[:0]), DataError, "0 samples", True),
    "nothing": (lambda k: classifier(k).fit(verbose=0), DataError, "no data", False),
    "y beside a generator": (
        lambda k: classifier(k).fit(generator(X, Y), Y, verbose=0),
        ArgumentError,
        "yields the targets",
        True,
    ),
    "a split of a generator": (
        lambda k: classifier(k).fit(generator(X, Y), validation_split=0.2, verbose=0),
        ArgumentError,
        "validation_data instead",
        True,
    ),
    "a split too large": (
        fit(validation_split=0.99),
        ArgumentError,
        "12 samples.*0.99",
        True,
    ),
    "a share that is none": (fit(validation_split=2.0), ArgumentError, "2.0", True),
    "four parts": (
        lambda k: classifier(k).fit(generator(X, Y, Y, Y), verbose=0),
        ArgumentError,
        "tuple of 4",
        True,
    ),
    "class weights for text": (
        fit(class_weight={"cat": 2.0}),
        ArgumentError,
        "'cat'",
        False,
    ),
}

LOSSES = {
    "one-hot for numbers": (
        with_loss("sparse_categorical_crossentropy", y=ONE_HOT),
        ShapeError,
        r"one-hot.*categorical_crossentropy",
        True,
    ),
    "numbers for one-hot": (
        with_loss("categorical_crossentropy"),
        ShapeError,
        "sparse_categorical_crossentropy",
        True,
    ),
    "classes on one unit": (
        with_loss("sparse_categorical_crossentropy", 1),
        ShapeError,
        "binary_crossentropy",
        False,
    ),
    "two classes on many units": (
        with_loss("binary_crossentropy", 10),
        ShapeError,
        r"\(12,\).*\(12, 10\).*sparse_categorical_crossentropy",
        True,
    ),
    "numbers on many units": (
        with_loss("mse", 10, None),
        ShapeError,
        r"\(12,\).*\(12, 10\).*one unit",
        True,
    ),
    "other number of units": (
        with_loss("categorical_crossentropy", 4, y=ONE_HOT),
        ShapeError,
        r"\(12, 3\).*\(12, 4\)",
        True,
    ),
    "too many targets": (fit(y=[Y, Y]), ArgumentError, "2 arrays.*1 output", True),
    "no targets": (fit(y=None), (DataError, ArgumentError), r"\by\b", True),
    "an unknown output": (
        fit(y={"lest": Y}),
        ArgumentError,
        r"lest.*last",
        True,
    ),
}


def compiled_with(**arguments):
    return lambda k: classifier(k).compile(
        **{"optimizer": "adam", "loss": "mse", **arguments}
    )


ARGUMENTS = {
    "epochs as text": (fit(epochs="3"), DTypeError, "epochs.*'3'", True),
    "half an epoch": (fit(epochs=1.5), DTypeError, r"epochs.*1\.5", True),
    "negative epochs": (fit(epochs=-1), ArgumentError, "epochs.*-1", False),
    "batch_size as text": (fit(batch_size="8"), DTypeError, "batch_size.*'8'", True),
    "half a sample": (fit(batch_size=2.5), DTypeError, r"batch_size.*2\.5", False),
    "no batch": (fit(batch_size=0), ArgumentError, "batch_size.*0", False),
    "negative batch": (fit(batch_size=-4), ArgumentError, "batch_size.*-4", False),
    "steps as text": (fit(steps_per_epoch="x"), DTypeError, "steps.*'x'", True),
    "frequency": (
        fit(validation_freq=0, validation_data=(X, Y)),
        ArgumentError,
        "validation_freq.*0",
        False,
    ),
    "a string for a callback": (
        fit(callbacks=["early"]),
        ArgumentError,
        "'early'.*LambdaCallback",
        False,
    ),
    "a class for a callback": (
        fit(callbacks=[dn.callbacks.EarlyStopping]),
        ArgumentError,
        r"EarlyStopping\(\.\.\.\)",
        False,
    ),
    "optimizer": (compiled_with(optimizer="adm"), UnknownNameError, "'adam'", True),
    "loss": (
        compiled_with(loss="mean_squred_error"),
        UnknownNameError,
        "'mean_squared_error'",
        False,  # only when it trains
    ),
    "metric": (
        compiled_with(metrics=["acuracy"]),
        UnknownNameError,
        "'accuracy'|accuracy",
        False,
    ),
    "a loss for no output": (
        with_loss({"lest": "mse"}),
        UnknownNameError,
        "'lest'.*'last'",
        True,
    ),
    "metrics without a list": (
        compiled_with(metrics="mae"),
        ArgumentError,
        r"metrics=\['mae'\]",
        True,
    ),
    "weights of losses": (
        compiled_with(loss_weights="a"),
        ArgumentError,
        "loss_weights.*'a'",
        True,
    ),
    "verbose": (
        lambda k: classifier(k).fit(X, Y, verbose="loud"),
        ArgumentError,
        "verbose.*'loud'",
        False,
    ),
    "optimizer of another kind": (
        compiled_with(optimizer=3),
        (ArgumentError, DTypeError),
        "3",
        True,
    ),
    "activation": (
        lambda k: k.layers.Dense(2, activation="rellu"),
        UnknownNameError,
        "'relu'",
        True,
    ),
    "initializer": (
        lambda k: k.layers.Dense(2, kernel_initializer="glorot"),
        UnknownNameError,
        "glorot_",
        True,
    ),
    "regularizer": (
        lambda k: k.layers.Dense(2, kernel_regularizer="l3"),
        UnknownNameError,
        "'l2'",
        True,
    ),
    "units": (lambda k: k.layers.Dense(-2), ArgumentError, "-2", True),
    "units as text": (lambda k: k.layers.Dense("2"), DeepneuronError, "'2'", True),
    "an unknown argument": (
        lambda k: k.layers.Dense(2, activaton="relu"),
        ArgumentError,
        "'activaton'.*activation",
        True,
    ),
    "layer by name": (
        lambda k: classifier(k).get_layer("frist"),
        UnknownNameError,
        "'first'",
        True,
    ),
    "fit before compile": (
        lambda k: k.Sequential([k.layers.Dense(1)]).fit(X, Y, verbose=0),
        NotCompiledError,
        r"compile\(",
        True,
    ),
    "evaluate before compile": (
        lambda k: k.Sequential([k.layers.Dense(1)]).evaluate(X, Y, verbose=0),
        NotCompiledError,
        r"compile\(",
        True,
    ),
    "a step before compile": (
        lambda k: k.Sequential([k.layers.Dense(1)]).train_on_batch(X, Y),
        NotCompiledError,
        r"compile\(",
        True,
    ),
    "an array instead of an Input": (
        lambda k: k.Model(inputs=X, outputs=k.layers.Dense(1)(X)),
        ArgumentError,
        r"Input\(",
        True,
    ),
    "weights before Input": (
        lambda k: k.Sequential([k.layers.Dense(1)]).count_params(),
        NotBuiltError,
        "input shape",
        True,
    ),
    "output before Input": (
        lambda k: k.Sequential([k.layers.Dense(1)]).outputs,
        (NotBuiltError, AttributeError),
        "",
        False,
    ),
    "an Input in the middle": (
        lambda k: k.Sequential([k.layers.Dense(1), k.layers.Input((4,))]),
        ArgumentError,
        "must come first",
        False,
    ),
    "no layer": (
        lambda k: k.Sequential([k.layers.Dense(1), "relu"]),
        ArgumentError,
        "'relu'",
        True,
    ),
    "nothing to train": (
        lambda k: k.Sequential([]).build((None, 4)),
        ArgumentError,
        "no layers",
        True,
    ),
    "an image too small": (
        lambda k: k.layers.Conv2D(2, 5)(np.ones((1, 3, 3, 1), "float32")),
        ShapeError,
        r"\(1, 3, 3, 1\)|3",
        True,
    ),
    "channels that differ": (
        lambda k: images(k).predict(np.ones((2, 6, 6, 3), "float32"), verbose=0),
        ShapeError,
        r"\(None, 6, 6, 1\).*\(2, 6, 6, 3\)",
        True,
    ),
    "shapes within a model": (
        lambda k: k.layers.Add()(
            [k.layers.Input((3,)), k.layers.Input((4,))],
        ),
        ShapeError,
        "3.*4",
        True,
    ),
}

CASES = {**DATA, **LOSSES, **ARGUMENTS}


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_named(name):
    do, kind, sentence, _ = CASES[name]
    with pytest.raises(kind) as caught:
        do(dn)
    assert isinstance(caught.value, DeepneuronError)
    text = str(caught.value)
    assert re.search(sentence, text, re.DOTALL), text
    assert len(text) < 600, text
    assert "\n" not in text.strip(), text


KERAS_RAISES = [name for name, case in CASES.items() if case[3]]


@pytest.mark.parametrize("name", KERAS_RAISES)
def test_bad_input_raises_a_kind_of_what_keras_raises(name):
    do = CASES[name][0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(Exception) as theirs:
            do(keras())
    with pytest.raises(DeepneuronError) as ours:
        do(dn)
    known = (ValueError, TypeError, AttributeError, KeyError, NotImplementedError)
    builtin = next((c for c in known if isinstance(theirs.value, c)), None)
    if builtin in (ValueError, KeyError, NotImplementedError):
        assert isinstance(ours.value, builtin), repr(theirs.value)


@pytest.mark.parametrize("name", [*DATA, *LOSSES])
def test_bad_input_costs_nothing(name, monkeypatch):
    do = CASES[name][0]
    made, before = [], []
    sequential = dn.Sequential

    def remember(*args, **kwargs):
        made.append(sequential(*args, **kwargs))
        before.extend(made[-1].get_weights())
        return made[-1]

    monkeypatch.setattr(dn, "Sequential", remember)
    with pytest.raises(DeepneuronError):
        do(dn)
    monkeypatch.undo()
    model = made[0]
    assert before
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    model.compile("sgd", "mse")
    y = np.zeros((12, model.output_shape[-1]), "float32")
    assert np.isfinite(model.fit(X, y, verbose=0).history["loss"][0])


def test_an_error_in_the_middle_of_training_keeps_what_was_learned():
    def batches():
        yield X, Y
        yield X, Y
        yield X, Y + 7

    model = classifier()
    with pytest.raises(DataError, match=r"\b7\b|\b8\b|\b9\b"):
        model.fit(batches(), verbose=0)
    assert int(model.optimizer.iterations.numpy()) == 2
    twin = classifier()
    weights = model.get_weights()
    twin.set_weights(weights)
    history = model.fit(X, Y, epochs=2, verbose=0).history
    assert history["loss"][1] < history["loss"][0]
    np.testing.assert_array_equal(twin.get_weights()[0], weights[0])


def test_an_error_of_ones_own_layer_leaves_the_model_usable():
    class Sometimes(layers.Layer):
        broken = True

        def call(self, x):
            if self.broken:
                raise ZeroDivisionError("mine")
            return x

    for eagerly in (False, True):
        sometimes = Sometimes()
        model = dn.Sequential([layers.Dense(2), sometimes, layers.Dense(1)])
        model.compile("sgd", "mse", run_eagerly=eagerly)
        with pytest.raises(ZeroDivisionError, match="mine"):
            model.fit(X, X[:, :1], verbose=0)
        sometimes.broken = False
        assert np.isfinite(model.fit(X, X[:, :1], verbose=0).history["loss"][0])


@pytest.mark.parametrize(
    "ask",
    [
        lambda x: 1 if ops.sum(x) > 0 else 2,
        lambda x: float(ops.sum(x)),
        lambda x: int(ops.sum(x)),
        lambda x: [row for row in x],  # noqa: C416 - the loop is what is asked about
        np.tanh,
        np.asarray,
        lambda x: x.numpy(),
        lambda x: bool(ops.any(x)),
    ],
    ids=["if", "float", "int", "for", "numpy", "asarray", ".numpy()", "bool"],
)
def test_python_on_a_tensor_names_the_users_line(ask):
    class Asking(layers.Layer):
        def call(self, x):
            ask(x)
            return x

    model = dn.Sequential([layers.Dense(2), Asking(), layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(CaptureError, match=r"test_bad_input\.py:\d+") as caught:
        model.fit(X, X[:, :1], verbose=0)
    assert "run_eagerly=True" in str(caught.value)
    assert isinstance(caught.value, TypeError)


def test_a_layer_that_does_not_fit_says_which_one_and_what_it_wants():
    model = dn.Sequential([layers.Dense(3, name="hidden")])
    model.build((None, 4))
    hidden = model.layers[0]
    with pytest.raises(ShapeError, match=r"'hidden'.*4.*\(2, 5\)"):
        hidden(np.ones((2, 5), "float32"))
    conv = layers.Conv2D(2, 3, name="conv")
    with pytest.raises(ShapeError, match=r"'conv'.*4.*\(12, 4\)"):
        conv(X)


def test_a_model_says_which_input_is_missing():
    a, b = dn.Input((4,), name="a"), dn.Input((4,), name="b")
    model = dn.Model({"a": a, "b": b}, layers.Add()([a, b]))
    with pytest.raises(ArgumentError, match=r"lacks \['b'\]"):
        model.predict({"a": X}, verbose=0)
    with pytest.raises(ArgumentError, match=r"expects 2 inputs.*received 1"):
        model.predict(X, verbose=0)


def test_what_only_looks_wrong_is_no_error():
    raw = classifier(dn, activation=None, loss="categorical_crossentropy")
    raw.fit(X, ONE_HOT, verbose=0)  # a doctor's case, but legal
    column = classifier().fit(X, Y[:, None], verbose=0)
    assert np.isfinite(column.history["loss"][0])
    floats = classifier().fit(X, Y.astype("float32"), verbose=0)
    assert np.isfinite(floats.history["loss"][0])
    huge = np.full((12, 4), 2e38, "float32")  # its sum overflows, its values do not
    assert classifier().predict(huge, verbose=0).shape == (12, 3)
    classifier().evaluate(huge, Y, verbose=0)
    for odd in ({"batch_size": np.int64(5)}, {"epochs": np.int32(2)}):
        classifier().fit(X, Y, verbose=0, **odd)


def test_a_general_loss_without_targets_is_told_so():
    with pytest.raises(DataError, match="fit\\(x, y\\)"):
        classifier(loss="crossentropy").fit(X, verbose=0)
