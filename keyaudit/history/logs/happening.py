"""What one entry of a log tells, before it is known which credential of the inventory it is about."""

from __future__ import annotations

from dataclasses import dataclass

from keyaudit.history.events import Told


@dataclass(frozen=True, slots=True)
class Subject:
    """A credential as a log names it.

    `where` is its scope as the inventory spells it; of Vault, whose logs do not name the cluster, what
    follows the cluster. `ids` are the ids under which the inventory may list it, `name` is what people
    call it there. Where `exact`, the first of `ids` is the inventory's own spelling, listed or not.
    """

    source: str
    where: str
    ids: tuple[str, ...] = ()
    name: str | None = None
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that a log says happened; `at` in microseconds, UTC.

    Where `if_known`, the entry names a version that may never have been made: it counts only where the
    inventory or another entry knows that version. Where `if_newest`, it says which version is in use only
    if the credential serves its newest one.
    """

    subject: Subject
    version: str | None
    told: Told
    at: int
    if_known: bool = False
    if_newest: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry about a credential: `reference` is its own id, by which a second copy of it is told.

    `happenings` is empty where it does not say about which version it is.
    """

    reference: str
    happenings: tuple[Happening, ...]
