"""Files of records become `Record`s, or problems with the place of each."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

from keyaudit.errors import Problem
from keyaudit.rotation_record.chain import SCHEMA, RefusedError, parsed, verified
from keyaudit.rotation_record.fields import TEXTS_OR_NULL, brief, wrong_fields
from keyaudit.times import parse_instant

LARGEST_FILE = 256 * 1024 * 1024
"""Bytes: some 400,000 records."""
_BEGINNING = f'{{"schema":"{SCHEMA}",'


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


@dataclass(frozen=True, slots=True)
class RecordFile:
    """One file: its sound lines, everything wrong with the others, and the digest of all its bytes.

    `sha256` is in hex, None for a file that could not be read. A file is evidence where `problems` is empty.
    """

    file: str
    sha256: str | None
    records: tuple[Record, ...]
    problems: tuple[Problem, ...]


def read_records(paths: Iterable[Path]) -> tuple[tuple[Record, ...], tuple[Problem, ...]]:
    """Read files, and all `*.ndjson` in folders; gives what is sound, and everything wrong with the rest.

    A line with a problem is left out and the others are kept: whether a file with problems is
    evidence is the caller's to say. Records stand in the order of the files' names and their lines.
    """
    files = read_files(paths)
    records = tuple(record for each in files for record in each.records)
    return records, tuple(problem for each in files for problem in each.problems)


def read_files(paths: Iterable[Path]) -> tuple[RecordFile, ...]:
    """Read the same, file by file."""
    return tuple(_read(file) for file in _files(paths))


def _read(file: Path) -> RecordFile:
    try:
        content = _content(file)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        return RecordFile(
            str(file), None, (), (Problem(str(file), None, None, None, f"cannot be read: {why}"),)
        )
    lines = BytesIO(content).readlines()  # bytes.splitlines would take a lone carriage return for an end
    records, problems = list[Record](), verified(lines, str(file))
    for number, line in enumerate(lines, start=1):
        taken = _taken(line, str(file), number)
        if isinstance(taken, Record):
            records.append(taken)
        else:
            problems += taken
    ordered = sorted(problems, key=lambda problem: problem.line or 0)
    return RecordFile(str(file), sha256(content).hexdigest(), tuple(records), tuple(ordered))


def _files(paths: Iterable[Path]) -> list[Path]:
    """Give each file once, in the order of their names."""
    found: dict[Path, Path] = {}
    for path in paths:
        for file in sorted(path.glob("*.ndjson")) if path.is_dir() else [path]:
            found.setdefault(Path(os.path.realpath(file)), file)
    return sorted(found.values())


def _content(file: Path) -> bytes:
    if file.exists() and not file.is_file():
        raise ValueError("no file")  # a pipe would be waited for
    with file.open("rb") as handle:
        content = handle.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise ValueError(f"larger than {LARGEST_FILE:,} bytes")
    return content


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
        return [] if _is_torn(line) else problem("is neither a record nor the beginning of one")
    if not isinstance(found, dict):
        return problem("is no JSON object")
    if found.get("schema") != SCHEMA:
        return problem(f"is {brief(found.get('schema'))}; this version reads {SCHEMA}", "schema")
    wrong = [Problem(file, number, None, path, message) for path, message in wrong_fields(found)]
    return wrong or _record(found, file, number)


def _is_torn(line: bytes) -> bool:
    """Say whether a line is the beginning of a record and ends too early, rather than going wrong."""
    text = line.removesuffix(b"\n").decode("ascii", "replace")
    if not text or not text.startswith(_BEGINNING[: len(text)]):
        return False
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        rest = text[error.pos :]
        ends = any(word.startswith(rest) for word in ("null", "true", "false"))
        return ends or error.msg.startswith(("Unterminated string", "Invalid \\u"))
    except ValueError:
        return False
    return False


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
