from __future__ import annotations

import numpy as np
import pytest

from deepneuron.vision import job
from deepneuron.vision.pictures import load_pictures


@pytest.fixture
def few(monkeypatch):
    """The job sees a part of its pictures only, so that it takes no time."""

    def load(name, seed):
        whole = load_pictures(name, seed)
        rows = {"train": 96, "validation": 40, "test": 50}
        for part, count in rows.items():
            x, y = getattr(whole, part)
            object.__setattr__(whole, part, (x[:count], y[:count].astype(np.uint8)))
        return whole

    monkeypatch.setattr(job, "load_pictures", load)
