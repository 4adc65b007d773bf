import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import import_time

HEAVY = {"h5py", "matplotlib", "rich", "PIL", "sklearn", "click", "pandas"}


@pytest.mark.parametrize(
    "statement",
    [
        "import deepneuron",
        "import deepneuron; deepneuron.Sequential",
        "from deepneuron import callbacks, data, datasets, layers, models, utils",
    ],
)
def test_nothing_heavy_is_imported(statement):
    source = Path(__file__).resolve().parents[1] / "src"
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"{statement}; import sys; print(sorted({HEAVY!r} & set(sys.modules)))",
        ],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(source)},
    )
    assert done.stdout == "[]\n"


def test_the_benchmark_prints_what_comes_on_top_of_numpy(monkeypatch, capsys):
    monkeypatch.setattr(import_time, "RUNS", 1)
    import_time.main()
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith("import numpy ")
    assert second.startswith("import deepneuron ")
    assert second.endswith(" s over numpy")
