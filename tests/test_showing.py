"""What is shown changes nothing of what is learned."""

import os
import subprocess
import sys
import textwrap

import pytest

PROGRAM = """
    import sys
    import numpy as np
    import deepneuron as dn

    # Of half of the seeds `randint` rejects a number; there, a draw too many hides.
    dn.utils.set_random_seed(2)
    model = dn.Sequential([dn.Input((4,)), dn.layers.Dense(3), dn.layers.Dropout(0.5)])
    model.compile("sgd", "mse")
    {before}
    sys.stdout.isatty = lambda: {terminal}
    x = np.arange(80, dtype="float32").reshape(20, 4) / 80
    for _ in range(2):
        model.fit(x, x[:, :3], batch_size=4, epochs=2, verbose={verbose})
    print("weights", [w.tobytes().hex() for w in model.get_weights()])
"""


def weights(before="pass", terminal=False, verbose=0):
    text = textwrap.dedent(PROGRAM).format(
        before=before, terminal=terminal, verbose=verbose
    )
    done = subprocess.run(
        [sys.executable, "-c", text],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        check=True,
    )
    return done.stdout.rpartition("weights")[2]


@pytest.mark.parametrize(
    "shown",
    [
        {"verbose": 1, "terminal": True},
        {"verbose": 2},
        {"before": "model.summary()"},
    ],
    ids=["bar", "lines", "summary"],
)
def test_what_is_shown_changes_no_weight(shown):
    silent = weights()
    assert silent.count("'") == 4  # a kernel and a bias
    assert weights(**shown) == silent


def test_a_quiet_job_learns_what_a_shown_one_learns(tmp_path):
    histories = []
    for name, more in (("quiet", ["--quiet"]), ("shown", [])):
        out = tmp_path / name
        command = ["train", "digits", "--epochs", "1", "--out", str(out), *more]
        subprocess.run(
            [sys.executable, "-m", "deepneuron", *command],
            capture_output=True,
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
            check=True,
        )
        histories.append((out / "history.csv").read_bytes())
    assert histories[0] == histories[1]
