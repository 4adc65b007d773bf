import json

import pytest

from deepneuron.data.collection import PARTS
from tests.vision.classifiers import write_picture, write_run


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A run and a data set of 4 pictures; one of the dark ones is grey."""
    monkeypatch.chdir(tmp_path)
    write_run("run")
    for i, (name, value) in enumerate(
        (("dark", 5), ("dark", 128), ("grey", 130), ("bright", 250))
    ):
        write_picture(f"data/{name}/{i}.png", value)
    return tmp_path


def test_evaluate_says_how_many_were_right_and_in_which_class(deepneuron, place):
    code, shown, errors = deepneuron("evaluate", "run", "data")
    assert (code, errors) == (0, "")
    first, *rest = shown.splitlines()
    assert first == "Accuracy 0.7500 (0.3006 to 0.9544): 3 of 4 pictures"
    assert rest[0].startswith("Balanced accuracy 0.8333 (")
    assert "Always answering the most frequent class: 0.5000" in rest
    rows = [line.split() for line in rest]
    assert rows[5][:4] == ["class", "precision", "recall", "f1"]
    assert rows[6][:4] == ["dark", "1.0000", "0.5000", "0.6667"]
    assert rows[6][-1] == "2"
    assert rows[8][:2] == ["bright", "1.0000"]


def test_evaluate_quietly_is_one_line(deepneuron, place):
    code, shown, _ = deepneuron("evaluate", "run", "data", "--quiet")
    assert code == 0
    assert len(shown.splitlines()) == 1


def test_evaluate_as_json_and_into_a_file_are_the_same(deepneuron, place):
    code, shown, errors = deepneuron(
        "evaluate", "run", "data", "--json", "--out", "scores.json"
    )
    assert (code, errors) == (0, "")
    scores = json.loads(shown)
    assert scores["accuracy"] == 0.75
    assert scores == json.loads((place / "scores.json").read_text(encoding="utf-8"))
    code, shown, _ = deepneuron("evaluate", "run", "data", "--part", "train", "--json")
    assert json.loads(shown)["part"] == "train"


def test_a_part_is_named_in_the_result(deepneuron, place):
    _, shown, _ = deepneuron("evaluate", "run", "data", "--part", "train")
    assert shown.startswith("Train accuracy 0.7500 (")


def test_evaluate_names_what_was_skipped(deepneuron, place):
    (place / "data" / "dark" / "cut.png").write_bytes(b"")
    code, shown, errors = deepneuron("evaluate", "run", "data")
    assert code == 0
    assert "of 4 pictures" in shown
    assert errors == "Skipped dark/cut.png: it is empty (0 bytes)\n"
    code, shown, errors = deepneuron("evaluate", "run", "data", "--strict")
    assert (code, shown) == (2, "")
    assert "cut.png" in errors


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "nothing"], "nothing"),
        (["nowhere", "data"], "There is no model nowhere"),
        (["run", "data", "--part", "test"], "has no part 'test'"),
        (["run", "data", "--part", "tset"], "'tset' is not one of"),
        (["run", "data", "--out", "no/scores.json"], "Cannot write"),
        (["run", "digits"], "classes that the model does not know"),
        (["run"], "Missing argument"),
    ],
)
def test_what_evaluate_cannot_do_is_one_sentence(deepneuron, place, arguments, words):
    code, shown, errors = deepneuron("evaluate", *arguments)
    assert (code, shown) == (2, "")
    assert errors.startswith("Error: ")
    assert errors.count("\n") == 1
    assert words in errors


def test_help_of_evaluate_has_options_and_examples(deepneuron):
    code, shown, _ = deepneuron("evaluate", "--help")
    assert code == 0
    words = ("--part", "--json", "--out", "--strict", "--quiet", "Examples:", *PARTS)
    assert not [word for word in words if word not in shown]
    assert "a part that DATA itself has" in " ".join(shown.split())
