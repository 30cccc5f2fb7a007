"""What every store of credentials must be able to do for a rotation.

A rotation needs three places beside each other (current, pending, previous) and two questions that
are settled once: a store gives both by whatever compare-and-swap it has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from keyaudit.rotation.secret import Secret
from keyaudit.rotation.sight import Place, Question, Shed, Shelf


class LostRaceError(Exception):
    """Somebody else changed the shelf first. Nothing was changed; look again."""


@dataclass(frozen=True, slots=True)
class Credential:
    """The secret as an inventory names it: the record of its rotation is found by this."""

    source: str
    scope: str
    id: str
    name: str


class Store(Protocol):
    """One secret in one store. Every method may be called again after a crash, to the same effect.

    All raise `RotationError` for what the store refuses or cannot be asked, and those that change
    something raise `LostRaceError` where the shelf is not as the token implies.
    """

    kind: str
    calls: Mapping[str, tuple[str, ...]]
    """For each method, the calls that it makes, as the store's own access rules name them."""

    @property
    def credential(self) -> Credential:
        """Name the secret as the audit's own listing of this store does."""
        ...

    def look(self) -> Shelf:
        """Show the places and what was decided. Reads no value unless there is no other way."""
        ...

    def read(self, version: str) -> Secret:
        """Give the value of a version that is on the shelf."""
        ...

    def stage(self, token: str, value: Secret, key_id: str, *, base: Place) -> None:
        """Put a value beside the current one, where applications do not look; once for each token.

        `base` is the place that the value was made for: where another value is current by now, the race
        is lost. Its `key_id` is kept where the store did not know which key the current value is.
        """
        ...

    def void(self, token: str) -> None:
        """See to it that nothing can ever be staged under a token."""
        ...

    def decide(self, token: str, question: Question, answer: bool) -> bool:  # noqa: FBT001  # read at the call
        """Settle a question of a rotation under way; gives the answer that holds, whoever gave it."""
        ...

    def promote(self, token: str) -> None:
        """Give applications the staged value: the pending becomes current, the current previous."""
        ...

    def restore(self, token: str) -> None:
        """Give applications the previous value again; the promoted one becomes previous."""
        ...

    def drop(self, place: Shed, token: str) -> None:
        """Take a value off the shelf, and with it the rotation under way."""
        ...
