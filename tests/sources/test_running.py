"""A source runs its scopes: at once, in a stable order, to an end that interrupts, faults and stops can bring."""

from __future__ import annotations

import re
import signal
import threading
import time
from pathlib import Path

import polars as pl
import pytest

from keyaudit.errors import MissingExtraError, SourceError
from keyaudit.model import ScopeStatus
from keyaudit.sources import ScopeProgress
from keyaudit.sources.protocol import StoppedError
from keyaudit.sources.pulling.refusals import Kind, RefusedError
from sources.shelves import NOON, Row, Shelf, Shelves, credential, holding, reasons, statuses


def refused(kind: Kind, detail: str | None = None):
    def step(shelf: Shelf) -> None:
        raise RefusedError(kind, detail)

    return step


def tasks() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("keyaudit-")]


def test_rows_and_coverage_come_in_the_order_of_scope_and_id_whoever_is_first() -> None:
    first_is_late = threading.Event()

    def late(shelf: Shelf) -> None:
        assert first_is_late.wait(20)
        holding("z", "b")(shelf)

    def early(shelf: Shelf) -> None:
        holding("y", "a")(shelf)
        first_is_late.set()

    pulled = Shelves([Row("one", [late]), Row("two", [early])]).pull()
    assert [(row.scope, row.id) for row in pulled.rows] == [
        ("one", "b"), ("one", "z"), ("two", "a"), ("two", "y"),
    ]  # fmt: skip
    assert [(each.scope, each.credentials, each.calls, each.pages) for each in pulled.coverage] == [
        ("one", 2, 1, 1),
        ("two", 2, 1, 1),
    ]
    assert tasks() == []


def test_no_more_scopes_are_asked_at_once_than_the_settings_allow() -> None:
    running, most, lock = 0, 0, threading.Lock()
    together = threading.Barrier(3)

    def step(shelf: Shelf) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        together.wait(20)
        with lock:
            running -= 1

    Shelves([Row(str(number), [step]) for number in range(9)]).pull(concurrency=3)
    assert most == 3


STATUSES = {
    "everything": ([holding("a"), holding("b")], "complete", 2, None),
    "nothing": ([holding()], "empty", 0, None),
    "no page at all": ([], "empty", 0, None),
    "denied at once": ([refused(Kind.DENIED, "E403")], "failed", 0, "denied (E403)"),
    "denied later": (
        [holding("a"), refused(Kind.DENIED)],
        "partial",
        1,
        "the list broke off after 1 page: denied",
    ),
    "denied after pages of nothing": (
        [holding(), holding(), refused(Kind.SERVER)],
        "partial",
        0,
        "the list broke off after 2 pages: the service failed",
    ),
    "one thing twice": (
        [holding("a", "b"), holding("b", "c", "a")],
        "partial",
        3,
        "2 entries were listed twice, so others may have been left out",
    ),
    "unreadable entries": (
        [holding("a"), lambda shelf: shelf.page(unreadable=1_200)],
        "partial",
        1,
        "1,200 entries could not be read",
    ),
    "something missed": (
        [holding("a"), lambda shelf: shelf.miss("a folder", "another")],
        "partial",
        1,
        "a folder; another",
    ),
    "a remark": ([holding("a"), lambda shelf: shelf.remark("as of noon")], "complete", 1, "as of noon"),
    "problems before remarks": (
        [lambda shelf: shelf.remark("as of noon"), holding("a"), lambda shelf: shelf.miss("a folder")],
        "partial",
        1,
        "a folder; as of noon",
    ),
    "a remark on nothing": ([lambda shelf: shelf.remark("as of noon")], "empty", 0, "as of noon"),
}


@pytest.mark.parametrize("came", STATUSES)
def test_coverage_says_what_came_of_a_scope(came: str) -> None:
    steps, status, credentials, reason = STATUSES[came]
    shelves = Shelves([Row("a", steps), Row("b", [holding("other")])])
    pulled = shelves.pull()
    (found, other) = pulled.coverage
    assert (found.status, found.credentials, found.reason) == (status, credentials, reason)
    assert (found.started_at, found.finished_at) == (NOON, NOON)
    assert (other.status, other.reason) == (ScopeStatus.COMPLETE, None), "a refusal costs only its own scope"
    assert all(shelf.was_closed for shelf in shelves.made)


EMPTY_SCOPES = {
    "declared by name": ({"declared": True, "group": "acme"}, "acme", "empty"),
    "found, and its group has something elsewhere": (
        {"declared": False, "group": "acme"},
        "acme",
        "complete",
    ),
    "found, and its group has nothing anywhere": ({"declared": False, "group": "acme"}, "other", "empty"),
    "found, and of no group": ({"declared": False, "group": None}, None, "empty"),
}


@pytest.mark.parametrize("which", EMPTY_SCOPES)
def test_an_empty_scope_is_complete_only_if_nobody_declared_it_and_its_group_is_alive(which: str) -> None:
    row, group, status = EMPTY_SCOPES[which]
    pulled = Shelves([Row("a", [holding()], **row), Row("b", [holding("x")], group=group)]).pull()
    assert statuses(pulled) == {"a": status, "b": "complete"}


def test_a_failed_scope_of_a_living_group_stays_failed() -> None:
    pulled = Shelves(
        [
            Row("a", [refused(Kind.DENIED)], group="acme", declared=False),
            Row("b", [holding("x")], group="acme", declared=False),
        ]
    ).pull()
    assert statuses(pulled) == {"a": "failed", "b": "complete"}


def test_versions_that_nobody_could_know_are_not_counted() -> None:
    pulled = Shelves([Row("a", [holding("x")], cannot_know=("versions",)), Row("b", [holding("x")])]).pull()
    assert [each.versions for each in pulled.coverage] == [None, 0]


def test_what_could_not_be_begun_is_covered_and_reported_first() -> None:
    shelves = Shelves([Row("b", [holding("x")])])
    shelves.lost = [shelves.source().failed("a", "no way in", cannot_know=("owner",))]
    reports: list[ScopeProgress] = []
    pulled = shelves.pull(reports.append)
    assert statuses(pulled) == {"a": "failed", "b": "complete"}
    assert list(reasons(pulled)) == ["no way in", None]
    assert pulled.coverage[0].cannot_know == ("owner",)
    assert [(each.scope, each.done, each.scopes) for each in reports] == [
        ("a", 1, 2),
        ("b", 1, 2),
        ("b", 2, 2),
    ]


def test_every_page_is_reported_by_one_thread_at_a_time() -> None:
    inside = threading.Lock()
    reports: list[ScopeProgress] = []

    def watch(report: ScopeProgress) -> None:
        assert inside.acquire(blocking=False), "two threads at once"
        reports.append(report)
        inside.release()

    pages = [holding(str(number)) for number in range(50)]
    Shelves([Row(str(number), pages) for number in range(4)]).pull(watch)
    assert len(reports) == 4 * 51
    assert [each.done for each in reports] == sorted(each.done for each in reports)
    for scope in "0123":
        own = [each for each in reports if each.scope == scope]
        assert [each.credentials for each in own] == [*range(1, 51), 50]
        assert [each.calls for each in own] == [*range(1, 51), 50]
        assert [each.coverage is None for each in own] == [True] * 50 + [False]


class OursError(Exception):
    pass


def test_a_fault_of_ours_costs_its_own_scope_and_is_named_without_what_it_says() -> None:
    def broken(shelf: Shelf) -> None:
        shelf.add(credential("seen", shelf.scope))
        shelf.page()
        raise OursError("CANARY: what the server said")

    shelves = Shelves([Row("a", [broken]), Row("b", [holding("x")]), Row("c", [lambda shelf: 1 / 0])])
    pulled = shelves.pull()
    assert {each.scope: str(each.status) for each in pulled.coverage} == {
        "a": "partial",
        "b": "complete",
        "c": "failed",
    }
    reasons = [each.reason for each in pulled.coverage if each.reason]
    assert re.fullmatch(
        r"the list broke off after 1 page: internal error \(OursError at test_running.py:\d+\); please report it",
        reasons[0],
    )
    assert reasons[1].startswith("internal error (ZeroDivisionError at test_running.py:")
    assert all(shelf.was_closed for shelf in shelves.made)


@pytest.mark.parametrize("error", [MissingExtraError("aws", "listing"), SourceError("no key")], ids=type)
def test_what_the_user_must_mend_first_ends_the_pull(error: Exception) -> None:
    def unprepared(shelf: Shelf) -> None:
        raise error

    with pytest.raises(type(error)):
        Shelves([Row("a", [unprepared]), Row("b", [holding("x")])]).pull()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RefusedError(Kind.DENIED, "HTTP 403"), "denied (HTTP 403)"),
        (OursError("CANARY"), "internal error (OursError at test_running.py:"),
    ],
    ids=["refused", "a fault of ours"],
)
def test_what_goes_wrong_while_scopes_are_looked_for_is_a_gap(error: Exception, reason: str) -> None:
    source = Shelves([]).source()

    def plan(pool: object) -> None:
        raise error

    source.plan = plan
    (scope,) = source.pull(lambda report: None).coverage
    assert (scope.scope, scope.status) == ("*", "failed")
    assert scope.reason.startswith(reason)


class NativePanic(BaseException):
    """What a native library raises when it gives up is no Exception."""


def test_a_panic_ends_the_pull_at_once_and_every_thread_with_it() -> None:
    started = threading.Event()

    def endless(shelf: Shelf) -> None:
        started.set()
        shelf.meter.rest(3600)

    def broken(shelf: Shelf) -> None:
        assert started.wait(20)
        raise NativePanic

    shelves = Shelves(
        [Row("a", [endless]), Row("b", [broken]), *(Row(f"c{n}", [endless]) for n in range(20))]
    )
    with pytest.raises(NativePanic):
        shelves.pull(concurrency=2)
    assert tasks() == []
    assert [shelf.scope for shelf in shelves.made if shelf.was_closed] == ["a", "b"], "the others never began"


def test_of_two_places_with_one_name_the_second_is_lost_and_said() -> None:
    shelves = Shelves([Row("a", [holding("x")]), Row("a", [holding("y")])])
    pulled = shelves.pull()
    assert [(str(each.status), each.reason) for each in pulled.coverage] == [
        ("failed", "another place of this pull has the same name"),
        ("complete", None),
    ]
    assert [row.id for row in pulled.rows] == ["x"]


def test_a_pull_that_found_nowhere_to_look_says_so() -> None:
    (scope,) = Shelves([]).pull().coverage
    assert (scope.scope, scope.status, scope.credentials) == ("*", "empty", 0)
    assert scope.reason == "nothing was found that could be listed"


def test_a_list_without_end_ends() -> None:
    def endless(shelf: Shelf) -> None:
        shelf.most = 1_000
        for number in range(2_000):
            shelf.add(credential(str(number)))

    (scope,) = Shelves([Row("a", [lambda shelf: None, endless])]).pull().coverage
    assert (scope.status, scope.credentials) == ("partial", 1_000)
    assert "more than 1,000 credentials" in scope.reason


def test_an_interrupt_is_noticed_although_polars_restarts_the_wait() -> None:
    assert pl.LazyFrame({"a": [1]}).collect().height == 1

    def step(shelf: Shelf) -> None:
        time.sleep(0.5)  # until it is the wait that must be broken off
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        shelf.meter.rest(3600)

    before = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # started in the background, it is ignored
    try:
        with pytest.raises(KeyboardInterrupt):
            Shelves([Row("a", [step])]).pull()
    finally:
        signal.signal(signal.SIGINT, before)
    assert tasks() == []


def test_another_thread_may_stop_a_pull_before_and_while_it_runs() -> None:
    began = threading.Event()

    def waiting(shelf: Shelf) -> None:
        began.set()
        shelf.meter.rest(3600)

    shelves = Shelves([Row("a", [waiting]), Row("b", [holding("x")])])
    source = shelves.source(concurrency=1)

    def stop() -> None:
        assert began.wait(20)
        source.stop.set()

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(StoppedError):
        source.pull(lambda report: None)
    stopper.join()
    source.stop.set()
    with pytest.raises(StoppedError):
        source.pull(lambda report: None)
    assert tasks() == []


def test_a_stop_lets_no_other_scope_begin_although_the_running_one_asks_nobody() -> None:
    shelves = Shelves([])
    source = shelves.source(concurrency=1)

    def busy(shelf: Shelf) -> None:
        source.stop.set()
        time.sleep(0.5)

    shelves.rows = [Row("a", [busy]), Row("b", [holding("x")])]
    with pytest.raises(StoppedError):
        source.pull(lambda report: None)
    assert [shelf.scope for shelf in shelves.made if shelf.was_closed] == ["a"]


def interrupt_after(finished: int):
    def watch(report: ScopeProgress) -> None:
        if report.coverage is not None and report.done == finished:
            raise KeyboardInterrupt

    return watch


def kept_in(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


def test_what_was_finished_before_an_interrupt_is_not_asked_again(tmp_path: Path) -> None:
    asked: list[str] = []

    def step(shelf: Shelf) -> None:
        asked.append(shelf.scope)
        if asked == ["a", "b", "c"]:
            shelf.meter.rest(3600)
        holding(f"{shelf.scope}-1")(shelf)

    shelves = Shelves([Row(name, [step]) for name in "abc"])
    with pytest.raises(KeyboardInterrupt):
        shelves.pull(interrupt_after(2), tmp_path, concurrency=1)
    assert len(kept_in(tmp_path)) >= 2
    asked.append("again")
    again = shelves.pull(cache_dir=tmp_path, concurrency=1)
    assert asked[asked.index("again") + 1 :] == ["c"]
    assert [row.id for row in again.rows] == ["a-1", "b-1", "c-1"]
    assert again.coverage[0].reason == "listed at 2024-10-04T00:00:00Z by a pull that was then interrupted"
    assert again.coverage[2].reason is None
    assert kept_in(tmp_path) == []


def test_a_scope_that_was_not_complete_is_asked_again(tmp_path: Path) -> None:
    asked: list[str] = []

    def denied(shelf: Shelf) -> None:
        asked.append(shelf.scope)
        raise RefusedError(Kind.DENIED)

    shelves = Shelves([Row("a", [denied]), Row("b", [holding("x")])])
    with pytest.raises(KeyboardInterrupt):
        shelves.pull(interrupt_after(2), tmp_path, concurrency=1)
    shelves.pull(cache_dir=tmp_path, concurrency=1)
    assert asked == ["a", "a"]


@pytest.mark.parametrize("settings", [{"cache": False}, {"cache": True}])
def test_nothing_is_left_where_nothing_may_be(settings, tmp_path: Path) -> None:
    """With `cache: false` not even while it runs; without a folder there is no place."""
    shelves = Shelves([Row(name, [holding(name)]) for name in "abc"])
    seen: list[Path] = []

    def watch(report: ScopeProgress) -> None:
        seen.extend(kept_in(tmp_path))
        interrupt_after(2)(report)

    with pytest.raises(KeyboardInterrupt):
        shelves.pull(watch, tmp_path if settings["cache"] is False else None, concurrency=1, **settings)
    assert seen == kept_in(tmp_path) == []


def test_a_folder_of_its_own_wins_over_the_usual_one(tmp_path: Path) -> None:
    shelves = Shelves([Row(name, [holding(name)]) for name in "ab"])
    with pytest.raises(KeyboardInterrupt):
        shelves.pull(interrupt_after(1), tmp_path / "usual", cache=tmp_path / "own", concurrency=1)
    assert kept_in(tmp_path / "own")
    assert kept_in(tmp_path / "usual") == []


def test_other_settings_have_other_remains(tmp_path: Path) -> None:
    asked: list[str] = []
    shelves = Shelves([Row("a", [lambda shelf: asked.append("a")]), Row("b", [holding("x")])])
    with pytest.raises(KeyboardInterrupt):
        shelves.pull(interrupt_after(1), tmp_path, concurrency=1)
    shelves.pull(cache_dir=tmp_path, concurrency=1, attempts=3)
    assert asked == ["a", "a"]


def test_nobody_takes_up_what_another_identity_saw(tmp_path: Path) -> None:
    asked: list[str] = []
    shelves = Shelves([Row("a", [lambda shelf: asked.append("a")]), Row("b", [holding("x")])])
    first = shelves.source(tmp_path, concurrency=1)
    first.identified_by("tenant-a")
    with pytest.raises(KeyboardInterrupt):
        first.pull(interrupt_after(1))
    second = shelves.source(tmp_path, concurrency=1)
    second.identified_by("tenant-b")
    second.pull(lambda report: None)
    assert asked == ["a", "a"]


def test_answers_about_single_items_outlive_an_interrupt_too(tmp_path: Path) -> None:
    asked: list[str] = []

    def each(shelf: Shelf) -> None:
        for item in "abcde":
            if shelf.answers.recall(item) is None:
                asked.append(item)
                shelf.answers.keep(item, b"1")
                if item == "c":
                    raise KeyboardInterrupt

    shelves = Shelves([Row("a", [each])])
    with pytest.raises(KeyboardInterrupt):
        shelves.pull(cache_dir=tmp_path)
    (scope,) = shelves.pull(cache_dir=tmp_path).coverage
    assert asked == list("abcde")
    assert scope.reason == "3 answers are those of a pull that was interrupted"
    assert kept_in(tmp_path) == []
