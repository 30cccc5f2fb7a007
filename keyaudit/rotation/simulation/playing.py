"""Playing a credential's days: the real machine and runner, in virtual time, as a scheduler would run them.

Every hour a scheduler looks whether a rotation is due or under way, and runs it without waiting for
more than two minutes; so a rotation takes several runs. It begins a rotation `lead` before it is due.
When a key leaks, or one in use is found dead, a human answers after a quarter of an hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from keyaudit.errors import RotationError
from keyaudit.rotation.journal import Entry
from keyaudit.rotation.parties import Parties
from keyaudit.rotation.runner import Runner
from keyaudit.rotation.shape import Shape
from keyaudit.rotation.sight import Quiet, Sight
from keyaudit.rotation.simulation.doors import PROVIDER, SILENCE, STORE, Door, Fate, Killed, ProbeDoor
from keyaudit.rotation.simulation.faults import Faults, Outages, leaks_of
from keyaudit.rotation.simulation.fleet import Subject
from keyaudit.rotation.simulation.provider import SimulatedProbe, SimulatedSilence
from keyaudit.rotation.simulation.story import Notes, Story
from keyaudit.rotation.simulation.world import Event, World
from keyaudit.rotation.steps import Done, Goal, Order, Step, Wait
from keyaudit.times import DAY, HOUR, MINUTE

EVERY = HOUR
"""How often the scheduler looks."""
REACTION = 15 * MINUTE
"""How long it takes until somebody answers an alarm."""
PATIENCE = 2 * MINUTE
"""The longest that a run waits by itself."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a simulation is played with; instants and durations in microseconds.

    `window` is how long an old key must be silent, `lead` how long before it is due a rotation begins.
    """

    start: int
    days: int
    seed: int
    faults: Faults
    window: int = HOUR
    lead: int = DAY

    @property
    def end(self) -> int:
        """When the simulation ends."""
        return self.start + self.days * DAY


def play_all(subjects: Iterable[Subject], setting: Setting) -> Iterator[Story]:
    """Play the days of a fleet; what is away is away for all of it at once."""
    faults, seed, start, days = setting.faults, setting.seed, setting.start, setting.days
    manager = Outages(faults.manager_outages, seed, "manager", start, days)
    provider = Outages(faults.provider_outages, seed, "provider", start, days)
    for subject in subjects:
        yield play(subject, setting, manager, provider)


def play(subject: Subject, setting: Setting, manager: Outages, provider: Outages) -> Story:
    """Play a credential's days."""
    player = _Player(subject, setting, manager, provider)
    while (wake := player.wakes()) < setting.end:
        player.world.advance(wake)
        player.attend()
    return player.ended()


class _Player:
    """The scheduler and the humans around one credential."""

    def __init__(self, subject: Subject, setting: Setting, manager: Outages, provider: Outages) -> None:
        self._subject, self._setting = subject, setting
        self.world = world = World(subject, setting.seed, setting.start, manager)
        self._notes = notes = Notes(world, Story(subject), setting.faults, setting.seed)
        self._story, self._provider_away = notes.story, provider
        self._fate, self._around = Fate(), _Around(world)

        def door(party: Any, names: frozenset[str], away: Outages) -> Any:
            return Door(party, names, away, world, self._fate, notes.take)

        self._parties = Parties(
            door(world.store, STORE, manager),
            door(world.provider, PROVIDER, provider),
            ProbeDoor(SimulatedProbe(world.provider), provider, world),
            door(_Silence(world), SILENCE, provider),
            Shape({}),
        )
        self._again: int | None = None
        """When the rotation under way is gone on with; None if none is."""
        self._armed = -1
        for leak in leaks_of(setting.faults, setting.seed, subject.name, setting.days):
            world.expect(Event(setting.start + leak, "leak"))

    def wakes(self) -> int:
        """Say when somebody looks at this credential next."""
        now, start = self.world.now, self._setting.start
        wanted = self._begins() if self._again is None else self._again
        tick = start - (start - max(wanted, now + 1)) // EVERY * EVERY
        event = self.world.next_event()
        return tick if event is None else min(tick, max(event, now) + REACTION)

    def _begins(self) -> int:
        """Say when the next rotation is to begin: at once where the key in use is dead."""
        served, period = self.world.served_key(), self._subject.rotation_period
        due = (served.created_at or 0) + period
        return due - min(self._setting.lead, period // 4) if served.active else self.world.now

    def attend(self) -> None:
        """Answer an alarm, begin a rotation, or go on with one."""
        for event in self.world.happened:
            self._notes.answered(event)
        self.world.happened.clear()
        compromised = self._notes.compromised
        begin = bool(compromised) or self.world.now >= self._begins()
        self._arm(begin=begin)
        self._run(
            Order(
                goal=Goal.EMERGENCY if compromised else Goal.FORWARD,
                window=self._setting.window,
                grace=self._subject.grace_period or DAY,
                fresh=min(DAY, self._subject.rotation_period // 4),
                compromised=compromised,
                begin=begin,
            )
        )

    def _arm(self, *, begin: bool) -> None:
        """Let the run that begins a rotation die where that is its luck."""
        if begin and self._armed != self._notes.minted:
            self._armed, luck = self._notes.minted, self._notes.coming
            self._fate.left, self._fate.after = luck.kill_at, luck.after

    def _run(self, order: Order) -> None:
        self._story.runs += 1
        self._again = self.world.now
        try:
            step = Runner(self._parties, _NoRecord(), self._around).run(order).step
        except Killed:
            self._story.killed += 1
        except RotationError:
            self._story.unreachable += 1
        else:
            if isinstance(step, Wait):
                self._again = step.until
            elif isinstance(step, Done):
                self._again = None
                self._notes.compromised = frozenset()
            elif self._provider_away.up_from(self.world.now) != self.world.now:
                self._story.unreachable += 1
            else:
                self._story.blocked += 1

    def ended(self) -> Story:
        """Let the rest of the time pass, and close the notes."""
        self.world.advance(self._setting.end)
        return self._notes.closed()


class _Silence(SimulatedSilence):
    """Asks after the last use when every application has just used its key: they do so all the time."""

    def __init__(self, world: World) -> None:
        super().__init__(world.provider)
        self._world = world

    def ask(self, key_id: str | None, version: str, since: int | None) -> Quiet:
        self._world.use()
        return super().ask(key_id, version, since)


class _NoRecord:
    """A record that nobody reads: keys bear their tokens here, and notes are taken otherwise."""

    def append(self, entry: Entry) -> None:
        """Keep nothing."""

    def entries(self) -> list[dict[str, Any]]:
        return []


@dataclass(frozen=True, slots=True)
class _Around:
    """Virtual time: waiting a little moves the clock, and nobody waits for long."""

    world: World

    def now(self) -> int:
        return self.world.now

    def sleep(self, until: int) -> bool:
        if until - self.world.now > PATIENCE:
            return False
        self.world.advance(max(until, self.world.now))
        return True

    def agrees(self, step: Step, sight: Sight) -> bool:
        del step, sight
        return True

    def tell(self, step: Step, sight: Sight) -> None:
        """Nobody watches."""
