from __future__ import annotations

import logging
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest

from keyaudit.rotation import KeyStore
from keyaudit.rotation.simulation.clock import Clock
from keyaudit.rotation.simulation.key_store import KeyEvent

DAY = timedelta(days=1)
START = datetime(2025, 1, 15, tzinfo=UTC)


def store(grace: timedelta = timedelta(0)) -> KeyStore:
    made = KeyStore(clock=lambda: START, grace=grace)
    made.set("openai", "sk-old-key", created=datetime(2024, 12, 1))
    return made


def test_the_exercise_of_the_lesson_to_the_letter() -> None:
    store = KeyStore(clock=lambda: datetime(2025, 1, 15))
    store.set("openai", "sk-old-key", created=datetime(2024, 12, 1))
    assert store.get("openai") == "sk-old-key"
    overdue = store.check_overdue(max_age_days=30)
    assert overdue == [{"key": "openai", "age_days": 45, "overdue_days": 15}]
    store.rotate("openai", "sk-new-key")
    assert store.is_valid("openai", "sk-old-key")
    assert store.is_valid("openai", "sk-new-key")
    assert store.get("openai") == "sk-old-key"
    store.finalize_rotation("openai")
    assert not store.is_valid("openai", "sk-old-key")
    assert store.is_valid("openai", "sk-new-key")
    assert store.get("openai") == "sk-new-key"
    assert store.check_overdue(max_age_days=30) == []


def test_without_arguments_it_is_now() -> None:
    store = KeyStore()
    store.set("openai", "sk-old-key", created=datetime.now(UTC) - timedelta(days=45, hours=1))
    store.set("fresh", "sk-fresh")
    assert store.check_overdue() == [{"key": "openai", "age_days": 45, "overdue_days": 15}]


def test_a_rotation_that_is_rolled_back_leaves_the_old_key_as_it_was() -> None:
    made = store()
    made.rotate("openai", "sk-new-key")
    made.rollback("openai")
    assert made.is_valid("openai", "sk-old-key")
    assert not made.is_valid("openai", "sk-new-key")
    assert made.check_overdue(30)[0]["age_days"] == 45
    with pytest.raises(ValueError, match="No pending rotation"):
        made.finalize_rotation("openai")


def test_keys_that_there_are_not_are_refused_as_in_the_lesson() -> None:
    made = store()
    with pytest.raises(KeyError, match="Key anthropic not found"):
        made.rotate("anthropic", "x")
    for call in (made.get, made.finalize_rotation, made.rollback):
        with pytest.raises(KeyError, match="anthropic"):
            call("anthropic")
    assert not made.is_valid("anthropic", "x")


@pytest.mark.parametrize(
    ("days", "listed"),
    [
        (timedelta(days=30), False),
        (timedelta(days=31) - timedelta.resolution, False),
        (timedelta(days=31), True),
    ],
)
def test_a_key_is_overdue_when_a_whole_day_past_its_age_has_gone(days: timedelta, listed: bool) -> None:
    made = KeyStore(clock=lambda: START)
    made.set("k", "v", created=START - days)
    assert bool(made.check_overdue(30)) is listed


def test_time_can_be_travelled_forward_but_not_back() -> None:
    made = store()
    made.set("young", "v")
    assert [found["key"] for found in made.check_overdue(30)] == ["openai"]
    made.advance(31 * DAY)
    assert made.check_overdue(30) == [
        {"key": "openai", "age_days": 76, "overdue_days": 46},
        {"key": "young", "age_days": 31, "overdue_days": 1},
    ]
    with pytest.raises(ValueError, match="forward only"):
        made.advance(-DAY)


def test_a_shared_clock_moves_every_store_that_has_it() -> None:
    clock = Clock(lambda: START)
    one, other = KeyStore(clock=clock), KeyStore(clock=clock)
    other.set("k", "v")
    one.advance(40 * DAY)
    assert other.check_overdue(30)[0]["age_days"] == 40


def test_grace_ends_by_itself_and_to_the_microsecond() -> None:
    made = store(grace=2 * DAY)
    made.rotate("openai", "sk-new-key")
    made.advance(DAY)
    made.finalize_rotation("openai")
    made.advance(2 * DAY - timedelta.resolution)
    assert made.is_valid("openai", "sk-old-key")
    made.advance(timedelta.resolution)
    assert not made.is_valid("openai", "sk-old-key")
    assert made.is_valid("openai", "sk-new-key")


def test_within_the_grace_there_is_a_way_back_and_after_it_there_is_none() -> None:
    made = store(grace=2 * DAY)
    made.rotate("openai", "sk-new-key")
    made.finalize_rotation("openai")
    made.advance(DAY)
    made.rollback("openai")
    assert made.get("openai") == "sk-old-key"
    assert made.check_overdue(30)[0]["age_days"] == 46, "it is as old as it was"
    made.advance(2 * DAY - timedelta.resolution)
    assert made.is_valid("openai", "sk-new-key"), "whoever was given it has a grace too"
    made.advance(timedelta.resolution)
    assert not made.is_valid("openai", "sk-new-key")
    assert made.is_valid("openai", "sk-old-key")

    made.rotate("openai", "sk-newer-key")
    made.finalize_rotation("openai")
    made.advance(2 * DAY)
    made.rollback("openai")
    assert made.get("openai") == "sk-newer-key", "there was nothing to go back to"


def test_several_keys_rotate_at_once() -> None:
    made = store()
    made.set("anthropic", "a-old")
    made.rotate("openai", "sk-new-key")
    made.rotate("anthropic", "a-new")
    made.rollback("openai")
    made.finalize_rotation("anthropic")
    assert (made.get("openai"), made.get("anthropic")) == ("sk-old-key", "a-new")


def test_several_values_of_one_key_may_be_pending_and_the_newest_wins() -> None:
    made = store(grace=DAY)
    for value in ("b", "c", "d"):
        made.rotate("openai", value)
    assert all(made.is_valid("openai", value) for value in ("sk-old-key", "b", "c", "d"))
    made.rollback("openai", "d")
    assert not made.is_valid("openai", "d")
    made.finalize_rotation("openai")
    assert made.get("openai") == "c"
    assert made.is_valid("openai", "b"), "given up, within its grace"
    made.advance(DAY)
    assert not made.is_valid("openai", "b")
    assert not made.is_valid("openai", "sk-old-key")


def test_one_of_several_pending_values_can_be_finalized_and_later_ones_stay_pending() -> None:
    made = store()
    made.rotate("openai", "b")
    made.rotate("openai", "c")
    made.finalize_rotation("openai", "b")
    assert made.get("openai") == "b"
    assert made.is_valid("openai", "c")
    made.finalize_rotation("openai")
    assert made.get("openai") == "c"
    for call in (made.finalize_rotation, made.rollback):
        made.rotate("openai", "d")
        with pytest.raises(ValueError, match="No pending rotation"):
            call("openai", "unheard of")


@pytest.mark.parametrize(
    "created",
    [
        datetime(2024, 12, 1),
        datetime(2024, 12, 1, tzinfo=UTC),
        datetime(2024, 12, 1, 5, 30, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    ],
)
def test_a_time_without_an_offset_is_in_utc_and_one_with_it_is_what_it_says(created: datetime) -> None:
    made = KeyStore(clock=lambda: datetime(2025, 1, 1))
    made.set("k", "v", created=created)
    assert made.check_overdue(30) == [{"key": "k", "age_days": 31, "overdue_days": 1}]


def test_what_happened_is_told_by_name_and_never_with_a_value(caplog, capsys) -> None:
    made = store(grace=DAY)
    with caplog.at_level(logging.DEBUG):
        made.rotate("openai", "sk-new-key")
        made.finalize_rotation("openai")
        made.advance(2 * DAY)
        made.rotate("openai", "sk-newer-key")
        made.rollback("openai")
    assert made.events == (
        KeyEvent(START, "openai", "set"),
        KeyEvent(START, "openai", "started"),
        KeyEvent(START, "openai", "finalized"),
        KeyEvent(START + DAY, "openai", "retired"),
        KeyEvent(START + 2 * DAY, "openai", "started"),
        KeyEvent(START + 2 * DAY, "openai", "rolled back"),
    )
    told = caplog.text + repr(made.events) + repr(made) + repr(made._store)
    assert "key openai: finalized" in told
    assert "sk-" not in told
    assert capsys.readouterr() == ("", "")


def test_a_negative_grace_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        KeyStore(grace=-DAY)


def test_the_package_gives_it_without_importing_it_before() -> None:
    said = "import sys, keyaudit.rotation as r; a = set(sys.modules); r.KeyStore; print(sorted(n for n in a if n.startswith(('keyaudit.', 'pydantic')) and n != 'keyaudit.rotation'))"
    shown = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"
    with pytest.raises(ImportError):
        exec("from keyaudit.rotation import KeyShop")
