"""`deepneuron predict`: what pictures show, from the command line."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from deepneuron.cli.complete import complete_classifier
from deepneuron.cli.options import import_modules, import_option, strict_option
from deepneuron.cli.tables import show_table
from deepneuron.cli.threads import one_thread
from deepneuron.errors import DataError

if TYPE_CHECKING:
    from deepneuron.data.collection import Skipped
    from deepneuron.vision.prediction import Prediction


@click.command(short_help="Say what pictures show.")
@click.argument("model", shell_complete=complete_classifier)
@click.argument(
    "images", nargs=-1, required=True, metavar="IMAGE...", type=click.Path()
)
@click.option(
    "--top",
    default=2,
    show_default=True,
    type=click.IntRange(min=1),
    metavar="K",
    help="Name the K most probable classes.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object per line.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV with a header.")
@click.option(
    "--explain",
    metavar="FOLDER",
    type=click.Path(),
    help="Write a PNG for each picture into FOLDER: where the network looked.",
)
@import_option
@strict_option
@click.option(
    "-q",
    "--quiet",
    is_flag=True,
    help="No progress bar, and no names of skipped files.",
)
def predict(
    model: str,
    images: tuple[str, ...],
    top: int,
    as_json: bool,
    as_csv: bool,
    explain: str | None,
    modules: tuple[str, ...],
    strict: bool,
    quiet: bool,
) -> None:
    """Say what pictures show, with a trained network.

    MODEL is the folder of a run, or a .keras file (with labels.json beside it, or its
    classes are called 0, 1, 2 ...). The network takes pixels from 0 to 255.

    IMAGE is a picture (PNG, JPEG, BMP, GIF, WebP, TIFF), a folder (all pictures in it
    and below), or - for a picture from standard input. Each is scaled until it fits
    into what the network takes, and filled up at the sides. What cannot be read is
    skipped and named on standard error.

    \b
    --json prints a line for each picture, as soon as it is known:
      {"file": "a.png", "class": "cat", "confidence": 0.98,
       "top": [{"class": "cat", "confidence": 0.98}, ...]}

    The PNG of --explain is called like the picture (a.png of a.jpg; or a.jpg.png, if
    there is an a.png as well) and never replaces one. It shows, from left to right: the
    picture as the network sees it; where its last feature maps speak for the class
    (Grad-CAM; not if the network has no convolution); how much the class loses when a
    place is covered (occlusion). The lighter and more yellow, the more.

    \b
    Examples:
      deepneuron predict runs/photos holiday.jpg
      deepneuron predict runs/photos inbox/ --csv > classes.csv
      deepneuron predict runs/photos inbox/ --explain why --top 3
      cat holiday.jpg | deepneuron predict model.keras - --json
    """  # noqa: D301 - click asks for the character \b itself
    if as_json and as_csv:
        raise click.UsageError("--json and --csv contradict one another; choose one.")
    one_thread()
    import_modules(modules)
    from deepneuron.vision.classifier import open_classifier
    from deepneuron.vision.explain import ExplanationFolder
    from deepneuron.vision.listing import list_pictures
    from deepneuron.vision.prediction import predictions
    from deepneuron.vision.progress import bar

    classifier = open_classifier(model)
    skipped: list[Skipped] = []

    def skip(one: Skipped) -> None:
        if strict:
            raise DataError(f"{_why(one)}. Without --strict it is skipped.")
        skipped.append(one)

    pictures = list(list_pictures(list(_with_stdin(images)), skip))
    explanations = None
    if explain:
        places = [picture.place for picture in pictures]
        explanations = ExplanationFolder(explain, classifier.model, places)
    # Lines of JSON and CSV on a terminal are progress enough.
    lines = (as_json or as_csv) and sys.stdout.isatty()
    rows: list[list[str]] = []
    seen = 0
    try:
        with bar("Looking at pictures", quiet=quiet or lines) as progress:
            for picture, one, x in predictions(classifier, pictures, skip, progress):
                if explanations is not None:
                    label = int(one.probabilities.argmax())
                    explanations.add(picture.place, x, label)
                if as_json:
                    click.echo(_json_line(one, top))
                elif as_csv:
                    click.echo(_csv_lines(one, top, header=not seen), nl=False)
                else:
                    rows.append(_row(one, top))
                seen += 1
    finally:
        # The error below says it of a single picture.
        if not quiet and (seen or len(skipped) > 1):
            for passed in skipped:
                click.echo(f"Skipped {_why(passed)}", err=True)
    if rows:
        titles = ["file", "class", "confidence", *(["next best"] if top > 1 else [])]
        show_table(titles, rows, right=["confidence"])
    if not seen:
        raise DataError(_nothing(images, skipped))


def _with_stdin(images: tuple[str, ...]) -> Iterator[Any]:
    """What was named; in the place of - the picture that comes from standard input."""
    from deepneuron.vision.listing import Picture

    if images.count("-") > 1:
        raise click.UsageError("Standard input, -, holds one picture: name it once.")
    for image in images:
        if image == "-":
            yield Picture("-", sys.stdin.buffer.read(), "stdin")
        elif not image:
            raise click.UsageError("The name of a picture is empty.")
        else:
            yield image


def _json_line(prediction: Prediction, top: int) -> str:
    from deepneuron.data.names import printable

    best = prediction.best(top)
    return json.dumps(
        {
            "file": printable(prediction.name),
            "class": prediction.class_name,
            "confidence": prediction.confidence,
            "top": [{"class": name, "confidence": p} for name, p in best],
        },
        allow_nan=False,
    )


def _csv_lines(prediction: Prediction, top: int, *, header: bool) -> str:
    """The line of a picture, below the header if there is none yet."""
    from deepneuron.data.names import printable

    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    best = prediction.best(top)
    if header:
        numbers = ["", *(f"_{i}" for i in range(2, len(best) + 1))]
        names = [f"{name}{i}" for i in numbers for name in ("class", "confidence")]
        table.writerow(["file", *names])
    table.writerow([printable(prediction.name), *(v for pair in best for v in pair)])
    return text.getvalue()


def _row(prediction: Prediction, top: int) -> list[str]:
    from deepneuron.data.names import shown

    _, *others = prediction.best(top)
    row = [shown(prediction.name), shown(prediction.class_name)]
    row.append(f"{prediction.confidence:.4f}")
    if top > 1:
        row.append(", ".join(f"{shown(name)} {p:.4f}" for name, p in others))
    return row


def _why(skipped: Skipped) -> str:
    from deepneuron.data.names import shown

    return f"{shown(skipped.name)}: {skipped.reason}"


def _nothing(images: tuple[str, ...], skipped: list[Skipped]) -> str:
    from deepneuron.data.assemble import listed

    if not skipped:
        return f"There are no pictures in {listed(images)}."
    if len(skipped) == 1:
        return f"The picture cannot be read: {_why(skipped[0])}."
    return f"None of the {len(skipped):,} pictures can be read."
