"""When a log of one's own last saw a key, line by line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from keyaudit.errors import RotationError
from keyaudit.rotation.sight import Quiet
from keyaudit.rotation.silences.access_log import AccessLogSettings
from keyaudit.times import HOUR, MINUTE, SECOND, format_instant
from rotation.parties import opened
from servers.admin_api import NOON

BEFORE = NOON - HOUR


def lines(*entries: tuple[int, str | None]) -> str:
    return "".join(
        json.dumps({"time": format_instant(at), "auth": {"key_id": key}}) + "\n" for at, key in entries
    )


def asked(
    tmp_path: Path, log: str | None, *, key: str | None = "key_old", since: int | None = NOON, **more: Any
) -> Quiet:
    if log is not None:
        (tmp_path / "access.log").write_text(log)
    settings = {"kind": "access-log", "path": "access.log", "key": "auth.key_id", "delay": "0s", **more}
    silence = opened("silence", settings, clock=lambda: NOON + 10 * HOUR, folder=tmp_path)
    return silence.ask(key, "v-17", since)


def test_the_last_line_is_as_far_as_is_seen_and_the_keys_last_line_its_last_use(tmp_path: Path) -> None:
    log = lines((BEFORE, "key_new"), (NOON, "key_old"), (NOON + MINUTE, "key_old"), (NOON + HOUR, "key_new"))
    assert asked(tmp_path, log) == Quiet(NOON + HOUR, NOON + MINUTE, "access-log: access.log")


def test_a_log_that_stopped_is_not_silence(tmp_path: Path) -> None:
    quiet = asked(tmp_path, lines((BEFORE, "key_new"), (NOON + MINUTE, "key_new")))
    assert quiet.last_used_at is None
    assert quiet.seen_until == NOON + MINUTE, "ten hours later nothing more is known"


def test_lines_may_be_written_late_and_out_of_order(tmp_path: Path) -> None:
    log = lines((BEFORE, "a"), (NOON + HOUR, "b"), (NOON + 2 * MINUTE, "key_old"), (NOON + MINUTE, "key_old"))
    quiet = asked(tmp_path, log, delay="5m")
    assert (quiet.seen_until, quiet.last_used_at) == (NOON + 55 * MINUTE, NOON + 2 * MINUTE)


def test_what_was_rotated_away_counts_as_use_until_the_log_begins(tmp_path: Path) -> None:
    log = lines((NOON + HOUR, "key_new"), (NOON + 2 * HOUR, "key_new"))
    assert asked(tmp_path, log).last_used_at == NOON + HOUR
    assert asked(tmp_path, log, since=None).last_used_at == NOON + HOUR
    assert asked(tmp_path, log, since=NOON + HOUR).last_used_at is None


def test_a_clock_that_is_ahead_makes_nothing_seen_that_did_not_happen_yet(tmp_path: Path) -> None:
    assert asked(tmp_path, lines((BEFORE, "a"), (NOON + 99 * HOUR, "a"))).seen_until == NOON + 10 * HOUR


def test_a_line_that_is_being_written_is_for_later(tmp_path: Path) -> None:
    log = lines((BEFORE, "a"), (NOON + MINUTE, "a")) + lines((NOON + HOUR, "key_old"))[:-5]
    quiet = asked(tmp_path, log)
    assert (quiet.seen_until, quiet.last_used_at) == (NOON + MINUTE, None)


@pytest.mark.parametrize(
    "line",
    [
        "Traceback (most recent call last):",
        "",
        "null",
        '"text"',
        '{"auth": {"key_id": "another"}}',
        '{"time": "yesterday", "auth": {"key_id": "another"}}',
        '{"time": null}',
        "[" * 100_000,
        "\udcff",
    ],
    ids=range(9),
)
def test_a_line_that_cannot_be_read_is_nothing_unless_it_is_about_the_key(tmp_path: Path, line: str) -> None:
    good = lines((BEFORE, "a"), (NOON + MINUTE, "a"))
    (tmp_path / "access.log").write_bytes((good + line + "\n").encode(errors="surrogateescape"))
    assert asked(tmp_path, None).seen_until == NOON + MINUTE
    with (tmp_path / "access.log").open("a") as log:
        log.write("key_old CANARY 2026-11-21\n")
    with pytest.raises(RotationError, match="about key_old that cannot be read") as caught:
        asked(tmp_path, None)
    assert "CANARY" not in f"{caught.value}{caught.value.hint}"


@pytest.mark.parametrize("log", ["", "nothing\n", "{}\n"])
def test_a_log_without_a_time_says_nothing(tmp_path: Path, log: str) -> None:
    with pytest.raises(RotationError, match="no line with a time"):
        asked(tmp_path, log)


def test_a_log_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    with pytest.raises(RotationError, match="access.log cannot be read: No such file"):
        asked(tmp_path, None)


def test_a_key_that_is_not_known_cannot_be_looked_for(tmp_path: Path) -> None:
    with pytest.raises(RotationError, match="not known"):
        asked(tmp_path, lines((BEFORE, "a")), key=None)


def test_a_log_may_name_the_version_of_the_secret(tmp_path: Path) -> None:
    log = lines((BEFORE, "v-16"), (NOON + MINUTE, "v-17"), (NOON + HOUR, "v-18"))
    assert asked(tmp_path, log, key=None, names="version").last_used_at == NOON + MINUTE


def test_seconds_are_read_as_such(tmp_path: Path) -> None:
    log = "".join(
        json.dumps({"ts": at / SECOND, "k": key}) + "\n" for at, key in ((BEFORE, 1), (NOON + 1, 2))
    )
    (tmp_path / "access.log").write_text(log)
    settings = {
        "kind": "access-log",
        "path": "access.log",
        "time": "ts",
        "key": "k",
        "time_format": "unix",
        "delay": "0s",
    }
    quiet = opened("silence", settings, clock=lambda: NOON + HOUR, folder=tmp_path).ask("2", "v", NOON)
    assert (quiet.seen_until, quiet.last_used_at) == (NOON + 1, NOON + 1)


CLF = r"^\S+ \S+ (?P<key>\S+) \[(?P<time>[^\]]+)\] "


def test_a_servers_common_log_is_read_by_a_pattern(tmp_path: Path) -> None:
    log = (
        '10.0.0.1 - key_new [21/Nov/2026:11:00:00 +0000] "GET / HTTP/1.1" 200 5\n'
        '10.0.0.1 - key_old [21/Nov/2026:13:30:00 +0100] "GET / HTTP/1.1" 200 5\n'
        '10.0.0.1 - - [21/Nov/2026:13:00:00 +0000] "GET /health HTTP/1.1" 200 5\n'
    )
    (tmp_path / "access.log").write_text(log)
    settings = {
        "kind": "access-log",
        "path": "access.log",
        "format": "pattern",
        "pattern": CLF,
        "time_format": "clf",
        "delay": "0s",
    }
    quiet = opened("silence", settings, clock=lambda: NOON + 2 * HOUR, folder=tmp_path).ask(
        "key_old", "v", NOON
    )
    assert (quiet.seen_until, quiet.last_used_at) == (NOON + HOUR, NOON + 30 * MINUTE)


def _asked_field(tmp_path: Path, log: str, field: str) -> Quiet:
    (tmp_path / "access.log").write_text(log)
    settings = {"kind": "access-log", "path": "access.log", "key": field, "delay": "0s"}
    silence = opened("silence", settings, clock=lambda: NOON + 10 * HOUR, folder=tmp_path)
    return silence.ask("key_old", "v-17", NOON)


@pytest.mark.parametrize("field", ["auth.keyid", "key_id", "auth.key_id.of"])
def test_a_field_that_no_line_has_shows_no_silence(tmp_path: Path, field: str) -> None:
    """The key is in use all the time, in another field than the settings name."""
    log = lines((BEFORE, "key_old"), (NOON + 2 * HOUR, "key_old"))
    with pytest.raises(RotationError, match="about key_old that cannot be read"):
        _asked_field(tmp_path, log, field)
    with pytest.raises(RotationError, match="names no key"):
        _asked_field(tmp_path, lines((BEFORE, "fingerprint"), (NOON + HOUR, None)), field)


def test_a_line_without_an_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RotationError, match="without an end"):
        asked(tmp_path, lines((BEFORE, "a")) + "x" * (1024 * 1024 + 5))


@pytest.mark.parametrize(
    "wrong",
    [
        {"format": "pattern"},
        {"pattern": CLF},
        {"format": "pattern", "pattern": "(?P<time>x"},
        {"format": "pattern", "pattern": "(?P<time>x)"},
        {"format": "csv"},
        {"time_format": "local"},
        {"delay": "2d"},
    ],
    ids=range(7),
)
def test_settings_that_cannot_be_obeyed_are_refused(wrong: dict) -> None:
    good = {"kind": "access-log", "path": "x"}
    assert AccessLogSettings.model_validate(good)
    with pytest.raises(ValidationError):
        AccessLogSettings.model_validate({**good, **wrong})
