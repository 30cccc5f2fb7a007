"""What an audit was made of, and what a report says of the rotation records among it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keyaudit.model import Framework, Inventory, Policy, RecordSummary, Rule
from keyaudit.rotation_record import RecordFile


@dataclass(frozen=True)
class Inputs:
    """Everything but the engine's answers. `rules` are those that were judged, `as_of` in microseconds.

    `period` is its first and last instant, `records` the files that were given for it; None for none.
    """

    inventory: Inventory
    policy: Policy
    frameworks: Sequence[Framework]
    rules: Sequence[Rule]
    as_of: int
    period: tuple[int, int] | None = None
    records: Sequence[RecordFile] | None = None


def records(files: Sequence[RecordFile] | None) -> tuple[RecordSummary, ...] | None:
    """Say of each file what it holds, or the first thing that is wrong with it."""
    return None if files is None else tuple(_summary(file) for file in files)


def _summary(file: RecordFile) -> RecordSummary:
    problem = None
    if file.problems:
        first, others = file.problems[0], len(file.problems) - 1
        place = "" if first.line is None else f"line {first.line}: "
        field = "" if first.field is None else f"{first.field} "
        more = f", and {others:,} more" if others else ""
        problem = f"{place}{field}{first.message}{more}"
    return RecordSummary(file.file, file.sha256, len(file.records), problem)
