from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from keyaudit.rotation import KeyRotationMonitor
from keyaudit.rotation.simulation.clock import Clock

NOW = datetime(2025, 1, 20, 12, tzinfo=UTC)


def test_the_usage_of_the_lesson_finds_the_key_that_is_too_old(caplog) -> None:
    monitor = KeyRotationMonitor(max_age_days=30, clock=lambda: NOW)
    monitor.register_key("openai_prod", datetime(2024, 12, 15))
    monitor.register_key("anthropic_prod", datetime(2025, 1, 1))
    with caplog.at_level(logging.WARNING):
        overdue = monitor.check_all_keys()
    assert overdue == [{"key": "openai_prod", "age_days": 36, "overdue_days": 6}]
    assert [record.getMessage() for record in caplog.records] == ["Key openai_prod is 36 days old (max: 30)"]


def test_it_counts_to_the_instant() -> None:
    clock = Clock(lambda: NOW)
    monitor = KeyRotationMonitor(clock=clock)
    monitor.register_key("k", NOW - timedelta(days=30))
    assert monitor.check_all_keys() == []
    clock.advance(timedelta(hours=1))
    assert monitor.check_all_keys() == [{"key": "k", "age_days": 30, "overdue_days": 0}]


def test_without_a_clock_it_is_now() -> None:
    monitor = KeyRotationMonitor(7)
    monitor.register_key("k", datetime.now(UTC) - timedelta(days=8, hours=1))
    assert monitor.check_all_keys() == [{"key": "k", "age_days": 8, "overdue_days": 1}]
