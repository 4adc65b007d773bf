"""What is known and decided before the first step: pictures, parts, network.

    collection -> store (decoded once) -> audit -> rows of the three parts
               -> augmentation, class weights, network

All of it follows from the pictures and the settings, so a training that is resumed
makes it anew and gets the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from deepneuron.data.augment import Augmentation, automatic
from deepneuron.data.class_weights import automatic_weights, balanced_weights
from deepneuron.data.collection import Collection
from deepneuron.data.shape import choose_shape
from deepneuron.data.store import Store, build_store, open_store
from deepneuron.errors import ArgumentError, DataNotFoundError, SavingError
from deepneuron.vision.audit import Audit, audit
from deepneuron.vision.folder import RunFolder
from deepneuron.vision.networks import Choice, choose_network, given_shape
from deepneuron.vision.progress import bar, tell
from deepneuron.vision.settings import Settings
from deepneuron.vision.split import Rows, split_rows
from deepneuron.vision.symmetry import symmetry

# What the audit says first, and how that stands out on a terminal.
_STYLES = {"Error": "bold red", "Warning": "yellow", "Note": "dim"}


@dataclass(frozen=True)
class Prepared:
    """All that training needs besides the network's weights.

    Attributes:
        store: the pictures.
        audit: what is noteworthy about them.
        rows: which of them are for what.
        augmentation: what happens to a training picture; `augmentation_why` says why
            it is this.
        class_weights: a factor for each class, (classes,), or None.
        network: which network, and why.
    """

    store: Store
    audit: Audit
    rows: Rows
    augmentation: Augmentation
    augmentation_why: str
    class_weights: np.ndarray | None
    class_weights_why: str
    network: Choice


def prepare(
    folder: RunFolder,
    settings: Settings,
    collect: Callable[[], Collection],
    *,
    threads: int | None,
    quiet: bool,
) -> Prepared:
    """Read the pictures, look at them, and decide what is to be trained with.

    Args:
        folder: of the run; pictures that were decoded for it before are used again.
        settings: what the user chose.
        collect: finds the pictures; called if they have to be decoded.
        threads: how many decode at the same time.
        quiet: whether to show nothing.

    Raises:
        DataError: pictures that no classifier can be trained on.
    """
    with _as_given(folder, settings):
        store = _store(folder, settings, collect, threads=threads, quiet=quiet)
    rows = split_rows(
        store,
        validation=settings.validation,
        test=settings.test,
        seed=settings.seed,
    )
    with bar("Looking at the pictures", quiet=quiet) as progress:
        found = audit(store, progress)
    for line in found.summary():
        tell(line, quiet=quiet, style=_STYLES.get(line.partition(":")[0], ""))
    augmentation, augmentation_why = _augmentation(settings, store, rows)
    weights, weights_why = _class_weights(settings, store, rows)
    with _as_given(folder, settings):
        network = choose_network(
            str(folder.given) if folder.given.exists() else settings.model,
            store.x.shape[1:],
            len(store.class_names),
            len(rows.train),
        )
    if folder.given.exists():
        why = network.why.replace(str(folder.given), settings.model)
        network = replace(network, name=settings.model, why=why)
    prepared = Prepared(
        store,
        found,
        rows,
        augmentation,
        augmentation_why,
        weights,
        weights_why,
        network,
    )
    for line in _decisions(prepared):
        tell(line, quiet=quiet)
    return prepared


def _decisions(prepared: Prepared) -> list[str]:
    """What was decided and why, in lines for the terminal."""
    lines = [f"Network     {prepared.network.why}"]
    if str(prepared.augmentation) != "none":
        lines.append(f"Variety     {prepared.augmentation.describe()}")
    if prepared.class_weights is not None:
        lines.append(f"Weights     {prepared.class_weights_why}")
    return lines


@contextmanager
def _as_given(folder: RunFolder, settings: Settings) -> Iterator[None]:
    """Errors name the network as the user did, and not the copy of it."""
    try:
        yield
    except (ArgumentError, SavingError) as error:
        if str(folder.given) not in str(error):
            raise
        text = str(error).replace(str(folder.given), settings.model)
        kind = SavingError if isinstance(error, SavingError) else ArgumentError
        raise kind(text) from error


def _shape(
    folder: RunFolder, settings: Settings, collection: Collection
) -> tuple[int, int, int]:
    """What the pictures ask for, but for what a given network takes."""
    chosen = choose_shape(collection, settings.size)
    if not folder.given.exists():
        return chosen
    height, width, channels = given_shape(folder.given)
    if settings.size is not None:  # load_given says so if it does not fit
        height = width = settings.size
    if channels not in (1, 3):
        channels = chosen[2]
    return height or chosen[0], width or chosen[1], channels


def _store(
    folder: RunFolder,
    settings: Settings,
    collect: Callable[[], Collection],
    *,
    threads: int | None,
    quiet: bool,
) -> Store:
    try:
        return open_store(folder.pictures)
    except DataNotFoundError:
        pass
    collection = collect()
    shape = _shape(folder, settings, collection)
    with bar("Reading pictures", quiet=quiet) as progress:
        return build_store(
            collection,
            shape,
            folder.pictures,
            strict=settings.strict,
            threads=threads,
            progress=progress,
        )


def _augmentation(
    settings: Settings, store: Store, rows: Rows
) -> tuple[Augmentation, str]:
    if settings.augment != "auto":
        return Augmentation.parse(settings.augment), "as you chose"
    if len(rows.train) < 4:
        return Augmentation(), "there are too few pictures to tell what does no harm"
    flips = symmetry(store.x, store.y, rows.train).allowed(store.class_names)
    allowed = flips.horizontal, flips.vertical
    augmentation, why = automatic(store.x.shape[1:], len(rows.train), allowed)
    return augmentation, f"{why}; {flips.why}"


def _class_weights(
    settings: Settings, store: Store, rows: Rows
) -> tuple[np.ndarray | None, str]:
    y, classes = store.y[rows.train], len(store.class_names)
    if settings.class_weights == "none":
        return None, "as you chose"
    if settings.class_weights == "balanced":
        return balanced_weights(y, classes), "as you chose"
    return automatic_weights(y, classes)
