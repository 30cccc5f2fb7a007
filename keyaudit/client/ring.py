"""Which key is in use, which have died, and one event for each change; safe for threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from keyaudit.client.death import code_of
from keyaudit.client.keys import Keys


@dataclass(frozen=True, slots=True)
class Switch:
    """One change of the key in use. Keys are named by their place, the preferred one is 1.

    `status` and `code` are those of the refusal that caused it; both are None where the keys
    themselves were changed at their origin.
    """

    before: int | None
    after: int
    keys: int
    status: int | None = None
    code: str | None = None


class KeyRing:
    """Sticks to one key until it dies.

    A key counts as replaced only when another one was accepted in its place. One that died is
    tried again at most every `retry_dead_after` seconds, and only when no other is left.
    """

    def __init__(
        self,
        keys: Keys,
        *,
        is_dead: Callable[[BaseException], bool],
        on_switch: Callable[[Switch], None] | None,
        retry_dead_after: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is read before the first request."""
        self._keys = keys
        self._is_dead = is_dead
        self._on_switch = on_switch
        self._retry = retry_dead_after
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._known: tuple[str, ...] = ()
        self._active: str | None = None
        self._died: dict[str, float] = {}

    def active(self) -> str:
        """Give the key in use; raises NoKeyError."""
        return self._refreshed(fresh=False)[0]

    def trial(self) -> Trial:
        """Begin one request."""
        return Trial(self)

    def candidates(self) -> Iterator[str]:
        """Give the keys to try for one request: the one in use, the others, then what the origin has new."""
        tried: set[str] = set()
        for fresh in (False, True):
            for key in self._refreshed(fresh=fresh):
                if key not in tried:
                    tried.add(key)
                    yield key

    def _refreshed(self, *, fresh: bool) -> list[str]:
        found = self._keys(fresh=fresh)
        event = None
        with self._lock:
            if found != self._known:
                event = self._adopt(found)
            now = self._monotonic()
            rest = [
                key
                for key in found
                if key != self._active and (key not in self._died or now - self._died[key] >= self._retry)
            ]
            rest.sort(key=lambda key: key in self._died)
            order = [*([self._active] if self._active is not None else []), *rest]
        self._tell(event)
        return order

    def _adopt(self, found: tuple[str, ...]) -> Switch | None:
        """Take the keys of the origin; the one it prefers is used from now on, unless it has died."""
        before, count = self._active, len(self._known)
        place = self._known.index(before) + 1 if before in self._known else None
        self._died = {key: at for key, at in self._died.items() if key in found}
        self._known = found
        self._active = next((key for key in found if key not in self._died), found[0])
        if before is None or before == self._active:
            return None
        return Switch(place if count else None, found.index(self._active) + 1, len(found))

    def died(self, key: str) -> None:
        """Note that a key was refused."""
        with self._lock:
            self._died[key] = self._monotonic()

    def accepted(self, key: str, refusal: BaseException | None) -> None:
        """Note that a key was accepted; if the one in use had died, this one takes its place."""
        event = None
        with self._lock:
            self._died.pop(key, None)
            if key != self._active and self._active in self._died and key in self._known:
                before = self._known.index(self._active) + 1 if self._active in self._known else None
                self._active = key
                status = getattr(refusal, "status_code", None)
                code = code_of(refusal) if refusal is not None else None
                event = Switch(before, self._known.index(key) + 1, len(self._known), status, code)
        self._tell(event)

    def is_dead(self, error: BaseException) -> bool:
        """Say whether an error means that the key died."""
        return self._is_dead(error)

    def _tell(self, event: Switch | None) -> None:
        if event is not None and self._on_switch is not None:
            self._on_switch(event)


class Trial:
    """One request on its way through the keys.

    for key in trial.candidates():
        try:
            result = attempt(key)
        except Exception as error:
            trial.refused(key, error)
        else:
            trial.accepted(key)
            return result
    raise trial.original
    """

    def __init__(self, ring: KeyRing) -> None:
        """Nothing was refused yet."""
        self._ring = ring
        self._original: Exception | None = None

    def candidates(self) -> Iterator[str]:
        """Give the keys to try."""
        return self._ring.candidates()

    def refused(self, key: str, error: Exception) -> None:
        """Go on if the key died; raises the error again if it is about anything else."""
        if not self._ring.is_dead(error):
            if getattr(error, "status_code", None) in {400, 404, 409, 422, 429}:
                self._ring.accepted(key, self._original)
            raise error
        self._ring.died(key)
        self._original = self._original or error

    def accepted(self, key: str) -> None:
        """Note that the key did its work."""
        self._ring.accepted(key, self._original)

    @property
    def original(self) -> Exception:
        """Give the first refusal: what the application would have seen without any fallback."""
        assert self._original is not None
        return self._original
