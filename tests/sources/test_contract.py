"""What every source owes, whatever it lists."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import pytest

from keyaudit.columns import polars_schema
from keyaudit.inventory import from_rows
from keyaudit.model import Coverage, ScopeStatus
from keyaudit.sources import Pulled, ScopeProgress
from sources.contract import CANARY, MATRIX, SourceCase


def coverage_of(pulled: Pulled, scope: str) -> Coverage:
    found = [each for each in pulled.coverage if each.scope == scope]
    assert len(found) == 1, f"{scope} is covered {len(found)} times"
    return found[0]


def rows_in(pulled: Pulled, scope: str) -> list:
    return [row for row in pulled.rows if row.scope == scope]


def scopes_of(case: SourceCase) -> list[str]:
    return sorted(scope for scope in (case.broken, case.healthy) if scope is not None)


def test_every_declared_scope_is_covered_once_and_counted(case: SourceCase) -> None:
    pulled = case.pull()
    assert [each.scope for each in pulled.coverage] == scopes_of(case)
    for each in pulled.coverage:
        rows = rows_in(pulled, each.scope)
        assert each.status is ScopeStatus.COMPLETE
        assert each.reason is None
        assert each.credentials == len(rows) > 0
        assert each.versions == sum(len(row.versions or ()) for row in rows) > 0 or (
            each.versions is None and "versions" in each.cannot_know
        )
        assert each.calls >= each.pages >= 1
        assert each.started_at <= each.finished_at


def test_rows_become_an_inventory(case: SourceCase) -> None:
    pulled = case.pull()
    inventory = from_rows(pulled.rows, pulled.coverage, case.clock_at, pulled.columns)
    frame = inventory.credentials.collect()
    assert dict(frame.schema) == polars_schema()
    assert frame.height == len(pulled.rows)
    unknowable = {each.scope: set(each.cannot_know) for each in pulled.coverage}
    assert not any(each.columns & unknowable[each.scope] for each in inventory.collections[1:])


def test_columns_that_are_not_declared_stay_empty(case: SourceCase) -> None:
    pulled = case.pull()
    frame = from_rows(pulled.rows, pulled.coverage, case.clock_at, pulled.columns).credentials.collect()
    filled = {name for name in frame.columns if frame[name].null_count() < frame.height}
    assert filled - {"row", "collection"} <= set(pulled.columns)


def test_the_same_store_gives_the_same_rows_in_the_same_order(case: SourceCase) -> None:
    first, second = case.pull(), case.pull()
    assert list(first.rows) == list(second.rows)
    assert [(row.scope, row.id) for row in first.rows] == sorted((row.scope, row.id) for row in first.rows)


def test_progress_comes_one_report_at_a_time_and_ends_with_every_scope(case: SourceCase) -> None:
    reports: list[ScopeProgress] = []
    pulled = case.source().pull(reports.append)
    finished = [report.coverage for report in reports if report.coverage is not None]
    assert sorted(each.scope for each in finished) == [each.scope for each in pulled.coverage]
    assert reports[-1].done == reports[-1].scopes == len(scopes_of(case))
    assert [report.done for report in reports] == sorted(report.done for report in reports)


def test_only_granted_operations_are_made(case: SourceCase) -> None:
    case.pull()
    assert case.operations()
    assert case.operations() <= case.granted()


def test_a_declared_scope_with_nothing_in_it_is_empty(case: SourceCase) -> None:
    pulled, scope = case.with_an_empty_scope()
    empty = coverage_of(pulled, scope)
    assert (empty.status, empty.credentials) == (ScopeStatus.EMPTY, 0)


def requests_that_arrived(case: SourceCase) -> int:
    """Count them; what a pull had just sent when it was stopped may arrive after it has ended."""
    counted = -1
    while counted != (now := case.requests()):
        counted = now
        time.sleep(0.05)
    return counted


def test_an_interrupted_pull_resumes_where_it_stopped_and_leaves_nothing_behind(case: SourceCase) -> None:
    if case.healthy is None:
        pytest.skip("everything is one list: there is no second scope to go on with")
    whole = case.pull()
    all_requests = case.requests()

    def interrupt(report: ScopeProgress) -> None:
        # The second scope of a quick server may be on its way before the first's interrupt arrives.
        if report.done >= 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        case.source(cache=True, concurrency=1).pull(interrupt)
    left = list((case.cache_dir / "unfinished").rglob("*.json"))
    assert left
    assert not [file for file in left if CANARY in file.read_text()]
    before = requests_that_arrived(case)
    again = case.source(cache=True, concurrency=1).pull(lambda report: None)
    assert list(again.rows) == list(whole.rows)
    assert 0 < case.requests() - before < all_requests
    assert len([each for each in again.coverage if "then interrupted" in (each.reason or "")]) == 1
    assert not (case.cache_dir / "unfinished").exists() or not list(
        (case.cache_dir / "unfinished").rglob("*.json")
    )


def everything_seen(pulled: Pulled, reports: list[ScopeProgress], logged: str, folder: Path) -> list[str]:
    kept = [file.read_text("utf-8", "surrogateescape") for file in folder.rglob("*") if file.is_file()]
    return [repr(pulled), repr(reports), logged, *kept]


def test_no_secret_is_ever_seen_again(
    case: SourceCase, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    reports: list[ScopeProgress] = []
    with caplog.at_level(logging.DEBUG, logger="keyaudit"):
        pulled = case.source(cache=True).pull(reports.append)
    assert not [text for text in everything_seen(pulled, reports, caplog.text, tmp_path) if CANARY in text]


def test_a_fault_costs_only_its_own_scope_and_is_said(
    case: SourceCase, fault: str, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    status = case.FAULTS[fault]
    whole = case.pull()
    case.break_with(fault)
    reports: list[ScopeProgress] = []
    with caplog.at_level(logging.DEBUG, logger="keyaudit"):
        pulled = case.source(cache=True).pull(reports.append)
    broken = coverage_of(pulled, case.broken)
    assert (broken.status, broken.credentials) == (status, len(rows_in(pulled, case.broken))), broken.reason
    assert (broken.reason is None) == (status == "complete"), broken.reason
    assert (broken.reason or "").isprintable()
    assert "internal error" not in (broken.reason or ""), "a fault of theirs is no fault of ours"
    if case.healthy is not None:
        assert coverage_of(pulled, case.healthy) == coverage_of(whole, case.healthy)
        assert rows_in(pulled, case.healthy) == rows_in(whole, case.healthy)
    if status == "complete":
        assert rows_in(pulled, case.broken) == rows_in(whole, case.broken)
    if status == "failed":
        assert not rows_in(pulled, case.broken)
    assert not [text for text in everything_seen(pulled, reports, caplog.text, tmp_path) if CANARY in text]


def test_every_fault_is_met_or_ruled_out_with_a_reason(case_class: type[SourceCase]) -> None:
    assert set(MATRIX) - set(case_class.FAULTS) == set(case_class.CANNOT_HAPPEN)
    assert all(case_class.CANNOT_HAPPEN.values())
