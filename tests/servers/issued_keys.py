"""The keys that a provider has issued: which of them it honours at this moment, and what they were used for.

`waits` is how long a key that is minted from now on will be refused at first, `lingers` how long one
that dies from now on will go on working: a provider's own caches need a while to hear of either.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from keyaudit.times import SECOND
from servers.clock import Clock


@dataclass(frozen=True)
class Lag:
    """Lasts until both have passed: a number of requests with the key, and of seconds."""

    calls: int = 0
    seconds: float = 0.0


@dataclass
class Issued:
    """`scopes`: what the key may do; everything if there are none. `born` is None for one that settled long ago."""

    id: str
    value: str
    place: str = ""
    scopes: tuple[str, ...] = ()
    born: float | None = None
    died: float | None = None
    expires_at: float | None = None
    waits: Lag = Lag()
    lingers: Lag = Lag()
    refused_as_new: int = 0
    honoured_as_dead: int = 0

    def may(self, *any_of: str) -> bool:
        return not self.scopes or any(scope in self.scopes for scope in any_of)


@dataclass(frozen=True)
class Use:
    """One request that a key was honoured for; `tokens` (in, out) if it was billed."""

    at: float
    key: str
    place: str
    path: str
    tokens: tuple[int, int] | None = None


@dataclass
class IssuedKeys:
    """Instants are seconds here, as the providers' interfaces have them."""

    clock: Clock
    waits: Lag = Lag()
    lingers: Lag = Lag()
    uses: list[Use] = field(default_factory=list)
    _by_value: dict[str, Issued] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def now(self) -> float:
        return self.clock() / SECOND

    def add(self, identifier: str, value: str, *, minted: bool = False, **more: object) -> Issued:
        """Issue a key; one that was `minted` just now is subject to `waits`."""
        with self._lock:
            born = self.now() if minted else None
            issued = Issued(identifier, value, born=born, waits=self.waits, **more)
            self._by_value[value] = issued
            return issued

    def kill(self, identifier: str) -> None:
        """Stop honouring a key, as soon as `lingers` allows."""
        with self._lock:
            for issued in self._of(identifier):
                if issued.died is None:
                    issued.died, issued.honoured_as_dead = self.now(), 0
                    issued.lingers = self.lingers

    def revive(self, identifier: str) -> None:
        with self._lock:
            for issued in self._of(identifier):
                if issued.died is not None:
                    issued.died, issued.born, issued.refused_as_new = None, self.now(), 0
                    issued.waits = self.waits

    def named(self, value: str | None) -> Issued | None:
        """Give the key with this value, whether or not it works."""
        return self._by_value.get(value or "")

    def by_id(self, identifier: str) -> Issued | None:
        return next(iter(self._of(identifier)), None)

    def live(self) -> list[str]:
        """Give the ids of the keys that are meant to work, whatever a cache still says."""
        now = self.now()
        with self._lock:
            every = list(self._by_value.values())
        return [
            each.id
            for each in every
            if each.died is None and (each.expires_at is None or now < each.expires_at)
        ]

    def honoured(self, value: str | None) -> Issued | None:
        """Say whether a request with this value is let in; counts towards both lags."""
        with self._lock:
            issued, now = self.named(value), self.now()
            if issued is None or (issued.expires_at is not None and now >= issued.expires_at):
                return None
            if issued.died is not None:
                within = now < issued.died + issued.lingers.seconds
                if not within and issued.honoured_as_dead >= issued.lingers.calls:
                    return None
                issued.honoured_as_dead += 1
                return issued
            early = issued.born is not None and now < issued.born + issued.waits.seconds
            if issued.born is not None and (early or issued.refused_as_new < issued.waits.calls):
                issued.refused_as_new += 1
                return None
            return issued

    def used(self, issued: Issued, path: str, tokens: tuple[int, int] | None = None) -> Use:
        use = Use(self.now(), issued.id, issued.place, path, tokens)
        with self._lock:
            self.uses.append(use)
        return use

    def _of(self, identifier: str) -> Iterable[Issued]:
        return [each for each in self._by_value.values() if each.id == identifier]
