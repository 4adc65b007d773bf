"""`deepneuron report`: the report of a run, drawn again."""

from __future__ import annotations

from pathlib import Path

import click

from deepneuron.cli.complete import complete_run


@click.command(short_help="Draw the report of a run again.")
@click.argument("run", type=click.Path(), shell_complete=complete_run)
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(),
    help="Where to.  [default: report.html in the folder of the run]",
)
@click.option("--open", "show", is_flag=True, help="Open it in the browser.")
def report(run: str, out: str | None, show: bool) -> None:
    """Draw the report of RUN, a folder that `deepneuron train` has filled.

    Everything it shows lies in the folder; the pictures it was trained on are not
    needed.

    \b
    Examples:
      deepneuron report runs/photos --open
      deepneuron report runs/photos --out photos.html
    """  # noqa: D301 - click asks for the character \b itself
    from deepneuron.vision import write_report

    path = write_report(run, out)
    click.echo(f"Written: {path}")
    if show:
        import webbrowser

        webbrowser.open(Path(path).resolve().as_uri())
