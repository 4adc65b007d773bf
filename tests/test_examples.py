"""The tour: each script runs without a screen, tells its story, draws its pictures."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PICTURES = {
    "01_perceptron.py": ["01_perceptron.png"],
    "02_adaline.py": ["02_adaline.png"],
    "03_mlp_layer_by_layer.py": ["03_losses.png", "03_moons.png", "03_xor.png"],
    "04_backpropagation_by_hand.py": ["04_backpropagation_by_hand.png"],
    "05_image_classifier.py": [
        "05_confusion_matrix.png",
        "05_learning_curves.png",
        "05_mistakes.png",
    ],
}
WITH_KERAS = [name for name in PICTURES if name != "01_perceptron.py"]
NOT_COMPARED = "Real Keras is not installed, so nothing is compared with it"


def run_example(name, out, *, without_keras=False):
    """Run a script in a Python of its own, from another folder; return what it says."""
    path = [str(ROOT / "src")]
    if without_keras:
        shadow = out / "shadow"
        shadow.mkdir()
        # Found before the real one, this is a Keras that is not there.
        (shadow / "keras.py").write_text(
            "raise ModuleNotFoundError(\"No module named 'keras'\")\n", encoding="utf-8"
        )
        path.insert(0, str(shadow))
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / name, "--out", out / "pictures"],
        capture_output=True,
        cwd=out,
        encoding="utf-8",
        env={
            **os.environ,
            "MPLBACKEND": "Agg",
            "PYTHONIOENCODING": "utf-8",
            "PYTHONPATH": os.pathsep.join(path),
        },
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    return done.stdout


def assert_pictures_show_something(folder, names):
    from PIL import Image

    assert sorted(path.name for path in folder.glob("*.png")) == names
    for name in names:
        with Image.open(folder / name) as picture:
            assert picture.width >= 700
            assert picture.height >= 400
            # Ink of several colours: neither an empty page nor empty axes.
            colours = picture.convert("RGB").getcolors(maxcolors=2**24)
        assert len(colours) > 50
        shares = [count / (picture.width * picture.height) for count, _ in colours]
        assert max(shares) < 0.97


def test_the_tour_has_the_five_scripts_that_are_tested_here():
    found = [path.name for path in (ROOT / "examples").glob("[0-9]*.py")]
    assert sorted(found) == sorted(PICTURES)


def test_the_table_of_the_tour_names_every_script_and_picture():
    table = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    for name, pictures in PICTURES.items():
        assert f"({name})" in table
        for picture in pictures:
            assert picture in table


@pytest.mark.parametrize("name", list(PICTURES))
def test_a_script_of_the_tour_tells_its_story_and_imports_only_what_it_may(name):
    tree = ast.parse((ROOT / "examples" / name).read_text(encoding="utf-8"))
    assert len((ast.get_docstring(tree) or "").splitlines()) > 3
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
    # Keras is optional, so no script imports it by itself.
    assert imported <= {"_look", "deepneuron", "numpy", "warnings"}


@pytest.mark.parametrize("name", list(PICTURES))
def test_an_example_runs_without_keras_and_draws(name, tmp_path):
    story = run_example(name, tmp_path, without_keras=True)
    assert story.count("Picture: ") == len(PICTURES[name])
    assert (NOT_COMPARED in story) == (name in WITH_KERAS)
    assert len(re.findall(r"^-{5,}$", story, re.MULTILINE)) >= 2  # chapters
    told = [line for line in story.splitlines() if str(tmp_path) not in line]
    assert max(len(line) for line in told if NOT_COMPARED not in line) < 90
    assert_pictures_show_something(tmp_path / "pictures", PICTURES[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_KERAS)
def test_an_example_agrees_with_real_keras(name, tmp_path):
    story = run_example(name, tmp_path)  # the script asserts that the numbers are close
    assert NOT_COMPARED not in story
    assert "Keras" in story


def test_the_overview_of_the_readme_is_a_small_wide_picture():
    from PIL import Image

    path = ROOT / "docs" / "images" / "overview.png"
    assert path.stat().st_size < 300_000
    with Image.open(path) as picture:
        assert picture.size == (1600, 900)
