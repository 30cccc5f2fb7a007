"""A believable ledger and sample beside a made-up report: every result, gap and doubt that there can be."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from dataclasses import replace

from keyaudit import times
from keyaudit.model import (
    Drawn,
    Grace,
    HistoryFile,
    HistoryGap,
    HistorySummary,
    Ledger,
    LedgerEntry,
    LedgerResult,
    LedgerRow,
    Operation,
    PolicyPart,
    PopulationRow,
    Recorded,
    Report,
    Sample,
    Stratum,
)

START = times.parse_instant("2025-11-01T00:00:00Z")
END = times.parse_instant("2026-04-30T23:59:59.999999Z")
CHANGED = times.parse_instant("2026-02-01T00:00:00Z")
DAY = times.DAY

LIVES = (
    "kept",
    "late",
    "kept",
    "overdue",
    "between",
    "kept",
    "gap",
    "idle",
    "kept",
    "broken",
    "lost",
    "none",
)
"""What becomes of the n-th credential, over and over."""


def ledgered(report: Report, *, size: int = 5) -> Report:
    """Give a report the period from November to April, a ledger of its population, and a sample of it."""
    rows = tuple(_row(n, row) for n, row in enumerate(report.population))
    results: Counter[LedgerResult] = Counter(
        entry.result for row in rows for entry in row.entries if entry.result is not LedgerResult.NOT_DUE
    )
    ledger = Ledger(
        policies=(
            PolicyPart(f"{report.policy.name}, until January", "e6" * 32, None, START, CHANGED - 1),
            PolicyPart(report.policy.name, report.policy.sha256, report.policy.approved_by, CHANGED, END),
        ),
        history=_history(),
        operations=dict(Counter(row.operation for row in rows)),
        results=dict(results),
        rows=rows,
    )
    return replace(report, period=(START, END), ledger=ledger, sample=_sample(report, size))


def _history() -> HistorySummary:
    files = (
        HistoryFile("history/2025-12-01.json", "inventory", "f7" * 32, START + 30 * DAY, 40, None),
        HistoryFile("history/2026-01-02.json", "inventory", "f8" * 32, START + 62 * DAY, 41, None),
        HistoryFile("cloudtrail/2026.json.gz", "cloudtrail", "f9" * 32, None, 117, None),
        HistoryFile(
            "history/<b>torn</b>.json", "inventory", None, None, 0, "line 1, column 9: not a JSON document"
        ),
    )
    return HistorySummary("fa" * 32, files, START + 30 * DAY, START + 62 * DAY, 88 * DAY, 3, 1)


def _row(n: int, row: PopulationRow) -> LedgerRow:
    life = LIVES[n % len(LIVES)] if row.rotation_period is not None else "none"
    entries = _entries(n, life, row.rotation_period or 0, row.grace_period or 0)
    met, late, unknown = (
        sum(entry.result in wanted for entry in entries)
        for wanted in (
            {LedgerResult.ON_TIME},
            {LedgerResult.LATE, LedgerResult.OVERDUE},
            {LedgerResult.UNKNOWN},
        )
    )
    gaps = (HistoryGap(START + 40 * DAY, START + 70 * DAY, "no look at it in 30 d"),) if life == "gap" else ()
    return LedgerRow(
        source=row.source,
        scope=row.scope,
        id=row.id,
        name=row.name,
        cls=row.cls,
        environment=row.environment,
        owner=row.owner,
        schedule=row.schedule,
        rotation_period=row.rotation_period,
        grace_period=row.grace_period,
        operation=_operation(life, met, late, unknown),
        due=met + late + unknown,
        met=met,
        late=late,
        open=unknown,
        longest_min=max((_length(entry) for entry in entries), default=None),
        longest_max=None
        if life in ("gap", "lost")
        else max((_length(entry) for entry in entries), default=None),
        out_min=sum(entry.out_min for entry in entries),
        out_max=sum(entry.out_max for entry in entries),
        last_seen_at=START + 62 * DAY if life == "lost" else None,
        gaps=gaps,
        entries=entries,
    )


def _operation(life: str, met: int, late: int, unknown: int) -> Operation:
    if life == "none":
        return Operation.NOT_REQUIRED
    if late:
        return Operation.EXCEPTION
    if unknown:
        return Operation.UNKNOWN
    return Operation.OPERATED if met else Operation.DID_NOT_OPERATE


def _length(entry: LedgerEntry) -> int:
    return (entry.replaced_to or END) - (entry.created_at or START)


def _entries(n: int, life: str, period: int, grace: int) -> tuple[LedgerEntry, ...]:
    """Let values follow each other from before the period to its end."""
    if life == "none":
        return ()
    chance = random.Random(n)
    if life == "idle":
        return (_open("v1", END - 20 * DAY, END + 70 * DAY),)
    if life == "lost":
        return (_unknown("v1", grace),)
    made = START - int(period * chance.uniform(0.2, 0.6)) // times.SECOND * times.SECOND
    entries: list[LedgerEntry] = []
    while True:
        version, due = f"v{len(entries) + 1}", made + period
        late = life in ("late", "overdue") and len(entries) == (0 if life == "late" else 1)
        share = chance.uniform(1.1, 1.4) if late else chance.uniform(0.75, 1.0)
        ends = made + int(period * share) // times.SECOND * times.SECOND
        if ends > END or (life == "overdue" and late):
            entries.append(_open(version, made, due))
            return tuple(entries)
        unsure = 20 * DAY if life == "between" else 0
        entries.append(_replaced(version, (made, due), (ends - unsure, ends), grace, broken=life == "broken"))
        made = ends


def _open(version: str, made: int, due: int) -> LedgerEntry:
    overdue = max(END - due, 0)
    result = LedgerResult.OVERDUE if due <= END else LedgerResult.NOT_DUE
    early = due - END if due <= END else None
    return LedgerEntry(
        version, made, due, None, None, None, result, early, early, overdue, overdue, None, None,
        Grace.NOT_ASKED, "store",
    )  # fmt: skip


def _replaced(
    version: str, life: tuple[int, int], ends: tuple[int, int], grace: int, *, broken: bool
) -> LedgerEntry:
    (made, due), (first, last) = life, ends
    result = (
        LedgerResult.LATE if first > due else LedgerResult.ON_TIME if last <= due else LedgerResult.UNKNOWN
    )
    known = first == last
    stays = grace * 3 if broken else grace // 2
    record = Recorded(last, "r-" + version, "app@acme.example", "ciso@acme.example", "CHG-0042")
    return LedgerEntry(
        version=version,
        created_at=made,
        due_at=due,
        replaced_from=first,
        replaced_to=last,
        replaced_by="v" + str(int(version[1:]) + 1),
        result=result,
        early_min=due - last,
        early_max=due - first,
        out_min=max(first - due, 0),
        out_max=max(last - due, 0),
        overlap_min=stays if known else 0,
        overlap_max=stays if known else None,
        grace=Grace.BROKEN if broken else Grace.KEPT if known else Grace.UNKNOWN,
        basis="record" if known and version == "v1" else "store" if known else "inventory",
        recorded=record if known and version == "v1" else None,
    )


def _unknown(version: str, _grace: int) -> LedgerEntry:
    return LedgerEntry(
        version, None, None, None, END - 30 * DAY, None, LedgerResult.UNKNOWN, None, None, 0, 90 * DAY, None,
        None, Grace.UNKNOWN, "inventory",
    )  # fmt: skip


def _sample(report: Report, size: int) -> Sample:
    """Draw by the identity's digest; the real draw is tested where it is made."""
    ordered = sorted(report.population, key=lambda row: hashlib.sha256(row.id.encode()).hexdigest())
    drawn = [
        Drawn(
            order,
            (row.environment or "",),
            row.source,
            row.scope,
            row.id,
            row.name,
            hashlib.sha256(row.id.encode()).hexdigest(),
        )
        for order, row in enumerate(ordered[: 2 * size], start=1)
    ]
    held = Counter(row.environment or "" for row in report.population)
    taken = Counter(each.stratum[0] for each in drawn[:size])
    parts = tuple(Stratum((name,), held[name], taken[name]) for name in sorted(held))
    return Sample(
        size, "2026-q1 <seed>", ("environment",), len(report.population), "fb" * 32, parts,
        tuple(drawn[:size]), tuple(drawn[size:]),
    )  # fmt: skip
