"""Details: what a report shows beyond the tables, and how it is kept in a run.

`details.npz` holds the pictures that the report shows with their heat maps, and the
network's answers to all test pictures, so that `deepneuron report` can draw the report
again, and anybody can look further, without the data.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from deepneuron.errors import DataError, DataNotFoundError
from deepneuron.saving.atomic import atomic_write
from deepneuron.vision.examples import confident_mistakes, least_sure
from deepneuron.vision.filters import first_filters
from deepneuron.vision.folder import (
    AUDIT,
    CONFIG,
    DETAILS,
    HISTORY,
    METRICS,
    REPORT,
    RunFolder,
    read_history,
    read_json,
)
from deepneuron.vision.heatmaps import grad_cam, occlusion
from deepneuron.vision.prepare import Prepared
from deepneuron.vision.progress import bar
from deepneuron.vision.report import ReportData, Shown, advise, render_report
from deepneuron.vision.run import Run

_SHOWN = 12  # pictures of a kind
_EXPLAINED = 6  # of them with heat maps
_PREVIEWED, _VARIANTS = 4, 5
_PREVIEW_STREAM = 0xA06  # apart from what training draws


@dataclass(frozen=True)
class Details:
    """What of a run is neither a table nor a weight.

    Attributes:
        answers: the probability of every class for every test picture.
        labels, names: of the test pictures.
        mistakes, unsure: pictures to show.
        filters: of the first layer.
        preview: pictures as they are, and as training sees them.
        augmentation: in words.
        rate_search: the search for the learning rate, if there was one.
    """

    answers: np.ndarray
    labels: np.ndarray
    names: Sequence[str]
    mistakes: Sequence[Shown]
    unsure: Sequence[Shown]
    filters: np.ndarray | None
    preview: Sequence[tuple[np.ndarray, Sequence[np.ndarray]]]
    augmentation: str
    rate_search: dict[str, Any] | None


def look_closer(
    model: Any,
    prepared: Prepared,
    answers: np.ndarray,
    rate_search: dict[str, Any] | None,
    seed: int,
    *,
    quiet: bool,
) -> Details:
    """Choose the pictures that say most, and find out where the network looked.

    Args:
        model: with its final weights.
        prepared: what it was trained with.
        answers: its probabilities for the test pictures, (test pictures, classes).
        rate_search: as plain data.
        seed: of the preview of the augmentation.
        quiet: whether to show no progress.
    """
    store, rows = prepared.store, prepared.rows.test
    labels = store.y[rows]
    kinds = [
        confident_mistakes(answers, labels, _SHOWN),
        least_sure(answers, _SHOWN),
    ]
    explained = [kind[:_EXPLAINED] for kind in kinds]
    places = np.concatenate(explained)
    x, predicted = store.x[rows[places]], answers[places].argmax(-1)
    cams = grad_cam(model, x, predicted)
    with bar("Where it looks", quiet=quiet) as progress:
        covers = occlusion(model, x, predicted, progress=progress)
    maps = {}  # by the place among the test pictures
    for i, place in enumerate(places.tolist()):
        maps[place] = None if cams is None else cams[i], covers[i]
    mistakes, unsure = (
        [
            Shown(
                picture=np.array(store.x[rows[place]]),
                name=store.names[rows[place]],
                label=int(labels[place]),
                probabilities=answers[place],
                cam=maps.get(place, (None, None))[0],
                occlusion=maps.get(place, (None, None))[1],
            )
            for place in kind.tolist()
        ]
        for kind in kinds
    )
    return Details(
        answers=answers,
        labels=labels,
        names=[store.names[row] for row in rows],
        mistakes=mistakes,
        unsure=unsure,
        filters=first_filters(model),
        preview=_preview(prepared, seed),
        augmentation=_in_words(prepared),
        rate_search=rate_search,
    )


def _in_words(prepared: Prepared) -> str:
    return f"{prepared.augmentation.describe()} ({prepared.augmentation_why})"


def _preview(
    prepared: Prepared, seed: int
) -> list[tuple[np.ndarray, list[np.ndarray]]]:
    """Some training pictures of different classes, each with variants of it."""
    if str(prepared.augmentation) == "none":
        return []
    store, rows = prepared.store, prepared.rows.train
    _, first = np.unique(store.y[rows], return_index=True)
    chosen = rows[first[np.linspace(0, len(first) - 1, _PREVIEWED).astype(int)]]
    found = []
    for row in dict.fromkeys(chosen.tolist()):
        picture = np.array(store.x[row])
        generator = np.random.Generator(
            np.random.Philox(
                key=np.array([seed, row], np.uint64), counter=_PREVIEW_STREAM
            )
        )
        copies = np.repeat(picture[None], _VARIANTS, 0)
        found.append((picture, list(prepared.augmentation(copies, generator))))
    return found


def report_data(run: Path) -> ReportData:
    """What the files in the folder of a run tell, for `render_report`.

    Raises:
        DataNotFoundError: a file is missing.
        DataError: a file is damaged.
    """
    if not (run / METRICS).exists():
        cut = RunFolder(run).is_unfinished()
        raise DataNotFoundError(
            f"{run} holds no results to report on: there is no {METRICS}. "
            + (
                f"Its training was cut off; go on with it (--resume {run})."
                if cut
                else "Name a folder that `deepneuron train` has filled."
            )
        )
    metrics = read_json(run / METRICS)
    details = load_details(run / DETAILS)
    try:
        data = ReportData(
            title=metrics["data"],
            class_names=metrics["class_names"],
            metrics=metrics,
            history=read_history(run / HISTORY),
            config=read_json(run / CONFIG),
            audit=read_json(run / AUDIT),
            mistakes=details.mistakes,
            unsure=details.unsure,
            filters=details.filters,
            preview=details.preview,
            augmentation=details.augmentation,
            rate_search=details.rate_search,
        )
    except KeyError as error:
        raise DataError(f"{run / METRICS} lacks {error}.") from error
    return replace(data, advice=advise(data))


def write_report(
    run: str | os.PathLike[str] | Run, filepath: str | os.PathLike[str] | None = None
) -> Path:
    """Draw the report of a run again, from the files in its folder.

    Args:
        run: its folder, or a Run.
        filepath: where to; `report.html` in the folder by default.

    Returns:
        The path of the report.

    Raises:
        DataNotFoundError: a file is missing.
        DataError: a file is damaged.
        SavingError: the report cannot be written.
    """
    folder = Path(run.out if isinstance(run, Run) else run)
    target = folder / REPORT if filepath is None else Path(filepath)
    text = render_report(report_data(folder))
    with atomic_write(target) as file:
        file.write(text.encode("utf-8"))
    return target


# --- the file


def save_details(path: Path, details: Details) -> None:
    """Write `details.npz`: plain arrays, and text as JSON."""
    arrays: dict[str, np.ndarray] = {
        "answers": details.answers,
        "labels": details.labels,
    }
    told = {
        "names": list(details.names),
        "augmentation": details.augmentation,
        "rate_search": details.rate_search,
        "shown": {
            kind: [_keep(f"{kind}.{i}", s, arrays) for i, s in enumerate(shown)]
            for kind, shown in (
                ("mistakes", details.mistakes),
                ("unsure", details.unsure),
            )
        },
        "preview": len(details.preview),
    }
    if details.filters is not None:
        arrays["filters"] = details.filters
    for i, (picture, variants) in enumerate(details.preview):
        arrays[f"preview.{i}"] = np.stack([picture, *variants])
    arrays["told"] = np.array(json.dumps(told))
    with atomic_write(path) as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # NumPy's stub


def _keep(
    key: str, shown: Shown, arrays: dict[str, np.ndarray]
) -> dict[str, str | int]:
    for name in ("picture", "probabilities", "cam", "occlusion"):
        value = getattr(shown, name)
        if value is not None:
            arrays[f"{key}.{name}"] = value
    return {"name": shown.name, "label": shown.label}


def load_details(path: Path) -> Details:
    """What `save_details` wrote.

    Raises:
        DataNotFoundError: there is no such file.
        DataError: it is damaged, or no such file.
    """
    try:
        # Opened here: over a damaged file NumPy leaves its own open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as loaded:
            arrays = {name: loaded[name] for name in loaded.files}
        told = json.loads(arrays["told"].item())
        shown = {
            kind: [
                Shown(
                    picture=arrays[f"{kind}.{i}.picture"],
                    name=item["name"],
                    label=item["label"],
                    probabilities=arrays[f"{kind}.{i}.probabilities"],
                    cam=arrays.get(f"{kind}.{i}.cam"),
                    occlusion=arrays.get(f"{kind}.{i}.occlusion"),
                )
                for i, item in enumerate(told["shown"][kind])
            ]
            for kind in ("mistakes", "unsure")
        }
        preview = [arrays[f"preview.{i}"] for i in range(told["preview"])]
        return Details(
            answers=arrays["answers"],
            labels=arrays["labels"],
            names=told["names"],
            mistakes=shown["mistakes"],
            unsure=shown["unsure"],
            filters=arrays.get("filters"),
            preview=[(group[0], list(group[1:])) for group in preview],
            augmentation=told["augmentation"],
            rate_search=told["rate_search"],
        )
    except FileNotFoundError:
        raise DataNotFoundError(f"There is no file {path}.") from None
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        EOFError,
        IndexError,
        zipfile.BadZipFile,
    ) as error:
        raise DataError(f"{path} cannot be read ({error}).") from error
