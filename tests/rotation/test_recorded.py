"""What the record says of orders that were given and not carried out."""

from __future__ import annotations

import pytest

from keyaudit.rotation.recorded import escape_since, last_outcome, unfinished
from keyaudit.rotation.runner import Runner
from keyaudit.rotation.sight import Liveness
from keyaudit.rotation.steps import Goal, Order, Stage
from rotation.test_rehearsal import World


def requested(goal: str, *keys: str, at: str = "then") -> dict:
    return {"event": "requested", "goal": goal, "outcome": None, "at": at, "detail": {"compromised": keys}}


def ended(goal: str, outcome: str) -> dict:
    return {"event": "ended", "goal": goal, "outcome": outcome, "at": "later", "detail": {}}


EMERGENCY, BACK, FORWARD = "emergency", "back", "forward"
LEFT = [
    ("nothing", [], None, set()),
    ("asked for, and killed", [requested(FORWARD)], FORWARD, set()),
    ("waiting is not the end", [requested(BACK), ended(BACK, "waiting")], BACK, set()),
    ("blocked is not the end", [requested(EMERGENCY, "a"), ended(EMERGENCY, "blocked")], EMERGENCY, {"a"}),
    ("done", [requested(EMERGENCY, "a"), ended(EMERGENCY, "rotated")], None, set()),
    (
        "given up is no end of an emergency",
        [requested(EMERGENCY, "a"), ended(EMERGENCY, "rolled-back")],
        EMERGENCY,
        {"a"},
    ),
    ("rolled back", [requested(FORWARD), ended(FORWARD, "rolled-back")], None, set()),
    (
        "an emergency stays one whatever is asked for later",
        [requested(EMERGENCY, "a"), requested(FORWARD), ended(FORWARD, "rotated")],
        EMERGENCY,
        {"a"},
    ),
    (
        "more keys are compromised than was thought",
        [requested(EMERGENCY, "a", at="first"), requested(EMERGENCY, "b")],
        EMERGENCY,
        {"a", "b"},
    ),
    (
        "a new wish replaces the one before",
        [requested(FORWARD), requested(BACK), ended(FORWARD, "rotated")],
        BACK,
        set(),
    ),
]


@pytest.mark.parametrize(("entries", "goal", "keys"), [row[1:] for row in LEFT], ids=[row[0] for row in LEFT])
def test_what_is_still_to_be_carried_out(entries, goal, keys) -> None:
    left = unfinished(entries)
    assert (None if left is None else left.goal) == goal
    if left is not None:
        assert left.compromised == keys


def test_an_escape_stays_open_until_somebody_says_what_came_of_it() -> None:
    entries = [requested(EMERGENCY, "a", at="monday"), ended(EMERGENCY, "rotated")]
    assert escape_since([]) is None
    assert escape_since([requested(FORWARD)]) is None
    assert escape_since(entries) == "monday"
    assert escape_since([*entries, requested(EMERGENCY, "b", at="tuesday")]) == "monday"
    audited = [*entries, ended(EMERGENCY, "audited")]
    assert escape_since(audited) is None
    assert escape_since([*audited, requested(EMERGENCY, "c", at="friday")]) == "friday"
    assert unfinished(audited) is None


def test_the_last_end_is_what_counts() -> None:
    assert last_outcome([]) is None
    assert last_outcome([ended(FORWARD, "rotated"), ended(FORWARD, "waiting")]) == "rotated"
    assert last_outcome([ended(FORWARD, "rotated"), ended(BACK, "rolled-back")]) == "rolled-back"


class Killed(Exception):
    """What a run dies of here."""


def test_an_emergency_that_was_killed_goes_on_with_the_keys_that_it_began_with() -> None:
    """After the new key is promoted, the key in use is no longer the one that escaped."""
    world = World()
    around = world.surroundings()

    def told(step, sight, _) -> None:
        if sight.shelf.promoted:
            raise Killed

    around._told = told
    emergency = Order(goal=Goal.EMERGENCY, compromised=frozenset({"key-1"}))
    with pytest.raises(Killed):
        Runner(world.parties, world.journal, around).run(emergency)
    left = unfinished(world.journal.entries())
    assert left is not None
    assert (left.goal, left.compromised) == (Goal.EMERGENCY, {"key-1"})
    world.run(Order(goal=left.goal, compromised=left.compromised))
    assert unfinished(world.journal.entries()) is None
    assert [key.id for key in world.provider.keys() or () if key.active] == ["key-2"]
    assert world.parties.probe.ask({"key": world.store.served().reveal()}) is Liveness.ALIVE


def test_a_stage_that_was_asked_for_and_reached_is_no_unfinished_order() -> None:
    world = World()
    world.run(Order(until=Stage.STAGE))
    assert unfinished(world.journal.entries()) is None
