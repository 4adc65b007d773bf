import re

import pytest

from deepneuron import vision
from deepneuron.vision import prepare, progress
from deepneuron.vision.audit import Audit, Finding
from deepneuron.vision.duplicates import Duplicates


def test_elsewhere_than_on_a_terminal_an_epoch_is_a_plain_line(few, tmp_path, capsys):
    vision.train("digits", tmp_path, epochs=2, augment="none")
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\r" not in shown
    about, *_ = shown.splitlines()
    assert about == "190 pictures of 10 classes (140 train, 50 test), 8 x 8 grey"
    assert "\n126 training, 14 validation and 50 test pictures; " in shown
    number = r"\d+\.\d{4}"
    lines = [line for line in shown.splitlines() if line.startswith("epoch")]
    for epoch, line in enumerate(lines, start=1):
        assert re.fullmatch(
            rf"epoch {epoch}/2  loss {number}  accuracy {number}  val_loss {number}  "
            rf"val_accuracy {number}  \d+\.\d s",
            line,
        )
    assert len(lines) == 2


def test_quiet_is_quiet(few, tmp_path, capsys):
    vision.train("digits", tmp_path, epochs=1, quiet=True)
    assert capsys.readouterr() == ("", "")


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setattr(progress, "_is_terminal", lambda: True)
    monkeypatch.setattr(progress, "_INTERVAL", 0.0)
    for name in ("NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    return monkeypatch


def test_a_long_line_breaks_between_words_and_its_names_stay(capsys, terminal):
    terminal.setenv("TERM", "xterm-256color")
    terminal.setenv("COLUMNS", "40")
    progress.tell('Warning: "[b]:cat:.png" and others are there under two labels.')
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        'Warning: "[b]:cat:.png" and others are',
        "there under two labels.",
    ]


def test_what_the_audit_says_stands_out_on_a_terminal_only(
    few, tmp_path, capsys, terminal
):
    terminal.setenv("TERM", "xterm-256color")
    finding = {"code": "x", "rows": ()}
    said = (
        Finding(severity="warning", sentence="It is [red]wrong[/red].", **finding),
        Finding(severity="note", sentence="It is so.", **finding),
    )
    terminal.setattr(
        prepare, "audit", lambda store, _: Audit(store, Duplicates((), ()), said)
    )
    vision.train("digits", tmp_path / "run", epochs=1, augment="none")
    coloured = capsys.readouterr().out
    assert "\x1b[33mWarning: It is [red]wrong[/red].\x1b[0m" in coloured
    assert "\x1b[2mNote: It is so.\x1b[0m" in coloured
    terminal.setattr(progress, "_is_terminal", lambda: False)
    vision.train("digits", tmp_path / "other", epochs=1, augment="none")
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:3] == ["Warning: It is [red]wrong[/red].", "Note: It is so."]


def test_a_terminal_shows_batch_loss_accuracy_and_the_time_left(
    few, tmp_path, capsys, terminal
):
    terminal.setenv("TERM", "xterm-256color")
    vision.train("digits", tmp_path, epochs=2)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", capsys.readouterr().out)
    shown = shown.replace("\r", "\n")  # back to the beginning of the line
    assert re.search(r"epoch 1/2 .* 2/\d  loss \d\.\d+  accuracy \d\.\d+ ", shown)
    assert re.search(r"epoch 2/2 .* 1/\d .* val \d\.\d+  0:0\d left", shown)
    for work in ("Reading pictures", "Looking at the pictures", "Where it looks"):
        assert work in shown
    assert re.search(r"epoch +loss +accuracy +val_loss +val_accuracy +time", shown)
    rows = re.findall(r"\n +[12]/2(?: +\d+\.\d{4}){4} +\d+\.\d s", shown)
    assert len(rows) == 2


def test_the_cursor_comes_back_after_ctrl_c(few, tmp_path, capsys, terminal):
    def press(self, epoch, logs=None):
        raise KeyboardInterrupt

    terminal.setenv("TERM", "xterm-256color")
    terminal.setattr(progress.LiveLine, "on_epoch_begin", press)
    with pytest.raises(vision.Interrupted):
        vision.train("digits", tmp_path, epochs=1)
    hidden, back = "\x1b[?25l", "\x1b[?25h"
    shown = capsys.readouterr().out
    assert shown.rindex(back) > shown.rindex(hidden)


def test_a_dumb_terminal_gets_plain_lines(few, tmp_path, capsys, terminal):
    terminal.setenv("TERM", "dumb")
    vision.train("digits", tmp_path, epochs=1)
    assert "\x1b" not in capsys.readouterr().out
