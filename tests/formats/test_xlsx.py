"""The workbook: read back cell by cell by a library that we did not write, and nothing in it runs."""

from __future__ import annotations

import csv
import io
import os
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from typing import Any

import openpyxl
import pytest

from formats.hostile import NAMES, with_names
from formats.large_report import large_report
from formats.sample_report import sample_report
from keyaudit import times
from keyaudit.formats import csv_table, evidence_index, render, xlsx
from keyaudit.formats.csv_table import FORMULA
from keyaudit.formats.visible import bounded
from keyaudit.formats.xlsx_sheets import sheets
from keyaudit.model import Report

SAMPLE = sample_report(60)
HOSTILE = with_names(large_report(1))
NAMED = [
    "Summary", "Not tested", "Coverage", "Criteria", "Controls", "Findings", "Population",
    "Ledger", "Sample", "Rules", "Waivers", "Orphans", "Evidence index",
]  # fmt: skip


def workbook(content: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


def rows(content: bytes, sheet: str) -> list[dict[str, Any]]:
    heading, *found = workbook(content)[sheet].iter_rows(values_only=True)
    return [dict(zip(heading, row, strict=True)) for row in found]


@pytest.mark.parametrize(
    "report",
    [SAMPLE, HOSTILE, large_report(0), replace(SAMPLE, orphans=None, period=(0, 1))],
    ids=["sample", "hostile", "nothing", "others"],
)
def test_every_cell_is_read_back_as_what_was_said(report: Report) -> None:
    made = workbook(render("xlsx", report))
    wanted = list(sheets(report, xlsx.MOST_ROWS))
    assert made.sheetnames == [sheet.name for sheet in wanted]
    for sheet in wanted:
        page = made[sheet.name]
        assert [cell.value for cell in page[1]] == list(sheet.columns)
        said = list(sheet.rows)
        assert page.max_row == len(said) + 1
        for number, row in enumerate(said, start=2):
            for column, value in enumerate(row, start=1):
                cell = page.cell(number, column)
                expected = (
                    value if isinstance(value, int) else bounded(value or "", 16_000, nothing="") or None
                )
                assert cell.value == expected, f"{sheet.name}!{cell.coordinate}"
                assert cell.data_type == ("s" if isinstance(expected, str) else "n")


def test_the_sheets_of_a_workpaper_are_there_in_order() -> None:
    assert workbook(render("xlsx", SAMPLE)).sheetnames == NAMED
    without = [name for name in NAMED if name != "Orphans"]
    assert workbook(render("xlsx", replace(SAMPLE, orphans=None))).sheetnames == without


def test_every_sheet_keeps_its_heading_in_view_and_can_be_filtered() -> None:
    for page in workbook(render("xlsx", SAMPLE)):
        assert page.freeze_panes == "A2"
        assert page.auto_filter.ref == f"A1:{page.cell(page.max_row, page.max_column).coordinate}"
        assert page["A1"].font.bold
        assert page.print_title_rows == "$1:$1"
        for column in page.iter_cols(max_row=1):
            width = page.column_dimensions[column[0].column_letter].width
            assert width >= 8


def test_findings_say_what_the_csv_says() -> None:
    in_csv = list(csv.DictReader(io.StringIO(render("csv", SAMPLE).decode(), newline="")))
    in_workbook = rows(render("xlsx", SAMPLE), "Findings")
    assert len(in_csv) == len(in_workbook) == 60
    for one, other in zip(in_csv, in_workbook, strict=True):
        for column in csv_table.COLUMNS:
            assert one[column].removeprefix("'") == (other[column] or "")
        assert other["management_response"] is None


def test_what_is_sorted_by_is_a_number_of_days() -> None:
    report = large_report(3)
    content = render("xlsx", report)
    late = {row["rule"]: row["days_late"] for row in rows(content, "Findings")}
    assert late == {"KA101": 1, "KA201": None, "KA301": None}
    for row, said in zip(report.population, rows(content, "Population"), strict=True):
        assert said["age_days"] == said["age_days_at_most"] == row.age_min // times.DAY
        assert said["days_late"] == (report.as_of - row.due_at) // times.DAY


def test_days_are_whole_and_not_yet_due_is_negative() -> None:
    report = large_report(1)
    hour = times.HOUR
    for due, days in ((-36 * hour, 1), (-23 * hour, 0), (0, 0), (hour, -1), (24 * hour, -1), (25 * hour, -2)):
        finding = replace(report.findings[0], due_at=report.as_of + due)
        (row,) = rows(render("xlsx", replace(report, findings=(finding,))), "Findings")
        assert row["days_late"] == days


def test_nothing_in_it_is_a_formula_a_link_or_a_macro() -> None:
    with zipfile.ZipFile(io.BytesIO(render("xlsx", HOSTILE))) as parts:
        names = parts.namelist()
        assert not [
            name for name in names if re.search(r"vba|external|link|media|embed", name, re.IGNORECASE)
        ]
        for name in names:
            text = parts.read(name).decode()
            assert "<f>" not in text
            assert "<f " not in text
            assert "hyperlink" not in text
            assert "TargetMode" not in text


def test_what_could_become_a_formula_when_somebody_edits_it_is_quoted() -> None:
    quoted = set()
    for page in workbook(render("xlsx", HOSTILE)):
        for row in page.iter_rows(min_row=2):
            for cell in row:
                if isinstance(cell.value, str):
                    assert bool(FORMULA.match(cell.value)) == bool(cell.quotePrefix), cell.value
                    quoted |= {cell.value} if cell.quotePrefix else set()
    assert {"=HYPERLINK(1)", "=1+1", "+1", "-1", "@SUM(A1)", "＝1+1"} <= quoted


def test_names_show_what_hides_in_them_and_fit_a_cell() -> None:
    found = [row["credential_name"] for row in rows(render("xlsx", HOSTILE), "Findings")]
    assert len(found) == len(NAMES)
    assert "\\u202egnp.exe" in found
    assert "line\\nfeed\\r\\nreturn\\ttab" in found
    report = large_report(1)
    for long in ("x" * 50_000, "🔑" * 50_000, "\u202e" * 50_000):
        finding = replace(report.findings[0], message=long)
        (row,) = rows(render("xlsx", replace(report, findings=(finding,))), "Findings")
        assert row["message"] == bounded(long, 16_000)
        assert len(row["message"].encode("utf-16-le")) // 2 <= 32_767


@pytest.mark.parametrize("text", ["_x0041_", "_x000D_", "&lt;", "a  b", "<b>", "日本 é", "]]>", "\u00a0x"])
def test_what_xml_or_excel_has_another_meaning_for_comes_back_as_it_was(text: str) -> None:
    report = large_report(1)
    finding = replace(report.findings[0], message=text)
    (row,) = rows(render("xlsx", replace(report, findings=(finding,))), "Findings")
    # openpyxl leaves Excel's own escape in inline text as it stands.
    assert row["message"].replace("_x005F_x", "_x") == text.strip()


def test_rows_beyond_the_limit_are_left_out_and_said_to_be() -> None:
    content = xlsx.render(large_report(12, credentials=9), most_rows=5)
    findings = rows(content, "Findings")
    assert len(findings) == 6
    assert findings[5]["rule"] == "… 7 more rows are left out here: the JSON report has them all"
    assert rows(content, "Population")[5]["source"].startswith("… 4 more rows are left out")
    said = {row["what"]: row["value"] for row in rows(content, "Summary")}
    assert said["sheet Findings"] == "the first 5 of 12: the JSON report has them all"
    assert said["sheet Population"] == "the first 5 of 9: the JSON report has them all"


def test_where_nothing_is_left_out_nothing_is_said_of_it() -> None:
    said = [row["what"] for row in rows(render("xlsx", large_report(12)), "Summary")]
    assert not [what for what in said if what.startswith("sheet ")]


def test_the_first_sheet_says_what_page_one_says() -> None:
    said = {row["what"]: row["value"] for row in rows(render("xlsx", SAMPLE), "Summary")}
    assert said["as of"] == "2026-05-01T00:00:00Z"
    assert said["all times"] == "UTC"
    assert said["in short"].startswith("Exceptions: ")
    assert said["exit code"] == 1
    assert said["verdicts: fail"] == SAMPLE.summary.verdicts["fail"]
    assert said["policy SHA-256"] == SAMPLE.policy.sha256
    assert said["inventory SHA-256"] == SAMPLE.inventory.sha256
    untested = {row["what"]: row["why"] for row in rows(render("xlsx", SAMPLE), "Not tested")}
    assert untested["vault kv/payments"] == "could not be read: permission denied (403)"


def test_controls_leave_room_for_the_auditor() -> None:
    for row in rows(render("xlsx", SAMPLE), "Controls"):
        assert row["result"]
        assert {row[name] for name in ("auditors_conclusion", "performed_by", "reviewed_by")} == {None}


def test_the_evidence_index_is_the_csvs() -> None:
    found = [tuple(row.values()) for row in rows(render("xlsx", SAMPLE), "Evidence index")]
    wanted = [
        tuple(bounded(cell or "", 16_000, nothing="") or None for cell in row)
        for row in evidence_index.rows(SAMPLE)
    ]
    assert found == wanted


PROGRAM = """
import hashlib, os, sys
sys.path[:0] = {path!r}
os.umask(int(sys.argv[1], 8))
from formats.sample_report import sample_report
from keyaudit.formats import render
print(hashlib.sha256(render("xlsx", sample_report(30))).hexdigest())
"""


def test_neither_umask_nor_time_zone_nor_hash_seed_changes_a_byte() -> None:
    program = PROGRAM.format(path=sys.path)
    made = {
        subprocess.run(
            [sys.executable, "-c", program, umask],
            env={"PATH": os.environ["PATH"], "TZ": zone, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for umask, zone, seed in (("022", "UTC", "1"), ("077", "Pacific/Kiritimati", "2"))
    }
    assert len(made) == 1


def test_it_is_dated_by_the_audit_and_its_parts_by_nothing() -> None:
    content = render("xlsx", SAMPLE)
    properties = workbook(content).properties
    assert properties.created.isoformat() == properties.modified.isoformat() == "2026-05-01T00:00:00"
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        assert {part.date_time for part in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert parts.testzip() is None


def test_it_opens_after_the_turn_of_centuries() -> None:
    for instant in ("1970-01-01T00:00:00Z", "9998-12-31T23:59:59.999999Z"):
        report = replace(large_report(1), as_of=times.parse_instant(instant))
        assert workbook(render("xlsx", report))["Summary"]["B3"].value == instant


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (
            "sys.modules['xlsxwriter'] = None",
            "MissingExtraError: the workbook needs an extra that is not installed | pip install 'keyaudit[xlsx]'",
        ),
        (
            "import tempfile; tempfile.tempdir = '/nowhere/at/all'",
            "UsageError: xlsx: temporary files: No such file or directory | TMPDIR names a folder that may be written, with some room",
        ),
    ],
    ids=["package", "room"],
)
def test_what_is_missing_is_said_in_a_line(missing: str, said: str) -> None:
    program = f"""
import sys
sys.path[:0] = {sys.path!r}
from formats.large_report import large_report
from keyaudit.errors import KeyauditError
from keyaudit.formats import render
{missing}
try:
    render("xlsx", large_report(1))
except KeyauditError as error:
    print(f"{{type(error).__name__}}: {{error}} | {{error.hint}}")
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == (f"{said}\n", "")


def test_ten_thousand_findings_are_ten_thousand_rows() -> None:
    with zipfile.ZipFile(io.BytesIO(render("xlsx", large_report(10_000)))) as parts:
        findings = parts.read(f"xl/worksheets/sheet{NAMED.index('Findings') + 1}.xml")
    assert findings.count(b"<row ") == 10_001
