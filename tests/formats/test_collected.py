"""Page one says when the inventory was collected and, if that was another day, how long before the audit's instant."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from formats.sample_report import sample_report
from keyaudit.formats import pdf_page, render, wording
from keyaudit.model import Report
from keyaudit.times import DAY, HOUR, MICROSECOND, format_instant

SAMPLE = sample_report(5)


def collected(apart: int | None) -> Report:
    """A report on an inventory that was collected so long before its instant; None: not known."""
    at = None if apart is None else SAMPLE.as_of - apart
    return replace(SAMPLE, inventory=replace(SAMPLE.inventory, collected_at=at))


def at(apart: int) -> str:
    return format_instant(SAMPLE.as_of - apart)


SENTENCES = [
    (None, None),
    (0, at(0)),
    (DAY - MICROSECOND, at(DAY - MICROSECOND)),
    (DAY, f"{at(DAY)}, 1 d before the instant of the audit"),
    (45 * DAY + HOUR, f"{at(45 * DAY + HOUR)}, 45 d before the instant of the audit"),
    (-HOUR, at(-HOUR)),
    (-3 * DAY, f"{at(-3 * DAY)}, 3 d after the instant of the audit"),
]


@pytest.mark.parametrize(("apart", "sentence"), SENTENCES)
def test_an_inventory_of_another_day_is_not_presented_as_today_s(apart, sentence) -> None:
    assert wording.collected(collected(apart)) == sentence


def text(name: str, report: Report) -> str:
    if name == "pdf":
        return pdf_page.page(report, "id", (), entity=None, marking="m")
    options = {"width": 160} if name == "terminal" else {}
    return render(name, report, **options).decode()


@pytest.mark.parametrize("name", ["terminal", "markdown", "html", "pdf"])
def test_every_format_for_people_says_it(name) -> None:
    said = re.sub(r"\s+", " ", text(name, collected(45 * DAY)))
    assert f"{at(45 * DAY)}, 45 d before the instant of the audit" in said
    assert "before the instant of the audit" not in re.sub(r"\s+", " ", text(name, collected(0)))
