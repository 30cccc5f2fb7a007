"""The pictures: counted and measured by hand, well-formed, and quiet about nothing."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formats.sample_report import AS_OF, HOSTILE, sample_report
from keyaudit import times
from keyaudit.formats import pictures
from keyaudit.formats.picture_ink import number
from keyaudit.formats.picture_lives import Segment, segments
from keyaudit.formats.picture_timeline import Axis, axis_of, standing, worst_first
from keyaudit.model import PopulationRow, Severity, Verdict, VersionBar, VersionState

DAY = times.DAY
SVG = "{http://www.w3.org/2000/svg}"
CURRENT, SUPERSEDED, DISABLED = VersionState.CURRENT, VersionState.SUPERSEDED, VersionState.DISABLED
PENDING, DESTROYED = VersionState.PENDING, VersionState.DESTROYED


def ago(days: float) -> int:
    return AS_OF - int(days * DAY)


def row(
    *versions: VersionBar,
    period: int | None = 90,
    grace: int | None = 2,
    low: int | None = None,
    high: int | None = None,
    **others: object,
) -> PopulationRow:
    """A credential whose lengths of time are given in days."""
    days = {"rotation_period": period, "grace_period": grace, "age_min": low, "age_max": high}
    plain = PopulationRow(
        "vault", "kv", "id", "name", "api-key", None, "production", 1, "team", None, None, "version-created",
        None, None, "production", None, Verdict.PASS, None, (), tuple(versions),
    )  # fmt: skip
    return replace(plain, **{k: None if v is None else v * DAY for k, v in days.items()}, **others)


def bar(
    name: str, state: VersionState, created: float | None, ends: float | None = None, *, retired: float | None = None,
    usable: bool | None = None,
) -> VersionBar:  # fmt: skip
    """A version whose times are given in days before the as-of time."""
    moments = [None if days is None else ago(days) for days in (created, ends, retired)]
    return VersionBar(name, state, moments[0], moments[1], moments[2], usable)


def drawn(found: Sequence[Segment]) -> list[tuple[float | None, float, str, str]]:
    """Segments in days before the as-of time, lane by name."""
    return [
        (None if s.start is None else (AS_OF - s.start) / DAY, (AS_OF - s.end) / DAY, s.role, "broad" if s.broad else "thin")
        for s in found
    ]  # fmt: skip


LIVES = {
    "in time": (
        row(bar("v1", CURRENT, 40), low=40, high=40),
        [(40, 0, "use", "broad")],
    ),
    "overdue since 30 days": (
        row(bar("v1", CURRENT, 120), low=120, high=120),
        [(120, 30, "use", "broad"), (30, 0, "late", "broad")],
    ),
    "exactly as old as allowed": (
        row(bar("v1", CURRENT, 90), low=90, high=90),
        [(90, 0, "use", "broad")],
    ),
    "replaced late, retired within grace": (
        row(
            bar("v1", DISABLED, 200, 100, retired=99, usable=False),
            bar("v2", CURRENT, 100),
            low=100,
            high=100,
        ),
        [
            (200, 110, "replaced", "broad"),
            (110, 100, "was-late", "broad"),
            (100, 99, "grace", "thin"),
            (100, 10, "use", "broad"),
            (10, 0, "late", "broad"),
        ],
    ),
    "old value still usable past grace": (
        row(bar("v1", SUPERSEDED, 60, 20, usable=True), bar("v2", CURRENT, 20), low=20, high=20),
        [
            (60, 20, "replaced", "broad"),
            (20, 18, "grace", "thin"),
            (18, 0, "old-active", "thin"),
            (20, 0, "use", "broad"),
        ],
    ),
    "nobody knows whether the old value works": (
        row(bar("v1", SUPERSEDED, 60, 20), bar("v2", CURRENT, 20), low=20, high=20),
        [
            (60, 20, "replaced", "broad"),
            (20, 18, "unknown", "thin"),
            (18, 0, "unknown", "thin"),
            (20, 0, "use", "broad"),
        ],
    ),
    "retired before its successor existed": (
        row(bar("v1", DISABLED, 60, 30, retired=30), bar("v2", CURRENT, 20), low=20, high=20),
        [(60, 30, "replaced", "broad"), (20, 0, "use", "broad"), (30, 20, "gap", "broad")],
    ),
    "nobody knows what was in use between": (
        row(bar("v1", DISABLED, 60, 30, usable=False), bar("v2", CURRENT, 20), low=20, high=20),
        [(60, 30, "replaced", "broad"), (20, 0, "use", "broad"), (30, 20, "unknown", "broad")],
    ),
    "a first value of unknown birth": (
        row(bar("v0", DESTROYED, None, 50, usable=False), bar("v1", CURRENT, 50), low=50, high=50),
        [(None, 50, "unknown", "broad"), (50, 0, "use", "broad")],
    ),
    "a value waiting to be used": (
        row(bar("v1", CURRENT, 20), bar("v2", PENDING, 9), low=20, high=20),
        [(20, 0, "use", "broad"), (9, 0, "pending", "thin")],
    ),
    "no history, age between 10 and 70 days": (
        row(low=10, high=70),
        [(70, 10, "unknown", "broad"), (10, 0, "use", "broad")],
    ),
    "no history, at least 100 days old": (
        row(low=100),
        [(None, 100, "unknown", "broad"), (100, 10, "use", "broad"), (10, 0, "late", "broad")],
    ),
    "nothing known at all": (row(), [(None, 0, "unknown", "broad")]),
    "no period to be late against": (
        row(bar("v1", CURRENT, 900), low=900, high=900, period=None),
        [(900, 0, "use", "broad")],
    ),
    "no limit to how long an old value may live": (
        row(bar("v1", SUPERSEDED, 60, 20, usable=True), bar("v2", CURRENT, 20), low=20, high=20, grace=None),
        [(60, 20, "replaced", "broad"), (20, 0, "grace", "thin"), (20, 0, "use", "broad")],
    ),
    "replaced, nobody knows when": (
        row(bar("v1", DISABLED, 60), bar("v2", CURRENT, 20), low=20, high=20),
        [(60, 0, "unknown", "broad"), (20, 0, "use", "broad")],
    ),
}


@pytest.mark.parametrize(("credential", "expected"), LIVES.values(), ids=LIVES)
def test_a_life_is_cut_into_stretches_that_mean_one_thing(credential, expected) -> None:
    assert drawn(segments(credential, AS_OF)) == expected


def test_the_timeline_is_to_scale() -> None:
    overdue = row(bar("v1", SUPERSEDED, 200, 100, usable=True), bar("v2", CURRENT, 100), low=100, high=100)
    axis = axis_of([overdue], AS_OF)
    # 200 days back, 30 ahead: 230 days on 600 pixels from 248.
    assert (axis.start, axis.end) == (ago(200), AS_OF + 30 * DAY)
    assert axis.x(ago(200)) == 248
    assert axis.x(AS_OF) == pytest.approx(248 + 600 * 200 / 230)
    assert axis.x(AS_OF + 31 * DAY) == 848
    svg = ET.fromstring(pictures.timeline_picture([overdue], AS_OF))
    late = svg.find(f".//{SVG}g/{SVG}rect[@class='ka-late']")
    assert late is not None
    assert [late.get(name) for name in ("x", "y", "width", "height")] == [
        number(248 + 600 * 190 / 230), "45", number(600 * 10 / 230), "10",
    ]  # fmt: skip
    active = svg.find(f".//{SVG}g/{SVG}rect[@class='ka-old-active']")
    assert active is not None
    assert [active.get(name) for name in ("x", "y", "width", "height")] == [
        number(248 + 600 * 102 / 230), "57", number(600 * 98 / 230), "5",
    ]  # fmt: skip


def test_the_axis_reaches_ahead_to_what_falls_due_soon() -> None:
    assert axis_of([row(due_at=AS_OF + 55 * DAY)], AS_OF) == Axis(ago(60), AS_OF + 55 * DAY)
    assert axis_of([row(due_at=AS_OF + 400 * DAY)], AS_OF).end == AS_OF + 90 * DAY
    assert axis_of([row(bar("v1", CURRENT, 2000), low=2000, high=2000)], AS_OF).start == ago(270)


@pytest.mark.parametrize(
    ("credential", "expected"),
    [
        (row(low=121, high=121), ("31 d overdue", True)),
        (row(low=121), ("≥ 31 d overdue", True)),
        (row(low=90, high=90), ("due now", False)),
        (row(low=50, high=80), ("due in ≥ 10 d", False)),
        (row(low=50, high=50, worst=Verdict.FAIL, severity=Severity.CRITICAL), ("critical, due in 40 d", True)),
        (row(low=50, high=50, worst=Verdict.FAIL, severity=Severity.LOW), ("due in 40 d", False)),
        (row(low=50, high=91), ("age not known", False)),
        (row(), ("age not known", False)),
        (row(low=500, high=500, period=None), ("no period", False)),
        (row(low=121, high=121, worst=Verdict.WAIVED), ("waived, 31 d late", False)),
        (row(bar("v1", SUPERSEDED, 60, 20, usable=True), bar("v2", CURRENT, 20), low=20, high=20), ("old value active", True)),
    ],
)  # fmt: skip
def test_every_row_says_how_it_stands(credential, expected) -> None:
    assert standing(credential, AS_OF) == expected


def test_the_worst_come_first() -> None:
    rows = [
        row(id="passed"),
        row(id="unknown", worst=Verdict.UNKNOWN),
        row(id="high", worst=Verdict.FAIL, severity=Severity.HIGH, due_at=ago(1)),
        row(id="high-later", worst=Verdict.FAIL, severity=Severity.HIGH, due_at=ago(80)),
        row(id="critical", worst=Verdict.FAIL, severity=Severity.CRITICAL),
        row(id="waived", worst=Verdict.WAIVED),
    ]
    expected = ["critical", "high-later", "high", "unknown", "waived", "passed"]
    for order in itertools.permutations(rows, 6):
        assert [found.id for found in worst_first(order, AS_OF, 9)] == expected
    assert [found.id for found in worst_first(rows, AS_OF, 2)] == expected[:2]


def test_what_is_left_out_is_counted() -> None:
    population = sample_report(25, 75).population
    assert "and 15 more that are no worse" in pictures.timeline_picture(population, AS_OF)
    assert "more that are" not in pictures.timeline_picture(population, AS_OF, limit=75)


SHARES = {
    "new": (row(low=0, high=0), "0–25"),
    "a quarter": (row(low=25, high=25, period=100), "0–25"),
    "a moment past a quarter": (
        replace(row(period=100), age_min=25 * DAY + 1, age_max=25 * DAY + 1),
        "25–50",
    ),
    "exactly the period": (row(low=90, high=90), "75–100"),
    "a moment past the period": (replace(row(), age_min=90 * DAY + 1, age_max=90 * DAY + 1), "100–150"),
    "twice the period": (row(low=180, high=180), "150–200"),
    "more than twice": (row(low=181, high=181), "> 200"),
    "bounded, in time at both ends": (row(low=10, high=80), "75–100"),
    "bounded, overdue at both ends": (row(low=100, high=400), "100–150"),
    "bounded, nobody can tell": (row(low=10, high=400), "unknown"),
    "nothing known": (row(), "unknown"),
    "no period": (row(low=10, high=10, period=None), "no period"),
}


@pytest.mark.parametrize(("credential", "expected"), SHARES.values(), ids=SHARES)
def test_ages_are_counted_where_they_belong(credential, expected) -> None:
    counted = [column.label for column in pictures.age_columns([credential]) if column.count]
    assert counted == [
        {"unknown": "age not known well enough", "no period": "no period applies"}.get(
            expected, f"{expected} % of the period"
        )
    ]


DUES = {
    "a moment ago": (AS_OF - 1, "overdue"),
    "now": (AS_OF, "7 days from 2026-05-01"),
    "a moment before the second week": (AS_OF + 7 * DAY - 1, "7 days from 2026-05-01"),
    "the second week": (AS_OF + 7 * DAY, "7 days from 2026-05-08"),
    "the last moment of the last week": (AS_OF + 91 * DAY - 1, "7 days from 2026-07-24"),
    "after thirteen weeks": (AS_OF + 91 * DAY, "later than 13 weeks"),
    "not known": (None, "due date not known"),
}


@pytest.mark.parametrize(("due", "expected"), DUES.values(), ids=DUES)
def test_due_dates_are_counted_in_their_week(due, expected) -> None:
    columns = pictures.due_columns([row(due_at=due)], AS_OF)
    assert [column.label for column in columns if column.count] == [expected]
    assert len(columns) == 16


def test_without_a_period_nothing_falls_due() -> None:
    assert not any(column.count for column in pictures.due_columns([row(period=None)], AS_OF))


def all_of(population: Sequence[PopulationRow], as_of: int = AS_OF) -> list[str]:
    """Every picture in every form."""
    return [
        drawing
        for theme in ("screen", "print")
        for drawing in (
            pictures.age_picture(population, theme=theme),
            pictures.due_picture(population, as_of, theme=theme),
            pictures.timeline_picture(population, as_of, theme=theme),
            pictures.timeline_picture(population, as_of, theme=theme, narrow=True, name="narrow"),
        )
    ]


@pytest.mark.parametrize("size", [0, 1, 5, 60, 200])
def test_pictures_are_well_formed_and_described(size: int) -> None:
    for text in all_of(sample_report(min(size, 25), size).population if size else ()):
        svg = ET.fromstring(text)
        ids = [element.get("id") for element in svg.iter() if element.get("id")]
        assert len(ids) == len(set(ids))
        assert svg.get("role") == "img"
        title, description = (svg.get("aria-labelledby") or "").split()
        assert svg.findtext(f"{SVG}title")
        assert svg.findtext(f"{SVG}desc")
        assert {title, description} <= set(ids)


def test_paper_needs_no_style_sheet_and_the_screen_no_literal_colour() -> None:
    population = sample_report(25, 40).population
    for n, text in enumerate(all_of(population)):
        drawing = text.partition("<defs>")[2]
        coloured = re.search(r'"#[0-9a-f]{6}"', drawing) is not None
        assert ('class="' in drawing, coloured) == ((n < 4), (n >= 4))
        assert "var(" not in text
        assert "foreignObject" not in text


def test_hostile_names_stay_text() -> None:
    population = [row(id=str(n), name=name) for n, name in enumerate(HOSTILE)]
    for text in all_of(population):
        svg = ET.fromstring(text)
        assert not [e for e in svg.iter() if e.tag.removeprefix(SVG) in {"script", "img", "a", "image"}]
        assert not set(text) & set("\x1b\x07\u202e\u2028\n")
    assert "<script>window.pwned=1</script>" in "".join(svg.itertext())


INSTANT = st.integers(
    times.parse_instant("0001-01-01T00:00:00Z"), times.parse_instant("9999-12-31T23:59:59Z")
)
LENGTH = st.integers(0, times.LONGEST_DURATION)
BARS = st.builds(
    VersionBar,
    id=st.just("v"),
    state=st.sampled_from(VersionState),
    created_at=st.none() | INSTANT,
    ends_at=st.none() | INSTANT,
    retired_at=st.none() | INSTANT,
    usable=st.none() | st.booleans(),
)
ROWS = st.builds(
    replace,
    st.just(row()),
    age_min=st.none() | LENGTH,
    age_max=st.none() | LENGTH,
    rotation_period=st.none() | st.integers(1, times.LONGEST_DURATION),
    grace_period=st.none() | LENGTH,
    due_at=st.none() | INSTANT,
    worst=st.sampled_from(Verdict),
    versions=st.lists(BARS, max_size=4).map(tuple),
)


# The oldest age here is a hundred years, and weeks are named ahead: both must be days of the calendar.
AS_OFS = st.integers(times.parse_instant("0110-01-01T00:00:00Z"), times.parse_instant("9990-12-31T23:59:59Z"))


@given(st.lists(ROWS, max_size=4), AS_OFS)
@settings(max_examples=80, deadline=None)
def test_no_history_is_too_strange_to_draw(population: list[PopulationRow], as_of: int) -> None:
    for text in all_of(population, as_of):
        ET.fromstring(text)
    for credential in population:
        for segment in segments(credential, as_of):
            assert segment.end <= as_of
            assert segment.start is None or segment.start < segment.end
