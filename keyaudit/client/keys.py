"""Where an application's keys come from, the one to prefer first. Values stay in memory."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Protocol

_NUMBERED = re.compile(r"_v(\d{1,9})", re.IGNORECASE | re.ASCII)


class NoKeyError(LookupError):
    """There is no key at all; the message says where one was looked for, never what was found."""


class Keys(Protocol):
    """Gives the keys that may be used now; raises NoKeyError if there is none and never was."""

    def __call__(self, *, fresh: bool = False) -> tuple[str, ...]:
        """Give the keys, the preferred one first; `fresh` asks the origin even if it was asked just now."""
        ...


def fixed(keys: Iterable[str]) -> Keys:
    """Give always the same keys."""
    found = _distinct(keys)

    def give(*, fresh: bool = False) -> tuple[str, ...]:  # noqa: ARG001 - nothing to ask again
        if not found:
            raise NoKeyError("no key was given")
        return found

    return give


def from_environment(name: str, environment: Mapping[str, str] | None = None) -> Keys:
    """Read keys from variables whose names begin with `name`.

    In this order, as far as they are set: NAME_NEW; NAME_V2, NAME_V1 and so on, the highest number
    first, in capitals or not; NAME_PRIMARY; NAME; NAME_BACKUP; NAME_OLD. The environment is looked
    at each time, so a process that changes its own is heard.
    """

    def give(*, fresh: bool = False) -> tuple[str, ...]:  # noqa: ARG001 - the environment is always fresh
        variables = os.environ if environment is None else environment
        ranked = [(rank, value) for key, value in variables.items() if (rank := _rank(key, name)) is not None]
        found = _distinct(value for _, value in sorted(ranked))
        if not found:
            raise NoKeyError(f"neither {name} nor {name}_NEW, _V1, _PRIMARY, _BACKUP or _OLD is set")
        return found

    return give


def _rank(variable: str, name: str) -> tuple[int, int] | None:
    if not variable.startswith(name):
        return None
    rest = variable[len(name) :]
    places = {"_NEW": 0, "_PRIMARY": 2, "": 3, "_BACKUP": 4, "_OLD": 5}
    if rest in places:
        return places[rest], 0
    numbered = _NUMBERED.fullmatch(rest)
    return (1, -int(numbered[1])) if numbered else None


def from_file(path: str | Path) -> Keys:
    """Read keys from a file, one a line, and again whenever the file has changed.

    Follows links, so a mounted Kubernetes secret is heard. While the file is away or empty, as it
    may be in the middle of being replaced, the last good answer stands.
    """
    file = Path(path)
    lock = threading.Lock()
    state: tuple[object, tuple[str, ...]] = (None, ())

    def give(*, fresh: bool = False) -> tuple[str, ...]:
        nonlocal state
        with lock:
            seen, known = state
            try:
                stat = file.stat()
                mark = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
                if fresh or mark != seen:
                    found = _distinct(file.read_text("utf-8").splitlines())
                    state = (mark, found or known)
            except (OSError, UnicodeDecodeError):
                pass
            if not state[1]:
                raise NoKeyError(f"no key in {file}")
            return state[1]

    return give


def from_store(
    fetch: Callable[[], Iterable[str]],
    *,
    every: float = 300.0,
    monotonic: Callable[[], float] = time.monotonic,
) -> Keys:
    """Ask `fetch`, a call to a secret manager of your own, at most once in `every` seconds.

    `fetch` gives the current key and then the one before. Whatever it raises, the last good answer
    stands and it is asked again `every` seconds later; only without any good answer NoKeyError is
    raised, from what `fetch` raised.
    """
    lock = threading.Lock()
    known: tuple[str, ...] = ()
    asked = float("-inf")

    def give(*, fresh: bool = False) -> tuple[str, ...]:
        nonlocal known, asked
        with lock:
            failure: Exception | None = None
            if fresh or not known or monotonic() - asked >= every:
                asked = monotonic()
                try:
                    known = _distinct(fetch()) or known
                except Exception as error:  # noqa: BLE001 - any failure of the store must not stop the application
                    failure = error
            if not known:
                raise NoKeyError("the store gave no key") from failure
            return known

    return give


def _distinct(keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(stripped for key in keys if (stripped := key.strip())))
