"""Callbacks that watch a value decide as Keras's do, whatever the values are."""

from __future__ import annotations

import inspect
import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import example, given

import deepneuron as dn
from deepneuron import callbacks
from deepneuron.errors import ArgumentError
from tests.callbacks.fakes import drive
from tests.peers import keras

# Keras compares float32 numbers: a coarse grid is exact in both.
values = st.one_of(
    st.integers(-8, 8).map(lambda n: n / 4),
    st.sampled_from([math.nan, math.inf, -math.inf]),
)
sequences = st.lists(values, min_size=1, max_size=14)
modes = st.sampled_from(["min", "max", "auto"])


def both(name, epochs, fits=1, batches=0, **arguments):
    ours, theirs = (
        drive(getattr(k.callbacks, name)(**arguments), epochs, batches, fits=fits)
        for k in (dn, keras())
    )
    assert repr(ours) == repr(theirs)
    return ours


def logs_of(sequence, name="val_loss"):
    return [{"loss": 1.0, name: value} for value in sequence]


@pytest.mark.parametrize("name", sorted(set(callbacks.__all__) - {"ProgbarLogger"}))
def test_callbacks_have_the_signatures_of_keras(name):
    mine, real = (
        inspect.signature(getattr(k.callbacks, name)).parameters.values()
        for k in (dn, keras())
    )
    assert [(p.name, p.default, p.kind) for p in mine] == [
        (p.name, p.default, p.kind) for p in real
    ]


@given(
    sequence=sequences,
    mode=modes,
    min_delta=st.sampled_from([0, 0.25, -0.5]),
    patience=st.integers(0, 3),
    baseline=st.sampled_from([None, 0.0, -1.0]),
    restore=st.booleans(),
    start=st.integers(0, 3),
    fits=st.integers(1, 2),
)
@example([1.0, 1.0], "min", 0, 0, None, True, 0, 1)
@example([math.nan, math.nan, 1.0], "min", 0, 1, None, True, 0, 2)
def test_early_stopping_decides_as_in_keras(
    sequence, mode, min_delta, patience, baseline, restore, start, fits
):
    both(
        "EarlyStopping",
        logs_of(sequence),
        fits,
        mode=mode,
        min_delta=min_delta,
        patience=patience,
        baseline=baseline,
        restore_best_weights=restore,
        start_from_epoch=start,
        verbose=1,
    )


@given(
    sequence=sequences,
    mode=modes,
    min_delta=st.sampled_from([0, 0.25, 1e-4]),
    patience=st.integers(0, 3),
    cooldown=st.integers(0, 3),
    factor=st.sampled_from([0.5, 0.1]),
    min_lr=st.sampled_from([0.0, 0.3]),
    fits=st.integers(1, 2),
)
def test_reduce_lr_on_plateau_decides_as_in_keras(
    sequence, mode, min_delta, patience, cooldown, factor, min_lr, fits
):
    both(
        "ReduceLROnPlateau",
        logs_of(sequence),
        fits,
        mode=mode,
        min_delta=min_delta,
        patience=patience,
        cooldown=cooldown,
        factor=factor,
        min_lr=min_lr,
        verbose=1,
    )


@given(
    sequence=sequences,
    mode=modes,
    best_only=st.booleans(),
    weights_only=st.booleans(),
    threshold=st.sampled_from([None, 0.0, -0.5]),
    frequency=st.sampled_from(["epoch", 1, 2, 3, 7]),
    batches=st.integers(0, 5),
    form=st.sampled_from(["m", "m-{epoch:02d}", "m-{epoch}-{val_loss:.2f}"]),
)
def test_model_checkpoint_saves_when_keras_does(
    sequence, mode, best_only, weights_only, threshold, frequency, batches, form
):
    if best_only and frequency != "epoch" and mode != "auto":
        mode = "auto"
    if best_only and frequency != "epoch":
        return  # Keras fails before its first epoch has ended; see below
    both(
        "ModelCheckpoint",
        logs_of(sequence),
        batches=batches,
        filepath=form + (".weights.h5" if weights_only else ".keras"),
        mode=mode,
        save_best_only=best_only,
        save_weights_only=weights_only,
        initial_value_threshold=threshold,
        save_freq=frequency,
        verbose=1,
    )


def test_model_checkpoint_keeps_the_best_of_batches_too():
    callback = callbacks.ModelCheckpoint(
        "{batch}.keras", monitor="loss", save_best_only=True, save_freq=2
    )
    done = drive(callback, [{"loss": v} for v in (3.0, 4.0, 2.0)], batches=2)
    assert done["saved"] == [("model", "2.keras", 0), ("model", "2.keras", 2)]


def test_a_checkpoint_that_lacks_its_monitor_saves_and_warns_as_in_keras():
    done = both(
        "ModelCheckpoint",
        [{"loss": 1.0}],
        filepath="m.keras",
        save_best_only=True,
        monitor="val_loss",
    )
    assert len(done["saved"]) == done["warned"] == 1
    both(
        "ModelCheckpoint",
        [{"loss": 1.0, "val_loss": np.ones(2)}],
        filepath="m.keras",
        save_best_only=True,
    )


@pytest.mark.parametrize("name", ["EarlyStopping", "ReduceLROnPlateau"])
def test_what_lacks_its_monitor_warns_as_in_keras(name):
    assert both(name, [{"loss": 1.0}, {"loss": 1.0}])["warned"] == 2


def test_a_path_that_asks_for_an_unknown_value_is_named():
    callback = callbacks.ModelCheckpoint("{val_los}.keras")
    with pytest.raises(ArgumentError, match=r"'val_los'.*'val_loss'") as caught:
        drive(callback, logs_of([1.0]))
    assert isinstance(caught.value, KeyError)
    with pytest.raises(KeyError):
        drive(keras().callbacks.ModelCheckpoint("{val_los}.keras"), logs_of([1.0]))


@pytest.mark.parametrize(
    "arguments",
    [
        {"filepath": "m.h6"},
        {"filepath": "m.keras", "save_weights_only": True},
        {"filepath": "m.keras", "save_freq": "batch"},
        {"filepath": "m.keras", "save_freq": 2.0},
    ],
    ids=lambda a: "-".join(map(str, a.values())),
)
def test_checkpoints_that_cannot_work_are_refused_as_in_keras(arguments):
    with pytest.raises(ValueError):
        keras().callbacks.ModelCheckpoint(**arguments)
    with pytest.raises(ArgumentError, match=str(list(arguments.values())[-1])[:6]):
        callbacks.ModelCheckpoint(**arguments)


def test_a_factor_that_does_not_reduce_is_refused_as_in_keras():
    with pytest.raises(ValueError, match="factor"):
        keras().callbacks.ReduceLROnPlateau(factor=1.0)
    with pytest.raises(ArgumentError, match=r"factor=1\.0"):
        callbacks.ReduceLROnPlateau(factor=1.0)


def test_an_unknown_mode_falls_back_to_auto_with_a_warning():
    for k in (dn, keras()):
        with pytest.warns(UserWarning, match="fallback"):
            assert k.callbacks.EarlyStopping(mode="least").mode == "auto"


def test_a_monitor_of_unknown_direction_is_an_error_as_in_keras():
    for k in (dn, keras()):
        with pytest.raises(ValueError, match="mode='max'"):
            drive(k.callbacks.EarlyStopping("val_vowels"), [{"val_vowels": 1.0}])


def real_model(k):
    model = k.Sequential(
        [k.layers.Input((2,)), k.layers.Dense(3, activation="softmax")]
    )
    model.compile(
        "sgd",
        "sparse_categorical_crossentropy",
        metrics=["accuracy", "sparse_categorical_crossentropy"],
    )
    return model


@pytest.mark.parametrize(
    ("monitor", "higher"),
    [
        ("loss", False),
        ("val_loss", False),
        ("accuracy", True),
        ("val_sparse_categorical_crossentropy", False),
    ],
)
def test_auto_mode_asks_the_metrics_of_the_model(monitor, higher):
    x, y = np.ones((6, 2), "float32"), np.arange(6) % 3
    for k in (dn, keras()):
        model = real_model(k)
        model.fit(x, y[:, None], verbose=0)
        stop = k.callbacks.EarlyStopping(monitor)
        stop.set_model(model)
        stop._set_monitor_op()
        assert bool(stop.monitor_op(2.0, 1.0)) is higher


def test_early_stopping_gives_back_the_best_weights_of_a_real_model():
    model = real_model(dn)
    x, y = np.eye(2, dtype="float32"), np.array([0, 1])
    history = []

    class Spoil(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["score"] = [1.0, 3.0, 2.0, 1.0, 0.0][epoch]
            history.append(self.model.get_weights())

    stop = callbacks.EarlyStopping(
        "score", mode="max", patience=2, restore_best_weights=True
    )
    model.fit(x, y, epochs=5, verbose=0, callbacks=[Spoil(), stop])
    assert len(history) == 4
    for best, now in zip(history[1], model.get_weights(), strict=True):
        np.testing.assert_array_equal(best, now)


def test_reduce_lr_reaches_the_optimizer_of_a_planned_step():
    model = real_model(dn)
    x, y = np.eye(2, dtype="float32"), np.array([0, 1])
    reduce = callbacks.ReduceLROnPlateau("loss", 0.1, patience=1, min_delta=100.0)
    history = model.fit(x, y, epochs=4, verbose=0, callbacks=[reduce]).history
    assert history["learning_rate"] == pytest.approx([1e-2, 1e-2, 1e-3, 1e-4])
    model.optimizer.learning_rate = 0.0
    before = model.get_weights()
    model.fit(x, y, verbose=0)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "schedule",
    [
        lambda epoch, rate: rate * 0.5,
        lambda epoch: 1.0 / (1 + epoch),
        lambda epoch, rate: np.float32(rate) * np.float32(0.5),
        lambda epoch, rate=0.0: float(epoch),
    ],
    ids=["two", "one", "float32", "default"],
)
def test_learning_rate_scheduler_as_in_keras(schedule):
    both(
        "LearningRateScheduler",
        [{"loss": 1.0}] * 4,
        schedule=schedule,
        verbose=1,
    )


def test_a_schedule_must_return_a_float_as_in_keras():
    for k in (dn, keras()):
        with pytest.raises(ValueError, match="float"):
            drive(k.callbacks.LearningRateScheduler(lambda e: 1), [{"loss": 1.0}])


def test_an_error_in_a_schedule_is_the_users_own():
    def schedule(epoch, rate):
        return rate + "0.5"

    with pytest.raises(TypeError, match="unsupported operand"):
        drive(callbacks.LearningRateScheduler(schedule), [{"loss": 1.0}])


@pytest.mark.parametrize("loss", [0.5, math.nan, math.inf, -math.inf])
def test_terminate_on_nan_as_in_keras(loss):
    done = both("TerminateOnNaN", [{"loss": 1.0}, {"loss": loss}] * 2, batches=1)
    assert len(done["epochs"]) == (4 if loss == 0.5 else 2)
    if not math.isfinite(loss):
        for k in (dn, keras()):
            with pytest.raises(RuntimeError, match="batch 0"):
                drive(
                    k.callbacks.TerminateOnNaN(raise_error=True),
                    [{"loss": loss}],
                    batches=1,
                )
