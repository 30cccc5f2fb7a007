"""One call an item: answers in order, refusals counted, and no more asking when nobody answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from keyaudit.sources.protocol import OperationRefusedError, StoppedError
from keyaudit.sources.pulling.each import IMPATIENCE, PATIENCE, Each
from keyaudit.sources.pulling.refusals import FATAL, Kind, RefusedError


@pytest.fixture
def one() -> Iterator[ThreadPoolExecutor]:
    """A single worker, so that items are asked for in order."""
    with ThreadPoolExecutor(1) as workers:
        yield workers


@pytest.fixture
def many() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as workers:
        yield workers


class Store:
    """Answers `item` with twice itself, unless something else was laid down for it."""

    def __init__(self, **refusals: Kind) -> None:
        self.refusals = {int(item.removeprefix("_")): kind for item, kind in refusals.items()}
        self.asked: list[int] = []
        self.lock = threading.Lock()

    def __call__(self, item: int) -> int:
        with self.lock:
            self.asked.append(item)
        if item in self.refusals:
            raise RefusedError(self.refusals[item], "why")
        return item * 2


def refusing(kind: Kind, items: range) -> dict[str, Kind]:
    return {f"_{item}": kind for item in items}


def test_answers_come_in_the_order_of_the_items_however_they_arrive(many) -> None:
    first_is_last = threading.Event()

    def ask(item: int) -> int:
        if item == 0:
            assert first_is_last.wait(20)
        elif item == 7:
            first_is_last.set()
        return item

    each = Each(ask, many, "things")
    assert each.fetch(range(8)) == list(range(8))
    assert (each.reasons(), each.wanted, each.stopped) == ([], 8, False)


def test_the_workers_bound_how_many_calls_are_in_flight() -> None:
    running, most, lock, full = 0, 0, threading.Lock(), threading.Barrier(3)

    def ask(item: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        full.wait(20)
        with lock:
            running -= 1
        return item

    with ThreadPoolExecutor(3) as workers:
        Each(ask, workers, "things").fetch(range(9))
    assert most == 3


def test_a_refused_item_stays_unknown_and_is_counted_by_its_reason(one) -> None:
    store = Store(_1=Kind.DENIED, _3=Kind.SERVER, _4=Kind.DENIED)
    each = Each(store, one, "version lists")
    assert each.fetch(range(6)) == [0, None, 4, None, None, 10]
    assert each.reasons() == [
        "2 of 6 version lists: denied (why)",
        "1 of 6 version lists: the service failed (why)",
    ]
    assert not each.stopped


def test_counts_go_on_over_pages(one) -> None:
    each = Each(Store(_1=Kind.DENIED, _12=Kind.DENIED), one, "version lists")
    each.fetch(range(10))
    each.fetch(range(10, 2_000))
    assert each.reasons() == ["2 of 2,000 version lists: denied (why)"]


LIMITS = [
    (kind, PATIENCE.get(kind, IMPATIENCE)) for kind in Kind if kind not in FATAL and kind is not Kind.GONE
]


@pytest.mark.parametrize(("kind", "limit"), LIMITS)
def test_so_many_refusals_of_a_kind_in_a_row_end_the_asking(kind, limit, one) -> None:
    store = Store(**refusing(kind, range(5, 500)))
    each = Each(store, one, "things")
    answers = each.fetch(range(500))
    assert len(store.asked) == 5 + limit
    assert answers == [item * 2 for item in range(5)] + [None] * 495
    assert each.stopped
    assert each.reasons()[-1] == f"{500 - 5 - limit:,} of 500 things were then not asked for"
    assert each.fetch([1_000]) == [None], "a later page is not asked for either"
    assert len(store.asked) == 5 + limit


@pytest.mark.parametrize(("kind", "limit"), LIMITS)
def test_an_answer_in_between_begins_the_count_anew(kind, limit, one) -> None:
    refused = [item for item in range(4 * limit) if item % limit]
    store = Store(**{f"_{item}": kind for item in refused})
    each = Each(store, one, "things")
    each.fetch(range(4 * limit))
    assert not each.stopped
    assert sum(each.refused.values()) == len(refused)


def test_so_does_a_refusal_of_another_kind(one) -> None:
    kinds = [Kind.SERVER, Kind.UNREADABLE] * 50
    each = Each(Store(**{f"_{item}": kind for item, kind in enumerate(kinds)}), one, "things")
    each.fetch(range(100))
    assert not each.stopped


@pytest.mark.parametrize("kind", sorted(FATAL))
def test_what_will_not_get_better_ends_the_asking_at_once(kind, one) -> None:
    store = Store(_3=kind)
    each = Each(store, one, "things")
    assert each.fetch(range(10)) == [0, 2, 4, *[None] * 7]
    assert store.asked == [0, 1, 2, 3]
    assert each.reasons()[1] == "6 of 10 things were then not asked for"


def test_what_was_deleted_meanwhile_has_an_answer_of_its_own(one) -> None:
    store = Store(**refusing(Kind.GONE, range(1, 200)))
    each = Each(store, one, "things", gone=-1)
    assert each.fetch(range(200)) == [0, *[-1] * 199]
    assert (each.reasons(), each.stopped) == ([], False)
    assert each.remarks() == ["199 of 200 things were deleted while they were listed"]


@pytest.mark.parametrize(("count", "gap"), [(1, False), (2, False), (3, True), (40, True)])
def test_a_list_of_nothing_but_deleted_things_is_not_believed(count, gap, one) -> None:
    each = Each(Store(**refusing(Kind.GONE, range(count))), one, "things", gone=-1)
    each.fetch(range(count))
    assert each.reasons() == ([f"all {count} things were gone when they were asked for"] if gap else [])
    assert bool(each.remarks()) is not gap


def test_without_one_it_counts_as_refused_but_never_ends_the_asking(one) -> None:
    each = Each(Store(**refusing(Kind.GONE, range(1, 200))), one, "things")
    assert each.fetch(range(200)) == [0, *[None] * 199]
    assert each.reasons() == ["199 of 200 things: deleted meanwhile (why)"]
    assert not each.stopped


def test_patience_may_differ(one) -> None:
    store = Store(**refusing(Kind.DENIED, range(100)))
    Each(store, one, "things", patience={Kind.DENIED: 2}).fetch(range(100))
    assert len(store.asked) == 2


def test_calls_under_way_when_asking_ends_are_counted_once(many) -> None:
    store = Store(**refusing(Kind.SERVER, range(1_000)))
    each = Each(store, many, "things")
    assert each.fetch(range(1_000)) == [None] * 1_000
    assert PATIENCE[Kind.SERVER] <= len(store.asked) <= PATIENCE[Kind.SERVER] + 8
    assert sum(each.refused.values()) + each.not_asked == each.wanted == 1_000


@pytest.mark.parametrize("error", [StoppedError(), OperationRefusedError("ours"), ValueError("ours")])
def test_what_is_no_refusal_is_not_kept_silent(error, one) -> None:
    def ask(item: int) -> int:
        raise error

    with pytest.raises(type(error)):
        Each(ask, one, "things").fetch([1])
