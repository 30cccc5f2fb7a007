"""What an audit of a period is given: its ends, and the rotation records of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from keyaudit.cli import options
from keyaudit.errors import UsageError

if TYPE_CHECKING:
    from keyaudit.rotation_record import RecordFile

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def given(
    period: str | None, as_of: int | None, records: Sequence[str], configured: Sequence[str]
) -> tuple[tuple[int, int] | None, tuple[RecordFile, ...] | None]:
    """Read `--period` and the records for it: those that were named, else those of keyaudit.yaml.

    `as_of` is that of the audit, None for now. Raises click.BadParameter, UsageError.
    """
    over = None if period is None else _period(period)
    if over is not None and over[1] > (options.instant_of(None) if as_of is None else as_of):
        raise _bad(f"{period} is not over at the instant of the audit")
    return over, _records(records, configured if over else (), over)


def _period(text: str) -> tuple[int, int]:
    """Give the first and the last microsecond of FROM/TO.

    An end is an instant with an offset, itself inside, or a whole UTC day.
    """
    ends = text.split("/")
    if len(ends) != 2:
        raise _bad(f"{text!r} is not FROM/TO, such as 2026-01-01/2026-06-30")
    first, last = _end(ends[0], last=False), _end(ends[1], last=True)
    if first > last:
        raise _bad(f"{text} ends before it begins")
    if first < options.FIRST or last >= options.END:
        raise _bad(f"{text} does not lie in the years 1970 to 9998")
    return first, last


def _end(text: str, *, last: bool) -> int:
    from keyaudit.times import DAY, parse_instant

    day = _DAY.fullmatch(text) is not None
    try:
        instant = parse_instant(f"{text}T00:00:00Z" if day else text)
    except ValueError as error:
        raise _bad(f"{text!r}: {error}") from None
    return instant + DAY - 1 if day and last else instant


def _bad(message: str) -> click.BadParameter:
    return click.BadParameter(message, param_hint="--period")


def _records(
    named: Sequence[str], configured: Sequence[str], over: tuple[int, int] | None
) -> tuple[RecordFile, ...] | None:
    if named and over is None:
        raise UsageError("rotation records are evidence of a period", hint="name it: --period FROM/TO")
    paths = [Path(name) for name in named or configured]
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path}: no such file or folder", hint="`keyaudit rotate` writes the records")
        if path.is_dir() and not any(path.glob("*.ndjson")):
            raise UsageError(f"{path}: no file in it ends with .ndjson", hint="or name the files themselves")
    if not paths:
        return None
    from keyaudit.rotation_record import read_files

    return read_files(paths)
