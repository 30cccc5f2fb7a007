"""The words of the rotation ledger: the same in every format.

A length of time that is known only between bounds is said with both; what is not known is said so.
"""

from __future__ import annotations

from collections.abc import Mapping

from keyaudit import times
from keyaudit.model import (
    Grace,
    Ledger,
    LedgerEntry,
    LedgerResult,
    LedgerRow,
    Operation,
    PolicyPart,
)

OPERATIONS: dict[Operation, str] = {
    Operation.EXCEPTION: "A value was replaced late, or was overdue when the period ended.",
    Operation.UNKNOWN: "Something fell due, or may have, and it is not known what became of it.",
    Operation.OPERATED: "Every value that fell due in the period was replaced in time.",
    Operation.DID_NOT_OPERATE: "Nothing fell due in the period: no evidence that rotation works.",
    Operation.NOT_REQUIRED: "No rotation is asked of it: a replica, a short-lived secret, or no schedule.",
}
"""What each operation of a credential means, worst first."""

RESULTS: dict[LedgerResult, str] = {
    LedgerResult.OVERDUE: "It fell due, and nothing had replaced it when the period ended.",
    LedgerResult.LATE: "It was replaced after it had fallen due, and after what the policy tolerates.",
    LedgerResult.UNKNOWN: "The history does not say when it fell due, or when it was replaced.",
    LedgerResult.ON_TIME: "It was replaced in the instant in which it fell due, before, or within tolerance.",
    LedgerResult.NOT_DUE: "It was still in use when the period ended, and falls due later.",
}
"""What each result of a value means, worst first."""

GRACES: dict[Grace, str] = {
    Grace.KEPT: "kept",
    Grace.BROKEN: "broken",
    Grace.UNKNOWN: "not known",
    Grace.NOT_ASKED: "not asked",
}

BASES = {
    "store": "the store",
    "inventory": "an earlier inventory",
    "audit-log": "an audit log",
    "record": "a rotation record",
}
"""Whose word decided."""

NOTHING_FELL_DUE = "The control did not operate: nothing fell due in the period."
LATE_RULE = "KA111"
"""rotation-late: the controls that it bears on are those that the ledger is evidence of."""
MISSED = (LedgerResult.OVERDUE, LedgerResult.LATE)


def headline(ledger: Ledger) -> str:
    """Say in a sentence what the ledger shows. It never says that rotation works."""
    if ledger.operated is False:
        return NOTHING_FELL_DUE
    said = counts(ledger.results)
    if ledger.operated is None:
        return f"Whether rotation operated in the period is not known: {said}."
    if missed(ledger):
        return f"Exceptions in the period: {said}."
    if ledger.results.get(LedgerResult.UNKNOWN) or ledger.operations.get(Operation.UNKNOWN):
        return f"No due date is known to have been missed: {said}."
    return f"Every due date in the period was met: {said}."


def missed(ledger: Ledger) -> int:
    """Count the values that were late or overdue."""
    return sum(ledger.results.get(result, 0) for result in MISSED)


def counts(results: Mapping[LedgerResult, int]) -> str:
    """Say `3 overdue, 2 late, 1 not known, 40 on time`, worst first."""
    words = {LedgerResult.UNKNOWN: "not known", LedgerResult.ON_TIME: "on time"}
    shown = (LedgerResult.OVERDUE, LedgerResult.LATE, LedgerResult.UNKNOWN, LedgerResult.ON_TIME)
    parts = [f"{results[each]:,} {words.get(each, each)}" for each in shown if results.get(each)]
    return ", ".join(parts) or "no due date"


def operations(ledger: Ledger) -> str:
    """Say how many credentials came to each operation, worst first."""
    words = {Operation.EXCEPTION: "with an exception", Operation.UNKNOWN: "not known"}
    found = [
        f"{ledger.operations[each]:,} {words.get(each, each.replace('-', ' '))}"
        for each in Operation
        if ledger.operations.get(each)
    ]
    return ", ".join(found) or "no credential"


def words(by_basis: Mapping[str, int]) -> str | None:
    """Say on whose word values count as replaced in time; None where all of it is the stores' own."""
    if not set(by_basis) - {"store"}:
        return None
    found = [f"{name} ({by_basis[basis]:,})" for basis, name in BASES.items() if by_basis.get(basis)]
    return f"on time by the word of {', '.join(found)}"


def standing(row: LedgerRow) -> str:
    """Say how many of a credential's due dates were met."""
    if row.operation is Operation.NOT_REQUIRED:
        return "not required"
    parts = [f"{row.met:,} of {row.due:,} met"] if row.due else []
    parts += [f"{row.late:,} late"] if row.late else []
    parts += [f"{row.open:,} not known"] if row.open else []
    if row.operation is Operation.UNKNOWN and not row.open:
        parts.append("rest of the period not known" if parts else "not known")
    return ", ".join(parts) or "nothing fell due"


def lateness(entry: LedgerEntry) -> str:
    """Say how early or late a value was replaced: `12 d early`, `7 d to 12 d late`, `not known`."""
    if entry.result is LedgerResult.NOT_DUE:
        return "not due yet"
    low, high = entry.early_min, entry.early_max
    if low is None or high is None:
        return _one_bound(low, high)
    if low < 0 < high:
        late, early = times.describe_duration(-low), times.describe_duration(high)
        return f"between {late} late and {early} early"
    if low == high == 0:
        return "in the instant it fell due"
    if high <= 0:
        return f"{between(-high, -low)} late"
    return f"{between(low, high)} early"


def _one_bound(low: int | None, high: int | None) -> str:
    if high is not None and high < 0:
        return f"at least {times.describe_duration(-high)} late"
    if high is not None:
        return f"at most {times.describe_duration(high)} early"
    if low is not None and low < 0:
        return f"at most {times.describe_duration(-low)} late"
    if low is not None:
        return f"at least {times.describe_duration(low)} early"
    return "not known"


def between(low: int | None, high: int | None) -> str:
    """Say a length of time by its bounds: `12 d`, `7 d to 12 d`, `at least 7 d`, `not known`."""
    if low is None or high is None:
        known = low if high is None else high
        if known is None or (known == 0 and high is None):
            return "not known"
        return f"at {'most' if low is None else 'least'} {times.describe_duration(known)}"
    if low == high:
        return times.describe_duration(low)
    first = times.describe_duration(low, apart_from=(high,))
    return f"{first} to {times.describe_duration(high, apart_from=(low,))}"


def replaced(entry: LedgerEntry) -> str:
    """Say when a value was replaced, as exactly as is known."""
    low, high = entry.replaced_from, entry.replaced_to
    if low is None:
        return "still in use when the period ended" if high is None else f"by {times.format_instant(high)}"
    if high is None:
        return f"{times.format_instant(low)} or later, if at all"
    if low == high:
        return times.format_instant(low)
    return f"between {times.format_instant(low)} and {times.format_instant(high)}"


def overlap(entry: LedgerEntry) -> str:
    """Say how long a value stayed usable after it was replaced, and whether that kept its grace."""
    if entry.grace is Grace.NOT_ASKED and entry.overlap_min is None and entry.overlap_max is None:
        return "not asked"
    return f"{between(entry.overlap_min, entry.overlap_max)}, grace {GRACES[entry.grace]}"


def evidence(entry: LedgerEntry) -> str:
    """Say on whose word a result stands, with what a rotation record names."""
    said = [BASES.get(entry.basis, entry.basis)]
    if record := entry.recorded:
        said += [f"rotated {times.format_instant(record.at)}"]
        said += [f"run {record.token}"] if record.token else []
        said += [f"asked for by {record.requested_by}"] if record.requested_by else []
        said += [f"approved by {record.approved_by}"] if record.approved_by else []
        said += [f"ticket {record.ticket}"] if record.ticket else []
    return ", ".join(said)


def gap_texts(row: LedgerRow) -> list[str]:
    """Say each stretch of the period of which nothing is known."""
    return [f"{span(gap.starts, gap.ends)}: {gap.why}" for gap in row.gaps]


def policy(part: PolicyPart) -> str:
    """Say which policy governed which part of the period."""
    approved = f"approved by {part.approved_by}" if part.approved_by else "not approved by anyone"
    return f"{part.name}, {span(part.starts, part.ends)}, {approved}, sha256 {part.sha256[:12]}"


def span(starts: int, ends: int) -> str:
    """Say a stretch of time by its first and last instant; by its days where it is whole days."""
    if starts % times.DAY == 0 and (ends + 1) % times.DAY == 0:
        return f"{times.format_date(starts)} to {times.format_date(ends)}"
    return f"{times.format_instant(starts)} to {times.format_instant(ends)}"
