"""What a page, on a screen or on paper, shows of a period and of a sample: words for its templates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from keyaudit import times
from keyaudit.formats import history_text, ledger_text, ledger_view, pictures, sample_text
from keyaudit.formats.ledger_view import LedgerView, Missed
from keyaudit.model import Ledger, LedgerEntry, LedgerResult, LedgerRow, Operation, Report, Sample
from keyaudit.model.sampled import METHOD, REPLACEMENT

SCREEN_ROWS = 200
"""Credentials in the plain table that is shown without scripts and on paper."""
SCREEN_PICTURE = 40
PAPER_ROWS = 30
"""Credentials whose values the PDF lists one by one; the attached ledger.csv has all of them."""
PAPER_MISSED = 120
PAPER_PICTURE = 16
MOST_FILES = 100
"""Files of history, and policies, that a page names."""
MOST_DRAWN = 500


@dataclass(frozen=True, slots=True)
class Value:
    """A value that was in use in the period, in words."""

    version: str
    created: str
    due: str
    replaced: str
    result: str
    timing: str
    overlap: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Rotated:
    """A credential over the period, in words."""

    name: str
    place: str
    owner: str
    environment: str
    schedule: str
    operation: Operation
    operated: str
    standing: str
    longest: str
    out: str
    last_seen: str | None
    gaps: tuple[str, ...]
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class MissedDate:
    """A due date that was not met, in words."""

    name: str
    place: str
    owner: str
    value: Value


@dataclass(frozen=True, slots=True)
class Rotations:
    """A ledger as a page shows it: `worst` credentials of `credentials`, `missed` dates of `all_missed`."""

    period: str
    headline: str
    counts: str
    operations: tuple[tuple[Operation, str, int, str], ...]
    results: tuple[tuple[str, int, str], ...]
    policies: tuple[str, ...]
    history: str | None
    history_sha256: str | None
    files: tuple[tuple[str, str, str | None], ...]
    more_files: int
    worst: tuple[Rotated, ...]
    credentials: int
    missed: tuple[MissedDate, ...]
    all_missed: int
    months: tuple[ledger_view.Month, ...]
    picture: Markup
    narrow_picture: Markup | None


@dataclass(frozen=True, slots=True)
class Sampled:
    """A sample as a page shows it: the first of what was drawn, and how to draw it again."""

    sample: Sample
    said: str
    parts: tuple[tuple[str, int, int], ...]
    drawn: tuple[tuple[int, str, str, str, str, str], ...]
    reserves: tuple[tuple[int, str, str, str, str, str], ...]
    method: Sequence[str]
    replacement: str


def screen(report: Report) -> dict[str, Any]:
    """Give what the HTML templates print; None for what the report does not have."""
    found = ledger_view.of_report(report, rows=SCREEN_ROWS, missed=0)
    rotations = None
    if report.ledger and report.period and found:
        narrow = pictures.ledger_picture(
            found,
            report.period,
            report.ledger.policies,
            limit=SCREEN_PICTURE,
            narrow=True,
            name="narrow-ledger",
        )
        picture = pictures.ledger_picture(
            found, report.period, report.ledger.policies, limit=SCREEN_PICTURE, name="ledger-picture"
        )
        rotations = _rotations(report, report.ledger, found, SCREEN_ROWS, (picture, narrow))
    return {"rotations": rotations, "sampled": _sampled(report.sample)}


def paper(report: Report) -> dict[str, Any]:
    """Give what the PDF templates print; None for what the report does not have."""
    found = ledger_view.of_report(report, rows=PAPER_ROWS, missed=PAPER_MISSED)
    rotations = None
    if report.ledger and report.period and found:
        picture = pictures.ledger_picture(
            found, report.period, report.ledger.policies, limit=PAPER_PICTURE, theme="print"
        )
        rotations = _rotations(report, report.ledger, found, PAPER_ROWS, (picture, None))
    return {"rotations": rotations, "sampled": _sampled(report.sample)}


def _rotations(
    report: Report, ledger: Ledger, found: LedgerView, rows: int, drawn: tuple[str, str | None]
) -> Rotations:
    files = tuple(history_text.files(ledger.history)) if ledger.history else ()
    return Rotations(
        period=ledger_text.span(*report.period) if report.period else "",
        headline=ledger_text.headline(ledger),
        counts="; ".join(filter(None, (ledger_text.counts(ledger.results), ledger_text.words(found.words)))),
        operations=tuple(
            (each, _spoken(each), ledger.operations.get(each, 0), meaning)
            for each, meaning in ledger_text.OPERATIONS.items()
        ),
        results=tuple(
            (_spoken(each), ledger.results.get(each, 0), meaning)
            for each, meaning in ledger_text.RESULTS.items()
            if each is not LedgerResult.NOT_DUE
        ),
        policies=tuple(map(ledger_text.policy, ledger.policies[:MOST_FILES])),
        history=history_text.history(report),
        history_sha256=ledger.history.sha256 if ledger.history else None,
        files=files[:MOST_FILES],
        more_files=max(len(files) - MOST_FILES, 0),
        worst=tuple(map(_rotated, found.first(rows))),
        credentials=found.credentials,
        missed=tuple(map(_missed, found.missed)),
        all_missed=found.all_missed,
        months=found.months,
        picture=Markup(drawn[0]),  # noqa: S704 - escapes what it draws
        narrow_picture=Markup(drawn[1]) if drawn[1] else None,  # noqa: S704
    )


def _rotated(row: LedgerRow) -> Rotated:
    seen = None if row.last_seen_at is None else times.format_instant(row.last_seen_at)
    return Rotated(
        name=row.name,
        place=f"{row.source} {row.scope}",
        owner=row.owner or "not known",
        environment=row.environment or "not known",
        schedule=row.schedule or "none applies",
        operation=row.operation,
        operated=_spoken(row.operation),
        standing=ledger_text.standing(row),
        longest=ledger_text.between(row.longest_min, row.longest_max),
        out=ledger_text.between(row.out_min, row.out_max) if row.out_max else "",
        last_seen=seen,
        gaps=tuple(ledger_text.gap_texts(row)),
        values=tuple(map(_value, row.entries)),
    )


def _missed(each: Missed) -> MissedDate:
    row = each.row
    return MissedDate(row.name, f"{row.source} {row.scope}", row.owner or "not known", _value(each.entry))


def _value(entry: LedgerEntry) -> Value:
    return Value(
        version=entry.version,
        created=_instant(entry.created_at),
        due=_instant(entry.due_at),
        replaced=ledger_text.replaced(entry),
        result=_spoken(entry.result),
        timing=ledger_text.lateness(entry),
        overlap=ledger_text.overlap(entry),
        evidence=ledger_text.evidence(entry),
    )


def _spoken(word: Operation | LedgerResult) -> str:
    return word.replace("-", " ")


def _instant(value: int | None) -> str:
    return "not known" if value is None else times.format_instant(value)


def _sampled(sample: Sample | None) -> Sampled | None:
    if sample is None:
        return None
    drawn, reserves = (
        tuple(
            (
                each.order,
                each.name,
                f"{each.source} {each.scope}",
                each.id,
                sample_text.stratum(sample, each.stratum),
                each.key,
            )
            for each in found[:MOST_DRAWN]
        )
        for found in (sample.drawn, sample.reserves)
    )
    parts = tuple(
        (sample_text.stratum(sample, part.values), part.population, part.drawn)
        for part in sample.parts[:MOST_FILES]
    )
    return Sampled(sample, sample_text.drawn(sample), parts, drawn, reserves, METHOD, REPLACEMENT)
