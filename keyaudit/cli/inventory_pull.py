"""keyaudit inventory pull: list sources live and write one inventory document."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from keyaudit.cli import options
from keyaudit.cli.outputs import is_terminal, prepare_file, print_document, tell, write_file
from keyaudit.errors import UsageError
from keyaudit.inventory.opening import FORMATS, SUFFIXES

if TYPE_CHECKING:
    from keyaudit.cli.configuration import Configuration
    from keyaudit.cli.listing import Entry
    from keyaudit.model import Inventory

INCOMPLETE = 3

EPILOG = """\b
Examples:
  keyaudit inventory pull --output inventory.json            all sources of keyaudit.yaml
  keyaudit inventory pull --source production > today.json   one of them
  keyaudit inventory pull --output fleet.parquet --log-format json
      The columns that other engines read in place; messages for machines.

\b
Exit codes: 0 every scope was seen, 2 usage error or no source could begin, 3 a scope was partial,
failed or empty, or nothing was there: the document says which, 4 internal error. Without 0 or 3
nothing is written. A pull that is broken off goes on where it stopped when it is run again."""


@click.command("pull", epilog=EPILOG, short_help="List sources live and write one inventory document.")
@options.source
@click.option(
    "--output",
    metavar="FILE|-",
    default="-",
    show_default=True,
    help="Where the document goes, whole or not at all; - is stdout.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="How the document is written.  [default: as the suffix of --output says, else json]",
)
@options.log_format
@options.config
def command(sources: Sequence[str], output: str, form: str | None, config: str | None) -> int:
    """List the sources of keyaudit.yaml, all or those named, and write what was found as one document.

    Reads metadata only, never a secret value. The documents that keyaudit.yaml lists under
    `inventory` are left out: this is what the stores themselves say now.
    """
    from keyaudit import inventory
    from keyaudit.cli.configuration import read
    from keyaudit.cli.listing import list_live

    written_as = _format(output, form)
    entries = _entries(read(config), sources)
    pulled = inventory.merge(list_live(entries, alone=True), [str(entry["name"]) for entry in entries])
    content = inventory.write(pulled, written_as)
    if output == "-":
        print_document(content)
    else:
        write_file(Path(output), content)
    return _summed_up(pulled)


def _entries(settings: Configuration, names: Sequence[str]) -> list[Entry]:
    from keyaudit.cli.listing import chosen

    entries = chosen(settings, names) if names else list(settings.sources)
    if not entries:
        where = f"{settings.file} has no `sources`" if settings.file else "there is no keyaudit.yaml here"
        raise UsageError(
            f"nothing to pull: {where}", hint="keyaudit init writes one with an entry of each kind"
        )
    return entries


def _format(output: str, form: str | None) -> str:
    """Say how to write, before anything is asked of anybody; raises UsageError."""
    if output == "-":
        if form == "parquet" and is_terminal():
            raise UsageError("parquet is no text for a terminal", hint="--output FILE.parquet")
        return form or "json"
    path = Path(output)
    prepare_file(path)
    suffix = SUFFIXES.get(path.suffix.lower())
    if suffix is None and form is None:
        raise UsageError(
            f"--output {output}: its suffix is of no format", hint=f"--format {'|'.join(FORMATS)}"
        )
    if suffix is not None and form not in {None, suffix}:
        raise UsageError(f"--output {output}: its suffix says {suffix}, --format says {form}")
    return suffix or str(form)


def _summed_up(pulled: Inventory) -> int:
    """Say what is there and what is not, and give the exit code: a scan of it would be as incomplete."""
    import polars as pl

    from keyaudit.model import ScopeStatus

    credentials = pulled.credentials.select(pl.len()).collect().item()
    unseen = sum(scope.status is not ScopeStatus.COMPLETE for scope in pulled.coverage)
    code = INCOMPLETE if unseen or not credentials else 0
    gaps = f"; {unseen:,} of them empty or not seen completely" if unseen else ""
    tell(
        f"{credentials:,} credentials in {len(pulled.coverage):,} scopes{gaps}",
        "pulled",
        credentials=credentials,
        scopes=len(pulled.coverage),
        incomplete=unseen,
        exit_code=code,
    )
    return code
