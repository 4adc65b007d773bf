"""`deepneuron train`: the main job from the command line."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deepneuron.cli.complete import complete_data, complete_model, complete_run
from deepneuron.cli.options import import_modules, import_option, strict_option
from deepneuron.cli.threads import one_thread, set_threads

if TYPE_CHECKING:
    from deepneuron.vision import Run

# What the job knows as well; written out, so that --help need not import it.
OPTIMIZERS = ("adam", "adamw", "sgd", "rmsprop", "nadam", "lion")
CLASS_WEIGHTS = ("auto", "balanced", "none")


@click.command(short_help="Train an image classifier.")
@click.argument("data", required=False, shell_complete=complete_data)
@click.option(
    "--out",
    metavar="FOLDER",
    type=click.Path(),
    help="Where the results go; made if missing.  [default: runs/DATA]",
)
@click.option(
    "--model",
    default="auto",
    show_default=True,
    metavar="MODEL",
    shell_complete=complete_model,
    help="auto, linear, mlp, cnn, resnet; a .keras file to fine-tune; or your own "
    "module:function, called with (input_shape, classes).",
)
@click.option("--epochs", type=int, help="Passes over the pictures, at most.")
@click.option("--batch-size", type=int, help="Pictures between two updates.")
@click.option(
    "--learning-rate", type=float, help="At the beginning; it falls to 0 at the end."
)
@click.option(
    "--find-lr",
    is_flag=True,
    help="Search for the learning rate first; the report shows the curve.",
)
@click.option(
    "--optimizer",
    default="adam",
    show_default=True,
    type=click.Choice(OPTIMIZERS),
    help="The rule by which weights change.",
)
@click.option(
    "--augment",
    default="auto",
    show_default=True,
    metavar="HOW",
    help="auto; none; or which of flip, flip_vertical, rotate, shift, zoom, contrast, "
    'erase, as in "flip,rotate=10".',
)
@click.option(
    "--class-weights",
    default="auto",
    show_default=True,
    type=click.Choice(CLASS_WEIGHTS),
    help="Let rare classes count for more.",
)
@click.option(
    "--patience",
    type=int,
    help="Stop after so many epochs without a validation accuracy as high as the best.",
)
@click.option(
    "--validation",
    default=0.1,
    show_default=True,
    metavar="SHARE",
    help="Set aside to choose the best epoch by, if DATA has no such part.",
)
@click.option(
    "--test",
    default=0.2,
    show_default=True,
    metavar="SHARE",
    help="Set aside for the test, if DATA has no test part.",
)
@click.option(
    "--size",
    type=int,
    metavar="PIXELS",
    help="Height and width that pictures are brought to.",
)
@click.option(
    "--seed",
    default=0,
    show_default=True,
    help="Of everything random; the same seed gives the same weights.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    help="Threads that multiply matrices and read pictures.  [default: 1; up to 8]",
)
@import_option
@strict_option
@click.option(
    "--resume",
    metavar="RUN",
    type=click.Path(),
    shell_complete=complete_run,
    help="Go on with a training that was cut off; takes neither DATA nor choices.",
)
@click.option(
    "--overwrite",
    is_flag=True,
    help="Throw away a training that was cut off in the folder of --out.",
)
@click.option("-q", "--quiet", is_flag=True, help="Show the test accuracy and no more.")
@click.pass_context
def train(
    ctx: click.Context,
    /,
    data: str | None,
    out: str | None,
    resume: str | None,
    threads: int | None,
    modules: tuple[str, ...],
    quiet: bool,
    **choices: Any,
) -> None:
    """Train an image classifier and test it on pictures that it never saw.

    \b
    DATA is
      a folder with one subfolder of pictures for each class,
      a folder with train/ and test/ (and val/) of that kind,
      a .csv file with paths and labels, or an .npz file with x and y,
      a folder with the files of MNIST (IDX) or of CIFAR,
      or one of the sets that come with deepneuron:
        digits     1,797 handwritten digits, 8x8 pixels
        fashion    2,500 articles of clothing, 28x28 pixels

    \b
    In the folder of --out appear, all at once, at the end:
      report.html     what it learned and where it errs, to look at in a browser
      model.keras     the network of the best epoch; Keras 3 opens it as well
      metrics.json    accuracy and more on the test pictures, with intervals
      history.csv     loss and accuracy of every epoch
      audit.json      what is noteworthy about the pictures
      labels.json     the names of the classes
      config.json     all settings
      last.keras      the network of the last epoch
      details.npz     what `deepneuron report` draws the report from

    Until then all is in its folder unfinished/. Ctrl-C ends the training early, and
    keeps the best network so far; --resume goes on, also after a crash.

    \b
    Examples:
      deepneuron train digits
      deepneuron train photos/ --epochs 40 --out runs/photos
      deepneuron train photos/ --model runs/photos/model.keras --augment flip,zoom
      deepneuron train table.csv --size 96 --find-lr
      deepneuron train --resume runs/photos
    """  # noqa: D301 - click asks for the character \b itself
    if resume is not None:
        _only_resume(ctx)
    multiplying = threads if resume is None else _threads_of(resume)
    if multiplying is None:
        one_thread()
    else:
        set_threads(multiplying)
    import_modules(modules)
    from deepneuron import vision

    try:
        if resume is not None:
            run = vision.resume(resume, quiet=quiet)
        else:
            run = vision.train(
                _named(data, ctx), out, threads=threads, quiet=quiet, **choices
            )
    except vision.Interrupted as interruption:
        if interruption.unfinished is not None:
            click.echo(
                "Interrupted before the results were written. To go on: "
                f"{ctx.command_path} --resume {_shown(interruption.unfinished)}",
                err=True,
            )
        elif interruption.run is None:
            click.echo(
                "Interrupted before the first epoch was over; nothing was written.",
                err=True,
            )
        else:
            found = interruption.run
            click.echo(_summary(found, ctx.command_path))
            click.echo(
                f"Interrupted; the network is that of epoch {found.best_epoch}. To go "
                f"on: {ctx.command_path} --resume {_shown(found.out)}",
                err=True,
            )
        ctx.exit(130)
    click.echo(_result(run) if quiet else _summary(run, ctx.command_path))


def _named(data: str | None, ctx: click.Context) -> str:
    if data is None:
        raise click.UsageError(
            "Name your pictures, or a data set that is there: "
            f"{ctx.command_path} digits"
        )
    return data


def _only_resume(ctx: click.Context) -> None:
    """All choices of a training that is resumed have been made."""
    typed = click.core.ParameterSource.COMMANDLINE
    for parameter in ctx.command.params:
        name = parameter.name or ""
        if (
            name in {"resume", "quiet", "modules"}
            or ctx.get_parameter_source(name) is not typed
        ):
            continue
        raise click.UsageError(
            "--resume goes on with what was chosen at first, so it takes no "
            f"{parameter.opts[0] if name != 'data' else 'DATA'}."
        )


def _threads_of(run: str) -> int | None:
    """As many threads as before: with others, sums are rounded in another way."""
    for folder in (Path(run, "unfinished"), Path(run)):
        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            threads = config.get("blas_threads")
        except (OSError, ValueError, AttributeError):
            continue
        return threads if isinstance(threads, int) and threads > 0 else None
    return None


def _result(run: Run) -> str:
    test = run.metrics["test"]
    low, high = test["accuracy_interval"]
    return (
        f"Test accuracy {test['accuracy']:.4f} ({test['correct']:,} of "
        f"{test['samples']:,} unseen pictures; 95 % interval {low:.3f} to {high:.3f})"
    )


def _shown(path: Path) -> str:
    """A path as one can paste it into a shell."""
    text = os.fspath(path)
    if os.name != "nt":
        return shlex.quote(text)
    plain = all(c.isalnum() or c in "/\\._-:~" for c in text)
    return text if plain else f'"{text}"'


def _summary(run: Run, command: str) -> str:
    """The result, what was written where, and what one might do next."""
    out = _shown(run.out)
    program = command.rsplit(" ", 1)[0]
    return f"""
{click.style(_result(run), bold=True)}
{_epochs(run)}

Written to {click.style(os.fspath(run.out), bold=True)}
  report.html     what it learned and where it errs; open it in a browser
  model.keras     the network; Keras 3 opens it
  metrics.json    accuracy and more, with intervals
  history.csv, audit.json, labels.json, config.json, last.keras, details.npz

Try next
  {program} report {out} --open           to look at the report
  {program} predict {out} PICTURE...      what is on a picture?
  {program} export {out} --to onnx        to use it elsewhere"""


def _epochs(run: Run) -> str:
    """Which epoch was kept, and why there were not as many as there might have been."""
    metrics = run.metrics
    kept = (
        f"epoch {run.best_epoch} of {metrics['epochs']} had the highest validation "
        "accuracy and was kept"
    )
    if metrics["diverged"]:
        return f"{kept};\nthen the loss left the finite numbers"
    if metrics["interrupted"] or metrics["epochs"] == metrics["settings"]["epochs"]:
        return kept
    waited = metrics["epochs"] - run.best_epoch
    epochs = "1 epoch" if waited == 1 else f"{waited} epochs"
    return f"{kept};\n{epochs} without one as high ended the training early"
