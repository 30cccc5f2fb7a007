"""What a run would do: the real runner over stand-ins that begin with what is really there.

Stand-ins change nothing and hold no value; a new key is alive there, the old one silent, and waiting
takes no time. Each call of theirs is told with what the real party would send for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any, cast

from keyaudit.rotation.asking import Probe, Silence
from keyaudit.rotation.issuers.protocol import Issuer, Minted
from keyaudit.rotation.journal import Journal, MemoryJournal
from keyaudit.rotation.looking import look
from keyaudit.rotation.parties import Parties, Run, Surroundings
from keyaudit.rotation.runner import Ending, Runner
from keyaudit.rotation.secret import Parts, Secret
from keyaudit.rotation.shape import Shape
from keyaudit.rotation.sight import Key, Liveness, Place, Quiet, Shelf, Sight
from keyaudit.rotation.steps import Order
from keyaudit.rotation.stores.memory import MemoryStore
from keyaudit.rotation.stores.note import Note
from keyaudit.rotation.stores.protocol import Store

NEW_VERSION, NEW_KEY = "(the new version)", "(the new key)"
"""What has no id before it is made."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a party: `sends` are its requests, as the party's own access rules name them."""

    role: str
    kind: str
    method: str
    about: str
    sends: tuple[str, ...]


def rehearse(
    parties: Parties, journal: Journal, around: Surroundings, order: Order, told: Callable[[Call], None]
) -> Ending:
    """Look at what there is, then run an order over stand-ins, telling each call before it is made.

    `around` has the clock that waiting moves. The real parties are asked what a look asks, and nothing
    else. Raises RotationError where they cannot be.
    """
    seen = parties.store.look()
    sight = look(Run(parties, journal, around), order)
    named = {place.version: place.key_id for place in sight.shelf.places} | {NEW_VERSION: NEW_KEY}
    issuer = _Issuer(parties.issuer, sight, named, around.now)
    stood = Parties(
        cast("Store", _Told(_Store(parties.store, seen, around.now), "store", parties.store, told)),
        cast("Issuer", _Told(issuer, "issuer", parties.issuer, told)),
        cast("Probe", _Told(_Probe(issuer), "probe", parties.probe, told)),
        cast("Silence", _Told(_Silence(around.now), "silence", parties.silence, told))
        if parties.silence
        else None,
        Shape({}, whole=parties.issuer.whole),
        parties.propagation,
    )
    return Runner(stood, _Record(journal.entries()), around).run(order)


def heard(parties: Parties, told: Callable[[Call], None]) -> Parties:
    """Give the same parties, telling each call before it is made."""
    return replace(
        parties,
        store=heard_store(parties.store, told),
        issuer=cast("Issuer", _Told(parties.issuer, "issuer", parties.issuer, told)),
    )


def heard_store(store: Store, told: Callable[[Call], None]) -> Store:
    """Give the same store, telling each call before it is made."""
    return cast("Store", _Told(store, "store", store, told))


class _Told:
    """A party or its stand-in, whose calls are told with what the real party sends for them."""

    def __init__(self, stand_in: object, role: str, real: Any, told: Callable[[Call], None]) -> None:
        self._stand_in, self._role, self._real, self._told = stand_in, role, real, told

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._stand_in, name)
        if not callable(found):
            return found

        def called(*given: Any, **named: Any) -> Any:
            calls = self._real.calls
            sends = calls.get(name, ()) if isinstance(calls, Mapping) else calls
            self._told(Call(self._role, self._real.kind, name, _about(name, given), tuple(sends)))
            return found(*given, **named)

        return called


def _about(method: str, given: Sequence[Any]) -> str:
    """Say what a call is about; values are never among it."""
    if method == "stage":
        return f"{given[2]} beside the current one"
    if method == "decide":
        return f"{given[1]}: {'yes' if given[2] else 'no'}"
    if method in {"read", "revoke", "drop"}:
        return str(given[0])
    return ""


class _Record(MemoryJournal):
    """What the record says so far, and what a rehearsal adds to it, which nobody keeps."""

    def __init__(self, before: Sequence[dict[str, Any]]) -> None:
        super().__init__()
        self._before = before

    def entries(self) -> list[dict[str, Any]]:
        return [*self._before, *super().entries()]


@dataclass(frozen=True, slots=True)
class _Note(Note):
    """A note that begins with a token which somebody else gave."""

    begun: str = ""

    @property
    def token(self) -> str:
        return self.begun if self.serial == 0 else super(_Note, self).token


class _Store(MemoryStore):
    """The shelf as it is; each value is stood for by the name of its version."""

    def __init__(self, real: Store, seen: Shelf, clock: Callable[[], int]) -> None:
        super().__init__(real.credential.name, Secret(""), clock=clock)
        self.credential = real.credential
        self._values = {place.version: Secret(place.version) for place in seen.places}
        self._foreign = seen.foreign
        self._note = _Note(
            f"after {seen.token}",
            current=seen.current,
            pending=seen.pending,
            previous=seen.previous,
            base=None if seen.overtaken or seen.current is None else seen.current.version,
            forward=seen.forward,
            final=seen.final,
            spent=tuple(sorted(seen.spent)),
            begun=seen.token,
        )

    def look(self) -> Shelf:
        return replace(super().look(), foreign=self._foreign)

    def stage(self, token: str, value: Secret, key_id: str, *, base: Place) -> None:
        with self._lock:
            self._note = self._note.staged(token, NEW_VERSION, key_id, base)
            self._values[NEW_VERSION] = value


class _Issuer:
    """The keys as they are listed; a new one has no id yet.

    What is revoked is listed no more, as most providers have it, but where an issuer says
    `lists_revoked`.
    """

    def __init__(
        self, real: Issuer, sight: Sight, named: Mapping[str, str | None], clock: Callable[[], int]
    ) -> None:
        self.kind, self.whole, self.names_keys = real.kind, real.whole, real.names_keys
        self._keys, self._named, self._clock = sight.keys, named, clock
        self._lists_revoked = getattr(real, "lists_revoked", False)
        self._revoked: set[str] = set()

    def keys(self) -> tuple[Key, ...] | None:
        return self._keys

    def mint(self, token: str, in_use: AbstractSet[str]) -> Minted:
        del in_use
        if self._keys is not None:
            new = Key(NEW_KEY, token=token if self.names_keys else None, created_at=self._clock())
            self._keys = (*self._keys, new)
        return Minted(NEW_KEY, {self.whole: NEW_VERSION}, self._clock())

    def revoke(self, key_id: str) -> None:
        self._revoked.add(key_id)
        if self._keys is None:
            return
        ended = tuple(replace(key, active=False) for key in self._keys if key.id == key_id)
        others = tuple(key for key in self._keys if key.id != key_id)
        self._keys = (*others, *(ended if self._lists_revoked else ()))

    def recognise(self, parts: Parts, keys: tuple[Key, ...] | None) -> str | None:
        del keys
        return self._named.get(parts[self.whole])

    def honours(self, parts: Parts) -> bool:
        key_id = self._named.get(parts[self.whole])
        listed = self._keys is None or key_id is None or any(key.id == key_id for key in self._keys)
        return listed and key_id not in self._revoked


class _Probe:
    """Finds every key alive that was not revoked before."""

    kind = "rehearsal"

    def __init__(self, issuer: _Issuer) -> None:
        self._issuer = issuer

    def ask(self, parts: Parts) -> Liveness:
        return Liveness.ALIVE if self._issuer.honours(parts) else Liveness.DEAD


class _Silence:
    """Finds the old key silent."""

    kind = "rehearsal"

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock

    def ask(self, key_id: str | None, version: str, since: int | None) -> Quiet:
        del key_id, version, since
        return Quiet(self._clock(), None, "a rehearsal")
