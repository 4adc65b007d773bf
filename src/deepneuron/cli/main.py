"""deepneuron on the command line.

Exit codes: 0, 2 for a user's error (one sentence on stderr), 130 for Ctrl-C.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from deepneuron._version import __version__
from deepneuron.errors import DeepneuronError


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 88}
)
@click.version_option(__version__, prog_name="deepneuron")
def cli() -> None:
    """Neural networks you can see through.

    \b
    Begin with:
        deepneuron train digits
    """


@cli.command()
@click.argument("data", type=click.Choice(["digits", "fashion"]))
@click.option("--epochs", default=15, show_default=True, help="Passes over the data.")
@click.option("--batch-size", default=32, show_default=True, help="Pictures a step.")
@click.option("--learning-rate", default=1e-3, show_default=True, help="Of Adam.")
@click.option("--seed", default=0, show_default=True, help="Of everything random.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the results.  [default: runs/DATA]",
)
def train(
    data: str,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    out: Path | None,
) -> None:
    """Train an image classifier and test it on pictures that it never saw.

    DATA is one of the sets that come with deepneuron: digits (1,797 handwritten digits)
    or fashion (2,500 articles of clothing).

    \b
    Writes into the folder of --out:
        model.keras     the network; Keras opens it, too
        history.csv     loss and accuracy of every epoch
        metrics.json    test accuracy and how it was reached

    \b
    Examples:
        deepneuron train digits
        deepneuron train fashion --epochs 30 --out runs/clothes
    """
    from deepneuron import vision

    result = vision.train(
        data,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        seed=seed,
        out=out,
    )
    test = result.metrics["test"]
    click.echo(
        f"Test accuracy {test['accuracy']:.4f} on {test['samples']} pictures "
        f"({result.metrics['seconds']:.0f} s). Results in {result.out}"
    )


def main() -> None:
    """Run the command line, turning errors of the user into one sentence."""
    try:
        code = cli.main(prog_name="deepneuron", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        code = 130
    except (DeepneuronError, OSError) as error:
        click.echo(f"Error: {error}", err=True)
        code = 2
    sys.exit(code or 0)


if __name__ == "__main__":
    main()
