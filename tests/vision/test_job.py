import csv
import json
import math

import numpy as np
import pytest

from deepneuron import callbacks, vision
from deepneuron.data import load_digits
from deepneuron.errors import (
    ArgumentError,
    DivergenceError,
    SavingError,
    UnknownNameError,
)
from deepneuron.models import Sequential, load_model
from deepneuron.vision import folder, job
from tests.peers import keras
from tests.vision.few import TEST

FILES = set(folder.FILES)


def names(path):
    return {found.name for found in path.iterdir()} - {".lock"}


def contents_of_files(path):
    """Without the folder of what is not finished."""
    return {p.name: p.read_bytes() for p in path.iterdir() if p.name in FILES}


def contents(path):
    return {name: (path / name).read_bytes() for name in names(path)}


def digits():
    """The test pictures of the embedded digits, as networks are shown them."""
    _, (x, y) = load_digits()
    return np.rint(x[:TEST, ..., None] * (255 / 16)).astype("uint8"), y[:TEST]


@pytest.fixture
def run(few, tmp_path):
    return vision.train("digits", tmp_path / "run", epochs=3, seed=5, quiet=True)


def test_the_results_appear_and_nothing_else(run):
    assert names(run.out) == FILES


def test_metrics_are_valid_json_and_those_of_the_run(run):
    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    text = (run.out / "metrics.json").read_text(encoding="utf-8")
    metrics = json.loads(text, parse_constant=refuse)
    assert metrics == run.metrics
    assert metrics["test"]["samples"] == TEST
    assert metrics["test"]["accuracy"] == metrics["test"]["correct"] / TEST
    low, high = metrics["test"]["accuracy_interval"]
    assert low < metrics["test"]["accuracy"] < high
    settings = metrics["settings"]
    assert (settings["epochs"], settings["seed"]) == (3, 5)
    assert settings["batch_size"] >= 1
    assert settings["learning_rate"] > 0
    assert metrics["epochs"] == 3
    assert metrics["interrupted"] is False


def test_history_has_a_line_for_each_epoch(run):
    with (run.out / "history.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    columns = ["loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"]
    assert list(rows[0]) == ["epoch", *columns]
    for name, values in run.history.items():
        assert [float(row[name]) for row in rows] == values


def test_the_file_holds_the_model_of_the_best_epoch(run):
    accuracies = run.history["val_accuracy"]
    best = max(i for i, a in enumerate(accuracies) if a == max(accuracies))
    assert run.metrics["best_epoch"] == best + 1
    assert run.metrics["validation"]["loss"] == run.history["val_loss"][best]
    loaded = load_model(run.out / "model.keras")
    for ours, read in zip(run.model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, read)


def test_the_test_accuracy_is_that_of_the_file(run):
    x, y = digits()
    model = load_model(run.out / "model.keras")
    chosen = model.predict(x, verbose=0).argmax(-1)
    assert run.metrics["test"]["correct"] == int((chosen == y).sum())
    loss, accuracy = model.evaluate(x, y, verbose=0)
    assert run.metrics["test"]["loss"] == pytest.approx(loss, rel=1e-5)
    assert run.metrics["test"]["accuracy"] == pytest.approx(accuracy)


def test_keras_opens_the_model(run):
    x, _ = digits()
    theirs = keras().saving.load_model(run.out / "model.keras")
    np.testing.assert_allclose(
        run.model.predict(x, verbose=0), theirs.predict(x, verbose=0), atol=1e-5
    )


def test_the_same_seed_gives_the_same_weights_bit_by_bit(few, tmp_path):
    one = vision.train("fashion", tmp_path / "one", epochs=2, seed=3, quiet=True)
    np.random.default_rng().random(3)
    two = vision.train("fashion", tmp_path / "two", epochs=2, seed=3, quiet=True)
    other = vision.train("fashion", tmp_path / "other", epochs=2, seed=4, quiet=True)
    for a, b in zip(one.model.get_weights(), two.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    history = (one.out / "history.csv").read_bytes()
    assert history == (two.out / "history.csv").read_bytes()
    assert history != (other.out / "history.csv").read_bytes()


def test_learns_something_in_a_few_epochs(few, tmp_path):
    run = vision.train("digits", tmp_path, epochs=12, batch_size=16, quiet=True)
    assert run.metrics["test"]["accuracy"] > 0.5  # a guess is right in 0.1
    assert run.history["loss"][-1] < run.history["loss"][0] * 0.9


def test_out_is_a_folder_under_runs_that_is_not_taken(few, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = vision.train("digits", epochs=1, quiet=True)
    second = vision.train("digits", epochs=1, quiet=True)
    assert first.out.as_posix() == "runs/digits"
    assert second.out.as_posix() == "runs/digits-2"
    assert names(tmp_path / "runs" / "digits") == FILES


def test_a_second_run_takes_the_place_of_the_first(run, few):
    (run.out / "notes.txt").write_text("mine", encoding="utf-8")
    again = vision.train("digits", run.out, epochs=1, quiet=True)
    assert names(run.out) == FILES | {"notes.txt"}
    history = (run.out / "history.csv").read_text(encoding="utf-8")
    assert len(history.splitlines()) == 2
    assert again.metrics["epochs"] == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"epochs": 0}, "epochs must be a whole number, 1 or more; received 0"),
        ({"epochs": 2.5}, "epochs must be .* received 2.5"),
        ({"epochs": True}, "epochs must be .* received True"),
        ({"batch_size": -1}, "batch_size must be .* 1 or more; received -1"),
        ({"seed": -1}, "seed must be .* from 0 to 4294967295; received -1"),
        ({"seed": 2**32}, "seed must be"),
        ({"learning_rate": 0.0}, "learning_rate must be a number above 0"),
        ({"learning_rate": math.nan}, "received nan"),
        ({"learning_rate": math.inf}, "received inf"),
    ],
)
def test_a_number_out_of_its_range_leaves_no_folder(tmp_path, arguments, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        vision.train("digits", tmp_path / "run", quiet=True, **arguments)
    assert not (tmp_path / "run").exists()


def test_an_unknown_data_set_leaves_no_folder(tmp_path):
    with pytest.raises(UnknownNameError, match="Did you mean 'fashion'"):
        vision.train("fashoin", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_an_empty_name_is_no_folder():
    with pytest.raises(ArgumentError, match="out is empty"):
        vision.train("digits", "")


def test_a_loss_that_leaves_the_numbers_leaves_no_files(few, tmp_path):
    with (
        np.errstate(all="ignore"),
        pytest.raises(DivergenceError, match=r"learning_rate=1e\+30; try a smaller"),
    ):
        vision.train(
            "digits", tmp_path / "a" / "b", learning_rate=1e30, epochs=3, quiet=True
        )
    assert names(tmp_path) == set()


@pytest.mark.parametrize("error", [OSError(28, "No space left"), KeyboardInterrupt()])
def test_a_failing_write_leaves_the_results_as_they_were(run, few, monkeypatch, error):
    before = contents(run.out)

    def fail(path, found):
        raise error

    monkeypatch.setattr(job, "save_details", fail)
    with pytest.raises((SavingError, KeyboardInterrupt)):
        vision.train("digits", run.out, epochs=1, quiet=True)
    after = contents_of_files(run.out)
    assert after == before
    monkeypatch.undo()  # there is space again
    again = vision.resume(run.out, quiet=True)
    assert names(run.out) == FILES
    assert again.metrics["epochs"] == 1


class _Diverge(callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            weight = self.model.trainable_variables[0]
            weight.assign(np.full(weight.shape, np.nan, "float32"))


def test_a_loss_that_leaves_the_numbers_later_costs_no_epoch_before(
    few, tmp_path, monkeypatch, capsys
):
    two = vision.train("digits", tmp_path / "two", epochs=5, seed=4, quiet=True)
    fit = Sequential.fit

    def diverging(self, *args, callbacks, **kwargs):
        return fit(self, *args, callbacks=[*callbacks, _Diverge()], **kwargs)

    monkeypatch.setattr(Sequential, "fit", diverging)
    run = vision.train("digits", tmp_path / "run", epochs=5, seed=4)
    assert "try a smaller one" in capsys.readouterr().out
    assert run.metrics["diverged"] is True
    assert run.history["loss"] == two.history["loss"][:2]
    assert names(run.out) == FILES
    for name in ("model.keras", "last.keras"):
        weights = load_model(run.out / name).get_weights()
        assert all(np.isfinite(w).all() for w in weights)


def test_a_model_that_cannot_be_saved_leaves_no_results(few, tmp_path, monkeypatch):
    def fail(self, filepath, **kwargs):
        raise SavingError("The model cannot be written.")

    monkeypatch.setattr(Sequential, "save", fail)
    with pytest.raises(SavingError, match="The model cannot be written"):
        vision.train("digits", tmp_path / "run", epochs=1, quiet=True)
    assert names(tmp_path / "run") == {"unfinished"}  # the work is not lost


class _CtrlC(callbacks.Callback):
    """Presses Ctrl-C at the beginning of an epoch, counted from 0."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise KeyboardInterrupt


@pytest.fixture
def ctrl_c(few, monkeypatch):
    """A function that says before which epoch Ctrl-C is pressed."""
    fit = Sequential.fit

    def at(epoch):
        def pressed(self, *args, callbacks, **kwargs):
            return fit(self, *args, callbacks=[*callbacks, _CtrlC(epoch)], **kwargs)

        monkeypatch.setattr(Sequential, "fit", pressed)

    return at


def test_ctrl_c_keeps_the_best_network_so_far(ctrl_c, tmp_path):
    ctrl_c(2)
    with pytest.raises(vision.Interrupted) as caught:
        vision.train("digits", tmp_path, epochs=9, quiet=True)
    run = caught.value.run
    assert names(tmp_path) == FILES | {"unfinished"}  # to go on with
    assert len(run.history["loss"]) == run.metrics["epochs"] == 2
    assert run.metrics["interrupted"] is True
    loaded = load_model(tmp_path / "model.keras")
    for ours, read in zip(run.model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, read)


def test_ctrl_c_in_the_first_epoch_writes_nothing(ctrl_c, tmp_path):
    ctrl_c(0)
    with pytest.raises(vision.Interrupted) as caught:
        vision.train("digits", tmp_path / "run", quiet=True)
    assert caught.value.run is None
    assert names(tmp_path) == set()


def test_a_trained_network_is_given_pictures_of_the_size_it_knows(few, tmp_path):
    vision.train("digits", tmp_path / "digits", epochs=1, model="linear", quiet=True)
    trained = str(tmp_path / "digits" / "model.keras")  # of 8x8, grey
    choices = {"model": trained, "epochs": 1, "quiet": True}
    run = vision.train("fashion", tmp_path / "fashion", **choices)  # of 28x28
    assert run.metrics["shape"] == [8, 8, 1]
    assert run.metrics["model"]["name"] == trained
    with pytest.raises(ArgumentError, match="leave out --size") as caught:
        vision.train("fashion", tmp_path / "other", size=16, **choices)
    assert str(caught.value).startswith(f"{trained} takes pictures of 8x8x1")


def test_a_run_shows_itself(run):
    assert repr(run).startswith("<Run digits: test accuracy 0.")
    html = run._repr_html_()
    assert f"{run.metrics['test']['accuracy']:.4f}" in html
    assert html.count("<polyline") == 2
    assert run.out.name in html


def test_a_folder_with_a_strange_name_is_escaped(run):
    run.out = run.out / "<script>"
    assert "<script>" not in run._repr_html_()


@pytest.mark.slow
@pytest.mark.parametrize(("data", "least"), [("digits", 0.98), ("fashion", 0.85)])
def test_reaches_its_accuracy(data, least, tmp_path):
    run = vision.train(data, tmp_path, quiet=True)
    assert run.metrics["test"]["accuracy"] >= least
