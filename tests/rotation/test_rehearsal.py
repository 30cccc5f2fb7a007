"""A rehearsal changes nothing, and the run that follows makes exactly the calls that it told."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from keyaudit.cli.rotate.foreground import Rehearsed
from keyaudit.rotation.journal import MemoryJournal
from keyaudit.rotation.parties import Parties
from keyaudit.rotation.rehearsal import Call, rehearse
from keyaudit.rotation.runner import Runner
from keyaudit.rotation.secret import Secret
from keyaudit.rotation.shape import Shape
from keyaudit.rotation.simulation.provider import SimulatedProbe, SimulatedProvider, SimulatedSilence
from keyaudit.rotation.steps import Goal, Order, Outcome, Stage
from keyaudit.rotation.stores.memory import MemoryStore
from keyaudit.times import HOUR

STORE = ("look", "read", "stage", "void", "decide", "promote", "restore", "drop")
ISSUER = ("keys", "mint", "revoke", "recognise")


class Heard:
    """A real party, with a request for each of its methods, and a list of those that were made."""

    def __init__(self, party: Any, role: str, methods: tuple[str, ...] | None, requests: list[str]) -> None:
        self._party, self._role, self._requests = party, role, requests
        one = (f"{role}.ask",)
        self.calls = one if methods is None else {name: (f"{role}.{name}",) for name in methods}

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._party, name)
        if name not in {*STORE, *ISSUER, "ask"}:
            return found

        def called(*given: Any, **named: Any) -> Any:
            self._requests.append(f"{self._role}.{name}")
            return found(*given, **named)

        return called


class Keeping(SimulatedProvider):
    """Lists what it revoked, as the simulated provider does."""

    lists_revoked = True


class Forgetting(SimulatedProvider):
    """Lists a key that was revoked no more, as most providers do."""

    def keys(self):
        listed = super().keys() or ()
        return tuple(key for key in listed if key.active)


@dataclass
class World:
    names: bool = True
    kind: type[SimulatedProvider] = Keeping
    now: int = 1000 * HOUR
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.provider = self.kind(lambda: self.now, names=self.names)
        first = self.provider.mint(None, set())
        self.store = MemoryStore("demo", Secret(first.parts["key"]), clock=lambda: self.now)
        self.journal = MemoryJournal()
        self.parties = Parties(
            Heard(self.store, "store", STORE, self.requests),
            Heard(self.provider, "issuer", ISSUER, self.requests),
            Heard(SimulatedProbe(self.provider), "probe", None, self.requests),
            Heard(SimulatedSilence(self.provider), "silence", ("ask",), self.requests),
            Shape({}),
        )
        self.now += 48 * HOUR

    def surroundings(self) -> Rehearsed:
        """Give real ones of which nothing but the clock is a test's: waiting moves it at once."""
        world = self

        class Around(Rehearsed):
            def now(self) -> int:
                return world.now

            def sleep(self, until: int) -> bool:
                world.now = max(world.now, until)
                return True

        return Around(lambda *_: None, wait=True, start=0)

    def run(self, order: Order) -> Any:
        return Runner(self.parties, self.journal, self.surroundings()).run(order)


def nothing(world: World) -> None: ...


def staged(world: World) -> None:
    world.run(Order(until=Stage.STAGE))


def promoted(world: World) -> None:
    world.run(Order(until=Stage.PROMOTE))


def rotated(world: World) -> None:
    world.run(Order())


def minted_and_lost(world: World) -> None:
    world.provider.mint(world.store.look().token, set())
    world.now += HOUR


def overtaken(world: World) -> None:
    staged(world)
    world.store._note = replace(world.store._note, base="another")


STATES = (nothing, staged, promoted, rotated, minted_and_lost, overtaken)
ORDERS = {
    "run": Order(),
    "again": Order(fresh=0),
    "promote": Order(until=Stage.PROMOTE),
    "resume": Order(begin=False),
    "back": Order(goal=Goal.BACK, begin=False),
    "emergency": Order(goal=Goal.EMERGENCY, compromised=frozenset({"key-1"})),
    "named": Order(old_key_id="key-1"),
}


def seen(world: World) -> Any:
    keys = [(key.id, key.active, key.token) for key in world.provider.keys() or ()]
    return world.store.look(), dict(world.store._values), keys, world.journal.entries(), world.now


@pytest.mark.parametrize("kind", [Keeping, Forgetting])
@pytest.mark.parametrize("names", [True, False])
@pytest.mark.parametrize(
    ("state", "asked"), [*itertools.product(STATES, ORDERS)], ids=lambda each: getattr(each, "__name__", each)
)
def test_the_run_that_follows_makes_the_calls_that_were_told(
    state: Callable[[World], None], asked: str, names: bool, kind: type[SimulatedProvider]
) -> None:
    world, order = World(names, kind), ORDERS[asked]
    if names or state is not minted_and_lost:
        state(world)
    before, calls = seen(world), list[Call]()
    told = Rehearsed(lambda *_: None, wait=True, start=world.now)
    rehearsed = rehearse(world.parties, world.journal, told, order, calls.append)
    assert seen(world) == before, "a rehearsal changes nothing"

    world.requests.clear()
    ran = world.run(order)
    assert [request for call in calls for request in call.sends] == world.requests
    assert type(rehearsed.step) is type(ran.step)
    assert getattr(rehearsed.step, "outcome", None) == getattr(ran.step, "outcome", None)


def test_a_rehearsal_asks_the_real_parties_for_a_look_and_no_more() -> None:
    world = World()
    rehearse(
        world.parties,
        world.journal,
        Rehearsed(lambda *_: None, wait=True, start=world.now),
        Order(),
        lambda _: None,
    )
    assert set(world.requests) == {"store.look", "issuer.keys", "store.read", "issuer.recognise"}
    named = World()
    named.run(Order(until=Stage.STAGE))
    named.requests.clear()
    rehearse(
        named.parties, named.journal, Rehearsed(lambda *_: None, wait=True, start=named.now), Order(), print
    )
    assert set(named.requests) == {"store.look", "issuer.keys"}, "what is named is not read"


def test_no_value_is_among_what_a_rehearsal_tells() -> None:
    world, told = World(), list[Call]()
    steps: list[str] = []
    around = Rehearsed(lambda step, sight, at: steps.append(f"{step} {sight}"), wait=True, start=world.now)
    ending = rehearse(world.parties, world.journal, around, Order(), told.append)
    assert ending.step.outcome is Outcome.ROTATED
    assert "value-" not in repr(told) + repr(steps)
    assert any("(the new key)" in call.about for call in told)


def test_a_rehearsal_stops_where_the_run_would_not_wait() -> None:
    world = World()
    around = Rehearsed(lambda *_: None, wait=False, start=world.now)
    ending = rehearse(world.parties, world.journal, around, Order(), lambda _: None)
    assert ending.step.why == "the old key must be silent first"
    assert ending.step.until == world.now + HOUR
