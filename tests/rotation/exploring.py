"""Every state that runs of the real runner can bring a store and a provider into, one call at a time.

A state is: the store, the provider, what an application holds, and where each run stands. A run
stands between two calls to the outside: what it was answered since it last began to look is all
that it knows. From each state, each run may make its next call, or be killed and started again;
the application may fetch its value; time may pass where somebody waits. States that differ in
nothing that matters are one state, so the search ends, and what it did not find cannot happen.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from keyaudit.errors import RotationError
from keyaudit.rotation.journal import MemoryJournal
from keyaudit.rotation.parties import Parties
from keyaudit.rotation.runner import Ending, Runner
from keyaudit.rotation.secret import Secret
from keyaudit.rotation.shape import Shape
from keyaudit.rotation.simulation.provider import SimulatedProbe, SimulatedProvider, SimulatedSilence
from keyaudit.rotation.steps import Blocked, Order
from keyaudit.rotation.stores.memory import MemoryStore
from keyaudit.rotation.stores.protocol import LostRaceError
from keyaudit.times import HOUR

LONG = HOUR
"""The window: further apart than this, instants differ in nothing that the machine asks."""


class Stopped(BaseException):
    """The run made the one call that it was allowed, and is about to make another."""


class Asleep(BaseException):
    def __init__(self, until: int) -> None:
        self.until = until


@dataclass
class World:
    """A store, a provider, a clock, and one application that uses what it fetched last."""

    slots: int | None = None
    hands: int = 0
    """How often somebody may still store a key of their own, past every rotation."""
    now: int = 100 * HOUR

    def __post_init__(self) -> None:
        self.provider = SimulatedProvider(self.clock, slots=self.slots)
        self.first = self.provider.mint(None, set())
        self.store = MemoryStore("demo", Secret(self.first.parts["key"]), clock=self.clock)
        self.held = self.store.served()
        self.now += LONG

    def clock(self) -> int:
        return self.now

    def copied(self) -> World:
        """Give a world to be changed; this one stays as it is from now on."""
        other = copy.copy(self)
        other.changed()
        other.provider = copy.copy(self.provider)
        other.provider._keys = {name: copy.copy(held) for name, held in self.provider._keys.items()}
        other.provider._clock = other.clock
        other.store = copy.copy(self.store)
        other.store._values = dict(self.store._values)
        other.store._clock = other.clock
        return other

    def changed(self) -> None:
        """Forget what was worked out before a change."""
        self.__dict__.pop("key", None)
        self.__dict__.pop("shelved", None)

    @cached_property
    def shelved(self) -> frozenset[str]:
        """Give the versions that are on the shelf, as `key` does."""
        note = self.store._note
        return frozenset(place.version for place in (note.current, note.pending, note.previous) if place)

    @cached_property
    def key(self) -> Any:
        """Give all that the future depends on. A world is asked when it is not changed any more."""
        note = self.store._note
        places = [
            place and (place.version, place.key_id, place.token, self._ago(place.since))
            for place in (note.current, note.pending, note.previous)
        ]
        keys = [
            (name, held.token, self._ago(held.last_used_at), self._ago(held.created_at))
            for name, held in self.provider._keys.items()
            if held.active
        ]
        return (
            *places,
            note.serial,
            note.base,
            note.forward,
            note.final,
            note.spent,
            self.minted,  # ids and numbers of versions count on
            len(self.store._values),
            self.hands,
            tuple(keys),
            self.held.reveal(),
        )

    def _ago(self, instant: int | None) -> int | None:
        return None if instant is None else min(self.now - instant, LONG)

    def store_by_hand(self) -> None:
        key = self.provider.mint(None, set())
        version = str(len(self.store._values) + 1)
        self.store._values[version] = Secret(key.parts["key"])
        self.store._note = self.store._note.found(version, self.now)
        self.hands -= 1

    @property
    def minted(self) -> int:
        return len(self.provider._keys) - 1

    @property
    def alive(self) -> list[str]:
        return [name for name, held in self.provider._keys.items() if held.active]


@dataclass(frozen=True)
class Standing:
    """Where a run stands: what it carried into this turn, and what it was answered since."""

    order: Order
    alive: tuple[Any, ...] = ()
    quiet: Any = None
    answers: tuple[Any, ...] = ()
    about: str = ""
    """The call that it is about to make, and what it decided."""
    until: int | None = None
    ended: Any = None

    def key(self, world: World) -> Any:
        """Give all that its future depends on, besides the world."""
        quiet = self.quiet and (
            self.quiet[0],
            world._ago(self.quiet[1].seen_until),
            world._ago(self.quiet[1].last_used_at),
        )
        return (
            self.order.begin,
            tuple(found for found in self.alive if found[0] in world.shelved),
            quiet,
            self.about,
            None if self.until is None else max(self.until - world.now, 0),
            self.ended is not None,
        )

    def killed(self, order: Order) -> Standing:
        """Give where it stands when it was killed and started again."""
        return Standing(order)


class _Calls:
    """Answers a run's calls with what it was answered before, lets one further call happen, and stops it."""

    def __init__(self, answers: tuple[Any, ...], around: _Around) -> None:
        self._old = deque(answers)
        self._around = around
        self.answers = answers
        self.turned = False
        self.about = ""
        self._made = False

    def __call__(self, name: str, args: Any, call: Callable[[], Any]) -> Any:
        if self._old:
            return _given(self._old.popleft())
        if self._made:
            # It decided, did it, and begins to look again: what it was answered is forgotten.
            self.turned = name == "look" and self._around.told is not None
            self.about = repr((name, args))
            raise Stopped
        self._made = True
        try:
            answer = call()
        except LostRaceError as error:
            answer = error
        self.answers = (*self.answers, answer)
        return _given(answer)


def _given(answer: Any) -> Any:
    if isinstance(answer, LostRaceError):
        raise LostRaceError
    return answer


class _Watched:
    """A party whose every method is one call."""

    def __init__(self, party: Any, names: tuple[str, ...], calls: _Calls) -> None:
        self._party, self._names, self._calls = party, names, calls

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._party, name)
        if name not in self._names:
            return found
        return lambda *args, **named: self._calls(name, (args, named), lambda: found(*args, **named))


class _Around:
    def __init__(self, world: World) -> None:
        self._world = world
        self.told: Any = None
        self.decided = ""

    def now(self) -> int:
        return self._world.now

    def sleep(self, until: int) -> bool:
        raise Asleep(until)

    def agrees(self, *_: Any) -> bool:
        return True

    def tell(self, step: Any, sight: Any) -> None:
        self.told = step
        self.decided = repr((step, [(place.version, place.key_id) for place in sight.shelf.places]))


STORE = ("look", "read", "stage", "void", "decide", "promote", "restore", "drop")
ISSUER = ("keys", "mint", "revoke", "recognise")


def advance(world: World, standing: Standing) -> Standing:
    """Let a run make its next call in a world, which is changed; say where it stands then."""
    around = _Around(world)
    calls = _Calls(standing.answers, around)
    parties = Parties(
        store=_Watched(world.store, STORE, calls),  # type: ignore[arg-type]
        issuer=_Watched(world.provider, ISSUER, calls),  # type: ignore[arg-type]
        probe=_Watched(SimulatedProbe(world.provider), ("ask",), calls),  # type: ignore[arg-type]
        silence=_Watched(SimulatedSilence(world.provider), ("ask",), calls),  # type: ignore[arg-type]
        shape=Shape({}),
        propagation=0,
    )
    runner = Runner(parties, MemoryJournal(), around)
    runner._run.alive = dict(standing.alive)
    runner._run.quiet = standing.quiet
    ended, until = None, None
    try:
        ended = runner.run(standing.order)
    except Stopped:
        if not calls.turned:
            seen = around.decided or repr(calls.answers)
            return replace(standing, answers=calls.answers, about=seen + calls.about, until=None)
    except Asleep as asleep:
        until = asleep.until
    except RotationError as error:
        ended = Ending(Blocked(str(error), ""), None)  # type: ignore[arg-type]
    return Standing(
        runner._order, tuple(runner._run.alive.items()), runner._run.quiet, until=until, ended=ended
    )


@dataclass
class Found:
    states: int = 0
    worlds: dict[Any, World] = field(default_factory=dict)
    pruned: int = 0
    endings: set[str] = field(default_factory=set)
    steps: dict[Any, tuple[World, Standing]] = field(default_factory=dict)
    """What a run does next does not depend on where the others stand."""


def explore(
    world: World,
    orders: list[Order],
    check: Callable[[World], None],
    *,
    most_minted: int = 3,
    kills: bool = True,
) -> Found:
    """Visit every state; `check` is called with the world of each and raises for a bad one."""
    found = Found()
    start = (world, tuple(Standing(order) for order in orders))
    seen = {_key(*start)}
    queue = deque([start])
    while queue:
        world, standings = queue.popleft()
        found.states += 1
        check(world)
        found.worlds.setdefault(world.key, world)
        if world.minted > most_minted:
            found.pruned += 1
            continue
        for successor in _successors(world, standings, orders, found, kills=kills):
            key = _key(*successor)
            if key not in seen:
                seen.add(key)
                queue.append(successor)
    return found


def _key(world: World, standings: tuple[Standing, ...]) -> Any:
    runs = [(standing.order.goal, standing.order.until, standing.key(world)) for standing in standings]
    # Runs that were asked for the same are interchangeable: any order will do that is always the same.
    return world.key, tuple(sorted(runs, key=hash))


def _successors(
    world: World, standings: tuple[Standing, ...], orders: list[Order], found: Found, *, kills: bool
) -> Iterator[tuple[World, tuple[Standing, ...]]]:
    for index, standing in enumerate(standings):
        if standing.ended is not None:
            found.endings.add(str(getattr(standing.ended.step, "outcome", standing.ended.step)))
            continue
        if standing.until is None or standing.until <= world.now:
            about = (world.key, world.now, standing.key(world), standing.order.goal, standing.order.until)
            if about not in found.steps:
                other = world.copied()
                found.steps[about] = other, advance(other, standing)
            other, further = found.steps[about]
            yield other, _with(standings, index, further)
        if kills and (standing.answers or standing.alive or standing.until):
            yield world, _with(standings, index, standing.killed(orders[index]))
    if world.held != world.store.served():
        other = world.copied()
        other.held = other.store.served()
        yield other, standings
    if world.hands:
        other = world.copied()
        other.store_by_hand()
        yield other, standings
    waiting = [
        standing.until for standing in standings if standing.until is not None and standing.ended is None
    ]
    if any(until > world.now for until in waiting):
        other = world.copied()
        other.provider.honours(other.held)
        other.now = min(until for until in waiting if until > world.now)
        other.provider.honours(other.held)
        yield other, standings


def _with(standings: tuple[Standing, ...], index: int, standing: Standing) -> tuple[Standing, ...]:
    return (*standings[:index], standing, *standings[index + 1 :])
