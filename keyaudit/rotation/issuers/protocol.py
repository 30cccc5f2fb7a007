"""What every provider of keys must be able to do for a rotation."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol

from keyaudit.rotation.secret import Parts
from keyaudit.rotation.sight import Key


@dataclass(frozen=True, slots=True)
class Minted:
    """A key that was just made; its value exists nowhere else."""

    key_id: str
    parts: Parts
    created_at: int | None = None

    def __repr__(self) -> str:
        return f"Minted(key_id={self.key_id!r})"


class Issuer(Protocol):
    """One place where keys of one kind are made: a project, a user, a service account.

    Methods raise `RotationError` for what the provider refuses or cannot be asked.
    """

    kind: str
    whole: str
    """The part that a text without fields is: `key`, `json`."""
    names_keys: bool
    """Whether a key bears the token of its rotation; where none does, the journal is asked."""
    calls: Mapping[str, tuple[str, ...]]
    """For each method, the calls that it makes, as the provider's own access rules name them."""

    def keys(self) -> tuple[Key, ...] | None:
        """List the keys, whole or not at all; None where this provider cannot."""
        ...

    def mint(self, token: str, in_use: AbstractSet[str]) -> Minted:
        """Make a key, named by the token where keys have names.

        `in_use` are the ids that the store refers to: none of them may be touched. Raises
        `SlotsFullError` where the provider allows no further key.
        """
        ...

    def revoke(self, key_id: str) -> None:
        """End a key. It being gone already is success."""
        ...

    def recognise(self, parts: Parts, keys: tuple[Key, ...] | None) -> str | None:
        """Tell which of the listed keys a stored value is, without using it; None if that cannot be told."""
        ...
