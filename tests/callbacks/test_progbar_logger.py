"""ProgbarLogger: a bar on a terminal, one line for each epoch elsewhere."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys

import numpy as np
import pytest

import deepneuron as dn

X = np.linspace(-1, 1, 20, dtype="float32").reshape(10, 2)
Y = X[:, :1]

PROGRAM = """
import numpy as np, deepneuron as dn
x = np.ones((10, 2), "float32")
model = dn.Sequential([dn.Input((2,)), dn.layers.Dense(1)])
model.compile("sgd", "mse", metrics=["mae"])
model.fit(x, x[:, :1], batch_size=2, epochs=2, validation_data=(x, x[:, :1]))
model.evaluate(x, x[:, :1], batch_size=5)
model.predict(x)
"""


class Terminal(io.StringIO):
    def isatty(self):
        return True


def output_of(monkeypatch, stream, do):
    model = dn.Sequential([dn.Input((2,)), dn.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("COLUMNS", "100")
    do(model)
    monkeypatch.undo()
    return stream.getvalue()


def fit(verbose="auto", **arguments):
    common = {"batch_size": 2, "verbose": verbose, "validation_data": (X, Y)}
    return lambda model: model.fit(X, Y, **{**common, **arguments})


@pytest.mark.parametrize("verbose", ["auto", 1, 2])
def test_piped_output_is_one_line_for_each_epoch(monkeypatch, verbose):
    text = output_of(monkeypatch, io.StringIO(), fit(verbose, epochs=3))
    lines = [s for s in text.splitlines() if " kernels" not in s]  # the first fit's
    number = r"\d+\.\d{4}(e[-+]\d+)?"
    assert len(lines) == 3
    for i, line in enumerate(lines, start=1):
        assert re.fullmatch(
            rf"Epoch {i}/3 - 5/5 - \d+s - \d+(s|ms|us)/step - loss: {number} - "
            rf"mae: {number} - val_loss: {number} - val_mae: {number}",
            line,
        ), line


def test_silence_is_silent(monkeypatch):
    def everything(model):
        fit(0, epochs=2)(model)
        model.evaluate(X, Y, verbose=0)
        model.predict(X, verbose=0)

    for stream in (io.StringIO(), Terminal()):
        assert output_of(monkeypatch, stream, everything) == ""


def test_evaluate_and_predict_have_a_line_of_their_own(monkeypatch):
    def both(model):
        model.evaluate(X, Y, batch_size=5)
        model.predict(X, batch_size=5)

    lines = output_of(monkeypatch, io.StringIO(), both).splitlines()
    assert len(lines) == 2
    assert re.match(r"2/2 - .*loss: .* - mae: ", lines[0])
    assert re.fullmatch(r"2/2 - \d+s - \d+(s|ms|us)/step", lines[1])


def test_a_generator_without_length_is_counted(monkeypatch):
    def fit_twice(model):
        model.fit(((X[:2], Y[:2]) for _ in range(4)), epochs=1)

    line = output_of(monkeypatch, io.StringIO(), fit_twice)
    assert "4/4 - " in line
    assert line.count("\n") == 1


def test_a_terminal_sees_a_bar_that_fills(monkeypatch):
    text = output_of(monkeypatch, Terminal(), fit(epochs=2))
    assert "Epoch 1/2\n" in text
    assert "Epoch 2/2\n" in text
    last = text.splitlines()[-1].split("\r")[-1]
    plain = re.sub(r"\x1b\[[0-9;]*m", "", last)
    assert re.match(r"5/5 ━{20} \d+s \d+(s|ms|us)/step - loss: ", plain), plain
    assert "val_mae: " in plain
    assert len(plain) <= 100


def test_a_narrow_terminal_is_not_overrun(monkeypatch):
    def narrow(model):
        monkeypatch.setenv("COLUMNS", "40")
        fit(epochs=1)(model)

    text = output_of(monkeypatch, Terminal(), narrow)
    for part in re.split(r"[\r\n]", re.sub(r"\x1b\[[0-9;]*m", "", text)):
        assert len(part) <= 40


def test_lines_on_request_on_a_terminal(monkeypatch):
    text = output_of(monkeypatch, Terminal(), fit(2, epochs=2))
    assert len(text.splitlines()) == 2
    assert "━" not in text


class OldTerminal(io.TextIOWrapper):
    """It knows ASCII only, as the console of an old Windows knows few letters."""

    def __init__(self):
        super().__init__(io.BytesIO(), encoding="ascii", write_through=True)

    def isatty(self):
        return True

    def getvalue(self):
        return self.buffer.getvalue().decode("ascii")


def test_a_terminal_that_knows_few_letters_is_no_error(monkeypatch):
    def train(model):
        model.compile("sgd", "mse", metrics=[dn.metrics.MeanSquaredError("größe")])
        fit(epochs=1)(model)

    text = output_of(monkeypatch, OldTerminal(), train)
    assert "5/5 " + "=" * 20 in re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert "gr??e: " in text


def test_a_program_in_a_pipe_prints_its_lines():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    first, *lines = done.stdout.splitlines()
    assert re.fullmatch(r"deepneuron \S+: \w+ kernels.*, \d+ threads?", first)
    assert len(lines) == 4
    assert done.stderr == ""


def test_a_program_on_a_real_terminal_draws_its_bar():
    pty = pytest.importorskip("pty", reason="no pseudo terminals on this system")
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "90"}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=slave, env=environment
    )
    os.close(slave)
    received = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        received += part
    os.close(master)
    assert process.wait() == 0
    text = received.decode()
    assert "\x1b[" in text
    assert "Epoch 2/2" in text
    assert "5/5" in text
    assert "2/2" in text  # evaluate
    assert "1/1" in text  # predict
