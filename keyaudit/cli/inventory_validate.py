"""keyaudit inventory validate: check documents and print every problem."""

from __future__ import annotations

from collections.abc import Sequence

import click

from keyaudit.cli import options
from keyaudit.cli.outputs import print_text

EPILOG = """\b
Examples:
  keyaudit inventory validate                      the documents of keyaudit.yaml
  keyaudit inventory validate inventory.yaml
  keyaudit inventory validate aws.json gcp.ndjson by-hand.csv      together, as a scan merges them"""


@click.command("validate", epilog=EPILOG, short_help="Check documents and print every problem.")
@click.argument("files", metavar="[FILE...]", nargs=-1)
@options.config
def command(files: Sequence[str], config: str | None) -> None:
    """Check inventory documents; every problem is one line, file:line:column: field: message.

    Exit code 0 when a scan would accept them, 2 when it would refuse them.
    """
    from keyaudit import inventory
    from keyaudit.cli.gathering import documents

    counts = inventory.summary(inventory.read(documents(files, config)))
    print_text(f"valid: {counts.credentials:,} credentials, {counts.versions:,} versions")
