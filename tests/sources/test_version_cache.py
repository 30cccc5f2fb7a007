"""A warm pull asks only about what changed, and never repeats what may have changed since."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from keyaudit.model import ScopeStatus
from keyaudit.sources import Progress, Pulled, ScopeProgress, open_source
from keyaudit.times import DAY, HOUR, MINUTE, SECOND
from servers.secrets_manager import ACCOUNT, SecretsManager

NOON = 20_000 * DAY + 12 * HOUR
"""Of some day."""


@pytest.fixture
def server() -> Iterator[SecretsManager]:
    with SecretsManager() as server:
        yield server


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "aws-secrets-manager" / ACCOUNT / "eu-west-1.json"


@pytest.fixture
def pull(server: SecretsManager, tmp_path: Path):
    def pull(at: int = NOON, progress: Progress = lambda report: None, **settings: object) -> Pulled:
        server.log.clear()
        entry = {
            "name": "tested",
            "kind": "aws-secrets-manager",
            "regions": ["eu-west-1"],
            "endpoint_url": server.url,
            "requests_per_second": 10_000,
            **settings,
        }
        return open_source(entry, clock=lambda: at, cache_dir=tmp_path).pull(progress)

    return pull


def version(name: str, *stages: str, created: int = NOON - 50 * DAY, used: int | None = None) -> dict:
    dates = {"CreatedDate": created // SECOND, **({"LastAccessedDate": used // SECOND} if used else {})}
    return {"VersionId": name.ljust(32, "0"), "VersionStages": list(stages), **dates}


def rotated(server: SecretsManager, name: str = "app", used: int | None = None, **fields: object) -> str:
    accessed = {"LastAccessedDate": used // SECOND} if used else {}
    versions = [
        version("new", "AWSCURRENT", used=used),
        version("old", "AWSPREVIOUS", created=NOON - 80 * DAY),
    ]
    changed = {"LastChangedDate": (NOON - 50 * DAY) // SECOND}
    return server.put(name, versions, **{**changed, **accessed, **fields})


def asked(server: SecretsManager) -> list[str]:
    return [body["SecretId"] for body in server.asked("ListSecretVersionIds")]


def test_a_warm_pull_asks_about_nothing_and_says_the_same(server, pull, file) -> None:
    first, second = rotated(server, "a"), rotated(server, "b")
    cold = pull()
    assert sorted(asked(server)) == [first, second]
    warm = pull()
    assert asked(server) == []
    assert list(warm.rows) == list(cold.rows)
    assert (cold.coverage[0].calls, warm.coverage[0].calls) == (3, 1)
    assert cold.rows[0].versions[0].created_at == NOON - 50 * DAY


def test_the_file_is_for_its_owner_only_and_holds_no_description(server, pull, file) -> None:
    rotated(server, "a", Description="the password is hunter2")
    pull()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert b"hunter2" not in file.read_bytes()


CHANGES = {
    "edited": {"LastChangedDate": (NOON - 40 * DAY) // SECOND},
    "a label moved": {"SecretVersionsToStages": {"new": ["AWSPREVIOUS"], "old": ["AWSCURRENT"]}},
    "read since": {"LastAccessedDate": (NOON - DAY) // SECOND},
    "no time of change": {"LastChangedDate": None},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_secret_that_changed_is_asked_about_and_only_that(server, pull, change: dict) -> None:
    changed, same = rotated(server, "a"), rotated(server, "b")
    pull()
    server.secrets["eu-west-1"][0].update(change)
    pull()
    assert asked(server) == [changed]
    assert same


def test_a_secret_that_settles_is_not_remembered_yet(server, pull) -> None:
    young = rotated(server, LastChangedDate=(NOON - 5 * MINUTE) // SECOND)
    pull()
    pull(NOON + 4 * MINUTE)
    assert asked(server) == [young]
    pull(NOON + 6 * MINUTE)
    assert asked(server) == [young]
    pull(NOON + 7 * MINUTE)
    assert asked(server) == []


def test_reads_of_the_same_day_are_asked_for_once_more_when_the_day_is_over(server, pull) -> None:
    read_today = rotated(server, used=NOON - 12 * HOUR)
    pull(NOON)
    pull(NOON + 11 * HOUR)
    assert asked(server) == []
    pull(NOON + 20 * HOUR)
    assert asked(server) == [read_today]
    pull(NOON + 10 * DAY)
    assert asked(server) == []


def test_one_version_alone_was_last_used_when_its_secret_was(server, pull) -> None:
    server.put("a", [version("v", "AWSCURRENT")], LastChangedDate=(NOON - 50 * DAY) // SECOND)
    pull()
    server.secrets["eu-west-1"][0]["LastAccessedDate"] = (NOON - DAY) // SECOND
    warm = pull()
    assert asked(server) == []
    assert warm.rows[0].versions[0].last_used_at == NOON - DAY


def test_without_the_use_of_versions_reads_change_nothing(server, pull) -> None:
    rotated(server, used=NOON - 3 * DAY)
    first = pull(version_use=False)
    assert "versions.last_used_at" not in first.columns
    assert "versions.last_used_at" in first.coverage[0].cannot_know
    server.secrets["eu-west-1"][0]["LastAccessedDate"] = (NOON - DAY) // SECOND
    warm = pull(version_use=False)
    assert asked(server) == []
    assert [each.last_used_at for each in warm.rows[0].versions] == [None, None]


@pytest.mark.parametrize("content", [b"", b"{", b"\x00\xff", b'{"schema": 5}', b"[]"])
def test_a_broken_file_is_said_and_rebuilt(server, pull, file, content: bytes) -> None:
    known = rotated(server)
    pull()
    file.write_bytes(content)
    again = pull()
    assert asked(server) == [known]
    assert again.coverage[0].status is ScopeStatus.COMPLETE
    assert again.coverage[0].reason == "the version cache could not be read and was rebuilt"
    assert pull().coverage[0].reason is None
    assert asked(server) == []


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(server, pull, tmp_path) -> None:
    rotated(server)
    (tmp_path / "aws-secrets-manager").write_text("in the way", "utf-8")
    pulled = pull()
    assert pulled.coverage[0].status is ScopeStatus.COMPLETE
    assert "cache could not be" in pulled.coverage[0].reason
    assert len(pulled.rows[0].versions) == 2


def test_what_is_no_longer_listed_is_forgotten(server, pull, file) -> None:
    gone, kept = rotated(server, "gone"), rotated(server, "kept")
    pull()
    del server.secrets["eu-west-1"][0]
    pull()
    assert kept in file.read_text("utf-8")
    assert gone not in file.read_text("utf-8")


def test_an_interrupted_pull_forgets_nothing(server, pull, file) -> None:
    server.page = 1
    known = [rotated(server, name) for name in "abc"]
    pull()
    server.secrets["eu-west-1"][0]["LastChangedDate"] -= 1

    def interrupt(report: ScopeProgress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(progress=interrupt)
    assert all(arn in file.read_text("utf-8") for arn in known)
    pull()
    assert asked(server) == []


def test_nothing_is_remembered_where_nothing_may_be(server, pull, tmp_path) -> None:
    rotated(server)
    pull(cache=False)
    pull(depth="list")
    assert list(tmp_path.rglob("*.json")) == []
