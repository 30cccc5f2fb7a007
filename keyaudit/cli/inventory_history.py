"""keyaudit inventory history: condense earlier inventories into one document."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from keyaudit.cli import options
from keyaudit.cli.outputs import prepare_file, print_document, tell, write_file

if TYPE_CHECKING:
    from keyaudit.history.chronicle import Chronicle

EPILOG = """\b
Examples:
  keyaudit inventory history days/ --output history.ndjson
      A folder of daily inventories, in any format, as one document.
  keyaudit inventory history --history history.ndjson today.json --output history.ndjson
      A day more: the same bytes as all days at once. The old days may go.
  keyaudit scan --inventory today.json --period 2026-01-01/2026-06-30 --history history.ndjson
      What it is for.

\b
Exit codes: 0 written, 2 usage error, or a file is no evidence: every problem is printed and nothing
is written, 4 internal error."""


@click.command("history", epilog=EPILOG, short_help="Condense earlier inventories into one history.")
@click.argument("files", metavar="[FILE|DIR]...", nargs=-1)
@click.option(
    "--history",
    "old",
    metavar="OLD.ndjson",
    multiple=True,
    help="A history that was condensed before, to go on from.",
)
@click.option(
    "--output",
    metavar="FILE|-",
    default="-",
    show_default=True,
    help="Where the history goes, whole or not at all; - is stdout.",
)
@options.log_format
def command(files: Sequence[str], old: Sequence[str], output: str) -> None:
    """Condense earlier inventories into one history: what stores forget, it still knows.

    Of each value: when it was last listed as in use and as usable, and when first as not so any more.
    When the inventories were collected counts, not how they are called or named here. Of a folder, all
    inventories in it are read, and none of the folders in it.
    """
    from keyaudit import history
    from keyaudit.cli.histories import checked
    from keyaudit.errors import InventoryError, UsageError

    paths = checked([*old, *files])
    if not paths:
        raise UsageError("no inventory to condense", hint="give files, or the folder that they are in")
    if output != "-":
        prepare_file(Path(output))
    chronicle = history.read(paths)
    if chronicle.problems:
        raise InventoryError(list(chronicle.problems), hint="mend or remove what is no evidence")
    content = history.write(chronicle)
    if output == "-":
        print_document(content)
    else:
        write_file(Path(output), content)
    _sum_up(chronicle)


def _sum_up(chronicle: Chronicle) -> None:
    from keyaudit.times import describe_duration

    versions, credentials = chronicle.forgotten
    gap = chronicle.longest_gap
    apart = (
        "" if gap is None else f"; the longest time between two looks at a scope is {describe_duration(gap)}"
    )
    tell(
        f"{len(chronicle.files):,} inventories; {versions:,} of {chronicle.versions.height:,} versions and "
        f"{credentials:,} of {chronicle.credentials.height:,} credentials are listed no longer{apart}",
        "condensed",
        files=len(chronicle.files),
        versions=chronicle.versions.height,
        versions_recalled=versions,
        credentials=chronicle.credentials.height,
        credentials_vanished=credentials,
        longest_gap_seconds=None if gap is None else gap // 1_000_000,
    )
