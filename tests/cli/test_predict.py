import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deepneuron.cli.tables import plain_lines, show_table
from tests.vision.classifiers import brightness_model, write_picture, write_run

SOURCE = Path(__file__).resolve().parents[2] / "src"


@pytest.fixture
def photos(tmp_path):
    """A run, and a folder with three pictures that it knows how to call."""
    write_run(tmp_path / "run")
    for name, value in (("a.png", 250), ("b.png", 128), ("deep/c.jpg", 5)):
        write_picture(tmp_path / "in" / name, value)
    return tmp_path


def is_one_sentence(text):
    return text.startswith("Error: ") and text.count("\n") == 1 and len(text) < 250


def test_predict_prints_a_table_of_files_and_classes(deepneuron, photos, monkeypatch):
    monkeypatch.chdir(photos)
    code, shown, errors = deepneuron("predict", "run", "in")
    assert (code, errors) == (0, "")
    lines = [line.split() for line in shown.splitlines()]
    assert lines[0] == ["file", "class", "confidence", "next", "best"]
    files = [str(Path("in", name)) for name in ("a.png", "b.png", "deep/c.jpg")]
    assert [line[0] for line in lines[1:]] == files
    assert [line[1] for line in lines[1:]] == ["bright", "grey", "dark"]
    assert lines[1][3] == "grey"
    assert 0.9 < float(lines[1][2]) <= 1


def test_predict_as_json_is_a_line_for_each_picture(deepneuron, photos):
    code, shown, errors = deepneuron("predict", photos / "run", photos / "in", "--json")
    assert (code, errors) == (0, "")
    first, second, _ = map(json.loads, shown.splitlines())
    assert first["file"] == str(photos / "in" / "a.png")
    assert second["class"] == "grey"
    assert second["top"][0] == {"class": "grey", "confidence": second["confidence"]}
    assert len(second["top"]) == 2


@pytest.mark.parametrize(("top", "known"), [(1, 1), (2, 2), (3, 3), (50, 3)])
def test_predict_as_csv_has_a_column_for_each_of_the_best(
    deepneuron, photos, top, known
):
    code, shown, _ = deepneuron(
        "predict", photos / "run", photos / "in", "--csv", "--top", top
    )
    header, *rows = csv.reader(io.StringIO(shown))
    assert code == 0
    names = ["", "_2", "_3"][:known]
    expected = [f"{name}{i}" for i in names for name in ("class", "confidence")]
    assert header == ["file", *expected]
    assert [row[1] for row in rows] == ["bright", "grey", "dark"]
    assert {len(row) for row in rows} == {1 + 2 * known}


def test_top_1_has_no_next_best(deepneuron, photos):
    arguments = (photos / "run", photos / "in" / "a.png", "--top", 1)
    _, shown, _ = deepneuron("predict", *arguments)
    assert shown.splitlines()[0].split() == ["file", "class", "confidence"]


def test_a_model_file_without_labels_calls_classes_by_number(deepneuron, photos):
    brightness_model().save(photos / "mine.keras")
    picture = photos / "in" / "a.png"
    _, shown, _ = deepneuron("predict", photos / "mine.keras", picture, "--json")
    assert json.loads(shown)["class"] == "2"


def test_unreadable_pictures_are_skipped_and_named(deepneuron, photos):
    (photos / "in" / "cut.png").write_bytes(b"")
    missing = photos / "none.png"
    code, shown, errors = deepneuron("predict", photos / "run", photos / "in", missing)
    assert code == 0
    assert len(shown.splitlines()) == 4
    assert errors.splitlines() == [
        f"Skipped {photos / 'in' / 'cut.png'}: it is empty (0 bytes)",
        f"Skipped {missing}: there is no such file",
    ]
    quiet = ("predict", photos / "run", photos / "in", missing, "--quiet")
    assert deepneuron(*quiet) == (0, shown, "")


def test_strict_stops_at_an_unreadable_picture(deepneuron, photos):
    (photos / "in" / "cut.png").write_bytes(b"")
    code, _, errors = deepneuron("predict", photos / "run", photos / "in", "--strict")
    assert code == 2
    assert is_one_sentence(errors)
    assert "cut.png: it is empty (0 bytes). Without --strict" in errors


def test_nothing_to_look_at_is_an_error_of_the_user(deepneuron, photos):
    (photos / "empty").mkdir()
    code, shown, errors = deepneuron("predict", photos / "run", photos / "empty")
    assert (code, shown) == (2, "")
    assert "There are no pictures in" in errors
    one = ("predict", photos / "run", photos / "none.png")
    code, shown, errors = deepneuron(*one)
    assert (code, shown) == (2, "")
    assert is_one_sentence(errors)
    assert errors.count("none.png: there is no such file.") == 1
    assert deepneuron(*one, "--quiet") == (code, shown, errors)
    two = ("predict", photos / "run", photos / "none.png", photos / "no.png", "-q")
    assert deepneuron(*two)[2] == "Error: None of the 2 pictures can be read.\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere", "a.png"], "There is no model nowhere"),
        (["in", "a.png"], "The folder in holds no model.keras"),
        (["run"], "Missing argument"),
        (["run", "a.png", "--top", "0"], "--top"),
        (["run", "a.png", "--json", "--csv"], "contradict one another"),
        (["run", "-", "-"], "name it once"),
        (["run", ""], "is empty"),
        (["run", "in", "--explain", "in/a.png"], "cannot be made"),
    ],
)
def test_what_predict_cannot_do_is_one_sentence(
    deepneuron, photos, monkeypatch, arguments, words
):
    monkeypatch.chdir(photos)
    code, shown, errors = deepneuron("predict", *arguments)
    assert (code, shown) == (2, "")
    assert is_one_sentence(errors)
    assert words in errors


def test_explain_writes_a_picture_beside_each(deepneuron, photos):
    code, _, errors = deepneuron(
        "predict", photos / "run", photos / "in", "--explain", photos / "why"
    )
    assert (code, errors) == (0, "")
    found = {
        path.relative_to(photos / "why").as_posix()
        for path in (photos / "why").rglob("*.png")
    }
    assert found == {"a.png", "b.png", "deep/c.png"}
    with Image.open(photos / "why" / "a.png") as picture:
        assert picture.size == (3 * 224 + 2 * 8, 224)


def test_a_minus_is_the_picture_from_standard_input(deepneuron, photos, monkeypatch):
    class Stream:
        buffer = io.BytesIO((photos / "in" / "b.png").read_bytes())

    monkeypatch.setattr(sys, "stdin", Stream())
    code, shown, _ = deepneuron("predict", photos / "run", "-", "--json")
    assert code == 0
    assert json.loads(shown)["file"] == "-"
    assert json.loads(shown)["class"] == "grey"


@pytest.mark.skipif(os.name == "nt", reason="such names are not allowed there")
def test_odd_names_stay_on_their_line(deepneuron, photos):
    write_picture(photos / "odd" / '[red]a\nb,"c.png', 5)
    _, shown, _ = deepneuron("predict", photos / "run", photos / "odd")
    assert '[red]a\\nb,"c.png  dark' in shown
    _, shown, _ = deepneuron("predict", photos / "run", photos / "odd", "--csv")
    assert next(iter(list(csv.reader(io.StringIO(shown)))[1])).endswith('a\nb,"c.png')
    _, shown, _ = deepneuron("predict", photos / "run", photos / "odd", "--json")
    assert json.loads(shown)["file"].endswith('a\nb,"c.png')


def test_help_of_predict_has_options_and_examples(deepneuron):
    code, shown, _ = deepneuron("predict", "--help")
    assert code == 0
    words = (
        "--top",
        "--json",
        "--csv",
        "--explain",
        "--strict",
        "--quiet",
        "Examples:",
    )
    assert not [word for word in words if word not in shown]
    assert max(map(len, shown.splitlines())) <= 88


def test_predict_in_a_process_of_its_own_reads_a_pipe(photos):
    done = subprocess.run(
        [sys.executable, "-m", "deepneuron", "predict", photos / "run", "-", "--csv"],
        input=(photos / "in" / "a.png").read_bytes(),
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )
    header, row = done.stdout.decode().splitlines()
    assert header.startswith("file,class,confidence")
    assert row.startswith("-,bright,0.9")
    assert done.stderr == b""


def test_the_tab_key_completes_finished_runs(deepneuron, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "runs" / "pets")
    (tmp_path / "runs" / "cut-off").mkdir()
    monkeypatch.setenv("_DEEPNEURON_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "deepneuron predict ru")
    monkeypatch.setenv("COMP_CWORD", "2")
    assert deepneuron()[1].splitlines() == ["plain,runs/pets", "file,ru"]


def test_a_table_on_a_terminal_takes_names_literally(monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    show_table(["file", "n"], [["[bold]x[/bold]", "1"]], right=["n"])
    assert "[bold]x[/bold]" in capsys.readouterr().out


def test_columns_of_plain_lines_stand_below_one_another():
    lines = plain_lines(["a", "bb", "c"], [["long", "1", ""]], right=["bb"])
    assert lines == ["a     bb  c", "long   1"]


def test_probabilities_of_a_table_are_those_of_the_network(deepneuron, photos):
    x = np.full((1, 8, 8, 1), 128, np.uint8)
    expected = brightness_model().predict(x, verbose=0)[0]
    picture = photos / "in" / "b.png"
    _, shown, _ = deepneuron("predict", photos / "run", picture, "--json")
    assert json.loads(shown)["confidence"] == pytest.approx(expected[1], abs=1e-5)
