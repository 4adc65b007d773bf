"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Iterable

import click

import_option = click.option(
    "--import",
    "modules",
    metavar="MODULE",
    multiple=True,
    help="A module of yours with layers of the model, such as my_layers; it is run.",
)

strict_option = click.option(
    "--strict",
    is_flag=True,
    help="Stop at a picture that cannot be read, instead of skipping and naming it.",
)


def import_modules(modules: Iterable[str]) -> None:
    """Import them, so that model files may name what is defined in them."""
    if modules:
        from deepneuron.vision.networks import know_classes_of

        for name in modules:
            know_classes_of(name)
