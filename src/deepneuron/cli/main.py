"""deepneuron on the command line.

Exit codes: 0, 2 for a user's error (one sentence on stderr), 130 for Ctrl-C; and 1 when
the program that reads the output has gone.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

import click

from deepneuron._version import __version__
from deepneuron.cli.completion import COMPLETE_VARIABLE, completion
from deepneuron.cli.evaluate import evaluate
from deepneuron.cli.export import export
from deepneuron.cli.predict import predict
from deepneuron.cli.report import report
from deepneuron.cli.train import train
from deepneuron.errors import DeepneuronError, UnknownNameError


class _Commands(click.Group):
    """A group that knows what a misspelt command was meant to be."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command = super().get_command(ctx, cmd_name)
        if command is None and not ctx.resilient_parsing:
            raise UnknownNameError("command", cmd_name, self.commands)
        return command


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 88},
)
@click.version_option(__version__, "-V", "--version", prog_name="deepneuron")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Neural networks you can see through.

    \b
    Begin with:
      deepneuron train digits      train a network on handwritten digits
      deepneuron train FOLDER      train it on your pictures, a subfolder a class
      deepneuron train --help      all that can be chosen

    \b
    Let the Tab key complete commands and options:
      deepneuron completion --help
    """  # noqa: D301 - click asks for the character \b itself
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


for command in (train, predict, evaluate, report, export, completion):
    cli.add_command(command)


def main(program: str | None = None) -> None:
    """Run the command line, turning errors of the user into one sentence.

    Args:
        program: how the user calls it, for help and advice; start.py says so in the
            environment.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us
            nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - it stays open
            setattr(sys, name, nowhere)
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):  # replaced by something simpler
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    program = program or os.environ.get("DEEPNEURON_PROGRAM") or "deepneuron"
    sys.exit(_run(program))


def _run(program: str) -> int:
    try:
        code = cli.main(
            prog_name=program,
            complete_var=COMPLETE_VARIABLE,
            standalone_mode=False,
        )
    except click.ClickException as error:
        return _fail(error.format_message())
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has gone
        # Python flushes stdout when it ends, and must not meet the closed pipe again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except DeepneuronError as error:
        return _fail(str(error))
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _fail(f"{place}{error.strerror or error}.")
    return code if isinstance(code, int) else 0


def _fail(sentence: str) -> int:
    """Say it on one line; names with control characters shall not rule the terminal."""
    line = " ".join(sentence.splitlines())
    click.echo(f"Error: {''.join(map(_visible, line))}", err=True)
    return 2


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")


if __name__ == "__main__":
    main()
