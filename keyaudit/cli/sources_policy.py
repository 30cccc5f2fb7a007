"""keyaudit sources policy: the least that a provider must grant for a pull."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from keyaudit.cli import options
from keyaudit.cli.outputs import print_text, tell
from keyaudit.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from keyaudit.cli.listing import Entry

EPILOG = """\b
Examples:
  keyaudit sources policy aws > keyaudit-policy.json      for all that keyaudit.yaml lists of AWS
  keyaudit sources policy aws-secrets-manager             for what it lists of one kind
  keyaudit sources policy --source production             for one entry
  keyaudit sources policy aws --general                   for all kinds of AWS, whatever is configured
  keyaudit sources policy vault | vault policy write keyaudit -"""


@click.command("policy", epilog=EPILOG, short_help="Print the least that a provider must grant for a pull.")
@click.argument("what", metavar="[FAMILY|KIND]", required=False)
@options.source
@click.option(
    "--general", is_flag=True, help="What everybody's pull of this family or kind needs: no keyaudit.yaml."
)
@options.config
def command(what: str | None, sources: Sequence[str], *, general: bool, config: str | None) -> None:
    """Print the least that a provider must grant for a pull, in the words that its own tools take.

    Values, and every change, are denied where the provider can deny. FAMILY is such as aws, for all
    of its kinds; KIND such as aws-iam. What keyaudit.yaml lists of it, or the entries that --source
    names, is all that is granted; where it lists nothing of it, what is general.
    """
    from keyaudit.sources import SOURCES, least_privilege

    if what is None and not sources:
        raise UsageError("policy of what?", hint=f"write one of {', '.join(_names())}; or --source NAME")
    if general and sources:
        raise UsageError("--general is for nobody's entry", hint="leave out --general, or --source")
    if what is not None and what not in _names():
        raise UsageError(
            f"no source is called {what!r}{did_you_mean(what, _names())}",
            hint=f"there are {', '.join(_names())}",
        )
    entries = [] if general else _entries(what, sources, config)
    families = {SOURCES[str(entry["kind"])].family for entry in entries}
    if what is None and len(families) > 1:
        raise UsageError(
            f"these sources belong to {' and '.join(sorted(families))}", hint="ask for one provider at a time"
        )
    print_text(least_privilege(_covering(what, entries), entries))


def _entries(what: str | None, sources: Sequence[str], config: str | None) -> Sequence[Entry]:
    """Give the entries that were named, else those of keyaudit.yaml that are of the family or kind."""
    from keyaudit.cli.configuration import read
    from keyaudit.cli.listing import chosen

    settings = read(config)
    if sources:
        return chosen(settings, sources)
    fitting = [entry for entry in settings.sources if what in _called(str(entry["kind"]))]
    if fitting:
        names = ", ".join(str(entry["name"]) for entry in fitting)
        tell(f"just what {settings.file} lists: {names} (--general prints what anybody's pull needs)")
    return fitting


def _called(kind: str) -> tuple[str, str]:
    from keyaudit.sources import SOURCES

    return kind, SOURCES[kind].family


def _names() -> list[str]:
    from keyaudit.sources import SOURCES

    return list(dict.fromkeys([*(kind.family for kind in SOURCES.values()), *SOURCES]))


def _covering(what: str | None, entries: Sequence[Entry]) -> str:
    """Give the family or kind to ask for, of which every entry must be."""
    if what is None:
        return _called(str(entries[0]["kind"]))[1]
    for entry in entries:
        kind = str(entry["kind"])
        if what not in _called(kind):
            raise UsageError(f"source {entry['name']} is {kind}, not {what}")
    return what
