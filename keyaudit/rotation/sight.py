"""What the machine is shown: the keys that a provider lists, and the places of a store.

Times are microseconds since the epoch, UTC. Nothing here holds a value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

Question = Literal["forward", "final"]
"""What a rotation settles once: promote or abandon; then retire the old or restore it."""

Shed = Literal["pending", "previous"]
"""The places that a value can be taken off."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key as its provider lists it.

    `token` is the rotation that minted it, where its name tells; None for a key made otherwise.
    """

    id: str
    active: bool = True
    token: str | None = None
    created_at: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """One value that a store holds.

    `key_id` is the provider's id of the key that the value is; None where nobody wrote it down.
    `token` is the rotation that put it there; None if no rotation did. `since` is an instant by
    which it had taken this place: it may be later than the truth, never earlier.
    """

    version: str
    key_id: str | None = None
    token: str | None = None
    since: int | None = None


@dataclass(frozen=True, slots=True)
class Shelf:
    """The places of one secret, and what was decided about the rotation under way.

    `token` names the rotation under way, or the next one if none is. Everybody who looks at the
    same shelf reads the same token; a token that was staged or voided never comes back.

    `forward` and `final` are decided once for each token, by whoever is first, and never change:
    forward True means promote, False means abandon; final True means retire the old value, False
    means restore it. `overtaken` says that somebody else changed the current value since the
    rotation under way began.
    """

    token: str
    current: Place | None
    pending: Place | None = None
    previous: Place | None = None
    forward: bool | None = None
    final: bool | None = None
    overtaken: bool = False
    spent: frozenset[str] = frozenset()
    """Tokens that were voided or abandoned: no value under them was, or ever will be, served."""
    foreign: str | None = None
    """A rotation under way that is not ours: what it is, in words."""

    @property
    def promoted(self) -> bool:
        """Say whether applications are given the new value."""
        return self.current is not None and self.current.token == self.token

    @property
    def places(self) -> tuple[Place, ...]:
        """Give the places that are taken."""
        return tuple(place for place in (self.current, self.pending, self.previous) if place is not None)


class Liveness(StrEnum):
    """What a probe found."""

    ALIVE = "alive"
    RESTRICTED = "restricted"
    """It authenticates and may do less than was asked (HTTP 403)."""
    DEAD = "dead"
    UNKNOWN = "unknown"
    """The provider did not say: not reached, throttled, an answer that has two meanings."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """What is known of the last use of the old key.

    Uses up to `seen_until` are seen, later ones may not have arrived yet. `last_used_at` is None
    when no use was seen. `source` says who told, for the journal.
    """

    seen_until: int
    last_used_at: int | None
    source: str


@dataclass(frozen=True, slots=True)
class Sight:
    """Everything one decision is made from.

    `keys` is None where the provider cannot list its keys. `alive` is what a probe of the newest
    value found, in this run; None if it was not asked. `quiet` likewise for the old key; `silence`
    says whether anybody can tell. `gone` are keys that a human, or the journal, says are revoked:
    it counts only where the provider lists nothing. `suspects` are keys without a name that were made
    about when a run of ours died while minting.
    """

    shelf: Shelf
    keys: tuple[Key, ...] | None
    alive: Liveness | None = None
    quiet: Quiet | None = None
    quiet_known: bool = True
    gone: frozenset[str] = field(default_factory=frozenset)
    suspects: frozenset[str] = field(default_factory=frozenset)

    def key(self, key_id: str | None) -> Key | None:
        """Give a key by its id, where it is listed."""
        return next((key for key in self.keys or () if key.id == key_id), None)

    def ended(self, key_id: str | None) -> bool:
        """Say whether the provider lists a key as one that works no more."""
        key = self.key(key_id)
        return key is not None and not key.active

    def works(self, key_id: str | None) -> bool | None:
        """Say whether a key still works at its provider; None if nobody can tell.

        A key that is not listed is gone, or so new that not every list has it yet.
        """
        if key_id is None:
            return None
        if self.keys is None:
            return False if key_id in self.gone else None
        key = self.key(key_id)
        return key is not None and key.active
