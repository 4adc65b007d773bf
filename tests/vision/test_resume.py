"""A training that is cut off ends as it would have ended."""

import random

import pytest

from deepneuron import vision
from deepneuron.callbacks import Callback
from deepneuron.errors import DataError, DataNotFoundError
from deepneuron.models import Sequential
from deepneuron.vision import keeper
from tests.vision import kills


class Killed(BaseException):
    """As good as a kill: nothing in the job expects it."""


@pytest.fixture
def stopped(monkeypatch):
    """A function that trains, and is stopped by an exception at the n-th epoch."""

    def train(exception, at, data, out, **choices):
        class Stop(Callback):
            def on_epoch_begin(self, epoch, logs=None):
                if epoch == at:
                    raise exception

        fit = Sequential.fit

        def fatal(self, *args, callbacks, **kwargs):
            return fit(self, *args, callbacks=[*callbacks, Stop()], **kwargs)

        with monkeypatch.context() as patch:
            patch.setattr(Sequential, "fit", fatal)
            with pytest.raises(exception):
                vision.train(data, out, quiet=True, **choices)

    return train


@pytest.fixture
def killed(few, stopped):
    """A function that trains with these choices, and is killed at the n-th epoch."""

    def train(out, at, **choices):
        stopped(Killed, at, "digits", out, **choices)

    return train


@pytest.mark.parametrize(
    "choices",
    [
        {},
        {"optimizer": "sgd", "augment": "none", "class_weights": "balanced"},
        {"model": "linear", "batch_size": 50},
        {"find_lr": True, "augment": "shift,contrast,erase"},
        {"patience": 1},
    ],
)
def test_a_resumed_training_ends_like_an_uninterrupted_one(killed, tmp_path, choices):
    choices = {"epochs": 4, "seed": 2, **choices}
    whole = vision.train("digits", tmp_path / "whole", quiet=True, **choices)
    killed(tmp_path / "run", 2, **choices)
    resumed = vision.resume(tmp_path / "run", quiet=True)
    assert resumed.history == whole.history
    assert kills.contents(tmp_path / "run") == kills.contents(tmp_path / "whole")
    assert not (tmp_path / "run" / "unfinished").exists()


def test_a_fine_tuned_network_is_frozen_and_thawed_at_the_same_epochs(killed, tmp_path):
    given = vision.train("digits", tmp_path / "given", epochs=1, quiet=True)
    model = given.out / "model.keras"
    choices = {"model": model, "epochs": 5, "seed": 1}
    vision.train("digits", tmp_path / "whole", quiet=True, **choices)
    for epochs in (1, 3):
        out = tmp_path / f"run{epochs}"
        killed(out, epochs, **choices)
        vision.resume(out, quiet=True)
        assert kills.contents(out) == kills.contents(tmp_path / "whole")


def test_the_given_network_may_change_before_it_goes_on(killed, tmp_path):
    given = vision.train("digits", tmp_path / "given", epochs=1, quiet=True)
    choices = {"model": given.out / "model.keras", "epochs": 3}
    vision.train("digits", tmp_path / "whole", quiet=True, **choices)
    killed(tmp_path / "run", 1, **choices)
    (given.out / "model.keras").write_bytes(b"no longer a model")
    vision.resume(tmp_path / "run", quiet=True)
    assert kills.contents(tmp_path / "run") == kills.contents(tmp_path / "whole")


def test_the_pictures_are_not_needed_once_they_are_decoded(stopped, tmp_path):
    from PIL import Image

    for label, colour in (("red", (255, 0, 0)), ("blue", (0, 0, 255))):
        (tmp_path / "data" / label).mkdir(parents=True)
        for i in range(12):
            picture = Image.new("RGB", (16, 16), colour)
            picture.putpixel((i, i), (9 * i, 200, 0))
            picture.save(tmp_path / "data" / label / f"{i}.png")
    data = tmp_path / "data"
    vision.train(data, tmp_path / "whole", epochs=3, quiet=True)
    stopped(Killed, 1, data, tmp_path / "run", epochs=3)
    data.rename(tmp_path / "elsewhere")
    vision.resume(tmp_path / "run", quiet=True)
    assert kills.contents(tmp_path / "run") == kills.contents(tmp_path / "whole")


def test_best_and_last_can_be_looked_at_while_it_trains(killed, tmp_path, monkeypatch):
    monkeypatch.setattr(keeper, "_INTERVAL", 0.0)
    killed(tmp_path / "run", 2, epochs=4)
    unfinished = tmp_path / "run" / "unfinished"
    for name in ("best.keras", "last.keras"):
        assert vision.predict(unfinished / name, [_picture(tmp_path)])


def _picture(folder):
    from PIL import Image

    Image.new("L", (8, 8), 100).save(folder / "grey.png")
    return folder / "grey.png"


def test_ctrl_c_and_then_on(few, stopped, tmp_path):
    whole = vision.train("digits", tmp_path / "whole", epochs=4, quiet=True)
    stopped(KeyboardInterrupt, 2, "digits", tmp_path / "run", epochs=4)
    resumed = vision.resume(tmp_path / "run", quiet=True)
    assert resumed.metrics == whole.metrics
    assert kills.contents(tmp_path / "run") == kills.contents(tmp_path / "whole")


def test_a_finished_run_has_nothing_to_go_on_with(few, tmp_path, capsys):
    run = vision.train("digits", tmp_path, epochs=1, quiet=True)
    before = kills.contents(tmp_path)
    again = vision.resume(tmp_path)
    assert "finished already" in capsys.readouterr().out
    assert again.metrics == run.metrics
    assert kills.contents(tmp_path) == before


def test_a_folder_without_a_run(tmp_path):
    with pytest.raises(DataNotFoundError, match="holds no training to go on with"):
        vision.resume(tmp_path)
    with pytest.raises(DataNotFoundError, match="holds no training to go on with"):
        vision.resume(tmp_path / "nothing")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("damage", "error"),
    [
        (
            lambda p: (p / "checkpoint.npz").write_bytes(b"PK\3\4 and nothing"),
            DataError,
        ),
        (lambda p: (p / "config.json").write_text("[]", "utf-8"), DataError),
        (lambda p: (p / "config.json").write_text("{}", "utf-8"), DataError),
        (lambda p: (p / "pictures" / "pictures.npy").write_bytes(b"?"), DataError),
    ],
)
def test_a_damaged_run_is_said_to_be_so(killed, tmp_path, damage, error):
    killed(tmp_path / "run", 1, epochs=2)
    damage(tmp_path / "run" / "unfinished")
    with pytest.raises(error, match=r"unfinished"):
        vision.resume(tmp_path / "run", quiet=True)


def test_real_kills_end_bit_identical(tmp_path):
    kill(tmp_path, seed=1, count=2)


@pytest.mark.slow
def test_a_hundred_real_kills_end_bit_identical(tmp_path):
    kill(tmp_path, seed=0, count=100)


def kill(folder, seed, count):
    chance = random.Random(seed)  # noqa: S311 - no secret
    kills.main(count, chance.randrange(1 << 30), folder)
