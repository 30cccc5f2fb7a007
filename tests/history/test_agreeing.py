"""Lists that say of one version that it was made at different times: no list makes a value replace itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from history.days import past, recalled, said, version, write
from keyaudit.model import Inventory


@pytest.fixture
def days(tmp_path: Path) -> Path:
    folder = tmp_path / "days"
    folder.mkdir()
    return folder


def contradictions(found: Inventory) -> int:
    assert found.history is not None
    return found.history.contradictions


@pytest.mark.parametrize("forged", [-50, 3])
def test_an_earlier_list_that_dates_a_version_otherwise_does_not_make_it_two(days: Path, forged: int) -> None:
    ended = {"superseded_at": said(4)}
    write(days, "a.json", 5, {"k": [version("1", "superseded", made=forged, **ended)]})
    today = write(days, "c.json", 9, {"k": [version("1", made=-40)]})
    found = recalled(days, today)
    assert past(found, "k") == [
        {"id": "1", "state": "current", "created_at": -40, "in_use_at": 9, "basis": "store"},
    ]
    assert contradictions(found) == 1


def test_of_two_earlier_lists_the_later_one_counts(days: Path) -> None:
    write(days, "a.json", 1, {"k": [version("1", made=-40)]})
    write(days, "b.json", 5, {"k": [version("1", made=-41)]})
    today = write(days, "c.json", 9, {"k": [version("2", made=6)]})
    found = recalled(days, today)
    assert [(each["id"], each["created_at"]) for each in past(found, "k")] == [("1", -41), ("2", 6)]
    assert contradictions(found) == 1


def test_of_two_lists_of_one_instant_the_inventory_counts(days: Path) -> None:
    write(days, "a.json", 9, {"k": [version("1", made=-50)]})
    today = write(days.parent, "c.json", 9, {"k": [version("1", made=-40)]})
    found = recalled(days, today)
    assert [(each["created_at"], each["basis"]) for each in past(found, "k")] == [(-40, "store")]
    assert contradictions(found) == 1


def test_dates_that_one_list_rounds_are_no_contradiction(days: Path) -> None:
    write(days, "a.json", 1, {"k": [version("1", made=-40)]})
    exact = said(-40).replace("Z", ".999999Z")
    today = write(days, "c.json", 9, {"k": [version("1", created_at=exact)]})
    found = recalled(days, today)
    assert len(past(found, "k")) == 1
    assert contradictions(found) == 0


def test_a_version_that_was_made_after_the_other_was_last_listed_is_another_one(days: Path) -> None:
    write(days, "a.json", 1, {"k": [version("1", made=-40)]})
    write(days, "b.json", 5, {"k": [version("1", made=2)]})
    today = write(days, "c.json", 9, {"k": [version("1", made=6)]})
    found = recalled(days, today)
    assert [each["created_at"] for each in past(found, "k")] == [-40, 2, 6]
    assert contradictions(found) == 0


def test_an_end_that_only_an_earlier_list_says_rests_on_its_word(days: Path) -> None:
    ended = version("1", "superseded", made=-40, superseded_at=said(4))
    write(days, "a.json", 5, {"k": [ended]})
    today = write(days, "c.json", 9, {"k": [version("1", "superseded", made=-40), version("2", made=4)]})
    assert [each["basis"] for each in past(recalled(days, today), "k")] == ["inventory", "store"]
    today = write(days, "c.json", 9, {"k": [ended, version("2", made=4)]})
    assert [each["basis"] for each in past(recalled(days, today), "k")] == ["store", "store"]
