"""Saved reports in the order of their time, one in memory at a time.

A folder is looked through at every depth for files that end in `.json`; what is JSON but no report is
left out and named. Of several reports of one instant the one that saw most is used, the others are left out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import msgspec

from keyaudit import report_document, times
from keyaudit.errors import InputError, Problem, UsageError
from keyaudit.report_document import SCHEMA
from keyaudit.trend.saved import Saved, decode

SUFFIX = ".json"
FIRST, END = 0, 253_370_764_800_000_000
"""Microseconds: the beginnings of 1970 and 9999, between which an audit can be made."""
_HEAD = 4096
_SCHEMA = re.compile(rb'"schema"\s*:\s*"' + SCHEMA.encode() + rb'"')
_AS_OF = re.compile(rb'(?<!\\)"as_of"\s*:\s*"([^"\\]{1,40})"')
_HINT = "scan --format json --output DIR writes one; leave the file out, or write it again"


class _Beginning(msgspec.Struct):
    """What tells a report document from other JSON."""

    schema: str = ""
    as_of: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A report that is not in the trend because another one is of the same instant."""

    as_of: int
    sha256: str


@dataclass(frozen=True)
class Reports:
    """The files of a trend, oldest first, and those that are JSON but no report.

    `left_out` and `used` grow while the reports are gone through: digests by instant.
    """

    files: tuple[tuple[int, Path], ...]
    others: tuple[Path, ...]
    verify: bool = False
    left_out: list[LeftOut] = field(default_factory=list)
    used: list[tuple[int, str]] = field(default_factory=list)

    def until(self, end: int | None) -> Iterator[tuple[Path, Saved]]:
        """Decode the reports before `end` (microseconds), oldest first, each with its file.

        Raises InputError after the last one, naming every file that is not what it should be.
        """
        problems: list[Problem] = []
        for as_of, group in groupby(self.files, key=lambda file: file[0]):
            if end is not None and as_of >= end:
                break
            read = {path: _read(path, as_of, verify=self.verify) for _, path in group}
            problems += [found for found in read.values() if isinstance(found, Problem)]
            if not problems:
                saved = {path: found for path, found in read.items() if isinstance(found, Saved)}
                yield self._chosen(as_of, saved)
        if problems:
            raise InputError(problems, hint=_HINT)

    def _chosen(self, as_of: int, read: Mapping[Path, Saved]) -> tuple[Path, Saved]:
        """Give the report of an instant that saw most; a copy of it is the same report."""
        distinct = {saved.sha256: (path, saved) for path, saved in read.items()}
        best, *others = sorted(distinct.values(), key=lambda file: _sight(file[1]))
        self.used.append((as_of, best[1].sha256))
        self.left_out.extend(LeftOut(as_of, saved.sha256) for _, saved in others)
        return best


def _sight(saved: Saved) -> tuple[int, int, int, str]:
    """Order reports by how much they saw, most first; the digest decides between equals."""
    unseen = sum(scope.status != "complete" for scope in saved.coverage)
    return -len(saved.population), unseen, -len(saved.coverage), saved.sha256


def find(paths: Sequence[str], *, verify: bool = False) -> Reports:
    """Find the reports in folders and among files; decodes no more than their beginnings.

    Raises UsageError for a path that is not there, InputError for a file that is not JSON or was
    given by its name and is no report.
    """
    problems: list[Problem] = []
    files: dict[Path, int] = {}
    others: dict[Path, None] = {}
    for path, named in _files(paths):
        found = _instant(path, named=named)
        if isinstance(found, Problem):
            problems.append(found)
        elif found is None:
            others[path] = None
        else:
            files[path] = found
    if problems:
        raise InputError(problems, hint=_HINT)
    ordered = sorted(
        ((as_of, path) for path, as_of in files.items()), key=lambda file: (file[0], str(file[1]))
    )
    return Reports(tuple(ordered), tuple(others), verify)


def _files(paths: Sequence[str]) -> Iterator[tuple[Path, bool]]:
    """Give each file once, and whether it was given by its name."""
    seen: set[str] = set()
    for given in paths:
        path = Path(given)
        if not path.exists():
            raise UsageError(f"{given}: no such file or folder", hint="give a folder of saved reports")
        for file in [path] if not path.is_dir() else _below(path):
            real = os.path.realpath(file)
            if real not in seen:
                seen.add(real)
                yield file, file is path


def _below(folder: Path) -> Iterator[Path]:
    """Walk in an order that is the same everywhere; hidden names are what is still being written."""

    def refuse(error: OSError) -> None:
        raise UsageError(f"{error.filename}: {error.strerror}")

    for place, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.lower().endswith(SUFFIX) and not name.startswith("."):
                yield Path(place, name)


def _instant(path: Path, *, named: bool) -> int | Problem | None:
    """Say of when a report is, by its beginning where that tells; None for other JSON."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            as_of = _AS_OF.search(head) if _SCHEMA.search(head) else None
            found = as_of[1].decode("ascii", "replace") if as_of else _whole(head + file.read())
        if found is None and not named:
            return None
        instant = times.parse_instant(found or "")
    except OSError as error:
        return Problem(str(path), None, None, None, error.strerror or "cannot be read")
    except msgspec.DecodeError as error:
        return Problem(str(path), None, None, None, f"not JSON: {error}")
    except ValueError:
        return Problem(str(path), None, None, None, f"is no {SCHEMA} document")
    if not FIRST <= instant < END:
        return Problem(str(path), None, None, "as_of", "does not lie in the years 1970 to 9998")
    return instant


def _whole(content: bytes) -> str | None:
    try:
        beginning = msgspec.json.decode(content, type=_Beginning)
    except msgspec.ValidationError:
        return None
    if not beginning.schema.startswith("keyaudit/report/"):
        return None
    # A later version is no other JSON: leaving it out would look like a gap in time.
    return beginning.as_of if beginning.schema == SCHEMA else beginning.schema


def _read(path: Path, as_of: int, *, verify: bool) -> Saved | Problem:
    try:
        content = path.read_bytes()
    except OSError as error:
        return Problem(str(path), None, None, None, error.strerror or "cannot be read")
    if verify:
        try:
            report_document.read(content, file=str(path))
        except InputError as error:
            return error.problems[0]
    saved = decode(content, str(path))
    if isinstance(saved, Saved) and saved.instant != as_of:
        return Problem(str(path), None, None, "as_of", "stands twice in the document")
    return saved
