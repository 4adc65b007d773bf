"""A fixture: the job sees a part of an embedded data set, so that it takes no time."""

import pytest

from deepneuron.data import Collection, Part
from deepneuron.vision import job

TRAIN, TEST = 140, 50  # 14 of the 140 are set aside for validation


@pytest.fixture
def few(monkeypatch):
    """Trainings of "digits" and "fashion" have 126, 14 and 50 pictures."""
    whole = job.open_collection

    def some(data, *, strict=False):
        found = whole(data, strict=strict)
        if found.kind != "embedded":
            return found
        parts = {
            name: Part(part.pictures[:count], part.labels[:count], part.names[:count])
            for (name, part), count in zip(
                found.parts.items(), (TRAIN, TEST), strict=True
            )
        }
        return Collection(found.source, found.kind, found.class_names, parts)

    monkeypatch.setattr(job, "open_collection", some)
