"""Files that are history: which they are, in what order they count, and which are no evidence.

An inventory that does not say when it was collected is no evidence of any time, one that cannot be read
none at all. Of two that looked at the same scope in the same instant nobody knows which is right, and
what lies inside the time that a condensed history covers cannot be put between its looks any more.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from keyaudit import inventory
from keyaudit.errors import InventoryError, KeyauditError, Problem
from keyaudit.history import document
from keyaudit.history.chronicle import (
    Chronicle,
    empty,
    fold_credentials,
    fold_looks,
    fold_versions,
)
from keyaudit.history.replay import Replay, Scope, table_of
from keyaudit.inventory.opening import SUFFIXES
from keyaudit.model import HistoryFile

_CONDENSED = re.compile(rb'\s*\{\s*"schema"\s*:\s*"keyaudit/history/')
_BEGINNING = 4096


@dataclass
class _Piece:
    """One file: what is known of it after it was looked at once. `spans` are its looks by scope."""

    path: Path
    kind: str
    sha256: str | None = None
    at: int | None = None
    items: int = 0
    spans: dict[Scope, tuple[int, int]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    total: int = 0
    condensed: Chronicle | None = None
    looks: pl.DataFrame | None = None

    def refuse(self, message: str) -> None:
        self.problems, self.total = (Problem(str(self.path), None, None, None, message),), 1

    @property
    def described(self) -> HistoryFile:
        """A file is called by its name alone, so that it is the same history wherever it lies."""
        problem = None
        if self.problems:
            first = self.problems[0]
            place = f"line {first.line}: " if first.line else ""
            more = f" (and {self.total - 1:,} more problems)" if self.total > 1 else ""
            problem = f"{place}{f'{first.field}: ' if first.field else ''}{first.message}{more}"
        return HistoryFile(self.path.name, self.kind, self.sha256, self.at, self.items, problem)


def read(paths: Iterable[str | Path]) -> Chronicle:
    """Read inventories, folders of them and condensed histories; see `keyaudit.history.read`."""
    pieces = [_opened(path) for path in _files(paths)]
    replay = _read_inventories(pieces)
    planned = _planned(pieces)
    if planned != [piece for piece in pieces if piece.kind == "inventory"]:
        # The first reading found out what counts, and when: only now can it be gone through in order.
        replay = Replay()
        for piece in planned:
            replay.go_on(table_of(inventory.read([piece.path]))[0])
    return _together(pieces, planned, replay)


def _files(paths: Iterable[str | Path]) -> list[Path]:
    """Give each file once: of a folder what is called like an inventory, and not hidden."""
    found: dict[str, Path] = {}
    for path in map(Path, paths):
        inside = sorted(path.iterdir()) if path.is_dir() else [path]
        for file in inside:
            listed = file.suffix.lower() in SUFFIXES and not file.name.startswith(".") and file.is_file()
            if file is path or listed:
                found.setdefault(os.path.realpath(file), file)
    return sorted(found.values(), key=lambda file: (file.name, str(file)))


def _opened(path: Path) -> _Piece:
    """Tell what a file is by how it begins, and read it if it is a condensed history."""
    if not path.is_file():
        piece = _Piece(path, "inventory")
        piece.refuse("is no file" if path.exists() else "no such file")
        return piece
    try:
        with path.open("rb") as handle:
            condensed = _CONDENSED.match(handle.read(_BEGINNING)) is not None
        if not condensed:
            return _Piece(path, "inventory")
        return _condensed(path, path.read_bytes())
    except OSError as error:
        piece = _Piece(path, "inventory")
        piece.refuse(f"cannot be read: {error.strerror}")
        return piece


def _condensed(path: Path, content: bytes) -> _Piece:
    piece = _Piece(path, "history", hashlib.sha256(content).hexdigest())
    try:
        piece.condensed = document.read(content, str(path))
    except InventoryError as error:
        piece.problems, piece.total = error.problems, error.total
        return piece
    spans = piece.condensed.looks.group_by("source", "scope").agg(
        pl.col("at").min().alias("first"), pl.col("at").max().alias("last")
    )
    piece.spans = {(source, scope): (first, last) for source, scope, first, last in spans.iter_rows()}
    piece.items = piece.condensed.credentials.height
    return piece


def _read_inventories(pieces: Sequence[_Piece]) -> Replay:
    """Read every inventory, and go through them as if their names stood in the order of time."""
    replay = Replay()
    for piece in pieces:
        if piece.kind != "inventory" or piece.problems:
            continue
        try:
            read = inventory.read([piece.path])
            table, looks = table_of(read)
            piece.sha256, piece.at, piece.items = read.sha256, read.collected_at, table.height
        except InventoryError as error:
            piece.problems, piece.total = error.problems, error.total
            continue
        except KeyauditError as error:
            piece.refuse(str(error))
            continue
        if piece.at is None:
            piece.refuse("does not say when it was collected: collected_at is missing")
            continue
        instants = looks.select("source", "scope", "at").iter_rows()
        piece.looks, piece.spans = looks, {(source, scope): (at, at) for source, scope, at in instants}
        replay.go_on(table)
    return replay


def _planned(pieces: Sequence[_Piece]) -> list[_Piece]:
    """Give the inventories that count, in the order of time; the others are refused or there twice."""
    known = {
        file.sha256
        for piece in pieces
        if piece.condensed
        for file in piece.condensed.files
        if not file.problem
    }
    chosen = []
    for piece in pieces:
        if piece.kind == "inventory" and not piece.problems and piece.sha256 not in known:
            known.add(piece.sha256)
            chosen.append(piece)
    _refuse_overlaps([*chosen, *(piece for piece in pieces if piece.condensed)])
    left = [piece for piece in chosen if not piece.problems]
    # Names that are in the order of time spare the second reading, also where scopes take turns.
    return sorted(left, key=lambda piece: piece.at or 0) if _out_of_order(left) else left


def _out_of_order(pieces: Sequence[_Piece]) -> bool:
    last: dict[Scope, int] = {}
    for piece in pieces:
        for scope, (first, _) in piece.spans.items():
            if first < last.get(scope, first):
                return True
            last[scope] = first
    return False


def _refuse_overlaps(pieces: Sequence[_Piece]) -> None:
    """Refuse what looked at the same scope at the same time as another file."""
    by_scope: dict[Scope, list[tuple[int, int, int]]] = defaultdict(list)
    for number, piece in enumerate(pieces):
        for scope, span in piece.spans.items():
            by_scope[scope].append((span[0], span[1], number))
    for spans in by_scope.values():
        spans.sort()
        widest = spans[0]
        for own in spans[1:]:
            first, last, number = own
            if first <= widest[1]:
                _refuse_one(pieces[widest[2]], pieces[number])
            if last > widest[1]:
                widest = own


def _refuse_one(first: _Piece, second: _Piece) -> None:
    if first.kind == second.kind == "inventory":
        for piece, other in ((first, second), (second, first)):
            piece.refuse(f"{other.path.name} looked at the same scope in the same instant")
        return
    refused, kept = (first, second) if first.kind == "inventory" else (second, first)
    refused.refuse(f"lies inside the time that {kept.path.name} covers: condense all inventories anew")


def _together(pieces: Sequence[_Piece], planned: Sequence[_Piece], replay: Replay) -> Chronicle:
    credentials, versions = replay.outcome()
    condensed = [piece.condensed for piece in pieces if piece.condensed and not piece.problems]
    looks = [piece.looks for piece in planned if piece.looks is not None]
    files = {file for part in condensed for file in part.files}
    refused = [piece for piece in pieces if piece.problems]
    files |= {piece.described for piece in (*planned, *refused)}
    return Chronicle(
        files=tuple(sorted(files, key=_order)),
        credentials=fold_credentials(pl.concat([credentials, *(part.credentials for part in condensed)])),
        versions=fold_versions(pl.concat([versions, *(part.versions for part in condensed)])),
        looks=fold_looks(pl.concat([empty().looks, *looks, *(part.looks for part in condensed)])),
        problems=tuple(problem for piece in refused for problem in piece.problems),
    )


def _order(file: HistoryFile) -> tuple[int, str, str]:
    return (-1 if file.at is None else file.at, file.sha256 or "", file.file)
