"""What a report wants to know of one credential's days, noted when it happens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from keyaudit.rotation.machine import strays, unaccounted
from keyaudit.rotation.sight import Sight
from keyaudit.rotation.simulation.faults import Faults, luck_of
from keyaudit.rotation.simulation.fleet import Subject
from keyaudit.rotation.simulation.world import Event, World


@dataclass(slots=True)
class Story:
    """What happened to one credential. Durations in microseconds, one for each occasion."""

    subject: Subject
    late: list[int] = field(default_factory=list)
    """By how much the value in use was older than its period, for each rotation that was late.

    One that is still to come at the end counts too; so does an old key that had to be served again.
    """
    overlaps: list[int] = field(default_factory=list)
    """How long each old key worked after its successor took over."""
    exposures: list[int] = field(default_factory=list)
    """How long each leaked key worked after it leaked."""
    refused: dict[str, int] = field(default_factory=dict)
    rotations: int = 0
    rollbacks: int = 0
    emergencies: int = 0
    runs: int = 0
    killed: int = 0
    unreachable: int = 0
    blocked: int = 0
    discarded: int = 0
    """Keys that no application was given, ended: what dead runs and dead keys left behind."""
    orphans: int = 0
    """Keys that still work when it ends, and nothing on the shelf explains."""


class Notes:
    """Takes notes of what takes effect, and lets luck strike where it is due."""

    def __init__(self, world: World, story: Story, faults: Faults, seed: int) -> None:
        self.story = story
        self.compromised: frozenset[str] = frozenset()
        """The keys that an emergency is about, until it has ended."""
        self.minted = 0
        self._world, self._faults, self._seed = world, faults, seed
        self._leaked_at: dict[str, int] = {}
        self._superseded: tuple[str, int] | None = None
        """The key that applications were given before, and since when they are not."""
        self._draw()

    def _draw(self) -> None:
        """Draw what will happen to the next rotation; a key that works late, or never, is made so."""
        self.coming = luck_of(self._faults, self._seed, self.story.subject.name, self.minted)
        self._world.provider.broken, self._world.provider.lag = self.coming.broken, self.coming.lag

    def take(self, name: str, given: tuple[Any, ...]) -> None:
        """Note a call of a run that took effect."""
        if name == "mint":
            self.minted += 1
            self._luck = self.coming
            self._draw()
        elif name == "promote":
            self._promoted()
        elif name == "restore":
            self.story.rollbacks += 1
            self._replaced()
        elif name == "drop" and given[0] == "pending":
            self.story.rollbacks += 1
        elif name == "revoke":
            self._revoked(given[0])

    def answered(self, event: Event) -> None:
        """Note what somebody outside did, when it is answered."""
        served = self._world.served_key().id
        if event.what == "leak":
            self._leaked_at[served] = event.at
            self.compromised |= {served}
        elif self._superseded is not None and event.key_id == self._superseded[0]:
            self.story.overlaps.append(max(event.at - self._superseded[1], 0))
            self._superseded = None
        self.story.emergencies += event.what == "leak" or event.key_id == served

    def _promoted(self) -> None:
        story, world = self.story, self._world
        story.rotations += 1
        self._replaced()
        assert self._superseded is not None  # it was just replaced
        old = world.key(self._superseded[0])
        self._overdue(old.created_at or 0)
        if self._luck.revoked_after is not None:
            struck = world.served_key().id if self._luck.key_in_use else old.id
            world.expect(Event(world.now + self._luck.revoked_after, "early", struck))
        if self._luck.stuck_for is not None:
            world.applications[0].stuck_until = world.now + self._luck.stuck_for

    def _overdue(self, born: int) -> None:
        late = self._world.now - born - self.story.subject.rotation_period
        if late > 0:
            self.story.late.append(late)

    def _replaced(self) -> None:
        previous = self._world.store.look().previous
        assert previous is not None  # promoting and restoring leave what was served there
        assert previous.key_id is not None  # every value here was stored with its key
        self._superseded = (previous.key_id, self._world.now)

    def _revoked(self, key_id: str) -> None:
        world, story = self._world, self.story
        if key_id in self.compromised:
            world.ended(key_id, "emergency")
            if key_id in self._leaked_at:
                story.exposures.append(world.now - self._leaked_at.pop(key_id))
        elif self._superseded is not None and key_id == self._superseded[0]:
            world.ended(key_id, "retired")
        else:
            world.ended(key_id, "discarded")
            story.discarded += 1
        if self._superseded is not None and key_id == self._superseded[0]:
            story.overlaps.append(world.now - self._superseded[1])
            self._superseded = None

    def closed(self) -> Story:
        """Add what is still open at the end, and give the story."""
        world, story = self._world, self.story
        sight = Sight(world.store.look(), world.provider.keys())
        story.orphans = len(list(strays(sight))) + len(unaccounted(sight))
        story.refused = dict(world.refused)
        story.exposures += [world.now - at for at in self._leaked_at.values()]
        self._overdue(world.served_key().created_at or 0)
        return story
