import json
import random

import numpy as np
import pytest

from deepneuron import Input, Model, Sequential, layers, optimizers, utils
from deepneuron.data import load_digits, load_fashion
from deepneuron.data.augment import Augmentation
from deepneuron.data.batches import Batches
from deepneuron.errors import (
    ArgumentError,
    DataError,
    NotBuiltError,
    NotCompiledError,
    SavingError,
)
from deepneuron.ops import seed_generator
from deepneuron.vision.find_rate import STEPS, RateSearch, find_rate

OPTIMIZERS = {
    "adam": optimizers.Adam,
    "sgd": lambda rate: optimizers.SGD(rate, momentum=0.9),
}


def pictures(name, count=640):
    (x, y), _ = {"digits": load_digits, "fashion": load_fashion}[name]()
    peak = 16 if name == "digits" else 255
    x = (x[:count, ..., None].astype(int) * 255 // peak).astype(np.uint8)
    return x, y[:count].astype(np.int64)


def batches(name, count=640, **options):
    x, y = pictures(name, count)
    return Batches(x, y, np.arange(len(x)), batch_size=32, shuffle=True, **options)


def network(kind, shape, seed=0):
    utils.set_random_seed(seed)
    body = {
        "mlp": lambda: [layers.Flatten(), layers.Dense(64, activation="relu")],
        "cnn": lambda: [
            layers.Conv2D(8, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(32, activation="relu"),
        ],
        "batch normalization": lambda: [
            layers.Conv2D(8, 3, use_bias=False),
            layers.BatchNormalization(),
            layers.Activation("relu"),
            layers.GlobalAveragePooling2D(),
        ],
    }[kind]()
    first, last = layers.Rescaling(1 / 255), layers.Dense(10, activation="softmax")
    return Sequential([Input(shape), first, *body, last])


def compiled(kind, shape, optimizer="adam", rate=1e-3):
    model = network(kind, shape)
    if isinstance(optimizer, str):
        optimizer = OPTIMIZERS[optimizer](rate)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


FEW = [
    ("digits", "mlp", "adam"),
    ("digits", "cnn", "sgd"),
    ("digits", "batch normalization", "adam"),
]
CASES = [
    pytest.param(
        name,
        kind,
        optimizer,
        marks=() if (name, kind, optimizer) in FEW else pytest.mark.slow,
    )
    for name in ("digits", "fashion")
    for kind in ("mlp", "cnn", "batch normalization")
    for optimizer in OPTIMIZERS
]


@pytest.mark.parametrize(("name", "kind", "optimizer"), CASES)
def test_what_is_suggested_trains(name, kind, optimizer):
    data = batches(name)
    shape = data.x.shape[1:]
    search = find_rate(compiled(kind, shape, optimizer), data)
    assert "a quarter of that" in search.reason
    low, high = {"adam": (3e-4, 0.1), "sgd": (3e-3, 0.3)}[optimizer]
    assert low <= search.suggestion <= high
    final = {}
    for rate in (search.suggestion, search.suggestion / 100):
        model = compiled(kind, shape, optimizer, rate)
        history = model.fit(data, epochs=3, shuffle=False, verbose=0).history
        final[rate] = history["loss"][-1]
    learned, hardly = final.values()
    assert learned < 0.85 * hardly
    assert learned < 2.0


def noisy_model(optimizer):
    """One that draws for dropout, averages for batch normalization and counts steps."""
    utils.set_random_seed(3)
    model = Sequential(
        [
            Input((8, 8, 1)),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(16, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@pytest.mark.parametrize("trained_before", [False, True])
def test_the_model_goes_on_as_if_nothing_had_been(trained_before):
    def run(search):
        model = noisy_model(
            optimizers.Adam(optimizers.schedules.CosineDecay(0.01, 100))
        )
        data = batches("digits", 200, augmentation=Augmentation(contrast=0.3))
        if trained_before:
            model.fit(data, epochs=1, shuffle=False, verbose=0)
        if search:
            find_rate(model, data, steps=30)
        history = model.fit(data, epochs=2, shuffle=False, verbose=0).history
        drawn = (random.getstate(), np.random.random(), seed_generator.draw_key(None))
        state = [v.numpy() for v in (*model.variables, *model.optimizer.variables)]
        return history, drawn, state, data.epoch

    (one, drawn, state, epoch), (other, others_drawn, others_state, others_epoch) = (
        run(search=True),
        run(search=False),
    )
    assert one == other
    assert epoch == others_epoch
    assert drawn[:2] == others_drawn[:2]
    np.testing.assert_array_equal(drawn[2], others_drawn[2])
    for a, b in zip(state, others_state, strict=True):
        np.testing.assert_array_equal(a, b)


def test_random_numbers_of_the_process_are_kept_even_if_nothing_was_drawn(monkeypatch):
    monkeypatch.setattr(seed_generator, "_global", None)
    model = Sequential(
        [
            Input((8, 8, 1)),
            layers.Flatten(),
            layers.Lambda(lambda x: x + seed_generator.draw_key(None)[0] * 0.0),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    monkeypatch.setattr(seed_generator, "_global", None)
    random.seed(5)
    before = random.getstate()
    find_rate(model, batches("digits", 64), steps=20)
    assert seed_generator._global is None
    assert random.getstate() == before


def test_an_error_in_the_middle_leaves_the_model_as_it_was():
    model = noisy_model("adam")
    before = [v.numpy().copy() for v in model.variables]
    optimizer = model.optimizer

    def interrupt(done, of):
        if done == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find_rate(model, batches("digits", 200), progress=interrupt)
    assert model.optimizer is optimizer
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


def test_the_same_search_twice_says_the_same():
    model, data = noisy_model("adam"), batches("digits", 200)
    seen = []
    one = find_rate(
        model, data, steps=40, progress=lambda done, of: seen.append((done, of))
    )
    assert one == find_rate(model, data, steps=40)
    assert one == find_rate(noisy_model("adam"), batches("digits", 200), steps=40)
    assert seen[: len(one.rates)] == [(i + 1, 40) for i in range(len(one.rates))]
    assert seen[-1] == (40, 40)


def test_rates_rise_by_equal_factors_until_the_loss_explodes():
    search = find_rate(
        compiled("mlp", (8, 8, 1), optimizers.Adam(0.1)), batches("digits")
    )
    assert search.rates[0] == pytest.approx(1e-6)
    factors = np.diff(np.log(search.rates))
    np.testing.assert_allclose(factors, np.log(1e6) / (STEPS - 1))
    assert len(search.rates) == len(search.losses) == len(search.smoothed)


class Stubborn(Model):
    """A model whose steps report losses of our choice."""

    def __init__(self, losses):
        super().__init__()
        self.dense = layers.Dense(10)
        self.losses_to_come = iter(losses)

    def call(self, x):
        return self.dense(layers.Flatten()(x))

    def train_on_batch(self, x, y, sample_weight=None, return_dict=False):
        return {"loss": next(self.losses_to_come)}


@pytest.mark.parametrize(
    ("losses", "message"),
    [
        ([2.0] * STEPS, "At no learning rate up to 1 did the loss fall clearly"),
        ([2.0] * 50 + [1.97] * 50, "did the loss fall clearly"),
        (list(np.linspace(2, 9, STEPS)), "did the loss fall clearly"),
        ([0.0] * STEPS, "did the loss fall clearly"),
        ([2.0] * 5 + [float("nan")] * 95, "left the finite numbers after 5 steps"),
        ([float("inf")], "left the finite numbers after 0 steps"),
    ],
)
def test_a_curve_that_says_nothing_leaves_the_rate_as_it_is(losses, message):
    model = Stubborn(losses)
    model.build((None, 8, 8, 1))
    model.compile(optimizers.Adam(0.004), "mse")
    search = find_rate(model, batches("digits", 64))
    assert search.suggestion == pytest.approx(0.004)
    assert message in search.reason
    assert "so 0.004 is only the optimizer's own rate" in search.reason
    assert str(search) == f"{search.line()}\n{search.reason}"
    assert "suggested: 0.004" in search.line()
    assert json.loads(json.dumps(search.to_json(), allow_nan=False))


@pytest.mark.parametrize("level", [0.02, 2.0])
def test_noise_alone_is_no_fall(level):
    model = Stubborn([])
    model.build((None, 8, 8, 1))
    model.compile(optimizers.Adam(0.004), "mse")
    data = batches("digits", 64)
    for seed in range(30):
        noise = np.random.default_rng(seed).normal(level, 0.2 * level, STEPS)
        model.losses_to_come = iter(np.abs(noise))
        assert find_rate(model, data).suggestion == pytest.approx(0.004)


def test_a_valley_gives_a_quarter_of_the_rate_at_its_bottom():
    i = np.arange(STEPS)
    losses = 2.3 - 2 * np.exp(-0.5 * ((i - 66) / 9) ** 2)
    losses[90:] = 50.0
    model = Stubborn(losses)
    model.build((None, 8, 8, 1))
    model.compile("sgd", "mse")
    search = find_rate(model, batches("digits", 64))
    assert search.suggestion == pytest.approx(0.01 / 4, rel=0.03)  # rates[66] is 0.01
    assert len(search.rates) == 91
    assert search.reason == (
        "The loss fell from 2.3 to 0.403 while the learning rate rose to 0.01; 0.0025 "
        "is a quarter of that."
    )


@pytest.mark.parametrize("suffix", ["png", "SVG"])
def test_the_curve_is_drawn_into_a_file(tmp_path, suffix):
    losses = (2.0, 1.0, 0.5, 1e9)
    search = RateSearch((1e-3, 1e-2, 0.1, 1.0), losses, losses, 0.025, "")
    path = tmp_path / f"rates.{suffix}"
    search.picture(path)
    begin = {"png": b"\x89PNG", "SVG": b"<?xml"}[suffix]
    assert path.read_bytes().startswith(begin)
    with pytest.raises(ArgumentError, match=r"written as \.png, \.svg, \.pdf"):
        search.picture(tmp_path / "rates.txt")
    with pytest.raises(SavingError):
        search.picture(tmp_path / "nowhere" / "rates.png")


def test_a_line_of_text_for_any_curve():
    assert "suggested: 0.1" in RateSearch((), (), (), 0.1, "").line()
    flat = RateSearch((1e-6, 1.0), (2.0, 2.0), (2.0, 2.0), 0.1, "")
    assert flat.line() == "learning rate 1e-06 ▁▁ 1; suggested: 0.1"


def test_models_that_are_not_ready():
    data = batches("digits", 64)
    with pytest.raises(NotCompiledError):
        find_rate(network("mlp", (8, 8, 1)), data)
    unbuilt = Sequential([layers.Flatten(), layers.Dense(10)])
    unbuilt.compile("adam", "mse")
    with pytest.raises(NotBuiltError, match="begin it with an Input"):
        find_rate(unbuilt, data)
    model = compiled("mlp", (8, 8, 1))
    with pytest.raises(ArgumentError, match="needs 20 steps; received 5"):
        find_rate(model, data, steps=5)
    x, y = pictures("digits", 4)
    none = Batches(x, y, np.zeros(0, int), batch_size=2)
    with pytest.raises(DataError, match="there is no batch"):
        find_rate(model, none)
