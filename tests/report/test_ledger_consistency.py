"""A ledger that contradicts itself, its period or its population is refused, whoever computed its digest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from keyaudit.model import Ledger, LedgerResult, LedgerRow, Operation, Report
from keyaudit.report_document import consistency
from keyaudit.report_document.kinds import Refused
from report.ledgers import audited, cases


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    [case] = [
        each for each in cases("policies") if each["name"].startswith("made too old by a new policy, and r")
    ][:1]
    return audited(case, tmp_path_factory.mktemp("ledger"))


def of_row(change: Callable[[LedgerRow], LedgerRow]) -> Callable[[Ledger], Ledger]:
    return lambda ledger: replace(
        ledger, rows=[change(row) if row.id == "key" else row for row in ledger.rows]
    )


def of_entry(**fields: Any) -> Callable[[Ledger], Ledger]:
    return of_row(lambda row: replace(row, entries=(replace(row.entries[0], **fields), *row.entries[1:])))


CHANGES: dict[str, Callable[[Ledger], Ledger]] = {
    "operations.exception": lambda ledger: replace(ledger, operations={}),
    "results.late": lambda ledger: replace(ledger, results={LedgerResult.ON_TIME: 1}),
    "results.on-time": lambda ledger: replace(ledger, results={**ledger.results, LedgerResult.ON_TIME: 9}),
    "policies": lambda ledger: replace(ledger, policies=ledger.policies[1:]),
    "credentials": lambda ledger: replace(ledger, rows=list(ledger.rows)[1:]),
    "credentials[0]": lambda ledger: replace(ledger, rows=list(ledger.rows)[::-1]),
    "credentials[0].due": of_row(lambda row: replace(row, due=row.due + 1)),
    "credentials[0].late": of_row(lambda row: replace(row, late=0, met=row.met + row.late)),
    "credentials[0].open": of_entry(result=LedgerResult.UNKNOWN),
    "credentials[0].met": of_entry(result=LedgerResult.NOT_DUE),
    "credentials[0].operation": of_row(lambda row: replace(row, operation=Operation.OPERATED)),
    "credentials[0].out_of_policy_min": of_row(lambda row: replace(row, out_min=0)),
    "credentials[0].out_of_policy_max": of_entry(out_max=10**15),
}


@pytest.mark.parametrize("field", CHANGES)
def test_a_number_that_contradicts_another_is_refused_by_name(report: Report, field: str) -> None:
    assert report.ledger is not None
    consistency.check(report)
    with pytest.raises(Refused) as refused:
        consistency.check(replace(report, ledger=CHANGES[field](report.ledger)))
    assert refused.value.path == [f"ledger.{field}"]


def test_parts_of_policies_leave_no_microsecond_out(report: Report) -> None:
    assert report.ledger is not None
    first, second = report.ledger.policies
    gap = replace(report.ledger, policies=(first, replace(second, starts=second.starts + 1)))
    with pytest.raises(Refused):
        consistency.check(replace(report, ledger=gap))


def test_a_ledger_without_a_period_is_of_nothing(report: Report) -> None:
    with pytest.raises(Refused):
        consistency.check(replace(report, period=None))
