"""The picture of a ledger: measured by hand, well-formed whatever the names, and hatched where nobody knows."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from formats.hostile import with_names
from formats.large_report import large_report
from formats.sample_report import sample_report
from keyaudit import times
from keyaudit.formats import ledger_view, pictures
from keyaudit.formats.ledger_lives import stretches
from keyaudit.formats.picture_ledger import standing
from keyaudit.model import (
    Grace,
    HistoryGap,
    LedgerEntry,
    LedgerResult,
    LedgerRow,
    Operation,
    PolicyPart,
    Report,
)

DAY = times.DAY
PERIOD = (1000 * DAY, 1100 * DAY - 1)
LATE = LedgerResult.LATE
SVG = "{http://www.w3.org/2000/svg}"


def at(days: float) -> int:
    """An instant so many days into the period."""
    return PERIOD[0] + int(days * DAY)


def entry(
    made: float | None, due: float | None, first: float | None, last: float | None, **others: object
) -> LedgerEntry:
    created, due_at, begin, end = (None if day is None else at(day) for day in (made, due, first, last))
    plain = LedgerEntry(
        "v1", created, due_at, begin, end, None, LedgerResult.ON_TIME, None, None, 0, 0, None, None,
        Grace.NOT_ASKED, "store",
    )  # fmt: skip
    return replace(plain, **others)


def row(*entries: LedgerEntry, grace: float = 2, **others: object) -> LedgerRow:
    plain = LedgerRow(
        "vault", "kv", "id", "name", None, None, None, None, None, int(grace * DAY), Operation.OPERATED,
        1, 1, 0, 0, None, None, 0, 0, None, (), entries,
    )  # fmt: skip
    return replace(plain, **others)


END = 100 - 1 / (24 * 3600 * 1_000_000)
LIVES = {
    "replaced before it was due": (row(entry(-10, 50, 40, 40)), [(0, 40, "replaced", "broad")]),
    "replaced in the instant": (row(entry(10, 50, 50, 50)), [(10, 50, "replaced", "broad")]),
    "replaced late": (
        row(entry(10, 50, 60, 60, result=LATE)),
        [(10, 50, "replaced", "broad"), (50, 60, "was-late", "broad")],
    ),
    "replaced after it was due, within the tolerance": (
        row(entry(10, 50, 60, 60)),
        [(10, 50, "replaced", "broad"), (50, 60, "replaced", "broad")],
    ),
    "due before the period": (row(entry(-90, -5, 10, 10, result=LATE)), [(0, 10, "was-late", "broad")]),
    "replaced between two looks": (
        row(entry(0, 50, 30, 45)),
        [(0, 30, "replaced", "broad"), (30, 45, "unknown", "broad")],
    ),
    "still in use": (row(entry(20, 150, None, None)), [(20, END, "use", "broad")]),
    "overdue": (
        row(entry(20, 70, None, None, result=LedgerResult.OVERDUE)),
        [(20, 70, "use", "broad"), (70, END, "late", "broad")],
    ),
    "replaced from then on, if at all": (
        row(entry(20, None, 60, None)),
        [(20, 60, "replaced", "broad"), (60, END, "unknown", "broad")],
    ),
    "created nobody knows when": (row(entry(None, None, 30, 30)), [(0, 30, "unknown", "broad")]),
    "replaced by then": (row(entry(5, 50, None, 30)), [(5, 30, "unknown", "broad")]),
    "within grace": (
        row(entry(0, 50, 40, 40, overlap_min=DAY, overlap_max=DAY, grace=Grace.KEPT)),
        [(0, 40, "replaced", "broad"), (40, 41, "grace", "thin")],
    ),
    "past grace": (
        row(entry(0, 50, 40, 40, overlap_min=5 * DAY, overlap_max=5 * DAY, grace=Grace.BROKEN)),
        [(0, 40, "replaced", "broad"), (40, 42, "grace", "thin"), (42, 45, "old-active", "thin")],
    ),
    "usable for nobody knows how long": (
        row(entry(0, 50, 40, 40, grace=Grace.UNKNOWN)),
        [(0, 40, "replaced", "broad"), (40, END, "unknown", "thin")],
    ),
    "a gap": (row(gaps=(HistoryGap(at(10), at(20), "no look"),)), [(10, 20, "unknown", "broad")]),
}


@pytest.mark.parametrize("name", LIVES)
def test_a_life_is_cut_at_its_due_date_and_at_what_is_known(name: str) -> None:
    drawn, wanted = LIVES[name]
    found = [
        ((part.start or 0) - PERIOD[0], part.end - PERIOD[0], part.role, "broad" if part.broad else "thin")
        for part in stretches(drawn, PERIOD)
    ]
    assert found == [(round(a * DAY), round(b * DAY), role, lane) for a, b, role, lane in wanted]


def picture(report: Report, **options: object) -> ET.Element:
    found = ledger_view.of_report(report, rows=200, missed=0)
    assert found is not None
    assert report.period is not None
    assert report.ledger is not None
    return ET.fromstring(pictures.ledger_picture(found, report.period, report.ledger.policies, **options))


REPORT = sample_report(25, 80)


@pytest.mark.parametrize("theme", ["screen", "print"])
@pytest.mark.parametrize("narrow", [False, True])
def test_whatever_a_name_holds_the_picture_is_sound_and_inside_its_frame(theme: str, narrow: bool) -> None:
    for report in (REPORT, with_names(large_report(1)), large_report_of_nothing()):
        svg = picture(report, theme=theme, narrow=narrow, limit=60)
        width, height = (int(svg.get(side) or 0) for side in ("width", "height"))
        for box in svg.iter(f"{SVG}rect"):
            x, y = (float(box.get(side) or 0) for side in ("x", "y"))
            assert x + float(box.get("width") or 0) <= width + 1
            assert y + float(box.get("height") or 0) <= height + 1
        allowed = {
            "svg",
            "title",
            "desc",
            "defs",
            "pattern",
            "clipPath",
            "g",
            "rect",
            "line",
            "polygon",
            "text",
        }
        assert {part.tag.removeprefix(SVG) for part in svg.iter()} <= allowed


def large_report_of_nothing() -> Report:
    return replace(REPORT, population=(), ledger=replace(REPORT.ledger, rows=()))


def test_a_picture_says_in_words_what_it_shows() -> None:
    svg = picture(REPORT, limit=10)
    said = " ".join(part.text or "" for part in svg.findall(f"{SVG}desc"))
    assert "2026-03: " in said
    assert "10 credentials, worst first." in said
    assert "and 70 more that are no worse: see the ledger" in [part.text for part in svg.iter(f"{SVG}text")]


def marked(drawn: LedgerRow, policies: tuple[PolicyPart, ...] = ()) -> str:
    report = replace(REPORT, period=PERIOD, ledger=replace(REPORT.ledger, rows=(drawn,)))
    found = ledger_view.of_report(report, rows=1, missed=0)
    assert found is not None
    drawing = pictures.ledger_picture(found, PERIOD, policies)
    return drawing[: drawing.rindex("a value, until it was replaced")]


@pytest.mark.parametrize(
    ("result", "role"),
    [
        (LedgerResult.ON_TIME, "ka-due"),
        (LedgerResult.LATE, "ka-late"),
        (LedgerResult.OVERDUE, "ka-late"),
        (LedgerResult.UNKNOWN, "ka-unknown"),
    ],
)
def test_a_diamond_tells_whether_a_due_date_was_met(result: LedgerResult, role: str) -> None:
    drawing = marked(row(entry(0, 50, 40, 40, result=result)))
    assert f'<polygon class="{role}"' in drawing
    assert drawing.count("<polygon") == 1


def test_only_an_early_rotation_is_joined_to_its_due_date() -> None:
    assert 'class="ka-early"' in marked(row(entry(0, 50, 40, 40)))
    assert 'class="ka-early"' not in marked(row(entry(0, 50, 60, 60, result=LedgerResult.LATE)))


def test_a_line_stands_where_another_policy_begins() -> None:
    first, second = (PolicyPart("p", "0" * 64, None, at(a), at(b) - 1) for a, b in ((0, 60), (60, 100)))
    assert "ka-policy" not in marked(row(), (first,))
    drawing = marked(row(), (first, second))
    assert f"policy of {times.format_date(at(60))}" in drawing
    assert '<line class="ka-policy" x1="608"' in drawing


@pytest.mark.parametrize(
    ("operation", "counts", "said"),
    [
        (Operation.EXCEPTION, (3, 1, 2, 0), ("2 of 3 late", True)),
        (Operation.EXCEPTION, (0, 0, 1, 0), ("1 late", True)),
        (Operation.UNKNOWN, (2, 1, 0, 1), ("1 of 2 not known", False)),
        (Operation.UNKNOWN, (2, 2, 0, 0), ("2 met, rest not known", False)),
        (Operation.UNKNOWN, (0, 0, 0, 0), ("not known", False)),
        (Operation.OPERATED, (2, 2, 0, 0), ("2 of 2 met", False)),
        (Operation.DID_NOT_OPERATE, (0, 0, 0, 0), ("nothing fell due", False)),
        (Operation.NOT_REQUIRED, (0, 0, 0, 0), ("not required", False)),
    ],
)
def test_a_credential_stands_in_few_words(
    operation: Operation, counts: tuple[int, int, int, int], said: tuple[str, bool]
) -> None:
    due, met, late, open_ = counts
    assert standing(row(operation=operation, due=due, met=met, late=late, open=open_)) == said
