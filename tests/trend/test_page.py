"""The page: nothing from outside, nothing that runs, nothing that axe finds, in light, dark and narrow."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from keyaudit import trend
from trend.saved_reports import Held, make
from trend.test_history import LATE, told

HOSTILE = "<script>window.pwned=1</script>"
BAD = Held("b", "2026-01-01", fails=("KA101",), environment=HOSTILE, scope="t")
SCOPES = {"s": "complete", "t": "complete"}


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    found = told(
        tmp_path,
        make("2026-04-01", LATE, BAD, scopes=SCOPES),
        make("2026-04-02", LATE, scopes={**SCOPES, "t": "failed"}),
        make("2026-04-05", Held("a", "2026-04-04"), BAD, scopes=SCOPES, policy=(HOSTILE, "2")),
        make("2026-04-06", Held("a", "2026-04-04", waived=("KA201",)), scopes={}, policy=(HOSTILE, "2")),
    )
    return trend.render("html", found)


def pictures(content: bytes) -> dict[str, ET.Element]:
    found = re.findall(rb"<svg xmlns.*?</svg>", content, re.DOTALL)
    drawn = [ET.fromstring(picture) for picture in found]
    return {next(iter(picture)).get("id", ""): picture for picture in drawn}


def boxes(picture: ET.Element, role: str) -> list[ET.Element]:
    return [
        box for box in picture.iter("{http://www.w3.org/2000/svg}rect") if box.get("class") == f"ka-{role}"
    ]


def test_the_picture_shows_what_was_not_seen_apart_and_a_gap_as_a_gap(content) -> None:
    picture = pictures(content)["overdue-560-title"]
    late, unseen = boxes(picture, "late"), boxes(picture, "unknown")
    xs = [float(box.get("x", "0")) for box in late]
    assert len(late) == 3
    tall, short, after = (float(box.get("height", "0")) for box in late)
    assert (tall, short) == (2 * after, after), "two, one, then one; nobody is seen overdue on the last day"
    assert xs[2] - xs[1] == pytest.approx(3 * (xs[1] - xs[0]), abs=0.2), "two days without a report"
    columns = [box for box in unseen if float(box.get("height", "0")) > 10]
    assert next(float(box.get("x", "0")) for box in columns) == xs[1], "hatched on top of what was seen"


def test_a_change_of_policy_is_flagged(content) -> None:
    for name in ("overdue-560-title", "flows-560-title", "ages-330-title"):
        flags = pictures(content)[name].findall(".//{http://www.w3.org/2000/svg}polygon")
        assert len(flags) == 1
        assert "the policy changed" in "".join(flags[0].itertext())


def test_no_name_becomes_markup_and_nothing_is_fetched(browser: Browser, content, tmp_path) -> None:
    file = tmp_path / "trend.html"
    file.write_bytes(content)
    assert b"<script" not in content
    assert not re.search(rb"""(src|href)=["'](?!#)""", content)
    context = browser.new_context()
    page, asked, said = context.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(file.as_uri())
    assert page.evaluate("window.pwned") is None
    assert HOSTILE in page.locator("body").inner_text()
    context.close()
    assert (asked, said) == ([file.as_uri()], [])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(browser: Browser, content, tmp_path, scheme: Any, width: int) -> None:
    file = tmp_path / "trend.html"
    # Axe is put into the page, which its security policy forbids to everybody.
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
    )
    file.write_bytes(content)
    page = context.new_page()
    page.goto(file.as_uri())
    results = Axe().run(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    context.close()
    assert results.violations_count == 0, results.generate_report()


def test_many_groups_and_a_long_history_stay_a_page(tmp_path) -> None:
    reports = [
        make(
            f"20{year}-{month:02}-{day:02}",
            *(
                Held(f"c{n}", "2020-01-01", fails=("KA101",) * (n % 2), environment=f"e{n}")
                for n in range(15)
            ),
        )
        for year in (24, 25)
        for month in range(1, 13)
        for day in range(1, 29, 1 if year == 24 else 2)
    ]
    page = trend.render("html", told(tmp_path, *reports))
    assert b"The 12 that had most are drawn; 3 more" in page
    assert b"The last 400 of" in page
    assert len(page) < 12_000_000
