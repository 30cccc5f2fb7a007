"""What every store owes a runner that is not alone, or slept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from keyaudit.rotation.stores.protocol import LostRaceError
from rotation.stores.contract import CANARY, StoreCase
from rotation.stores.walking import CALLS, HAND, NEW, OLD, OTHER, base_of, rotate, seen, walk


def race(*calls) -> list:
    """Begin all calls at once; gives what each returned, or the exception it raised."""
    barrier = Barrier(len(calls))

    def one(call):
        barrier.wait(timeout=60)
        try:
            return call()
        except LostRaceError as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(one, call) for call in calls]]


def test_of_two_answers_at_once_one_holds_for_both(case: StoreCase) -> None:
    store, other = case.fresh(OLD), case.again()
    for number in range(case.RACES):
        token = store.look().token
        walk(store, token, "stage")
        answers = race(
            lambda: store.decide(token, "forward", True),  # noqa: B023
            lambda: other.decide(token, "forward", False),  # noqa: B023
        )
        assert answers in ([True, True], [False, False]), number
        assert store.look().forward is other.look().forward is answers[0]
        if answers[0]:
            walk(store, token, "promote")
            answers = race(
                lambda: store.decide(token, "final", False),  # noqa: B023
                lambda: other.decide(token, "final", False),  # noqa: B023
            )
            assert answers == [False, False]
            walk(store, token, "restore", "drop previous")
        else:
            walk(store, token, "drop pending")
        assert case.served() == OLD


def test_of_two_keys_staged_at_once_one_is_kept_and_the_other_runner_knows(case: StoreCase) -> None:
    store, other = case.fresh(OLD), case.again()
    for _ in range(case.RACES):
        token = store.look().token
        ended = race(
            lambda: CALLS["stage"](store, token),  # noqa: B023
            lambda: CALLS["stage another"](other, token),  # noqa: B023
        )
        pending = store.look().pending
        assert pending is not None
        won = [pending.key_id == "key-1", pending.key_id == "key-9"]
        assert won in ([True, False], [False, True])
        assert [not isinstance(end, LostRaceError) for end in ended] == won
        assert store.read(pending.version).reveal() == (NEW if won[0] else OTHER)
        walk(store, token, "give up", "drop pending")


def test_of_staging_and_voiding_at_once_one_happens(case: StoreCase) -> None:
    store, other = case.fresh(OLD), case.again()
    for _ in range(case.RACES):
        token = store.look().token
        ended = race(
            lambda: CALLS["stage"](store, token),  # noqa: B023
            lambda: CALLS["void"](other, token),  # noqa: B023
        )
        shelf = store.look()
        staged, voided = (not isinstance(end, LostRaceError) for end in ended)
        assert staged is not voided
        assert staged is (shelf.pending is not None)
        assert voided is (token in shelf.spent)
        if staged:
            walk(store, token, "give up", "drop pending")


def test_two_promotions_at_once_are_one(case: StoreCase) -> None:
    store, other = case.fresh(OLD), case.again()
    for number in range(min(case.RACES, 10)):
        token, before = store.look().token, case.served()
        store_value = f"{CANARY}-{number}"
        from keyaudit.rotation.secret import Secret

        store.stage(token, Secret(store_value), f"key-{number + 1}", base=base_of(store, f"key-{number}"))
        walk(store, token, "go")
        race(lambda: CALLS["promote"](store, token), lambda: CALLS["promote"](other, token))  # noqa: B023
        shelf = store.look()
        assert shelf.promoted
        assert case.served() == store_value
        assert shelf.previous is not None
        assert store.read(shelf.previous.version).reveal() == before
        walk(store, token, "retire", "drop previous")


def test_a_runner_that_looked_before_a_roll_back_promotes_nothing(case: StoreCase) -> None:
    slow, quick = case.fresh(OLD), case.again()
    token = slow.look().token
    walk(slow, token, "stage", "go")
    slow.look()
    walk(quick, token, "promote", "want back", "restore")
    before = seen(case, quick)
    with pytest.raises(LostRaceError):
        slow.promote(token)
    assert seen(case, quick) == before
    walk(quick, token, "drop previous")
    with pytest.raises(LostRaceError):
        slow.promote(token)
    assert case.served() == OLD


def test_a_runner_that_looked_a_rotation_ago_does_nothing(case: StoreCase) -> None:
    slow, quick = case.fresh(OLD), case.again()
    token = slow.look().token
    walk(slow, token, "stage", "go", "promote", "want back")
    slow.look()
    walk(quick, token, "restore", "drop previous")
    rotate(quick, OTHER, "key-2")
    before = seen(case, quick)
    for name in ("restore", "promote", "drop previous", "drop pending", "want back", "go", "stage another"):
        with pytest.raises(LostRaceError):
            CALLS[name](slow, token)
        assert seen(case, quick) == before


SLEEPS = {
    "promote, after it was promoted and restored": (
        ("stage", "go"), "promote", ("promote", "want back", "restore"), OLD,
    ),
    "promote, after it was promoted, restored and dropped": (
        ("stage", "go"), "promote", ("promote", "want back", "restore", "drop previous"), OLD,
    ),
    "promote, after a change by hand": (("stage", "go"), "promote", ("by hand",), HAND),
    "promote, after a change by hand and back": (
        ("stage", "go"), "promote", ("by hand", "drop pending", "rotate"), OTHER,
    ),
    "restore, after it was restored and rotated": (
        ("stage", "go", "promote", "want back"), "restore", ("restore", "drop previous", "rotate"), OTHER,
    ),
    "restore, after a change by hand": (
        ("stage", "go", "promote", "want back"), "restore", ("by hand",), HAND,
    ),
    "stage, after it was voided": ((), "stage", ("void",), OLD),
    "stage, after another key was staged": ((), "stage", ("stage another",), OLD),
    "stage, after another key was promoted": ((), "stage", ("stage another", "go", "promote"), OTHER),
    "stage, after another rotation": ((), "stage", ("void", "rotate"), OTHER),
    "void, after a key was staged": ((), "void", ("stage",), OLD),
    "void, after a key was promoted": ((), "void", ("stage", "go", "promote"), NEW),
    "void, after a key was promoted and restored": (
        (), "void", ("stage", "go", "promote", "want back", "restore"), OLD,
    ),
    "drop what was abandoned, after it was dropped and rotated": (
        ("stage", "give up"), "drop pending", ("drop pending", "rotate"), OTHER,
    ),
    "drop the old value, after it was dropped and rotated": (
        ("stage", "go", "promote", "retire"), "drop previous", ("drop previous", "rotate"), OTHER,
    ),
}  # fmt: skip
"""What was done, what a runner was about to do when it fell asleep, what others did meanwhile, what is served."""


@pytest.mark.needs("hand", "meanwhile")
@pytest.mark.parametrize("story", SLEEPS)
def test_a_runner_that_slept_between_reading_and_writing_loses(case: StoreCase, story: str) -> None:
    done, call, others, served = SLEEPS[story]
    slow, quick = case.fresh(OLD), case.again()
    token = slow.look().token
    walk(slow, token, *done)
    slow.look()
    after = []

    def meanwhile() -> None:
        for name in others:
            if name == "by hand":
                case.put(HAND)
            elif name == "rotate":
                rotate(quick, OTHER, "key-9")
            else:
                CALLS[name](quick, token)
        after.append(seen(case, quick))

    case.meanwhile(meanwhile)
    with pytest.raises(LostRaceError):
        CALLS[call](slow, token)
    assert after, "nothing happened in between"
    assert seen(case, quick) == after[0]
    assert case.served() == served


@pytest.mark.needs("meanwhile")
def test_of_two_answers_the_one_given_while_the_other_runner_slept_holds(case: StoreCase) -> None:
    slow, quick = case.fresh(OLD), case.again()
    token = slow.look().token
    walk(slow, token, "stage")
    case.meanwhile(lambda: walk(quick, token, "give up"))
    assert slow.decide(token, "forward", True) is False
    assert slow.look().forward is False
