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
        told = [line for line in story.splitlines() if not line.startswith("Picture: ")]
    told = [line for line in story.splitlines() if str(tmp_path) not in line]
    assert max(len(line) for line in told) < 90
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
