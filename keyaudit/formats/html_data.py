"""The rows of an HTML report as data: columns of numbers that point into pools.

A hundred thousand findings repeat few words, so every text is stored once and a cell is its
number; number 0 is "not known". The page's script reads the same layout (`templates/html/data.js`).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import islice
from typing import Any

import msgspec

from keyaudit import times
from keyaudit.formats import html_ledger
from keyaudit.formats.responses import Responses
from keyaudit.formats.visible import visible
from keyaudit.model import CredentialRef, Finding, PopulationRow, Report

MOST_ROWS = 200_000
"""Findings, and credentials, that one page holds; the report document has all of them."""
LONGEST_TEXT = 4000
NO_RESPONSES = Responses()

_BREAKS_OUT = (
    (b"<", b"\\u003c"),
    (b">", b"\\u003e"),
    (b"&", b"\\u0026"),
    (b"\xe2\x80\xa8", b"\\u2028"),
    (b"\xe2\x80\xa9", b"\\u2029"),
)


class Pool:
    """Distinct things in the order in which they came; number 0 is None."""

    def __init__(self) -> None:
        """Start with None."""
        self._numbers: dict[Hashable, int] = {None: 0}

    def number(self, thing: Hashable) -> int:
        """Give the number of a thing, adding it if it is new."""
        return self._numbers.setdefault(thing, len(self._numbers))

    def things(self) -> list[Any]:
        """List everything, at the place of its number."""
        return list(self._numbers)


def embedded(
    report: Report, most_rows: int = MOST_ROWS, responses: Responses = NO_RESPONSES, *, fixes: bool = True
) -> str:
    """Give the JSON for the page's data block; nothing in it can end that block.

    `responses` are what management answers to findings; without `fixes` no command that mends one is in it.
    """
    texts = Pool()
    content: dict[str, Any] = {
        "asOf": report.as_of // times.SECOND,
        "findings": _findings(report.findings, texts, most_rows, responses, fixes=fixes),
        "population": _population(report.population, texts, most_rows),
        "frameworks": {framework.id: visible(framework.name) for framework in report.frameworks},
    }
    if report.ledger is not None:
        content["ledger"] = html_ledger.columns(report.ledger, texts.number, most_rows)
    content["texts"] = [
        None if text is None else visible(text, longest=LONGEST_TEXT) for text in texts.things()
    ]
    encoded = msgspec.json.encode(content)
    for character, escape in _BREAKS_OUT:
        encoded = encoded.replace(character, escape)
    return encoded.decode()


def _findings(
    findings: Sequence[Finding], texts: Pool, most: int, responses: Responses, *, fixes: bool
) -> dict[str, Any]:
    kinds, places, groups = Pool(), Pool(), Pool()
    rows = [
        (
            *_finding(finding, texts, kinds, places, groups, fixes=fixes),
            texts.number(_answered(responses, finding)),
        )
        for finding in islice(findings, most)
    ]
    names = (
        "kind", "place", "subject", "version", "message", "evidence", "due", "clause", "controls", "fix",
        "waiver", "fingerprint", "response",
    )  # fmt: skip
    columns = dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(names, ())
    return {
        "total": len(findings),
        "count": len(rows),
        "kinds": kinds.things(),
        "places": places.things(),
        "groups": groups.things(),
        "columns": columns,
        "uncopyable": [n for n, row in enumerate(islice(findings, most)) if _unseen(row.fix)],
    }


def _answered(responses: Responses, finding: Finding) -> str | None:
    said = (
        f"{answer.response} ({answer.owner}, {answer.status}{f', due {answer.due}' if answer.due else ''})"
        for answer in responses.to(finding)
    )
    return " · ".join(said) or None


def _finding(
    finding: Finding, texts: Pool, kinds: Pool, places: Pool, groups: Pool, *, fixes: bool
) -> tuple[Any, ...]:
    text = texts.number
    kind = (finding.rule, finding.name, finding.verdict, finding.severity, finding.basis)
    controls = tuple(text(part) for control in finding.controls for part in (control.framework, control.id))
    return (
        kinds.number(tuple(map(text, kind))),
        0 if finding.credential is None else places.number(_place(finding.credential, texts)),
        text(finding.subject),
        text(finding.version),
        text(finding.message),
        [part for name, value in finding.evidence.items() for part in (text(name), text(_printed(value)))],
        _seconds(finding.due_at),
        text(finding.clause),
        groups.number(controls),
        text(finding.fix if fixes else None),
        text(finding.waiver),
        finding.fingerprint,
    )


def _place(ref: CredentialRef | PopulationRow, texts: Pool) -> tuple[int, ...]:
    parts = (ref.source, ref.scope, ref.id, ref.name, ref.environment, ref.owner)
    return tuple(map(texts.number, parts))


def _population(population: Sequence[PopulationRow], texts: Pool, most: int) -> dict[str, Any]:
    text = texts.number
    rows = [
        (
            *_place(row, texts),
            text(row.cls),
            text(row.provider),
            row.tier,
            _seconds(row.age_min),
            _seconds(row.age_max),
            text(row.age_basis),
            _seconds(row.rotation_period),
            _seconds(row.grace_period),
            text(row.schedule),
            _seconds(row.due_at),
            text(row.worst),
            text(row.severity),
            text(", ".join(row.rules) or None),
        )
        for row in islice(population, most)
    ]
    names = (
        "source", "scope", "id", "name", "environment", "owner", "cls", "provider", "tier", "ageMin",
        "ageMax", "basis", "period", "grace", "schedule", "due", "worst", "severity", "rules",
    )  # fmt: skip
    columns = dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(names, ())
    return {"total": len(population), "count": len(rows), "columns": columns}


def _seconds(value: int | None) -> int | None:
    """Cut to seconds: what the script counts in, far inside its exact integers."""
    return None if value is None else value // times.SECOND


def _printed(value: object) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return None if value is None else str(value)


def _unseen(command: str | None) -> bool:
    """Tell whether a command holds characters that nobody should paste into a shell unseen."""
    return command is not None and visible(command, longest=LONGEST_TEXT) != command
