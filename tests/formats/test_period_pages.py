"""A period and a sample on a page and on paper: read as a browser and a PDF reader show them."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pikepdf
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from formats.hostile import with_names
from formats.large_report import large_report
from formats.sample_ledger import ledgered
from formats.sample_report import sample_report
from formats.test_html import data_of
from keyaudit.formats import ledger_text, render
from keyaudit.model import LedgerResult, Operation, Report

REPORT = sample_report(30, 60)
INSTANT = replace(REPORT, period=None, ledger=None, sample=None)


def opened(browser: Browser, folder: Path, report: Report, width: int = 1280) -> tuple[Page, list[str]]:
    """A page, and what its scripts complained of."""
    file = folder / "report.html"
    file.write_bytes(render("html", report))
    page = browser.new_page(viewport={"width": width, "height": 900})
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda message: said.append(message.text))
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-ready]")
    return page, said


def test_the_ledger_can_be_filtered_opened_and_linked_to(browser: Browser, tmp_path: Path) -> None:
    page, said = opened(browser, tmp_path, REPORT)
    assert REPORT.ledger is not None
    late = [row for row in REPORT.ledger.rows if row.operation is Operation.EXCEPTION]
    page.locator("[data-table=ledger] [name=operation]").select_option("exception")
    page.wait_for_url("**#l.operation=exception")
    assert page.locator("#ledger-count").inner_text() == f"{len(late)} of 60 match."
    page.locator("#ledger-table .body .line").first.click()
    values = page.locator("#ledger-table .values tbody tr")
    assert values.count() == len(late[0].entries)
    missed = [entry for entry in late[0].entries if entry.result in ledger_text.MISSED]
    shown = page.locator("#ledger-table .values .bad").all_inner_texts()
    overdue = LedgerResult.OVERDUE
    said_of = [("overdue: " if entry.result is overdue else "", entry) for entry in missed]
    assert shown == [f"{word}{ledger_text.lateness(entry)}" for word, entry in said_of]
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert page.locator("#ledger-count").inner_text() == f"{len(late)} of 60 match."
    assert said == []
    page.close()


def test_a_ledger_that_is_open_on_a_phone_is_as_wide_as_the_phone_and_axe_finds_nothing(
    browser: Browser, tmp_path: Path
) -> None:
    page, said = opened(browser, tmp_path, REPORT, width=360)
    page.locator("#ledger-table .body .line").nth(1).click()
    page.evaluate(
        "document.querySelectorAll('#ledger details, #sample details').forEach((one) => { one.open = true; })"
    )
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    detail, table = (page.locator(f"#ledger-table{part}").bounding_box() for part in (" .detail", ""))
    assert detail is not None
    assert table is not None
    assert detail["width"] <= table["width"]
    results = Axe().run(page, context="#ledger")
    assert results.violations_count == 0, results.generate_report()
    assert said == []
    page.close()


def test_no_name_in_a_ledger_or_a_sample_runs(browser: Browser, tmp_path: Path) -> None:
    page, said = opened(browser, tmp_path, with_names(large_report(1)))
    for row in range(6):
        page.locator("#ledger-table .body .line").nth(row).click()
    assert page.locator("#ledger img, #sample img, #ledger svg[onload]").count() == 0
    assert said == []
    page.close()


def test_the_page_holds_the_whole_ledger_or_says_how_much_of_it() -> None:
    data = data_of(render("html", REPORT))
    assert (data["ledger"]["total"], data["ledger"]["count"]) == (60, 60)
    few = render("html", REPORT, most_rows=7)
    assert (data_of(few)["ledger"]["total"], data_of(few)["ledger"]["count"]) == (60, 7)
    assert b"This page holds the first 7 of 60 credentials" in few


def test_an_audit_of_an_instant_has_neither_chapter() -> None:
    page = render("html", INSTANT)
    assert "ledger" not in data_of(page)
    assert b'id="ledger"' not in page
    assert b'id="sample"' not in page
    assert b"Rotations in the period" not in render("terminal", INSTANT)
    assert b"## Rotations" not in render("markdown", INSTANT)


def test_a_control_that_did_not_operate_is_said_on_page_one_of_every_format() -> None:
    assert REPORT.ledger is not None
    idle = replace(
        REPORT.ledger,
        operations={Operation.DID_NOT_OPERATE: 60},
        results=dict.fromkeys((LedgerResult.LATE,), 0),
        rows=tuple(
            replace(row, entries=(), operation=Operation.DID_NOT_OPERATE) for row in REPORT.ledger.rows
        ),
    )
    report = replace(REPORT, ledger=idle)
    for name in ("terminal", "markdown", "html"):
        first = " ".join(render(name, report).decode().split())
        said = "The control did not operate: nothing fell due in the period."
        assert said in first[: len(first) // 2]


def paper(report: Report) -> tuple[str, dict[str, bytes]]:
    content = render("pdf", report)
    if shutil.which("pdftotext") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("pdftotext is not installed")
        pytest.skip("pdftotext is not installed")
    done = subprocess.run(["pdftotext", "-layout", "-", "-"], input=content, capture_output=True, check=True)
    with pikepdf.open(io.BytesIO(content)) as pdf:
        files = {name: each.get_file().read_bytes() for name, each in pdf.attachments.items()}
    return " ".join(done.stdout.decode().split()), files


def test_the_pdf_prints_the_worst_and_attaches_the_rest() -> None:
    report = ledgered(large_report(4, credentials=900))
    assert report.ledger is not None
    text, files = paper(report)
    assert files["ledger.csv"] == render("ledger", report)
    assert files["sample.csv"] == render("sample", report)
    missed = ledger_text.missed(report.ledger)
    assert missed > 120
    assert f"… and {missed - 120:,} more: see the attached ledger.csv." in text
    assert "… and 870 more credentials that are no worse: see the attached ledger.csv." in text
    assert text.count("Rotations Exceptions in the period: ") == 1
    assert f"5 of 900 credentials, by environment, seed {report.sample.seed if report.sample else ''}" in text
