"""The way of a run to its store and its provider, on which it may find them away, or die.

Calls are passed on to the real thing in memory; what a report wants to know is noted when a call
took effect, whether or not the run lived to hear of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from keyaudit.errors import RotationError
from keyaudit.rotation.secret import Parts
from keyaudit.rotation.sight import Liveness
from keyaudit.rotation.simulation.faults import Outages
from keyaudit.rotation.simulation.provider import SimulatedProbe
from keyaudit.rotation.simulation.world import World

STORE = frozenset({"look", "read", "stage", "void", "decide", "promote", "restore", "drop"})
PROVIDER = frozenset({"keys", "mint", "revoke", "recognise"})
SILENCE = frozenset({"ask"})


class Killed(BaseException):
    """The run is no more; what it had done is done. Nothing of a run may catch this."""


@dataclass(slots=True)
class Fate:
    """When a run dies: `left` calls from now, answered by the other side or not; None for never."""

    left: int | None = None
    after: bool = False

    def before(self) -> bool:
        """Count a call; dies if it is the last and is not to arrive. Says whether to die after it."""
        if self.left is None:
            return False
        self.left -= 1
        if self.left > 0:
            return False
        self.left = None
        if self.after:
            return True
        raise Killed


@dataclass(slots=True)
class Door:
    """A party behind a network. `noted` is told each call that took effect."""

    party: Any
    names: frozenset[str]
    away: Outages
    world: World
    fate: Fate
    noted: Callable[[str, tuple[Any, ...]], None]
    _made: dict[str, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        made = self._made.get(name)
        if made is None:
            found = getattr(self.party, name)
            made = self._made[name] = self._through(name, found) if name in self.names else found
        return made

    def _through(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def through(*given: Any, **named: Any) -> Any:
            dies = self.fate.before()
            if self.away.up_from(self.world.now) != self.world.now:
                raise RotationError(f"{self.party.kind} cannot be reached")
            answer = call(*given, **named)
            self.noted(name, given)
            if dies:
                raise Killed
            return answer

        return through


@dataclass(slots=True)
class ProbeDoor:
    """Asks whether a value works; while the provider is away, nobody knows."""

    probe: SimulatedProbe
    away: Outages
    world: World
    kind: str = "simulated"
    calls: tuple[str, ...] = ()

    def ask(self, parts: Parts) -> Liveness:
        """Try the value."""
        if self.away.up_from(self.world.now) != self.world.now:
            return Liveness.UNKNOWN
        return self.probe.ask(parts)
