"""Files of records become `Record`s, or problems with the place of each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from keyaudit.errors import Problem
from keyaudit.rotation_record.chain import SCHEMA, RefusedError, parsed, verified
from keyaudit.rotation_record.fields import TEXTS_OR_NULL, brief, wrong_fields
from keyaudit.times import parse_instant

LARGEST_FILE = 256 * 1024 * 1024
"""Bytes: some 400,000 records."""
_BEGINNING = f'{{"schema":"{SCHEMA}",'.encode()


@dataclass(frozen=True, slots=True)
class Record:
    """One line. `at` is in microseconds, UTC; `file` and `line` (from 1) say where it stands."""

    file: str
    line: int
    seq: int
    at: int
    name: str
    source: str
    scope: str
    id: str
    credential_name: str
    token: str | None
    event: str
    step: str | None
    outcome: str | None
    goal: str | None
    requested_by: str | None
    approved_by: str | None
    ticket: str | None
    reason: str | None
    detail: Mapping[str, Any] = field(hash=False)


def read_records(paths: Iterable[Path]) -> tuple[tuple[Record, ...], tuple[Problem, ...]]:
    """Read files, and all `*.ndjson` in folders; gives what is sound, and everything wrong with the rest.

    A line with a problem is left out and the others are kept: whether a file with problems is
    evidence is the caller's to say. Records stand in the order of the files' names and their lines.
    """
    records: list[Record] = []
    problems: list[Problem] = []
    for file in _files(paths):
        try:
            lines = _lines(file)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            problems.append(Problem(str(file), None, None, None, f"cannot be read: {why}"))
            continue
        found = verified(lines, str(file))
        for number, line in enumerate(lines, start=1):
            taken = _taken(line, str(file), number)
            if isinstance(taken, Record):
                records.append(taken)
            else:
                found += taken
        problems += sorted(found, key=lambda problem: problem.line or 0)
    return tuple(records), tuple(problems)


def _files(paths: Iterable[Path]) -> list[Path]:
    """Give each file once, in the order of their names."""
    found: dict[Path, Path] = {}
    for path in paths:
        for file in sorted(path.glob("*.ndjson")) if path.is_dir() else [path]:
            found.setdefault(Path(os.path.realpath(file)), file)
    return sorted(found.values())


def _lines(file: Path) -> list[bytes]:
    if file.exists() and not file.is_file():
        raise ValueError("no file")  # a pipe would be waited for
    with file.open("rb") as handle:
        content = handle.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise ValueError(f"larger than {LARGEST_FILE:,} bytes")
    return BytesIO(content).readlines()  # bytes.splitlines would take a lone carriage return for an end


def wrong_with(line: bytes) -> list[Problem]:
    """Say what a reader would refuse in a line, before it is written; [] for a sound one."""
    taken = _taken(line, "the record", 1)
    return [] if isinstance(taken, Record) else taken


def _taken(line: bytes, file: str, number: int) -> Record | list[Problem]:
    """Give what one line says, or what is wrong with it; nothing is wrong with a torn one."""

    def problem(message: str, path: str | None = None) -> list[Problem]:
        return [Problem(file, number, None, path, message)]

    try:
        found = parsed(line)
    except RefusedError as error:
        return problem(str(error))
    except ValueError:
        torn = line.startswith(_BEGINNING[: len(line.rstrip(b"\n"))]) and line.strip() != b""
        return [] if torn else problem("is neither a record nor the beginning of one")
    if not isinstance(found, dict):
        return problem("is no JSON object")
    if found.get("schema") != SCHEMA:
        return problem(f"is {brief(found.get('schema'))}; this version reads {SCHEMA}", "schema")
    wrong = [Problem(file, number, None, path, message) for path, message in wrong_fields(found)]
    return wrong or _record(found, file, number)


def _record(found: Mapping[str, Any], file: str, line: int) -> Record:
    credential = found["credential"]
    same = {name: found[name] for name in TEXTS_OR_NULL}
    return Record(
        file=file,
        line=line,
        seq=found["seq"],
        at=parse_instant(found["at"]),
        name=found["name"],
        source=credential["source"],
        scope=credential["scope"],
        id=credential["id"],
        credential_name=credential["name"],
        event=found["event"],
        detail=found["detail"],
        **same,
    )
