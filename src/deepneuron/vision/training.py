"""One training: the network, its epochs, and the judgement by the test pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deepneuron import callbacks, utils
from deepneuron.data.batches import Batches
from deepneuron.data.store import Store
from deepneuron.errors import DataError, DivergenceError
from deepneuron.naming import fresh_names
from deepneuron.vision.answers import answers
from deepneuron.vision.checkpoint import State, load_checkpoint
from deepneuron.vision.find_rate import RateSearch, find_rate
from deepneuron.vision.folder import RunFolder
from deepneuron.vision.keeper import Keeper, set_variables, variables_of
from deepneuron.vision.networks import FineTune
from deepneuron.vision.prepare import Prepared
from deepneuron.vision.progress import bar, shown, tell
from deepneuron.vision.recipe import Recipe, make_optimizer
from deepneuron.vision.recipe import recipe as recipe_for
from deepneuron.vision.run import Interrupted
from deepneuron.vision.settings import Settings

JUDGED = 256  # pictures at a time where nothing is learned


@dataclass(frozen=True)
class Trained:
    """What `fit_network` leaves behind.

    Attributes:
        model: with the weights of its best epoch.
        last_weights: its variables at the end of the last epoch.
        state: the history, and which epoch was best.
        recipe: what it was trained by.
        rate_search: the search for the learning rate, if there was one.
        interrupted: whether Ctrl-C ended it.
        diverged: whether it ended because the loss left the finite numbers.
    """

    model: Any
    last_weights: list[np.ndarray]
    state: State
    recipe: Recipe
    rate_search: RateSearch | None
    interrupted: bool
    diverged: bool


def fit_network(
    folder: RunFolder, settings: Settings, prepared: Prepared, *, quiet: bool
) -> Trained:
    """Make the network and train it, from the beginning or from the checkpoint.

    Args:
        folder: of the run; its checkpoint is read if there is one, and written.
        settings: what the user chose.
        prepared: the pictures, and what was decided about them.
        quiet: whether to show nothing.

    Raises:
        DivergenceError: the loss left the finite numbers in the first epoch. (Later,
            training ends, and what was best until then is kept.)
        Interrupted: Ctrl-C before the first epoch was over.
    """
    recipe = _recipe(settings, prepared)
    # From here on everything random follows from the seed.
    utils.set_random_seed(settings.seed)
    batches = _batches(prepared, recipe, settings.seed)
    with fresh_names():  # so that the files of equal runs are equal
        model = prepared.network.build()
        _compile(model, recipe, settings.optimizer, len(batches))
    search = None
    if settings.find_lr:
        search = _search(model, batches, quiet=quiet)
        recipe = replace(recipe, learning_rate=search.suggestion)
        with fresh_names():
            _compile(model, recipe, settings.optimizer, len(batches))
    state = load_checkpoint(folder.checkpoint, model)
    _check_pictures(state, prepared.store, folder)
    keeper = Keeper(folder, recipe.patience, state)
    end: type[BaseException] | None = None
    if not keeper.is_over and keeper.state.epochs < recipe.epochs:
        batches.set_epoch(keeper.state.epochs)
        title = _title(prepared, model)
        end = _fit(model, batches, prepared, recipe, keeper, title, quiet)
        if end is not None:  # back to the last epoch that was whole
            keeper.state = load_checkpoint(folder.checkpoint, model)
            if not keeper.state.best_weights:
                raise Interrupted(None)  # while the first one was written
    last = variables_of(model)
    set_variables(model, keeper.state.best_weights)
    return Trained(
        model,
        last,
        keeper.state,
        recipe,
        search,
        interrupted=end is KeyboardInterrupt,
        diverged=end is DivergenceError,
    )


def _check_pictures(state: State, store: Store, folder: RunFolder) -> None:
    """That a training goes on with the pictures that it began with.

    Decoded anew they may be others; then some that it learned from would test it.
    """
    seen = hashlib.sha256()
    for column in (store.y, store.part, store.facts.digest):
        seen.update(np.ascontiguousarray(column).tobytes())
    pictures = seen.hexdigest()
    if state.epochs and state.pictures != pictures:
        raise DataError(
            f"The pictures have changed since the training in {folder.path} was cut "
            "off. Train anew (--overwrite)."
        )
    state.pictures = pictures


def _recipe(settings: Settings, prepared: Prepared) -> Recipe:
    """The numbers that suit the pictures, but for those that the user chose."""
    usual = recipe_for(
        len(prepared.rows.train),
        network=prepared.network.name,
        optimizer=settings.optimizer,
        trained=prepared.network.trained,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
    )
    return replace(
        usual,
        learning_rate=settings.learning_rate or usual.learning_rate,
        patience=settings.patience or usual.patience,
    )


def _compile(model: Any, recipe: Recipe, optimizer: str, batches: int) -> None:
    model.compile(
        make_optimizer(optimizer, recipe.learning_rate, batches * recipe.epochs),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )


def _batches(prepared: Prepared, recipe: Recipe, seed: int) -> Batches:
    """The training pictures, in a fresh order and changed anew in every epoch."""
    augmentation = prepared.augmentation
    return Batches(
        prepared.store.x,
        prepared.store.y,
        prepared.rows.train,
        batch_size=recipe.batch_size,
        seed=seed,
        shuffle=True,
        augmentation=None if str(augmentation) == "none" else augmentation,
        class_weights=prepared.class_weights,
    )


def judged(
    model: Any,
    x: np.ndarray,
    rows: np.ndarray,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """The probability of every class for every one of these rows, (rows, classes)."""
    found = []
    for begin in range(0, len(rows), JUDGED):
        found.append(answers(model, np.asarray(x[rows[begin : begin + JUDGED]])))
        if progress is not None:
            progress(min(begin + JUDGED, len(rows)), len(rows))
    return np.concatenate(found)


def _judging(prepared: Prepared, rows: np.ndarray) -> Batches:
    """Pictures as they are, in their order."""
    store = prepared.store
    return Batches(store.x, store.y, rows, batch_size=JUDGED)


def _search(model: Any, batches: Batches, *, quiet: bool) -> RateSearch:
    with bar("Searching for the learning rate", quiet=quiet) as progress:
        found = find_rate(model, batches, progress=progress)
    tell(str(found), quiet=quiet)
    return found


def _fit(
    model: Any,
    batches: Batches,
    prepared: Prepared,
    recipe: Recipe,
    keeper: Keeper,
    title: str,
    quiet: bool,
) -> type[BaseException] | None:
    """Train; what ended it early, if anything did."""
    fine_tune = FineTune(recipe.frozen_epochs)
    try:
        with shown(title, keeper, quiet=quiet) as display:
            model.fit(
                batches,
                epochs=recipe.epochs,
                initial_epoch=keeper.state.epochs,
                shuffle=False,  # the batches come in an order of their own
                validation_data=_judging(prepared, prepared.rows.validation),
                verbose=0,
                callbacks=[
                    callbacks.TerminateOnNaN(raise_error=True),
                    fine_tune,
                    keeper,
                    *display,
                ],
            )
    except (DivergenceError, KeyboardInterrupt) as error:
        fine_tune.on_train_end()  # which fit does not call then
        if keeper.state.best_weights:
            return type(error)
        if isinstance(error, KeyboardInterrupt):
            raise Interrupted(None) from None
        raise diverged(recipe) from error
    finally:
        batches.close()
    return None


def diverged(recipe: Recipe) -> DivergenceError:
    """The sentence for a loss that is no number any more."""
    return DivergenceError(
        "The loss left the finite numbers with learning_rate="
        f"{recipe.learning_rate:g}; try a smaller one, or find_lr."
    )


def _title(prepared: Prepared, model: Any) -> str:
    rows = prepared.rows
    return (
        f"{len(rows.train):,} training, {len(rows.validation):,} validation and "
        f"{len(rows.test):,} test pictures; {model.count_params():,} weights"
    )
