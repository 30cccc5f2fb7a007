"""A store in memory, on a clock of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count

from keyaudit.rotation.secret import Secret
from keyaudit.rotation.stores.memory import MemoryStore
from keyaudit.rotation.stores.protocol import Credential, Store
from rotation.stores.contract import Moment

AT = 1_780_000_000_000_000


class MemoryCase:
    """One secret in this process: no server, and nobody but its store can reach it."""

    FAULTS: frozenset[Moment] = frozenset()
    CANNOT: Mapping[str, str] = {
        "foreign": "nobody else can reach this process's memory",
        "meanwhile": "a lock is held from reading to writing, and a process sleeps as a whole",
        "hand": "nobody else can reach this process's memory",
    }
    VALUE_CALLS: frozenset[str] = frozenset()
    RARE: frozenset[str] = frozenset()
    RACES = 50

    def __init__(self) -> None:
        self._at = AT
        self._names = count(1)
        self._store: MemoryStore

    def fresh(self, text: str, fields: Mapping[str, str] | None = None) -> MemoryStore:
        self._store = MemoryStore(f"secret-{next(self._names)}", Secret(text), clock=self.now)
        return self._store

    def again(self) -> Store:
        return self._store

    def served(self) -> str:
        return self._store.served().reveal()

    def in_reach(self) -> list[str]:
        found = []
        for number in count(1):
            try:
                found.append(self._store.read(str(number)).reveal())
            except KeyError:
                return [value for value in found if value]
        raise AssertionError

    def put(self, text: str) -> None:
        raise AssertionError(self.CANNOT["hand"])

    def interfere(self) -> None:
        raise AssertionError(self.CANNOT["foreign"])

    def now(self) -> int:
        return self._at

    def advance(self, by: int) -> None:
        self._at += by

    def fail(self, moment: Moment) -> None:
        raise AssertionError(moment)

    def meanwhile(self, action: Callable[[], None]) -> None:
        raise AssertionError(self.CANNOT["meanwhile"])

    def listed(self) -> Credential:
        name = self._store.credential.name
        return Credential("memory", "process", name, name)

    def operations(self) -> set[str]:
        return set()
