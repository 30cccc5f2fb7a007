"""What a store brings along to be tested like every other one.

A case is a store's own server, or file, that holds nothing yet. `fresh` plants one secret; the rest
is how an application sees it, and how somebody who knows nothing of keyaudit changes it.

A new store: a case as below, in `tests/rotation/stores/KIND_case.py`; a fixture that opens it and a
line in `CASES`, both in `tests/rotation/stores/conftest.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Literal, Protocol

from keyaudit.rotation.stores.protocol import Credential, Store

CANARY = "CANARY"
"""Is part of every value."""

Moment = Literal["before", "after"]
"""A call fails before the server acted on it, or when it has acted and its answer is lost."""


class StoreCase(Protocol):
    """The class says what its store can do; an instance is one server."""

    FAULTS: ClassVar[frozenset[Moment]]
    """The moments that `fail` can bring about: both, wherever there is a server."""
    CANNOT: ClassVar[Mapping[str, str]]
    """What cannot happen to this store, and why: `hand`, `foreign`, `meanwhile`."""
    VALUE_CALLS: ClassVar[frozenset[str]]
    """The operations of the server that give out a value; `look` makes none of them."""
    RARE: ClassVar[frozenset[str]]
    """Declared operations that none of these tests needs, each tested beside them."""
    RACES: ClassVar[int]
    """How often two threads race: 50 where an answer takes no time."""

    def fresh(self, text: str, fields: Mapping[str, str] | None = None) -> Store:
        """Plant a secret with this value and open a store on it.

        Nothing in it says that it was ever rotated. With `fields` (part → field, as in the settings)
        the text is a JSON object whose values are strings; it has fields of other people too.
        Is called once a test, or again for another secret.
        """
        ...

    def again(self) -> Store:
        """Open the same secret through a client of its own, as another runner would."""
        ...

    def served(self) -> str:
        """Give what an application gets, which reads the secret as its store's manual says.

        For a secret with `fields`, a JSON object of all that the application sees; order is free.
        """
        ...

    def in_reach(self) -> list[str]:
        """Give every value that can be had by a place's name: a label, a variable, an enabled version.

        What a store only keeps as history (AWS: a version without a label) is not among them.
        """
        ...

    def put(self, text: str) -> None:
        """Change the value by hand, as the store's manual says, knowing nothing of a rotation."""
        ...

    def interfere(self) -> None:
        """Begin somebody else's rotation by hand. Not called where `CANNOT` has `foreign`."""
        ...

    def now(self) -> int:
        """Give the time of the store's clock, in microseconds."""
        ...

    def advance(self, by: int) -> None:
        """Let time pass for the store and its server, in microseconds; real clocks do nothing."""
        ...

    def fail(self, moment: Moment) -> None:
        """Let the next call that changes something fail, once, in a way that no client retries itself."""
        ...

    def meanwhile(self, action: Callable[[], None]) -> None:
        """Run an action once, between what the next changing method of the store reads and what it writes.

        So does a runner sleep in between. The action uses a store of its own (`again`). Not called
        where `CANNOT` has `meanwhile`.
        """
        ...

    def listed(self) -> Credential:
        """Give the secret as the audit's own source of this store lists it."""
        ...

    def operations(self) -> set[str]:
        """Name what was asked for since the last call of this, as `calls` spells it."""
        ...
