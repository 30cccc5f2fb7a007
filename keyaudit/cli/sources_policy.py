"""keyaudit sources policy: the least that a provider must grant for a pull."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from keyaudit.cli import options
from keyaudit.cli.outputs import print_text
from keyaudit.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from keyaudit.cli.listing import Entry

EPILOG = """\b
Examples:
  keyaudit sources policy aws > keyaudit-policy.json      for all kinds of AWS
  keyaudit sources policy aws-secrets-manager             for one kind
  keyaudit sources policy --source production             for what keyaudit.yaml says of one
  keyaudit sources policy vault | vault policy write keyaudit -"""


@click.command("policy", epilog=EPILOG, short_help="Print the least that a provider must grant for a pull.")
@click.argument("what", metavar="[FAMILY|KIND]", required=False)
@options.source
@options.config
def command(what: str | None, sources: Sequence[str], config: str | None) -> None:
    """Print the least that a provider must grant for a pull, in the words that its own tools take.

    Values, and every change, are denied where the provider can deny. FAMILY is such as aws, for all
    of its kinds; KIND such as aws-iam; with --source just what those entries of keyaudit.yaml need.
    """
    from keyaudit.cli.configuration import read
    from keyaudit.cli.listing import chosen
    from keyaudit.sources import SOURCES, least_privilege

    if what is None and not sources:
        raise UsageError("policy of what?", hint=f"write one of {', '.join(_names())}; or --source NAME")
    if what is not None and what not in _names():
        raise UsageError(
            f"no source is called {what!r}{did_you_mean(what, _names())}",
            hint=f"there are {', '.join(_names())}",
        )
    entries = chosen(read(config), sources) if sources else []
    families = {SOURCES[str(entry["kind"])].family for entry in entries}
    if what is None and len(families) > 1:
        raise UsageError(
            f"these sources belong to {' and '.join(sorted(families))}", hint="ask for one provider at a time"
        )
    print_text(least_privilege(_covering(what, entries), entries))


def _names() -> list[str]:
    from keyaudit.sources import SOURCES

    return list(dict.fromkeys([*(kind.family for kind in SOURCES.values()), *SOURCES]))


def _covering(what: str | None, entries: Sequence[Entry]) -> str:
    """Give the family or kind to ask for, of which every entry must be."""
    from keyaudit.sources import SOURCES

    if what is None:
        return SOURCES[str(entries[0]["kind"])].family
    for entry in entries:
        kind = str(entry["kind"])
        if what not in {kind, SOURCES[kind].family}:
            raise UsageError(f"source {entry['name']} is {kind}, not {what}")
    return what
