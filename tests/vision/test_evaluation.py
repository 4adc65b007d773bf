import json

import numpy as np
import pytest
from PIL import Image

from deepneuron.errors import ArgumentError, DataError
from deepneuron.vision.evaluation import evaluate
from deepneuron.vision.scores import scores
from tests.vision.classifiers import (
    NAMES,
    brightness_model,
    write_picture,
    write_run,
)

VALUES = {"dark": (0, 20, 100), "grey": (120, 130, 140), "bright": (180, 250)}


def write_classes(folder, values=VALUES, start=0):
    for name, some in values.items():
        for i, value in enumerate(some, start):
            write_picture(folder / name / f"{i}.png", value)
    return folder


@pytest.fixture
def run(tmp_path):
    return write_run(tmp_path / "run")


def test_classes_are_matched_by_name_in_any_order(run, tmp_path):
    # In the data they are sorted: bright, dark, grey. One dark picture is quite bright.
    told = []
    found = evaluate(
        run,
        write_classes(tmp_path / "data"),
        progress=lambda *done: told.append(done),
    )
    assert found["part"] == "all"
    assert found["class_names"] == list(NAMES)
    assert found["confusion"] == [[2, 1, 0], [0, 3, 0], [0, 0, 2]]
    assert (found["accuracy"], found["samples"]) == (7 / 8, 8)
    assert [one["samples"] for one in found["classes"]] == [3, 3, 2]
    assert told[-1] == (16, 16)
    assert told == sorted(told)
    json.dumps(found, allow_nan=False)


def test_evaluation_has_the_scores_of_the_answers(run, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (60, 8, 8, 1), dtype=np.uint8)
    y = np.arange(60) % 3
    x = (x * 0.3 + y[:, None, None, None] * 60).astype(np.uint8)
    for i, picture in enumerate(x):
        path = tmp_path / "data" / NAMES[y[i]] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture[..., 0]).save(path)
    found = evaluate(run, tmp_path / "data")
    expected = scores(brightness_model().predict(x, verbose=0), y, NAMES)
    for name in ("accuracy", "confusion", "samples", "classes"):
        assert found[name] == expected[name]
    assert found["loss"] == pytest.approx(expected["loss"], rel=1e-5)


def test_the_test_part_counts_if_there_is_one(run, tmp_path):
    write_classes(tmp_path / "data" / "train")
    write_classes(tmp_path / "data" / "test", {"dark": (0,), "grey": (130, 131)})
    assert evaluate(run, tmp_path / "data")["samples"] == 3
    assert evaluate(run, tmp_path / "data")["part"] == "test"
    assert evaluate(run, tmp_path / "data", part="train")["samples"] == 8
    assert evaluate(run, tmp_path / "data", part="all")["samples"] == 11
    with pytest.raises(DataError, match="has no part 'validation', only train, test"):
        evaluate(run, tmp_path / "data", part="validation")
    with pytest.raises(ArgumentError, match="part is one of"):
        evaluate(run, tmp_path / "data", part="tset")


def test_data_may_have_fewer_classes_but_no_others(run, tmp_path):
    few = write_classes(tmp_path / "few", {"grey": (130,), "bright": (250,)})
    found = evaluate(run, few)
    assert found["accuracy"] == 1
    assert found["classes"][0] == {
        "name": "dark",
        "precision": None,
        "recall": None,
        "recall_interval": None,
        "f1": None,
        "samples": 0,
        "predicted": 0,
    }
    other = write_classes(tmp_path / "other", {"gray": (130,), "bright": (250,)})
    with pytest.raises(DataError, match=r"not know: gray\..*Did you mean 'grey'\?"):
        evaluate(run, other)


def test_a_model_without_names_takes_those_of_the_data(tmp_path):
    data = write_classes(tmp_path / "data", {"a": (0,), "b": (130,), "c": (250,)})
    found = evaluate(brightness_model(), data)
    assert (found["accuracy"], found["class_names"]) == (1, ["a", "b", "c"])
    two = write_classes(tmp_path / "two", {"a": (0,), "b": (130,)})
    with pytest.raises(DataError, match=r"does not know: a, b\. It knows 0, 1, 2\."):
        evaluate(brightness_model(), two)


def test_unreadable_pictures_are_named_or_an_error(run, tmp_path):
    data = write_classes(tmp_path / "data")
    (data / "dark" / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    found = evaluate(run, data)
    assert found["samples"] == 8
    assert [one["name"] for one in found["skipped"]] == ["dark/cut.png"]
    with pytest.raises(DataError, match=r"cut\.png"):
        evaluate(run, data, strict=True)


def test_nothing_readable_is_one_sentence(run, tmp_path):
    for name in NAMES:
        (tmp_path / "data" / name).mkdir(parents=True)
        (tmp_path / "data" / name / "a.png").write_bytes(b"x")
    with pytest.raises(DataError, match="None of the pictures of"):
        evaluate(run, tmp_path / "data")


def test_a_collection_that_is_open_already_is_data(run, tmp_path):
    from deepneuron.data.sources import open_collection

    data = write_classes(tmp_path / "data")
    assert evaluate(run, open_collection(data)) == evaluate(run, data)


def test_embedded_sets_are_data_too():
    found = evaluate(brightness_model_of_ten(), "digits")
    assert (found["part"], found["samples"]) == ("test", 360)
    assert found["accuracy"] < 0.5


def brightness_model_of_ten():
    import deepneuron as dn
    from deepneuron import layers

    flat = [layers.Flatten(), layers.Dense(10, kernel_initializer="zeros")]
    return dn.Sequential([layers.Input((8, 8, 1)), *flat])
