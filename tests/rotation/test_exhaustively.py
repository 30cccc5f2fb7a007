"""Zero downtime, by exhaustion: no order of steps, kills and races brings a bad state about.

`exploring` visits every state that the real runner can get into with a store and a provider in
memory. Each test says what holds in all of them, and that from each of them a run that is left alone
comes to a good end. A change that makes the number of states small made the search
blind, so a floor is asserted.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from keyaudit.rotation.steps import Done, Goal, Order, Stage
from rotation.exploring import Found, Standing, World, advance, explore

FORWARD = Order(settle=0)
BACK = Order(goal=Goal.BACK)
EMERGENCY = Order(goal=Goal.EMERGENCY, compromised=frozenset({"key-1"}), settle=0)


def works(world: World) -> None:
    """What applications hold works, and so does what a new one would be given."""
    assert world.provider.works(world.held.reveal()), ("an application holds a dead key", world.key)
    assert world.provider.works(world.store.served().reveal()), ("a dead key is served", world.key)


def ends_well(found: Found, order: Order = FORWARD, *, may_mint: bool = True) -> None:
    """From every state, a run that is left alone ends, and one key is left: the one that is served."""
    for state in found.worlds.values():
        world = state.copied()
        end = alone(world, replace(order, begin=may_mint))
        assert isinstance(end, Done) or (order.goal is Goal.BACK and world.store.look().final), (
            end,
            state.key,
        )
        if isinstance(end, Done):
            assert world.alive == [served(world)], (end, state.key)
            assert world.store.look().pending is None
            assert world.store.look().previous is None
        works(world)


def served(world: World) -> str | None:
    return world.provider.recognise({"key": world.store.served().reveal()}, None)


def alone(world: World, order: Order) -> object:
    """Let one run go on undisturbed; the application fetches its value every minute."""
    standing = Standing(order)
    for _ in range(500):
        world.held = world.store.served()
        if standing.ended is not None:
            return standing.ended.step
        if standing.until is not None and standing.until > world.now:
            world.now = standing.until
        world.changed()
        standing = advance(world, standing)
    raise AssertionError("the run does not end")


@pytest.mark.parametrize("forgets", [False, True], ids=["revoked keys are listed", "revoked keys are gone"])
@pytest.mark.parametrize("slots", [None, 2], ids=["any number of keys", "two keys at once"])
def test_one_run_may_be_killed_at_any_call(*, forgets: bool, slots: int | None) -> None:
    world = World(slots=slots)
    world.provider.forgets = forgets
    found = explore(world, [FORWARD], works)
    assert found.states > 100
    assert found.endings == {"nothing"}
    ends_well(found)


@pytest.mark.parametrize("until", list(Stage))
def test_a_run_may_stop_after_any_stage_and_another_goes_on(until: Stage) -> None:
    found = explore(World(), [replace(FORWARD, until=until)], works)
    assert found.endings
    assert found.states > 20 * until
    ends_well(found)


@pytest.mark.parametrize("forgets", [False, True], ids=["revoked keys are listed", "revoked keys are gone"])
def test_two_runs_may_race_and_be_killed_at_any_call(*, forgets: bool) -> None:
    world = World()
    world.provider.forgets = forgets
    found = explore(world, [FORWARD, FORWARD], works, most_minted=2)
    assert found.states > 10_000
    ends_well(found)


def test_two_runs_may_race_for_the_last_slot() -> None:
    found = explore(World(slots=2), [FORWARD, FORWARD], works, most_minted=2)
    assert found.states > 5_000
    ends_well(found)


def test_one_may_rotate_while_another_rolls_back() -> None:
    found = explore(World(), [FORWARD, BACK], works, most_minted=2)
    assert found.states > 10_000
    ends_well(found)
    ends_well(found, BACK, may_mint=False)


@pytest.mark.parametrize(
    "orders", [[FORWARD], [replace(FORWARD, until=Stage.PROMOTE), BACK]], ids=["on", "back"]
)
def test_somebody_may_store_a_key_of_their_own_at_any_moment(orders: list[Order]) -> None:
    found = explore(World(hands=1), orders, works, most_minted=2, kills=len(orders) == 1)
    assert found.states > 300
    for state in found.worlds.values():
        world = state.copied()
        assert isinstance(alone(world, FORWARD), Done)
        works(world)


def test_a_new_key_that_does_not_work_is_never_served() -> None:
    world = World()
    world.provider.broken = True
    found = explore(world, [FORWARD, FORWARD], works, most_minted=2, kills=False)
    assert found.states > 1_000
    for state in found.worlds.values():
        assert state.store.served().reveal() == "value-1"


def test_an_emergency_beside_a_rotation_ends_with_one_good_key() -> None:
    def only_the_compromised_key_fails(world: World) -> None:
        for value in (world.held, world.store.served()):
            assert world.provider.works(value.reveal()) or value.reveal() == "value-1"

    found = explore(World(), [EMERGENCY, FORWARD], only_the_compromised_key_fails, most_minted=2)
    for state in found.worlds.values():
        world = state.copied()
        assert isinstance(alone(world, EMERGENCY), Done)
        assert "key-1" not in world.alive
        works(world)
        assert world.alive == [served(world)]


def test_an_emergency_goes_on_where_promotion_was_settled_for_a_key_that_is_dead_by_now() -> None:
    world = World()
    alone(world, replace(FORWARD, until=Stage.VERIFY))
    world.store.decide(world.store.look().token, "forward", answer=True)
    for key in list(world.alive):
        world.provider.revoke(key)
    world.__dict__.pop("key", None)
    assert isinstance(alone(world, FORWARD), Done)
    assert isinstance(alone(world, EMERGENCY), Done)
    works(world)
    assert world.alive == [served(world)]


def test_an_application_that_never_fetches_again_keeps_its_old_key() -> None:
    world = World()
    standing = Standing(FORWARD)
    for _ in range(300):
        if standing.until is not None and standing.until > world.now:
            assert world.provider.honours(world.held)
            world.now = standing.until
            assert world.provider.honours(world.held)
        world.changed()
        standing = advance(world, standing)
        assert standing.ended is None
    assert world.held.reveal() == "value-1"
    assert world.store.served().reveal() == "value-2"
