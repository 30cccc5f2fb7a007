"""Records and rotations find each other: worked out by hand, on both engines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import narwhals as nw
import pytest

from facts.frames import ALL, inventory, version
from keyaudit import facts
from keyaudit.engine import DuckDB, Engine, Polars
from keyaudit.facts.promotions import Identity, Period, Promotion, TakenOver, matches
from keyaudit.times import DAY, LONGEST_DURATION, MINUTE, parse_instant

AS_OF = parse_instant("2024-07-01T00:00:00Z")
FIRST, LAST = parse_instant("2024-02-29T00:00:00Z"), parse_instant("2024-06-30T00:00:00Z") - 1
NAMES = ("record_gap_min", "record_gap_max", "rotated_version", "rotated_at")
ONE = ("store", "one", "0")


@pytest.fixture(params=[Polars, DuckDB], ids=["polars", "duckdb"])
def engine(request: pytest.FixtureRequest) -> Engine:
    made: Engine = request.param()
    return made


def promotion(at: int, *versions: str, identity: tuple[str, str, str] = ONE) -> Promotion:
    return Promotion(*identity, at, frozenset(versions), None, "sam", "kim", self_approved=False)


def seen(
    engine: Engine, rows: list[dict[str, Any]], *promotions: Promotion, names: tuple[str, ...] = NAMES
) -> list[tuple[Any, ...]]:
    over = Period(FIRST, LAST, promotions)
    opened = engine.open(inventory(rows))
    gathered = facts.gather(opened, as_of=AS_OF, collected=ALL, engine=engine, period=over)
    frame = facts.known(gathered, as_of=AS_OF)
    [answer] = engine.collect([frame.select("row", *(nw.col(name) for name in names)).sort("row")])
    return [row[1:] for row in answer.iter_rows()]


def distances(
    listed: dict[Identity, list[TakenOver]], promotions: list[Promotion]
) -> dict[tuple[int, str], int]:
    return {key: match.distance for key, match in matches(listed, promotions).items()}


def history(*made: str, born: str = "2023-01-01T00:00:00Z") -> dict[str, Any]:
    """Make a credential with a version for each instant, the last one current."""
    times = [parse_instant(text) for text in made]
    ends = [*times[1:], None]
    states = ["superseded"] * (len(times) - 1) + ["current"]
    versions = [
        version(id=f"v{n}", state=state, created_at=at, superseded_at=end)
        for n, (at, end, state) in enumerate(zip(times, ends, states, strict=True), start=1)
    ]
    return {"created_at": parse_instant(born), "versions": versions}


def test_a_record_of_a_value_that_was_given_up_stands_for_that_one_alone(engine: Engine) -> None:
    row = history("2023-01-01T00:00:00Z", "2024-03-01T00:00:00Z", "2024-03-01T00:01:00Z")
    at = parse_instant("2024-03-01T00:01:00Z")
    given_up = replace(promotion(at, "v2"), served=False)
    later = replace(promotion(at, "token of another"), served=False)
    documented, undocumented = (0, 0), (LONGEST_DURATION, LONGEST_DURATION)
    names = NAMES[:2]
    assert seen(engine, [row], promotion(at, "v3"), given_up, names=names) == [documented]
    assert seen(engine, [row], given_up, later, names=names) == [undocumented]


def test_the_leap_day_is_the_first_day_of_its_period(engine: Engine) -> None:
    in_time, before = "2024-02-29T01:00:00+01:00", "2024-02-29T00:59:59.999999+01:00"
    rows = [history("2023-01-01T00:00:00Z", in_time), history("2023-01-01T00:00:00Z", before)]
    surely = (LONGEST_DURATION, LONGEST_DURATION, "v2", FIRST)
    assert seen(engine, rows) == [surely, (facts.NONE, facts.NONE, None, None)]


def test_the_last_microsecond_belongs_to_the_period_and_the_next_one_does_not(engine: Engine) -> None:
    last, after = "2024-06-29T23:59:59.999999Z", "2024-06-30T00:00:00Z"
    rows = [history("2023-01-01T00:00:00Z", last), history("2023-01-01T00:00:00Z", after)]
    assert [row[2] for row in seen(engine, rows)] == ["v2", None]


def test_of_several_rotations_the_one_farthest_from_a_record_is_shown(engine: Engine) -> None:
    row = history(
        "2023-01-01T00:00:00Z", "2024-03-01T00:00:00Z", "2024-04-01T00:00:00Z", "2024-05-01T00:00:00Z"
    )
    march, april = parse_instant("2024-03-01T00:00:00Z"), parse_instant("2024-04-01T00:00:00Z")
    told = (promotion(march, "v2"), promotion(april + 7 * MINUTE), promotion(AS_OF, "v4"))
    assert seen(engine, [row], *told) == [(7 * MINUTE, 7 * MINUTE, "v3", april)]


def test_a_period_before_the_first_value_saw_no_rotation(engine: Engine) -> None:
    row = history("2024-06-30T12:00:00Z", born="2024-06-30T12:00:00Z")
    assert seen(engine, [row]) == [(facts.NONE, facts.NONE, None, None)]


def test_records_of_one_credential_say_nothing_of_another(engine: Engine) -> None:
    rows = [history("2023-01-01T00:00:00Z", "2024-03-01T00:00:00Z")] * 3
    march = parse_instant("2024-03-01T00:00:00Z")
    gaps = [row[0] for row in seen(engine, rows, promotion(march, "v2", identity=("store", "one", "1")))]
    assert gaps == [LONGEST_DURATION, 0, LONGEST_DURATION]


def test_an_inventory_without_versions_shows_no_rotation_but_every_approval(engine: Engine) -> None:
    told = Promotion(*ONE, FIRST, frozenset(), None, "sam", "SAM", self_approved=True)
    names = ("record_gap_min", "promotions_in_period", "self_approved", "requested_by", "promoted_at")
    assert seen(engine, [{}, {}], told, names=names) == [
        (None, 1, True, "sam", FIRST),
        (None, 0, None, None, None),
    ]


def test_a_record_between_two_rotations_stands_for_the_nearer_one_and_for_the_earlier_of_equals() -> None:
    listed = {ONE: [TakenOver(0, "a", 0, inside=True), TakenOver(0, "b", 100, inside=True)]}
    assert distances(listed, [promotion(51)]) == {(0, "b"): 49}
    assert distances(listed, [promotion(50)]) == {(0, "a"): 50}
    assert distances(listed, [promotion(60), promotion(90)]) == {(0, "b"): 10}


def test_a_record_that_names_a_version_outside_the_period_is_not_lent_to_another_one() -> None:
    listed = {ONE: [TakenOver(0, "a", 0, inside=False), TakenOver(0, "b", 10, inside=True)]}
    assert distances(listed, [promotion(10, "a")]) == {(0, "a"): 0}


def test_a_record_that_names_no_version_is_not_spent_on_one_that_another_names() -> None:
    listed = {ONE: [TakenOver(0, "a", 0, inside=True), TakenOver(0, "b", DAY, inside=True)]}
    assert distances(listed, [promotion(1), promotion(5, "a")]) == {(0, "a"): 0, (0, "b"): DAY - 1}
