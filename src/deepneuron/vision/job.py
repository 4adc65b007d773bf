"""The main job: pictures in, a trained and tested classifier out, with a report.

pictures -> prepared (decoded, looked at, divided) -> network -> fit -> test
         -> where it looks -> all results at once

Each arrow is a function below, or a file beside this one. `resume` walks the same way:
what was decoded is found decoded, the epochs that are over are found in the checkpoint.
"""

from __future__ import annotations

import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import NoneType
from typing import Any

import numpy as np

from deepneuron._version import __version__
from deepneuron.data.collection import Collection
from deepneuron.data.sources import open_collection
from deepneuron.errors import ArgumentError, DataError, DataNotFoundError
from deepneuron.vision.details import look_closer, save_details, write_report
from deepneuron.vision.folder import (
    AUDIT,
    CONFIG,
    DETAILS,
    HISTORY,
    LABELS,
    LAST,
    METRICS,
    MODEL,
    RunFolder,
    claimed,
    staged,
    write_history,
    write_json,
)
from deepneuron.vision.keeper import set_variables, variables_of
from deepneuron.vision.prepare import Prepared, prepare
from deepneuron.vision.progress import bar, tell
from deepneuron.vision.run import Interrupted, Run
from deepneuron.vision.scores import scores
from deepneuron.vision.settings import Settings
from deepneuron.vision.training import Trained, diverged, fit_network, judged


def train(
    data: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    *,
    model: str | os.PathLike[str] = "auto",
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    optimizer: str = "adam",
    augment: str = "auto",
    class_weights: str = "auto",
    patience: int | None = None,
    validation: float = 0.1,
    test: float = 0.2,
    size: int | None = None,
    find_lr: bool = False,
    strict: bool = False,
    seed: int = 0,
    threads: int | None = None,
    overwrite: bool = False,
    quiet: bool = False,
) -> Run:
    """Train a classifier of pictures, and test it on pictures that it never saw.

    The weights of the epoch with the highest accuracy on the validation part are kept
    (of equals, the last). The same arguments and number of BLAS threads give the same
    weights, bit by bit.

    Args:
        data: a folder with a subfolder of pictures for each class (or with train/ and
            test/ of that kind), a .csv, an .npz, a folder of IDX or CIFAR files, or
            "digits" or "fashion".
        out: the folder for the results; by default `runs/<data>`, with a number behind
            if there is one already. The results appear in it all at once at the end.
        model: "auto", "linear", "mlp", "cnn", "resnet", a .keras file to go on from, or
            "module:function".
        epochs: passes over the training pictures, at most.
        batch_size: pictures a step.
        learning_rate: at the beginning; it falls to 0 along half a cosine.
        optimizer: "adam", "adamw", "sgd", "rmsprop", "nadam" or "lion".
        augment: "auto", "none", or words such as "flip,rotate=10".
        class_weights: "auto", "balanced" or "none".
        patience: epochs without a validation accuracy as high as the best, after which
            training ends.
        validation, test: shares of every class to set aside where the data has no such
            part.
        size: height and width that pictures are brought to.
        find_lr: search for the learning rate first.
        strict: whether a picture that cannot be read is an error; else it is skipped,
            and named in the audit.
        seed: of everything random.
        threads: how many read pictures; by default as many as there are processors, up
            to 8.
        overwrite: throw away a training that was cut off in this folder.
        quiet: show no progress.

    None stands for what the pictures ask for; `run.metrics["settings"]` says what that
    was.

    Returns:
        A Run with the model, its history and its metrics.

    Raises:
        UnknownNameError, DataError: data that is not there, or cannot be trained on.
        ArgumentError: a choice out of its range.
        SavingError: a folder that cannot be written to, or is in use.
        DivergenceError: a loss that left the finite numbers in the first epoch; later,
            what was best until then is kept, and `metrics["diverged"]` says so.
        Interrupted: a KeyboardInterrupt. What was best until then has been written, if
            an epoch was over, and is its `run`; `resume` goes on.

    Example:

        run = deepneuron.vision.train("digits", "runs/digits")
        run.metrics["test"]["accuracy"]
        run.model.predict(pictures)
    """
    settings = Settings(
        model=os.fspath(model),
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        optimizer=optimizer,
        augment=augment,
        class_weights=class_weights,
        patience=patience,
        validation=validation,
        test=test,
        size=size,
        find_lr=find_lr,
        strict=strict,
        seed=seed,
    )
    # What is misspelt should leave no folder behind.
    collection = open_collection(data, strict=strict)
    out = _folder(out, data)
    with claimed(out, overwrite=overwrite) as folder, _kept(folder):
        config = {
            "data": os.fspath(data),
            "source": _lasting(collection),
            "settings": settings.to_json(),
            "threads": threads,
            "blas_threads": _blas_threads(),
            "versions": _versions(),
        }
        if settings.model.endswith(".keras"):
            _keep_given(Path(settings.model), folder)
        folder.write_config(config)
        return _run(folder, config, lambda: collection, quiet=quiet)


def resume(out: str | os.PathLike[str], *, quiet: bool = False) -> Run:
    """Go on with a training that was cut off; it ends as if it had not been.

    Args:
        out: its folder.
        quiet: show no progress.

    Returns:
        The Run, with the same weights, bit by bit, that the training would have ended
        with.

    Raises:
        DataNotFoundError: there is nothing to go on with.
        DataError, SavingError, DivergenceError, Interrupted: as in `train`.
    """
    folder = RunFolder(Path(out))
    if not folder.is_unfinished():
        if folder.is_finished():
            tell(f"{out} is finished already; there is nothing to do.", quiet=quiet)
            return Run.open(folder.path)
        raise DataNotFoundError(
            f"{out} holds no training to go on with: there is no "
            f"{folder.unfinished / CONFIG}."
        )
    with claimed(folder.path, overwrite=False, go_on=True), _kept(folder):
        config = _known(folder.read_config(), folder.unfinished / CONFIG)
        source, strict = config["source"], config["settings"].get("strict", False)
        return _run(
            folder, config, lambda: open_collection(source, strict=strict), quiet=quiet
        )


# What `resume` needs of config.json.
_KINDS: dict[str, tuple[type, ...]] = {
    "data": (str,),
    "source": (str,),
    "settings": (dict,),
    "threads": (int, NoneType),
}


def _known(config: dict[str, Any], path: Path) -> dict[str, Any]:
    """The config, if it is one that `train` has written."""
    for name, kinds in _KINDS.items():
        if not isinstance(config.get(name, path), kinds):
            found = f"holds {config[name]!r:.80}" if name in config else "is missing"
            raise DataError(
                f"{path} is damaged: {name!r} {found}. Train anew (--overwrite)."
            )
    return config


@contextmanager
def _kept(folder: RunFolder) -> Iterator[None]:
    """Ctrl-C says where the training can be taken up, if it can."""
    try:
        yield
    except Interrupted:
        raise
    except KeyboardInterrupt:
        if folder.checkpoint.exists():
            raise Interrupted(None, folder.path) from None
        raise


def _folder(out: str | os.PathLike[str] | None, data: str | os.PathLike[str]) -> Path:
    """The folder for the results; without a choice, one that is not taken."""
    if out is not None:
        if not os.fspath(out):
            raise ArgumentError(
                "out is empty; it should name the folder for the results."
            )
        return Path(out)
    name = Path(data).stem.strip(".") or Path(data).resolve().stem or "pictures"
    folder, number = Path("runs", name), 1
    while folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        number += 1
        folder = Path("runs", f"{name}-{number}")
    return folder


def _keep_given(model: Path, folder: RunFolder) -> None:
    """A copy of the network to go on from: the file may change until a `resume`."""
    try:
        shutil.copyfile(model, folder.given)
    except FileNotFoundError:
        raise DataNotFoundError(
            f"There is no file {model}, a trained model to go on from."
        ) from None
    except OSError as error:
        raise DataError(
            f"{model} cannot be copied: {error.strerror or error}."
        ) from error


def _lasting(collection: Collection) -> str:
    """The source under a name that means the same in another working folder."""
    if collection.kind == "embedded":
        return collection.source
    return os.fspath(Path(collection.source).resolve())


def _blas_threads() -> int | None:
    """How many threads multiply matrices, if the environment says so."""
    text = os.environ.get("OPENBLAS_NUM_THREADS", "")
    return int(text) if text.isdecimal() and int(text) > 0 else None


def _versions() -> dict[str, str]:
    return {
        "deepneuron": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": platform.platform(),
    }


# --- one training, from the beginning or from a checkpoint


def _run(
    folder: RunFolder,
    config: dict[str, Any],
    collect: Callable[[], Collection],
    *,
    quiet: bool,
) -> Run:
    began = time.perf_counter()
    settings = Settings.from_json(config["settings"])
    prepared = prepare(
        folder, settings, collect, threads=config["threads"], quiet=quiet
    )
    trained = fit_network(folder, settings, prepared, quiet=quiet)
    model, rows = trained.model, prepared.rows.test
    if trained.diverged:
        tell(
            f"{diverged(trained.recipe)} The network is that of epoch "
            f"{trained.state.best_epoch + 1}.",
            quiet=quiet,
        )
    with bar("Testing", quiet=quiet) as progress:
        found = judged(model, prepared.store.x, rows, progress)
    metrics = _metrics(config["data"], prepared, trained, found, settings)
    search = trained.rate_search
    details = look_closer(
        model,
        prepared,
        found,
        None if search is None else search.to_json(),
        settings.seed,
        quiet=quiet,
    )
    labels = {
        "class_names": list(prepared.store.class_names),
        "shape": list(prepared.store.x.shape[1:]),
    }
    audit = prepared.audit.to_json()
    del prepared  # Windows removes no file that is mapped into memory
    before = config.get("seconds")  # until it was interrupted
    seconds = before if isinstance(before, float) else 0.0
    config = {**config, "seconds": round(seconds + time.perf_counter() - began, 2)}
    if trained.interrupted:
        folder.write_config(config)
    with staged(folder, over=not trained.interrupted) as stage:
        model.save(stage / MODEL)
        best = variables_of(model)
        set_variables(model, trained.last_weights)
        model.save(stage / LAST)
        set_variables(model, best)
        write_history(stage / HISTORY, trained.state.history)
        write_json(stage / METRICS, metrics)
        write_json(stage / LABELS, labels)
        write_json(stage / AUDIT, audit)
        save_details(stage / DETAILS, details)
        write_json(stage / CONFIG, config)
        write_report(stage)
    run = Run(folder.path, metrics, trained.state.history, model)
    if trained.interrupted:
        raise Interrupted(run)
    return run


def _metrics(
    data: str,
    prepared: Prepared,
    trained: Trained,
    found: np.ndarray,
    settings: Settings,
) -> dict[str, Any]:
    """What `metrics.json` says: no times, so that equal runs leave equal files."""
    store, rows, state = prepared.store, prepared.rows, trained.state
    if not np.isfinite(found).all():
        raise diverged(trained.recipe)  # in the very last step
    parts = {"validation": ("val_", rows.validation), "train": ("", rows.train)}
    return {
        "data": data,
        "test": scores(found, store.y[rows.test], store.class_names),
        **{
            # of the best epoch, as they stood at its end
            part: {
                "accuracy": state.history[f"{prefix}accuracy"][state.best_epoch],
                "loss": state.history[f"{prefix}loss"][state.best_epoch],
                "samples": len(chosen),
            }
            for part, (prefix, chosen) in parts.items()
        },
        "epochs": state.epochs,
        "best_epoch": state.best_epoch + 1,
        "interrupted": trained.interrupted,
        "diverged": trained.diverged,
        "model": {"name": prepared.network.name, "why": prepared.network.why},
        "parameters": trained.model.count_params(),
        "class_names": list(store.class_names),
        "shape": list(store.x.shape[1:]),
        "augmentation": {
            "words": str(prepared.augmentation),
            "why": prepared.augmentation_why,
        },
        "class_weights": {
            "weights": None
            if prepared.class_weights is None
            else [float(w) for w in prepared.class_weights],
            "why": prepared.class_weights_why,
        },
        "settings": {**settings.to_json(), **asdict(trained.recipe)},
        "deepneuron": __version__,
    }
