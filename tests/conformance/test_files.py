"""Files both ways with real Keras: the same predictions, and training goes on alike."""

import json
import zipfile

import numpy as np
import pytest

import deepneuron as dn
from deepneuron.errors import SavingError
from tests.peers import keras

# Keras's own variables, with a NumPy that is newer than they are.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ impl:DeprecationWarning"),
    # ... and its optimizers that were saved before the first step.
    pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer"),
]

# --- models, each written once for both libraries


def dense(k):
    return k.Sequential(
        [
            k.Input((6,)),
            k.layers.Dense(8, activation="relu", kernel_regularizer="l2"),
            k.layers.Dropout(0.5),
            k.layers.Dense(3, activation="softmax", name="out"),
        ],
        name="dense_net",
    )


def late(k):
    """Its input shape becomes known only with the data."""
    model = k.Sequential([k.layers.Dense(4, activation="tanh"), k.layers.Dense(2)])
    model.build((None, 6))
    return model


def pictures(k):
    return k.Sequential(
        [
            k.Input((8, 8, 2)),
            k.layers.Rescaling(1 / 255),
            k.layers.ZeroPadding2D(1),
            k.layers.Conv2D(4, 3, padding="same", use_bias=False),
            k.layers.BatchNormalization(),
            k.layers.ReLU(),
            k.layers.MaxPooling2D(),
            k.layers.Conv2D(3, 3, strides=2, kernel_initializer="he_normal"),
            k.layers.LeakyReLU(negative_slope=0.2),
            k.layers.AveragePooling2D(1),
            k.layers.LayerNormalization(),
            k.layers.GlobalAveragePooling2D(),
            k.layers.Reshape((3, 1)),
            k.layers.Flatten(),
            k.layers.Dense(3),
            k.layers.Activation("softmax"),
        ]
    )


def augmented(k):
    return k.Sequential(
        [
            k.Input((8, 8, 1)),
            k.layers.RandomFlip("horizontal", seed=1),
            k.layers.RandomRotation(0.1, seed=2),
            k.layers.Flatten(),
            k.layers.Softmax(),
        ]
    )


def shared(k):
    a, b = k.Input((6,), name="a"), k.Input((6,), name="b")
    twice = k.layers.Dense(4, activation="relu", name="twice")
    both = k.layers.Concatenate()([twice(a), twice(b)])
    return k.Model([a, b], k.layers.Dense(2)(both), name="siamese")


def dictionaries(k):
    inputs = {"left": k.Input((6,), name="left"), "right": k.Input((6,), name="right")}
    total = k.layers.Add()([inputs["left"], inputs["right"]])
    product = k.layers.Multiply()([inputs["left"], inputs["right"]])
    mean = k.layers.Average()([inputs["left"], product])
    outputs = {
        "total": k.layers.Dense(2, name="total")(total),
        "rest": k.layers.Dense(1, name="rest")(mean),
    }
    return k.Model(inputs, outputs)


def several_outputs(k):
    x = k.Input((6,))
    hidden = k.layers.Dense(5, activation="relu")(x)
    return k.Model(
        x, [k.layers.Dense(2, name="p")(hidden), k.layers.Dense(1, name="q")(hidden)]
    )


def nested(k):
    inner = k.Sequential(
        [k.Input((6,)), k.layers.Dense(5), k.layers.BatchNormalization()], name="inner"
    )
    middle_in = k.Input((6,))
    middle = k.Model(
        middle_in, k.layers.Add()([inner(middle_in), k.layers.Dense(5)(middle_in)])
    )
    x = k.Input((6,))
    return k.Model(x, k.layers.Dense(2)(middle(x)))


def nested_in_sequential(k):
    x = k.Input((6,))
    inner = k.Model(x, k.layers.Dense(4)(x), name="inner")
    return k.Sequential([k.Input((6,)), inner, k.layers.Dense(2)])


def embedding(k):
    return k.Sequential(
        [
            k.Input((5,), dtype="int32"),
            k.layers.Embedding(10, 3),
            k.layers.Flatten(),
            k.layers.Dense(2, bias_constraint="non_neg"),
        ]
    )


def normalization(k):
    return k.Sequential(
        [
            k.Input((6,)),
            k.layers.Normalization(mean=[1.0] * 6, variance=[4.0] * 6),
            k.layers.Dense(2, activity_regularizer=k.regularizers.L1(0.1)),
        ]
    )


def adapted(k):
    layer = k.layers.Normalization()
    layer.adapt(np.random.default_rng(5).normal(2, 3, (40, 6)).astype(np.float32))
    return k.Sequential([k.Input((6,)), layer, k.layers.Dense(2)])


def frozen(k):
    model = dense(k)
    model.layers[0].trainable = False
    return model


MODELS = [
    dense, late, pictures, augmented, shared, dictionaries, several_outputs, nested,
    nested_in_sequential, embedding, normalization, adapted, frozen,
]  # fmt: skip
both_ways = pytest.mark.parametrize("theirs_first", [False, True], ids=["to", "from"])


def libraries(theirs_first):
    return (keras(), dn) if theirs_first else (dn, keras())


def data(model, samples=12, seed=0):
    """(x, y) that fit the model's inputs and outputs."""
    rng = np.random.default_rng(seed)

    def one(tensor):
        shape = (samples, *tensor.shape[1:])
        if str(tensor.dtype).startswith("int"):
            return rng.integers(0, 10, shape).astype(np.int32)
        return rng.normal(size=shape).astype(np.float32)

    def structure(tree):
        if isinstance(tree, dict):
            return {key: one(tree[key]) for key in sorted(tree)}
        return [one(t) for t in tree] if isinstance(tree, (list, tuple)) else one(tree)

    if type(model).__name__ == "Sequential":
        return one(model.inputs[0]), one(model.outputs[0])
    return structure(model.input), structure(model.output)


def predict(model, x):
    y = model.predict(x, verbose=0)
    if isinstance(y, dict):
        return [y[key] for key in sorted(y)]
    return list(y) if isinstance(y, (list, tuple)) else [y]


def assert_same_predictions(a, b, tolerance=1e-5):
    x, _ = data(a)
    for ours, theirs in zip(predict(a, x), predict(b, x), strict=True):
        scale = max(1.0, float(np.abs(theirs).max()))
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * scale)


def scramble(model):
    """Other weights than a fresh model has, statistics included."""
    rng = np.random.default_rng(3)
    model.set_weights(
        [
            w if w.dtype.kind != "f" else rng.uniform(0.1, 1, w.shape).astype(w.dtype)
            for w in model.get_weights()
        ]
    )


@both_ways
@pytest.mark.parametrize("make", MODELS, ids=lambda f: f.__name__)
def test_same_predictions(make, theirs_first, tmp_path):
    a, b = libraries(theirs_first)
    model = make(a)
    if make not in (augmented, normalization, adapted):
        scramble(model)
    model.save(tmp_path / "m.keras")
    loaded = b.models.load_model(tmp_path / "m.keras")
    assert_same_predictions(model, loaded)
    assert [layer.name for layer in loaded.layers] == [l.name for l in model.layers]
    assert [layer.trainable for layer in loaded.layers] == [
        layer.trainable for layer in model.layers
    ]
    assert len(loaded.trainable_weights) == len(model.trainable_weights)


@pytest.mark.parametrize("make", MODELS, ids=lambda f: f.__name__)
def test_round_trip_over_keras(make, tmp_path):
    model = make(dn)
    model.compile("adam", "mse")
    model.save(tmp_path / "ours.keras")
    keras().models.load_model(tmp_path / "ours.keras").save(tmp_path / "theirs.keras")
    back = dn.models.load_model(tmp_path / "theirs.keras")
    for ours, theirs in zip(model.get_weights(), back.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert_same_predictions(model, back, 0)


@pytest.mark.parametrize("make", MODELS, ids=lambda f: f.__name__)
def test_round_trip_of_our_own(make, tmp_path):
    model = make(dn)
    model.save(tmp_path / "m.keras")
    again = dn.models.load_model(tmp_path / "m.keras")
    again.save(tmp_path / "n.keras")
    for name in ("config.json", "model.weights.h5"):
        with zipfile.ZipFile(tmp_path / "m.keras") as a:
            first = a.read(name)
        with zipfile.ZipFile(tmp_path / "n.keras") as b:
            assert b.read(name) == first


# --- training goes on


def optimizer(k, name):
    schedule = k.optimizers.schedules
    return {
        "sgd": lambda: k.optimizers.SGD(0.05),
        "momentum": lambda: k.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
        "adam": lambda: k.optimizers.Adam(0.01, clipnorm=1.0),
        "amsgrad": lambda: k.optimizers.Adam(0.01, amsgrad=True),
        "adamw": lambda: k.optimizers.AdamW(0.01, weight_decay=0.01),
        "rmsprop": lambda: k.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
        "adagrad": lambda: k.optimizers.Adagrad(0.1),
        "exponential": lambda: k.optimizers.Adam(
            schedule.ExponentialDecay(0.05, decay_steps=2, decay_rate=0.5)
        ),
        "piecewise": lambda: k.optimizers.SGD(
            schedule.PiecewiseConstantDecay([2, 4], [0.1, 0.05, 0.01]), momentum=0.5
        ),
        "cosine": lambda: k.optimizers.SGD(schedule.CosineDecay(0.1, 10)),
        "polynomial": lambda: k.optimizers.SGD(schedule.PolynomialDecay(0.1, 10)),
        "inverse": lambda: k.optimizers.SGD(schedule.InverseTimeDecay(0.1, 2, 0.5)),
    }[name]()


OPTIMIZERS = [
    "sgd", "momentum", "adam", "amsgrad", "adamw", "rmsprop", "adagrad", "exponential",
    "piecewise", "cosine", "polynomial", "inverse",
]  # fmt: skip


def trainable_net(k):
    return k.Sequential(
        [
            k.Input((6,)),
            k.layers.Dense(5, activation="tanh"),
            k.layers.BatchNormalization(),
            k.layers.Dense(2),
        ]
    )


@both_ways
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_goes_on_alike(name, theirs_first, tmp_path):
    a, b = libraries(theirs_first)
    model = trainable_net(a)
    model.compile(optimizer(a, name), "mse", metrics=["mae"])
    x, y = data(model)
    for _ in range(3):
        model.train_on_batch(x, y)
    model.save(tmp_path / "m.keras")
    loaded = b.models.load_model(tmp_path / "m.keras")
    assert int(np.asarray(loaded.optimizer.iterations)) == 3
    for _ in range(3):
        before = model.train_on_batch(x, y, return_dict=True)
        after = loaded.train_on_batch(x, y, return_dict=True)
    assert after.keys() == before.keys()
    np.testing.assert_allclose(after["loss"], before["loss"], rtol=1e-5)
    assert_same_predictions(model, loaded)


@both_ways
def test_two_outputs_go_on_alike(theirs_first, tmp_path):
    a, b = libraries(theirs_first)
    model = several_outputs(a)
    model.compile(
        "adam",
        loss=["mse", a.losses.MeanAbsoluteError()],
        loss_weights=[1.0, 0.5],
        metrics=[["mae"], [a.metrics.MeanSquaredError(name="squares")]],
    )
    x, y = data(model)
    model.train_on_batch(x, y)
    model.save(tmp_path / "m.keras")
    loaded = b.models.load_model(tmp_path / "m.keras")
    before = model.train_on_batch(x, y, return_dict=True)
    after = loaded.train_on_batch(x, y, return_dict=True)
    assert after["loss"] == pytest.approx(before["loss"], rel=1e-5)
    assert_same_predictions(model, loaded)


LOSSES = {
    "name": lambda k: "sparse_categorical_crossentropy",
    "object": lambda k: k.losses.SparseCategoricalCrossentropy(from_logits=True),
    "function": lambda k: k.losses.sparse_categorical_crossentropy,
    "alias": lambda k: "SparseCategoricalCrossentropy",
}
METRICS = {
    "names": lambda k: ["accuracy", "sparse_top_k_categorical_accuracy"],
    "objects": lambda k: [
        k.metrics.SparseCategoricalAccuracy(name="hits"),
        k.metrics.SparseTopKCategoricalAccuracy(k=2),
    ],
    "nothing": lambda k: None,
}


@both_ways
@pytest.mark.parametrize("metrics", METRICS)
@pytest.mark.parametrize("loss", LOSSES)
def test_losses_and_metrics(loss, metrics, theirs_first, tmp_path):
    a, b = libraries(theirs_first)
    model = dense(a)
    model.compile("sgd", LOSSES[loss](a), metrics=METRICS[metrics](a))
    x, _ = data(model)
    y = np.arange(12) % 3
    expected = model.evaluate(x, y, verbose=0, return_dict=True)
    model.save(tmp_path / "m.keras")
    loaded = b.models.load_model(tmp_path / "m.keras")
    measured = loaded.evaluate(x, y, verbose=0, return_dict=True)
    assert measured.keys() == expected.keys()
    for key, value in expected.items():
        assert float(measured[key]) == pytest.approx(float(value), rel=1e-5)


@both_ways
def test_without_compiling(theirs_first, tmp_path):
    a, b = libraries(theirs_first)
    model = dense(a)
    model.compile("adam", "mse")
    model.save(tmp_path / "m.keras")
    assert not b.models.load_model(tmp_path / "m.keras", compile=False).compiled


# --- weights alone


@both_ways
@pytest.mark.parametrize(
    "make", [dense, pictures, nested, shared], ids=lambda f: f.__name__
)
def test_weights_files(make, theirs_first, tmp_path):
    a, b = libraries(theirs_first)
    model, other = make(a), make(b)
    scramble(model)
    model.save_weights(tmp_path / "m.weights.h5")
    other.load_weights(tmp_path / "m.weights.h5")
    assert_same_predictions(model, other)


@both_ways
def test_weights_out_of_a_model_file(theirs_first, tmp_path):
    a, b = libraries(theirs_first)
    model, other = nested(a), nested(b)
    model.save(tmp_path / "m.keras")
    other.load_weights(tmp_path / "m.keras")
    assert_same_predictions(model, other)


@both_ways
def test_weights_that_do_not_fit_can_be_skipped(theirs_first, tmp_path):
    a, b = libraries(theirs_first)

    def make(k, classes):
        layers = [
            k.Input((6,)),
            k.layers.Dense(4, name="kept"),
            k.layers.Dense(classes),
        ]
        return k.Sequential(layers)

    model, other = make(a, 3), make(b, 2)
    head = other.layers[1].get_weights()
    model.save_weights(tmp_path / "m.weights.h5")
    with pytest.raises(ValueError, match=r"\(4, 2\)"):
        other.load_weights(tmp_path / "m.weights.h5")
    with pytest.warns(UserWarning, match="fit|could not be loaded"):
        other.load_weights(tmp_path / "m.weights.h5", skip_mismatch=True)
    for mine, loaded in zip(
        model.layers[0].get_weights(), other.layers[0].get_weights(), strict=True
    ):
        np.testing.assert_array_equal(mine, loaded)
    for mine, loaded in zip(head, other.layers[1].get_weights(), strict=True):
        np.testing.assert_array_equal(mine, loaded)


# --- classes of one's own


def custom(k):
    """A layer with layers in it, and a model class, registered in both libraries."""

    @k.saving.register_keras_serializable("tests", name="Gate")
    class Gate(k.layers.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.parts = [
                k.layers.Dense(units, name="u"),
                k.layers.Dense(units, name="v"),
            ]
            self._norm = k.layers.LayerNormalization()

        def build(self, input_shape):
            for part in self.parts:
                part.build(input_shape)
            self._norm.build((*input_shape[:-1], self.units))
            self.scale = self.add_weight(shape=(self.units,), name="scale")

        def call(self, x):
            return self._norm(self.parts[0](x) * self.parts[1](x)) * self.scale

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    x = k.Input((6,))
    return k.Model(x, k.layers.Dense(2)(Gate(4)(x)))


@both_ways
def test_layers_of_ones_own(theirs_first, tmp_path):
    a, b = libraries(theirs_first)
    custom(b)
    model = custom(a)
    scramble(model)
    model.save(tmp_path / "m.keras")
    loaded = b.models.load_model(tmp_path / "m.keras")
    assert_same_predictions(model, loaded)


def test_lambda_of_keras_is_never_run(tmp_path):
    k = keras()
    x = k.Input((2,))
    k.Model(x, k.layers.Lambda(lambda v: v * 2)(x)).save(tmp_path / "m.keras")
    for safe_mode in (True, False):
        with pytest.raises(SavingError, match="compiled Python code"):
            dn.models.load_model(tmp_path / "m.keras", safe_mode=safe_mode)


def test_metadata(tmp_path):
    dense(dn).save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        metadata = json.loads(archive.read("metadata.json"))
    assert metadata["keras_version"] == keras().__version__
    assert metadata["deepneuron_version"] == dn.__version__
    assert len(metadata["date_saved"]) == 19
