"""The rotation record (`keyaudit/rotation-record/1`): what was asked for, intended, and came of it.

One JSON object a line, appended and fsynced before and after each action; never a value. Each line
says the SHA-256 of everything between the start of the line before and its own start, so that
nothing can be changed, removed or slipped in without the chain breaking there. A line that a crash
tore stays where it is and is covered by the chain like any other; it is no record.

Fields: `schema`, `seq` (from 0), `at` (RFC 3339, UTC), `name` (of the rotation), `credential`
{source, scope, id, name} as an inventory has it, `token`, `event` (requested · intent · result ·
failed · ended), `step`, `outcome`, `goal`, `requested_by`, `approved_by`, `ticket`, `reason`,
`detail` (ids and instants only) and `prev`.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from keyaudit.errors import RotationError
from keyaudit.rotation.stores.protocol import Credential
from keyaudit.times import format_instant

SCHEMA = "keyaudit/rotation-record/1"


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
                count, prev, torn = _tail(descriptor)
                line = json.dumps(self._line(entry, count, prev), ensure_ascii=True, separators=(",", ":"))
                _write(descriptor, (b"\n" if torn else b"") + line.encode() + b"\n")
                os.fsync(descriptor)
        except OSError as error:
            raise RotationError(
                f"the rotation record {self._path} cannot be written: {error.strerror}",
                hint="nothing is changed without a record; give another folder with --journal",
            ) from None

    def entries(self) -> list[dict[str, Any]]:
        """Read what was written; lines that are no records are left out."""
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise RotationError(
                f"the rotation record {self._path} cannot be read: {error.strerror}"
            ) from None
        return [record for record in map(_record, lines) if record is not None]

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
            "outcome": entry.outcome,
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
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if fresh:
            _sync_folder(path.parent)
        yield descriptor
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _tail(descriptor: int) -> tuple[int, str | None, bool]:
    """Give the number of records, the hash that the next one refers to, and whether the end is torn."""
    content = _read(descriptor)
    count, start, position = 0, None, 0
    for line in content.splitlines(keepends=True):
        if _record(line) is not None:
            count, start = count + 1, position
        position += len(line)
    torn = bool(content) and not content.endswith(b"\n")
    covered = content[start or 0 :] + (b"\n" if torn else b"")
    return count, hashlib.sha256(covered).hexdigest() if covered else None, torn


def _read(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    chunks = []
    while chunk := os.read(descriptor, 1 << 20):
        chunks.append(chunk)
    return b"".join(chunks)


def _write(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and record.get("schema") == SCHEMA else None


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
