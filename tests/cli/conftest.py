import sys

import pytest

from deepneuron.cli.main import main
from tests.vision.few import few

__all__ = ["few"]


@pytest.fixture
def deepneuron(monkeypatch, capsys):
    """Runs the command line in this process: (exit code, stdout, stderr)."""

    def call(*arguments, program=None):
        monkeypatch.setattr(sys, "argv", ["deepneuron", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            main(program)
        return (caught.value.code, *capsys.readouterr())

    return call
