"""keyaudit inventory show: say what documents hold."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from keyaudit.cli import options
from keyaudit.cli.outputs import print_text
from keyaudit.cli.tables import format_option

if TYPE_CHECKING:
    from keyaudit.inventory.counting import InventoryCounts

EPILOG = """\b
Examples:
  keyaudit inventory show                          the documents of keyaudit.yaml
  keyaudit inventory show aws.json by-hand.csv     several, as a scan merges them
  keyaudit inventory show inventory.parquet --format json"""


@click.command("show", epilog=EPILOG, short_help="Say what documents hold.")
@click.argument("files", metavar="[FILE...]", nargs=-1)
@format_option
@options.config
def command(files: Sequence[str], form: str, config: str | None) -> None:
    """Say what documents hold: how many of what, which scopes, and which columns are known of how many.

    A column that nobody collected leaves rules untested; a gap in one that was collected leaves
    verdicts unknown.
    """
    from keyaudit import inventory
    from keyaudit.cli.gathering import documents

    counts = inventory.summary(inventory.read(documents(files, config)))
    print_text(json.dumps(_plain(counts), indent=2, ensure_ascii=False) if form == "json" else _text(counts))


def _text(counts: InventoryCounts) -> str:
    from keyaudit.formats.visible import visible
    from keyaudit.times import format_instant

    lines = [f"{counts.credentials:,} credentials, {counts.versions:,} versions, sha256 {counts.sha256[:12]}"]
    if counts.collected_at is not None:
        lines.append(f"collected {format_instant(counts.collected_at)}")
    for title, values in (
        ("source", counts.by_source),
        ("class", counts.by_class),
        ("environment", counts.by_environment),
    ):
        counted = (f"{'not known' if name is None else visible(name)} {n:,}" for name, n in values.items())
        lines.append(f"by {title}: {', '.join(counted)}")
    if counts.coverage:
        lines += ["", "scopes that were asked for"]
    for scope in counts.coverage:
        reason = f": {visible(scope.reason)}" if scope.reason else ""
        lines.append(f"  {visible(scope.source)} {visible(scope.scope)}  {scope.status}{reason}")
    lines += ["", "known of how many credentials (versions)", *_known(counts)]
    if counts.not_collected:
        lines += ["", f"not collected: {', '.join(counts.not_collected)}"]
    return "\n".join(lines)


def _known(counts: InventoryCounts) -> list[str]:
    width = max((len(name) for name in counts.known), default=0)
    return [
        f"  {name.ljust(width)}  {n:,} of "
        f"{counts.versions if name.startswith('versions.') else counts.credentials:,}"
        for name, n in counts.known.items()
    ]


def _plain(counts: InventoryCounts) -> dict[str, object]:
    """Give the counts for a program; null is what is not known."""
    from keyaudit.times import format_instant

    def listed(values: Mapping[str | None, int]) -> list[dict[str, object]]:
        return [{"value": value, "credentials": n} for value, n in values.items()]

    return {
        "credentials": counts.credentials,
        "versions": counts.versions,
        "collected_at": None if counts.collected_at is None else format_instant(counts.collected_at),
        "sha256": counts.sha256,
        "by_source": listed(counts.by_source),
        "by_class": listed(counts.by_class),
        "by_environment": listed(counts.by_environment),
        "known": dict(counts.known),
        "not_collected": list(counts.not_collected),
        "coverage": [
            {
                "source": scope.source,
                "scope": scope.scope,
                "status": scope.status,
                "credentials": scope.credentials,
                "reason": scope.reason,
                "cannot_know": list(scope.cannot_know),
            }
            for scope in counts.coverage
        ],
    }
