"""Bad data on the command line: one sentence, exit code 2, nothing half-written."""

import sys

import pytest

from deepneuron.cli.main import main
from tests.vision.test_bad_data import bomb, contents, pictures

QUICK = ("--epochs", "1", "--model", "linear")


@pytest.fixture
def cats(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return pictures(tmp_path / "animals", cats=12, dogs=12)


def test_broken_pictures_are_named_in_the_terminal(deepneuron, cats):
    (cats / "cats" / "0.png").write_bytes(b"")
    (cats / "dogs" / "1.png").write_bytes(bomb(50_000, 50_000))
    code, shown, errors = deepneuron("train", cats, *QUICK)
    assert (code, errors) == (0, "")
    plain = " ".join(shown.split())
    assert '2 files were passed over: "cats/0.png" (it is empty (0 bytes))' in plain
    assert '"dogs/1.png" (it would unpack to 2,500 million pixels)' in plain


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--strict",), "'cats/0.png' cannot be used: it is empty (0 bytes)"),
        (("--out", "notes.txt"), "notes.txt is a file, not a folder"),
        (("--out", "notes.txt/run"), "notes.txt is a file, not a folder"),
        (("--model", "notes.keras"), "'notes.keras' is not a zip file"),
        (("--learning-rate", "1e300"), "learning_rate must be a number"),
        (("--model", "mlp", "--learning-rate", "1e30"), "left the finite numbers"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    deepneuron, cats, tmp_path, recwarn, arguments, words
):
    (cats / "cats" / "0.png").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "notes.keras").write_text("mine", encoding="utf-8")
    before = contents(tmp_path)
    code, _, errors = deepneuron("train", cats, *QUICK, *arguments)
    assert code == 2
    assert errors.startswith("Error: ")
    assert words in errors
    assert errors.count("\n") == 1
    assert contents(tmp_path) == before
    assert not (tmp_path / "runs").exists()
    assert not recwarn.list


def test_an_error_does_not_rule_the_terminal(deepneuron, tmp_path):
    code, _, errors = deepneuron("train", f"{tmp_path}/a\nb\x1b[31m")
    assert code == 2
    assert errors.count("\n") == 1
    assert "\x1b" not in errors


def test_functions_that_fail_with_many_lines_are_told_in_one(
    deepneuron, cats, tmp_path
):
    (tmp_path / "verbose_network.py").write_text(
        "def make(input_shape, classes):\n    raise ValueError('one\\ntwo')\n",
        encoding="utf-8",
    )
    arguments = ("--model", "verbose_network:make")
    code, _, errors = deepneuron("train", cats, "--epochs", "1", *arguments)
    assert code == 2
    assert "ValueError: one two\n" in errors


def test_one_picture_that_cannot_be_read_is_told_once(deepneuron, cats):
    deepneuron("train", cats, *QUICK, "--out", "run")
    code, shown, errors = deepneuron("predict", "run", "missing.png")
    assert (code, shown) == (2, "")
    assert errors == (
        "Error: The picture cannot be read: missing.png: there is no such file.\n"
    )


def test_evaluation_names_on_one_line_what_it_skipped(deepneuron, cats):
    deepneuron("train", cats, *QUICK, "--out", "run")
    (cats / "cats" / "0.png").write_bytes(b"")
    (cats / "cats" / ".hidden").touch()
    code, _, errors = deepneuron("evaluate", "run", cats)
    assert (code, errors) == (0, "Skipped cats/0.png: it is empty (0 bytes)\n")


def test_reports_are_drawn_of_finished_trainings_only(deepneuron, tmp_path):
    code, _, errors = deepneuron("report", tmp_path)
    assert code == 2
    assert "holds no results to report on" in errors


def test_closed_output_is_no_error(deepneuron, cats, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", ["deepneuron", "train", str(cats), *QUICK])
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(SystemExit) as caught:
        main()
    sys.stdout.close()
    assert caught.value.code == 0
    assert (tmp_path / "runs" / "animals" / "report.html").exists()
