"""What files of logs tell together, before it is known which credentials of an inventory they are about."""

from __future__ import annotations

import re
from dataclasses import dataclass

from keyaudit.history.logs.happening import Happening
from keyaudit.model.period import HistoryFile

UNKNOWN_KIND = "audit-log"
"""What a file is called of which nobody can tell which service wrote it."""
_PLACE = re.compile(r"(?:line|entry) [0-9]+", re.ASCII)


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


Key = tuple[str, str]
"""By which a second copy of an entry is told."""


def key_of(kind: str, file: str, reference: str) -> Key:
    """Tell an entry by its own id; one that has none by its place, which is its file's alone."""
    return kind, f"{file} {reference}" if _PLACE.fullmatch(reference) else reference
