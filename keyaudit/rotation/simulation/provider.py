"""A provider in memory: it makes keys, honours them, and knows when each was last used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import ClassVar

from keyaudit.errors import SlotsFullError
from keyaudit.rotation.issuers.protocol import Minted
from keyaudit.rotation.secret import Parts, Secret
from keyaudit.rotation.sight import Key, Liveness, Quiet


@dataclass(slots=True)
class _Held:
    value: str
    token: str | None
    created_at: int
    active: bool = True
    last_used_at: int | None = None
    works_from: int | None = 0
    """When it begins to be honoured; None if it never is."""


class SimulatedProvider:
    """Issuer, probe and silence of one simulated provider. `clock` gives microseconds, UTC.

    `slots` is how many keys may be active at once; `names` whether keys bear their token; `broken`
    makes every key that is minted from then on dead from birth, and `lag` honours it only so many
    microseconds after that; `forgets` leaves revoked keys out of the list.
    """

    kind = "simulated"
    whole = "key"
    calls: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    def __init__(self, clock: Callable[[], int], *, slots: int | None = None, names: bool = True) -> None:
        self._clock, self._slots = clock, slots
        self.forgets = False
        self.names_keys = names
        self.broken = False
        self.lag = 0
        self._keys: dict[str, _Held] = {}

    def keys(self) -> tuple[Key, ...] | None:
        """List every key, revoked ones too."""
        return tuple(
            Key(key_id, held.active, held.token if self.names_keys else None, held.created_at)
            for key_id, held in self._keys.items()
            if held.active or not self.forgets
        )

    def mint(self, token: str | None, in_use: AbstractSet[str]) -> Minted:
        """Make a key."""
        del in_use
        if self._slots is not None and sum(held.active for held in self._keys.values()) >= self._slots:
            raise SlotsFullError("every slot is taken")
        number = len(self._keys) + 1
        now = self._clock()
        honoured = None if self.broken else now + self.lag
        self._keys[f"key-{number}"] = _Held(f"value-{number}", token, now, works_from=honoured)
        return Minted(f"key-{number}", {"key": f"value-{number}"}, now)

    def revoke(self, key_id: str) -> None:
        """End a key."""
        if key_id in self._keys:
            self._keys[key_id].active = False

    def recognise(self, parts: Parts, keys: tuple[Key, ...] | None) -> str | None:
        """Tell a key by its value."""
        del keys
        return next((key_id for key_id, held in self._keys.items() if held.value == parts["key"]), None)

    def honours(self, value: Secret) -> bool:
        """Answer an application's request, and remember it."""
        if not self.works(value.reveal()):
            return False
        held = self._of(value.reveal())
        assert held is not None  # it works
        held.last_used_at = self._clock()
        return True

    def works(self, value: str) -> bool:
        """Say whether a value would be honoured, without leaving a trace."""
        held = self._of(value)
        if held is None or not held.active or held.works_from is None:
            return False
        return held.works_from <= self._clock()

    def last_use(self, key_id: str | None) -> Quiet:
        """Give the last use of a key; nothing is delayed here."""
        held = self._keys.get(key_id or "")
        return Quiet(self._clock(), held.last_used_at if held else None, "simulated")

    def _of(self, value: str) -> _Held | None:
        return next((held for held in self._keys.values() if held.value == value), None)


class SimulatedProbe:
    """Asks a simulated provider whether a value works, which leaves no trace there."""

    kind = "simulated"
    calls: ClassVar[tuple[str, ...]] = ()

    def __init__(self, provider: SimulatedProvider) -> None:
        self._provider = provider

    def ask(self, parts: Parts) -> Liveness:
        """Try the value."""
        return Liveness.ALIVE if self._provider.works(parts["key"]) else Liveness.DEAD


class SimulatedSilence:
    """Knows the last use of each simulated key."""

    kind = "simulated"
    calls: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    def __init__(self, provider: SimulatedProvider) -> None:
        self._provider = provider

    def ask(self, key_id: str | None, version: str, since: int | None) -> Quiet:
        """Give the last use; nothing is delayed here."""
        del version, since
        return self._provider.last_use(key_id)
