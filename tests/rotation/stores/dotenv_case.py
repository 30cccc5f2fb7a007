"""A .env file, read by python-dotenv as an application would, and changed as with an editor."""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import dotenv

from keyaudit.rotation.party import Means
from keyaudit.rotation.stores.dotenv import DotenvFile, DotenvSettings
from keyaudit.rotation.stores.protocol import Credential
from rotation.stores.contract import Moment

NAME = "OPENAI_API_KEY"
BESIDE = "# ours\nPATH_OF_SOMETHING=/opt/thing # stays\n\n"

_armed: list[tuple[str, Callable[[tuple], None]]] = []


def _heard(event: str, arguments: tuple) -> None:
    """Act on the next event of the interpreter's own (`sys.audit`) that somebody waits for."""
    if _armed and _armed[0][0] == event:
        _armed.pop(0)[1](arguments)


sys.addaudithook(_heard)


def at(event: str, action: Callable[[], None]) -> None:
    """Do something when the interpreter is about to do what its audit event says, once."""
    _armed.append((event, lambda arguments: action()))


class DotenvCase:
    """One file in a folder of its own, on the real clock."""

    FAULTS: frozenset[Moment] = frozenset({"before"})
    CANNOT: Mapping[str, str] = {
        "meanwhile": "a lock is held from reading to writing; what ignores locks is tested beside",
    }
    VALUE_CALLS: frozenset[str] = frozenset()
    RARE: frozenset[str] = frozenset()
    RACES = 50

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.path = folder / ".env"
        self._settings: DotenvSettings

    def fresh(self, text: str, fields: Mapping[str, str] | None = None) -> DotenvFile:
        entry = {"kind": "dotenv", "path": self.path.name}
        if fields is None:
            self._settings = DotenvSettings.model_validate({**entry, "variable": NAME})
            set_to = {NAME: text}
        else:
            self._settings = DotenvSettings.model_validate({**entry, "fields": dict(fields)})
            set_to = json.loads(text)
        self.path.write_text(BESIDE + "".join(f"{name}={_quoted(value)}\n" for name, value in set_to.items()))
        return self.again()

    def again(self) -> DotenvFile:
        return DotenvFile.opened(self._settings, Means(clock=self.now, folder=self._folder))

    def values(self) -> dict[str, str | None]:
        return dict(dotenv.dotenv_values(self.path))

    def served(self) -> str:
        found = self.values()
        if not self._settings.fields:
            return str(found[NAME])
        beside = ("_NEXT", "_OLD", "PATH_OF_SOMETHING")
        return json.dumps({name: value for name, value in found.items() if not name.endswith(beside)})

    def in_reach(self) -> list[str]:
        return [str(value) for name, value in self.values().items() if name.startswith(NAME)]

    def put(self, text: str) -> None:
        dotenv.set_key(self.path, NAME, text)

    def interfere(self) -> None:
        dotenv.set_key(self.path, NAME + "_NEXT", "CANARY-of-somebody-else")

    def now(self) -> int:
        return time.time_ns() // 1000

    def advance(self, by: int) -> None:
        """Nobody advances the real clock."""

    def fail(self, moment: Moment) -> None:
        def full() -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        assert moment == "before"
        at("os.rename", full)

    def meanwhile(self, action: Callable[[], None]) -> None:
        raise AssertionError(self.CANNOT["meanwhile"])

    def listed(self) -> Credential:
        folder = str(self._folder.resolve())
        return Credential("dotenv", folder, f"{folder}/.env#{NAME}", NAME)

    def operations(self) -> set[str]:
        return set()


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
