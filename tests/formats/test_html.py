"""The HTML report: one file that fetches nothing, in which no name can do anything, usable by anyone."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from formats.sample_report import HOSTILE, sample_report
from keyaudit.formats import html
from keyaudit.model import Report, Verdict
from keyaudit.report_document import to_document

REPORT = sample_report(60, 80)
EMPTY = replace(
    REPORT, frameworks=(), coverage=(), rules=(), controls=(), findings=(), waivers=(), population=()
)


class Elements(HTMLParser):
    """The elements of a page as a browser's parser would see them."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.inside: str | None = None
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.texts.setdefault(tag, []).append("")
        self.inside = tag

    def handle_endtag(self, tag: str) -> None:
        self.inside = None

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.texts[self.inside][-1] += data


def data_of(page: bytes) -> dict[str, Any]:
    """The rows that a page holds."""
    elements = Elements(page)
    scripts = [attributes for tag, attributes in elements.found if tag == "script"]
    at = next(n for n, attributes in enumerate(scripts) if attributes.get("id") == "data")
    content: dict[str, Any] = json.loads(elements.texts["script"][at])
    return content


def test_the_same_report_gives_the_same_bytes() -> None:
    assert html.render(REPORT) == html.render(sample_report(60, 80))


@pytest.mark.parametrize("report", [REPORT, EMPTY, sample_report(0), sample_report(1)])
def test_nothing_in_the_page_refers_to_anything_outside(report: Report) -> None:
    for tag, attributes in Elements(html.render(report)).found:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base", "audio", "video", "source"}
        assert not {"src", "srcset", "style", "action", "formaction", "background"} & attributes.keys()
        assert not [name for name in attributes if name.startswith("on")]
        assert (attributes.get("href") or "#").startswith("#")


def test_the_security_policy_allows_what_is_in_the_page_and_nothing_else() -> None:
    page = html.render(REPORT)
    elements = Elements(page)
    policy = next(
        attributes["content"]
        for tag, attributes in elements.found
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    scripts = [a for tag, a in elements.found if tag == "script"]
    runnable = [t for a, t in zip(scripts, elements.texts["script"], strict=True) if "type" not in a]
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in runnable]
    assert len(digests) == 2
    style = base64.b64encode(hashlib.sha256(elements.texts["style"][0].encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{style}'; "
        f"script-src 'sha256-{digests[0]}' 'sha256-{digests[1]}'; base-uri 'none'; form-action 'none'"
    )


def test_no_name_can_end_the_data_block() -> None:
    page = html.render(REPORT)
    assert [tag for tag, _ in Elements(page).found].count("script") == 3
    block = page.partition(b'id="data">')[2].partition(b"</script>")[0]
    assert not set(block) & set(b"<>&")
    texts = data_of(page)["texts"]
    assert "<script>window.pwned=1</script>" in texts
    assert "prod/\\u202egnp.exe" in texts
    assert "two\\nlines\\u2028three" in texts


def test_every_finding_is_in_the_page_as_it_is_in_the_report() -> None:
    data = data_of(html.render(REPORT))
    texts, found = data["texts"], data["findings"]
    columns = found["columns"]
    assert found["total"] == found["count"] == len(REPORT.findings)
    for row, finding in enumerate(REPORT.findings):
        kind = [texts[number] for number in found["kinds"][columns["kind"][row]]]
        assert kind == [finding.rule, finding.name, finding.verdict, finding.severity, finding.basis]
        assert columns["fingerprint"][row] == finding.fingerprint
        assert columns["due"][row] == (None if finding.due_at is None else finding.due_at // 1_000_000)
        assert bool(columns["place"][row]) == (finding.credential is not None)
        group = found["groups"][columns["controls"][row]]
        assert [texts[n] for n in group] == [part for c in finding.controls for part in (c.framework, c.id)]


def test_a_command_with_unseen_characters_is_not_offered_for_copying() -> None:
    rows = data_of(html.render(REPORT))["findings"]["uncopyable"]
    assert [REPORT.findings[row].fix for row in rows] == [
        finding.fix
        for finding in REPORT.findings
        if finding.fix and ("\u202e" in finding.fix or "\x1b" in finding.fix)
    ]


def test_a_page_that_is_not_whole_says_so() -> None:
    page = html.render(REPORT, most_rows=50)
    data = data_of(page)
    assert (data["findings"]["total"], data["findings"]["count"]) == (60, 50)
    assert (data["population"]["total"], data["population"]["count"]) == (80, 50)
    assert b"holds the worst 50 of 60 findings" in page
    assert b"holds the first 50 of 80 credentials" in page
    assert b"holds the worst" not in html.render(REPORT)


def test_the_page_names_its_document_and_what_was_not_tested() -> None:
    page = html.render(REPORT).decode()
    assert to_document(REPORT)["sha256"] in page
    assert "2 scopes could not be read completely; 1 scope held nothing" in page
    for gap in (
        "permission denied (403)",
        "throttled after page 1",
        "not tested where last_used_at was not collected",
    ):
        assert gap in page.partition('id="controls"')[0]


@pytest.mark.parametrize("report", [REPORT, EMPTY])
def test_no_page_speaks_the_word_of_an_auditor(report: Report) -> None:
    assert b"complian" not in html.render(report).lower()


# --- in a browser ---------------------------------------------------------------------------------


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    yield opened
    opened.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "report.html"
    path.write_bytes(html.render(REPORT))
    return path


@pytest.fixture
def page(context: BrowserContext, file: Path) -> Page:
    return show(context.new_page(), file)


def show(page: Page, file: Path, fragment: str = "") -> Page:
    page.goto(file.as_uri() + fragment)
    page.wait_for_selector("html[data-ready]")
    return page


def lines(page: Page, table: str = "findings") -> list[str]:
    """The rows in sight, top to bottom, without the heading."""
    found = page.locator(f"#{table}-table .body .line")
    return [found.nth(n).inner_text() for n in range(found.count())]


def test_the_page_asks_for_nothing_and_no_name_runs(context: BrowserContext, file: Path) -> None:
    asked, said = [], []
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    show(page, file)
    for row in range(min(12, page.locator("#population-table .body .line").count())):
        page.locator("#population-table .body .line").nth(row).click()
    page.locator("[data-table=findings] [name=q]").fill("<script>")
    page.wait_for_timeout(200)
    assert asked == [file.as_uri()]
    assert said == []
    assert page.evaluate("window.pwned") is None
    assert page.locator("img").count() == 0


def test_hostile_names_are_shown_as_they_are_spelt(page: Page) -> None:
    shown = "\n".join(lines(page, "population"))
    for name in HOSTILE[:5]:
        assert name in shown


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(browser: Browser, file: Path, scheme: Any, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = show(context.new_page(), file)
    page.locator("#findings-table .body .line").nth(1).click()
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    results = Axe().run(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    context.close()
    assert results.violations_count == 0, results.generate_report()


def test_search_takes_every_word_and_says_how_many_match(page: Page) -> None:
    page.locator("[data-table=findings] [name=q]").fill("KA101 production")
    expect(page.locator("#findings-count")).to_contain_text("match")
    expected = [
        finding
        for finding in REPORT.findings
        if finding.rule == "KA101"
        and finding.credential
        and "production" in f"{finding.credential} {finding.clause}"
    ]
    assert 0 < len(expected) < len(REPORT.findings)
    assert page.locator("#findings-count").inner_text() == f"{len(expected)} of 60 match."
    assert page.locator("#findings-table").get_attribute("aria-rowcount") == str(len(expected) + 1)


def test_filters_narrow_and_stand_in_the_address(page: Page, context: BrowserContext, file: Path) -> None:
    page.locator("[data-table=findings] [name=verdict]").select_option("unknown")
    page.wait_for_url("**#verdict=unknown")
    expected = sum(finding.verdict is Verdict.UNKNOWN for finding in REPORT.findings)
    assert page.locator("#findings-count").inner_text() == f"{expected} of 60 match."
    again = show(context.new_page(), file, "#verdict=unknown")
    assert again.locator("#findings-count").inner_text() == f"{expected} of 60 match."
    again.locator("[data-table=findings] [type=reset]").click()
    expect(again.locator("#findings-count")).to_have_text("All 60 shown.")
    assert again.evaluate("location.hash") == ""


def test_a_control_leads_to_its_findings(page: Page) -> None:
    page.locator('[id="control-soc2-CC6.2"] .number a').click()
    expected = [
        finding
        for finding in REPORT.findings
        if finding.verdict is Verdict.FAIL and any(control.id == "CC6.2" for control in finding.controls)
    ]
    assert expected
    assert page.locator("#findings-count").inner_text() == f"{len(expected)} of 60 match."


def test_a_link_unfolds_where_it_leads(page: Page) -> None:
    silent = page.locator('[id="control-soc2-CC4.1"]')
    assert not silent.is_visible()
    page.locator("#tested a").filter(has_text="soc2 CC4.1").click()
    assert silent.is_visible()
    rule = page.locator("#rule-KA101")
    assert rule.get_attribute("open") is None
    page.locator('[id="control-soc2-CC6.1"] summary').click()
    page.locator('[id="control-soc2-CC6.1"] a').filter(has_text="KA101").click()
    assert rule.get_attribute("open") is not None


def test_a_missing_owner_can_be_asked_for(page: Page) -> None:
    select = page.locator("[data-table=findings] [name=owner]")
    select.select_option(label=select.locator("option", has_text="not known").inner_text())
    expect(page.locator("#findings-count")).to_contain_text("match")
    expected = [f for f in REPORT.findings if f.credential is None or f.credential.owner is None]
    assert page.locator("#findings-count").inner_text() == f"{len(expected)} of 60 match."


def test_columns_sort_both_ways_and_back(page: Page) -> None:
    header = page.locator("#findings-table [role=columnheader]").filter(has_text="Due")
    first = lines(page)[0]
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "ascending"
    due = sorted(finding.due_at for finding in REPORT.findings if finding.due_at is not None)
    earliest = page.evaluate("finding.due(views[0].rows[0])")
    assert earliest == due[0] // 1_000_000
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "descending"
    assert page.evaluate("finding.due(views[0].rows[0])") == due[-1] // 1_000_000
    assert page.evaluate("finding.due(views[0].rows[59])") is None
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "none"
    assert lines(page)[0] == first


def test_everything_can_be_reached_by_keyboard(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.locator("#findings-table .line[tabindex='0']").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.getAttribute('aria-rowindex')") == "4"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"
    assert page.locator("#findings-table .detail").count() == 1
    page.keyboard.press("Escape")
    assert page.locator("#findings-table .detail").count() == 0
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.getAttribute('aria-rowindex')") == "61"
    page.keyboard.press("Home")
    assert page.evaluate("document.activeElement.getAttribute('aria-rowindex')") == "2"


def test_a_fingerprint_in_the_address_opens_its_finding(context: BrowserContext, file: Path) -> None:
    finding = REPORT.findings[40]
    page = show(context.new_page(), file, f"#{finding.fingerprint}")
    opened = page.locator("#findings-table .detail")
    assert finding.fingerprint in opened.inner_text()
    box, body = opened.bounding_box(), page.locator("#findings-table .body").bounding_box()
    assert box is not None
    assert body is not None
    assert body["y"] <= box["y"] < body["y"] + body["height"]


def test_an_open_finding_tells_all_of_it(page: Page) -> None:
    row = next(n for n, f in enumerate(REPORT.findings) if f.fix and f.due_at and f.controls)
    finding = REPORT.findings[row]
    page.evaluate(f"views[0].table.toggle({row})")
    shown = page.locator("#findings-table .detail").inner_text()
    for fact in (
        finding.message,
        finding.fix,
        finding.clause,
        *finding.evidence,
        "soc2 CC6.1",
        "your policy",
    ):
        assert fact
        assert fact in shown
    page.locator("#findings-table .detail summary").click()
    assert "Rotate it with both keys alive" in page.locator("#findings-table .detail").inner_text()


def test_the_command_is_copied(context: BrowserContext, page: Page) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    row = next(n for n, finding in enumerate(REPORT.findings) if finding.fix)
    page.evaluate(f"views[0].table.toggle({row})")
    page.locator("[data-copy]").click()
    expect(page.locator("[data-copy]")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == REPORT.findings[row].fix


def test_what_is_shown_can_be_taken_along_without_formulas(page: Page) -> None:
    page.locator("[data-table=population] [name=q]").fill("cmd|")
    expect(page.locator("#population-count")).to_have_text("1 of 80 match.")
    with page.expect_download() as download:
        page.locator("[data-table=population] [data-download]").click()
    header, row, end = Path(download.value.path()).read_text("utf-8").split("\n")
    assert header.startswith("source,scope,id,name")
    assert "\"'=cmd|'/c calc'!A0\"" in row
    assert end == ""


def test_the_theme_goes_round(page: Page) -> None:
    button = page.locator("#theme")
    seen = []
    for _ in range(4):
        seen.append(
            (button.inner_text(), page.evaluate("getComputedStyle(document.documentElement).colorScheme"))
        )
        button.click()
    assert seen == [
        ("Theme: auto", "light dark"),
        ("Theme: light", "light"),
        ("Theme: dark", "dark"),
        ("Theme: auto", "light dark"),
    ]


def test_without_scripts_the_worst_findings_are_still_there(browser: Browser, tmp_path: Path) -> None:
    report = sample_report(300)
    file = tmp_path / "report.html"
    file.write_bytes(html.render(report))
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    rows = page.locator("#findings .plain tbody tr")
    assert rows.count() == html.STATIC_FINDINGS
    assert rows.nth(0).is_visible()
    assert not page.locator(".filters").first.is_visible()
    assert page.get_by_text("The worst 200 of 300 findings").is_visible()
    context.close()


def test_paper_gets_the_plain_table(page: Page) -> None:
    assert not page.locator("#findings .plain table").is_visible()
    page.emulate_media(media="print")
    assert page.locator("#findings .plain table").is_visible()
    assert not page.locator("#findings-table").is_visible()


def test_a_report_without_anything_opens(context: BrowserContext, tmp_path: Path) -> None:
    said: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: said.append(str(error)))
    file = tmp_path / "report.html"
    file.write_bytes(html.render(EMPTY))
    show(page, file)
    assert page.get_by_text("whether it is complete was not tested").is_visible()
    assert said == []


def test_a_hundred_thousand_findings_stay_usable(context: BrowserContext, tmp_path: Path) -> None:
    report = sample_report(100_000)
    file = tmp_path / "report.html"
    file.write_bytes(html.render(report))
    page = context.new_page()
    page.set_default_timeout(30_000)
    show(page, file)
    ready = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    assert ready < 20_000  # 1.6 s on two cores; the bound only catches a table of a hundred thousand rows
    assert page.locator("#findings-table .body .line").count() < 60
    page.evaluate("views[0].table.focus(99999)")
    assert page.locator("#findings-table [aria-rowindex='100001']").is_visible()
    page.locator("[data-table=findings] [name=q]").fill(report.findings[70_000].fingerprint[:4] + " nothing")
    expect(page.locator("#findings-count")).to_have_text("0 of 100,000 match.", timeout=20_000)
