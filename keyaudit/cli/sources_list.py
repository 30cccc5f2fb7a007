"""keyaudit sources list: the kinds of sources, and those of keyaudit.yaml."""

from __future__ import annotations

from collections.abc import Sequence

import click

from keyaudit.cli import options
from keyaudit.cli.tables import format_option, print_rows
from keyaudit.errors import KeyauditError

EPILOG = """\b
Examples:
  keyaudit sources list
  keyaudit sources list --format json
  keyaudit sources policy aws              what AWS must grant for a pull
  pip install 'keyaudit[aws]'              what brings the client of a kind whose extra is aws"""


@click.command("list", epilog=EPILOG, short_help="List the kinds of sources and those of keyaudit.yaml.")
@format_option
@options.config
def command(form: str, config: str | None) -> None:
    """List every kind of source: what it lists, which extra brings its client, who is configured so.

    A mistake in keyaudit.yaml is said after the list, which is what it can be mended with.
    """
    from keyaudit.cli.configuration import read

    try:
        configured = read(config).sources
    except KeyauditError:
        print_rows(_rows(()), form)
        raise
    print_rows(_rows([(str(entry["kind"]), str(entry["name"])) for entry in configured]), form)


def _rows(configured: Sequence[tuple[str, str]]) -> list[dict[str, object]]:
    from keyaudit.sources import SOURCES

    return [
        {
            "kind": kind,
            "extra": found.family,
            "configured": [name for of, name in configured if of == kind],
            "lists": found.lists,
        }
        for kind, found in SOURCES.items()
    ]
