"""What an interrupted pull leaves behind, and when it is of use."""

from __future__ import annotations

import json
import stat
import threading
from pathlib import Path

import pytest

from keyaudit.inventory.rows import Credential, Rotation, Version
from keyaudit.model import Coverage, ScopeStatus
from keyaudit.sources.pulling.outcome import ScopeOutcome
from keyaudit.sources.pulling.unfinished import CHECKPOINT, SCHEMA, WITHIN, Answers, Unfinished, resumed
from keyaudit.times import DAY, HOUR, SECOND

NOON = 20_000 * DAY + 12 * HOUR
FULL = Credential(
    source="s",
    scope="a",
    id="id",
    name="n",
    cls="api-key",
    tier=1,
    labels={"ü": "\u202e"},
    user_owned=False,
    created_at=NOON - 1,
    rotation=Rotation(enabled=True, schedule="rate(30 days)", by="lambda"),
    versions=[Version(id="1", state="current", created_at=NOON - 7, authenticates=True, stages=["x"])],
)
BARE = Credential(source="s", scope="a", id="bare", name="n", versions=[])


def outcome(status: str = "complete", started: int | None = NOON, **more: object) -> ScopeOutcome:
    coverage = Coverage("s", "a", ScopeStatus(status), 2, started_at=started, cannot_know=("owner",), **more)
    return ScopeOutcome(coverage, [FULL, BARE], frozenset({"id"}))


def files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


def at(folder: Path, now: int = NOON, settings: str = "{}", identity: str = "me") -> Unfinished:
    return Unfinished(folder, settings, identity, now=now)


@pytest.mark.parametrize("status", ["complete", "empty"])
def test_a_finished_scope_comes_back_field_by_field(status: str, tmp_path: Path) -> None:
    at(tmp_path).keep(outcome(status, reason="a remark", finished_at=NOON + 1))
    back = at(tmp_path).recall("a")
    assert back == outcome(status, reason="a remark", finished_at=NOON + 1)


@pytest.mark.parametrize("status", ["partial", "failed"])
def test_a_scope_that_was_not_seen_to_its_end_is_not_kept(status: str, tmp_path: Path) -> None:
    at(tmp_path).keep(outcome(status))
    assert at(tmp_path).recall("a") is None
    assert files(tmp_path) == []


def test_another_scope_or_other_settings_know_nothing_of_it(tmp_path: Path) -> None:
    at(tmp_path).keep(outcome())
    assert at(tmp_path).recall("b") is None
    assert at(tmp_path, settings='{"region": "x"}').recall("a") is None


AGES = [(-1, False), (0, True), (WITHIN, True), (WITHIN + 1, False)]


@pytest.mark.parametrize(("age", "used"), AGES)
def test_what_is_too_old_or_of_the_future_is_not_used(age: int, used: bool, tmp_path: Path) -> None:
    at(tmp_path).keep(outcome())
    assert (at(tmp_path, NOON + age).recall("a") is not None) is used


def test_a_scope_is_as_old_as_its_start_not_its_end(tmp_path: Path) -> None:
    at(tmp_path, NOON + WITHIN).keep(outcome(started=NOON))
    assert at(tmp_path, NOON + WITHIN).recall("a") is not None
    assert at(tmp_path, NOON + WITHIN + 1).recall("a") is None


def test_answers_of_a_pull_broken_off_twice_are_as_old_as_the_first(tmp_path: Path) -> None:
    first = at(tmp_path).answers("a")
    first.keep("x", b"1")
    first.save()
    second = at(tmp_path, NOON + WITHIN).answers("a")
    assert second.recall("x") == b"1"
    second.keep("y", b"2")
    second.save()
    third = at(tmp_path, NOON + WITHIN + 1).answers("a")
    assert (third.recall("x"), third.recall("y")) == (None, None)


OTHER = b'{"schema": "keyaudit/unfinished-pull/0", "started": %d, "answers": {"x": 1}}' % NOON
BROKEN = [
    b"",
    b"{",
    b"\x00\xff",
    b"[]",
    b'{"schema": 1}',
    OTHER,
]


@pytest.mark.parametrize("content", BROKEN)
def test_a_file_that_is_none_of_ours_is_as_good_as_none(content: bytes, tmp_path: Path) -> None:
    at(tmp_path).keep(outcome())
    (file,) = files(tmp_path)
    file.write_bytes(content)
    assert at(tmp_path).recall("a") is None
    assert at(tmp_path).answers("a").recall("x") is None
    at(tmp_path).keep(outcome())
    assert at(tmp_path).recall("a") == outcome()


def test_the_file_is_the_owner_s_alone_and_says_what_it_is(tmp_path: Path) -> None:
    at(tmp_path).keep(outcome())
    (file,) = files(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert json.loads(file.read_bytes())["schema"] == SCHEMA


def test_closing_forgets_everything_of_these_settings_and_nothing_else(tmp_path: Path) -> None:
    at(tmp_path).keep(outcome())
    at(tmp_path, settings="others").keep(outcome())
    at(tmp_path).close()
    assert at(tmp_path).recall("a") is None
    assert at(tmp_path, settings="others").recall("a") is not None


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    (tmp_path / "unfinished").write_text("in the way")
    unfinished = at(tmp_path)
    unfinished.keep(outcome())
    answers = unfinished.answers("a")
    answers.keep("x", b"1")
    answers.save()
    assert unfinished.recall("a") is None
    assert answers.recall("x") == b"1"
    unfinished.close()


def test_without_a_folder_nothing_is_kept_nor_recalled() -> None:
    unfinished = Unfinished(None, "{}", "", now=NOON)
    unfinished.keep(outcome())
    answers = unfinished.answers("a")
    answers.keep("x", b"1")
    answers.save()
    assert (unfinished.recall("a"), answers.recall("x"), answers.recalled) == (None, None, 0)
    unfinished.close()


def test_an_item_is_asked_about_once_and_again_if_its_answer_was_kept_in_another_shape(
    tmp_path: Path,
) -> None:
    asked: list[str] = []

    def ask() -> list[int]:
        asked.append("x")
        return [1, 2]

    before = at(tmp_path).answers("a")
    assert before.once("x", list[int], ask) == before.once("x", list[int], ask) == [1, 2]
    before.save()
    after = at(tmp_path).answers("a")
    assert (after.once("x", list[int], ask), asked) == ([1, 2], ["x"])
    assert after.once("x", dict[str, int], lambda: {"y": 1}) == {"y": 1}
    assert after.once("x", dict[str, int], dict) == {"y": 1}


def test_answers_are_written_now_and_then_so_that_a_kill_costs_few(tmp_path: Path) -> None:
    answers = at(tmp_path).answers("a")
    for number in range(CHECKPOINT - 1):
        answers.keep(str(number), b"[1]")
    assert files(tmp_path) == []
    answers.keep("last", b'{"a": 1}')
    after_a_kill = at(tmp_path).answers("a")
    assert after_a_kill.recall("last") == b'{"a": 1}'
    assert after_a_kill.recall("0") == b"[1]"
    assert after_a_kill.recall("another") is None
    assert after_a_kill.recalled == 2


def test_of_many_answers_a_tenth_may_be_lost(tmp_path: Path) -> None:
    """Each file has all answers: writing it every 500 would write them again and again."""
    answers = at(tmp_path).answers("a")
    sizes = []
    for number in range(20_000):
        answers.keep(str(number), b"1")
        if (number + 1) % 100 == 0:
            found = files(tmp_path)
            sizes.append(len(json.loads(found[0].read_bytes())["answers"]) if found else 0)
    assert all(kept >= asked - max(CHECKPOINT, asked // 10 + 1) for asked, kept in enumerate_hundreds(sizes))
    assert len(set(sizes)) < 40, "so many files were written"


def enumerate_hundreds(sizes: list[int]) -> list[tuple[int, int]]:
    return [((index + 1) * 100, size) for index, size in enumerate(sizes)]


def test_saving_writes_only_what_is_new(tmp_path: Path) -> None:
    answers = at(tmp_path).answers("a")
    answers.save()
    assert files(tmp_path) == []
    answers.keep("x", b"1")
    answers.save()
    (file,) = files(tmp_path)
    file.unlink()
    answers.save()
    assert files(tmp_path) == []


def test_threads_may_keep_and_recall_at_the_same_time(tmp_path: Path) -> None:
    answers = at(tmp_path).answers("a")

    def work(worker: int) -> None:
        for number in range(400):
            answers.keep(f"{worker}-{number}", b"1")
            assert answers.recall(f"{worker}-{number}") == b"1"

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers.save()
    assert answers.recalled == 1600
    again = at(tmp_path).answers("a")
    assert all(again.recall(f"{worker}-{number}") for worker in range(4) for number in range(400))


def test_a_finished_scope_replaces_the_answers_it_was_made_of(tmp_path: Path) -> None:
    unfinished = at(tmp_path)
    answers = unfinished.answers("a")
    answers.keep("x", b"1")
    answers.save()
    unfinished.keep(outcome())
    assert at(tmp_path).answers("a").recall("x") is None
    assert len(files(tmp_path)) == 1


def test_what_is_resumed_says_so_after_its_own_reason() -> None:
    note = f"listed at {'2024-10-04T12:00:01Z'} by a pull that was then interrupted"
    assert resumed(outcome(finished_at=NOON + SECOND)).coverage.reason == note
    assert (
        resumed(outcome(finished_at=NOON + SECOND, reason="a remark")).coverage.reason == f"a remark; {note}"
    )
    assert resumed(outcome()).coverage.reason == "listed earlier by a pull that was then interrupted"


def test_answers_without_a_file_remember_nothing() -> None:
    answers = Answers()
    answers.keep("x", b"1")
    answers.save()
    assert answers.recall("x") is None


def test_what_somebody_else_saw_is_not_taken_up(tmp_path: Path) -> None:
    at(tmp_path, identity="tenant-a").keep(outcome())
    assert at(tmp_path, identity="tenant-b").recall("a") is None
    assert at(tmp_path, identity="tenant-a").recall("a") is not None
    assert "tenant" not in str(files(tmp_path))


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_could_have_written_is_not_believed(mode: int, tmp_path: Path) -> None:
    at(tmp_path).keep(outcome())
    (file,) = files(tmp_path)
    file.chmod(mode)
    assert at(tmp_path).recall("a") is None


def test_neither_is_one_in_a_folder_that_they_can_write_to(tmp_path: Path) -> None:
    at(tmp_path).keep(outcome())
    (file,) = files(tmp_path)
    file.parent.chmod(0o777)
    assert at(tmp_path).recall("a") is None


def test_nor_one_that_a_link_leads_to(tmp_path: Path) -> None:
    at(tmp_path).keep(outcome())
    (file,) = files(tmp_path)
    elsewhere = tmp_path / "elsewhere.json"
    file.rename(elsewhere)
    file.symlink_to(elsewhere)
    assert at(tmp_path).recall("a") is None
    assert at(tmp_path).answers("a").recall("x") is None
