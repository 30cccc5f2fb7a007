"""What a provider is asked: whether a value works, and when a key was last used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from keyaudit.rotation.secret import Parts
from keyaudit.rotation.sight import Liveness, Quiet


class Probe(Protocol):
    """Uses a value once, in the cheapest way there is. Never asked about a key that should go quiet."""

    kind: str
    calls: tuple[str, ...]

    def ask(self, parts: Parts) -> Liveness:
        """Say whether the value works. What goes wrong on the way is `UNKNOWN`, never an exception."""
        ...


class Silence(Protocol):
    """Knows when a key was last used, without using it."""

    kind: str
    calls: Mapping[str, tuple[str, ...]]

    def ask(self, key_id: str | None, version: str, since: int | None) -> Quiet:
        """Give the last use of a key (or of a version of the secret), as far as it can be seen.

        An instant that is only known roughly (a day, a bucket) is given as its end: later than the
        truth, never earlier. `since` is when the successor took over, in microseconds. Raises
        RotationError where the answer cannot be had: not knowing is not silence.
        """
        ...
