"""Ledgers come to what was worked out on paper, on either engine, in either form of the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from keyaudit import report_document
from keyaudit.formats.json_document import render
from keyaudit.model import LedgerResult, Operation, Report
from keyaudit.times import format_instant
from report.ledgers import audited, cases, row_of, shown

FILES = ("rotations", "grace", "policies", "histories")
CASES = [(file, case) for file in FILES for case in cases(file)]
VERDICT = {
    Operation.EXCEPTION: "failed",
    Operation.UNKNOWN: "unknown",
    Operation.OPERATED: "passed",
    Operation.DID_NOT_OPERATE: "not_applicable",
    Operation.NOT_REQUIRED: "not_applicable",
}


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
@pytest.mark.parametrize("case", [case for _, case in CASES], ids=[f"{f}: {c['name']}" for f, c in CASES])
def test_a_ledger_comes_to_what_was_worked_out_by_hand(
    case: dict[str, Any], engine: str, tmp_path: Path
) -> None:
    report = audited(case, tmp_path, engine)
    row = row_of(report)
    compared = [
        shown(entry, list(expected)) for entry, expected in zip(row.entries, case["entries"], strict=True)
    ]
    assert compared == case["entries"]
    assert row.operation == case["operation"]
    assert [row.due, row.met, row.late, row.open] == case["counts"]
    if "gaps" in case:
        found = [[day(gap.starts), day(gap.ends), gap.why] for gap in row.gaps]
        assert found == case["gaps"]
    if "last_seen_at" in case:
        assert day(row.last_seen_at) == case["last_seen_at"]
    assert (row.out_min, row.out_max) == tuple(
        sum(getattr(entry, name) for entry in row.entries) for name in ("out_min", "out_max")
    )
    check_the_rule(report, row.operation)
    check_the_counts(report)
    again = report_document.read(render(report))
    assert again.ledger is not None
    assert report.ledger is not None
    assert list(again.ledger.rows) == list(report.ledger.rows)


def day(instant: int | None) -> str | None:
    return None if instant is None else format_instant(instant).replace("T00:00:00Z", "")


def check_the_rule(report: Report, operation: Operation) -> None:
    """The other credential of each case is a short-lived secret, of which the rule asks nothing."""
    result = next(rule for rule in report.rules if rule.id == "KA111")
    expected = {"passed": 0, "failed": 0, "unknown": 0, "not_applicable": 1}
    expected[VERDICT[operation]] += 1
    assert {name: getattr(result, name) for name in expected} == expected


def check_the_counts(report: Report) -> None:
    assert report.ledger is not None
    rows = list(report.ledger.rows)
    for operation in Operation:
        assert report.ledger.operations.get(operation, 0) == sum(row.operation == operation for row in rows)
    assert sum(report.ledger.results.values()) == sum(row.due for row in rows)
    assert report.ledger.results.get(LedgerResult.ON_TIME, 0) == sum(row.met for row in rows)
    assert report.ledger.results.get(LedgerResult.UNKNOWN, 0) == sum(row.open for row in rows)
