"""The ledger and the sample as workpapers: whole, read back by a library, and nothing in them runs."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import openpyxl

from formats.hostile import with_names
from formats.large_report import large_report
from formats.sample_report import sample_report
from keyaudit import times
from keyaudit.formats import ledger_csv, render, sample_csv
from keyaudit.formats.csv_table import FORMULA
from keyaudit.formats.visible import visible
from keyaudit.model import LedgerResult, Report

REPORT = sample_report(25, 60)
LEDGER, SAMPLE = REPORT.ledger, REPORT.sample
assert LEDGER is not None
assert SAMPLE is not None


def cells(name: str, report: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render(name, report).decode(), newline="")))


def sheet(report: Report, name: str) -> list[dict[str, object]]:
    heading, *found = openpyxl.load_workbook(io.BytesIO(render("xlsx", report)))[name].iter_rows(
        values_only=True
    )
    return [dict(zip(map(str, heading), row, strict=True)) for row in found]


def test_every_value_has_a_row_and_so_has_a_credential_without_any() -> None:
    found = cells("ledger", REPORT)
    assert len(found) == sum(max(len(row.entries), 1) for row in LEDGER.rows)
    assert {row["id"] for row in found} == {visible(row.id) for row in LEDGER.rows}
    bare = [row for row in found if row["operation"] == "not-required"]
    assert bare
    assert {value for row in bare for column in ledger_csv.ENTRY_COLUMNS if (value := row[column])} == set()


def test_a_row_says_all_that_is_known_of_a_value() -> None:
    (row,) = [row for row in LEDGER.rows if len(row.entries) > 1 and row.entries[0].recorded][:1]
    entry = replace(
        row.entries[0],
        result=LedgerResult.LATE,
        due_at=times.parse_instant("2026-01-01T00:00:00Z"),
        replaced_from=times.parse_instant("2026-01-08T00:00:00Z"),
        replaced_to=times.parse_instant("2026-01-13T00:00:00Z"),
        early_min=-12 * times.DAY,
        early_max=-7 * times.DAY,
        out_min=6 * times.DAY,
        out_max=11 * times.DAY,
    )
    report = replace(REPORT, ledger=replace(LEDGER, rows=(replace(row, entries=(entry,)),)))
    (said,) = cells("ledger", report)
    assert (said["due_at"], said["replaced_from"], said["replaced_to"]) == (
        "2026-01-01T00:00:00Z",
        "2026-01-08T00:00:00Z",
        "2026-01-13T00:00:00Z",
    )
    assert (said["result"], said["timing"]) == ("late", "7 d to 12 d late")
    assert (said["late_at_least"], said["late_at_most"]) == ("7d", "12d")
    assert (said["early_at_least"], said["early_at_most"]) == ("0s", "0s")
    assert (said["out_of_policy_at_least"], said["out_of_policy_at_most"]) == ("6d", "11d")
    assert (said["run"], said["ticket"]) == ("r-v1", "CHG-0042")
    (in_workbook,) = sheet(report, "Ledger")
    assert in_workbook["days_late"] == 7
    assert in_workbook["due"] == row.due
    assert in_workbook["management_response"] is None


def test_what_may_have_been_early_or_late_is_bounded_on_both_sides() -> None:
    row = next(row for row in LEDGER.rows if row.entries)
    unsure = replace(
        row.entries[0], result=LedgerResult.UNKNOWN, early_min=-2 * times.DAY, early_max=5 * times.DAY
    )
    report = replace(REPORT, ledger=replace(LEDGER, rows=(replace(row, entries=(unsure,)),)))
    (said,) = cells("ledger", report)
    bounds = ("late_at_least", "late_at_most", "early_at_least", "early_at_most")
    assert tuple(said[name] for name in bounds) == ("0s", "2d", "0s", "5d")
    unknown = replace(unsure, early_min=None, early_max=None)
    report = replace(REPORT, ledger=replace(LEDGER, rows=(replace(row, entries=(unknown,)),)))
    assert [cells("ledger", report)[0][name] for name in bounds] == [""] * 4


def test_no_cell_of_either_begins_a_formula() -> None:
    hostile = with_names(large_report(1))
    for name in ("ledger", "sample"):
        for row in csv.reader(io.StringIO(render(name, hostile).decode(), newline="")):
            assert not [cell for cell in row if FORMULA.match(cell)]


def test_the_sample_stands_in_its_order_and_leaves_the_testers_columns_empty() -> None:
    found = cells("sample", REPORT)
    wanted = [*SAMPLE.drawn, *SAMPLE.reserves]
    assert [row["order"] for row in found] == [str(each.order) for each in wanted]
    assert [row["kind"] for row in found] == ["drawn"] * len(SAMPLE.drawn) + ["reserve"] * len(
        SAMPLE.reserves
    )
    assert {row[column] for row in found for column in sample_csv.TO_FILL_IN} == {""}
    assert {(row["seed"], row["population_sha256"]) for row in found} == {("2026-q1 <seed>", "fb" * 32)}


def test_a_sampled_credential_carries_what_the_report_says_of_it() -> None:
    judged = {row.id: row for row in REPORT.population}
    rotated = {row.id: row for row in LEDGER.rows}
    for each, said in zip((*SAMPLE.drawn, *SAMPLE.reserves), cells("sample", REPORT), strict=True):
        assert said["worst"] == judged[each.id].worst
        assert said["rules"] == "; ".join(judged[each.id].rules)
        assert said["operation"] == rotated[each.id].operation
        assert said["not_met"] == str(rotated[each.id].late)
        assert said["stratum"] == f"environment {each.stratum[0] or 'not known'}"
    gone = replace(REPORT, population=(), ledger=None)
    assert {row["worst"] + row["operation"] for row in cells("sample", gone)} == {""}
