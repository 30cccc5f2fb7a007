"""The ledger and rotation-late say the same of any history, and on either engine."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from keyaudit.model import Operation, Verdict
from keyaudit.times import DAY, format_instant, parse_instant
from report.ledgers import audited, row_of

BEGAN = parse_instant("2025-11-01T00:00:00Z")
STATES = ("current", "superseded", "disabled", "destroyed", "pending")
VERDICT = {
    Operation.EXCEPTION: Verdict.FAIL,
    Operation.UNKNOWN: Verdict.UNKNOWN,
    Operation.OPERATED: None,
    Operation.DID_NOT_OPERATE: None,
}


def instant(draw: Any) -> str:
    """Days, and the microseconds on either side of them: where a sum is wrong, it is wrong there."""
    days, off = draw(st.integers(0, 260)), draw(st.sampled_from((0, 0, -1, 1)))
    return format_instant(BEGAN + days * DAY + off)


@st.composite
def histories(draw: Any) -> dict[str, Any]:
    versions = {}
    for number in range(draw(st.integers(0, 5))):
        made = instant(draw) if draw(st.integers(0, 7)) else None
        dates = {key: instant(draw) for key in ("superseded_at", "retired_at") if draw(st.booleans())}
        versions[f"v{number}"] = [made, draw(st.sampled_from(STATES)), dates]
    earlier = {
        "2026-02-28T23:59:59.999999Z": {"rotation_period": draw(st.sampled_from(("30d", "90d")))},
        "2026-04-30T12:00:00Z": {"rotation_period": "45d", "overdue_tolerance": "5d"},
    }
    return {
        "versions": versions,
        "born": instant(draw),
        "policy": {"rotation_period": "60d", "overdue_tolerance": draw(st.sampled_from(("0d", "10d")))},
        "earlier": earlier if draw(st.booleans()) else {},
    }


@given(histories(), st.sampled_from(("polars", "duckdb")))
@settings(max_examples=25, deadline=None)
def test_the_rule_fails_where_some_entry_is_late_and_nowhere_else(case: dict[str, Any], engine: str) -> None:
    with TemporaryDirectory() as folder:
        report = audited(case, Path(folder), engine)
    row = row_of(report)
    late = [entry for entry in row.entries if entry.result in {"late", "overdue"}]
    assert (row.operation is Operation.EXCEPTION) == bool(late)
    assert all(entry.out_min > 0 for entry in late)
    assert all(entry.out_min == 0 for entry in row.entries if entry not in late)
    found = [each.verdict for each in report.findings if each.rule == "KA111"]
    expected = VERDICT[row.operation]
    assert found == ([] if expected is None else [expected])
    passed = next(rule.passed for rule in report.rules if rule.id == "KA111")
    assert passed == (row.operation is Operation.OPERATED)
    assert (row.operation is Operation.OPERATED) <= (row.met > 0)
    assert all(entry.out_min <= entry.out_max for entry in row.entries)
