"""Files of audit logs become what they tell, or the reason why they are no evidence."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from keyaudit.history.events import Told
from keyaudit.history.logs import cloudtrail, google, vault
from keyaudit.history.logs.entries import MALFORMED, Encoded, UnreadableError, entries
from keyaudit.history.logs.happening import Entry, Happening
from keyaudit.model.period import HistoryFile

UNKNOWN_KIND = "audit-log"
"""What a file is called of which nobody can tell which service wrote it."""
ENDINGS = (".json", ".ndjson", ".jsonl", ".log", ".json.gz", ".ndjson.gz", ".jsonl.gz", ".log.gz")
_DIGESTS = "CloudTrail-Digest"
"""The folder in which a trail keeps the digests of its files, which are no logs."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How the entries of one service are told, and read."""

    name: str
    recognises: Callable[[Encoded], bool]
    read: Callable[[Encoded], Entry | None]


KINDS = (
    Kind(cloudtrail.KIND, cloudtrail.recognises, cloudtrail.read),
    Kind(google.KIND, google.recognises, google.read),
    Kind(vault.KIND, vault.recognises, vault.read),
)


@dataclass(frozen=True, slots=True)
class Noted:
    """One happening, and where it stands: the file, and the entry's own id or place.

    `makes` says that the entry is of the making of the version.
    """

    happening: Happening
    file: str
    reference: str
    makes: bool


@dataclass(frozen=True, slots=True)
class AuditLogs:
    """What all files tell together. `silent` counts entries about credentials that name no version."""

    files: tuple[HistoryFile, ...]
    noted: tuple[Noted, ...]
    silent: int


def read_logs(paths: Iterable[Path]) -> AuditLogs:
    """Read files, and all that end as `ENDINGS` say in folders and theirs; each entry counts once.

    A file with anything wrong in it tells nothing: its `problem` says what, and no exception is raised.
    """
    files, noted, silent, seen = list[HistoryFile](), list[Noted](), 0, set[tuple[str, str]]()
    for path in _files(paths):
        read = _Reading(str(path), seen)
        files.append(read.file(path))
        noted += read.noted
        silent += read.silent
    return AuditLogs(tuple(files), tuple(noted), silent)


def _files(paths: Iterable[Path]) -> list[Path]:
    """Give each file once, in the order of their names."""
    found: dict[Path, Path] = {}
    for path in paths:
        for file in logs_in(path) if path.is_dir() else [path]:
            found.setdefault(Path(os.path.realpath(file)), file)
    return sorted(found.values())


def logs_in(folder: Path) -> list[Path]:
    """Give the files of a folder, and of those in it, whose names are those of logs."""
    return [
        file
        for file in sorted(folder.rglob("*"))
        if file.name.endswith(ENDINGS) and file.is_file() and _DIGESTS not in file.relative_to(folder).parts
    ]


class _Reading:
    """The reading of one file; `seen` are the entries of all files."""

    def __init__(self, name: str, seen: set[tuple[str, str]]) -> None:
        self.noted: list[Noted] = []
        self.silent = 0
        self._name, self._seen = name, seen
        self._kind: Kind | None = None
        self._count = 0

    def file(self, path: Path) -> HistoryFile:
        """Read it; nothing is noted of a file with a problem."""
        digest, problem = None, None
        mine = set[tuple[str, str]]()
        try:
            if not path.is_file():
                raise UnreadableError("is no file")  # a pipe would be waited for
            with path.open("rb") as file:
                digest = _digest(file)
                self._entries(file, mine)
        except UnreadableError as error:
            problem = str(error)
        except OSError as error:
            problem = f"cannot be read: {error.strerror or type(error).__name__}"
        if problem is None and self._kind is None:
            problem = "holds no entry of CloudTrail, Google Cloud Logging or a Vault audit device"
        if problem is None:
            self._seen |= mine
        else:
            self.noted, self.silent, self._count = [], 0, 0
        kind = UNKNOWN_KIND if self._kind is None else self._kind.name
        return HistoryFile(self._name, kind, digest, None, self._count, problem)

    def _entries(self, file: BufferedReader, mine: set[tuple[str, str]]) -> None:
        for where, entry in entries(file):
            self._kind = self._kind or next((each for each in KINDS if each.recognises(entry)), None)
            if self._kind is None:
                continue
            try:
                told = self._kind.read(entry)
            except (*MALFORMED, ValueError):
                # The reason of a decoder may repeat what stands there.
                raise UnreadableError(f"{where} is not as {self._kind.name} has it") from None
            if told is not None:
                self._note(told, where, mine)

    def _note(self, told: Entry, where: str, mine: set[tuple[str, str]]) -> None:
        kind = self._kind.name if self._kind else ""
        reference = told.reference or f"{self._name} {where}"
        if (kind, reference) in self._seen or (kind, reference) in mine:
            return
        mine.add((kind, reference))
        self._count += 1
        self.silent += not told.happenings
        said = told.reference or where
        makes = any(each.told is Told.CREATED for each in told.happenings)
        self.noted += [Noted(happening, self._name, said, makes) for happening in told.happenings]


def _digest(file: BufferedReader) -> str:
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    return digest
