"""Which lines are records, and whether each still follows the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any, NoReturn

from keyaudit.errors import Problem

SCHEMA = "keyaudit/rotation-record/1"

LONGEST_LINE = 65_536
"""Bytes. A longer line was not written by keyaudit."""


class RefusedError(ValueError):
    """JSON that two readers could read in two ways, or that is too much of it."""


def verified(lines: Iterable[bytes], file: str) -> list[Problem]:
    """Check the chain of a file's lines, each with its line end; [] if nothing was changed in between."""
    problems = []
    chain = Chain()
    for number, line in enumerate(lines, start=1):
        record = recognised(line)
        if record is not None:
            if record.get("prev") != chain.prev:
                message = "does not follow the line before: something was changed, removed or slipped in"
                problems.append(Problem(file, number, None, "prev", message))
            if record.get("seq") != chain.records:
                message = f"is {ascii(record.get('seq'))[:60]}, and {chain.records} records stand before it"
                problems.append(Problem(file, number, None, "seq", message))
        chain.add(line, record=record is not None)
    return problems


class Chain:
    """What the next record must say of the lines before it: `records`, and the hash `prev`."""

    def __init__(self) -> None:
        """Begin with no line."""
        self.records = 0
        self._covered = hashlib.sha256()
        self._empty = True

    @property
    def prev(self) -> str | None:
        """Give the hash from the start of the last record on; None where there is no line at all."""
        return None if self._empty else self._covered.hexdigest()

    def add(self, content: bytes, *, record: bool) -> None:
        """Go on over a line, or over the line end that a torn one lacks; say whether it is a record."""
        if record:
            self.records += 1
            self._covered = hashlib.sha256()
        self._empty = False
        self._covered.update(content)


def recognised(line: bytes) -> dict[str, Any] | None:
    """Give the object of a line that is a record, sound or not; None for any other line."""
    try:
        found = parsed(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) and found.get("schema") == SCHEMA else None


def parsed(line: bytes) -> Any:
    """Read JSON that means one thing; raises RefusedError, and ValueError for what is no JSON."""
    if len(line) > LONGEST_LINE:
        raise RefusedError(f"is longer than {LONGEST_LINE:,} bytes")
    try:
        return json.loads(line.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant)
    except UnicodeDecodeError:
        raise RefusedError("is not UTF-8") from None
    except RecursionError:
        raise RefusedError("is nested too deep") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise RefusedError("says the same field twice")
    return found


def _constant(name: str) -> NoReturn:
    raise RefusedError(f"has {name}, which is no number")
