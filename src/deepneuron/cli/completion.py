"""`deepneuron completion`: the Tab key completes commands, options and data sets."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

COMPLETE_VARIABLE = "_DEEPNEURON_COMPLETE"  # click asks the environment for it
_CLASSES = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


@click.command(short_help="Let the Tab key complete commands and options.")
@click.argument("shell", type=click.Choice(list(_CLASSES)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print what teaches SHELL (bash, zsh or fish) to complete deepneuron's commands.

    \b
    Try it in this session, or put the line into the file named beside it:
      bash    eval "$(deepneuron completion bash)"       ~/.bashrc
      zsh     eval "$(deepneuron completion zsh)"        ~/.zshrc
      fish    deepneuron completion fish | source        ~/.config/fish/config.fish
    """  # noqa: D301 - click asks for the character \b itself
    cli = ctx.find_root().command
    print(_CLASSES[shell](cli, {}, "deepneuron", COMPLETE_VARIABLE).source())
