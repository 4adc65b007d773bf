"""CSVLogger: the rows of Keras, and nothing lost when a process dies."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import deepneuron as dn
from deepneuron import callbacks
from tests.callbacks.fakes import drive
from tests.peers import keras


def rows(path, separator=","):
    with Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file, delimiter=separator))


@given(
    losses=st.lists(st.floats(), min_size=1, max_size=5),
    validated=st.booleans(),
    separator=st.sampled_from([",", ";", "\t"]),
    append=st.booleans(),
)
def test_rows_as_in_keras(tmp_path_factory, losses, validated, separator, append):
    folder = tmp_path_factory.mktemp("csv")
    epochs = [
        {"loss": v, "accuracy": 1 / 3, **({"val_loss": 2 * v} if validated else {})}
        for v in losses
    ]
    for k in (dn, keras()):
        path = folder / f"{k.__name__}.csv"
        for _ in range(2):
            drive(k.callbacks.CSVLogger(path, separator, append), epochs)
    mine, real = (rows(folder / f"{k.__name__}.csv", separator) for k in (dn, keras()))
    assert mine == real
    assert len(mine) == 1 + len(losses) * (2 if append else 1)
    for row, value in zip(mine[1:], losses, strict=False):
        assert repr(float(row[2])) == repr(value)  # every digit is there


@pytest.mark.parametrize(
    "value",
    [np.float32(0.1), np.array(0.25), np.array([1.0, 2.0]), [1, 2], "words, more", 3],
    ids=repr,
)
def test_values_of_other_kinds_are_written_as_in_keras(tmp_path, value):
    for k in (dn, keras()):
        logger = k.callbacks.CSVLogger(str(tmp_path / f"{k.__name__}.csv"))
        drive(logger, [{"loss": value}, {}])
    assert rows(tmp_path / "deepneuron.csv") == rows(tmp_path / "keras.csv")


def test_validation_that_comes_later_finds_its_column(tmp_path):
    path = tmp_path / "new" / "folder" / "log.csv"
    logger = callbacks.CSVLogger(path)
    drive(logger, [{"loss": 1.0}, {"loss": 0.5, "val_loss": 2.0}])
    assert rows(path) == [
        ["epoch", "loss", "val_loss"],
        ["0", "1.0", "NA"],
        ["1", "0.5", "2.0"],
    ]


def test_appending_mends_a_line_that_was_cut(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("epoch,loss,val_loss\n0,1.0,2.0\n1,0.", encoding="utf-8")
    drive(callbacks.CSVLogger(path, append=True), [{"loss": 0.5, "val_loss": 1.0}])
    assert rows(path)[-1] == ["0", "0.5", "1.0"]
    assert rows(path)[:2] == [["epoch", "loss", "val_loss"], ["0", "1.0", "2.0"]]


def test_a_process_that_dies_loses_no_finished_epoch(tmp_path):
    path = tmp_path / "log.csv"
    code = f"""
import os
from deepneuron.callbacks import CSVLogger
logger = CSVLogger({str(path)!r})
logger.on_train_begin()
for epoch in range(3):
    logger.on_epoch_end(epoch, {{"loss": 0.5, "val_loss": 1.0}})
os._exit(1)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 1
    assert [row[0] for row in rows(path)] == ["epoch", "0", "1", "2"]
