"""What the numbers of a rotation ledger owe each other, its rows and the population."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from keyaudit.model import Ledger, LedgerResult, LedgerRow, Operation, Report

_LATE = (LedgerResult.LATE, LedgerResult.OVERDUE)


def contradictions(report: Report) -> Iterator[tuple[str, str]]:
    """Give each field of a report's ledger that contradicts another one, and what is wrong with it."""
    ledger = report.ledger
    if ledger is None:
        return
    if report.period is None:
        yield "ledger", "is of a period, and the report is of none"
        return
    yield from _of_policies(ledger, report.period)
    if len(ledger.rows) != len(report.population):
        yield "ledger.credentials", f"are {len(ledger.rows)}, but population {len(report.population)}"
        return
    for number, (row, one) in enumerate(zip(ledger.rows, report.population, strict=True)):
        if (row.source, row.scope, row.id) != (one.source, one.scope, one.id):
            yield f"ledger.credentials[{number}]", "is not the one that stands there in the population"
        for field, said in _of_row(row):
            yield f"ledger.credentials[{number}].{field}", said
    yield from _of_counts(ledger)


def _of_policies(ledger: Ledger, period: tuple[int, int]) -> Iterator[tuple[str, str]]:
    parts = ledger.policies
    whole = bool(parts) and (parts[0].starts, parts[-1].ends) == period
    if not whole or any(one.ends + 1 != other.starts for one, other in pairwise(parts)):
        yield "ledger.policies", "do not govern the period from its first to its last instant"


def _of_row(row: LedgerRow) -> Iterator[tuple[str, str]]:
    results = Counter(entry.result for entry in row.entries)
    late = sum(results[each] for each in _LATE)
    counted = {
        "due": (row.due, row.met + row.late + row.open),
        "late": (row.late, late),
        "open": (row.open, results[LedgerResult.UNKNOWN]),
        "out_of_policy_min": (row.out_min, sum(entry.out_min for entry in row.entries)),
        "out_of_policy_max": (row.out_max, sum(entry.out_max for entry in row.entries)),
    }
    for field, (said, found) in counted.items():
        if said != found:
            yield field, f"is {said}, but the others come to {found}"
    if row.met > results[LedgerResult.ON_TIME]:
        yield "met", f"is {row.met}, but entries come to {results[LedgerResult.ON_TIME]}"
    if (row.operation is Operation.EXCEPTION) != (late > 0):
        yield "operation", f"is {row.operation} with {late} late"


def _of_counts(ledger: Ledger) -> Iterator[tuple[str, str]]:
    operations, results = Counter[Operation](), Counter[LedgerResult]()
    for row in ledger.rows:
        operations[row.operation] += 1
        results[LedgerResult.ON_TIME] += row.met
        results.update(
            entry.result for entry in row.entries if entry.result in {*_LATE, LedgerResult.UNKNOWN}
        )
    for operation in Operation:
        if ledger.operations.get(operation, 0) != operations[operation]:
            said = ledger.operations.get(operation, 0)
            yield (
                f"ledger.operations.{operation}",
                f"is {said}, but credentials come to {operations[operation]}",
            )
    for result in LedgerResult:
        if ledger.results.get(result, 0) != results[result]:
            said = ledger.results.get(result, 0)
            yield f"ledger.results.{result}", f"is {said}, but entries come to {results[result]}"
