"""The four failures of the first lesson's table, each with the recovery that it names.

| what happens               | symptom                    | recovery                     |
|----------------------------|----------------------------|------------------------------|
| the new key does not work  | 401 after the switch       | roll back to the old key     |
| the old one ended too early| all requests fail          | a new key at once            |
| a partial rollout          | some on old, some on new   | the grace is extended        |
| the manager is unreachable | no key can be fetched      | the cached key goes on       |
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from keyaudit.errors import RotationError
from keyaudit.rotation.steps import Blocked, Done, Goal, Order, Outcome, Revoke, Stage, Wait
from keyaudit.times import DAY, HOUR, MINUTE
from rotation.in_memory import Scene

ROTATE = Order(window=HOUR, grace=DAY)


def outcome(ending: object) -> Outcome:
    step = ending.step  # type: ignore[attr-defined]
    assert isinstance(step, Done)
    return step.outcome


def test_nothing_fails_when_nothing_goes_wrong() -> None:
    scene = Scene()
    quick, slow = scene.application(5 * MINUTE), scene.application(2 * HOUR)
    assert outcome(scene.run(ROTATE)) is Outcome.ROTATED
    assert (quick.refused, slow.refused) == ([], [])
    assert slow.answered > 120, "the rotation waited for the slower of the two"
    assert scene.alive == ["key-2"]
    assert scene.store.served().reveal() == "value-2"


def test_a_new_key_that_does_not_work_is_never_given_to_anybody() -> None:
    scene = Scene()
    application = scene.application(5 * MINUTE)
    scene.provider.broken = True
    assert outcome(scene.run(ROTATE)) is Outcome.ROLLED_BACK
    scene.pass_time(DAY)
    assert application.refused == []
    assert scene.alive == ["key-1"], "and the dead one is cleared away"
    assert scene.store.served().reveal() == "value-1"
    scene.provider.broken = False
    assert outcome(scene.run(ROTATE)) is Outcome.ROTATED


def test_a_new_key_that_stops_working_after_the_switch_gives_way_to_the_old_one() -> None:
    scene = Scene()
    application = scene.application(5 * MINUTE)
    scene.run(Order(until=Stage.PROMOTE, window=HOUR))
    scene.pass_time(30 * MINUTE)
    scene.provider.revoke("key-2")
    scene.pass_time(10 * MINUTE)
    assert len(application.refused) == 10, "401 after the switch"
    assert outcome(scene.run(Order(window=HOUR, begin=False))) is Outcome.ROLLED_BACK
    assert scene.store.served().reveal() == "value-1"
    assert scene.alive == ["key-1"]
    assert scene.at - application.refused[0] < 12 * MINUTE, (
        "a minute more in which the new key is tried again"
    )
    before = len(application.refused)
    scene.pass_time(DAY)
    assert len(application.refused) == before, "the client asks the store again at its next request"


def test_a_key_that_was_revoked_too_early_is_replaced_at_once() -> None:
    scene = Scene()
    application = scene.application(5 * MINUTE)
    scene.run(ROTATE)
    scene.pass_time(HOUR)
    scene.provider.revoke("key-2")
    scene.pass_time(7 * MINUTE)
    assert len(application.refused) == 7, "all requests fail"
    assert outcome(scene.run(ROTATE)) is Outcome.ROTATED, "fresh as it is"
    scene.pass_time(MINUTE)
    assert len(application.refused) == 7
    assert scene.alive == ["key-3"]
    assert not [step for step in scene.told if isinstance(step, Wait) and step.until > scene.at]


def test_an_old_key_that_was_revoked_while_it_drained_leaves_the_rotation_its_end() -> None:
    scene = Scene()
    application = scene.application(2 * HOUR)
    scene.run(Order(until=Stage.PROMOTE, window=HOUR))
    scene.provider.revoke("key-1")
    scene.pass_time(MINUTE)
    assert application.refused == [], "a client that is refused asks its store at once"
    before = scene.at
    assert outcome(scene.run(ROTATE)) is Outcome.ROTATED
    assert scene.at == before, "there is nothing left to wait for"
    assert scene.alive == ["key-2"]


def test_a_leaked_key_is_ended_first_and_replaced_then() -> None:
    scene = Scene()
    scene.application(5 * MINUTE)
    order = Order(goal=Goal.EMERGENCY, compromised=frozenset({"key-1"}), grace=0)
    before = scene.at
    assert outcome(scene.run(order)) is Outcome.ROTATED
    assert isinstance(scene.told[0], Revoke)
    assert scene.at == before
    assert scene.alive == ["key-2"]


def test_a_partial_rollout_extends_the_grace_until_the_last_application_has_moved() -> None:
    scene = Scene()
    moved, stuck = scene.application(5 * MINUTE), scene.application(5 * DAY)
    scene.patience = HOUR
    ending = scene.run(ROTATE)
    while isinstance(ending.step, Wait):
        assert "key-1" in scene.alive
        scene.pass_time(max(ending.step.until - scene.at, 0))
        ending = scene.run(Order(window=HOUR, grace=DAY, begin=False))
    assert outcome(ending) is Outcome.ROTATED
    assert (moved.refused, stuck.refused) == ([], [])
    assert scene.alive == ["key-2"]
    late = [step for step in scene.waits() if step.late]
    assert late, "it is said that the grace is over"
    assert all("used after its successor took over" in step.why for step in late)
    assert DAY * 5 <= scene.at - scene.store.look().current.since <= DAY * 5 + 3 * HOUR


class Away:
    """The way to a store that is sometimes away, for runs and applications alike."""

    def __init__(self, scene: Scene) -> None:
        self._scene, self.up = scene, True
        self._store = scene.store

    def fetch(self) -> Iterable[str]:
        if not self.up:
            raise ConnectionError
        return self._scene.fetch()

    def __getattr__(self, name: str) -> object:
        if not self.up:
            raise RotationError("the store cannot be reached")
        return getattr(self._store, name)


@pytest.mark.parametrize("reached", [Stage.STAGE, Stage.VERIFY, Stage.PROMOTE])
def test_while_the_manager_is_unreachable_the_cached_key_goes_on_and_then_the_run(reached: Stage) -> None:
    scene = Scene()
    way = Away(scene)
    object.__setattr__(scene.parties, "store", way)
    application = scene.application(5 * MINUTE, way.fetch)
    scene.run(Order(until=reached, window=HOUR))
    way.up = False
    scene.pass_time(6 * HOUR)
    with pytest.raises(RotationError, match="cannot be reached"):
        scene.run(ROTATE)
    assert application.refused == [], "it goes on with the last good answer"
    assert "key-1" in scene.alive, "and nobody ends that while it is used"
    way.up = True
    assert outcome(scene.run(ROTATE)) is Outcome.ROTATED
    assert application.refused == []
    assert scene.alive == ["key-2"]


def test_a_manager_that_goes_away_while_the_old_key_drains_keeps_the_old_key_alive() -> None:
    scene = Scene()
    way = Away(scene)
    application = scene.application(30 * MINUTE, way.fetch)
    scene.run(Order(until=Stage.STAGE, window=HOUR))
    way.up = False
    scene.run(Order(until=Stage.PROMOTE, window=HOUR))
    scene.meanwhile.append(lambda: setattr(way, "up", scene.at > scene.store.look().current.since + 9 * HOUR))
    assert outcome(scene.run(ROTATE)) is Outcome.ROTATED
    assert application.refused == []
    assert scene.at - scene.store.look().current.since > 10 * HOUR


class Hesitant(Scene):
    """Whoever is asked says no to the second key."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[object] = []

    def agrees(self, *asked: object) -> bool:
        self.shown.append(asked[0])
        return len(self.shown) == 1


def test_each_key_that_an_emergency_ends_is_agreed_to_by_itself() -> None:
    scene = Hesitant()
    scene.provider.mint(None, set())
    leaked = Order(goal=Goal.EMERGENCY, compromised=frozenset({"key-1", "key-2"}))
    assert isinstance(scene.run(leaked).step, Blocked)
    assert scene.shown == [Revoke("key-1", emergency=True), Revoke("key-2", emergency=True)]
    assert scene.alive == ["key-2"]
