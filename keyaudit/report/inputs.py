"""What an audit was made of, and what a report says of the rotation records among it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from keyaudit.model import Framework, Inventory, Policy, RecordSummary, Rule
from keyaudit.rotation_record import RecordFile

_Identity = tuple[str, str, str]


@dataclass(frozen=True)
class Inputs:
    """Everything but the engine's answers. `rules` are those that were judged, `as_of` in microseconds.

    `period` is its first and last instant, `records` the files that were given for it; None for none.
    `governed` are the policies of its parts, in the order of time.
    """

    inventory: Inventory
    policy: Policy
    frameworks: Sequence[Framework]
    rules: Sequence[Rule]
    as_of: int
    period: tuple[int, int] | None = None
    records: Sequence[RecordFile] | None = None
    governed: Sequence[Policy] = ()


def records(files: Sequence[RecordFile] | None, inventory: Inventory) -> tuple[RecordSummary, ...] | None:
    """Say of each file what it holds, or the first thing that is wrong with it."""
    if files is None:
        return None
    listed = _listed({identity for file in files for identity in _identities(file)}, inventory)
    return tuple(replace(_summary(file), unlisted=_unlisted(file, listed)) for file in files)


def _identities(file: RecordFile) -> set[_Identity]:
    return {(record.source, record.scope, record.id) for record in file.records}


def _unlisted(file: RecordFile, listed: set[_Identity]) -> int | None:
    """Count the credentials of a file that is evidence which the inventory does not have."""
    return None if file.problems else len(_identities(file) - listed)


def _listed(identities: set[_Identity], inventory: Inventory) -> set[_Identity]:
    """Give those of some identities that the inventory has."""
    names = ("source", "scope", "id")
    asked = pl.LazyFrame(sorted(identities), schema=dict.fromkeys(names, pl.String), orient="row")
    found = asked.join(inventory.credentials.select(names), on=names, how="semi").collect()
    return set(found.iter_rows())


def _summary(file: RecordFile) -> RecordSummary:
    problem = None
    if file.problems:
        first, others = file.problems[0], len(file.problems) - 1
        place = "" if first.line is None else f"line {first.line}: "
        field = "" if first.field is None else f"{first.field} "
        more = f", and {others:,} more" if others else ""
        problem = f"{place}{field}{first.message}{more}"
    return RecordSummary(file.file, file.sha256, len(file.records), problem)
