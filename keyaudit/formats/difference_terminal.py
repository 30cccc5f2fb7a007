"""What two reports do not share, for a terminal: what is new first, each with what decided it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from keyaudit.formats import difference_text as words
from keyaudit.formats import wording
from keyaudit.formats.visible import visible
from keyaudit.report_difference.changes import Change, Kind, ReportDifference

MOST_OF_A_KIND = 100
MOST_SCOPES = 25
NARROWEST = 40
_ASCII = str.maketrans({"·": "-", "…": "...", "→": "->"})


def render(
    found: ReportDifference, names: tuple[str, str], *, width: int = 80, ascii_only: bool = False
) -> bytes:
    """Lay a comparison out for `width` columns; `names` are what the two reports were read from."""
    width = max(width, NARROWEST)
    return to_bytes(_lines(found, names, width), ascii_only=ascii_only)


def to_bytes(lines: Iterable[str], *, ascii_only: bool) -> bytes:
    """Put lines under each other; `ascii_only` escapes what is not ASCII."""
    text = "".join(f"{line.rstrip()}\n" for line in lines)
    return text.translate(_ASCII).encode("ascii", "backslashreplace") if ascii_only else text.encode()


def _lines(found: ReportDifference, names: tuple[str, str], width: int) -> Iterator[str]:
    yield from _wrapped(words.headline(found), width, 0)
    yield ""
    for name, said in words.facts(found, names):
        yield from _wrapped(said, width, 13, f"  {name:<11}")
    if found.scopes:
        yield ""
        yield "Scopes that are not as they were"
        for where, said in map(words.scope, found.scopes[:MOST_SCOPES]):
            yield from _wrapped(f"{where}: {said}", width, 4, "  ")
        if len(found.scopes) > MOST_SCOPES:
            yield f"  … and {len(found.scopes) - MOST_SCOPES:,} more (see --format json)"
    for kind in Kind:
        yield from _section(found, kind, width)


def _section(found: ReportDifference, kind: Kind, width: int) -> Iterator[str]:
    if not found.counts[kind]:
        return
    title, meaning = words.SECTIONS[kind]
    yield ""
    yield from _wrapped(f"{title}: {found.counts[kind]:,}. {meaning}", width, 0)
    shown = [change for change in found.changes if change.kind is kind][:MOST_OF_A_KIND]
    for change in shown:
        yield from _change(change, width)
    if found.counts[kind] > len(shown):
        yield f"  … and {found.counts[kind] - len(shown):,} more (see --format json)"


def _change(change: Change, width: int) -> Iterator[str]:
    finding = change.finding
    name = f"{visible(finding.rule)} {visible(finding.name)}  {visible(wording.subject(finding))}"
    yield ""
    yield from _wrapped(f"{words.label(change)}  {name}", width, 6, "  ")
    if where := words.place(change):
        yield from _wrapped(where, width, 6)
    yield from _wrapped(visible(finding.message, longest=600), width, 6)
    for reason in change.reasons:
        yield from _wrapped(f"{reason.cause}: {visible(reason.because, longest=600)}", width, 8, "    ")
        for shift in reason.shifts:
            yield from _wrapped(words.shift(shift), width, 10, "        ")


def _wrapped(text: str, width: int, indent: int, first: str | None = None) -> list[str]:
    """Fold at the width; a name without spaces is folded too, never lost."""
    lead = " " * indent if first is None else first
    return textwrap.wrap(
        text, width, initial_indent=lead, subsequent_indent=" " * indent, break_on_hyphens=False
    ) or [lead]
