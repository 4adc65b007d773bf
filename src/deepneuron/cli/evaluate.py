"""`deepneuron evaluate`: how well a network does on a data set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from deepneuron.cli.complete import complete_classifier, complete_data
from deepneuron.cli.options import import_modules, import_option, strict_option
from deepneuron.cli.tables import show_table
from deepneuron.cli.threads import one_thread

PARTS = ("test", "validation", "train", "all")


@click.command(short_help="Test a network on other pictures.")
@click.argument("model", shell_complete=complete_classifier)
@click.argument("data", shell_complete=complete_data)
@click.option(
    "--part",
    type=click.Choice(PARTS),
    help=(
        "The pictures to test on: a part that DATA itself has, not one that a training "
        "took from it.  [default: test if DATA has such a part, else all]"
    ),
)
@click.option("--json", "as_json", is_flag=True, help="Print all scores as JSON.")
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(),
    help="Write all scores into a JSON file as well.",
)
@import_option
@strict_option
@click.option(
    "-q",
    "--quiet",
    is_flag=True,
    help="Show the accuracy and no more; no progress bar.",
)
def evaluate(
    model: str,
    data: str,
    part: str | None,
    as_json: bool,
    out: str | None,
    modules: tuple[str, ...],
    strict: bool,
    quiet: bool,
) -> None:
    """Test a trained network on pictures whose classes are known.

    MODEL is the folder of a run, or a .keras file (with labels.json beside it). DATA is
    what `deepneuron train` takes: a folder with one subfolder for each class, a .csv,
    an .npz, MNIST's or CIFAR's files, digits or fashion. Classes are matched by their
    names, in any order; the data may have fewer classes than the network, but no other.

    Intervals say where the true value lies in 19 of 20 cases, so many pictures given.

    \b
    Examples:
      deepneuron evaluate runs/photos new-photos/
      deepneuron evaluate runs/digits digits --part train
      deepneuron evaluate runs/photos new-photos/ --json --out scores.json
    """  # noqa: D301 - click asks for the character \b itself
    one_thread()
    import_modules(modules)
    from deepneuron.data.names import shown
    from deepneuron.vision.evaluation import evaluate as scored
    from deepneuron.vision.folder import write_json
    from deepneuron.vision.progress import bar

    with bar("Looking at pictures", quiet=quiet or as_json) as progress:
        scores = scored(model, data, part=part, strict=strict, progress=progress)
    if out is not None:
        write_json(Path(out), scores)
    if as_json:
        click.echo(json.dumps(scores, indent=2, allow_nan=False))
        return
    click.echo(click.style(_accuracy(scores), bold=True))
    if quiet:
        return
    for line in _lines(scores):
        click.echo(line)
    click.echo()
    _show_classes(scores["classes"])
    for one in scores["skipped"]:
        if not one["harmless"]:
            click.echo(f"Skipped {shown(one['name'])}: {one['reason']}", err=True)


def _accuracy(scores: dict[str, Any]) -> str:
    title = "Accuracy" if scores["part"] == "all" else f"{scores['part']} accuracy"
    return (
        f"{title.capitalize()} {_with_interval(scores, 'accuracy')}: "
        f"{scores['correct']:,} of {scores['samples']:,} pictures"
    )


def _lines(scores: dict[str, Any]) -> list[str]:
    return [
        f"Balanced accuracy {_with_interval(scores, 'balanced_accuracy')}",
        f"Macro F1 {_with_interval(scores, 'macro_f1')}",
        f"Loss {_with_interval(scores, 'loss')}",
        f"Always answering the most frequent class: {scores['majority_accuracy']:.4f}",
    ]


def _with_interval(scores: dict[str, Any], name: str) -> str:
    low, high = scores[f"{name}_interval"]
    return f"{scores[name]:.4f} ({low:.4f} to {high:.4f})"


def _show_classes(classes: list[dict[str, Any]]) -> None:
    from deepneuron.data.names import shown

    numbers = ["precision", "recall", "f1"]
    rows = []
    for one in classes:
        low, high = one["recall_interval"] or (None, None)
        interval = "" if low is None else f"{low:.3f} to {high:.3f}"
        values = ["-" if one[n] is None else f"{one[n]:.4f}" for n in numbers]
        rows.append([shown(one["name"]), *values, interval, f"{one['samples']:,}"])
    titles = ["class", *numbers, "recall, 95 %", "pictures"]
    show_table(titles, rows, right=titles[1:])
