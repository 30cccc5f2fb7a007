"""What two reports do not share, as GitHub Markdown for a job summary or a comment: capped, safe to paste."""

from __future__ import annotations

from collections.abc import Iterator

from keyaudit.formats import difference_text as words
from keyaudit.formats import wording
from keyaudit.formats.markdown import LARGEST, code, prose, table
from keyaudit.report_difference.changes import Change, Kind, ReportDifference

MOST_OF_A_KIND = 200
MOST_SCOPES = 50


def render(found: ReportDifference, names: tuple[str, str]) -> bytes:
    """Write a comparison; `names` are what the two reports were read from."""
    facts = [(name.capitalize(), code(said)) for name, said in words.facts(found, names)]
    text = f"# keyaudit diff: {words.headline(found)}\n\n{table(('', ''), facts)}"
    if found.scopes:
        rows = [(code(where), code(said)) for where, said in map(words.scope, found.scopes[:MOST_SCOPES])]
        text += f"\n\n## Scopes that are not as they were\n\n{table(('Scope', 'Then → now'), rows)}"
        if len(found.scopes) > MOST_SCOPES:
            text += f"\n\n… and {len(found.scopes) - MOST_SCOPES:,} more."
    for kind in Kind:
        if found.counts[kind]:
            text += _section(found, kind, LARGEST - len(text.encode()))
    return f"{text}\n".encode()


def _section(found: ReportDifference, kind: Kind, room: int) -> str:
    title, meaning = words.SECTIONS[kind]
    heading = ("Severity", "Rule", "Credential", "Finding", "Why")
    text = f"\n\n## {title}: {found.counts[kind]:,}\n\n{meaning}\n\n{table(heading, ())}"
    left, shown = room - len(text.encode()) - 200 * len(Kind), 0
    for change in _of(found, kind):
        line = f"\n| {' | '.join(_row(change))} |"
        left -= len(line.encode())
        if left < 0 or shown == MOST_OF_A_KIND:
            break
        text, shown = text + line, shown + 1
    hidden = found.counts[kind] - shown
    return text + (f"\n\n… and {hidden:,} more: see the JSON document." if hidden else "")


def _of(found: ReportDifference, kind: Kind) -> Iterator[Change]:
    return (change for change in found.changes if change.kind is kind)


def _row(change: Change) -> tuple[str, ...]:
    finding = change.finding
    why = [
        "<br>".join(
            [f"**{reason.cause}**: {prose(reason.because)}", *(code(words.shift(s)) for s in reason.shifts)]
        )
        for reason in change.reasons
    ]
    where = words.place(change)
    return (
        prose(words.label(change).replace("→", "to")),
        f"{code(finding.rule)} {prose(finding.name)}",
        code(wording.subject(finding)) + (f"<br>{code(where)}" if where else ""),
        prose(finding.message),
        "<br>".join(why),
    )
