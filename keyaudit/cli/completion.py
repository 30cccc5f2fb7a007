"""keyaudit completion: print a shell completion script."""

from __future__ import annotations

import click

from keyaudit.cli.outputs import print_text

EPILOG = """\b
Examples:
  keyaudit completion bash > ~/.local/share/bash-completion/completions/keyaudit
  keyaudit completion zsh  > "${fpath[1]}/_keyaudit"
  keyaudit completion fish > ~/.config/fish/completions/keyaudit.fish"""


@click.command("completion", epilog=EPILOG, short_help="Print a shell completion script.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the script that lets a shell complete commands, options and choices."""
    from click.shell_completion import get_completion_class

    from keyaudit.cli.program import program

    kind = get_completion_class(shell)
    assert kind is not None, "click knows the three shells"
    script = kind(program(), {}, "keyaudit", "_KEYAUDIT_COMPLETE")
    print_text(script.source_template % script.source_vars())
