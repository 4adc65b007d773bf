"""`deepneuron train`: the main job from the command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from deepneuron.vision import Run

# What the job takes as well; written out, so that --help need not import it.
DATA = {
    "digits": "1,797 handwritten digits, 8x8",
    "fashion": "2,500 articles of clothing, 28x28",
}
EPOCHS, BATCH_SIZE, LEARNING_RATE = 20, 32, 0.003

_THREADS = (
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "OMP_NUM_THREADS",
)


def _complete(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    return [
        CompletionItem(name, help=text)
        for name, text in DATA.items()
        if name.startswith(incomplete)
    ]


@click.command(short_help="Train an image classifier.")
@click.argument("data", required=False, shell_complete=_complete)
@click.option(
    "--out",
    metavar="FOLDER",
    type=click.Path(),
    help="Where the results go; made if missing.  [default: runs/DATA]",
)
@click.option(
    "--epochs",
    default=EPOCHS,
    show_default=True,
    help="Passes over the pictures.",
)
@click.option(
    "--batch-size",
    default=BATCH_SIZE,
    show_default=True,
    help="Pictures between two updates of the weights.",
)
@click.option(
    "--learning-rate",
    default=LEARNING_RATE,
    show_default=True,
    help="Adam's, at the beginning; it falls to 0.",
)
@click.option(
    "--seed",
    default=0,
    show_default=True,
    help="Of everything random; the same seed gives the same weights.",
)
@click.option("-q", "--quiet", is_flag=True, help="Show the test accuracy and no more.")
@click.pass_context
def train(
    ctx: click.Context,
    data: str | None,
    out: str | None,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    quiet: bool,
) -> None:
    """Train an image classifier and test it on pictures that it never saw.

    \b
    DATA is one of the sets that come with deepneuron:
      digits     1,797 handwritten digits, 8x8 pixels
      fashion    2,500 articles of clothing, 28x28 pixels

    \b
    Three files appear in the folder of --out, all at once, at the end:
      model.keras     the network; Keras 3 opens it as well
      history.csv     loss and accuracy of every epoch
      metrics.json    the test accuracy, and how it was reached

    Ctrl-C ends the training early and keeps the best network so far.

    \b
    Examples:
      deepneuron train digits
      deepneuron train fashion --epochs 40 --out runs/clothes
      deepneuron train digits --seed 7 --learning-rate 0.001 --quiet
    """  # noqa: D301 - click asks for the character \b itself
    if data is None:
        raise click.UsageError(
            f"Name a data set, {' or '.join(DATA)}, as in: {ctx.command_path} digits"
        )
    _one_thread()
    from deepneuron import vision

    try:
        run = vision.train(
            data,
            out,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            seed=seed,
            quiet=quiet,
        )
    except vision.Interrupted as interruption:
        if interruption.run is None:
            click.echo(
                "Interrupted before the first epoch was over; nothing was written.",
                err=True,
            )
        else:
            click.echo(_summary(interruption.run, ctx.command_path))
            epoch = interruption.run.metrics["best_epoch"]
            click.echo(f"Interrupted; the network is that of epoch {epoch}.", err=True)
        ctx.exit(130)
    click.echo(_result(run) if quiet else _summary(run, ctx.command_path))


def _one_thread() -> None:
    """Have NumPy multiply matrices in one thread, unless the user has chosen.

    The matrices of these networks are small: on cores that are shared, threads wait for
    one another longer than they compute. And the weights of a seed then do not depend
    on how many cores there are. NumPy reads this once, when it is imported.
    """
    if not any(name in os.environ for name in _THREADS):
        os.environ.update(dict.fromkeys(_THREADS, "1"))


def _result(run: Run) -> str:
    test = run.metrics["test"]
    return (
        f"Test accuracy {test['accuracy']:.4f} ({test['correct']} of {test['samples']} "
        "pictures that it never saw)"
    )


def _summary(run: Run, command: str) -> str:
    """The result, what was written where, and what one might do next."""
    metrics = run.metrics
    epochs, best = metrics["epochs"], metrics["best_epoch"]
    out = str(run.out)
    model = Path(out, "model.keras").as_posix()
    other = next(name for name in DATA if name != metrics["data"])
    return f"""
{click.style(_result(run), bold=True)}
{metrics["seconds"]:.0f} s; epoch {best} of {epochs} did best in validation and was kept

Written to {click.style(out, bold=True)}
  model.keras     the network, as it was after epoch {best}; Keras 3 opens it
  history.csv     loss and accuracy of every epoch
  metrics.json    the test accuracy, and how it was reached

Try next
  {command} {other:<10}   {DATA[other]}
  {command} --help       other epochs, rates and seeds
  or, in Python:
    from deepneuron.models import load_model
    load_model({model!r}).summary()"""
