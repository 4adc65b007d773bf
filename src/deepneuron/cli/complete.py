"""What the Tab key offers for arguments that are more than a file."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import CompletionItem

# What the job knows as well; written out, so that the Tab key need not import it.
DATA = {
    "digits": "1,797 handwritten digits, 8x8",
    "fashion": "2,500 articles of clothing, 28x28",
}
MODELS = {
    "auto": "chosen by size and number of the pictures",
    "linear": "one layer, the baseline",
    "mlp": "dense layers",
    "cnn": "convolutions",
    "resnet": "convolutions with shortcuts",
}


def complete_data(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Embedded data sets, then files and folders."""
    return [*_named(DATA, incomplete), CompletionItem(incomplete, type="file")]


def complete_model(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Networks by name, then files."""
    return [*_named(MODELS, incomplete), CompletionItem(incomplete, type="file")]


def complete_run(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Folders below `runs/` that hold a run, then any folder."""
    found = []
    if Path("runs").is_dir():
        for path in sorted(Path("runs").iterdir()):
            names = [path / "config.json", path / "unfinished" / "config.json"]
            if any(name.is_file() for name in names):
                found.append(path.as_posix())
    items = [CompletionItem(name) for name in found if name.startswith(incomplete)]
    return [*items, CompletionItem(incomplete, type="dir")]


def complete_classifier(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Folders below `runs/` that hold a finished run, then any file."""
    found = [
        path.parent.as_posix() for path in sorted(Path().glob("runs/*/model.keras"))
    ]
    items = [CompletionItem(name) for name in found if name.startswith(incomplete)]
    return [*items, CompletionItem(incomplete, type="file")]


def _named(names: dict[str, str], incomplete: str) -> list[CompletionItem]:
    return [
        CompletionItem(name, help=text)
        for name, text in names.items()
        if name.startswith(incomplete)
    ]
