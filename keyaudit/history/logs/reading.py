"""Files of audit logs become what they tell, or the reason why they are no evidence."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from io import BufferedReader, FileIO
from pathlib import Path
from typing import TYPE_CHECKING

from keyaudit.errors import InventoryError
from keyaudit.history.events import Told
from keyaudit.history.logs import cloudtrail, document, google, vault
from keyaudit.history.logs.entries import LARGEST_DOCUMENT, MALFORMED, Encoded, UnreadableError, entries
from keyaudit.history.logs.happening import Entry
from keyaudit.history.logs.noted import UNKNOWN_KIND, AuditLogs, Key, Noted, key_of
from keyaudit.history.logs.shape import BEGINNING
from keyaudit.inventory.instants import EARLIEST, LATEST
from keyaudit.model.period import HistoryFile

if TYPE_CHECKING:
    from typing_extensions import Buffer

ENDINGS = (".json", ".ndjson", ".jsonl", ".log", ".json.gz", ".ndjson.gz", ".jsonl.gz", ".log.gz")
_DIGESTS = "CloudTrail-Digest"
"""The folder in which a trail keeps the digests of its files, which are no logs."""
_CHUNK = 1 << 20


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


def read_logs(paths: Iterable[Path]) -> AuditLogs:
    """Read files, and all that end as `ENDINGS` say in folders and theirs; each entry counts once.

    A file with anything wrong in it tells nothing: its `problem` says what, and no exception is raised.
    """
    files, noted, silent, seen = list[HistoryFile](), list[Noted](), 0, set[Key]()
    for path in _files(paths):
        # A name need not be UTF-8, and what is written down of it must.
        read = _Reading(os.fsencode(path).decode("utf-8", "backslashreplace"), seen)
        files += read.files(path)
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

    def __init__(self, name: str, seen: set[Key]) -> None:
        self.noted: list[Noted] = []
        self.silent = 0
        self._name, self._seen = name, seen
        self._mine = set[Key]()
        self._kind: Kind | None = None
        self._count = 0
        self._told_before: AuditLogs | None = None

    def files(self, path: Path) -> Sequence[HistoryFile]:
        """Read it; nothing is noted of a file with a problem. A document names the logs that it is of."""
        digest, problem = None, None
        try:
            if not path.is_file():
                raise UnreadableError("is no file")  # a pipe would be waited for
            digest, problem = self._read(path)
        except OSError as error:
            problem = f"cannot be read: {error.strerror or type(error).__name__}"
        except UnreadableError as error:
            problem = str(error)
        if problem is None:
            self._seen |= self._mine
        else:
            self.noted, self.silent, self._count = [], 0, 0
        if problem is None and self._told_before is not None:
            return self._told_before.files
        kind = UNKNOWN_KIND if self._kind is None else self._kind.name
        return [HistoryFile(self._name, kind, digest, None, self._count, problem)]

    def _read(self, path: Path) -> tuple[str, str | None]:
        """Give the digest of just the bytes that were read, and the problem if there is one."""
        problem = None
        with _Digested(path) as counted:
            file: BufferedReader = BufferedReader(counted, _CHUNK)
            try:
                if file.peek(len(BEGINNING)).startswith(BEGINNING):
                    self._document(file)
                else:
                    self._entries(file)
            except UnreadableError as error:
                problem = str(error)
            while file.read(_CHUNK):
                pass
            return counted.sha256.hexdigest(), problem

    def _document(self, file: BufferedReader) -> None:
        """Take over what logs told that were read before."""
        content = file.read(LARGEST_DOCUMENT + 1)
        if len(content) > LARGEST_DOCUMENT:
            raise UnreadableError(f"is a document of more than {LARGEST_DOCUMENT:,} bytes")
        try:
            self._told_before = told = document.read(content, self._name)
        except InventoryError as error:
            more = f" (and {error.total - 1:,} more problems)" if error.total > 1 else ""
            line = error.problems[0].line
            raise UnreadableError(f"line {line} is not as keyaudit writes it{more}") from None
        kinds = {each.file: each.kind for each in reversed(told.files)}
        for noted in told.noted:
            key = key_of(kinds[noted.file], noted.file, noted.reference)
            if key not in self._seen:
                self._mine.add(key)
                self.noted.append(noted)
        self.silent = told.silent

    def _entries(self, file: BufferedReader) -> None:
        for where, entry in entries(file):
            self._kind = self._kind or next((each for each in KINDS if each.recognises(entry)), None)
            if self._kind is None:
                continue
            try:
                told = self._kind.read(entry)
                if told is not None:
                    self._note(told, where)
            except (*MALFORMED, ValueError):
                # The reason of a decoder may repeat what stands there.
                raise UnreadableError(f"{where} is not as {self._kind.name} has it") from None
        if self._kind is None:
            raise UnreadableError(
                "holds no entry of CloudTrail, Google Cloud Logging or a Vault audit device"
            )

    def _note(self, told: Entry, where: str) -> None:
        if any(not EARLIEST <= each.at <= LATEST for each in told.happenings):
            raise ValueError(where)
        reference = told.reference or where
        key = key_of(self._kind.name if self._kind else "", self._name, reference)
        if key in self._seen or key in self._mine:
            return
        self._mine.add(key)
        self._count += 1
        self.silent += not told.happenings
        makes = any(each.told is Told.CREATED for each in told.happenings)
        self.noted += [Noted(happening, self._name, reference, makes) for happening in told.happenings]


class _Digested(FileIO):
    """A file whose digest grows as it is read: what is told of it is of those bytes and of no others."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "rb")
        self.sha256 = hashlib.sha256()

    def readinto(self, buffer: Buffer, /) -> int | None:
        """Read, and count what was read."""
        count = super().readinto(buffer)
        self.sha256.update(memoryview(buffer)[:count])
        return count
