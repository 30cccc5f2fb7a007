"""The rotation record (`keyaudit/rotation-record/1`): what was asked for, intended, and came of it.

Each line is fsynced before what it announces is done, and says the SHA-256 of the line before it.
`keyaudit.rotation_record` says what every field is, and reads it all again.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

from keyaudit.errors import RotationError
from keyaudit.files import sync_folder
from keyaudit.rotation.stores.protocol import Credential
from keyaudit.rotation_record import SCHEMA, Chain, recognised, wrong_with
from keyaudit.times import format_instant


@dataclass(frozen=True, slots=True)
class Request:
    """Who asked for a rotation, who allowed it, and why; each None where nobody said."""

    requested_by: str | None = None
    approved_by: str | None = None
    ticket: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened; `at` in microseconds. `detail` holds ids, counts and instants only."""

    at: int
    event: str
    token: str | None = None
    step: str | None = None
    outcome: str | None = None
    goal: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


class Journal(Protocol):
    """Where entries go; an entry that `append` returned from survives a crash."""

    def append(self, entry: Entry) -> None:
        """Keep an entry; raises RotationError where that is not possible."""
        ...

    def entries(self) -> list[dict[str, Any]]:
        """Give what was written about this rotation, the oldest first."""
        ...


class FileJournal:
    """The record of one rotation's runs in a file of its own; several processes may append."""

    def __init__(self, path: Path, name: str, credential: Credential, request: Request) -> None:
        """`path` and its folder are made, for their owner only, when the first entry is written."""
        self._path, self._name, self._credential, self._request = path, name, credential, request

    def append(self, entry: Entry) -> None:
        """Write one line, and return when it is on the disk."""
        try:
            with _opened(self._path) as descriptor:
                chain, torn = _tail(descriptor)
                fields = self._line(entry, chain.records, chain.prev)
                line = json.dumps(fields, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
                if wrong := wrong_with(line):
                    raise RotationError(f"this cannot be recorded: {wrong[0].field} {wrong[0].message}")
                _write(descriptor, (b"\n" if torn else b"") + line)
                os.fsync(descriptor)
        except OSError as error:
            raise RotationError(
                f"the rotation record {self._path} cannot be written: {error.strerror}",
                hint="nothing is changed without a record; give another folder with --journal",
            ) from None

    def entries(self) -> list[dict[str, Any]]:
        """Read what was written; lines that are no records are left out."""
        try:
            with self._path.open("rb") as file:
                lines = file.readlines()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise RotationError(
                f"the rotation record {self._path} cannot be read: {error.strerror}"
            ) from None
        return [record for record in map(recognised, lines) if record is not None]

    def _line(self, entry: Entry, seq: int, prev: str | None) -> dict[str, Any]:
        request, credential = self._request, self._credential
        return {
            "schema": SCHEMA,
            "seq": seq,
            "at": format_instant(entry.at),
            "name": self._name,
            "credential": {name: getattr(credential, name) for name in ("source", "scope", "id", "name")},
            "token": entry.token,
            "event": entry.event,
            "step": entry.step,
            "outcome": None if entry.outcome is None else _one_line(entry.outcome),
            "goal": entry.goal,
            "requested_by": request.requested_by,
            "approved_by": request.approved_by,
            "ticket": request.ticket,
            "reason": request.reason,
            "detail": dict(entry.detail),
            "prev": prev,
        }


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """Open for appending under a lock, refusing a link; the folder is the owner's only."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = not path.exists()
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o600)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no file")  # a pipe or a device keeps nothing
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if fresh:
            sync_folder(path.parent)
        yield descriptor
    finally:
        os.close(descriptor)


def _one_line(text: str) -> str:
    """Keep what went wrong in a form that can be kept: a failure to say so would hide it."""
    return "".join(char if char.isprintable() else "?" for char in text)[:1000]


def _tail(descriptor: int) -> tuple[Chain, bool]:
    """Go over all that was written; says whether a crash tore its end."""
    content = _read(descriptor)
    chain = Chain()
    for line in BytesIO(content):
        chain.add(line, record=recognised(line) is not None)
    torn = bool(content) and not content.endswith(b"\n")
    if torn:
        chain.add(b"\n", record=False)
    return chain, torn


def _read(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    chunks = []
    while chunk := os.read(descriptor, 1 << 20):
        chunks.append(chunk)
    return b"".join(chunks)


def _write(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]


class MemoryJournal:
    """Entries in this process, for trying things out."""

    def __init__(self) -> None:
        self._entries: list[dict[str, Any]] = []

    def append(self, entry: Entry) -> None:
        """Keep an entry."""
        self._entries.append(
            {
                "at": format_instant(entry.at),
                "event": entry.event,
                "token": entry.token,
                "step": entry.step,
                "outcome": entry.outcome,
                "goal": entry.goal,
                "detail": dict(entry.detail),
            }
        )

    def entries(self) -> list[dict[str, Any]]:
        """Give the entries, the oldest first."""
        return list(self._entries)
