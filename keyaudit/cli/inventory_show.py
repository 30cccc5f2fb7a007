"""keyaudit inventory show: say what documents hold."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from keyaudit.cli import options
from keyaudit.cli.outputs import print_text
from keyaudit.cli.tables import format_option
from keyaudit.columns import PROVIDERS

if TYPE_CHECKING:
    from keyaudit.inventory.counting import InventoryCounts
    from keyaudit.model import CredentialRef

    Orphans = Sequence[CredentialRef] | None

EPILOG = """\b
Examples:
  keyaudit inventory show                          the documents of keyaudit.yaml
  keyaudit inventory show aws.json by-hand.csv     several, as a scan merges them
  keyaudit inventory show openai.json vault.json --orphans
      The providers' keys that no store among them is known to hold.
  keyaudit inventory show inventory.parquet --format json"""


@click.command("show", epilog=EPILOG, short_help="Say what documents hold.")
@click.argument("files", metavar="[FILE...]", nargs=-1)
@click.option(
    "--orphans", "listed", is_flag=True, help="List the providers' keys that no store here is known to hold."
)
@format_option
@options.config
def command(files: Sequence[str], form: str, config: str | None, *, listed: bool) -> None:
    """Say what documents hold: how many of what, which scopes, and which columns are known of how many.

    A column that nobody collected leaves rules untested; a gap in one that was collected leaves
    verdicts unknown. Lineages are linked as a scan links them, by keyaudit.yaml's rules too.
    """
    from keyaudit import inventory
    from keyaudit.cli.configuration import read
    from keyaudit.cli.gathering import documents
    from keyaudit.cli.lineage import linked

    rules = read(config).lineage
    shown = linked(rules, inventory.read(documents(files, config)))
    counts, orphans = inventory.summary(shown), inventory.orphans(shown)
    if form == "json":
        plain = {**_plain(counts), **_plain_orphans(orphans, listed=listed)}
        print_text(json.dumps(plain, indent=2, ensure_ascii=False))
    else:
        asked = not counts.by_source.keys().isdisjoint(PROVIDERS)
        print_text("\n".join([_text(counts), *(_orphans(orphans, listed=listed) if asked else ())]))


def _orphans(orphans: Orphans, *, listed: bool) -> Iterator[str]:
    """Say how many keys of providers no store holds, and with `listed` which."""
    from keyaudit.formats.visible import visible

    yield ""
    if orphans is None:
        yield "keys of providers that no store holds: not tested, no store was listed"
        return
    yield f"keys of providers that no store here is known to hold: {len(orphans):,}"
    for orphan in orphans if listed else ():
        parts = (orphan.source, orphan.scope, orphan.name, orphan.id)
        yield f"  {'  '.join(visible(part, longest=200) for part in parts)}"


def _plain_orphans(orphans: Orphans, *, listed: bool) -> dict[str, object]:
    """Give the number, null where it was not tested, and with `listed` every one."""
    from dataclasses import asdict

    found = {} if not listed else {"orphans_listed": None if orphans is None else list(map(asdict, orphans))}
    return {"orphans": None if orphans is None else len(orphans), **found}


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
